"""Measure what rules cost: CPU microseconds a reading, by number of rules, points, batch and share of loud readings.

    python -m scripts.bench_rules [--seconds 0.5] [--only NAME]

One JSON line a case. `each` gives every rule its own ten points, `all` every rule all points. Quiet readings stay short
of every limit; loud ones cross some, so that levels are raised and left again.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from typing import NamedTuple

import msgspec
import numpy as np

from rules.compiler import compile_rules
from rules.evaluation import Evaluator
from rules.rule import Rule
from sensors.site import Area, Point, Site, Text

NO_TEXT = Text(zh="", en="")
RATIONALE = {
    "cause": "c",
    "consequence": "c",
    "response": "r",
    "time_to_respond": 600,
    "owner": "o",
    "review": "2027-01-01",
}


class Scored(NamedTuple):
    """Scores as a bank would give them."""

    score: np.ndarray
    alarm: np.ndarray


class StillModels:
    """Models that cost nothing, so that only rules are measured."""

    def __init__(self, rows: int) -> None:
        self.flat_since = np.zeros(rows)

    def pause(self, seconds: np.ndarray) -> None:
        """Move along."""
        self.flat_since += seconds

    def eta(self, rows: np.ndarray, limit: np.ndarray, below: np.ndarray) -> np.ndarray:
        """Never."""
        return np.full(len(rows), np.inf)

    def eta_range(self, rows: np.ndarray, limit: np.ndarray, below: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Never."""
        return np.full(len(rows), np.inf), np.full(len(rows), np.inf)

    def reason_text(self, row: int, language: str = "en") -> str:
        """Give no reason."""
        return ""


def rules_for(count: int, spread: str, shapes: str) -> list[Rule]:
    """Make rules: raise and clear on two levels with delays; `mixed` adds windows, scores and trends."""
    rules = []
    for number in range(count):
        high = 60 + number % 17
        levels = {
            "yellow": {"when": f"value > {high} m", "clear": f"value < {high - 5} m", "for": 30, "clear_after": 60},
            "red": {"when": f"value > {high + 20} m", "clear": f"value < {high + 10} m"},
        }
        if shapes == "mixed":
            kind = number % 4
            if kind == 1:
                levels["yellow"]["when"] = f"score > 0.99 and rate('10m') > {1 + number % 7} m/h"
            elif kind == 2:
                levels["yellow"]["when"] = f"mean('10m') > {high} m"
            elif kind == 3:
                levels["red"]["when"] = f"value > {high + 5} m and eta('limit') < 45 min and not seen('debris', '5m')"
        where = {"quantity": f"q{number}"} if spread == "each" else {}
        rules.append(
            msgspec.convert(
                {
                    "id": f"r{number}",
                    "title": {"zh": "", "en": ""},
                    "where": where,
                    "levels": levels,
                    "rationale": RATIONALE,
                },
                Rule,
            )
        )
    return rules


def measure(
    rules: int, points: int, batch: int, spread: str, shapes: str, loud: float, seconds: float
) -> dict[str, object]:
    """Measure one case."""
    site = Site(
        id="s",
        name=NO_TEXT,
        areas=(Area(id="a", name=NO_TEXT, type="t", place="p"),),
        points=tuple(
            Point(
                id=f"p{n}",
                name=NO_TEXT,
                areas=("a",),
                quantity=f"q{n // 10}",
                unit="m",
                limit=100.0,
                interval=1.0,
                index=n,
            )
            for n in range(points)
        ),
    )
    start = time.process_time()
    book = compile_rules(rules_for(rules, spread, shapes), site, site.points)
    compiling = time.process_time() - start
    evaluator = Evaluator(book, StillModels(points))
    random = np.random.default_rng(1)
    batches = []
    for number in range(64):
        rows = (
            np.sort(random.choice(points, batch, replace=False)).astype(np.intp)
            if batch < points
            else np.arange(points)
        )
        value = random.normal(20, 5, batch)
        value[random.random(batch) < loud] += 60
        batches.append((rows, value, Scored(random.random(batch) * 0.9, np.zeros(batch, bool)), number))
    quality = np.zeros(batch, np.uint8)
    now, changes, readings = 1.7e9, 0, 0
    gc.collect()
    gc.disable()
    spent = []
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline or len(spent) < 20:
        now += 1.0
        rows, value, scored, _ = batches[len(spent) % 64]
        times = np.full(batch, now)
        begin = time.process_time()
        changes += len(evaluator.readings(rows, times, value, quality, times, scored, now))
        spent.append(time.process_time() - begin)
        readings += batch
    begin = time.process_time()
    for _ in range(5):
        now += 1.0
        evaluator.tick(now)
    tick = (time.process_time() - begin) / 5
    gc.enable()
    half = spent[len(spent) // 4 :]
    return {
        "case": "rules",
        "rules": rules,
        "points": points,
        "instances": book.instances,
        "batch": batch,
        "spread": spread,
        "shapes": shapes,
        "loud": loud,
        "us_per_reading": round(1e6 * float(np.median(half)) / batch, 4),
        "us_per_reading_mean": round(1e6 * float(np.mean(half)) / batch, 4),
        "changes_per_1000": round(1000 * changes / readings, 2),
        "tick_ms": round(1e3 * tick, 3),
        "compile_ms": round(1e3 * compiling, 1),
        "state_bytes_per_point": round(evaluator.nbytes / points, 1),
    }


CASES = [
    *((100, 1000, batch, "each", "simple", 0.0) for batch in (1, 10, 100, 1000)),
    *((100, 1000, 1000, "each", "simple", loud) for loud in (0.01, 0.1)),
    *((100, 1000, batch, "each", "mixed", 0.0) for batch in (1, 1000)),
    *((100, 1000, 1000, "each", "mixed", loud) for loud in (0.01, 0.1)),
    (100, 1000, 1000, "all", "simple", 0.0),
    (100, 1000, 1000, "all", "mixed", 0.0),
    (100, 1000, 1000, "all", "mixed", 0.01),
    *((rules, 10 * rules, 1000, "each", "mixed", 0.0) for rules in (1, 10, 100, 1000, 10_000)),
]


def main() -> None:
    """Run the cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5, help="seconds a case")
    parser.add_argument("--largest", type=int, default=10_000, help="leave out cases with more rules")
    chosen = parser.parse_args()
    for rules, points, batch, spread, shapes, loud in CASES:
        if rules <= chosen.largest:
            result = measure(rules, points, min(batch, points), spread, shapes, loud, chosen.seconds)
            sys.stdout.write(json.dumps(result) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
