from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rules.breaking import breaks, failures, notice
from rules.compiler import CompileError, compile_rules
from rules.evaluation import Evaluator
from rules.rule import encode_decision, load_rules
from rules.vectors import Bench
from sensors.document import DocumentError
from sensors.observation import HISTORICAL
from tests.rules.stage import RATIONALE, a_point, a_rule, a_site
from tests.rules.test_calendar import at
from tests.rules.test_evaluation import Play, moves

SITE = a_site(a_point("p", levels={"red": 8.0}), a_point("q"), a_point("rain", quantity="rain", unit="mm"))
ON_P = {"points": ["p"]}


def a_play(**fields: Any) -> Play:
    return Play(SITE, [a_rule(where=ON_P, **fields)])


def levels_of(play: Play, values: list[float], begin: float = 0.0, step: float = 1.0) -> list[int]:
    found = []
    for number, value in enumerate(values):
        play.read("p", begin + number * step, value)
        found.append(int(play.evaluator.current[0]))
    return found


# Deadband


def test_a_deadband_holds_an_alarm_until_the_value_is_back_by_it() -> None:
    assert levels_of(a_play(when="value > 5", deadband="50 cm"), [5.1, 4.9, 4.6, 4.5, 5.0]) == [2, 2, 2, 0, 0]
    assert levels_of(a_play(when="value < 5", deadband=0.5), [4.9, 5.1, 5.4, 5.5]) == [2, 2, 2, 0]
    assert levels_of(a_play(when="beyond('red')", deadband=1.0), [8.0, 7.5, 6.9]) == [2, 2, 0]


def test_a_level_with_its_own_clear_keeps_it() -> None:
    play = a_play(levels={"yellow": {"when": "value > 5", "clear": "value < 1"}}, deadband=0.5)
    assert levels_of(play, [6, 4, 2, 0]) == [2, 2, 2, 0]


def test_a_deadband_is_shown_with_what_would_clear() -> None:
    play = a_play(when="value > 5", deadband="0.5 m")
    (change,) = play.read("p", 0.0, 6.0)
    assert change.why is not None
    assert change.why.clear == "not (value > 5), by 0.5 m"
    assert change.why.clear_terms[0].threshold == 4.5


@pytest.mark.parametrize(
    ("when", "deadband", "part"),
    [("value > 5", "2 °C", "do not measure the same"), ("score > 0.9", "0.5", "needs a limit that the value")],
)
def test_a_deadband_that_does_not_fit_is_refused(when: str, deadband: str, part: str) -> None:
    with pytest.raises(CompileError, match=part):
        compile_rules([a_rule(when=when, deadband=deadband)], SITE, SITE.points)


# Samples


def test_samples_ask_for_so_many_of_the_last_readings() -> None:
    play = a_play(when="value > 5", samples="3 of 5")
    assert levels_of(play, [6, 1, 6, 1, 6, 1, 1, 1, 6, 6, 6]) == [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 2]


@given(st.lists(st.tuples(st.sampled_from([1.0, 6.0]), st.booleans(), st.booleans()), max_size=60), st.data())
def test_samples_are_counted_as_a_list_counts_them_whatever_restarts(
    told: list[tuple[float, bool, bool]], data: st.DataObject
) -> None:
    of = data.draw(st.integers(1, 12))
    least = data.draw(st.integers(1, of))
    play = a_play(when="value > 5", samples=f"{least} of {of}")
    held: list[bool] = []
    for time, (value, history, restart) in enumerate(told):
        play.read("p", float(time), value, quality=HISTORICAL if history else 0)
        if not history:
            held.append(value > 5)
            was = play.evaluator.current[0] == 2
            assert was == (held[-1] and (sum(held[-of:]) >= least))
        play.tick(time + 0.5)
        if restart:
            fresh = Evaluator(play.evaluator.book, play.bank)
            fresh.restore(play.evaluator.state())
            play.evaluator = fresh


def test_samples_and_for_must_both_be_met() -> None:
    play = a_play(when="value > 5", samples="2 of 3", **{"for": "10 s"})
    assert levels_of(play, [6, 6, 6], step=4.0) == [0, 0, 0]
    assert moves(play.tick(10.0)) == [("none", "yellow")]


# Schedule


