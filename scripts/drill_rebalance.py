"""Move partitions between several workers under load: nothing is lost, nobody sent twice, no clock stands for long.

Several runs of one site share Kafka, PostgreSQL and a subscription at Mosquitto. Readings are published at QoS 1 while

- `join`: one more run joins;
- `leave`: a run stops in order;
- `worker`: a worker alone is killed with -9, and its run starts it again;
- `machine`: a whole run is killed with -9, as by a loss of power, and never comes back;
- `zombie`: a worker is stopped until another has its partitions, and then goes on: what it still writes is refused;
- `notifier`: the run whose notifier tells people is killed with -9: another's goes on.

At the end every reading that was acknowledged must be in the log, also what Mosquitto kept for those who are gone; the
outcomes must be those of an unbroken run over it, each once and in order, and every order must have been heard at the
webhook. Prints a JSON line for each step, with the longest time that a partition was without a tick, and one for the
whole; exit code 1 on any loss, or where the runs never share all partitions again. How long that took says as much of
the machine as of the product: it fails the drill only where `--timely` asks for that.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from scripts.backing import Backing, Journalled, backing, folder_of, log_of
from scripts.bench_pipeline import content
from scripts.drill_kill import Source, logged, reading_of, wait_for, whole
from scripts.drill_network import Mosquitto
from scripts.drilled import FAILED, counted
from scripts.ports import free_port
from scripts.product import Product
from scripts.units import Telephone
from sensors import observation
from sensors.observation import FRAME, Tick
from streams.bundle import Bundle
from streams.readable import Reader
from streams.replay import entries
from streams.topics import GROUP, OBSERVATIONS

PARTITIONS = 6
RULES = 20
PATIENCE = 120.0
"""Seconds after which what has not come is taken for what never will."""

MOST_GAP = 5.0
"""Seconds that a partition may be without a tick, at most: `met` says whether it was so."""


class Runs:
    """The runs of a cluster. The first always runs: the drill asks it how things stand."""

    def __init__(self, root: Path, site: Bundle, on: Backing, given: dict[str, Any]) -> None:
        self._root, self._site, self._on, self._given = root, site, on, given
        self._count = 0
        self.alive: list[Product] = []

    def begin(self, processes: str = "worker,bridge,notifier") -> Product:
        """Begin one more run, and wait until all of it is ready."""
        one = Product(
            folder_of(self._root, self._count), self._site, processes=processes, **{**self._on.given, **self._given}
        )
        self._count += 1
        one.__enter__()
        self.alive.append(one)
        return one

    def end(self, one: Product) -> None:
        """Stop a run in order."""
        self.alive.remove(one)
        one.__exit__()

    def lose(self, one: Product) -> None:
        """Kill all of a run at once, supervisor and all."""
        self.alive.remove(one)
        one.lose()

    def partitions(self) -> list[int]:
        """List the partitions that workers say they have."""
        return sorted(number for one in self.alive for number in one.figures("worker").get("partitions", ()))

    def settled(self) -> bool:
        """Tell whether all run, and each partition is one's."""
        return all(whole(one) for one in self.alive) and self.partitions() == list(range(PARTITIONS))

    def holders(self) -> list[Product]:
        """List the runs that tell people."""
        return [one for one in self.alive if one.figures("notifier").get("holder")]


def ticks(log: Reader) -> dict[int, list[float]]:
    """List the times of each partition's ticks."""
    found: dict[int, list[float]] = {}
    for partition in range(log.topics()[OBSERVATIONS]):
        times = found[partition] = list[float]()
        for batch in entries(log, OBSERVATIONS, partition):
            for _, value in batch:
                if value[0] != FRAME and isinstance(what := observation.decode(value), Tick):
                    times.append(what.time)
    return found


def longest(found: dict[int, list[float]], begin: float, end: float) -> float:
    """Measure the longest time without a tick, of any partition, within a time and up to the first tick after it."""
    gaps = [0.0]
    for times in found.values():
        last = max((one for one in times if one <= begin), default=begin)
        for one in times:
            if one > begin:
                gaps.append(one - last)
                last = one
            if one > end:
                break
    return max(gaps)


def steps(runs: Runs, chance: random.Random) -> dict[str, Callable[[], None]]:
    """Name what is done to the runs."""

    def pid(one: Product, name: str) -> int:
        return one.pids()[name]

    def worker() -> None:
        one = chance.choice(runs.alive)
        before = pid(one, "worker")
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: one.pids().get("worker", before) != before and whole(one), PATIENCE)

    def zombie() -> None:
        one = chance.choice(runs.alive)
        stopped = pid(one, "worker")
        mine = set(one.figures("worker").get("partitions", ()))
        others = [other for other in runs.alive if other is not one]

        def taken() -> bool:
            return mine <= {number for other in others for number in other.figures("worker").get("partitions", ())}

        os.kill(stopped, signal.SIGSTOP)
        try:
            wait_for(taken, PATIENCE)
        finally:
            os.kill(stopped, signal.SIGCONT)

    def notifier() -> None:
        wait_for(lambda: len(runs.holders()) == 1, PATIENCE)
        runs.lose(runs.holders()[0])
        wait_for(lambda: len(runs.holders()) == 1, PATIENCE)

    def machine() -> None:
        runs.lose(chance.choice(runs.alive))

    return {
        "join": lambda: void(runs.begin()),
        "worker": worker,
        "zombie": zombie,
        "notifier": notifier,
        "machine": machine,
        "leave": lambda: runs.end(chance.choice(runs.alive)),
    }


