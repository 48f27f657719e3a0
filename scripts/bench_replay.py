"""What a replay costs: reading the log alone, and the whole of it, in one process and in as many as there are cores.

Prints one JSON line a figure: readings a second by the clock, and CPU microseconds a reading of all processes, best of
several passes; and the engine alone over the same records, by which a busy machine can be told. The log has 1 000
points that send in each of two partitions, a rule for every ten points, and ticks once a second.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import typer

from scripts.bench_engine import START, rules
from scripts.load import bench_site
from sensors import frame, observation
from sensors.lookup import Registry
from sensors.observation import Publication, Tick
from streams import bundle, replaying
from streams.bundle import Bundle
from streams.embedded.store import Log, TopicSpec
from streams.engine import Engine
from streams.replay import entries
from streams.replaying import Task, cores
from streams.stretch import Stretch
from streams.topics import OBSERVATIONS, OUTCOMES, SNAPSHOTS

PARTITIONS = 2
POINTS = 5000
EACH = 1000  # points of each partition that send
RULES = POINTS // 10
PASSES = 3


def fill(file: Path, readings: int, each: int) -> list[Stretch]:
    """Write a log of so many readings, `each` to a frame and a frame a second in every partition."""
    site = bench_site(POINTS, partitions=PARTITIONS)
    content = Bundle(site=site, rules=rules(RULES, everywhere=False))
    publication = Publication(version="bench", bundle=bundle.pack(content), author="b", reason="b", time=START)
    registry = Registry(site)
    random = np.random.default_rng(1)
    specs = {OBSERVATIONS: TopicSpec(partitions=PARTITIONS), OUTCOMES: TopicSpec(partitions=PARTITIONS)}
    stretches = []
    with Log(file, {**specs, SNAPSHOTS: TopicSpec(partitions=PARTITIONS, compact=True)}) as log:
        for partition in range(PARTITIONS):
            mine = np.array([one.index for one in site.points if partition in registry.partitions_of(one.id)], "u4")[
                :EACH
            ]
            values = [observation.encode(publication), observation.encode(Tick(time=START))]
            for second in range(readings // PARTITIONS // each):
                now = START + 1.0 + second
                at = np.arange(second * each, (second + 1) * each)
                # a point's readings of one second lie apart, as those of a fast sensor do
                stamp = now - 1.0 + (at - at[0] + 1) / (each + 1)
                value = 50 + 20 * np.sin(stamp / 13751 + at % len(mine)) + random.standard_normal(each)
                quality = np.zeros(each, "u1")
                point = mine[at % len(mine)]
                values.append(frame.encode(point, stamp, value, quality, registry="bench", received=now))
                values.append(observation.encode(Tick(time=now + 0.5)))
            for start in range(0, len(values), 500):
                log.write([(OBSERVATIONS, partition, None, value) for value in values[start : start + 500]])
            stretches.append(Stretch(partition, 0, log.end(OBSERVATIONS, partition)))
    return stretches


def reading(file: Path, stretches: list[Stretch]) -> tuple[int, float]:
    """Read and decode the log, no more; return readings and CPU seconds."""
    begun, count = time.process_time(), 0
    with Log.open_readonly(file) as log:
        for where in stretches:
            for batch in entries(log, OBSERVATIONS, where.partition, where.stop):
                for _, value in batch:
                    count += len(frame.decode(value)) if value[0] == observation.FRAME else 0
    return count, time.process_time() - begun


def engine_alone(file: Path, where: Stretch) -> tuple[int, float]:
    """Apply one partition's records, read before, and the publication too; return readings and CPU seconds."""
    with Log.open_readonly(file) as log:
        records = list(entries(log, OBSERVATIONS, where.partition, where.stop))
    engine = Engine(where.partition)
    begun = time.process_time()
    count = sum(engine.apply(batch).readings for batch in records)
    return count, time.process_time() - begun


def say(name: str, value: float, unit: str, bar: float | None = None, **more: object) -> None:
    """Print one figure."""
    line = {"bench": "replay", "figure": name, "value": round(value, 3), "unit": unit, "bar": bar, **more}
    if bar is not None:
        line["met"] = value >= bar
    print(json.dumps(line), flush=True)


def main(readings: int = 2_000_000) -> None:
    """Print the figures."""
    trial = replaying.pack(rules(RULES, everywhere=False))
    with tempfile.TemporaryDirectory() as folder:
        for each in (1000, 100):
            file = Path(folder) / f"{each}.sqlite"
            stretches = fill(file, readings if each == 1000 else readings // 8, each)
            count, cpu = min((reading(file, stretches) for _ in range(PASSES)), key=lambda one: one[1])
            say(f"log and frames alone, {each} a frame", cpu / count * 1e6, "us CPU/reading")
            count, cpu = min((engine_alone(file, stretches[0]) for _ in range(PASSES)), key=lambda one: one[1])
            say(f"engine alone, {each} a frame", cpu / count * 1e6, "us CPU/reading")
            for processes in (1, cores()):
                for name, tasks in (
                    ("as published", [Task(where) for where in stretches]),
                    ("on trial", [Task(where, trial) for where in stretches]),
                ):
                    _measure(f"{name}, {each} a frame", file, tasks, processes, each == 1000 and name == "as published")


def _measure(name: str, file: Path, tasks: list[Task], processes: int, judged: bool) -> None:
    best: tuple[float, float, int] | None = None
    for _ in range(PASSES):
        begun = time.perf_counter()
        courses = replaying.replay(file, tasks, processes)
        took = time.perf_counter() - begun
        assert all(one.difference is None or not one.difference.missing for one in courses)
        found = sum(one.readings for one in courses), sum(one.cpu for one in courses)
        if best is None or took < best[0]:
            best = took, found[1], found[0]
    assert best is not None
    took, cpu, count = best
    bar = 1e6 if judged and processes >= 2 else None
    # what the machine would give were it ours: its other work takes turns with ours
    cost = cpu / count * 1e6
    say(f"{name}, {processes} processes", count / took, "readings/s", bar, cpu_us=round(cost, 3),
        by_cpu=round(min(processes, len(tasks)) / cost * 1e6))  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
