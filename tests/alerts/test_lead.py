"""The time that rules' warnings won, from the journal of two weeks."""

from __future__ import annotations

import shutil
from pathlib import Path

from alerts.journal import Journal
from alerts.lead import Lead, lead_times
from alerts.precision import cases
from tests.alerts.situation.played import LIMIT, weeks


def test_a_rule_wins_the_time_from_its_first_alarm_to_the_limit_in_incidents_that_were_real(
    tmp_path: Path, empty: Path
) -> None:
    journal = Journal(shutil.copy(empty, tmp_path / "journal.sqlite"))
    journal.record(weeks())
    found = cases(journal.engine)
    assert {one.rule for one in found} == {"creep", "level"}
    assert lead_times(journal.engine, found, {"p1": LIMIT, "p7": 1.0}) == {"creep": Lead(1, 1, 2400.0)}
    assert lead_times(journal.engine, found, {}) == {}, "no limit, nothing won"
    assert lead_times(journal.engine, found, {"p1": LIMIT + 5}) == {}, "it never said that it was there"
    journal.close()
