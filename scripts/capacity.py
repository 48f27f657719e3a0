"""How much of everything a site needs: machines, partitions, disk and network, from what was measured.

python -m scripts.capacity                                   a district, a city, a province, 30 million readings/s
python -m scripts.capacity --readings 20000 --points 50000   one of your own

`docs/capacity.md` says where each figure comes from. What the model assumes of waiting and of uneven partitions is
tried by `scripts/capacity_trial.py`.
"""

from __future__ import annotations

import json
import math
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

BATCH = 1.5e-3
"""Seconds of CPU, of all processes, that one batch of one partition costs whatever is in it."""

SINGLE, FRAMED = 5.5e-6, 3.4e-6
"""Seconds of CPU a reading, of all processes, beside that: one a message, and in frames of a thousand. Of slow days; a
worker alone takes less, so that one is planned for fewer readings than it could take.
"""

MEASURED = (
    (2_000.0, 1.0, 131e-6, 131e-6),
    (20_000.0, 1.0, 14e-6, 14e-6),
    (60_000.0, 1.0, 6.7e-6, 7.6e-6),
    (60_000.0, 0.0, 4.7e-6, 6.2e-6),
    (200_000.0, 0.0, 3.4e-6, 3.7e-6),
    (470_000.0, 0.0, 2.4e-6, 2.7e-6),
)
"""Readings a second of one partition, share of them one a message, seconds of CPU a reading of all processes: from and
to, as docs/performance.md has them of slow days. What the three figures above were drawn from."""

BRIDGE = 2.5e-6
"""Of SINGLE, what the bridge takes, which is one process."""

KAFKA = 1.1
"""By how much more a worker costs on Kafka: 0.98 to 1.02 by `scripts/bench_kafka.py` with the engine, and a reserve."""

FLOOR, CEILING, MANY = 0.006, 0.025, 20_000.0
"""Seconds between two batches of a partition: as a rule, and from so many readings a second on."""

POINT, SNAPSHOT = 1398.0, 1755.0
"""Bytes of state a point, in memory and in a snapshot; a snapshot is written every thirty seconds, compacted later."""

LOGGED, SCORED, ARCHIVED = 21.1, 25.7, 6.7
"""Bytes a reading: in the log, its score there, and in the archive."""

PROCESSES = 560e6
"""Bytes of memory of a run's processes beside the points."""

MESSAGE, IN_FRAME = 160.0, 25.0
"""Bytes a reading on the way in: a message of its own with topic and TCP, and in a gateway's frame. Assumed."""

BROKER = 100e6
"""Bytes a second that one Kafka broker is given to write, at half of what a common disk takes. Assumed."""

BUSY = 0.6
"""Share of a core, and of a machine, that is planned to be busy: what is left takes floods and lost machines."""

SKEW = 1.5
"""By how much the busiest worker has more than the mean: groups fall to partitions by chance."""

LEFT = 0.75
"""Of a worker's core, when one machine is lost: what was missed is worked off beside what comes."""

AWAY = 10.0
"""Seconds until others have the partitions of a lost machine, as `scripts/drill_rebalance.py` allows."""

SPREAD = 4
"""Partitions a worker, so that those of a lost one can be divided among the others."""

SCORED_DAYS = 1.0
"""Days that the log keeps scores, whatever else it keeps; `streams/topics_held.py` has it so."""

DAY = 86400.0


class Site(NamedTuple):
    """What is to be carried. Readings a second; `single` is the share that comes one a message; days are of keeping."""

    name: str
    points: float
    readings: float
    single: float
    groups: int
    log_days: float = 30.0
    archive_days: float = 365.0
    replicas: int = 3
    clustered: bool = True
    cores: int = 8


class Needs(NamedTuple):
    """What that takes. Bytes, bytes a second, seconds, cores."""

    partitions: int
    workers: int
    bridges: int
    cpu: float
    machines: int
    memory: float
    wait: float
    brokers: int
    log: float
    archive: float
    network_in: float
    network_log: float
    recover: float


SITES = (
    Site("district", 10_000, 5_000, 1.0, 10, clustered=False),
    Site("city", 100_000, 60_000, 0.5, 100),
    Site("province", 2_000_000, 1_000_000, 0.1, 2_000),
    Site("30 M readings/s", 30_000_000, 30_000_000, 0.0, 30_000),
)


def pause(readings: float) -> float:
    """Return the seconds between two batches of a partition that so many readings a second come to."""
    return CEILING if readings > MANY else max(FLOOR, 1 / readings if readings else math.inf)


def cpu(readings: float, single: float, partitions: int = 1) -> float:
    """Return the cores that all processes take together."""
    return partitions * BATCH / pause(readings / partitions) + readings * each(single)


def each(single: float) -> float:
    """Return the seconds of CPU of a reading beside its batch."""
    return single * SINGLE + (1 - single) * FRAMED


def wait(readings: float, single: float, partitions: int) -> float:
    """Return within how many seconds 99 of 100 readings are worked on by one worker of so many partitions.

    A worker that goes round takes what has piled up: a round lasts as long as what came in the last one needs.
    """
    free = 1 - readings * each(single)
    if free <= 0:
        return math.inf
    return 2 * max(pause(readings / partitions), partitions * BATCH / free)


class _Layout(NamedTuple):
    """How a site is laid out: cores that are busy, and the load of a worker's core when a machine is lost."""

    workers: int
    partitions: int
    busy: float
    machines: int
    left: float


