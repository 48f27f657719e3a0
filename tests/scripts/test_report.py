"""`foreshock report situation`: what happened, in the terminal, as JSON and as PDF."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alerts.journal import Journal
from streams import bundle, publication
from streams.bundle import Bundle
from tests.alerts.situation.played import watched, weeks
from tests.scripts.test_cli import english as run
from tests.scripts.test_cli import sentence
from tests.streams.small_site import rules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    publication.write(tmp_path, bundle.pack(Bundle(site=watched(), rules=rules()[:0])))
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record(weeks())
    journal.close()
    return tmp_path


def test_a_week_is_told_as_a_table_as_json_and_as_pdf(folder: Path) -> None:
    asked = ("report", "situation", "--date", "2026-11-18", "--data", folder)
    shown = run(*asked, "--language", "en").output
    assert "Weekly report, district: 2026-11-16 – 2026-11-22" in shown and "Alarms: 7 (1)" in shown
    found = json.loads(run(*asked, "--place", "c1", "--json").stdout)
    assert (found["place"], found["now"]["alarms"]) == ("c1", 1)
    file = folder / "week.pdf"
    assert "is written" in run(*asked, "--pdf", file).output and file.read_bytes().startswith(b"%PDF")


def test_a_place_or_a_day_that_there_is_not_is_said_in_a_sentence(folder: Path) -> None:
    asked = ("report", "situation", "--data", folder)
    assert "no place c3" in sentence(run(*asked, "--place", "c3"))
    assert "write a day as" in sentence(run(*asked, "--date", "yesterday"))
    assert "yet to come" in sentence(run(*asked, "--date", "2999-01-01"))