def void(_: object) -> None:
    """Return nothing."""


def drill(
    times: int, names: tuple[str, ...], rate: float, seed: int, root: Path, on: Backing, advance: Callable[[], Any]
) -> list[dict[str, Any]]:
    """Run the drill; give a line for each step and one for the whole."""
    site = content(PARTITIONS, RULES)
    port = free_port()
    mosquitto = Mosquitto(root / "mosquitto", port)
    telephone = Telephone()
    given = {
        "mqtt_host": "127.0.0.1",
        "mqtt_port": port,
        "mqtt_share": "drill",
        "webhook_url": telephone.url,
        "webhook_secret": "drill",
        "webhook_private": True,
    }
    runs = Runs(root, site, on, given)
    spans: list[tuple[str, float, float, float]] = []
    try:
        for _ in range(2):
            runs.begin()
        wait_for(runs.settled, PATIENCE)
        source = Source(port, rate)
        available = steps(runs, random.Random(seed))
        for name in names * times:
            while name in ("zombie", "leave", "machine", "notifier") and len(runs.alive) < 2:
                runs.begin()
                wait_for(runs.settled, PATIENCE)
            time.sleep(2.0)
            begun, clock = time.time(), time.monotonic()
            available[name]()
            wait_for(runs.settled, PATIENCE)
            spans.append((name, begun, time.time(), time.monotonic() - clock))
            advance()
        time.sleep(2.0)
        source.stop()
        published = {reading_of(message) for message in source.acknowledged}
        names_of = {point.index: point.id for point in site.site.points}

        def kept() -> bool:
            with log_of(runs.alive[0].settings) as log:
                return published <= logged(log, names_of).keys()

        with contextlib.suppress(TimeoutError):  # what the broker kept for those who are gone comes by others
            wait_for(kept, PATIENCE, 2.0)
        found = runs.alive[0].settings
        with log_of(found) as log:
            places = range(log.topics()[OBSERVATIONS])

            def taken() -> bool:
                ends = {p: log.end(OBSERVATIONS, p) for p in places}
                return all((log.committed(GROUP, OBSERVATIONS, p) or 0) >= ends[p] - 2 for p in places)

            with contextlib.suppress(TimeoutError):  # what is missing then is counted below
                wait_for(taken, PATIENCE)
            owed = {*Journalled.of(found).told}  # what is told from here on, the end of the drill may cut off
            with contextlib.suppress(TimeoutError):
                wait_for(lambda: owed <= {*telephone.ids}, 30)
        gaps = sum(one.figures("worker").get("gaps", 0) for one in runs.alive)
        for one in [*runs.alive]:
            runs.end(one)
        with log_of(found) as log:
            return told(log, found, source, telephone, owed, spans, gaps, site)
    finally:
        for one in [*runs.alive]:
            runs.lose(one)
        mosquitto.stop()
        telephone.close()


def told(
    log: Reader,
    found: Any,
    source: Source,
    telephone: Telephone,
    owed: set[str],
    spans: list[tuple[str, float, float, float]],
    gaps: int,
    site: Bundle,
) -> list[dict[str, Any]]:
    """Tell of each step, and of the whole."""
    heard = ticks(log)
    lines: list[dict[str, Any]] = []
    for name, begin, end, took in spans:
        gap = longest(heard, begin, end)
        lines.append({"drill": "rebalance", "step": name, "settled_within": round(took, 2), "tick_gap": round(gap, 2)})
        lines[-1]["met"] = gap <= MOST_GAP
    whole = counted(log, found, site.site, source.acknowledged, telephone, owed)
    lines.append({"drill": "rebalance", "step": "all", "steps": len(spans), **whole, "read_again": gaps})
    return lines


def main(
    times: Annotated[int, typer.Option(help="How often each step is taken.")] = 3,
    steps: Annotated[str, typer.Option(help="Which, in order.")] = "join,worker,zombie,notifier,machine,leave",
    rate: Annotated[float, typer.Option(help="Readings a second.")] = 1000.0,
    seed: Annotated[int, typer.Option(help="Which runs are hit.")] = 1,
    session: Annotated[float, typer.Option(help="FORESHOCK_KAFKA_SESSION_SECONDS of the runs.")] = 2.0,
    standby: Annotated[bool, typer.Option("--standby", help="FORESHOCK_KAFKA_STANDBY of the runs.")] = False,
    timely: Annotated[bool, typer.Option("--timely", help="Fail where a tick was long in coming.")] = False,
) -> None:
    """Run the drill and print what was counted."""
    names = tuple(steps.split(","))
    site = content(PARTITIONS, RULES).site
    more = {"cluster": True, "cluster_key": "0" * 64, "mqtt_host": "127.0.0.1", "kafka_session_seconds": session}
    more["kafka_standby"] = standby
    with tempfile.TemporaryDirectory() as name, Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("moving", total=times * len(names))
        with backing(site, distributed=True, **more) as on:
            lines = drill(times, names, rate, seed, Path(name), on, lambda: progress.advance(task, 1))
    for one in lines:
        print(json.dumps(one))
    late = timely and not all(one["met"] for one in lines[:-1])
    if late or any(lines[-1][name] for name in FAILED):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
