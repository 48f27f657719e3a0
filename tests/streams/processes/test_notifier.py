"""The notifier process: an alarm stands for as long as there are orders that nobody took."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from pathlib import Path

import msgspec
import pytest

from alerts.journal import Journal
from alerts.notifiers import notifier as module
from alerts.notifiers.deliveries import Deliveries, Letter
from alerts.notifiers.notice import Notice
from alerts.notifiers.notifier import Notifier
from alerts.notifiers.targets import HomeAssistantTarget, WebhookTarget
from alerts.queries import Reader
from streams import bundle, publication, settings
from streams.bundle import Bundle
from streams.following import Following
from streams.processes import notifier as process
from streams.processes.notifier import AGAIN, Retelling, Undelivered, taking, targets
from tests.alerts.notifiers.world import Town, receiver
from tests.streams.small_site import site
from tests.waiting import reached


def test_home_assistant_is_told_in_the_sites_language_where_it_is_asked_for() -> None:
    made = site()
    assert [one.name for one in targets(settings.load({}), made)] == ["mqtt"]
    found = settings.load({}, homeassistant_prefix="house", mqtt_host="10.0.0.7", mqtt_username="f")
    _, house = targets(found, made)
    assert isinstance(house, HomeAssistantTarget)
    assert (house.host, house.username, house.discovery, house.prefix) == ("10.0.0.7", "f", "house", "foreshock")
    assert house.areas == {area.id: area.name.zh for area in made.areas}
    _, house = targets(found, msgspec.structs.replace(made, language="en"))
    assert isinstance(house, HomeAssistantTarget) and house.title == made.name.en


def test_who_waits_for_a_journal_that_nobody_makes_ends_on_sigterm(tmp_path: Path) -> None:
    async def scenario() -> None:
        waiting = asyncio.create_task(process._run(settings.load({}, data=str(tmp_path))))
        await asyncio.sleep(0)  # until it waits
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(20):
            await waiting

    asyncio.run(scenario())


def test_another_version_of_the_site_reaches_home_assistants_sender_in_the_loop(tmp_path: Path) -> None:
    found = settings.load({}, data=str(tmp_path), homeassistant_prefix="house")
    Journal(tmp_path / "journal.sqlite").close()
    made = site()
    new = msgspec.structs.replace(made.areas[0], id="new")
    changed = msgspec.structs.replace(made, areas=(*made.areas[1:], new))
    publication.write(tmp_path, bundle.pack(Bundle(site=changed)))

    async def scenario() -> None:
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", targets(found, made))
        sender = notifier._channels[1].sender
        take = taking(notifier, found, asyncio.get_running_loop())
        following = Following(tmp_path, bundle.version_of(bundle.pack(Bundle(site=made))), take)
        assert "new" not in sender.areas
        await asyncio.to_thread(following.look)
        await reached(lambda: list(sender.areas) == [area.id for area in changed.areas])
        assert sender.take_stale(), "all is told anew"
        await notifier.stop()

    asyncio.run(scenario())


def test_the_file_of_targets_is_read_again_when_it_changes_and_a_broken_one_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, secret = tmp_path / "notify.yaml", tmp_path / "secret"
    secret.write_text("s" * 32)
    one = f"  - {{kind: webhook, name: one, url: 'https://one.example/x', secret_file: {secret}}}\n"
    two = f"  - {{kind: webhook, name: two, url: 'https://two.example/x', secret_file: {secret}}}\n"
    found = settings.load({}, data=str(tmp_path), notify=str(file), mqtt_port="1")
    Journal(tmp_path / "journal.sqlite").close()
    made = site()
    file.write_text("targets:\n" + one)

    def away(_: Reader) -> int:
        raise OSError("the database restarts")

    async def scenario() -> None:
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", targets(found, made))
        retelling = Retelling(notifier, found, made)
        assert await retelling.look() == []
        file.write_text("targets:\n" + one + two)
        assert set(await retelling.look()) == {"one", "two"}
        file.write_text("targets:\n  - {kind: webhook}\n")
        assert await retelling.look() == []
        assert {"one", "two"} <= set(notifier.figures())
        file.write_text("targets:\n" + two)
        assert await retelling.look() == ["one"]
        assert set(notifier.figures()) == {"mqtt", "two"}
        assert await retelling.look() == []
        file.write_text("targets:\n" + two.replace("two.example", "other.example"))
        with monkeypatch.context() as gone:
            gone.setattr(Reader, "position", away)
            assert await retelling.look() == ["two"]
        assert set(notifier.figures()) == {"mqtt"}
        assert await retelling.look() == ["two"], "it is tried again, though the file is as before"
        assert set(notifier.figures()) == {"mqtt", "two"}
        assert await retelling.look() == []
        await notifier.stop()

    asyncio.run(scenario())


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
        self.dead: dict[str, list[Letter]] = {}

    def dead_ids(self) -> set[tuple[str, str]]:
        return {(target, one.notice.id) for target, letters in self.dead_letters().items() for one in letters}

    def dead_letters(self) -> dict[str, list[Letter]]:
        if self.errors:
            raise self.errors.pop(0)
        return self.dead

    def bury(self, target: str, id: str) -> None:
        notice = Notice(id=id, kind="dispatch", area="a0", unit="team", simulated=False, time=0.0, payload={})
        self.dead.setdefault(target, []).append(Letter(notice, 1, 0.0, True, "answered 410"))


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


def test_further_orders_that_nobody_took_ask_again_but_not_all_the_time() -> None:
    letters, told, now = Letters(), Told(), [1000.0]
    watch = Undelivered(letters, told, lambda: now[0])  # type: ignore[arg-type]
    watch.look()
    letters.bury("hook", "d-1.1")
    watch.look()
    told.said.clear()

    letters.bury("hook", "d-2.1")
    letters.bury("mqtt", "d-2.1")
    watch.look()
    assert told.said == [], "the alarm has only just been raised"
    now[0] += AGAIN
    watch.look()
    watch.look()
    assert told.said == [("outbox", ""), ("outbox", "hook: 2 (answered 410), mqtt: 1 (answered 410)")]
    told.said.clear()

    now[0] += AGAIN
    revived = letters.dead["hook"].pop(0)
    watch.look()
    assert told.said == [], "fewer than before are nothing to ask about"
    letters.dead["hook"].append(revived)
    watch.look()
    assert [bool(detail) for _, detail in told.said] == [False, True], "it is refused once more"
    letters.dead.clear()
    watch.look()
    assert told.said[2:] == [("outbox", "")]


def test_more_dead_letters_than_are_listed_are_all_known(tmp_path: Path) -> None:
    deliveries = Deliveries(tmp_path / "outbox.sqlite")
    letters = Letters()
    for number in range(150):
        letters.bury("hook", f"d-{number}.1")
    for one in letters.dead["hook"]:
        deliveries.put_off("hook", one)
    assert deliveries.dead_ids("hook") == {f"d-{number}.1" for number in range(150)}
    deliveries.close()
