"""Time the bank alone: CPU microseconds a reading at several batch sizes, and bytes of state a point. JSON lines."""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from models.bank import Bank


def bench(batch: int, points: int, readings: int, seed: int = 1) -> dict[str, float | int | str]:
    """Feed noisy daily swings to `points` learnt points in batches; return the figures of one size."""
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
    spent = 0.0
    for call in range(calls):
        turn, part = divmod(call, per_round)
        rows = orders[turn][part * batch : (part + 1) * batch]
        moment = np.full(batch, at + 10.0 * turn)
        begin = time.process_time()
        bank.update(rows, moment, values[call])
        spent += time.process_time() - begin
    return {
        "bench": "models",
        "batch": batch,
        "points": points,
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
        print(json.dumps(bench(batch, max(asked.points, batch), readings)), flush=True)


if __name__ == "__main__":
    main()
