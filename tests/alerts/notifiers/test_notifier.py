"""How far a target is served: what a page leaves untold is told when the target is back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts.journal import Journal
from alerts.notifiers import notifier as module
from alerts.notifiers.deliveries import UNREADABLE, Deliveries, Letter
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
        self.heard: Callable[[object], None] = lambda _: None


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
        if notice.kind == "dispatch":
            self.wire.heard(notice)
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
        await notifier.prune()
        await notifier.stop()
        assert ("dispatch", order) not in wire.taken
        memory = Deliveries(tmp_path / "outbox.sqlite")
        assert [letter.notice.payload for letter in memory.waiting("mqtt", 9)] == [redacted], "as the journal says now"
        memory.close()

    asyncio.run(scenario())


def letter_of(id: str, payload: dict[str, object]) -> Letter:
    notice = Notice(id=id, kind="dispatch", area="slope-1", unit="u-c1", simulated=False, time=1.0, payload=payload)
    return Letter(notice, 1, 0.0, False, "busy")


def test_a_letter_is_told_as_the_journal_says_by_then(wire: Wire, tmp_path: Path) -> None:
    async def scenario() -> None:
        town = Town(Journal(tmp_path / "journal.sqlite"))
        id = town.event(7)
        memory = Deliveries(tmp_path / "outbox.sqlite")
        memory.put_off("mqtt", letter_of(id, {"data": {"note": "Mrs Li, flat 3"}}))
        memory.close()
        notifier = notifier_of(tmp_path)
        told: list[object] = []
        wire.heard = told.append
        await notifier.start()
        await reached(lambda: ("dispatch", id) in wire.taken)
        await notifier.stop()
        assert "Mrs Li" not in repr(told) and len(told) == 1

    asyncio.run(scenario())


def test_letters_are_followed_a_few_at_a_time(tmp_path: Path) -> None:
    memory = Deliveries(tmp_path / "outbox.sqlite")
    ids = [f"d-{number:04}.1" for number in range(250)]
    for id in ids:
        memory.put_off("mqtt", letter_of(id, {"data": {"note": "Mrs Li"}}))
    asked: list[int] = []

    def told(some: Sequence[str]) -> dict[str, dict[str, object]]:
        asked.append(len(some))
        return {id: {"data": {"note": "redacted"}} for id in some if id != ids[3]}

    slices = memory.follow(told)
    assert next(slices) == 99 and asked == [100], "what else there is to do is done before the next"
    assert sum(slices) == 150 and max(asked) == 100
    assert sum("Mrs Li" in repr(one) for one in memory.waiting("mqtt", 999)) == 1
    memory.close()


def test_one_letter_that_cannot_be_read_keeps_nobody_from_being_told(
    wire: Wire, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        town = Town(Journal(tmp_path / "journal.sqlite"))
        memory = Deliveries(tmp_path / "outbox.sqlite")
        for id in (good := town.event(1), "d-torn.1"):
            memory.put_off("mqtt", letter_of(id, {}))
        memory.hold("mqtt", letter_of("d-held.1", {}).notice, 1.0, quiet=False)
        memory.close()
        with sqlite3.connect(tmp_path / "outbox.sqlite") as file:
            file.execute("UPDATE letters SET notice = x'7465' WHERE id = 'd-torn.1'")
            file.execute("UPDATE held SET notice = x'7465'")
        file.close()
        notifier = notifier_of(tmp_path)
        await notifier.start()
        await reached(lambda: ("dispatch", good) in wire.taken)
        await notifier.stop()
        memory = Deliveries(tmp_path / "outbox.sqlite")
        assert [(one.notice.id, one.error) for one in memory.dead("mqtt")] == [("d-torn.1", UNREADABLE)]
        assert memory.next_due("mqtt") is None, "it is not looked at again and again"
        assert memory.held("mqtt", 9) == [] and memory.counts("mqtt") == (0, 2), "listed, not lost"
        assert "d-torn.1" in caplog.text
        memory.close()

    asyncio.run(scenario())
