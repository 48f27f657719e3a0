"""Targets change while the notifier runs: nothing is lost or told twice, and who is off duty is left in peace."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.duty import Roster
from alerts.journal import Journal
from alerts.notifiers.deliveries import Deliveries
from alerts.notifiers.notice import Notice
from alerts.notifiers.notifier import Notifier, concerns
from alerts.notifiers.targets import ChatTarget, WebhookTarget
from alerts.notifiers.wording import Voice
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
