"""One person's lines of the journal are given to them, and taken out of what is over; nobody else's change."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import AlarmTransition, Explanation, IncidentChange, Record, Reported, Seen, SilenceChange
from alerts.persons import Erased, erase_actor, erase_subject, lines_of, reports_about
from alerts.tables import metadata
from sensors.observation import Silence
from tests.alerts.cases import SITE, change, command
from tests.alerts.test_journal import dump
from tests.alerts.test_retention import BEGAN, DROPPED, LASTING, MODE, NOW, OLD, SIGNED, case, rows

LI, WANG = "user:lee", "user:wang"
WORDS = "telephoned|came by|mudslide"
SUBJECT = "5" * 24


def told(journal: Journal, table: str) -> str:
    return repr(rows(journal, table))


def over(journal: Journal) -> set[object]:
    """Name what of the cases is over, with its incident."""
    ended = {row["id"] for row in rows(journal, "incidents") if not row["open"]}
    parts = {
        row["id"] for table in ("alarms", "dispatches") for row in rows(journal, table) if row["incident"] in ended
    }
    return ended | parts


@pytest.fixture(autouse=True)
def filled(journal: Journal) -> None:
    journal.record([*OLD, *LASTING, Record(0, 9000, (SIGNED, MODE, BEGAN, DROPPED))])


def test_a_person_is_given_every_line_that_names_them_and_no_other(journal: Journal) -> None:
    lines = lines_of(journal.engine, LI)
    tables = {line["table"] for line in lines}
    assert tables >= {"transitions", "incident_changes", "dispatch_changes", "handovers", "modes", "silences"}
    assert all(LI in repr(line) for line in lines)
    every = sum(LI in repr(row) for table in tables for row in rows(journal, table))
    assert len(lines) == every > 20
    assert len(lines_of(journal.engine, LI, most=3)) == 3
    assert lines_of(journal.engine, "user:le_") == lines_of(journal.engine, "user:lee2") == []
    assert msgspec.json.encode(lines)


def test_a_person_is_taken_out_of_what_is_over_and_nobody_else_is(journal: Journal) -> None:
    assert re.search(WORDS, told(journal, "outbox"))
    done = erase_actor(journal.engine, LI, NOW)
    assert done.lines > 10 and done.left > 5, "one case lasts, and a silence"
    ended = over(journal)
    for table, key in (("transitions", "alarm"), ("incident_changes", "incident"), ("dispatch_changes", "dispatch")):
        for row in rows(journal, table):
            assert not re.search(f"{LI}|{WORDS}", repr(row)) or row[key] not in ended, table
    for table in ("alarms", "incidents", "dispatches"):
        for row in rows(journal, table):
            if row["id"] in ended:
                assert LI not in repr(row) and "mudslide" not in repr(row) and "came by" not in repr(row), table
    for row in rows(journal, "outbox"):
        said = row["payload"] or {"data": {}}
        assert isinstance(said, dict)
        assert not re.search(WORDS, repr(said)) or said["data"]["incident"] not in ended, "what is yet to be told"
    assert WANG in told(journal, "handovers") and LI not in told(journal, "handovers")
    assert WANG in told(journal, "alarms"), "whom the alarm was given to"
    assert LI in told(journal, "silences"), "it is still on"
    again = erase_actor(journal.engine, LI, NOW)
    assert again == Erased(lines=0, left=done.left)


def test_why_somebody_silenced_goes_from_what_is_yet_to_be_told_once_that_is_over(journal: Journal) -> None:
    desk = Desk(SITE)
    for id, actor, why in (("a", LI, "Lee is at the dentist"), ("b", WANG, "works")):
        what = Silence(id=id, until=3600.0, actor=actor, reason=why, time=0.0, areas=("slope-1",))
        journal.record([Record(0, 9001 + ord(id), tuple(desk.silence(what, ("slope-1",), 0.0)))])
    warned = [one for one in desk.tick(3500.0) if isinstance(one, SilenceChange)]
    assert [one.edge for one in warned] == ["warned"] * 2
    over = [one for one in desk.tick(3600.0) if isinstance(one, SilenceChange)]
    journal.record([Record(0, 9201, tuple(warned))])
    erase_actor(journal.engine, LI, NOW)
    assert "dentist" in told(journal, "outbox"), "it is still on"
    journal.record([Record(0, 9202, tuple(over))])
    erase_actor(journal.engine, LI, NOW)
    assert "dentist" not in told(journal, "outbox") + told(journal, "silences")
    assert "'works'" in told(journal, "outbox"), "somebody else's"


def test_what_a_person_wrote_goes_where_others_say_it_again_and_what_others_wrote_stays(journal: Journal) -> None:
    desk = Desk(SITE)
    outs = [desk.condition(change(2, rule="sent", time=5000.0), 5000.0)]
    case = next(one.incident for one in outs[0] if isinstance(one, IncidentChange))
    for number, (kind, actor, args) in enumerate((
        ("dispatch", LI, {"unit": "u-c1", "note": "by the back gate"}),
        ("dispatch", WANG, {"unit": "u-s1", "note": "bring ropes"}),
    )):  # fmt: skip
        outs.append(desk.command(command(kind, case, f"c{number}", actor=actor, **args), 5001.0 + number))
    for order in [*desk.book.cases.dispatches]:
        for number, kind in enumerate(("accept", "on_scene", "resolve", "close")):
            outs.append(desk.command(command(kind, order, f"{order}{number}", actor=LI), 5010.0 + number))
    outs.append(desk.condition(change(0, rule="sent", time=5020.0), 5020.0))
    outs.append(desk.command(command("close", case, "c9", actor=WANG, disposition="real", reason="it held"), 5021.0))
    journal.record([Record(0, 9500 + at, tuple(out)) for at, out in enumerate(outs)])
    erase_actor(journal.engine, LI, NOW)
    found = told(journal, "dispatch_changes") + told(journal, "dispatches")
    assert "back gate" not in found
    assert found.count("bring ropes") >= 6, "in each change of that order, and where it stands"


def test_what_nobody_of_that_name_did_stays_as_it_is(journal: Journal) -> None:
    before = dump(journal)
    assert erase_actor(journal.engine, "user:le", NOW) == Erased()
    assert dump(journal) == before


def quoted(number: int) -> list[Record]:
    """Play a case that quotes a report."""
    seen = Seen(kind="report-smoke", time=5000.0, report=f"r{number}", by="token:kiosk", detail="call 138 0000")
    records = case(f"quoted{number}", 10_000.0 + 100 * number)

    def quoting(one: Any) -> Any:
        if isinstance(one, AlarmTransition):
            return msgspec.structs.replace(one, explanation=Explanation(clause="x", events=(seen,)))
        return one

    return [msgspec.structs.replace(record, outcomes=tuple(map(quoting, record.outcomes))) for record in records]


def report(number: int, area: str = "slope-1", subject: str = SUBJECT) -> Reported:
    return Reported(
        id=f"r{number}", area=area, category="smoke", time=5000.0, received=5000.0, text="call 138 0000",
        subject=subject, photo=str(number) * 64, actor="token:kiosk",
    )  # fmt: skip


def test_reports_about_a_person_are_given_and_go_with_what_quotes_them(journal: Journal) -> None:
    with journal.engine.begin() as connection:  # nothing lasts
        for table in ("incidents", "alarms", "dispatches"):
            connection.execute(sa.update(metadata.tables[table]).values(open=False))
    journal.record([Record(0, 9100, (report(1), report(2, subject="6" * 24))), *quoted(1)])
    assert [one["id"] for one in reports_about(journal.engine, SUBJECT)] == ["r1"]
    assert "138 0000" in told(journal, "alarms") and "138 0000" in told(journal, "transitions")
    done, photos = erase_subject(journal.engine, SUBJECT, NOW)
    assert done.lines > 2 and done.left == 0 and photos == {"1" * 64}
    assert reports_about(journal.engine, SUBJECT) == []
    assert [row["id"] for row in rows(journal, "reports")] == ["r2"], "about another"
    assert "138 0000" not in told(journal, "alarms") + told(journal, "transitions")
    assert erase_subject(journal.engine, SUBJECT, NOW) == (Erased(), set())


def test_reports_stay_where_something_is_open(journal: Journal) -> None:
    journal.record([Record(0, 9100, (report(1), report(2, area="slope-2")))])
    done, photos = erase_subject(journal.engine, SUBJECT, NOW)
    assert (done, photos) == (Erased(lines=1, left=1), {"2" * 64})
    assert [row["id"] for row in rows(journal, "reports")] == ["r1"]


def test_what_was_written_in_cases_about_a_person_goes_also_from_what_is_yet_to_be_told(journal: Journal) -> None:
    other = "6" * 24
    for rule, begin, whose in (("theirs", 20_000.0, SUBJECT), ("others", 30_000.0, other), ("on", 40_000.0, SUBJECT)):
        about = [
            msgspec.structs.replace(one, outcomes=tuple(map(of(whose), one.outcomes)))
            for one in case(rule, begin, closed=rule != "on")
        ]
        journal.record(about)
    cases = {row["subject"]: row["id"] for row in rows(journal, "incidents") if not row["open"] and row["subject"]}
    tables = ("outbox", "incidents", "dispatches", "incident_changes", "dispatch_changes", "alarms", "transitions")

    def written(incident: object) -> list[str]:
        found = [(table, repr(row)) for table in tables for row in rows(journal, table) if str(incident) in repr(row)]
        return [table for table, row in found if re.search(WORDS, row)]

    assert {"outbox", "incidents", "incident_changes", "dispatch_changes"} <= set(written(cases[SUBJECT]))
    before = written(cases[other])
    done, _ = erase_subject(journal.engine, SUBJECT, NOW)
    assert done.lines > 5 and written(cases[SUBJECT]) == []
    assert written(cases[other]) == before, "about another"
    (still,) = (row["id"] for row in rows(journal, "incidents") if row["open"] and row["subject"] == SUBJECT)
    assert written(still), "it lasts"
    assert LI in told(journal, "incident_changes"), "who wrote it is answered for"
    assert erase_subject(journal.engine, SUBJECT, NOW)[0] == Erased()


def of(subject: str) -> Callable[[Any], Any]:
    """Make an incident's changes be about somebody."""
    return lambda one: msgspec.structs.replace(one, subject=subject) if isinstance(one, IncidentChange) else one
