"""The journal is kept to the settings' policy, and the audit knows of it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from alerts.console.accounts import add_user, audit_break, erase_person, list_audit
from alerts.console.accounts.store import open_accounts
from alerts.console.persons import take_away_about
from alerts.journal import Journal
from alerts.outcome import Record, Reported
from alerts.persons import lines_of, reports_about
from alerts.policy import Policy
from streams import settings
from streams.housekeeping import Daily, keep_erased, keep_to_policy
from streams.topics import OBSERVATIONS, OUTCOMES
from streams.topics_held import DAY, topic_specs
from tests.alerts.console.conftest import CHEAP, PASSWORD
from tests.alerts.test_journal import NIGHT


def test_what_the_settings_say_is_done_once_and_noted_once(tmp_path: Path) -> None:
    found = settings.load({"FORESHOCK_PERSONAL_DAYS": "10"}, data=str(tmp_path))
    assert found.policy == Policy(cases=1825.0, personal=10.0, reports=90.0)
    with closing(Journal(found.journal_url)) as journal:
        journal.record(NIGHT)
        assert not keep_to_policy(found, journal.engine, 1000.0)
        assert not (tmp_path / "accounts.sqlite").exists(), "nothing was done, nothing is noted"
        assert keep_to_policy(found, journal.engine, 11 * DAY).redacted
        assert not keep_to_policy(found, journal.engine, 11 * DAY + 1)
        assert keep_to_policy(found, journal.engine, 2000 * DAY).cases == 1
    with closing(open_accounts(tmp_path / "accounts.sqlite")) as accounts:
        noted = [(one.actor, one.action, bool(one.detail["cases"])) for one in list_audit(accounts)]
        assert audit_break(accounts) is None
    assert noted == [("foreshock", "journal.policy", True), ("foreshock", "journal.policy", False)]


def test_who_was_erased_is_taken_out_of_a_journal_that_was_made_anew(tmp_path: Path) -> None:
    found = settings.load({}, data=str(tmp_path))
    with closing(Journal(found.journal_url)) as journal:
        journal.record(NIGHT)
        actor = next(
            line["actor"] for line in (row["record"] for row in journal.changes(0)) if "user:" in line["actor"]
        )
        assert keep_erased(found, journal.engine, 1e9) == 0 and not (tmp_path / "accounts.sqlite").exists()
        with closing(open_accounts(tmp_path / "accounts.sqlite", hasher=CHEAP)) as accounts:
            add_user(accounts, actor.removeprefix("user:"), PASSWORD, ["viewer"])
            assert keep_erased(found, journal.engine, 1e9) == 0, "an account like any"
            erase_person(accounts, actor.removeprefix("user:"), actor="cli")
        assert keep_erased(found, journal.engine, 1e9) > 0
        assert lines_of(journal.engine, actor) == []


def test_reports_about_somebody_who_was_erased_are_taken_out_of_a_journal_that_was_made_anew(tmp_path: Path) -> None:
    found = settings.load({}, data=str(tmp_path))
    photos = tmp_path / "photos"
    photos.mkdir()
    told = {"area": "a", "category": "dispute", "time": 1.0, "received": 1.0, "text": "shouting", "actor": "user:an"}
    about = [Reported(id=f"r-{one}", subject=one, photo=f"sha-{one}", **told) for one in ("h1", "h2")]
    with closing(open_accounts(tmp_path / "accounts.sqlite", hasher=CHEAP)) as accounts:
        take_away_about(accounts, found.journal_url, photos, "h1", actor="user:root")
    with closing(Journal(found.journal_url)) as journal:
        journal.record([Record(0, 1, tuple(about))])
        for one in about:
            (photos / f"{one.photo}.jpg").touch()
        assert keep_erased(found, journal.engine, 1e9) == 1
        assert [len(reports_about(journal.engine, one)) for one in ("h1", "h2")] == [0, 1]
    assert [file.name for file in photos.iterdir()] == ["sha-h2.jpg"]


def test_it_is_done_soon_after_a_start_and_then_once_a_day_whatever_the_clock_does() -> None:
    daily = Daily()
    assert daily.is_due(1e9)
    assert daily.is_due(1e9 + 1), "not until it was done"
    daily.done(1e9 + 1)
    assert [daily.is_due(1e9 + seconds) for seconds in (1, 300, DAY, DAY + 1)] == [False, False, False, True]
    assert daily.is_due(1e9 - 10 * DAY), "a clock that was days ahead must not put it off for as long"


@pytest.mark.parametrize(
    ("retention", "personal", "days"),
    [(30.0, 365.0, 300.0), (30.0, 100.0, 100.0), (30.0, 10.0, 30.0), (30.0, 0.0, 300.0)],
)
def test_the_log_keeps_who_did_what_no_longer_than_the_journal_may(
    retention: float, personal: float, days: float
) -> None:
    specs = topic_specs(settings.load({}, retention_days=retention, personal_days=personal), 1)
    assert specs[OUTCOMES].retention_seconds == days * DAY
    assert specs[OBSERVATIONS].retention_seconds == retention * DAY
