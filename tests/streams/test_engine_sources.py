"""What a source says of itself: gone is no data at once, apart from risk."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from alerts.outcome import AlarmTransition, Refused
from rules.rule import Rule
from sensors.observation import BAD, HISTORICAL, SIMULATED
from streams.bundle import Bundle
from streams.engine import Engine
from tests.rules.stage import a_rule
from tests.streams.small_site import START, frame_of, published, rules, site, source, tick
from tests.streams.test_engine import flat, play

HASTE = (
    a_rule("silent", kind="data_quality", when="age > 60 s"),
    a_rule("lost", kind="data_quality", when="age > 5 * interval", **{"for": 10}),
    a_rule("half", kind="data_quality", scope="area", when="area.count(age > 60 s) >= 2"),
    a_rule("risk", when="value > 5"),
    a_rule("fresh", when="value > 5 and age < 60 s"),
    a_rule("old", when="value > 5 and age > 60 s"),
    a_rule("old-area", scope="area", when="area.count(age > 60 s) >= 2"),
)


def begin(value: float = 1.0, rules: Sequence[Rule] = HASTE, quality: int = 0) -> list[bytes]:
    """Read p0 and p3, both of area a0."""
    told = frame_of([(0, START + 1, value), (3, START + 1, value)], START + 1, quality)
    return [published(Bundle(site=site(), rules=tuple(rules))), tick(START), told, tick(START + 2)]


def ticks(first: int, last: int) -> list[bytes]:
    """Move the clock second by second."""
    return [tick(START + n) for n in range(first, last)]


def edges(values: list[bytes], engine: Engine | None = None) -> list[tuple[str, str, str, float]]:
    """List (rule, scope, edge, seconds since the start)."""
    found = flat(play(values, engine=engine), AlarmTransition)
    return [(one.rule, one.scope, one.edge, one.time - START) for one in found]


def test_a_source_that_says_it_has_gone_is_no_data_at_once() -> None:
    found = edges([*begin(), source("offline", START + 2.5, 0, 3), *ticks(3, 20)])
    assert found == [
        ("silent", "p0", "alarm", 2.5),
        ("silent", "p3", "alarm", 2.5),
        ("half", "a0", "alarm", 3),
        ("lost", "p0", "alarm", 13),
        ("lost", "p3", "alarm", 13),
    ], "figures across an area follow on the tick, `for` still counts, and no risk is seen in it"


def test_the_alarm_says_who_reported_itself_gone() -> None:
    (alarm,) = flat(play([*begin(), source("offline", START + 2.5, 0)]), AlarmTransition)
    assert alarm.explanation is not None and alarm.explanation.gone == "sparkplug:plant/edge"
    assert [(term.value, term.holds) for term in alarm.explanation.terms] == [(None, True)]
    by_clock = [*begin(), *ticks(3, 70)]
    silent = next(one for one in flat(play(by_clock), AlarmTransition) if one.rule == "silent")
    assert silent.explanation is not None and silent.explanation.gone == ""
    assert silent.explanation.terms[0].value is not None


def test_a_reading_brings_it_back() -> None:
    back = frame_of([(0, START + 4, 1.0)], START + 4)
    found = edges([*begin(), source("offline", START + 3, 0), back, tick(START + 5), tick(START + 30)])
    assert found == [("silent", "p0", "alarm", 3), ("silent", "p0", "return", 4)]


@pytest.mark.parametrize("quality", [HISTORICAL, BAD])
def test_history_and_bad_readings_do_not_bring_it_back(quality: int) -> None:
    poor = frame_of([(0, START + 4, 1.0)], START + 4, quality)
    found = edges([*begin(), source("offline", START + 3, 0), poor, tick(START + 5), tick(START + 6)])
    assert found == [("silent", "p0", "alarm", 3)]


def test_the_source_itself_brings_it_back_and_silence_counts_from_the_last_reading_again() -> None:
    values = [*begin(), source("offline", START + 3, 0), tick(START + 4), source("online", START + 5, 0)]
    values += ticks(6, 70)
    found = [one for one in edges(values) if one[:2] == ("silent", "p0")]
    assert [(edge, at) for _, _, edge, at in found] == [("alarm", 3), ("return", 5), ("realarm", 62)]


def test_it_neither_hides_nor_raises_a_risk_alarm() -> None:
    before = edges(begin(9.0))
    assert {(rule, scope) for rule, scope, _, _ in before} == {(r, p) for r in ("risk", "fresh") for p in ("p0", "p3")}
    values = [*begin(9.0), source("offline", START + 3, 0, 3), *ticks(4, 60)]
    risk = {"risk", "fresh", "old", "old-area"}
    assert [one for one in edges(values) if one[0] in risk] == before


def test_points_that_are_not_here_and_those_never_read_do_no_harm() -> None:
    values = [*begin(), source("offline", START + 3, -1, 77, 2**40, 2), tick(START + 4)]
    engine = Engine(0)
    assert edges(values, engine) == [("silent", "p2", "alarm", 3)], "born, but never read: still no data"
    assert not flat(play([tick(START + 5)], engine=engine), Refused)


def test_it_outlives_a_publication_and_a_restart() -> None:
    engine = Engine(0)
    play([*begin(), source("offline", START + 3, 0, 3)], engine=engine)
    engine = Engine.restore(engine.snapshot())
    assert engine.live() == 0
    newer = msgspec.structs.replace(site(8), version="v2")
    changed = (a_rule("silent", kind="data_quality", when="age > 90 s"), *HASTE[1:])
    found = edges([published(Bundle(site=newer, rules=changed), "v2", START + 4), tick(START + 5)], engine)
    assert ("silent", "p0", "realarm", 5) in found, "the changed rule sees it as well"
    assert ("half", "a0", "alarm", 5) in found
    engine = Engine.restore(engine.snapshot())
    (late,) = [one for one in flat(play(ticks(6, 14), engine=engine), AlarmTransition) if one.scope == "p0"]
    assert late.rule == "lost" and late.explanation is not None
    assert late.explanation.gone == "sparkplug:plant/edge"
    back = frame_of([(0, START + 15, 1.0)], START + 15)
    assert {one[:3] for one in edges([back], engine)} == {("silent", "p0", "return"), ("lost", "p0", "return")}


def test_an_exercise_concerns_what_is_simulated_only() -> None:
    told = source("offline", START + 3, 0, quality=SIMULATED)
    assert edges([*begin(), told, tick(START + 4)]) == []
    (alarm,) = flat(play([*begin(quality=SIMULATED), told]), AlarmTransition)
    assert (alarm.rule, alarm.simulated) == ("silent", True)


def test_the_small_sites_own_rule_raises_before_its_interval() -> None:
    found = edges([*begin(rules=rules()), source("offline", START + 3, 0)])
    assert found == [("silent", "p0", "alarm", 3)]


def test_history_raises_and_ends_nothing_then_or_later() -> None:
    high = frame_of([(0, START + 10, 99.0)], START + 10, HISTORICAL)
    quiet = [*begin(), high, *ticks(11, 40)]
    assert edges(quiet) == []
    low = frame_of([(0, START + 10, 0.0)], START + 10, HISTORICAL)
    assert edges([*begin(9.0), low, *ticks(11, 40)]) == edges(begin(9.0))
