"""Verdicts read from the journal as they were when each alarm opened, and odds that hide no alarm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import Explanation, IncidentChange, Record, Seen
from alerts.queries import Reader
from alerts.triage import Triage, come_true, verdicts
from alerts.triage_folder import FOLDER, PROMOTED, TriageStoreError, in_force, packed_in_force
from models.promotion import Promotion
from models.triage.fitting import fit
from models.triage.store import Facts, encode
from streams import triage_models
from tests.alerts.cases import SITE, change, command
from tests.models.triage.verdicts import drawn

TYPES = {area.id: area.type for area in SITE.areas}
WHY = Explanation(
    clause="score > 0.99",
    points=("p1", "p2"),
    events=(Seen(kind="debris", time=1.0, camera="k1"), Seen(kind="report-slope", time=1.0, report="r1")),
    score=0.999,
)


class Office:
    """A desk and its journal, where incidents are opened and closed with a verdict."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder / "journal.sqlite")
        self.reader = Reader(str(folder / "journal.sqlite"))
        self.desk = Desk(SITE)
        self.offset = 0

    def take(self, outcomes: Sequence[Any]) -> Sequence[Any]:
        self.offset += 1
        self.journal.record([Record(0, self.offset, tuple(outcomes))])
        return outcomes

    def raise_alarm(self, at: float, level: int = 2, **fields: Any) -> str:
        why = fields.pop("why", None)
        moved = change(level, time=at, **fields)
        told = self.take(self.desk.condition(replace(moved, why=why) if why else moved, at))
        return next(one.incident for one in told if isinstance(one, IncidentChange))

    def close(self, incident: str, at: float, disposition: str, **fields: Any) -> None:
        self.take(self.desk.condition(change(0, time=at, **fields), at))
        for step, kind in enumerate(("acknowledge", "close")):
            extra = {"disposition": disposition, "reason": "seen"} if kind == "close" else {}
            order = command(kind, incident, f"{incident}-{kind}-{at:g}", **extra)
            self.take(self.desk.command(order, at + 1.0 + step))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def promoted(folder: Path, seed: int = 0) -> str:
    fitted = fit([verdict for verdict, _ in drawn(300, seed)])
    facts = Facts(begin=1.0, end=2.0, code="test", trained=3.0, figures=fitted.figures)
    version = triage_models.keep(folder, encode(fitted.model, facts)).version
    triage_models.set_promoted(folder, [Promotion(version)])
    return version


def test_a_verdict_is_told_with_what_was_known_when_its_alarm_opened(office: Office) -> None:
    first = office.raise_alarm(100_000.0, why=WHY)
    office.close(first, 101_000.0, "nuisance")
    second = office.raise_alarm(150_000.0, level=1)
    office.raise_alarm(150_100.0, level=2)
    office.close(second, 151_000.0, "real")
    one, two = sorted(verdicts(office.reader, TYPES), key=lambda found: found.case.opened)
    assert (one.real, two.real) == (False, True)
    assert (one.case.rule, one.case.area, one.case.type, one.case.level) == ("r1", "slope-1", "slope", 2)
    assert (one.case.score, one.case.events, one.case.reports, one.case.points) == (0.999, 1, 1, 2)
    assert one.case.repeats == 0 and two.case.repeats == 1
    assert two.case.level == 1, "that it rose later was not known yet"
    assert one.closed > one.case.opened and one.weight == 1.0


def test_a_model_is_held_against_verdicts_on_alarms_after_those_it_learnt_from(office: Office, tmp_path: Path) -> None:
    office.close(office.raise_alarm(1.5, rule="r0"), 10_000.0, "real", rule="r0")  # known when it learnt, closed later
    for number in range(3):
        at = 20_000.0 * (number + 1)
        office.close(office.raise_alarm(at), at + 1000.0, "real")
    promoted(tmp_path)
    stored = in_force(tmp_path)
    assert stored is not None and stored.facts.end == 2.0
    found = come_true(office.reader, TYPES, stored)
    assert (found.verdicts, found.real, found.drifted) == (3, 1.0, False) and 0.0 < found.told < 1.0