def test_outside_its_schedule_a_rule_raises_nothing_and_its_alarms_end() -> None:
    play = a_play(
        when="value > 5", clear="value < 1", schedule={"from": "22:00", "to": "06:00", "days": ["mon", "tue"]}
    )
    assert levels_of(play, [9.0], begin=at("2026-05-04 21:59")) == [0]
    assert moves(play.tick(at("2026-05-04 22:00"))) == [("none", "yellow")]  # a Monday
    assert play.tick(at("2026-05-05 05:59")) == []
    (change,) = play.tick(at("2026-05-05 06:00"))
    assert moves([change]) == [("yellow", "none")]
    assert change.why is not None
    assert change.why.clause == ("(value > 5) and between('22:00', '06:00') and (weekday == 1 or weekday == 2)")
    assert play.tick(at("2026-05-06 23:00")) == []


def test_a_schedule_of_working_days_goes_by_the_sites_holidays() -> None:
    site = msgspec.structs.replace(SITE, holidays="CN")
    play = Play(site, [a_rule(when="value > 5", where=ON_P, schedule={"days": ["workdays"]})])
    assert levels_of(play, [9.0], begin=at("2026-10-02 12:00")) == [0]  # a Friday of the long holiday
    assert moves(play.tick(at("2026-10-10 12:00"))) == [("none", "yellow")]  # a Saturday that is worked
    with pytest.raises(CompileError, match=r"site\.yaml"):
        compile_rules([a_rule(when="value > 5", schedule={"days": ["holidays"]})], SITE, SITE.points)


# Corroboration


def test_a_rule_waits_for_what_corroborates_it_and_does_not_end_when_that_grows_old() -> None:
    play = a_play(when="value > 5", **{"with": [{"event": "debris", "within": "5 min"}, {"report": "slide"}]})
    assert levels_of(play, [9.0]) == [0]
    (change,) = play.see("debris", 10.0)
    assert moves([change]) == [("none", "yellow")]
    assert change.why is not None
    assert change.why.clause == "(value > 5) and (seen('debris', '300s') or seen('report-slide', '600s'))"
    assert [told.kind for told in change.why.events] == ["debris"]
    assert play.tick(1000.0) == []
    assert moves(play.read("p", 1001.0, 1.0)) == [("yellow", "none")]
    assert play.read("p", 1002.0, 9.0) == []
    assert moves(play.see("report-slide", 1003.0)) == [("none", "yellow")]


def test_other_points_corroborate_by_what_they_were_within_the_time() -> None:
    play = a_play(when="value > 5", **{"with": [{"quantity": "rain", "above": "5 mm", "within": "1 h"}]})
    play.read("p", 1.0, 9.0)
    play.read("rain", 2.0, 6.0)
    play.read("rain", 3.0, 0.0)
    assert moves(play.tick(4.0)) == [("none", "yellow")]
    play = a_play(when="value > 5", **{"with": [{"quantity": "level", "below": 3, "within": "1 h"}]})
    play.read("p", 1.0, 2.0)
    play.read("p", 2.0, 9.0)
    assert play.tick(3.0) == []  # its own low value is no other point's
    play.read("q", 4.0, 2.0)
    assert moves(play.tick(5.0)) == [("none", "yellow")]


# Loading and breaking


def test_what_does_not_decide_otherwise_hashes_as_before() -> None:
    plain = a_rule(when="value > 5")
    assert encode_decision(plain) == encode_decision(msgspec.structs.replace(plain, samples="", deadband=0.0))
    for fields in (
        {"samples": "2 of 3"},
        {"deadband": 1.0},
        {"schedule": {"days": ["mon"]}},
        {"with": [{"event": "x"}]},
    ):
        assert encode_decision(a_rule(when="value > 5", **fields)) != encode_decision(plain)


