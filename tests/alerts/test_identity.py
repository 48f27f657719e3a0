"""Ids are what they were yesterday: consumers drop repeats by them."""

from __future__ import annotations

from alerts.identity import alarm_id, dispatch_id, incident_id


def test_ids_never_change() -> None:
    assert alarm_id("r1", "p1", 1000.5, 1) == "a-af47a320245a69287a52"
    assert incident_id("slope-1", "risk", "a-1.1") == "i-5158dcc11cc0302487e4"
    assert dispatch_id("i-1", 1) == "d-f8c98e49909c32c81b0d"


def test_parts_cannot_run_into_each_other() -> None:
    assert alarm_id("r", "1p", 1.0, 1) != alarm_id("r1", "p", 1.0, 1)
    assert alarm_id("r", "p", 1.0, 11) != alarm_id("r", "p", 1.01, 1)
