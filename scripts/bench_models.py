"""Time the bank alone: CPU microseconds a reading at several batch sizes, and bytes of state a point. JSON lines.

First gauges by batch size, then the other kinds: counters, angles, switches that change at every reading, points that
jump about among 5 or 50 codes, and gauges whose readings come irregularly. After each of both the same with what
no point should send, and how many times as long that takes: `slower`. A tenth of the readings are no measurement or
older than the last (`mixture`), a tenth of the points are read twice a year, or all send a constant, or a thousand
readings a second.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from models.bank import Bank, Kind

TIMED = 1_000
"""Readings between two looks at the clock, which cost as much as a part of one on its own."""

ODD = (float("nan"), float("inf"), -float("inf"), 1e300, -1e99, 0.0)
KINDS = ("mixture", "two a year", "constant", "1 kHz")
HALF_A_YEAR = 182.5 * 86400.0
BARS = {1: 30.0, 1_000: 1.5, 5_000: 1.0}
"""Microseconds a reading of a gauge, by batch size."""

Made = Callable[[np.random.Generator, int, int], npt.NDArray[Any]]
"""Values f8[calls, points] of readings one after the other, from a generator, the calls and the points."""

SERIES: dict[str, tuple[Kind, Made]] = {
    "gauge": ("gauge", lambda random, calls, points: 10.0 + random.normal(size=(calls, points))),
    "counter": ("counter", lambda random, calls, points: random.exponential(size=(calls, points)).cumsum(axis=0)),
    "angle": ("angle", lambda random, calls, points: (350.0 + 15.0 * random.normal(size=(calls, points))) % 360.0),
    "switch, each reading a change": (
        "switch",
        lambda random, calls, points: np.add.outer(np.arange(calls), random.integers(0, 2, points)) % 2.0,
    ),
    "5 codes": ("state", lambda random, calls, points: random.integers(0, 5, (calls, points)).astype(float)),
    "50 codes": ("state", lambda random, calls, points: random.integers(0, 50, (calls, points)).astype(float)),
    "gauge, irregular": ("gauge", lambda random, calls, points: 10.0 + random.normal(size=(calls, points))),
}


def bench(batch: int, points: int, readings: int, odd: str = "", seed: int = 1) -> dict[str, float | int | str]:
    """Feed noise, or what is `odd` (one of `KINDS`), to `points` learnt points in batches; return the figures."""
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
    values = np.full((calls, batch), 10.0) if odd == "constant" else 10.0 + random.normal(size=(calls, batch))
    at, step_on = 10.0 * 110, 0.001 if odd == "1 kHz" else 10.0
    spent, waiting = 0.0, []
    for call in range(calls):
        turn, part = divmod(call, per_round)
        rows = orders[turn][part * batch : (part + 1) * batch]
        moment = np.full(batch, at + step_on * turn)
        if odd == "mixture":
            strange = np.flatnonzero(random.random(batch) < 0.1)
            values[call, strange] = random.choice(ODD, len(strange))
            moment[strange[::2]] -= 3600.0
        elif odd == "two a year":
            moment[rows % 10 == 0] = at + HALF_A_YEAR * (turn + 1)
        waiting.append((rows, moment, values[call]))
        if len(waiting) * batch >= TIMED or call == calls - 1:
            begin = time.process_time()
            for each in waiting:
                bank.update(*each)
            spent += time.process_time() - begin
            waiting = []
    found: dict[str, float | int | str] = {
        "bench": "models",
        "batch": batch,
        "points": points,
        "odd": odd,
        "us_per_reading": round(1e6 * spent / (calls * batch), 3),
        "us_per_call": round(1e6 * spent / calls, 1),
        "bytes_per_point": bank.row_bytes,
    }
    if not odd and batch in BARS:
        found["bar"] = BARS[batch]
    return found


def bench_kind(name: str, batch: int, calls: int = 300, seed: int = 1, odd: str = "") -> dict[str, float | int | str]:
    """Feed one of `SERIES` to `batch` points, all in each batch; return the figures of the later half, the best.

    From the later half on it is what is `odd` (one of `KINDS`); a point on its own is silent for half a year before
    each tenth reading.
    """
    random = np.random.default_rng(seed)
    kind, made = SERIES[name]
    bank, rows = Bank(), np.arange(batch)
    bank.grow(batch)
    for row in range(batch):
        bank.configure(row, interval=10.0, kind=kind)
    values = made(random, calls, batch)
    steps = random.exponential(10.0, (calls, batch)) if "irregular" in name else np.full((calls, batch), 10.0)
    begins, at_random = calls // 2, np.random.default_rng(seed + 1)
    if odd == "constant":
        values[begins:] = values[begins]
    elif odd == "1 kHz":
        steps[begins:] = 0.001
    elif odd == "two a year":
        silent = np.arange(calls)[:, None] % 10 == 0 if batch == 1 else rows % 10 == 0
        steps[begins:] = np.where(np.broadcast_to(silent, steps.shape)[begins:], HALF_A_YEAR, steps[begins:])
    times, spent = steps.cumsum(axis=0), []
    if odd == "mixture":
        strange = at_random.random(values.shape) < 0.1
        strange[:begins] = False
        values = np.where(strange, at_random.choice(ODD, values.shape), values)
        times = np.where(strange & (at_random.random(values.shape) < 0.5), times - 3600.0, times)
    for call in range(calls):
        begin = time.process_time()
        bank.update(rows, times[call], values[call])
        spent.append(time.process_time() - begin)
    part = sorted(spent[begins:])
    best = part[: max(calls // 6, 1)] if batch > 1 else part[: max(49 * len(part) // 50, 1)]  # every tenth is odd
    return {
        "bench": "models",
        "batch": batch,
        "kind": name,
        "odd": odd,
        "us_per_reading": round(1e6 * sum(best) / len(best) / batch, 3),
        "bytes_per_point": bank.row_bytes,
        "bytes_of_codes": round(bank.code_bytes / batch),
    }


def _slower(odd: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """Return figures with how many times as long as usual they are."""
    return {**odd, "slower": round(odd["us_per_reading"] / usual["us_per_reading"], 2)}


def main() -> None:
    """Print one JSON line a batch size and kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=200_000)
    parser.add_argument("--points", type=int, default=5_000)
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 10, 100, 1_000, 5_000])
    parser.add_argument("--kinds", nargs="*", default=list(SERIES), choices=SERIES)
    asked = parser.parse_args()
    for batch in asked.batches:
        readings = min(asked.readings, 20_000 if batch < 50 else asked.readings)
        found = bench(batch, max(asked.points, batch), readings)
        print(json.dumps(found), flush=True)
        for kind in KINDS:
            odd = bench(batch, max(asked.points, batch), readings, odd=kind)
            print(json.dumps(_slower(odd, found)), flush=True)
    for name in asked.kinds:
        for batch in (1, 1_000):
            calls = 300 if batch > 1 else 3_000
            found = bench_kind(name, batch, calls)
            print(json.dumps(found), flush=True)
            for kind in KINDS:
                print(json.dumps(_slower(bench_kind(name, batch, calls, odd=kind), found)), flush=True)


if __name__ == "__main__":
    main()
