"""Cases that people tell of: one for each subject, which later reports join; what raises, moves and ends them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from alerts import reported
from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import AlarmTransition, AnyOutcome, DispatchChange, IncidentChange, Record
from alerts.reported import CasesFullError
from sensors.observation import SIMULATED, Report
from sensors.site import ReportKind, Text
from tests.alerts.cases import SITE, change, command, edges

NAMED = Text(zh="家庭纠纷", en="family dispute")
CASES = msgspec.structs.replace(
    SITE,
    reports=(
        ReportKind(category="family-dispute", name=NAMED, type="dispute"),
        ReportKind(category="quarrel", name=NAMED, type="dispute"),
        ReportKind(category="smell", name=NAMED),
    ),
)


def report(id: str, category: str = "family-dispute", subject: str | None = "h1", **facts: Any) -> Report:
    facts = {"area": "slope-1", "text": "shouting"} | facts
    return Report(id=id, category=category, time=990.0, received=1000.0, subject=subject, actor="user:li", **facts)


def told(desk: Desk, *reports: Report) -> list[AnyOutcome]:
    return [one for at, report in enumerate(reports) for one in desk.report(report, 1000.0 + at)]


def opened(out: list[AnyOutcome]) -> list[str]:
    return [one.incident for one in out if isinstance(one, IncidentChange) and one.edge == "opened"]


@pytest.fixture
def desk() -> Desk:
    return Desk(CASES)


def test_later_reports_about_a_subject_join_its_open_case_and_raise_it(desk: Desk) -> None:
    out = told(desk, report("r1"), report("r2"), report("r3", "quarrel"), report("r4"))
    (case,) = opened(out)
    incident = desk.book.cases.incidents[case]
    assert (incident.sort, incident.subject, len(incident.alarms)) == ("dispute", "h1", 1)
    joined = [one for one in out if isinstance(one, IncidentChange) and one.edge == "reported"]
    assert [one.args for one in joined] == [{"report": f"r{n}", "count": n} for n in (1, 2, 3, 4)]
    assert [one.level for one in joined] == ["blue", "yellow", "orange", "orange"]
    assert [one.unit for one in out if isinstance(one, DispatchChange) and one.edge == "issued"] == ["u-c1"]
    first = out[0]
    assert isinstance(first, AlarmTransition) and first.explanation is not None
    assert first.explanation.events[0].report == "r1" and "shouting" not in str(first)


def test_subjects_have_cases_apart_and_apart_from_what_sensors_tell(desk: Desk) -> None:
    out = told(desk, report("r1"), report("r2", subject="h2"), report("r3", "smell", None), report("r4", "smell", None))
    assert len(opened(out)) == 3
    sensed = desk.condition(change(2), 1010.0)
    assert len(opened(sensed)) == 1, "an alarm of the area joins none of them"
    assert len(opened(told(desk, report("r5", subject="h3")))) == 1


def test_a_case_goes_where_its_subject_was_first_told_of(desk: Desk) -> None:
    out = told(desk, report("r1"), report("r2", area="river-1"))
    assert len(opened(out)) == 1
    assert {one.area for one in out if isinstance(one, IncidentChange)} == {"slope-1"}


@pytest.mark.parametrize("disposition", ["real", "nuisance"])
def test_a_person_ends_it_and_the_next_report_begins_another(desk: Desk, disposition: str) -> None:
    (case,) = opened(told(desk, report("r1")))
    assert "incident closed" not in edges(desk.tick(1000.0 + 86400.0 * 30)), "time ends it not"
    out = desk.command(command("close", case, "c1", disposition=disposition, reason="talked"), 1100.0)
    assert edges(out)[-1] == "ok" and "return" in edges(out)
    assert not desk.book.cases.alarms and not desk.book.cases.incidents
    (again,) = opened(told(desk, report("r2")))
    assert again != case
    assert not [key for key in desk.book.cases.counts if "h1" in key], "subjects are not remembered"


def test_a_case_goes_first_to_who_answers_for_its_category_and_then_to_the_place(desk: Desk) -> None:
    named = msgspec.structs.replace(CASES.reports[0], levels=("yellow", "orange"), units=("u-d", "mediation"))
    desk.publish(msgspec.structs.replace(CASES, reports=(named, *CASES.reports[1:])))
    out = told(desk, report("r1"), report("r2"))
    joined = [one for one in out if isinstance(one, IncidentChange) and one.edge == "reported"]
    assert joined[-1].args == {"report": "r2", "count": 2, "category": "family-dispute"}
    (sent,) = [one for one in out if isinstance(one, DispatchChange)]
    assert (sent.unit, sent.reason) == ("u-d", "dispatch.by_category")
    again = Desk(CASES)
    again.restore(desk.state())
    again.publish(desk.book.site)
    _, passed, *_ = again.command(command("refuse", sent.dispatch, "c1", reason="full"), 1010.0)
    assert isinstance(passed, DispatchChange) and (passed.edge, passed.unit) == ("reassigned", "u-talk")
    late = [one for one in again.tick(5000.0) if isinstance(one, DispatchChange) and one.edge == "reassigned"]
    assert [one.unit for one in late] == ["u-c1"], "who does not answer has the place's own after them"
    last = [one for one in again.tick(9000.0) if isinstance(one, DispatchChange) and one.edge == "reassigned"]
    assert [one.unit for one in last] == ["u-s1"], "and from there it goes up as ever"


def test_other_categories_of_the_same_site_go_to_the_place_itself(desk: Desk) -> None:
    named = msgspec.structs.replace(CASES.reports[0], units=("u-talk",))
    desk.publish(msgspec.structs.replace(CASES, reports=(named, *CASES.reports[1:])))
    out = told(desk, *(report(f"r{n}", "quarrel", subject="h2") for n in range(3)))
    assert [(one.unit, one.reason) for one in out if isinstance(one, DispatchChange)] == [
        ("u-c1", "dispatch.by_level"),
    ]


def test_a_shelved_one_ends_with_its_case_too(desk: Desk) -> None:
    (case,) = opened(told(desk, report("r1")))
    (alarm,) = desk.book.cases.alarms
    desk.command(command("shelve", alarm, "c1", seconds=600.0, reason="x"), 1100.0)
    assert edges(desk.command(command("close", case, "c2", disposition="real"), 1101.0))[-1] == "ok"
    assert not desk.book.cases.alarms


def test_what_is_played_is_apart_and_other_categories_make_no_case(desk: Desk) -> None:
    out = told(desk, report("r1"), report("r2", quality=SIMULATED), report("r3", "noise"))
    assert len(opened(out)) == 2
    assert {one.simulated for one in desk.book.cases.incidents.values()} == {False, True}


def test_cases_of_two_subjects_can_be_merged_but_not_with_what_sensors_tell(desk: Desk) -> None:
    first, second = opened(told(desk, report("r1"), report("r2", subject="h2")))
    (sensed,) = opened(desk.condition(change(2), 1010.0))
    assert edges(desk.command(command("merge", first, "c1", incidents=[second]), 1020.0))[-1] == "ok"
    assert edges(desk.command(command("merge", first, "c2", incidents=[sensed]), 1021.0)) == ["incident.other_kind"]
    out = told(desk, report("r3", subject="h2"))
    assert {one.incident for one in out if isinstance(one, IncidentChange)} == {first}


def test_there_are_at_most_so_many_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reported, "MOST", 2)
    assert len(opened(told(desk, *(report(f"r{n}", subject=f"h{n}") for n in range(2))))) == 2
    before = desk.state()
    with pytest.raises(CasesFullError, match="r2"):
        told(desk, report("r2", subject="h2"))
    assert desk.state() == before
    assert "incident reported" in edges(told(desk, report("r9", subject="h0"))), "who is known is still heard"


def test_a_crash_between_changes_nothing_and_the_journal_has_the_sort(desk: Desk, tmp_path: Path) -> None:
    outs = [told(desk, report("r1"))]
    again = Desk(CASES)
    again.restore(desk.state())
    outs.append(told(again, report("r2")))
    assert outs[1] == told(desk, report("r2"))
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record([Record(0, at, tuple(out)) for at, out in enumerate(outs)])
    (row,) = journal.incidents().items
    assert (row["sort"], row["subject"], row["level"]) == ("dispute", "h1", "yellow")
    journal.close()
