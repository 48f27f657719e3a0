"""How far a target is served: what a page leaves untold is told when the target is back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts.journal import Journal
from alerts.notifiers import notifier as module
from alerts.notifiers.deliveries import Deliveries
from alerts.notifiers.notice import Failed, Notice, Unavailable
from alerts.notifiers.notifier import Notifier
from alerts.notifiers.targets import MqttTarget
from alerts.tables import outbox
from tests.alerts.notifiers.world import Town
from tests.waiting import reached


class Wire:
    """What a target took. `failures` are raised one after the other at the notices of a kind."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.failures: dict[str, list[Exception]] = {"area": [], "dispatch": []}
        self.stale = False
        self.areas: Sequence[str] = ()


class Sender:
    """Stand in for a broker that retains."""

    retained = True
    areas: Sequence[str] = ()

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.areas = wire.areas

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def wants(self, kind: str, simulated: bool) -> bool:
        return True

    def take_stale(self) -> bool:
        stale, self.wire.stale = self.wire.stale, False
        return stale

    async def send(self, notice: Notice) -> None:
        if self.wire.failures[notice.kind]:
            raise self.wire.failures[notice.kind].pop(0)
        self.wire.taken.append((notice.kind, notice.id if notice.kind == "dispatch" else notice.area))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    it = Wire()
    monkeypatch.setattr(module, "MqttSender", lambda *_args: Sender(it))
    yield it


def notifier_of(folder: Path, **settings: float) -> Notifier:
    target = MqttTarget(name="mqtt", retry_first=settings.get("retry_first", 0.01), retry_cap=60.0)
    return Notifier(folder / "journal.sqlite", folder / "outbox.sqlite", [target])


def test_an_area_that_timed_out_after_an_order_is_told_after_a_restart(wire: Wire, tmp_path: Path) -> None:
    async def scenario() -> None:
        town = Town(Journal(tmp_path / "journal.sqlite"))
        order = town.dispatch()
        wire.failures["area"] = [Unavailable("no acknowledgement")]
        first = notifier_of(tmp_path, retry_first=60.0)
        await first.start()
        await reached(lambda: first.figures()["mqtt"].error)
        await first.stop()
        assert wire.taken == [("dispatch", order)]
        second = notifier_of(tmp_path)
        await second.start()
        await reached(lambda: ("area", "slope-1") in wire.taken)
        await second.stop()
        assert wire.taken == [("dispatch", order), ("area", "slope-1")]

    asyncio.run(scenario())


def test_orders_are_told_before_the_summaries_that_a_broker_has_forgotten(wire: Wire, tmp_path: Path) -> None:
    async def scenario() -> None:
        town = Town(Journal(tmp_path / "journal.sqlite"))
        order = town.dispatch()
        wire.stale = True  # as after every connection
        notifier = notifier_of(tmp_path)
        await notifier.start()
        await reached(lambda: wire.taken.count(("area", "slope-1")) == 2)
        await notifier.stop()
        assert wire.taken[0] == ("dispatch", order)

    asyncio.run(scenario())


def test_areas_that_never_had_an_alarm_are_told_where_the_target_shows_them(wire: Wire, tmp_path: Path) -> None:
    async def scenario() -> None:
        town = Town(Journal(tmp_path / "journal.sqlite"))
        town.dispatch()
        wire.stale, wire.areas = True, ("river-1", "slope-1")
        notifier = notifier_of(tmp_path)
        await notifier.start()
        await reached(lambda: ("area", "river-1") in wire.taken)
        await notifier.stop()
        assert wire.taken.count(("area", "river-1")) == 1

    asyncio.run(scenario())


def test_an_order_that_was_put_off_is_not_tried_anew_with_its_page(wire: Wire, tmp_path: Path) -> None:
    async def scenario() -> None:
        town = Town(Journal(tmp_path / "journal.sqlite"))
        order = town.dispatch()
        wire.failures["dispatch"] = [Failed("busy", 60.0)]
        wire.failures["area"] = [Unavailable("no acknowledgement")] * 3
        notifier = notifier_of(tmp_path)
        await notifier.start()
        await reached(lambda: ("area", "slope-1") in wire.taken)
        redacted = {"data": {"note": "redacted"}}
        with town.journal.engine.begin() as connection:
            connection.execute(sa.update(outbox).where(outbox.c.id == order).values(payload=redacted))
        notifier.prune()
        await notifier.stop()
        assert ("dispatch", order) not in wire.taken
        memory = Deliveries(tmp_path / "outbox.sqlite")
        assert [letter.notice.payload for letter in memory.waiting("mqtt", 9)] == [redacted], "as the journal says now"
        memory.close()

    asyncio.run(scenario())
