"""Measure what rules cost: CPU microseconds a reading, by number of rules, points, batch and share of loud readings.

    python -m scripts.bench_rules [--seconds 0.5] [--only NAME]

One JSON line a case. `each` gives every rule its own ten points, `all` every rule all points, `share` divides the same
points among the rules, so that only their number differs. `point_every_s` is how often a point is read: one that is
read seldom has its windows moved on at each reading. Quiet readings stay short of every limit; loud ones cross
some, so that levels are raised and left again. `check` loads a folder of rules that a template makes for as many areas,
or that are written one by one, each with its test; `publish` has an engine take such rules while it holds others, on
the spot or made ready before; `pause` is the longest gap between batches of a whole worker meanwhile, by the clock,
snapshots aside; `shadow` runs a second set beside.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from rules.compiler import compile_rules
from rules.evaluation import Evaluator
from rules.rule import Rule, load_rules
from sensors import frame, observation
from sensors.garbage import collector_resting
from sensors.observation import Publication
from sensors.site import Area, AreaType, Point, Site, Text
from streams import bundle, publication, settings, shelf
from streams.batches import Output
from streams.engine import Engine
from streams.shadow import pack
from streams.topics import OBSERVATIONS
from streams.worker import Worker

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
        where = {} if spread == "all" else {"quantity": f"q{number}"}
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
    rules: int, points: int, batch: int, spread: str, shapes: str, loud: float, seconds: float, step: float = 1.0
) -> dict[str, object]:
    """Measure one case; `step` are the seconds from one batch to the next."""
    width = points // rules if spread == "share" else 10
    site = Site(
        id="s",
        name=NO_TEXT,
        areas=(Area(id="a", name=NO_TEXT, type="t", place="p"),),
        points=tuple(
            Point(
                id=f"p{n}",
                name=NO_TEXT,
                areas=("a",),
                quantity=f"q{n // width}",
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
        now += step
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
        "point_every_s": round(step * points / batch, 3),
        "us_per_reading": round(1e6 * float(np.median(half)) / batch, 4),
        "us_per_reading_mean": round(1e6 * float(np.mean(half)) / batch, 4),
        "changes_per_1000": round(1000 * changes / readings, 2),
        "tick_ms": round(1e3 * tick, 3),
        "compile_ms": round(1e3 * compiling, 1),
        "state_bytes_per_point": round(evaluator.nbytes / points, 1),
    }


def measure_check(rules: int, how: str) -> dict[str, object]:
    """Measure what it takes to check a folder of rules, each with its test: of one template, or written by hand."""
    areas = tuple(Area(id=f"a{n}", name=NO_TEXT, type="t", place="p") for n in range(rules))
    points = tuple(
        Point(id=f"p{n}", name=NO_TEXT, areas=(f"a{n}",), quantity="level", unit="m", interval=10.0, index=n)
        for n in range(rules)
    )
    kinds = (AreaType(id="t", field="f", name=NO_TEXT),)
    site = Site(id="s", name=NO_TEXT, area_types=kinds, areas=areas, points=points)
    use = [{"areas": [f"a{n}"], "with": {"high": 1.0 + n % 17}} for n in range(rules)]
    levels = {"red": {"when": "value > {high}", "clear": "value < {high - 0.5}", "for": "30 s"}}
    test = {"name": "it rises", "step": "30 s", "point": {"values": "0*2 {high + 1}*3"}, "expect": "none*3 red*2"}
    rule = {"title": {"zh": "水位", "en": "level"}, "levels": levels, "rationale": RATIONALE, "tests": [test]}
    content: dict[str, object] = {
        "templates": [{"id": "deep", "parameters": {"high": {"unit": "m"}}, "for": use, "rule": rule}]
    }
    if how == "written":
        content = {"rules": [_written(n, 1.0 + n / 1e4) for n in range(rules)]}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.yaml"
        file.write_bytes(msgspec.json.encode(content))
        begin = time.process_time()
        loaded = load_rules(file, site)
        spent = time.process_time() - begin
    return {"case": "check", "rules": len(loaded), "how": how, "seconds": round(spent, 2)}


def _written(number: int, high: float) -> dict[str, object]:
    test = {"name": "it rises", "step": "30 s", "point": {"values": f"0*2 {high + 1}*3"}, "expect": "none*3 red*2"}
    levels = {"red": {"when": f"value > {high} m", "clear": f"value < {high - 0.5} m", "for": "30 s"}}
    where = {"areas": [f"a{number}"]}
    title = {"zh": "水位", "en": "level"}
    rule = {"title": title, "where": where, "levels": levels, "rationale": RATIONALE, "tests": [test]}
    return {"id": f"r{number}"} | rule


def a_site(points: int) -> Site:
    """Make a site of one area, ten points of each quantity."""
    return Site(
        id="s",
        name=NO_TEXT,
        areas=(Area(id="a", name=NO_TEXT, type="t", place="p", group="g"),),
        points=tuple(
            Point(id=f"p{n}", name=NO_TEXT, areas=("a",), quantity=f"q{n // 10}", unit="m", limit=100.0, index=n)
            for n in range(points)
        ),
    )


def measure_publish(rules: int) -> dict[str, object]:
    """Measure how long an engine stands still while it takes rules of which one has changed, made ready before or not.

    `longest_step_ms` is the longest that all else waits while they are made ready, the collector of garbage at rest as
    in the worker; all in CPU time.
    """
    site, before = a_site(10 * rules), tuple(rules_for(rules, "each", "mixed"))
    after = (msgspec.structs.replace(before[0], hold=90.0), *before[1:])
    found: dict[str, object] = {"case": "publish", "rules": rules, "points": len(site.points)}
    for ahead in (False, True):
        engine = Engine(0)
        for number, content in enumerate((before, after)):
            packed = bundle.pack(bundle.Bundle(site=site, rules=content))
            what = Publication(version=f"v{number}", bundle=packed, author="a", reason="r", time=1.7e9 + number)
            record = observation.encode(what)
            with collector_resting():
                if number and ahead:
                    steps, spent = engine.preparing(packed, what.version), [0.0]
                    while not engine.has_ready(what.version):
                        begin = time.process_time()
                        try:
                            next(steps)
                        except StopIteration as done:
                            engine.hold(done.value)
                        spent.append(time.process_time() - begin)
                    found["ready_ms"] = round(1e3 * sum(spent))
                    found["longest_step_ms"] = round(1e3 * max(spent), 1)
                begin = time.process_time()
                engine.apply([(number, record)])
                switch = time.process_time() - begin
        found["switch_ms" if ahead else "ms"] = round(1e3 * switch, 1)
    return found


def measure_pause(rules: int) -> dict[str, object]:
    """Measure the longest gap between batches of a worker in which readings flow, while it publishes changed rules.

    `before_ms` is the longest gap in as many seconds before, `during_ms` from the proposal until it is in force and
    kept, and `snapshot_ms` while its whole state is written to the log, which takes `written_ms`; by the clock, so on a
    busy machine also what others took.
    """
    site, before = a_site(10 * rules), tuple(rules_for(rules, "each", "mixed"))
    after = (msgspec.structs.replace(before[0], hold=90.0), *before[1:])
    packed, changed = (bundle.pack(bundle.Bundle(site=site, rules=content)) for content in (before, after))
    del before, after
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        (data / "run").mkdir()
        publication.adopt(data, publication.Proposal(packed, "s", "bench", "", time.time()))
        gaps = asyncio.run(_publish_under_load(data, packed, changed, len(site.points)))
    return {"case": "pause", "rules": rules, "points": len(site.points)} | gaps


async def _publish_under_load(data: Path, packed: bytes, changed: bytes, points: int) -> dict[str, object]:
    worker = Worker(settings.load({}, data=str(data), snapshot_seconds=3600.0), packed, 1)
    stop, ready = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(worker.run(stop.wait(), ready.set, settle=gc.freeze))
    await ready.wait()
    while worker.stations[0].engine.version != worker.version:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    taken: list[float] = []
    take = worker.stations[0].take

    def noted(records: Sequence[tuple[int, bytes]]) -> list[Output]:
        found = take(records)
        taken.append(time.perf_counter())
        return found

    worker.stations[0].take = noted  # type: ignore[method-assign]
    random = np.random.default_rng(1)

    async def flow() -> None:
        while True:
            now = time.time()
            some = np.sort(random.choice(points, 1000, replace=False)).astype("u4")
            value = random.normal(20, 5, len(some))
            sent = frame.encode(some, np.full(1000, now), value, np.zeros(1000, "u1"), registry="v", received=now)
            await worker.app.produce(OBSERVATIONS, 0, None, sent)
            await asyncio.sleep(0.01)

    flowing = asyncio.create_task(flow())
    await asyncio.sleep(3.0)
    calm = float(np.diff(taken).max())
    taken.clear()
    begun = time.perf_counter()
    publication.propose(data, changed, "s", "bench", "", time.time())
    while not shelf.has(data, bundle.version_of(changed)):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    took = time.perf_counter() - begun
    during = float(np.diff(taken).max())
    taken.clear()
    begun = time.perf_counter()
    await worker.snapshot()
    while worker._due or worker._writing:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    written = time.perf_counter() - begun
    flowing.cancel()
    snapshot = float(np.diff(taken).max())
    stop.set()
    await running
    figures = {
        "before_ms": calm * 1e3,
        "during_ms": during * 1e3,
        "in_force_ms": took * 1e3,
        "snapshot_ms": snapshot * 1e3,
        "written_ms": written * 1e3,
    }
    return {name: round(value) for name, value in figures.items()}


def measure_shadow(rules: int, points: int, batch: int, seconds: float) -> dict[str, object]:
    """Measure what a second set of as many rules costs an engine that has them in its shadow, in pairs."""
    site, content = a_site(points), tuple(rules_for(rules, "each", "mixed"))
    other = tuple(msgspec.structs.replace(rule, hold=90.0) for rule in content)
    engines = (Engine(0), Engine(0))
    packed = bundle.pack(bundle.Bundle(site=site, rules=content))
    begun: list[observation.Observation] = [
        Publication(version="v", bundle=packed, author="a", reason="r", time=1.7e9),
        observation.Tick(time=1.7e9),
    ]
    what = observation.Shadow(id="s", rules=pack(other), author="a", reason="r", time=1.7e9)
    for engine, more in zip(engines, ([], [what]), strict=True):
        engine.apply([(n, observation.encode(one)) for n, one in enumerate([*begun, *more])])
    random, spent, now, offset = np.random.default_rng(1), ([], []), 1.7e9, 10
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline or len(spent[0]) < 100:
        now, offset = now + 1.0, offset + 2
        chosen = np.sort(random.choice(points, batch, replace=False)).astype("u4")
        value = random.normal(20, 5, batch)
        quality = np.zeros(batch, "u1")
        packed = frame.encode(chosen, np.full(batch, now), value, quality, registry="v", received=now)
        for engine, times in zip(engines, spent, strict=True):
            begin = time.process_time()
            engine.apply([(offset, packed)])
            times.append(time.process_time() - begin)
            engine.apply([(offset + 1, observation.encode(observation.Tick(time=now)))])
    alone, both = (1e6 * float(np.median(times[len(times) // 4 :])) / batch for times in spent)
    figures = {"engine_us": round(alone, 3), "with_shadow_us": round(both, 3), "share": round(both / alone - 1, 3)}
    return {"case": "shadow", "rules": rules, "points": points, "batch": batch} | figures


CASES = [
    *((100, 1000, batch, "each", "simple", 0.0) for batch in (1, 10, 100, 1000)),
    *((100, 1000, 1000, "each", "simple", loud) for loud in (0.01, 0.1)),
    *((100, 1000, batch, "each", "mixed", 0.0) for batch in (1, 1000)),
    *((100, 1000, 1000, "each", "mixed", loud) for loud in (0.01, 0.1)),
    (100, 1000, 1000, "all", "simple", 0.0),
    (100, 1000, 1000, "all", "mixed", 0.0),
    (100, 1000, 1000, "all", "mixed", 0.01),
    *((rules, 10 * rules, 1000, "each", "mixed", 0.0) for rules in (1, 10, 100, 1000, 10_000)),
    *((rules, 100_000, 1000, "share", "mixed", 0.0) for rules in (100, 1000, 10_000)),
]


SELDOM = (100, 1000, 1000, "each", "mixed", 0.0)
"""Each point read every 100 s, as where ten thousand rules have a hundred times the points: as much work a reading."""


def main() -> None:
    """Run the cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5, help="seconds a case")
    parser.add_argument("--largest", type=int, default=10_000, help="leave out cases with more rules")
    parser.add_argument("--only", choices=("rules", "check", "publish", "pause", "shadow"), help="only these cases")
    chosen = parser.parse_args()

    def tell(result: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()

    if chosen.only in (None, "rules"):
        for rules, points, batch, spread, shapes, loud in CASES:
            if rules <= chosen.largest:
                tell(measure(rules, points, min(batch, points), spread, shapes, loud, chosen.seconds))
        tell(measure(*SELDOM, chosen.seconds, step=100.0))
    for rules in (count for count in (100, 1000, 10_000) if count <= chosen.largest):
        if chosen.only in (None, "check"):
            for how in ("template", "written"):
                tell(measure_check(rules, how))
        if chosen.only in (None, "publish"):
            tell(measure_publish(rules))
        if chosen.only in (None, "pause"):
            tell(measure_pause(rules))
    if chosen.only in (None, "shadow"):
        tell(measure_shadow(100, 1000, 1000, 4 * chosen.seconds))


if __name__ == "__main__":
    main()