def test_the_console_goes_by_the_publication_and_without_one_by_the_folder(tmp_path: Path) -> None:
    promoted(tmp_path)
    triage, stored = Triage(tmp_path), in_force(tmp_path)
    assert stored is not None
    published = Triage(tmp_path / "elsewhere", packed_in_force(tmp_path)).stored()
    assert triage.stored() is not None and published is not None and published.version == stored.version
    triage.take(b"")
    assert triage.stored() is None, "the publication says that none is in force"
    triage.take(None)
    assert triage.stored() is not None
    triage.take(b"broken")
    assert triage.stored() is None, "no odds, and no error"


def test_tests_duplicates_and_open_incidents_teach_nothing(office: Office) -> None:
    for number, disposition in enumerate(("test", "duplicate")):
        at = 1000.0 * (number + 1)
        office.close(office.raise_alarm(at), at + 500.0, disposition)
    office.raise_alarm(9000.0)
    assert verdicts(office.reader, TYPES) == []


def test_open_alarms_get_odds_and_all_stay_as_they_are(office: Office, tmp_path: Path) -> None:
    for number in range(3):
        office.raise_alarm(1000.0 + number, level=number + 2, rule=f"r{number}", scope=f"p{number}")
    office.close(office.raise_alarm(2000.0, rule="gone", area="river-1", scope="p9"), 3000.0, "real", rule="gone",
                 area="river-1", scope="p9")  # fmt: skip
    before = office.reader.alarms("all").items
    promoted(tmp_path)
    rows = office.reader.alarms("all").items
    Triage(tmp_path).add(office.reader, rows, TYPES)
    assert [{**row, "odds": None, "odds_reason": None} for row in rows] == [
        {**row, "odds": None, "odds_reason": None} for row in before
    ], "nothing else changed"
    told = {row["rule"]: row["odds"] for row in rows}
    assert all(0.0 < told[f"r{number}"] < 1.0 for number in range(3)) and told["gone"] is None


def test_an_incident_has_the_odds_of_its_likeliest_open_alarm(office: Office, tmp_path: Path) -> None:
    for number in range(3):
        office.raise_alarm(1000.0 + number, level=number + 2, rule=f"r{number}", scope=f"p{number}")
    office.close(office.raise_alarm(2000.0, rule="gone", area="river-1", scope="p9"), 3000.0, "real", rule="gone",
                 area="river-1", scope="p9")  # fmt: skip
    triage = Triage(tmp_path)
    rows = office.reader.incidents("all").items
    triage.add_to_incidents(office.reader, rows, TYPES)
    assert all(row["odds"] is None for row in rows), "nothing is learnt yet"
    promoted(tmp_path)
    alarms = office.reader.alarms("all").items
    triage.add(office.reader, alarms, TYPES)
    told = {row["id"]: row["odds"] for row in alarms}
    triage.add_to_incidents(office.reader, rows, TYPES)
    assert {row["state"] == "closed" for row in rows} == {True, False}
    for row in rows:
        likeliest = max((told[id] for id in row["alarms"] if told[id] is not None), default=None)
        assert row["odds"] == (None if row["state"] == "closed" else likeliest)


def test_without_a_model_or_with_a_broken_one_alarms_come_without_odds(office: Office, tmp_path: Path) -> None:
    office.raise_alarm(1000.0)
    triage = Triage(tmp_path)
    rows = office.reader.alarms().items
    triage.add(office.reader, rows, TYPES)
    assert [row["odds"] for row in rows] == [None]
    version = promoted(tmp_path)
    triage.add(office.reader, rows, TYPES)
    assert rows[0]["odds"] is not None, "a promotion is seen at once"
    (tmp_path / FOLDER / f"{version}.model").write_bytes(b"other")
    with pytest.raises(TriageStoreError, match="not what was promoted"):
        in_force(tmp_path)
    other = Triage(tmp_path)
    other.add(office.reader, rows, TYPES)
    assert rows[0]["odds"] is None
    (tmp_path / FOLDER / PROMOTED).write_text("{")
    with pytest.raises(TriageStoreError, match="cannot be read"):
        in_force(tmp_path)


def test_a_rollback_to_nothing_is_no_model(tmp_path: Path) -> None:
    promoted(tmp_path)
    triage_models.set_promoted(tmp_path, [])
    assert in_force(tmp_path) is None
