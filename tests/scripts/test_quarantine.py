"""`foreshock quarantine`: found, shown, counted and replayed from the terminal."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from alerts.console.accounts import list_audit, open_accounts
from scripts.cli import application
from scripts.commands.moment import moment
from sensors.intake import Intake
from sensors.lookup import Registry
from sensors.redecoding import arrivals_of
from streams import bundle, publication, settings
from streams.bundle import Bundle
from streams.embedded.store import Log, TopicSpec
from streams.hub import HubServer
from streams.quarantine.alone import alone
from streams.quarantine.refusals import REASONS
from streams.topics import OBSERVATIONS, OUTCOMES, QUARANTINE
from tests.streams.small_site import START, site
from tests.waiting import reached

TOPICS = dict.fromkeys((OBSERVATIONS, OUTCOMES, QUARANTINE), TopicSpec())
NOW = START + 100
SENT = [
    ("foreshock/readings/a0/p3", b"30"),
    ("foreshock/readings/a1/p4", b"40"),
    ("foreshock/readings/a0/p0", b"\x1b[31m{\xff"),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Make a data folder whose bridge, with a site of two points, refused three messages; the site now has six."""
    found = settings.load({}, data=str(tmp_path))
    bridge = Intake(Registry(site(2)))
    with Log(found.log_file, TOPICS) as log:
        for number, (topic, payload) in enumerate(SENT):
            batch = bridge.take(arrivals_of(bridge, topic, payload), START + number)
            log.write([(topic, partition, None, value) for topic, partition, value in batch.records])
    publication.write(tmp_path, bundle.pack(Bundle(site=site(6), rules=())))
    return tmp_path


@pytest.fixture
def running(data: Path) -> Iterator[Path]:
    """Run the hub over the folder's log, as the worker does."""
    found = settings.load({}, data=str(data))
    begun, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        with Log(found.log_file, TOPICS) as log:
            server = HubServer(found.hub_path, log.produce)
            await server.start()
            begun.set()
            await stop.wait()
            await server.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert begun.wait(10)
    yield data
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        application("quarantine"), ["quarantine", *arguments, "--language", "en", "--data", str(data)]
    )


def test_what_was_refused_is_listed_and_found_by_topic_and_reason(data: Path) -> None:
    whole = json.loads(run(data, "list", "--json").stdout)
    assert [one["id"] for one in whole] == ["q-2", "q-1", "q-0"]
    only = json.loads(run(data, "list", "--topic", "P4", "--json").stdout)
    assert [one["topic"] for one in only] == ["foreshock/readings/a1/p4"]
    shown = run(data, "list", "--reason", "unknown_point").stdout
    assert "q-0" in shown and "q-1" in shown and "q-2" not in shown
    assert "nothing of this was refused" in run(data, "list", "--source", "nobody").stdout


def test_one_is_shown_as_text_hexadecimal_bytes_and_json(data: Path) -> None:
    shown = run(data, "show", "q-2").stdout
    assert "malformed" in shown and "cannot be decoded" in shown and "\x1b" not in shown and "\\x1b" in shown
    assert "1b 5b 33 31 6d 7b ff" in run(data, "show", "q-2", "--hex").stdout
    assert run(data, "show", "q-2", "--raw").stdout_bytes == SENT[2][1]
    assert base64.b64decode(json.loads(run(data, "show", "q-2", "--json").stdout)["raw_base64"]) == SENT[2][1]
    missing = run(data, "show", "q-9")
    assert missing.exit_code == 1 and "there is no q-9" in missing.stderr


def test_what_is_kept_is_counted(data: Path) -> None:
    counted = json.loads(run(data, "stats", "--json").stdout)
    assert counted["by_reason"]["unknown_point"]["messages"] == 2
    shown = run(data, "stats").stdout
    assert "3 messages" in shown and "kept for 30 days" in shown


def test_a_replay_takes_in_once_what_the_mended_site_knows_and_is_audited(running: Path) -> None:
    first = json.loads(run(running, "replay", "--json").stdout)
    assert first["outcomes"] == {"accepted": 2, "refused": 1} and first["readings"] == 2
    second = run(running, "replay")
    assert second.exit_code == 0 and "0 readings" in second.stdout and "taken in before" in second.stdout
    assert "malformed" in second.stdout, "what is refused still says why"
    assert [bool(one["replayed"]) for one in json.loads(run(running, "list", "--json").stdout)] == [False, True, True]
    accounts = open_accounts(running / "accounts.sqlite")
    assert [one.actor.endswith("@terminal") for one in list_audit(accounts, action="quarantine.replay")] == [True, True]
    accounts.close()


def test_a_dry_run_needs_no_worker_and_says_what_would_be(data: Path) -> None:
    said = run(data, "replay", "--dry-run")
    assert said.exit_code == 0 and "would be taken in: 2 readings and 0 events of 3 messages" in said.stdout
    assert not (data / "accounts.sqlite").exists()


def test_a_second_replay_beside_one_is_told_so(data: Path) -> None:
    with alone(data):
        refused = run(data, "replay")
    assert refused.exit_code == 1 and "another replay" in refused.stderr


def test_without_a_worker_a_replay_says_so(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.commands.quarantine.WAIT", 0.1)
    refused = run(data, "replay")
    assert refused.exit_code == 1 and "no running Foreshock answers" in refused.stderr


def test_nothing_has_run_and_no_such_moment_are_sentences(tmp_path: Path, data: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "nothing has run" in run(tmp_path / "empty", "list").stderr
    assert "is no moment" in run(data, "list", "--from", "yesterday").stderr


@pytest.mark.parametrize("command", ["list", "stats", "replay"])
def test_a_reason_that_there_is_not_is_refused_with_those_that_there_are(data: Path, command: str) -> None:
    refused = run(data, command, "--reason", "unknown_pont")
    assert refused.exit_code == 1
    assert "did you mean 'unknown_point'?" in refused.stderr
    assert all(reason in refused.stderr for reason in REASONS)
    assert "engine_error" in REASONS and run(data, "list", "--reason", "engine_error").exit_code == 0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("20 min", NOW - 1200),
        ("2026-01-01 08:00", START),
        ("2026-01-01T00:00:00Z", START),
        (str(int(START)), START),
        ("08:01", START + 60),
        ("08:02", START + 120 - 86_400),
    ],
)
def test_a_moment_is_said_in_many_ways(text: str, wanted: float) -> None:
    assert moment(text, NOW, "Asia/Shanghai") == wanted


@pytest.mark.parametrize("text", ["", "noon", "25:00", "2026-13-01", "9" * 400])
def test_what_is_no_moment_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(ValueError, match="is no moment"):
        moment(text, NOW, "Asia/Shanghai")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give what the terminal is told aside; the log writes nothing before there is some."""
    told: list[str] = []

    async def slow(self: Log, records: Any) -> Any:
        await reached(lambda: told)
        return await produce(self, records)

    produce = Log.produce
    monkeypatch.setattr(Log, "produce", slow)
    monkeypatch.setattr("scripts.commands.quarantine.aside", told.append)
    return told


def test_a_worker_that_is_slow_to_answer_is_waited_for(
    said: list[str], running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.commands.quarantine.WAIT", 0.1)
    done = run(running, "replay")
    assert done.exit_code == 0 and "2 readings" in done.stdout
    assert "no answer" in said[0]
