"""Targets change while the notifier runs: nothing is lost or told twice, and who is off duty is left in peace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from alerts.duty import Roster
from alerts.journal import Journal
from alerts.notifiers import notifier as module
from alerts.notifiers.deliveries import Deliveries, Letter
from alerts.notifiers.notice import Notice
from alerts.notifiers.notifier import Notifier, concerns
from alerts.notifiers.targets import ChatTarget, WebhookTarget
from alerts.notifiers.wording import Voice
from alerts.queries import Reader
from tests.alerts.notifiers.world import Receiver, Town, receiver
from tests.alerts.test_duty import at, site
from tests.waiting import reached


@pytest.fixture
def hooks() -> Iterator[tuple[Receiver, Receiver]]:
    with receiver() as first, receiver() as second:
        yield first, second


def target(name: str, hook: Receiver, secret: Path) -> WebhookTarget:
    secret.write_text("s" * 32)
    return WebhookTarget(name=name, url=hook.url, secret_file=str(secret), allow_private=True)


def ids(hook: Receiver) -> list[str]:
    return [request.headers["webhook-id"] for request in hook.requests]


def test_a_target_that_stays_goes_on_one_that_comes_begins_and_one_that_goes_ends(
    hooks: tuple[Receiver, Receiver], tmp_path: Path
) -> None:
    first, second = hooks
    journal = Journal(tmp_path / "journal.sqlite")
    town = Town(journal)
    one, two = (target(name, hook, tmp_path / "secret") for name, hook in (("one", first), ("two", second)))

    async def scenario() -> None:
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [one])
        await notifier.start()
        before = town.dispatch()
        await notifier.notify()
        await reached(lambda: ids(first) == [before])
        assert await notifier.replace([one, two], Voice()) == ["two"]
        after = town.dispatch("r2", area="river-1")
        await notifier.notify()
        await reached(lambda: after in ids(first) and after in ids(second))
        assert ids(first) == [before, after]
        assert await notifier.replace([two], Voice()) == ["one"]
        last = town.event(7)
        await notifier.notify()
        await reached(lambda: last in ids(second))
        assert last not in ids(first)
        assert set(notifier.figures()) == {"two"}
        assert await notifier.replace([two], Voice()) == []
        await notifier.stop()

    asyncio.run(scenario())
    journal.close()
    deliveries = Deliveries(tmp_path / "outbox.sqlite")
    assert set(deliveries.known()) == {"two"}
    deliveries.close()


def test_a_target_that_changes_begins_where_it_stood(hooks: tuple[Receiver, Receiver], tmp_path: Path) -> None:
    first, second = hooks
    journal = Journal(tmp_path / "journal.sqlite")
    town = Town(journal)

    async def scenario() -> None:
        notifier = Notifier(
            tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target("one", first, tmp_path / "secret")]
        )
        await notifier.start()
        told = town.dispatch()
        await notifier.notify()
        await reached(lambda: ids(first) == [told])
        missed = town.event(1)  # not poked: it waits in the outbox
        assert await notifier.replace([target("one", second, tmp_path / "secret")], Voice()) == ["one"]
        await reached(lambda: missed in ids(first) + ids(second))
        new = town.event(2)
        await notifier.notify()
        await reached(lambda: new in ids(second))
        assert told not in ids(second)
        assert (ids(first) + ids(second)).count(missed) == 1
        await notifier.stop()

    asyncio.run(scenario())
    journal.close()


def test_a_target_that_cannot_be_served_for_a_while_is_told_later_of_what_was_meanwhile(
    hooks: tuple[Receiver, Receiver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = hooks
    town = Town(Journal(tmp_path / "journal.sqlite"))
    before, after = (target("one", hook, tmp_path / "secret") for hook in hooks)

    def away(_: Reader) -> int:
        raise OSError("the database restarts")

    async def scenario() -> None:
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [before])
        await notifier.start()
        await until_told(notifier, first, town.event(0))
        with monkeypatch.context() as gone:
            gone.setattr(Reader, "position", away)
            await notifier.replace([after], Voice())
        assert notifier.served == set()
        missed = town.event(1)
        await notifier.replace([after], Voice())
        assert notifier.served == {"one"}
        await until_told(notifier, second, missed)
        assert not notifier.dead_letters()
        await notifier.stop()

    asyncio.run(scenario())


async def until_told(notifier: Notifier, hook: Receiver, id: str) -> None:
    await notifier.notify()
    await reached(lambda: id in ids(hook))


@pytest.mark.parametrize("live", [True, False], ids=["while it runs", "at a start"])
def test_a_target_that_joins_or_comes_back_begins_with_what_is_new(
    hooks: tuple[Receiver, Receiver], tmp_path: Path, live: bool
) -> None:
    first, second = hooks
    town = Town(Journal(tmp_path / "journal.sqlite"))
    old = town.event(0)
    one, two = (target(name, hook, tmp_path / "secret") for name, hook in (("one", first), ("two", second)))
    places = tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite"

    async def scenario() -> None:
        notifier = Notifier(*places, [one])
        await notifier.start()

        async def serve(*wanted: WebhookTarget) -> None:
            nonlocal notifier
            if live:
                await notifier.replace(wanted, Voice())
                return
            await notifier.stop()
            notifier = Notifier(*places, wanted)
            await notifier.start()

        await until_told(notifier, first, old)  # the first start of all: what was raised before it counts
        told: list[str] = []
        for number in (1, 3):  # it joins, and comes back
            await serve(one, two)
            told.append(town.event(number))
            await until_told(notifier, second, told[-1])
            await serve(one)
            await until_told(notifier, first, town.event(number + 1))
        assert ids(second) == told
        assert ids(first) == [f"d-{number}.1" for number in range(5)], "the other goes on undisturbed"
        await notifier.stop()

    asyncio.run(scenario())


def test_what_waited_for_a_target_that_was_taken_out_is_listed_and_not_sent_when_it_comes_back(tmp_path: Path) -> None:
    Journal(tmp_path / "journal.sqlite").close()
    memory = Deliveries(tmp_path / "outbox.sqlite")
    notice = Notice(id="n", kind="dispatch", area="a", unit="", simulated=False, time=time.time(), payload={})
    memory.move("hook", 0)
    memory.put_off("hook", Letter(notice, 3, notice.time, False, "503"))
    memory.hold("hook", msgspec.structs.replace(notice, id="held"), notice.time, quiet=True)
    (tmp_path / "secret").write_text("s" * 32)
    back = WebhookTarget(name="hook", url="http://127.0.0.1:9", secret_file=str(tmp_path / "secret"))
    notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [back])
    assert notifier.dead_ids() == {("hook", "n"), ("hook", "held")}
    assert memory.counts("hook") == (0, 2) and memory.count_held("hook") == (0, 0)
    assert {letter.error for letter in memory.dead("hook")} == {"the target had been taken out"}
    asyncio.run(notifier.stop())
    memory.close()


def test_a_target_whose_file_could_not_be_read_at_a_start_goes_on_where_it_stood(
    hooks: tuple[Receiver, Receiver], tmp_path: Path
) -> None:
    town = Town(Journal(tmp_path / "journal.sqlite"))
    one, two = (target(name, hook, tmp_path / "secret") for name, hook in zip(("one", "two"), hooks, strict=True))
    places = tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite"

    async def scenario() -> None:
        for wanted, whole, told in (((one, two), True, 0), ((one,), False, 1), ((one, two), True, 2)):
            notifier = Notifier(*places, wanted, whole=whole)
            await notifier.start()
            await until_told(notifier, hooks[len(wanted) - 1], town.event(told))
            await notifier.stop()
        assert ids(hooks[1]) == ["d-0.1", "d-1.1", "d-2.1"]

    asyncio.run(scenario())


def test_what_was_delivered_long_ago_is_forgotten_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TIDY", 0.0)
    Journal(tmp_path / "journal.sqlite").close()
    now, memory = [100.0], Deliveries(tmp_path / "outbox.sqlite")
    memory.deliver("hook", "n", 100.0)

    async def scenario() -> None:
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [], clock=lambda: now[0])
        await notifier.start()
        assert memory.is_delivered("hook", "n")
        now[0] += 31 * 86400.0
        await reached(lambda: not memory.is_delivered("hook", "n"))
        await notifier.stop()

    asyncio.run(scenario())
    memory.close()


@pytest.mark.parametrize(
    ("on_duty", "moment", "wanted"),
    [
        ((), "2026-11-27 12:00", True),
        (("li",), "2026-11-27 12:00", True),
        (("an", "li"), "2026-11-27 12:00", True),
        (("an",), "2026-11-27 12:00", False),
        (("an",), "2026-11-27 23:00", True),
    ],
)
def test_a_person_is_told_while_on_duty(on_duty: tuple[str, ...], moment: str, wanted: bool) -> None:
    chat = ChatTarget(name="c", url_file="/x", on_duty=on_duty)
    notice = Notice(
        id="d-1.1",
        kind="dispatch",
        area="slope-1",
        unit="",
        simulated=False,
        time=0.0,
        payload={"data": {"level": "red", "edge": "issued"}},
    )
    assert concerns(chat, notice, Roster(site()).on(at(moment))) is wanted
    assert concerns(chat, notice, frozenset())  # nobody on the roster: silence would be worse
