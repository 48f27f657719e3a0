"""`foreshock outbox`: what was not delivered is listed with its reason, and tried again when asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alerts.notifiers.deliveries import Deliveries, Letter
from alerts.notifiers.notice import Notice
from scripts.commands import doctor
from streams import settings
from tests.scripts.test_cli import run, sentence


def letter(id: str, *, dead: bool) -> Letter:
    notice = Notice(id=id, kind="dispatch", area="slope-1", unit="team-7", simulated=False, time=1.0, payload={})
    return Letter(notice, 3, 5.0, dead, "answered 400")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    deliveries = Deliveries(tmp_path / "outbox.sqlite")
    deliveries.put_off("webhook", letter("d-1.1", dead=True))
    deliveries.put_off("webhook", letter("d-2.1", dead=True))
    deliveries.put_off("webhook", letter("d-3.1", dead=False))
    deliveries.put_off("mqtt", letter("d-1.1", dead=True))
    deliveries.close()
    return tmp_path


def dead(folder: Path) -> list[tuple[str, str]]:
    listed = json.loads(run("outbox", "list", "--json", "--data", folder).output)
    return [(one["target"], one["notice"]["id"]) for one in listed if one["dead"]]


def test_what_was_not_delivered_is_listed_with_its_reason(folder: Path) -> None:
    shown = run("outbox", "list", "--target", "webhook", "--data", folder).output
    assert shown.count("answered 400") == 3 and shown.count("never") == 2 and "team-7" in shown
    assert dead(folder) == [("mqtt", "d-1.1"), ("webhook", "d-1.1"), ("webhook", "d-2.1")]


def test_one_or_all_of_a_target_or_of_every_target_are_tried_again(folder: Path) -> None:
    assert run("outbox", "retry", "d-1.1", "--target", "webhook", "--data", folder).exit_code == 0
    assert dead(folder) == [("mqtt", "d-1.1"), ("webhook", "d-2.1")]
    assert "1 order" in run("outbox", "retry", "--target", "mqtt", "--data", folder).output
    assert dead(folder) == [("webhook", "d-2.1")]
    assert run("outbox", "retry", "--data", folder).exit_code == 0
    assert dead(folder) == []
    assert "outbox list" in sentence(run("outbox", "retry", "--data", folder))


def test_the_doctor_misses_what_was_not_delivered(folder: Path) -> None:
    def finding() -> doctor.Finding:
        found = settings.load({}, data=str(folder), site=str(Path(__file__).parents[2] / "examples" / "district"))
        return next(doctor.examine(found, "outbox"))

    assert not finding().well and "3 order(s)" in finding().said
    run("outbox", "retry", "--data", folder)
    assert finding().well
