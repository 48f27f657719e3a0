"""What the engine costs: models and rules on, by batch size, against the bank alone; by kind; and its state a point.

Prints one JSON line a figure. CPU microseconds a reading of this process, best of several passes; ratios in one run.
"""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import numpy as np
import typer

from models.bank import Bank
from rules.rule import Rule
from scripts.load import bench_site
from sensors import frame, observation
from sensors.observation import Publication, Tick
from streams import bundle
from streams.bundle import Bundle
from streams.engine import Engine

START = 1_767_225_600.0
POINTS = 1000


def rules(count: int, *, everywhere: bool) -> tuple[Rule, ...]:
    """Make rules of three levels with their own thresholds, each over its own ten points or over all of them."""
    rationale = {
        "cause": "bench",
        "consequence": "bench",
        "response": "bench",
        "time_to_respond": "10 min",
        "owner": "bench",
        "review": "2030-01-01",
    }
    made = []
    for k in range(count):
        where = {} if everywhere else {"points": [f"p{k * 10 + i}" for i in range(10)]}
        made.append(
            {
                "id": f"bench-{k}",
                "title": {"zh": "测试", "en": "bench"},
                "where": {"quantity": "level", **where},
                "levels": {
                    "yellow": {"when": f"value > {80 + k / 10} and score > 0.9", "clear": f"value < {75 + k / 10}"},
                    "orange": {"when": f"value > {90 + k / 10}", "clear": f"value < {80 + k / 10}", "for": "30 s"},
                    "red": {"when": f"mean('5 min') > {95 + k / 10}"},
                },
                "rationale": rationale,
            }
        )
    return msgspec.convert(made, tuple[Rule, ...])


def records(batches: int, size: int, kind: str = "gauge") -> list[bytes]:
    """Make frames of `size` readings over the points in turn: a daily swing and noise, or what else a `kind` sends."""
    random = np.random.default_rng(1)
    point = np.arange(batches * size) % POINTS
    turn = np.arange(batches * size) // POINTS
    at = START + turn * 10.0 + (point % 10) * 0.1
    if kind == "irregular":
        at += random.random(len(at)) * 9.0
    noise = random.standard_normal(len(point))
    value: Any = 50 + 20 * np.sin(at / 13751 + point) + noise
    if kind == "counter":
        value = 10.0 * turn + np.abs(noise)
    elif kind == "angle":
        value = (6.0 * value) % 360.0
    elif kind == "switch":
        value = (turn + point) % 2.0
    elif kind == "state":
        value = np.minimum(np.floor(np.abs(noise) * 2.0), 4.0)
    quality = np.zeros(len(point), "u1")
    made = []
    for k in range(batches):
        mine = slice(k * size, (k + 1) * size)
        received = float(at[mine][-1])
        made.append(
            frame.encode(
                point[mine].astype("u4"), at[mine], value[mine], quality[mine], registry="bench", received=received
            )
        )
    return made


def engine_with(rule_set: tuple[Rule, ...], kind: str = "gauge") -> Engine:
    """Make an engine with a site of a thousand points of a kind in force."""
    engine = Engine(0)
    site = bench_site(POINTS, partitions=1)
    if kind not in ("gauge", "irregular"):
        site = msgspec.structs.replace(
            site, points=type(site.points)(msgspec.structs.replace(point, kind=kind) for point in site.points)
        )
    packed = bundle.pack(Bundle(site=site, rules=rule_set))
    published = Publication(version="bench", bundle=packed, author="bench", reason="bench", time=START)
    engine.apply([(0, observation.encode(published)), (1, observation.encode(Tick(time=START)))])
    return engine


def measure(engine: Engine, size: int, seconds: float, kind: str = "gauge") -> float:
    """Return CPU microseconds a reading, a record a batch: the best third of the passes."""
    batches = records(max(30, int(seconds * 400_000 / size)), size, kind)
    offset = engine.offset + 1
    costs = []
    part = max(1, len(batches) // 15)
    for start in range(0, len(batches), part):
        begun = time.process_time()
        for one in batches[start : start + part]:
            engine.apply([(offset, one)])
            offset += 1
        costs.append((time.process_time() - begun) / (min(part, len(batches) - start) * size) * 1e6)
    costs = sorted(costs[len(costs) // 4 :])  # the first passes still learn
    return sum(costs[: max(1, len(costs) // 3)]) / max(1, len(costs) // 3)


def bank_alone(size: int, passes: int = 400) -> float:
    """Return CPU microseconds a reading of the models alone."""
    bank = Bank()
    bank.grow(POINTS)
    for row in range(POINTS):
        bank.configure(row, interval=10.0)
    random = np.random.default_rng(1)
    rows = np.arange(min(size, POINTS))
    values = 50 + random.standard_normal((passes, len(rows)))
    begun = 0.0
    for k in range(passes):
        if k == passes // 2:
            begun = time.process_time()
        bank.update(rows, np.full(len(rows), START + 10.0 * k), values[k])
    return (time.process_time() - begun) / ((passes - passes // 2) * len(rows)) * 1e6


def say(name: str, value: float, unit: str, bar: float | None = None, **more: object) -> None:
    """Print one figure."""
    line = {"bench": "engine", "figure": name, "value": round(value, 3), "unit": unit, "bar": bar, **more}
    if bar is not None:
        line["met"] = value <= bar
    print(json.dumps(line), flush=True)


def main(seconds: float = 3.0) -> None:
    """Print the engine's figures."""
    alone = bank_alone(1000)
    say("bank alone, 1000 a batch", alone, "us/reading")
    full = 0.0
    for size in (1, 10, 100, 1000, 5000):
        cost = measure(engine_with(rules(100, everywhere=False)), size, seconds if size >= 100 else seconds / 60)
        if size == 1000:
            full = cost
        bar = 1.5 if size == 1000 else None
        say(f"100 rules of 10 points each, {size} a batch", cost, "us/reading", bar)
    bare = measure(engine_with(()), 1000, seconds)
    say("no rules, 1000 a batch", bare, "us/reading", ratio=round(full / bare, 2))
    say(
        "100 rules of 1000 points each, 1000 a batch",
        measure(engine_with(rules(100, everywhere=True)), 1000, seconds),
        "us/reading",
    )
    for kind in ("counter", "angle", "switch", "state", "irregular"):
        cost = measure(engine_with((), kind), 1000, seconds / 3, kind)
        say(f"no rules, 1000 a batch, {kind}", cost, "us/reading", ratio=round(cost / bare, 2))
    engine = engine_with(rules(100, everywhere=False))
    measure(engine, 1000, 1.0)
    assert engine.evaluator is not None
    state = (engine.bank.row_bytes * POINTS + engine.evaluator.nbytes) / POINTS + 16
    say("state a point, models and rules", state, "bytes", 2048)
    say("snapshot a point", len(engine.snapshot()) / POINTS, "bytes")


if __name__ == "__main__":
    typer.run(main)
