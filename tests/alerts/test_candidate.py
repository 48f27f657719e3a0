"""Incidents that rise together in one subdistrict: when that is said, and what a person makes of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from alerts import messages
from alerts.desk import Desk, Settings
from alerts.journal import Journal
from alerts.outcome import AnyOutcome, CandidateChange, Record
from alerts.regrouping import MOST
from sensors.site import Area
from tests.alerts.cases import SITE, change, command, edges, name

MORE = Area(id="slope-2", name=name("slope 2"), type="slope", place="c2", group="s1")
SUBDISTRICT = msgspec.structs.replace(SITE, areas=(*SITE.areas, MORE))


@pytest.fixture
def desk() -> Desk:
    return Desk(SUBDISTRICT)


def rise(desk: Desk, area: str, time: float, rank: int = 2, **facts: object) -> list[AnyOutcome]:
    return desk.condition(change(rank, area=area, scope=f"p-{area}", time=time, **facts), time)  # type: ignore[arg-type]


def three(desk: Desk) -> list[AnyOutcome]:
    rise(desk, "slope-1", 1000.0)
    rise(desk, "river-1", 1600.0)
    return rise(desk, "slope-2", 2200.0)


def said(out: list[AnyOutcome]) -> list[CandidateChange]:
    return [one for one in out if isinstance(one, CandidateChange)]


def test_three_areas_that_rise_within_half_an_hour_may_be_one_matter(desk: Desk) -> None:
    (one,) = said(three(desk))
    assert (one.edge, one.place, one.areas) == ("suggested", "s1", ("slope-1", "river-1", "slope-2"))
    assert set(one.incidents) == set(desk.book.cases.incidents)
    assert len(desk.book.cases.incidents) == 3, "nothing is merged by itself"


@pytest.mark.parametrize(
    "third",
    [
        {"area": "nowhere", "time": 2200.0},
        {"area": "slope-2", "time": 1000.0 + 1801.0},
        {"area": "slope-2", "time": 2200.0, "simulated": True},
        {"area": "slope-2", "time": 2200.0, "kind": "data_quality"},
        {"area": "slope-1", "time": 2200.0, "rule": "r2"},
    ],
    ids=["another subdistrict", "too late", "played", "of quality", "the same area"],
)
def test_what_is_apart_is_not_said_to_be_one(desk: Desk, third: dict[str, object]) -> None:
    rise(desk, "slope-1", 1000.0)
    rise(desk, "river-1", 1600.0)
    assert said(rise(desk, **third)) == []  # type: ignore[arg-type]


def test_one_that_has_stood_for_long_counts_when_it_gets_worse(desk: Desk) -> None:
    rise(desk, "slope-1", 1000.0)
    rise(desk, "river-1", 5000.0)
    assert said(rise(desk, "slope-2", 5100.0)) == []
    assert [one.edge for one in said(rise(desk, "slope-1", 5200.0, rank=3))] == ["suggested"]


def test_a_person_merges_them_into_the_worst(desk: Desk) -> None:
    (one,) = said(three(desk))
    rise(desk, "river-1", 2300.0, rank=3)
    river = next(one.id for one in desk.book.cases.incidents.values() if one.area == "river-1")
    out = desk.command(command("merge", one.candidate, "c1", reason="one slide"), 2400.0)
    assert edges(out).count("incident merged") == 2 and edges(out)[-1] == "ok"
    assert [(x.edge, x.actor, x.reason) for x in said(out)] == [("merged", "user:an", "one slide")]
    assert desk.book.cases.incidents.keys() == {river}
    assert edges(desk.command(command("merge", one.candidate, "c2"), 2401.0)) == ["candidate.merged"], "two at once"


def test_a_dropped_thought_comes_again_only_with_another_area() -> None:
    desk = Desk(SUBDISTRICT, Settings(candidate_areas=2))
    rise(desk, "slope-1", 1000.0)
    (one,) = said(rise(desk, "river-1", 1100.0))
    dropped = desk.command(command("drop", one.candidate, "c1", reason="two roads"), 1200.0)
    assert edges(dropped) == ["candidate dropped", "ok"]
    assert edges(desk.command(command("drop", one.candidate, "c2"), 1201.0)) == ["candidate.dropped"]
    assert said(rise(desk, "river-1", 1300.0, rank=3)) == []
    (again,) = said(rise(desk, "slope-2", 1400.0))
    assert (again.candidate, again.edge, len(again.incidents)) == (one.candidate, "joined", 3)


def test_it_is_over_when_fewer_than_two_are_open(desk: Desk) -> None:
    (one,) = said(three(desk))
    first, second, _ = one.incidents
    assert said(desk.command(command("close", first, "c1", disposition="nuisance"), 2300.0)) == []
    (over,) = said(desk.command(command("close", second, "c2", disposition="nuisance"), 2400.0))
    assert (over.edge, desk.book.cases.candidates) == ("over", {})
    assert edges(desk.command(command("merge", one.candidate, "c3"), 2401.0)) == ["candidate.over"]


def test_it_outlives_a_crash_and_the_journal_lists_it(desk: Desk, tmp_path: Path) -> None:
    out = three(desk)
    again = Desk(SUBDISTRICT)
    again.restore(desk.state())
    (one,) = said(out)
    dropped = again.command(command("drop", one.candidate, "c1"), 2400.0)
    assert dropped == desk.command(command("drop", one.candidate, "c1"), 2400.0)
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record([Record(0, 1, tuple(out))])
    (row,) = journal.candidates()
    assert (row["place"], len(row["incidents"]), row["since"]) == ("s1", 3, 2200.0)
    journal.record([Record(0, 2, tuple(dropped))])
    assert journal.candidates() == []
    (row,) = journal.candidates("dropped")
    assert (row["by"], row["since"]) == ("user:an", 2200.0)
    journal.close()


def test_more_than_one_order_merges_by_hand_are_merged_whole() -> None:
    areas = tuple(Area(id=f"a{n}", name=name(f"a {n}"), type="slope", place="c1", group="s1") for n in range(MOST + 4))
    desk = Desk(msgspec.structs.replace(SITE, areas=areas))
    told = [one for area in areas for one in said(rise(desk, area.id, 1000.0))]
    first, *others = desk.book.cases.incidents
    by_hand = desk.command(command("merge", first, "c1", incidents=others), 1001.0)
    assert edges(by_hand) == ["incident.too_many_at_once"]
    assert str(MOST) in messages.text("incident.too_many_at_once", "en")
    out = desk.command(command("merge", told[-1].candidate, "c2"), 1002.0)
    assert edges(out)[-1] == "ok" and len(desk.book.cases.incidents) == 1


def test_what_was_split_by_hand_is_not_said_to_be_one_again(desk: Desk) -> None:
    (one,) = said(three(desk))
    desk.command(command("merge", one.candidate, "c1"), 2300.0)
    (merged,) = desk.book.cases.incidents.values()
    away = next(id for id in merged.members if desk.book.cases.alarms[id].area != merged.area)
    desk.command(command("split", merged.id, "c2", alarms=[away]), 2301.0)
    assert said(rise(desk, merged.area, 2400.0, rank=3)) == []


def test_it_is_of_the_areas_that_were_merged_into_its_incidents_too(desk: Desk) -> None:
    rise(desk, "slope-1", 1000.0)
    rise(desk, "river-1", 1100.0)
    slope, river = desk.book.cases.incidents
    desk.command(command("merge", slope, "c1", incidents=[river]), 1200.0)
    (one,) = said(rise(desk, "slope-2", 1600.0))
    assert set(one.areas) == {"slope-1", "river-1", "slope-2"}, "who may see but one of them is told of none"