def _laid_out(site: Site, dearer: float) -> _Layout:
    """Choose as few workers as do, with one machine lost, too."""
    load = site.readings * each(site.single) * dearer * SKEW
    workers = max(2, math.ceil(load / BUSY))
    while True:
        partitions = min(site.groups, SPREAD * workers)
        busy = cpu(site.readings, site.single, partitions) * dearer
        machines = max(2, math.ceil(busy / (BUSY * site.cores))) + 1
        workers = max(workers, machines)
        left = load / (workers - math.ceil(workers / machines))
        if left <= LEFT:
            partitions = min(site.groups, SPREAD * workers)
            return _Layout(workers, partitions, cpu(site.readings, site.single, partitions) * dearer, machines, left)
        workers = max(workers + 1, int(workers * 1.02))


def needs(site: Site) -> Needs:
    """Work out what a site takes."""
    alone = not site.clustered and site.readings * each(site.single) <= BUSY
    if alone:
        busy = cpu(site.readings, site.single)
        laid = _Layout(1, 1, busy, math.ceil(busy / (BUSY * site.cores)), 1.0)
    else:
        laid = _laid_out(site, KAFKA)
    replicas = 1 if alone else site.replicas
    written = site.readings * (LOGGED + SCORED) + site.points * SNAPSHOT / 30
    read = site.readings * (LOGGED * 2 + SCORED)  # worker and archiver; the consoles
    share = site.readings / laid.workers * (1.0 if alone else SKEW * KAFKA)
    return Needs(
        partitions=laid.partitions,
        workers=laid.workers,
        bridges=max(1, math.ceil(site.readings * site.single * BRIDGE / BUSY)),
        cpu=laid.busy,
        machines=laid.machines,
        memory=site.points * POINT + laid.workers * PROCESSES,
        wait=wait(share, site.single, math.ceil(laid.partitions / laid.workers)),
        brokers=0 if alone else max(3, math.ceil(written * replicas / BROKER)),
        log=site.readings * (LOGGED * site.log_days + SCORED * SCORED_DAYS) * DAY * replicas,
        archive=site.readings * ARCHIVED * DAY * site.archive_days,
        network_in=site.readings * (site.single * MESSAGE + (1 - site.single) * IN_FRAME),
        network_log=0.0 if alone else written * replicas + read,
        recover=0.0 if alone else drain(laid.left, AWAY),
    )


def drain(load: float, away: float) -> float:
    """Return how many seconds after a stop of so many the backlog is worked off, at a load of one core of `load`."""
    return math.inf if load >= 1 else away * load / (1 - load)


def capacity(
    readings: Annotated[float, typer.Option(min=0, help="Readings a second of a site of your own; 0: the four.")] = 0,
    points: Annotated[float, typer.Option(min=0, help="Its points.", show_default="twice the readings")] = 0,
    single: Annotated[float, typer.Option(min=0, max=1, help="Share that comes one a message.")] = 1.0,
    groups: Annotated[int, typer.Option(min=1, help="Its groups of areas.")] = 10,
    clustered: Annotated[
        bool, typer.Option(help="Several machines, of which one may be lost, even if one would do.")
    ] = False,
    log_days: Annotated[float, typer.Option(min=0, help="Days that the log is kept.")] = 30.0,
    archive_days: Annotated[float, typer.Option(min=0, help="Days that the archive is kept.")] = 365.0,
    cores: Annotated[int, typer.Option(min=1, help="Cores of a machine.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Say what a site takes."""
    own = Site(
        "yours",
        points or 2 * readings,
        readings,
        single,
        groups,
        log_days,
        archive_days,
        cores=cores,
        clustered=clustered,
    )
    sites = [own] if readings else [site._replace(cores=cores) for site in SITES]
    if as_json:
        print(json.dumps([{**site._asdict(), **needs(site)._asdict()} for site in sites]))
        return
    table = Table("", *(site.name for site in sites))
    for name, written in ROWS.items():
        table.add_row(name, *(written(site, needs(site)) for site in sites))
    Console(width=160).print(table)


ROWS = {
    "readings/s": lambda site, _: f"{site.readings:,.0f}",
    "points": lambda site, _: f"{site.points:,.0f}",
    "log": lambda _, need: f"Kafka, {need.brokers} brokers" if need.brokers else "embedded",
    "partitions": lambda _, need: f"{need.partitions:,}",
    "workers, bridges": lambda _, need: f"{need.workers:,}, {need.bridges:,}",
    "busy cores": lambda _, need: f"{need.cpu:.1f}",
    "machines": lambda site, need: f"{need.machines:,} of {site.cores} cores",
    "memory, together": lambda _, need: size(need.memory),
    "worked on within (99 of 100)": lambda _, need: f"{need.wait * 1000:.0f} ms",
    "caught up after a lost machine": lambda _, need: f"{need.recover:.0f} s" if need.brokers else "its restart",
    "log, all copies": lambda _, need: size(need.log),
    "archive": lambda _, need: size(need.archive),
    "network in": lambda _, need: f"{size(need.network_in)}/s",
    "network of the log": lambda _, need: f"{size(need.network_log)}/s",
}


def size(count: float) -> str:
    """Write bytes as people do."""
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if count < 999.5 or unit == "PB":
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


if __name__ == "__main__":
    typer.run(capacity)
