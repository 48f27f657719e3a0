"""What a replay costs: two sets of rules over one recorded past, for the first time and again with one of them changed.

Prints one JSON line a figure: readings of the log a second by CPU (what the machine would give were it ours: its other
work takes turns with ours) and by the clock (`wall`), in one process and in two; reading the log alone and the engine
alone over the same records, by which a busy machine can be told; and a replay of the published rules alone, whose
outcomes are compared with what was recorded. The log has 1 000 points that send in each of two partitions, a rule for
every ten points, and ticks once a second.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import typer

from rules.rule import Rule
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
from streams.replaying import Task
from streams.stretch import Stretch
from streams.tape_archive import folder_of
from streams.topics import OBSERVATIONS, OUTCOMES, SNAPSHOTS

PARTITIONS = 2
POINTS = 2000
RULES = POINTS // 10
KEEP = 1e9
BAR = 1e6


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
            mine = np.array([one.index for one in site.points if partition in registry.partitions_of(one.id)], "u4")
            values = [observation.encode(publication), observation.encode(Tick(time=START))]
            for second in range(readings // PARTITIONS // each):
                now = START + 1.0 + second
                at = np.arange(second * each, (second + 1) * each)
                # a point's readings of one second lie apart, as those of a fast sensor do
                stamp = now - 1.0 + (at - at[0] + 1) / (each + 1)
                value = 50 + 20 * np.sin(stamp / 13751 + at % len(mine)) + random.standard_normal(each)
                value += np.where(random.random(each) < 1e-5, 60.0, 0.0)  # some alarms
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


def trial(change: int) -> tuple[Rule, ...]:
    """Make the rules that are tried: fewer of them, other ones each time."""
    return rules(RULES - 10 * change, everywhere=False)


def measure(name: str, file: Path, tasks: list[Task], processes: int, keep: float) -> None:
    """Replay tasks and print what that gave: readings of the log a second."""
    begun = time.perf_counter()
    courses = replaying.replay(file, tasks, processes, keep=keep)
    took = time.perf_counter() - begun
    count = sum({one.partition: one.readings for one in courses}.values())
    cpu = sum(one.cpu for one in courses) / count * 1e6
    by_cpu = min(processes, PARTITIONS) / cpu * 1e6
    alarms = sum(len(one.transitions) for one in courses)
    say(
        f"{name}, {processes} processes", by_cpu, "readings/s of CPU", BAR if processes > 1 else None,
        wall=round(count / took), cpu_us=round(cpu, 3), transitions=alarms,
    )  # fmt: skip


def main(readings: int = 4_000_000) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        for each in (1000, 100):
            file = Path(folder) / f"{each}.sqlite"
            stretches = fill(file, readings if each == 1000 else readings // 4, each)
            count, cpu = reading(file, stretches)
            say(f"log and frames alone, {each} a frame", cpu / count * 1e6, "us CPU/reading")
            count, cpu = engine_alone(file, stretches[0])
            say(f"engine alone, {each} a frame", cpu / count * 1e6, "us CPU/reading")
            for processes in (1, 2):
                alone = [Task(where) for where in stretches]
                measure(f"published rules alone, {each} a frame", file, alone, processes, 0.0)
                for change, name in enumerate(("first", "repeated with a changed rule")):
                    other = replaying.pack(trial(change))
                    tasks = [Task(where, one) for where in stretches for one in (None, other)]
                    measure(f"two sets of rules, {name}, {each} a frame", file, tasks, processes, KEEP)
                shutil.rmtree(folder_of(file))


if __name__ == "__main__":
    typer.run(main)
