"""A journal in a PostgreSQL server: the settings name it, the writer fills it, and every command reads it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import Record
from scripts.cli import application
from sensors.registry import load_site
from streams import bundle, publication, settings
from streams.housekeeping import keep_to_policy
from tests.alerts.cases import change
from tests.postgres import server

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with server() as found:
        yield found


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(application(str(arguments[0])), [*map(str, arguments)])


def test_what_a_run_keeps_there_is_what_commands_show(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "password"
    secret.write_text("never-told\n")
    for name, value in (("JOURNAL", url), ("JOURNAL_PASSWORD_FILE", str(secret)), ("DATA", str(tmp_path))):
        monkeypatch.setenv(f"FORESHOCK_{name}", value)
    found = settings.load()
    told = run("alarms", "list")
    assert told.exit_code != 0 and "never-told" not in told.output + told.stderr, "nothing has run there yet"
    desk, now = Desk(load_site("examples/district")), time.time()
    publication.write(tmp_path, bundle.pack(bundle.Bundle(site=desk.book.site)))
    with closing(Journal(found.journal_url)) as journal:
        journal.record([Record(0, 1, tuple(desk.condition(change(2, area="slope-01", time=now), now)))])
        assert not keep_to_policy(found, journal.engine, now)
    (alarm,) = json.loads(run("alarms", "list", "--json").stdout)
    assert (alarm["area"], alarm["level"], alarm["state"]) == ("slope-01", "yellow", "UNACK")
    (incident,) = json.loads(run("incidents", "list", "--json").stdout)
    assert incident["cause"] == alarm["id"]
    assert json.loads(run("journal", "migrate", "--json").stdout)["steps"] == []
    rebuilt = run("journal", "rebuild")
    assert rebuilt.exit_code != 0 and "never-told" not in rebuilt.output + rebuilt.stderr
    checks = {one["what"]: one for one in json.loads(run("doctor", "--json").stdout)}
    assert "PostgreSQL" in str(checks["journal"])
    assert not (tmp_path / "journal.sqlite").exists()