@pytest.mark.parametrize(
    ("fields", "field", "part"),
    [
        ({"samples": "5 of 3"}, "samples", "write 3 of 5"),
        ({"samples": "three"}, "samples", "write 3 of 5"),
        ({"samples": "3 of 65"}, "samples", "at most of 64"),
        ({"deadband": "much"}, "deadband", "no number with a unit"),
        ({"deadband": "1 m or value > 0"}, "deadband", "no number with a unit"),
        ({"deadband": -1}, "deadband", "less than 0"),
        ({"schedule": {}}, "schedule", "neither hours"),
        ({"schedule": {"days": ["mom"]}}, "schedule.days[0]", "did you mean 'mon'"),
        ({"schedule": {"from": "22:00"}}, "schedule", "`to` is missing"),
        ({"schedule": {"from": "9:00", "to": "17:00"}}, "schedule.from", "no time of the day: write 06:30"),
        ({"schedule": {"from": "22:00') or (value", "to": "06:00"}}, "schedule.from", "no time of the day"),
        ({"suppress": {"modes": []}}, "suppress.modes", "names no mode"),
        ({"suppress": {"modes": ["maintenence"]}}, "suppress.modes[0]", "did you mean 'maintenance'"),
        ({"suppress": {"modes": ["maintenance"], "up_to": "violet"}}, "suppress.up_to", "violet"),
        ({"priority": "urgent"}, "priority", "urgent"),
        ({"with": [{}]}, "with[0]", "one of event, report and quantity"),
        ({"with": [{"event": "x", "report": "y"}]}, "with[0]", "one of event"),
        ({"with": [{"quantity": "rain"}]}, "with[0]", "`above` or `below`"),
        ({"with": [{"event": "x", "above": 3}]}, "with[0]", "`above` or `below`"),
        ({"with": [{"quantity": "rain", "above": "a lot"}]}, "with[0].above", "no number with a unit"),
        ({"with": [{"event": "x", "within": "90 d"}]}, "with[0].within", "at most 32 days"),
        ({"with": [{"event": "x", "within": "5 min"}], "for": "10 min"}, "for", "never be raised"),
        ({"with": [{"event": "x'y" * 30}]}, "with[0]", "name the kind"),
    ],
)
def test_mistakes_in_clauses_name_their_field(tmp_path: Path, fields: dict[str, Any], field: str, part: str) -> None:
    rule = {
        "id": "r",
        "title": {"zh": "r", "en": "r"},
        "rationale": RATIONALE,
        "levels": {"yellow": {"when": "value > 5"}},
    }
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"rules": [rule | fields]}), encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load_rules(file, SITE)
    (problem,) = caught.value.problems
    shown = re.sub(r"^rules\[\d\]\.", "", problem.field)
    assert (shown, part in problem.message) == (field, True), problem


@pytest.mark.parametrize(
    ("flapping", "field"),
    [
        ({"rings": 1}, "flapping.rings"),
        ({"rings": 101}, "flapping.rings"),
        ({"within": "0 s"}, "flapping.within"),
        ({"within": "soon"}, "flapping.within"),
        ({"within": "40 d"}, "flapping.within"),
    ],
)
def test_when_a_rules_alarms_chatter_must_make_sense(tmp_path: Path, flapping: dict[str, Any], field: str) -> None:
    rule = {
        "id": "r",
        "title": {"zh": "r", "en": "r"},
        "rationale": RATIONALE,
        "levels": {"yellow": {"when": "value > 5"}},
    }
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"rules": [rule | {"flapping": flapping}]}), encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load_rules(file, SITE)
    assert {problem.field.removeprefix("rules[0].") for problem in caught.value.problems} == {field}


def test_breaking_knows_the_clauses() -> None:
    rule = a_rule(
        when="value > 5",
        samples="2 of 3",
        deadband="1 m",
        schedule={"from": "22:00", "to": "06:00"},
        where={"quantity": "level"},
        tests=[
            {
                "name": "t",
                "start": "2026-05-04 22:00",
                "point": {"values": "1 6 1 6 4.5 3.5"},
                "others": {"gauge": {"quantity": "rain", "values": "9*6"}},
                "expect": "none*3 yellow*2 none",
            }
        ],
        **{"with": [{"quantity": "rain", "above": "5 mm"}]},
    )
    assert failures(rule, rule.tests[0], Bench(SITE)) == []
    found = {(one.part, one.after): bool(one.test) for one in map(notice, breaks(rule, Bench(SITE)))}
    assert found["samples", "1 of 3"] and found["samples", "3 of 3"]
    assert found["deadband", "0.0"] and found["deadband", "2 m"]
    assert found["schedule", "always"] is False
    assert found["with", "nothing"] is False
    assert {after for part, after in found if part == "with"} == {
        "nothing", "area.any(rain.max('600s') > 3.75 mm)", "area.any(rain.max('600s') > 6.25 mm)"
    }  # fmt: skip
