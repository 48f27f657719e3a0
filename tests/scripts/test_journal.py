"""`foreshock journal`: nothing is changed before it is asked for; what a rebuild makes is what the log says."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import pytest

from alerts.console.accounts import list_audit
from alerts.console.accounts.store import open_accounts
from alerts.journal import Journal
from alerts.notifiers.deliveries import Deliveries
from alerts.outcome import encode
from alerts.queries import Reader
from scripts.commands.terminal import who
from streams import doctor, settings, supervisor
from streams.embedded.store import Log
from streams.replay import outcomes
from streams.topics import OUTCOMES
from tests.alerts.test_journal import NIGHT, dump, make_old
from tests.scripts.test_cli import run, sentence
from tests.streams.test_course import live
from tests.streams.test_station import TOPICS


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder on which an engine has run: the log, and the journal that was fed from it."""
    folder = tmp_path_factory.mktemp("lived")
    with Log(folder / "log.sqlite", TOPICS) as log, closing(Journal(folder / "journal.sqlite")) as journal:
        live(log)
        journal.record(outcomes(log, 0), log=log.identity)
    return folder


@pytest.fixture
def folder(tmp_path: Path, lived: Path) -> Path:
    return Path(shutil.copytree(lived, tmp_path / "data"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A data folder whose journal has a case that was over in 1970."""
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        journal.record(NIGHT)
    return tmp_path


def finding(folder: Path, what: str) -> doctor.Finding:
    found = settings.load({}, data=str(folder), site=str(Path(__file__).parents[2] / "examples" / "district"))
    return next(doctor.examine(found, what))


def audited(folder: Path) -> list[tuple[str, str, object]]:
    with closing(open_accounts(folder / "accounts.sqlite")) as accounts:
        return [(one.actor, one.action, one.detail) for one in list_audit(accounts)]


def test_an_older_journal_is_tried_first_and_migrated_when_asked(old: Path) -> None:
    make_old(old / "journal.sqlite")
    assert not finding(old, "journal").well
    assert "would be taken, and succeed" in run("journal", "migrate", "--data", old).output
    assert not finding(old, "journal").well
    told = json.loads(run("journal", "migrate", "--apply", "--json", "--data", old).stdout)
    assert told["applied"] and told["steps"][0]["revision"] == "0001"
    assert finding(old, "journal").well
    assert "up to date" in run("journal", "migrate", "--data", old).output


def test_cases_are_removed_when_asked_and_the_audit_knows(old: Path) -> None:
    before = (old / "journal.sqlite").read_bytes()
    assert "1 case(s) would be removed" in run("journal", "prune", "--data", old).output
    assert (old / "journal.sqlite").read_bytes() == before
    assert "1 case(s) were removed" in run("journal", "prune", "--days", "365", "--apply", "--data", old).output
    assert json.loads(run("journal", "prune", "--json", "--data", old).stdout) == {"cases": 0, "applied": False}
    assert audited(old) == [(who(), "journal.policy", {"cases": 1, "redacted": 0, "reports": 0})]


def test_persons_are_taken_out_when_asked_and_the_audit_knows(old: Path) -> None:
    assert "1 incident(s) would be redacted" in run("journal", "redact", "--data", old).output
    assert run("journal", "redact", "--apply", "--data", old).exit_code == 0
    with closing(Reader(old / "journal.sqlite")) as reader:
        assert {row["acknowledged_by"] for row in reader.incidents("closed").items} == {"user:redacted"}
    ((actor, action, detail),) = audited(old)
    assert (actor, action) == (who(), "journal.policy") and detail["redacted"] > 10  # type: ignore[index]


@pytest.mark.parametrize("command", ["prune", "redact"])
def test_without_a_policy_days_are_asked_for(old: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("FORESHOCK_JOURNAL_DAYS", "0")
    monkeypatch.setenv("FORESHOCK_PERSONAL_DAYS", "0")
    assert "say --days" in sentence(run("journal", command, "--data", old))


@pytest.mark.parametrize("command", ["migrate", "prune", "redact", "rebuild"])
def test_where_nothing_has_run_it_says_so_and_leaves_nothing(tmp_path: Path, command: str) -> None:
    assert "foreshock run" in sentence(run("journal", command, "--data", tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("harm", ["none", "gone", "damaged", "changed"])
def test_a_rebuilt_journal_is_what_the_log_says(folder: Path, monkeypatch: pytest.MonkeyPatch, harm: str) -> None:
    monkeypatch.setenv("FORESHOCK_PERSONAL_DAYS", "0")
    monkeypatch.setenv("FORESHOCK_JOURNAL_DAYS", "0")
    place = folder / "journal.sqlite"
    with closing(Journal(place)) as journal:
        wanted = dump(journal)
    if harm == "gone":
        place.unlink()
    elif harm == "damaged":
        place.write_bytes(b"no database at all" * 1000)
    elif harm == "changed":
        with closing(sqlite3.connect(place)) as database, database:
            database.execute("UPDATE alarms SET level = 'blue'")
    told = json.loads(run("journal", "rebuild", "--json", "--data", folder).stdout)
    assert told["lost"] == (None if harm == "damaged" else 0)
    with closing(Journal(place)) as journal:
        assert dump(journal) == wanted
        assert journal.position() == told["changes"] > 10
    assert (folder / "journal.sqlite.before").exists() == (harm != "gone")
    assert not list(folder.glob("*.new*"))


def test_a_rebuilt_journal_keeps_to_the_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        log.write([(OUTCOMES, 0, None, encode(record)) for record in NIGHT])
    monkeypatch.setenv("FORESHOCK_JOURNAL_DAYS", "0")
    assert run("journal", "rebuild", "--data", tmp_path).exit_code == 0
    with closing(Reader(tmp_path / "journal.sqlite")) as reader:
        assert [row["reason"] for row in reader.incidents("closed").items] == ["redacted"]
    monkeypatch.setenv("FORESHOCK_JOURNAL_DAYS", "1000")
    assert run("journal", "rebuild", "--drop-older", "--data", tmp_path).exit_code == 0
    with closing(Reader(tmp_path / "journal.sqlite")) as reader:
        assert reader.incidents("closed").items == []


def test_what_the_log_no_longer_holds_is_not_dropped_unasked(folder: Path) -> None:
    place = folder / "journal.sqlite"
    with closing(Journal(place)) as journal:
        journal.record(NIGHT, log="another")
        before = dump(journal)
    assert "the log no longer holds" in sentence(run("journal", "rebuild", "--data", folder))
    with closing(Journal(place)) as journal:
        assert dump(journal) == before
    assert not list(folder.glob("*.new*"))
    assert run("journal", "rebuild", "--drop-older", "--data", folder).exit_code == 0


def test_a_journal_stays_in_place_where_the_notifier_cannot_be_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deliveries, "renumber", Mock(side_effect=sqlite3.OperationalError("the disk is full")))
    with closing(Deliveries(folder / "outbox.sqlite")), closing(Journal(folder / "journal.sqlite")) as journal:
        before = dump(journal)
    assert run("journal", "rebuild", "--data", folder).exit_code
    with closing(Journal(folder / "journal.sqlite")) as journal:
        assert dump(journal) == before
    assert not list(folder.glob("*.before*"))


def test_under_a_running_foreshock_nothing_is_rebuilt(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "holder", lambda _: "4711")
    assert "process 4711" in sentence(run("journal", "rebuild", "--data", folder))
    assert not list(folder.glob("*.before*"))


def test_the_doctor_follows_the_chain_of_the_audit(old: Path) -> None:
    assert finding(old, "audit").said == "none yet"
    run("journal", "prune", "--apply", "--data", old)
    run("journal", "redact", "--apply", "--data", old)
    for number in range(3):
        run("tokens", "add", f"probe{number}", "--role", "viewer", "--data", old)
    entries = len(audited(old))
    assert finding(old, "audit") == doctor.Finding("audit", True, f"{entries} entries, none changed or taken out")
    with closing(sqlite3.connect(old / "accounts.sqlite")) as database, database:
        database.execute("DROP TRIGGER audit_no_update")
        database.execute("UPDATE audit SET actor = 'nobody', time = ? WHERE sequence = 2", (time.time(),))
    found = finding(old, "audit")
    assert not found.well and "entry 2" in found.said
