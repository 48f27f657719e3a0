"""Break what the product stands on, under load: it says so, keeps what it was given, and heals.

On one machine (`--on sqlite`): `clock on` and `clock back` set its clock by an hour, `slow disk` lets the disk take
writes only between stalls, `full disk` fills it, `broken disk` has it read-only as when its device fails, upon which
the run is ended, the disk mended and the run begun again. `poisoned snapshot` overwrites every record of the engine's
state in the log while the run is ended, `truncated journal` cuts half of its file off, which is then made again.

On servers (`--on kafka`): `postgresql` kills it and leaves it away, `kafka` kills every broker at once, `kafka hangs`
has them answer nothing, `partition` cuts the network between them and the product. With `--brokers 3` every record has
three copies, two of which acknowledge: `leader` kills the broker that leads the observations and leaves it away, and
`rolling` kills one broker after the other, each as soon as the last is back.

Meanwhile readings are published at QoS 1. After each fault one more must be taken; while it lasts, and then, what
`foreshock doctor` finds and what alarms of the system stand is noted. At the end every reading that was acknowledged is
in the log, alarms are those of an unbroken run over it, and every order was told once. Prints a JSON line for each
fault and one for the whole; exit code 1 on any loss, where the product does not heal or says nothing of what it must
say something of, 77 where this machine cannot break things for itself alone (it takes root).
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import sqlalchemy as sa
import typer

from alerts.queries import open_engine
from alerts.tables import alarms
from scripts.backing import Backing, Journalled, backing, log_of
from scripts.bench_pipeline import content
from scripts.drill_kill import Source, quiet, wait_for, whole
from scripts.drilled import FAILED, counted
from scripts.drills import NOTHING_TO_RUN_ON
from scripts.faulty import Clock, Disk, Unable, cut, go_inside
from scripts.ports import free_port
from scripts.product import Product
from scripts.units import Telephone
from sensors.site import SYSTEM
from streams import doctor, rebuilding
from streams.embedded.store import Log
from streams.settings import Settings
from streams.topics import OBSERVATIONS, SNAPSHOTS

PATIENCE = 120.0
"""Seconds after which what has not healed is taken for what never will."""

HOUR = 3600
MEGABYTES = 4000  # of which only what is written takes room on the true disk
SAID = ("full disk", "broken disk", "truncated journal", "postgresql", "kafka hangs", "partition")
"""Faults of which the product has to say something while they last."""


class Bed:
    """A product under load, and what was said of it."""

    def __init__(self, product: Product, source: Source) -> None:
        self.product, self.source = product, source
        self._known: set[str] = set()

    def flows(self) -> bool:
        """Wait until a reading published from now on is taken; tell whether one is."""
        first = len(self.source.acknowledged)
        begun = self.source.sent
        with contextlib.suppress(TimeoutError):
            wait_for(lambda: len(self.source.acknowledged) > first and self.source.sent > begun + 600, PATIENCE)
            wait_for(lambda: whole(self.product), PATIENCE)
            return True
        return False

    def unwell(self) -> list[str]:
        """Name what the doctor finds, besides what a drill's folder never has."""
        return sorted(one.what for one in doctor.examine(self.product.settings) if not one.well)

    def alarmed(self) -> list[str]:
        """Name what new alarms of the system are about."""
        engine = open_engine(self.product.settings.journal_url, readonly=True)
        try:
            with engine.connect() as connection:
                rows = connection.execute(sa.select(alarms.c.id, alarms.c.scope).where(alarms.c.area == SYSTEM)).all()
        except sa.exc.DBAPIError:
            return []
        finally:
            engine.dispose()
        fresh = sorted({scope for id, scope in rows if id not in self._known})
        self._known |= {id for id, _ in rows}
        return fresh

    def answers(self) -> bool:
        """Tell whether the console answers."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.product.settings.port}/health", timeout=5).status_code < 500
        return False


Fault = Callable[[Bed, float], Any]
"""Breaks something for some seconds and mends it; what `yield`s in between is when it stands broken."""


def here(disk: Disk, clock: Clock) -> dict[str, Callable[[Bed, float], Iterator[None]]]:
    """Name the faults of one machine."""

    def clocked(by: int) -> Callable[[Bed, float], Iterator[None]]:
        def fault(_: Bed, seconds: float) -> Iterator[None]:
            clock.set(by)
            time.sleep(seconds)
            yield

        return fault

    def slow(_: Bed, seconds: float) -> Iterator[None]:
        disk.slow(seconds)
        yield

    def full(_: Bed, seconds: float) -> Iterator[None]:
        with disk.full():
            time.sleep(seconds)
            yield

    def broken(bed: Bed, seconds: float) -> Iterator[None]:
        disk.fail()
        time.sleep(seconds)
        yield
        with stopped(bed):
            disk.mend()

    @contextlib.contextmanager
    def stopped(bed: Bed) -> Iterator[Settings]:
        before = bed.product
        before.__exit__()
        yield before.settings
        bed.product = Product(before.settings.data_folder, before.content, **_given(before))
        _clocked(bed.product, clock)
        bed.product.__enter__()

    def poisoned(bed: Bed, _: float) -> Iterator[None]:
        with stopped(bed) as found, Log(found.log_file) as log:
            keys = {key for _, key, _ in log.read(SNAPSHOTS, 0, 0)}
            log.write([(SNAPSHOTS, 0, key, b"poison" * 9) for key in keys])
        yield

    def truncated(bed: Bed, _: float) -> Iterator[None]:
        with stopped(bed) as found:
            assert found.journal_file is not None
            os.truncate(found.journal_file, found.journal_file.stat().st_size // 2)
            yield
            rebuilding.rebuild(found, time.time(), actor="drill")

    return {
        "clock on": clocked(HOUR),
        "clock back": clocked(0),
        "slow disk": slow,
        "full disk": full,
        "broken disk": broken,
        "poisoned snapshot": poisoned,
        "truncated journal": truncated,
    }


def there(on: Backing) -> dict[str, Callable[[Bed, float], Iterator[None]]]:
    """Name the faults of servers."""
    kafka, database = on.servers["kafka"], on.servers["postgresql"]

    def away(server: Any) -> Callable[[Bed, float], Iterator[None]]:
        def fault(_: Bed, seconds: float) -> Iterator[None]:
            server.kill()
            try:
                time.sleep(seconds)
                yield
            finally:
                server.start()

        return fault

    def hangs(_: Bed, seconds: float) -> Iterator[None]:
        for one in kafka.brokers:
            one.pause()
        try:
            time.sleep(seconds)
            yield
        finally:
            for one in kafka.brokers:
                one.resume()

    def parted(_: Bed, seconds: float) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for one in kafka.brokers:
                stack.enter_context(cut(one.port))
            time.sleep(seconds)
            yield

    def leader(bed: Bed, seconds: float) -> Iterator[None]:
        found = bed.product.settings.kafka
        assert found is not None
        yield from away(kafka.leader(found.name(OBSERVATIONS)))(bed, seconds)

    def rolling(_: Bed, seconds: float) -> Iterator[None]:
        for one in kafka.brokers:
            one.kill()
            one.start()
            time.sleep(seconds / len(kafka.brokers))
        yield

    faults = {"postgresql": away(database), "kafka": away(kafka), "kafka hangs": hangs, "partition": parted}
    return faults if len(kafka.brokers) < 2 else {"leader": leader, "rolling": rolling, **faults}


def _given(product: Product) -> dict[str, Any]:
    found = product.settings
    names = ("mqtt_port", "port", "synchronous", "webhook_url", "webhook_secret", "webhook_private")
    return {name: getattr(found, name) for name in names}


def _clocked(product: Product, clock: Clock) -> None:
    for child in product.supervisor.children:
        child.environment = {**child.environment, **clock.environment}


def drill(
    seconds: float, rate: float, only: str, root: Path, on: Backing, synchronous: str = "FULL"
) -> Iterator[dict[str, Any]]:
    """Run the drill; yield a line for each fault and one for the whole."""
    telephone = Telephone()
    given = {
        "mqtt_port": free_port(),
        "webhook_url": telephone.url,
        "webhook_secret": "drill",
        "webhook_private": True,
        "synchronous": synchronous,
        **on.given,
    }
    disk, clock = Disk(root / "disk", MEGABYTES), Clock(root)
    bed = None
    try:
        product = Product(disk.folder / "data", content(), **given)
        _clocked(product, clock)
        product.__enter__()
        bed = Bed(product, Source(given["mqtt_port"], rate))
        bed.flows()
        usual = set(bed.unwell())
        bed.alarmed()
        unhealed = unsaid = 0
        for name, fault in (there(on) if on.distributed else here(disk, clock)).items():
            if only and name not in only.split(","):
                continue
            broken = fault(bed, seconds)
            next(broken)
            console = bed.answers()
            found = sorted({*bed.unwell()} - usual)
            for _ in broken:
                pass
            begun = time.monotonic()
            healed = bed.flows()
            took = time.monotonic() - begun
            time.sleep(3.0)  # what was held back is told
            said = bed.alarmed()
            unhealed += not healed
            unsaid += name in SAID and not (found or said)
            yield {
                "drill": "faults",
                "fault": name,
                "seconds": seconds,
                "healed": healed,
                "healed_within": round(took, 2),
                "console_answers": console,
                "doctor": found,
                "alarms": said,
            }
        bed.source.stop()
        quiet(bed.product)
        owed = {*Journalled.of(bed.product.settings).told}
        with contextlib.suppress(TimeoutError):  # what is missing then is counted below
            wait_for(lambda: owed <= {*telephone.ids}, 60)
        bed.product.__exit__()
        found_settings, site = bed.product.settings, bed.product.content.site
        with log_of(found_settings) as log:
            line = counted(log, found_settings, site, bed.source.acknowledged, telephone, owed)
        bed = None
        where = "kafka" if on.distributed else "sqlite"
        yield {"drill": "faults", "fault": "all", "on": where, **line, "never_healed": unhealed, "unsaid": unsaid}
    finally:
        if bed is not None:
            bed.product.lose()
        telephone.close()
        disk.close()


def main(
    seconds: Annotated[float, typer.Option(help="For how long each fault stands.")] = 15.0,
    rate: Annotated[float, typer.Option(help="Readings a second.")] = 1000.0,
    on: Annotated[str, typer.Option(help="Where the log is: sqlite or kafka.")] = "sqlite",
    brokers: Annotated[int, typer.Option(help="Kafka's brokers: each keeps a copy of every record.")] = 1,
    synchronous: Annotated[str, typer.Option(help="FORESHOCK_SYNCHRONOUS: NORMAL bears no disk that breaks.")] = "FULL",
    only: Annotated[str, typer.Option(help="These faults alone, with commas.")] = "",
) -> None:
    """Run the drill and print what was counted."""
    try:
        go_inside()
    except Unable as unable:
        print(unable, file=sys.stderr)
        raise typer.Exit(NOTHING_TO_RUN_ON) from None
    last: dict[str, Any] = {}
    with (
        tempfile.TemporaryDirectory(prefix="foreshock-drill-") as name,
        backing(content().site, distributed=on == "kafka", copies=brokers) as under,
    ):
        for last in drill(seconds, rate, only, Path(name), under, synchronous):
            print(json.dumps(last), flush=True)
    if any(last[name] for name in (*FAILED, "never_healed", "unsaid")) or not last["acknowledged_to_publisher"]:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
