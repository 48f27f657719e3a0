from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.calendar import Calendar
from rules.compiler import CompileError, compile_rules
from rules.expression import ExpressionError, parse
from rules.rule import RuleTest
from rules.vectors import VectorError, run
from tests.rules.stage import a_point, a_rule, a_site
from tests.rules.test_evaluation import Play, moves


def at(text: str, zone: str = "Asia/Shanghai") -> float:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def shown(name: str, text: str, zone: str = "Asia/Shanghai", argument: str = "", country: str = "CN") -> float:
    return float(Calendar(zone, country).column(name, np.array([at(text, zone)]), argument)[0])


@given(
    st.floats(-2e9, 4e9).map(lambda moment: round(moment, 3)),  # to what a datetime tells exactly
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/New_York"]),
)
def test_the_clock_is_the_zones_own_over_summer_time_too(moment: float, zone: str) -> None:
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    local = (epoch + datetime.timedelta(seconds=moment)).astimezone(ZoneInfo(zone))
    if local.utcoffset().total_seconds() % 900:  # type: ignore[union-attr]
        return  # a local mean time of long ago
    calendar, now = Calendar(zone), np.array([moment])
    assert calendar.column("hour", now)[0] == local.hour
    assert calendar.column("weekday", now)[0] == local.isoweekday()
    minutes = local.hour * 60 + local.minute
    assert calendar.column("night", now)[0] == (minutes >= 22 * 60 or minutes < 6 * 60)
    assert calendar.column("between", now, "08:30-17:15")[0] == (8 * 60 + 30 <= minutes < 17 * 60 + 15)


def test_holidays_and_shifted_working_days_are_the_countrys() -> None:
    assert shown("holiday", "2026-10-01 12:00") == 1.0
    assert shown("holiday", "2026-09-30 23:59") == 0.0
    assert shown("workday", "2026-10-10 12:00") == 1.0  # a Saturday that is worked for the long holiday
    assert shown("workday", "2026-10-17 12:00") == 0.0
    assert shown("holiday", "2026-01-06 12:00", "Europe/Berlin", country="DE-BW") == 1.0
    assert shown("holiday", "2026-01-06 12:00", "Europe/Berlin", country="DE-BE") == 0.0


def test_a_time_without_a_date_is_unknown() -> None:
    found = Calendar("Asia/Shanghai").column("hour", np.array([np.nan, np.inf, 1e300, 0.0]))
    assert np.isnan(found[:3]).all()
    assert found[3] == 8.0


def test_a_condition_of_the_clock_begins_and_ends_by_the_tick() -> None:
    play = Play(a_site(a_point("p")), [a_rule(when="value > 5 and between('22:00', '06:00')")])
    assert play.read("p", at("2026-05-05 21:00"), 9.0) == []
    assert play.tick(at("2026-05-05 21:59:59")) == []
    assert moves(play.tick(at("2026-05-05 22:00"))) == [("none", "yellow")]
    (change,) = play.tick(at("2026-05-06 06:00"))
    assert moves([change]) == [("yellow", "none")]
    assert change.why is not None
    assert change.why.terms[1].name == "between('22:00', '06:00')"
    assert change.why.terms[1].holds is False


def test_a_rule_on_areas_may_ask_for_the_time() -> None:
    play = Play(a_site(a_point("p")), [a_rule(when="seen('person', '5m') and night", scope="area")])
    day, dark = at("2026-05-05 12:00"), at("2026-05-05 23:00")
    play.tick(day)
    assert play.see("person", day) == []
    play.tick(dark)
    assert moves(play.see("person", dark)) == [("none", "yellow")]


def test_holidays_need_to_know_whose() -> None:
    site, rule = a_site(a_point("p")), a_rule(when="value > 1 and holiday")
    with pytest.raises(CompileError, match=r"site\.yaml") as caught:
        compile_rules([rule], site, site.points)
    assert caught.value.column == 15
    compile_rules([rule], msgspec.structs.replace(site, holidays="CN"), site.points)


def test_a_rules_own_test_says_when_it_begins() -> None:
    site = msgspec.structs.replace(a_site(a_point("p")), holidays="CN")
    rule = a_rule(when="value > 5 and holiday and hour >= 10")
    test = msgspec.convert(
        {
            "name": "n",
            "start": "2026-10-01 09:58",
            "step": "1 min",
            "point": {"values": "9*4"},
            "expect": "none*2 yellow*2",
        },
        RuleTest,
    )
    assert run(rule, test, site) == []
    assert run(rule, msgspec.structs.replace(test, start="2026-09-29 09:58"), site)
    with pytest.raises(VectorError, match="write 2026-10-01 22:00"):
        run(rule, msgspec.structs.replace(test, start="soon"), site)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("between('22:00', '22:00')", "two times of the day"),
        ("between('25:00', '06:00')", "two times of the day"),
        ("between('22', '6')", "two times of the day"),
        ("between", "between('22:00', '06:00')"),
        ("night('5m')", "takes no arguments"),
        ("area.any(value > 1 and night)", "write it outside"),
        ("hour", "a number, not a condition"),
        ("nigth", "did you mean 'night'"),
    ],
)
def test_mistakes_about_the_time_are_named(text: str, part: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert part in caught.value.message
