"""The notifier process: an alarm stands for as long as there are orders that nobody took."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from alerts.journal import Journal
from alerts.notifiers import notifier as module
from alerts.notifiers.deliveries import Deliveries
from alerts.notifiers.notifier import Notifier
from alerts.notifiers.targets import WebhookTarget
from streams.processes.notifier import Undelivered
from tests.alerts.notifiers.world import Town, receiver
from tests.waiting import reached


class Told:
    """Stand in for `Vitals`: what was said of which component."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def down(self, component: str, detail: str) -> None:
        self.said.append((component, detail))

    def back(self, component: str) -> None:
        self.said.append((component, ""))


def test_a_refused_order_is_an_alarm_until_it_is_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.02)
    monkeypatch.setenv("SECRET", "s3cret")

    async def scenario() -> None:
        with receiver() as hook:
            hook.answers = [422, 410]
            target = WebhookTarget(name="hook", url=hook.url, secret_env="SECRET", allow_private=True)
            notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target])
            told = Told()
            watch = Undelivered(notifier, told)  # type: ignore[arg-type]
            watch.look()
            assert told.said == [("outbox", "")], "what an earlier run left standing is over"
            await notifier.start()
            for number in range(2):
                town.event(number)
            await notifier.notify()
            await reached(lambda: notifier.figures()["hook"].dead == 2)
            watch.look()
            watch.look()
            assert told.said[1:] == [("outbox", "hook: 2 (answered 410)")]
            beside = Deliveries(tmp_path / "outbox.sqlite")
            assert all(beside.revive("hook", one.notice.id) for one in beside.dead("hook"))
            beside.close()
            await reached(lambda: notifier.figures()["hook"].delivered == 2)
            watch.look()
            assert told.said[2:] == [("outbox", "")]
            await notifier.stop()

    town = Town(Journal(tmp_path / "journal.sqlite"))
    asyncio.run(scenario())


class Letters:
    """Stand in for `Notifier`: what targets never took; a look fails with each of `errors` first."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.dead: dict[str, list[Any]] = {}

    def dead_letters(self) -> dict[str, list[Any]]:
        if self.errors:
            raise self.errors.pop(0)
        return self.dead


def test_the_watch_outlasts_a_locked_file(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    letters, told = Letters(*[sqlite3.OperationalError("database is locked")] * 3), Told()

    async def scenario() -> None:
        nap = asyncio.sleep
        monkeypatch.setattr(asyncio, "sleep", lambda _: nap(0.001))
        watch = asyncio.create_task(Undelivered(letters, told).watch())  # type: ignore[arg-type]
        await reached(lambda: watch.done() or told.said)
        watch.cancel()
        assert told.said == [("outbox", "")]

    asyncio.run(scenario())
    assert [one.getMessage() for one in caplog.records] == ["the dead letters cannot be watched"]  # said once
