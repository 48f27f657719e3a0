"""A site on the way from a file to Kafka and PostgreSQL, and back: nothing is lost, repeated or closed on the way."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import Result
from typer.testing import CliRunner

from alerts.console.accounts import audit_break, list_audit, open_accounts, record_audit
from alerts.notifiers.deliveries import Deliveries
from alerts.notifiers.replies import Replies
from alerts.queries import Reader
from alerts.tables import dispatch_changes
from scripts import cli
from sensors.observation import Silence
from sensors.plan_checks import versioned
from sensors.site import Plan, PlanStep
from streams import bundle, logs, publication, settings
from streams.bundle import Bundle
from streams.embedded import settled
from streams.embedded.reader import LogReader
from streams.history import columns
from streams.journalled import journalled
from streams.kafka.filling import KafkaFilling
from streams.migration.moving import Move
from streams.migration.state import Kept
from streams.migration.tables import Store
from streams.replay import compare, entries, replay_partition
from streams.settings import Settings
from streams.stretch import Stretch
from streams.topics import GROUP, OBSERVATIONS, SCORES
from streams.worker import Worker
from tests.streams.small_site import NAME, START, command, frame_of, partition_of_area, record, rules, site, tick
from tests.waiting import reached

pytestmark = pytest.mark.server

PLAN = versioned(Plan(id="p", name=NAME, types=("slope",), steps=(PlanStep(id="look", text=NAME),)))
CONTENT = Bundle(site=msgspec.structs.replace(site(partitions=2), plans=(PLAN,)), rules=rules())

Life = Callable[["Living"], Awaitable[None]]


class Living:
    """A worker at work on a log and a journal, wherever they are, at a time that stands still."""

    def __init__(self, found: Settings, now: float) -> None:
        self.now = now
        self.worker = Worker(found, publication.read(found.data_folder), CONTENT.site.partitions, clock=lambda: now)
        self.journal = Reader(found.journal_url)

    async def see(self, area: str, *values: bytes) -> None:
        """Write observations of an area, and wait until the engine has taken them."""
        partition = partition_of_area(CONTENT.site, area)
        offsets = await self.worker.app.produce_many([(OBSERVATIONS, partition, None, value) for value in values])
        await reached(lambda: self.worker.stations[partition].engine.offset >= offsets[-1], 40, "all to be taken")

    async def open_alarm(self, scope: str) -> dict[str, Any]:
        """Wait for the journal to have an alarm of a point."""

        def found() -> dict[str, Any] | None:
            listed = self.journal.alarms("open", limit=100).items
            return next((one for one in listed if one["scope"] == scope and one["rule"] == "creep"), None)

        alarm = await reached(found, 40, f"an alarm of {scope}")
        assert alarm is not None
        return alarm


def live(found: Settings, now: float, life: Life) -> None:
    """Run a worker for as long as a life takes."""
    data = found.data_folder
    (data / "run").mkdir(parents=True, exist_ok=True)
    if not (data / publication.FILE).exists():
        publication.write(data, bundle.pack(CONTENT))
        publication.write_indices(data, {point.id: point.index for point in CONTENT.site.points})

    async def main() -> None:
        living = Living(found, now)
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(living.worker.run(stop.wait(), ready.set))
        async with asyncio.timeout(60):
            await ready.wait()
        await life(living)
        living.journal.close()
        stop.set()
        async with asyncio.timeout(30):
            await task

    asyncio.run(main())


async def first(site: Living) -> None:
    """An alarm that sends somebody out, one that is shelved, a silence over a third."""
    now = site.now
    await site.see("a0", frame_of([(0, now - 5, 25.0)], now), tick(now))
    for ago in (70, 40, 1):
        await site.see("a1", frame_of([(1, now - ago, 12.0)], now - ago))
    quiet = Silence(id="s1", until=now + 3600, actor="user:an", reason="works", time=now, areas=("a2",), level="orange")
    await site.see("a2", record(quiet), frame_of([(2, now - 3, 25.0)], now), tick(now))
    alarm = await site.open_alarm("p1")
    await site.see("a1", command("shelve", alarm["id"], "a1", now, "c1", seconds=7200.0, reason="works"))
    sent = await site.open_alarm("p0")
    incident = site.journal.incident(sent["incident"])
    assert incident is not None and incident["plan"]["id"] == "p", "its plan is pinned"
    assert [one["leg"] for one in incident["dispatch_details"]] == ["issued"]


async def second(site: Living) -> None:
    """The time to accept the order is over; somebody accepts it then."""
    now = site.now
    await site.see("a0", tick(now), frame_of([(0, now - 1, 26.0)], now))
    sent = await site.open_alarm("p0")
    order = site.journal.incident(sent["incident"])["dispatch_details"][0]  # type: ignore[index]
    await site.see("a0", command("accept", order["id"], "a0", now, "c2"), tick(now + 1))
    await site.see("a1", frame_of([(1, now - 1, 13.0)], now), tick(now + 1))


async def third(site: Living) -> None:
    """The shelf and the silence are over; another alarm comes."""
    now = site.now
    await site.see("a0", tick(now), frame_of([(3, now - 1, 27.0)], now), tick(now + 1))
    await site.see("a1", tick(now), frame_of([(1, now - 1, 12.5)], now), tick(now + 1))
    await site.open_alarm("p3")


def database(postgresql: str) -> str:
    """Make a database of its own on the tests' server."""
    name = f"m{uuid4().hex[:8]}"
    engine = sa.create_engine(postgresql, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return postgresql.replace("/postgres?", f"/{name}?")


@pytest.fixture
def elsewhere(kafka: str, postgresql: str, tmp_path: Path) -> Settings:
    """The distributed set-up, with nothing in it."""
    return settings.load(
        {},
        data=str(tmp_path / "cluster"),
        broker=f"kafka://{kafka}/m{uuid4().hex[:8]}",
        journal=database(postgresql),
        cluster=True,
        cluster_key="ab" * 32,
        mqtt_host="127.0.0.1",
    )


STEPS = (
    *((settled, name) for name in ("mark", "unmark")),
    *((Kept, name) for name in ("write", "forget")),
    *((KafkaFilling, name) for name in ("write", "begin", "replace", "commit", "settle")),
    (Store, "copy"),
)
"""What a move does that stays."""


def killed_at(source: Settings, target: Settings, step: int) -> int:
    """Move in a process that kills itself with -9 after so many steps; return its exit code."""
    child = os.fork()
    if not child:
        count = itertools.count(1)

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def do(*given: Any, **named: Any) -> Any:
                result = real(*given, **named)
                if next(count) == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return result

            return do

        for owner, name in STEPS:
            setattr(owner, name, counted(getattr(owner, name)))
        code = 1
        try:
            code = int(Move(source, target).run(switch=True) is None)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def called(source: Settings, target: Settings, folder: Path) -> Result:
    """Move by the command, from a file of settings to a data folder; nothing says in which language."""
    names = ("data", "broker", "journal", "cluster_key", "mqtt_host")
    lines = [f"FORESHOCK_{name.upper()}='{getattr(source, name)}'\n" for name in names]
    file = folder / "cluster.env"
    file.write_text("".join(lines) + "FORESHOCK_CLUSTER=true\n")
    asked = ["migrate", "--from", str(file), "--to", target.data]
    planned = CliRunner().invoke(cli.application("migrate"), asked)
    assert planned.exit_code == 2 and "尚未改动任何内容" in planned.output, planned.output
    return CliRunner().invoke(cli.application("migrate"), [*asked, "--switch"])


def test_a_site_goes_to_kafka_and_back_as_if_it_had_never_moved(tmp_path: Path, elsewhere: Settings) -> None:
    here, back = (settings.load({}, data=str(tmp_path / name)) for name in ("one", "two"))
    live(here, START + 100, first)
    accounts = open_accounts(here.accounts_at)
    record_audit(accounts, "user:an", "test.began", "site")
    accounts.close()
    told = Deliveries(here.outbox_at)
    told.deliver("webhook", "d1", START)
    told.close()
    Replies(here.outbox_at, b"key").close()  # it has a table of its own there
    (here.data_folder / "photos").mkdir()
    (here.data_folder / "photos" / "ab.jpg").write_bytes(b"picture")

    ends = [killed_at(here, elsewhere, step) for step in (1, 2, 5, 9, 14, 17)]
    assert ends == [-signal.SIGKILL] * len(ends), "each time it goes on where it was"
    assert Move(here, elsewhere).run(switch=True) is not None
    live(elsewhere, START + 100 + 900, second)
    said = called(elsewhere, back, tmp_path)
    assert said.exit_code == 0 and f"站点 small 已迁移到 {back.log_file}" in said.output.replace("\n", ""), said.output
    live(back, START + 100 + 9000, third)

    with logs.reader(back.log) as log:
        whole = compare(log, lambda p: log.committed(GROUP, OBSERVATIONS, p) or 0)
        assert whole.agrees and whole.transitions > 5, (whole.missing, whole.added, whole.changed)
        assert scored(log) == unbroken(log)
        journal = Reader(back.journal_url)
        for partition in range(CONTENT.site.partitions):
            held = journalled(log, journal, Stretch(partition, 0, log.end(OBSERVATIONS, partition)))
            assert held.agrees and held.recorded, held.first
        assert {one["scope"] for one in journal.alarms("open", limit=100).items if one["rule"] == "creep"} >= {
            "p0",
            "p3",
        }
        sent = edges(journal)
        assert len(sent) == len(set(sent)), "no order is repeated"
        journal.close()
    accounts = open_accounts(back.accounts_at)
    assert audit_break(accounts) is None
    assert "test.began" in {entry.action for entry in list_audit(accounts)}
    accounts.close()
    told = Deliveries(back.outbox_at)
    assert told.is_delivered("webhook", "d1")
    told.close()
    assert (back.data_folder / "photos" / "ab.jpg").read_bytes() == b"picture"


def edges(journal: Reader) -> list[str]:
    """List the ids of all that was ordered and answered, as the journal was told."""
    with journal.engine.connect() as connection:
        return list(connection.scalars(sa.select(dispatch_changes.c.dispatch + dispatch_changes.c.id)))


def scored(log: LogReader) -> list[bytes]:
    """Join what the live workers scored, by partition."""
    return [
        joined([columns.decode(value) for batch in entries(log, SCORES, number) for _, value in batch])
        for number in range(CONTENT.site.partitions)
    ]


def unbroken(log: LogReader) -> list[bytes]:
    """Join what one engine scores that takes all observations without a break."""
    return [
        joined(
            [
                one
                for applied in replay_partition(log, number, log.end(OBSERVATIONS, number))
                for one in (applied.scored, applied.aside)
                if one is not None
            ]
        )
        for number in range(CONTENT.site.partitions)
    ]


def joined(parts: list[columns.Scored]) -> bytes:
    """Put scores one after the other, however they were cut."""
    return b"".join(
        np.concatenate([getattr(part, name) for part in parts]).tobytes()
        for name in ("point", "time", "value", "score")
    )
