"""Reports that are counted: in a community, about one person, real and simulated apart, over restarts."""

from __future__ import annotations

import msgspec
import pytest

from rules import reports
from rules.compiler import compile_rules
from rules.evaluation import Change, Evaluator
from rules.expression import ExpressionError, Flag, parse
from rules.reports import MOST, Tallies, wanted
from rules.rule import Rule
from rules.unparse import unparse
from sensors.observation import SIMULATED, CameraEvent, Report
from sensors.site import Area, Place, Site
from tests.rules.stage import NO_TEXT, Bank, a_rule

T = 1_699_920_000.0
PLACES = (
    Place(id="d", kind="district", name=NO_TEXT),
    Place(id="s", kind="subdistrict", name=NO_TEXT, parent="d"),
    *(Place(id=id, kind="community", name=NO_TEXT, parent="s") for id in ("c1", "c2")),
    Place(id="k", kind="compound", name=NO_TEXT, parent="c1"),
)
SITE = Site(
    id="s",
    name=NO_TEXT,
    places=PLACES,
    areas=tuple(
        Area(id=id, name=NO_TEXT, type="slope", place=place) for id, place in (("a", "c1"), ("b", "k"), ("far", "c2"))
    ),
)
THREE = a_rule("three", when="reports('gas', 3, '1 h')", scope="area")
AGAIN = a_rule("again", when="repeat('dispute', 2, '14 d')", scope="area")


