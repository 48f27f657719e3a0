"""Time the bank alone: CPU microseconds a reading at several batch sizes, and bytes of state a point. JSON lines."""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from models.bank import Bank

TIMED = 1_000
"""Readings between two looks at the clock, which cost as much as a part of one on its own."""

ODD = (float("nan"), float("inf"), -float("inf"), 1e300, -1e99, 0.0)


def bench(batch: int, points: int, readings: int, odd: float = 0.0, seed: int = 1) -> dict[str, float | int | str]:
    """Feed noise to `points` learnt points in batches; return the figures of one size.

    `odd` is the share of readings that no point should send, or that are older than the last.
    """
    random = np.random.default_rng(seed)
    bank = Bank()
    bank.grow(points)
    for row in range(points):
        bank.configure(row, interval=10.0)
    everyone = np.arange(points)
    for step in range(110):  # past warm-up
        bank.update(everyone, np.full(points, 10.0 * step), 10.0 + random.normal(size=points))
    calls = max(readings // batch, 5)
    per_round = max(points // batch, 1)
    orders = [random.permutation(points) for _ in range(calls // per_round + 1)]
    values = 10.0 + random.normal(size=(calls, batch))
    at = 10.0 * 110
    spent, waiting = 0.0, []
    for call in range(calls):
        turn, part = divmod(call, per_round)
        rows = orders[turn][part * batch : (part + 1) * batch]
        moment = np.full(batch, at + 10.0 * turn)
        strange = np.flatnonzero(random.random(batch) < odd)
        values[call, strange] = random.choice(ODD, len(strange))
        moment[strange[::2]] -= 3600.0
        waiting.append((rows, moment, values[call]))
        if len(waiting) * batch >= TIMED or call == calls - 1:
            begin = time.process_time()
            for each in waiting:
                bank.update(*each)
            spent += time.process_time() - begin
            waiting = []
    return {
        "bench": "models",
        "batch": batch,
        "points": points,
        "odd": odd,
        "us_per_reading": round(1e6 * spent / (calls * batch), 3),
        "us_per_call": round(1e6 * spent / calls, 1),
        "bytes_per_point": bank.row_bytes,
    }


def main() -> None:
    """Print one JSON line a batch size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=200_000)
    parser.add_argument("--points", type=int, default=5_000)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 10, 100, 1_000, 5_000])
    asked = parser.parse_args()
    for batch in asked.batches:
        readings = min(asked.readings, 20_000 if batch < 50 else asked.readings)
        found = bench(batch, max(asked.points, batch), readings)
        print(json.dumps(found), flush=True)
        if batch >= 100:
            odd = bench(batch, max(asked.points, batch), readings, odd=0.1)
            odd["slower"] = round(float(odd["us_per_reading"]) / float(found["us_per_reading"]), 2)
            print(json.dumps(odd), flush=True)


if __name__ == "__main__":
    main()