class Street:
    """An evaluator that people report to."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules
        self.evaluator = Evaluator(compile_rules(rules, SITE, ()), Bank(0))

    def report(
        self, at: float, category: str = "gas", area: str = "a", subject: str = "", quality: int = 0
    ) -> list[Change]:
        time = T + at
        one = Report(
            id=f"r{at:g}", area=area, category=category, time=time, received=time, text="smells", actor="user:li",
            subject=subject or None, photo="0f" if at == 2 else None, quality=quality,
        )  # fmt: skip
        kind = f"report-{category}"
        seen = CameraEvent(
            area=area, camera="report", kind=kind, event=one.id, time=time, received=time, quality=quality
        )
        return self.evaluator.event(seen, time, one)

    def tick(self, at: float) -> list[Change]:
        return self.evaluator.tick(T + at)

    def restarted(self, *rules: Rule) -> Street:
        fresh = Street(*(rules or self.rules))
        fresh.evaluator.restore(self.evaluator.state())
        return fresh


def levels(changes: list[Change]) -> list[tuple[str, int]]:
    return [(change.area, change.after) for change in changes]


def test_the_third_report_within_an_hour_raises_the_rule_and_the_clock_ends_it() -> None:
    street = Street(THREE)
    assert not street.tick(-1)  # from here on it is watched; nobody could say of an hour before what was not reported
    assert not street.report(0) and not street.report(600)
    assert levels(street.report(1200)) == [("a", 2)]
    assert not street.tick(3599)
    assert levels(street.tick(3601)) == [("a", 0)]
    assert levels(street.report(3700)) == [("a", 2)], "the last three are within an hour again"


def test_reports_over_a_longer_time_or_of_another_category_do_not() -> None:
    street = Street(THREE)
    told = [*street.report(0), *street.report(1800), *street.report(4000), *street.report(4001, category="noise")]
    assert not told


def test_reports_count_over_a_community_and_the_alarm_is_where_the_last_one_was() -> None:
    street = Street(THREE)
    assert not street.report(0, area="a") and not street.report(1, area="far") and not street.report(2, area="b")
    assert levels(street.report(3, area="b")) == [("b", 2)], "a compound lies in its community"
    assert not street.report(4, area="far")


def test_reports_about_one_person_are_told_apart_from_others() -> None:
    street = Street(AGAIN)
    day = 86_400.0
    assert not street.tick(-1)
    assert not street.report(0, "dispute", subject="x") and not street.report(day, "dispute", subject="y")
    assert not street.report(2 * day, "dispute") and not street.report(3 * day, "dispute"), "about nobody named"
    assert levels(street.report(4 * day, "dispute", subject="x")) == [("a", 2)]
    assert levels(street.tick(14 * day + 1)) == [("a", 0)]


def test_the_reasons_name_the_report_its_words_and_who_brought_it() -> None:
    street = Street(THREE)
    street.report(0)
    street.report(1)
    [change] = street.report(2)
    assert change.why is not None
    assert [term.name for term in change.why.terms] == ["reports('gas', 3, '1h')"]
    [told] = change.why.events
    assert (told.report, told.detail, told.by, told.photo) == ("r2", "smells", "user:li", True)
    assert change.why.cameras == (), "a report is no camera"


def test_a_camera_s_own_level_and_words_are_among_the_reasons() -> None:
    street = Street(a_rule(when="seen('debris', '5m')", scope="area"))
    seen = CameraEvent(
        area="a", camera="cam", kind="debris", event="1", time=T, received=T, level="orange", detail="石块"
    )
    [change] = street.evaluator.event(seen, T)
    assert change.why is not None and change.why.cameras == ("cam",)
    assert [(one.camera, one.level, one.detail) for one in change.why.events] == [("cam", "orange", "石块")]


@pytest.mark.parametrize("rules", [(), (THREE, a_rule("four", when="reports('gas', 4, '1 h')", scope="area"))])
def test_what_was_reported_is_remembered_over_a_restart(rules: tuple[Rule, ...]) -> None:
    street = Street(THREE)
    street.report(0)
    street.report(1)
    assert levels(street.restarted(*rules).report(2)) == [("a", 2)]


def test_a_simulated_report_makes_no_real_number() -> None:
    street = Street(THREE)
    street.report(0)
    street.report(1, quality=SIMULATED)
    [change] = street.report(2, quality=SIMULATED)
    assert change.simulated
    assert not any(one.simulated for one in [*street.report(3), *street.report(4)] if one.after > one.before)
    assert not street.evaluator.by_simulation.any(), "three real ones by now"


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.reports.MOST_TALLIES", 10)
    tallies = Tallies({wanted("x", 2, of_one=True)})
    for number in range(200):
        list(tallies.add("report-x", "c", f"person {number % 50}", float(number), False))
        list(tallies.add("report-y", "c", "", 0.0, False))
    kept = tallies.state()
    assert len(kept) == 10 and {one.kind for one in kept} == {"report-x"}
    assert all(len(one.real) <= MOST for one in kept)


def test_a_clock_that_is_set_back_leaves_nothing_in_the_future() -> None:
    tallies = Tallies({wanted("x", 2, of_one=False)})
    list(tallies.add("report-x", "c", "", 100.0, False))
    tallies.step(50.0)
    assert [one.real for one in tallies.state()] == [[50.0]]
    assert list(tallies.add("report-x", "c", "", 60.0, False)) == [("2*report-x", 50.0, False)]


def test_it_is_written_as_it_is_read() -> None:
    for text in ("reports('gas', 3, '1h')", "repeat('family-dispute', 2, '14d')"):
        found = parse(text)
        assert isinstance(found, Flag) and unparse(found) == text
        assert msgspec.json.encode(found.count) in (b"3", b"2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("reports('gas', '1h')", "write reports('noise', 3, '1h')"),
        ("repeat('x', 2)", "write repeat('family-dispute', 2, '14d')"),
        ("reports('gas', True, '1h')", "write reports"),
        ("reports('gas', 1, '1h')", "counts 2 to 50"),
        ("reports('gas', 51, '1h')", "counts 2 to 50"),
        ("reports('Gas!', 3, '1h')", "a category is of small letters"),
        ("reports('gas', 3, 'soon')", "soon"),
        ("reports", "stands alone; write reports('noise', 3, '1h')"),
        ("area.any(reports('gas', 3, '1h'))", "outside area"),
    ],
)
def test_what_cannot_be_asked_is_told_with_what_can(text: str, said: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert said in refused.value.message


def test_of_too_many_places_and_persons_the_longest_unheard_of_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The community's own count, which was begun first, is told of with each person: it stays."""
    monkeypatch.setattr(reports, "MOST_TALLIES", 3)
    tallies = Tallies([wanted("noise", 4, of_one=False), wanted("noise", 2, of_one=True)])
    found = [list(tallies.add("report-noise", "c1", person, T + at, False)) for at, person in enumerate("abcd")]
    assert found[3] == [("4*report-noise", T, False)]
    assert {one.subject for one in tallies.state()} == {"", "c", "d"}
    again = Tallies([wanted("noise", 4, of_one=False), wanted("noise", 2, of_one=True)])
    again.restore(tallies.state())
    list(again.add("report-noise", "c1", "e", T + 5, False))
    assert {one.subject for one in again.state()} == {"", "d", "e"}
