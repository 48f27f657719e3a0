from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import binding
from rules.binding import Subject, Value, bind
from rules.compiler import CompileError, compile_rules
from rules.evaluation import Change, Evaluator
from rules.expression import parse
from rules.rule import Rule
from rules.why import standing
from sensors.observation import GOOD, HISTORICAL, LATE, SIMULATED, CameraEvent
from sensors.site import LEVELS, Point, Site
from tests.rules.stage import Bank, Scored, a_point, a_rule, a_site

NAMES = ("none", *LEVELS)


class Play:
    """Drive one evaluator over points by id."""

    def __init__(self, site: Site, rules: Sequence[Rule]) -> None:
        self.site = site
        self.bank = Bank(len(site.points))
        self.row = {point.id: row for row, point in enumerate(site.points)}
        self.evaluator = Evaluator(compile_rules(rules, site, site.points), self.bank)

    def read(
        self, point: str, time: float, value: float, *, score: float = 0.0, alarm: bool = False,
        quality: int = GOOD, received: float | None = None,
    ) -> list[Change]:  # fmt: skip
        rows = np.array([self.row[point]])
        return self.evaluator.readings(
            rows,
            np.array([time]),
            np.array([value]),
            np.array([quality], np.uint8),
            np.array([time if received is None else received]),
            Scored(np.array([score]), np.array([alarm])),
            time if received is None else received,
        )

    def see(self, kind: str, time: float, area: str = "a", **fields: object) -> list[Change]:
        received = float(fields.pop("received", time))  # type: ignore[arg-type]
        fields = {"event": "e"} | fields
        event = CameraEvent(area=area, camera="cam", kind=kind, time=time, received=received, **fields)  # type: ignore[arg-type]
        return self.evaluator.event(event, received)

    def tick(self, time: float) -> list[Change]:
        return self.evaluator.tick(time)


def a_play(*rules: Rule, points: Sequence[Point] | None = None) -> Play:
    return Play(a_site(*(points or [a_point("p", limit=10.0, levels={"yellow": 5.0, "red": 10.0})])), rules)


def moves(changes: list[Change]) -> list[tuple[str, str]]:
    return [(NAMES[change.before], NAMES[change.after]) for change in changes]


def test_levels_with_separate_reset_thresholds_follow_kapacitors_vector() -> None:
    play = a_play(
        a_rule(
            levels={
                "blue": {"when": "value > 60", "clear": "value < 50"},
                "yellow": {"when": "value > 70", "clear": "value < 60"},
                "red": {"when": "value > 80", "clear": "value < 70"},
            }
        )
    )
    levels = []
    for second, value in enumerate([61, 73, 64, 85, 62, 56, 47]):
        play.read("p", second, value)
        levels.append(
            {"blue": "INFO", "yellow": "WARNING", "red": "CRITICAL", "none": "OK"}[NAMES[play.evaluator.current[0]]]
        )
    assert levels == ["INFO", "WARNING", "WARNING", "CRITICAL", "INFO", "INFO", "OK"]


def test_a_change_says_what_where_since_when() -> None:
    play = a_play(a_rule(when="value > 5 m", **{"for": "10 s"}))
    assert play.read("p", 100, 6, received=103) == []
    (change,) = play.read("p", 110, 7, received=113, quality=SIMULATED)
    assert (change.rule.id, change.scope, change.area) == ("r", "p", "a")
    assert (change.before, change.after, change.onset, change.time) == (0, 2, 100.0, 113.0)
    assert change.simulated
    (change,) = play.read("p", 120, 1, received=123)
    assert (change.before, change.after, change.onset, change.time) == (2, 0, 120.0, 123.0)
    assert not change.simulated


def test_for_starts_anew_when_the_condition_lets_go() -> None:
    play = a_play(a_rule(when="value > 5", **{"for": "10 s"}))
    for time, value in [(0, 6), (5, 6), (8, 1), (9, 6), (15, 6)]:
        assert play.read("p", time, value) == []
    assert moves(play.read("p", 19, 6)) == [("none", "yellow")]


def test_for_is_satisfied_by_a_tick_when_no_reading_comes() -> None:
    play = a_play(a_rule(when="value > 5", **{"for": "10 s"}))
    play.read("p", 1000, 6, received=2000)  # the source's clock is far behind
    assert play.tick(2009) == []
    (change,) = play.tick(2010)
    assert (change.onset, change.time) == (1000.0, 2010.0)


def test_clear_after_waits_for_calm_and_unknown_is_not_calm() -> None:
    play = a_play(a_rule(when="value > 5 or rate('10m') > 1 m/s", clear="value < 4", clear_after="10 s"))
    assert moves(play.read("p", 0, 6)) == [("none", "yellow")]
    for time, value in [(1, 3), (5, 4.5), (6, 3), (12, 3)]:
        assert play.read("p", time, value) == []
    assert play.tick(15) == []
    (change,) = play.tick(16)
    assert (moves([change]), change.onset) == ([("yellow", "none")], 6.0)


def test_severity_goes_up_at_once_and_steps_down_to_what_still_holds() -> None:
    play = a_play(
        a_rule(
            levels={
                "yellow": {"when": "value > 5", "for": "1 min"},
                "red": {"when": "value > 10", "clear": "value < 9"},
            }
        )
    )
    assert moves(play.read("p", 0, 11)) == [("none", "red")]
    assert moves(play.read("p", 10, 8)) == [("red", "yellow")]
    assert moves(play.read("p", 20, 1)) == [("yellow", "none")]


def test_unknown_never_raises_and_never_clears() -> None:
    play = a_play(a_rule(when="normal_high < value"), a_rule("s", when="not (normal_high < value)"))
    assert play.read("p", 0, 100) == []
    play = a_play(a_rule(when="mean('10 min') > 5"))
    play.read("p", 0, 6)
    assert play.tick(100_000) == []  # nothing was received in the window: unknown
    assert moves(play.read("p", 100_001, 1)) == [("yellow", "none")]


def test_unknown_or_true_is_true_and_unknown_and_false_is_false() -> None:
    play = a_play(
        a_rule(when="value > normal_high or value > 5"), a_rule("s", when="not (value > normal_high and value > 5)")
    )
    assert [change.rule.id for change in play.read("p", 0, 6)] == ["r"]
    assert [(c.rule.id, c.after) for c in play.read("p", 1, 4)] == [
        ("s", 2)
    ]  # r: unknown or false is unknown, it stays


def test_no_data_is_raised_by_the_clock_and_cleared_by_the_next_reading() -> None:
    rule = a_rule("gone", kind="data_quality", levels={"blue": {"when": "age > 5 * interval and age > 2 min"}})
    play = a_play(rule, points=[a_point("p", interval=10.0), a_point("slow", interval=60.0)])
    play.tick(0)
    assert play.tick(10_000) == []  # never reported: unknown
    play.read("p", 10_000, 1)
    play.read("slow", 10_000, 1)
    assert play.tick(10_120) == []
    assert [(c.scope, c.after) for c in play.tick(10_121)] == [("p", 1)]
    assert [(c.scope, c.after) for c in play.tick(10_301)] == [("slow", 1)]
    assert [(c.scope, c.after) for c in play.read("p", 10_302, 1)] == [("p", 0)]


@pytest.mark.parametrize(
    ("when", "minute"),
    [
        ("count('10m') < 3", 17),
        ("3 > count('10m')", 17),
        ("not count('10m') >= 3", 17),
        ("count('10m') == 0", 19),
        ("5 - count('10m') > 2", 17),
        ("-2 * count('10m') > -5", 17),
    ],
)
def test_too_few_readings_are_told_by_the_clock(when: str, minute: int) -> None:
    play = a_play(a_rule(when=when))
    assert play.tick(0) == []  # never reported: unknown
    for each in range(1, 10):
        play.read("p", each * 60, 1)
    assert play.evaluator.current.tolist() == [0]
    (change,) = [change for each in range(10, 30) for change in play.tick(each * 60)]
    assert (moves([change]), change.time) == ([("none", "yellow")], minute * 60.0)


def test_a_count_that_falls_to_a_clear_of_its_own_clears_but_silence_does_not() -> None:
    play = a_play(
        a_rule("own", when="max('10m') > 5", clear="count('10m') == 0"),
        a_rule("busy", when="mean('10m') > 5 and count('10m') >= 3"),
    )
    for minute in range(5):
        play.read("p", minute * 60, 9)
    assert play.evaluator.current.tolist() == [2, 2]
    found = [change for minute in range(5, 60) for change in play.tick(minute * 60)]
    assert [(change.rule.id, change.after) for change in found] == [("own", 0)]


def test_flat_is_told_by_the_clock() -> None:
    play = a_play(a_rule(when="flat('30m')"))
    play.bank.flat_since[0] = 0.0
    play.read("p", 0, 1)
    assert play.tick(1799) == []
    assert moves(play.tick(1800)) == [("none", "yellow")]


def test_a_camera_event_corroborates_while_it_is_fresh() -> None:
    play = a_play(
        a_rule(when="value > 5 and seen('debris', '5m')"), a_rule("lone", when="value > 5 and not seen('debris', '5m')")
    )
    assert play.tick(-300) == []
    assert play.see("debris", 0, area="b") == []
    assert [c.rule.id for c in play.read("p", 10, 6)] == ["lone"]
    assert play.see("person", 11) == []
    assert play.see("debris", 12, phase="end") == []
    changes = play.see("debris", 20, quality=SIMULATED)
    assert [(c.rule.id, c.after, c.simulated) for c in changes] == [("r", 2, True)]  # and what is real stays
    assert changes[0].why is not None and changes[0].why.cameras == ("cam",)
    assert play.tick(319) == []
    changes = play.see("debris", 319.5, phase="update")
    assert [(c.rule.id, c.before, c.after, c.simulated) for c in changes] == [("r", 2, 2, False), ("lone", 2, 0, False)]
    assert play.tick(600) == []
    assert [(c.rule.id, c.after) for c in play.tick(620)] == [("r", 0), ("lone", 2)]


ORANGE = {"when": "value > 20", "clear": "value < 15"}


def test_what_simulation_raised_is_said_again_once_it_is_real() -> None:
    play = a_play(a_rule(levels={"orange": ORANGE}))
    (change,) = play.read("p", 0, 25, quality=SIMULATED)
    assert (moves([change]), change.simulated) == ([("none", "orange")], True)
    assert play.read("p", 1, 26, quality=SIMULATED) == []
    assert play.read("p", 2, 17) == []  # real, but it raises nothing by itself
    (change,) = play.read("p", 3, 25)
    assert (moves([change]), change.simulated, change.onset) == ([("orange", "orange")], False, 3.0)
    assert play.read("p", 4, 25) == []
    assert play.read("p", 5, 25, quality=SIMULATED) == []
    assert play.read("p", 6, 25) == []  # it was real all along


def test_a_lower_level_that_is_real_takes_over_from_a_simulated_one() -> None:
    play = a_play(a_rule(levels={"yellow": {"when": "value > 10"}, "orange": ORANGE}))
    play.read("p", 0, 25, quality=SIMULATED)
    (change,) = play.read("p", 1, 17)
    assert (moves([change]), change.simulated) == ([("orange", "yellow")], False)
    play.read("p", 2, 25)
    assert play.read("p", 3, 17, quality=SIMULATED) == []
    assert play.read("p", 4, 17) == []  # what is real keeps its reset threshold


def test_simulated_readings_neither_lower_nor_end_what_real_ones_raised() -> None:
    play = a_play(a_rule(levels={"yellow": {"when": "value > 10"}, "orange": ORANGE}, clear_after="5 s"))
    play.read("p", 0, 25)
    for second in range(1, 10):
        assert play.read("p", second, 1, quality=SIMULATED) == []
    assert play.read("p", 10, 1) == []  # calm begins with what is real
    (change,) = play.read("p", 15, 1)
    assert (moves([change]), change.simulated) == ([("orange", "none")], False)
    assert [moves(play.read("p", at, 1, quality=SIMULATED)) for at in (20, 30)] == [[], []]


def test_a_simulation_above_a_real_level_falls_back_to_it_and_a_real_rise_is_said() -> None:
    play = a_play(a_rule(levels={"yellow": {"when": "value > 10"}, "orange": ORANGE, "red": {"when": "value > 30"}}))
    play.read("p", 0, 12)
    (up,) = play.read("p", 1, 35, quality=SIMULATED)
    state = play.evaluator.state()
    (down,) = play.read("p", 2, 1, quality=SIMULATED)
    assert [(moves([one]), one.simulated) for one in (up, down)] == [
        ([("yellow", "red")], True),
        ([("red", "yellow")], True),
    ]
    for rise, after in ((25, "orange"), (35, "red"), (12, "yellow")):
        other = a_play(*play.evaluator.book.rules)
        other.evaluator.restore(state)
        (change,) = other.read("p", 2, rise)
        assert (moves([change]), change.simulated) == ([("red", after)], False)


def test_what_simulation_raised_is_known_after_a_restart() -> None:
    rule, points = a_rule(levels={"orange": ORANGE}), [a_point("p"), a_point("q")]
    play, other, older = (a_play(rule, points=points) for _ in range(3))
    play.read("p", 0, 25, quality=SIMULATED)
    play.read("q", 0, 25)
    state = play.evaluator.state()
    other.evaluator.restore(state)
    assert [c.simulated for c in other.read("p", 1, 25)] == [False]
    assert other.read("q", 1, 25) == []
    older.evaluator.restore({key: array for key, array in state.items() if key != "instance.by_simulation"})
    assert [c.simulated for c in older.read("p", 1, 25)] == [False]


def test_a_simulated_event_counts_only_while_it_is_among_the_reasons() -> None:
    rule = a_rule(levels={"orange": ORANGE, "red": {"when": "value > 30 and seen('debris', '5m')"}})
    play = a_play(rule)
    play.see("debris", 0, quality=SIMULATED)
    (change,) = play.read("p", 10, 35)  # what was measured is told at once, whatever is played
    assert (moves([change]), change.simulated) == ([("none", "orange")], False)
    (change,) = play.read("p", 15, 35)
    assert (moves([change]), change.simulated) == ([("orange", "red")], True)
    assert play.read("p", 20, 35) == []
    (change,) = play.read("p", 400, 35)  # the event is forgotten, what was measured is not
    assert (moves([change]), change.simulated) == ([("red", "orange")], False)
    (change,) = play.see("debris", 410)
    assert (moves([change]), change.simulated) == ([("orange", "red")], False)


def test_what_is_real_is_told_beneath_what_is_played() -> None:
    levels = {"yellow": {"when": "count('intrusion', '1h') >= 1"}, "red": {"when": "count('intrusion', '1h') >= 3"}}
    play = a_play(a_rule(scope="area", levels=levels, where={"areas": ["a"]}))
    told = [change for at in range(3) for change in play.see("intrusion", at, quality=SIMULATED)]
    assert [(moves([change]), change.simulated) for change in told] == [
        ([("none", "yellow")], True),
        ([("yellow", "red")], True),
    ]
    (change,) = play.see("intrusion", 10)
    assert (moves([change]), change.simulated) == ([("red", "yellow")], False)
    again = [change for at in range(11, 14) for change in play.tick(at)] + play.see("intrusion", 20, quality=SIMULATED)
    assert [(moves([change]), change.simulated) for change in again] == [([("yellow", "red")], True)]
    real = play.see("intrusion", 30) + play.see("intrusion", 40)
    assert [(moves([change]), change.simulated) for change in real] == [([("red", "red")], False)], "three real ones"


def test_a_rule_on_areas_is_said_again_once_its_real_points_suffice() -> None:
    points = [a_point("p0"), a_point("p1"), a_point("t", quantity="temperature", unit="°C")]
    play = a_play(a_rule(scope="area", when="area.max(level.value) > 5"), points=points)
    play.read("p0", 0, 6, quality=SIMULATED)
    play.read("p1", 0, 4)
    assert [c.simulated for c in play.tick(1)] == [True]
    assert play.tick(2) == []
    play.read("p1", 3, 6)
    (change,) = play.tick(4)
    assert (moves([change]), change.simulated) == ([("yellow", "yellow")], False)
    play.read("t", 5, 6, quality=SIMULATED)  # another quantity of the area
    play.read("p0", 5, 1)
    assert play.tick(6) == []
    play.read("p1", 7, 1)
    assert [(c.after, c.simulated) for c in play.tick(8)] == [(0, False)]


def test_a_simulated_reading_of_another_point_marks_what_stands_on_it() -> None:
    points = [a_point("d", quantity="d", unit="mm"), *(a_point(n, quantity="rain", unit="mm/h") for n in ("r0", "r1"))]
    play = a_play(
        a_rule(where={"quantity": "d"}, when="value > 5 mm and area.max(rain.value) > 10 mm/h"), points=points
    )
    play.read("r0", 0, 50, quality=SIMULATED)
    play.read("r1", 0, 5)
    play.tick(1)
    assert [(c.after, c.simulated) for c in play.read("d", 2, 6)] == [(2, True)]
    play.read("r1", 3, 20)
    assert [(c.scope, c.before, c.after, c.simulated) for c in play.tick(4)] == [("d", 2, 2, False)]


def test_what_area_figures_are_without_simulation_is_known_after_a_restart() -> None:
    points = [a_point("d", quantity="d", unit="mm"), a_point("r", quantity="rain", unit="mm/h")]
    rule = a_rule(where={"quantity": "d"}, when="value > 5 mm and area.count(rain.value > 10 mm/h) >= 1")
    play, other = (a_play(rule, points=points) for _ in range(2))
    play.read("r", 0, 50, quality=SIMULATED)
    play.tick(1)
    other.evaluator.restore(play.evaluator.state())
    assert [c.simulated for c in other.read("d", 2, 6)] == [True]


@pytest.mark.parametrize(
    ("why", "events", "simulated"),
    [
        (
            "a person who is simulated does not make real debris a simulation",
            [("debris", 0, 0), ("person", 1, 1)],
            False,
        ),
        ("a real person does not make simulated debris real", [("debris", 0, 1), ("person", 1, 0)], True),
        ("an older real event does not make a newer one real", [("debris", 900, 1), ("debris", 10, 0)], True),
        ("a newer simulated event does not hide a real one", [("debris", 890, 0), ("debris", 900, 1)], False),
        ("one that is seen both ways is real", [("debris", 890, 1), ("debris", 900, 0)], False),
    ],
)
def test_an_alarm_is_simulated_if_it_would_not_be_without_simulated_events(
    why: str, events: list[tuple[str, float, int]], simulated: bool
) -> None:
    start = 0.0 if events[0][0] == events[1][0] else 898.0
    play = a_play(
        a_rule(when="value > 5 and seen('debris', '5m')"), a_rule("o", when="value > 50 and seen('person', '5m')")
    )
    for kind, time, how in events:
        play.see(kind, start + time, quality=SIMULATED if how else GOOD, received=start + 900)
    assert [(c.rule.id, c.simulated) for c in play.read("p", 901, 6)] == [("r", simulated)], why


def test_an_event_of_long_ago_is_no_evidence_that_nothing_was_seen() -> None:
    play = a_play(a_rule(when="value > 5 and not seen('debris', '5m')"))
    play.see("debris", 0, quality=SIMULATED)
    play.tick(1)
    (change,) = play.read("p", 86_400, 6)
    assert not change.simulated
    assert change.why is not None and change.why.cameras == ()


@pytest.mark.parametrize(
    "when",
    ["not seen('debris', '5m')", "not sequence('debris', 'smoke', '5m')", "not reports('gas', 2, '5m')"],
)
def test_that_nothing_was_seen_is_unknown_until_it_was_watched_for(when: str) -> None:
    play = a_play(a_rule(when=f"value > 5 and {when}"))
    assert play.read("p", 0, 6) == [] and play.tick(0) == [] and play.tick(299) == []
    assert moves(play.tick(300)) == [("none", "yellow")]


@pytest.mark.parametrize(
    ("when", "known"),
    [
        ("count('debris', '5m') < 2", 300),
        ("count('debris', '5m') - count('smoke', '1m') < 2", 300),
        ("not count('debris', '5m') >= 2", 300),
        ("2 * count('debris', '5m') != 2", 300),
        ("rising('noise', '1d') < 0.5", 21600),
        ("count('5m') < 2", 301),
        ("sum('5m') < 20", 301),
        ("max('5m') < 9", 301),
        ("min('5m') > 5", 301),
        ("abs(spread('5m')) < 1", 301),
        ("value > mean('5m') - 1 + spread('5m')", 301),
    ],
)
def test_that_little_came_is_unknown_until_it_was_watched_for(when: str, known: int) -> None:
    play = a_play(a_rule(when=f"value > 5 and {when}", where={"quantity": "level"}))
    assert play.tick(0) == [] and play.read("p", 1, 6) == []
    assert play.read("p", known - 1, 6.5) == [] == play.tick(known - 1) if "count('5m')" not in when else True
    assert moves(play.read("p", known, 6.5) + play.tick(known)) == [("none", "yellow")]


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ("count('debris', '1h') >= 1", True),
        ("count('1h') > 0 and sum('1h') > 5", True),
        ("max('1h') > 5 and min('1h') < 7 and spread('1h') >= 0", True),
        ("min(max('1h'), 3) < 5", True),
        ("max('1h') - min('1h') < 5", False),
        ("-max('1h') > -9", False),
        ("mean('1h') < 9 and median('1h') < 9 and delta('1h') < 1", True),
    ],
)
def test_what_nothing_that_is_yet_to_come_can_change_is_known_at_once(when: str, holds: bool) -> None:
    play = a_play(a_rule(when=f"value > 5 and {when}"))
    play.tick(0)
    play.see("debris", 1)
    assert moves(play.read("p", 2, 6) + play.tick(3)) == [("none", "yellow")] * holds


@pytest.mark.parametrize("over", ["area", "neighbours"])
@pytest.mark.parametrize(
    ("asked", "few", "all_known"),
    [(">= 2", False, False), ("< 2", False, True), ("== 1", False, True), ("< 3", True, True), (">= 1", True, True)],
)
def test_points_of_which_nothing_is_known_may_be_among_those_that_are_counted(
    over: str, asked: str, few: bool, all_known: bool
) -> None:
    points = [a_point(name) for name in ("p", "a", "b", "c")]
    rule = a_rule(where={"points": ["p"]}, when=f"value > 0 and {over}.count(value > 5) {asked}")
    play = a_play(rule, points=points)
    for name, value in (("p", 1), ("a", 6), ("b", 2)):
        play.read(name, 0, value)
    play.tick(1)
    assert bool(play.evaluator.current[0]) == few  # one is, one is not, and c may be
    play.read("c", 2, 3)
    play.tick(3)
    assert bool(play.evaluator.current[0]) == all_known


def test_an_explanation_says_that_a_count_may_yet_rise() -> None:
    play = a_play(a_rule(when="value > 5 and count('debris', '1h') < 3", **{"for": 7200}))

    def term() -> tuple[float | None, bool | None]:
        standing_now = standing(play.evaluator, "r", "p")
        assert standing_now is not None
        found = standing_now.levels[0].why.terms[1]
        return found.value, found.holds

    play.tick(0)
    play.read("p", 1, 6)
    play.see("debris", 2)
    assert term() == (1.0, None)
    play.see("debris", 3)
    play.see("debris", 4)
    assert term() == (3.0, False)
    play.tick(3700)
    assert term() == (0.0, True)


def test_how_long_windows_and_counts_were_kept_survives_a_restart_and_a_publication() -> None:
    rule = a_rule(when="value > 5 and count('debris', '5m') < 1 and spread('5m') < 1")
    play = a_play(rule)
    play.tick(0)
    play.read("p", 1, 6)
    later = a_play(rule, a_rule("new", when="value > 5 and spread('10m') < 1"))
    later.evaluator.restore(play.evaluator.state())
    assert later.read("p", 300, 6) == []
    assert [c.rule.id for c in later.read("p", 301, 6)] == ["r"]
    assert later.read("p", 899, 6) == []
    assert [c.rule.id for c in later.read("p", 900, 6)] == ["new"]


@pytest.mark.parametrize("when", ["count('5m') < 4", "sum('5m') < 40", "max('5m') < 9", "spread('5m') < 1"])
def test_that_little_came_is_unknown_while_a_window_spans_time_in_which_nobody_listened(when: str) -> None:
    play = a_play(a_rule(when=f"value > 5 and {when}"))
    for time in range(0, 970, 10):
        play.read("p", time, 9.5 if time % 20 else 6.5)
    play.tick(960)
    play.evaluator.pause(960, 4560)
    assert play.tick(4560) == [] == play.read("p", 4570, 6.5)
    restarted = a_play(*play.evaluator.book.rules)
    restarted.evaluator.restore(play.evaluator.state())
    assert restarted.read("p", 4860, 6.5) == []
    assert moves(restarted.read("p", 4870, 6.5)) == [("none", "yellow")]


@pytest.mark.parametrize(
    ("why", "away", "heard"),
    [
        ("it is less than a pane", 18, 990),
        ("what was kept meanwhile is told, late", 3600, 970),
    ],
)
def test_a_pause_in_which_a_window_misses_nothing_leaves_it_whole(why: str, away: float, heard: float) -> None:
    play = a_play(a_rule(when="value > 5 and max('5m') < 9"))
    for time in range(0, 970, 10):
        play.read("p", time, 7.0 if time > 660 else 9.5)
    assert play.evaluator.current[0] == 2
    play.read("p", 970, 4)
    play.tick(970)
    play.evaluator.pause(970, 970 + away)
    play.tick(970 + away)
    assert moves(play.read("p", heard + 10, 6, received=970 + away)) == [("none", "yellow")], why


def test_short_pauses_of_a_window_add_up_and_rare_ones_are_forgotten() -> None:
    """Each is less than a pane; a worker that dies every 40 s and is away for 10 s misses a quarter of all."""
    rule = a_rule(when="value > 5 and max('5m') < 9")
    often, rarely = a_play(rule), a_play(rule)
    for play, heard in ((often, 30), (rarely, 600)):
        time = 0
        for _ in range(12):
            for _ in range(heard // 10):
                play.read("p", time, 4)
                time += 10
            play.tick(time)
            play.evaluator.pause(time, time + 11)
            time += 11
            play.tick(time)
        again = a_play(rule)
        again.evaluator.restore(play.evaluator.state())
        assert moves(again.read("p", time, 6)) == ([] if play is often else [("none", "yellow")])


def test_what_nobody_listened_for_in_an_outage_is_no_absence() -> None:
    """No false alarm after a restart, and no alarm that lets go, for want of events that nobody could hear."""
    rules = (
        a_rule("absent", when="value > 5 and not seen('patrol', '1h')"),
        a_rule("few", when="value > 5 and count('patrol', '1h') < 1"),
        a_rule("open", when="value > 50 or seen('debris', '1h')"),
    )
    play = a_play(*rules)
    play.tick(0)
    play.see("patrol", 3500)
    play.see("debris", 3500)
    play.read("p", 3600, 6)
    assert [c.rule.id for c in play.tick(3601)] == [] and play.evaluator.current.tolist() == [0, 0, 2]
    play.evaluator.pause(3601, 10_801)
    restarted = a_play(*rules)
    restarted.evaluator.restore(play.evaluator.state())
    for each in (play, restarted):
        assert each.tick(10_801) == [] == each.read("p", 10_802, 6)
        assert each.tick(14_000) == []
        found = each.tick(14_176)  # all but a sixteenth of the hour was watched by now
        assert [(c.rule.id, c.after) for c in found] == [("absent", 2), ("few", 2), ("open", 0)]


def test_a_state_of_before_says_by_its_panes_how_long_a_window_was_kept() -> None:
    rule = a_rule(when="value > 5 and spread('5m') < 1")
    play = a_play(rule)
    for time in range(0, 200, 10):
        play.read("p", time, 6)
    older = {name: array for name, array in play.evaluator.state().items() if not name.endswith(".begun")}
    later = a_play(rule)
    later.evaluator.restore(older)
    assert later.read("p", 290, 6) == []
    assert moves(later.read("p", 300, 6)) == [("none", "yellow")]


def test_a_kind_that_a_publication_asks_for_first_is_watched_from_then_on_and_others_as_before() -> None:
    old = a_rule("old", when="value > 5 and not seen('debris', '5m')")
    play = a_play(old)
    play.tick(0)
    state = play.evaluator.state()
    later = a_play(old, a_rule("new", when="value > 5 and not seen('smoke', '5m')"))
    later.evaluator.restore(state)
    assert later.tick(200) == [] and later.read("p", 250, 6) == []
    assert [c.rule.id for c in later.tick(300)] == ["old"]
    assert later.tick(499) == []
    assert [c.rule.id for c in later.tick(500)] == ["new"]


def test_an_alarm_is_not_cleared_by_what_nobody_watched_for() -> None:
    play = a_play(a_rule(when="value > 5 or seen('debris', '5m')"))
    play.tick(0)
    assert moves(play.read("p", 10, 6)) == [("none", "yellow")]
    assert play.read("p", 20, 1) == [] and play.tick(299) == []
    assert moves(play.tick(300)) == [("yellow", "none")]


def test_an_event_that_is_told_as_history_is_not_seen_whatever_the_rules_time() -> None:
    play = a_play(a_rule(when="value > 5 and seen('debris', '4h')"))
    play.read("p", 7200, 6)
    assert play.see("debris", 3600, received=7201, quality=LATE | HISTORICAL) == []
    assert play.tick(7202) == []
    assert [c.after for c in play.see("debris", 3600, received=7203, quality=LATE)] == [2]  # late alone: it was queued


def test_an_event_that_was_not_needed_makes_no_simulation_of_an_alarm() -> None:
    play = a_play(a_rule(when="value > 10 or (value > 5 and seen('debris', '30m'))"))
    play.see("debris", 0, quality=SIMULATED)
    (change,) = play.read("p", 10, 12)
    assert not change.simulated
    play = a_play(a_rule(when="value > 10 or (value > 5 and seen('debris', '30m'))"))
    play.see("debris", 0, quality=SIMULATED)
    assert [c.simulated for c in play.read("p", 10, 7)] == [True]
    assert [(c.before, c.after, c.simulated) for c in play.read("p", 20, 12)] == [(2, 2, False)]


def test_an_event_corroborates_on_either_side_of_it_only_within_its_time() -> None:
    play = a_play(a_rule(when="value > 5 and seen('debris', '5m')"))
    play.see("debris", 4000)
    assert play.read("p", 100, 6, received=4001) == []  # delivered late: the event is an hour younger
    assert play.read("p", 3699, 6, received=4002) == []
    assert moves(play.read("p", 3700, 6, received=4003)) == [("none", "yellow")]


def test_what_a_fast_cameras_clock_says_was_seen_when_it_was_told() -> None:
    play = a_play(a_rule(when="value > 5 and seen('debris', '5m')"))
    play.see("debris", 4000, received=100)
    play.see("debris", 150)
    assert moves(play.read("p", 160, 6)) == [("none", "yellow")]


def test_figures_across_the_area_are_taken_at_ticks() -> None:
    points = [a_point("d1", quantity="displacement", unit="mm"), a_point("d2", quantity="displacement", unit="mm")]
    points += [a_point("r1", quantity="rain", unit="mm/h"), a_point("r2", quantity="rain", unit="mm/h", area="b")]
    rule = a_rule(where={"quantity": "displacement"}, when="value > 5 mm and area.max(rain.mean('1h')) > 10 mm/h")
    play = a_play(rule, points=points)
    play.read("r2", 0, 50)
    play.read("r1", 0, 20)
    assert play.read("d1", 1, 6) == []
    assert [(c.scope, c.area) for c in play.tick(2)] == [("d1", "a")]
    (change,) = play.read("d2", 3, 7)
    assert change.why is not None
    assert change.why.points == ("d2", "r1")
    assert change.why.terms[1].value == 20.0


def test_a_rule_on_areas_has_one_condition_for_each() -> None:
    points = [a_point(f"{area}{n}", area=area) for area in "ab" for n in range(3)]
    play = a_play(a_rule(scope="area", when="area.count(score > 0.99) >= 2"), points=points)
    for name in ("a0", "a1", "b0"):
        play.read(name, 0, 1, score=0.995)
    play.read("a2", 0, 1, score=0.5)
    (change,) = play.tick(1)
    assert (change.scope, change.area, change.why.points) == ("a", "a", ("a0", "a1"))  # type: ignore[union-attr]
    play.read("a1", 2, 1, score=0.5)
    assert moves(play.tick(3)) == [("yellow", "none")]


def test_historical_readings_raise_nothing_but_fill_windows() -> None:
    play = a_play(a_rule(when="mean('10m') > 5"))
    assert play.read("p", 0, 9, quality=HISTORICAL) == []
    assert moves(play.read("p", 1, 9)) == [("none", "yellow")]


def test_history_is_unknown_to_the_clock_to_events_and_to_figures_but_not_to_silence() -> None:
    rules = [
        a_rule("alone", when="value > 5 and not seen('debris', '5m')"),
        a_rule("window", when="mean('10m') > 5 and not seen('debris', '5m')"),
        a_rule("seen", when="value > 5 and seen('debris', '5m')"),
        a_rule("area", scope="area", when="area.max(level.value) > 5 or area.count(level.score > 0.5) >= 1"),
        a_rule("gone", when="age > 1 min"),
    ]
    play, other = a_play(*rules), a_play(*rules)
    assert play.read("p", 0, 9, score=0.9, quality=HISTORICAL) == []
    other.evaluator.restore(play.evaluator.state())
    for each in (play, other):
        assert each.tick(1) == []
        assert each.see("debris", 2) == []
        (change,) = each.tick(61)
        assert change.rule.id == "gone"
        assert change.why is not None and change.why.score is None
        each.read("p", 400, 9)
        assert each.evaluator.current.tolist()[:1] == [2]  # a live reading ends it


def test_history_neither_completes_nor_clears() -> None:
    play = a_play(a_rule(when="value > 5", clear="value < 4", **{"for": "10 s", "clear_after": "10 s"}))
    play.read("p", 0, 9)
    play.read("p", 1, 9, quality=HISTORICAL)
    assert play.tick(30) == []
    play.read("p", 31, 9)
    assert moves(play.tick(41)) == [("none", "yellow")]
    play.read("p", 42, 1, quality=HISTORICAL)
    assert play.tick(60) == []


def test_units_are_converted_to_the_points() -> None:
    points = [a_point("cm", unit="cm"), a_point("m", unit="m")]
    play = a_play(a_rule(when="value > 0.5 m"), points=points)
    assert play.read("cm", 0, 49) == []
    assert len(play.read("cm", 1, 51)) == 1
    assert len(play.read("m", 1, 0.51)) == 1


def test_beyond_knows_which_side_is_bad() -> None:
    floor = a_point("o2", quantity="o2", unit="%", limit=19.5, limit_below=True, levels={"yellow": 19.5, "red": 17.0})
    rule = a_rule(levels={"yellow": {"when": "beyond('yellow')"}, "red": {"when": "beyond('red')"}})
    play = a_play(rule, points=[floor, a_point("gas", unit="%LEL", levels={"yellow": 10.0, "red": 50.0})])
    assert play.read("o2", 0, 20.9) == []
    assert moves(play.read("o2", 1, 19.5)) == [("none", "yellow")]
    assert moves(play.read("o2", 2, 16)) == [("yellow", "red")]
    assert moves(play.read("gas", 3, 50)) == [("none", "red")]


def test_an_explanation_shows_each_comparison_in_the_units_of_its_author() -> None:
    play = a_play(a_rule(when="value > 500 cm and eta('limit') < 45 min", clear="value < 4 m", clear_after="5 min"))
    play.bank.eta_now[0] = 600.0
    (change,) = play.read("p", 0, 6, score=0.995)
    why = change.why
    assert why is not None
    assert why.clause == "value > 500 cm and eta('limit') < 45 min"
    assert [(t.name, t.value, t.op, t.threshold, t.unit, t.holds) for t in why.terms] == [
        ("value", 6.0, ">", 5.0, "m", True),
        ("eta('limit')", 10.0, "<", 45.0, "min", True),
    ]
    assert [(t.low, t.high) for t in why.terms] == [(None, None), (5.0, 20.0)]
    assert (why.clear, why.clear_after) == ("value < 4 m", 300.0)
    assert [(t.value, t.threshold, t.holds) for t in why.clear_terms] == [(6.0, 4.0, False)]
    assert (why.points, why.score, why.score_reason) == (("p",), 0.995, "row 0")


def test_an_explanation_asks_what_is_foreseen_of_its_own_point_alone() -> None:
    class Asked(Bank):
        def eta(self, rows: np.ndarray, limit: np.ndarray, below: np.ndarray) -> np.ndarray:
            assert rows.tolist() == [1]
            return super().eta(rows, limit, below)

    points = [a_point(f"p{n}", limit=1.0, index=n) for n in range(3)]
    rules = [a_rule("near", when="eta('limit') < 3 h", where={"points": ["p1"]}), a_rule("all", when="value > 0.1")]
    bank = Asked(3)
    bank.eta_now[:] = 3600.0
    evaluator = Evaluator(compile_rules(rules, a_site(*points), points), bank)
    rows, time, none = np.arange(3), np.full(3, 10.0), Scored(np.zeros(3), np.zeros(3, bool))
    changes = evaluator.readings(rows, time, np.full(3, 0.5), np.zeros(3, np.uint8), time, none, 10.0)
    assert [(change.rule.id, change.why is not None) for change in changes].count(("near", True)) == 1
    assert len(changes) == 4 and not evaluator.take_faults()


def test_a_limit_is_shown_as_its_author_wrote_it_and_compared_as_it_was_converted() -> None:
    (when,) = (test for test in binding.tests(bind(parse("rate('1h') > 20 mm/h"), Subject("mm"))))
    assert isinstance(when.right, Value) and when.right.value * when.scale != 20.0
    play = a_play(a_rule(when="rate('10m') > 20 mm/h", clear="rate('10m') < 7 mm/h"), points=[a_point("p", unit="mm")])
    (change,) = (change for minute in range(20) for change in play.read("p", 60 * minute, float(minute)))
    assert change.why is not None
    ((term,), (clear,)) = change.why.terms, change.why.clear_terms
    assert (term.threshold, term.unit, clear.threshold) == (20.0, "mm/h", 7.0)


def test_the_reason_of_an_earlier_surprise_is_not_given_for_this_reading() -> None:
    play = a_play(a_rule(when="value > 5 m"))
    (change,) = play.read("p", 0, 6, score=0.4)
    assert change.why is not None
    assert (change.why.score, change.why.score_reason, change.why.score_reason_zh) == (0.4, "", "")


@pytest.mark.parametrize(
    ("when", "score", "alarm", "says"),
    [
        ("alarm", 0.95, True, ("row 0", "row 0")),
        ("value > 5 m", 0.2, True, ("row 0", "row 0")),
        ("score > 0.9", 0.95, False, ("5 % of readings are as surprising", "仅 5 % 的读数同样反常")),
        ("score > 0.9", 0.995, False, ("row 0", "row 0")),
    ],
)
def test_an_alarm_of_the_models_says_why_whatever_its_score(
    when: str, score: float, alarm: bool, says: tuple[str, str]
) -> None:
    (change,) = a_play(a_rule(when=when)).read("p", 0, 6, score=score, alarm=alarm)
    assert change.why is not None
    assert (change.why.score_reason, change.why.score_reason_zh) == says


def test_a_point_of_several_areas_has_one_condition() -> None:
    points = [a_point("rain", quantity="rain", unit="mm/h", areas=("a", "b"))]
    site = a_site(*points)
    rule = a_rule(when="value > 1 mm/h")
    assert compile_rules([rule], site, site.points).instances == 1
    assert compile_rules([rule], site, site.points, {"b"}).instances == 0
    only_b = a_rule(where={"areas": ["b"]}, when="value > 1 mm/h")
    assert compile_rules([only_b], site, site.points, {"b"}).instances == 1


# Random play: what happens must not depend on how readings share batches, nor on a save and restore in between.

RULES = (
    a_rule(
        "simple",
        levels={
            "blue": {"when": "value > 3", "clear": "value < 2"},
            "yellow": {"when": "value > 5", "for": 3, "clear_after": 4},
            "red": {"when": "value > 8"},
        },
    ),
    a_rule(
        "window",
        levels={
            "yellow": {"when": "mean('32s') > 4", "clear": "max('16s') < 4"},
            "red": {"when": "rate('32s') > 12 m/min"},
        },
    ),
    a_rule("novel", when="score > 0.9 and spread('1m') > 1 and count('1m') > 2", clear_after=5),
    a_rule(
        "seen",
        levels={
            "orange": {"when": "value > 4 and seen('debris', '10s')"},
            "red": {"when": "not seen('debris', '30s') and flat('20s')"},
        },
    ),
    a_rule("gone", levels={"blue": {"when": "age > 8 s"}}),
    a_rule("eta", when="eta('limit') < 5 s or (alarm and value + 1 > limit / 2)", **{"for": 2}),
    a_rule(
        "across",
        levels={
            "yellow": {"when": "value > 2 and area.max(level.value) > 6"},
            "red": {"when": "area.count(score > 0.8) >= 2"},
        },
    ),
    a_rule(
        "area",
        scope="area",
        levels={
            "yellow": {"when": "area.mean(level.value) > 4", "for": 2},
            "red": {"when": "seen('debris', '5s') and area.any(value > 7)"},
        },
    ),
    a_rule(
        "beyond",
        levels={"yellow": {"when": "beyond('yellow')"}, "red": {"when": "not value < level('red')"}},
    ),
)
POINTS = 6

reading = st.tuples(
    st.just("read"),
    st.lists(
        st.tuples(
            st.integers(0, POINTS - 1),
            st.sampled_from([0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
            st.sampled_from([0.0, 0.85, 0.95]),
            st.booleans(),
            st.sampled_from([1.0, 4.0, 60.0, float("inf"), float("nan")]),
            st.sampled_from([GOOD, GOOD, SIMULATED]),
        ),
        min_size=1,
        max_size=POINTS,
        unique_by=lambda one: one[0],
    ),
    st.integers(1, 6),
)
step = st.one_of(
    reading,
    st.tuples(st.just("tick"), st.integers(1, 12)),
    st.tuples(st.just("see"), st.sampled_from(["a", "b"]), st.integers(0, 15), st.sampled_from([GOOD, SIMULATED])),
)


def random_site() -> Site:
    points = []
    for n in range(POINTS):
        below = n == 2
        levels = {"yellow": 5.0, "red": 2.0 if below else 9.0}
        points.append(a_point(f"p{n}", area="ab"[n % 2], limit=10.0, limit_below=below, levels=levels if n else {}))
    return a_site(*points)


def perform(steps: list[tuple], cuts: list[int], *, save_at: int = -1, unguarded: bool = False) -> list[tuple]:
    """Play the steps, cutting batches after the given readings; optionally carry the state over half-way."""
    site = random_site()
    play = Play(site, RULES)
    if unguarded:
        play.evaluator.book.reading_guard.always[:] = True
        play.evaluator.book.tick_guard.always[:] = True
    now, number, seen = 1_700_000_000.0, 0, []
    for place, one in enumerate(steps):
        if place == save_at:
            state = {key: array.copy() for key, array in play.evaluator.state().items()}
            other = Evaluator(compile_rules(RULES, site, site.points), play.bank)
            assert other.restore(state) == []
            play.evaluator = other
        if one[0] == "tick":
            now += one[1]
            found = play.tick(now)
        elif one[0] == "see":
            found = play.see("debris", now - one[2], area=one[1], received=now, quality=one[3])
        else:
            now += one[2]
            items = one[1]
            found = []
            start = 0
            ends = [n for n in range(1, len(items)) if (number + n) in cuts] + [len(items)]
            for end in ends:
                part = items[start:end]
                rows = np.array([item[0] for item in part])
                value = np.array([item[1] for item in part])
                last = play.evaluator.points.value[rows]
                play.bank.flat_since[rows[value != last]] = now - 0.5
                play.bank.eta_now[rows] = [item[4] for item in part]
                scored = Scored(np.array([item[2] for item in part]), np.array([item[3] for item in part]))
                quality = np.array([item[5] for item in part], np.uint8)
                times = np.full(len(part), now - 0.5)
                found += play.evaluator.readings(rows, times, value, quality, np.full(len(part), now), scored, now)
                start = end
            number += len(items)
        seen += [(place, c.rule.id, c.scope, c.before, c.after, c.onset, c.time, c.why, c.simulated) for c in found]
    return seen


@settings(max_examples=60, deadline=None)
@given(st.lists(step, min_size=1, max_size=25), st.lists(st.integers(0, 80), max_size=40))
def test_batches_may_be_split_anywhere(steps: list[tuple], cuts: list[int]) -> None:
    whole = perform(steps, [])
    assert perform(steps, cuts) == whole
    assert perform(steps, list(range(200))) == whole


@settings(max_examples=40, deadline=None)
@given(st.lists(step, min_size=2, max_size=25), st.data())
def test_a_saved_and_restored_evaluator_goes_on(steps: list[tuple], data: st.DataObject) -> None:
    assert perform(steps, [], save_at=data.draw(st.integers(0, len(steps) - 1))) == perform(steps, [])


@settings(max_examples=40, deadline=None)
@given(st.lists(step, min_size=1, max_size=25))
def test_rows_that_a_guard_passes_over_would_not_have_changed(steps: list[tuple]) -> None:
    assert perform(steps, []) == perform(steps, [], unguarded=True)


def test_state_of_unchanged_rules_is_carried_into_another_book_and_the_rest_is_named() -> None:
    kept, dropped = a_rule("kept", when="value > 5 and mean('1m') > 0"), a_rule("dropped", when="value > 5")
    play = a_play(kept, dropped)
    play.read("p", 0, 6)
    site = a_site(a_point("p"), a_point("new"))
    other = Evaluator(compile_rules([a_rule("dropped", when="value > 5.5"), kept], site, site.points), Bank(2))
    (withdrawn,) = other.restore(play.evaluator.state())
    assert (withdrawn.rule, withdrawn.scope, withdrawn.level) == ("dropped", "p", 2)
    level = {(other.book.rules[other.book.rule[n]].id, other.book.scope(n)): int(other.current[n]) for n in range(4)}
    assert level == {("kept", "p"): 2, ("dropped", "p"): 0, ("kept", "new"): 0, ("dropped", "new"): 0}


def test_windows_of_an_earlier_state_are_read_by_duration_alone() -> None:
    play, other = (a_play(a_rule(when="sum('10m') > 10")) for _ in range(2))
    play.read("p", 0, 6)
    earlier = {key.replace(":total", ""): array for key, array in play.evaluator.state().items()}
    assert "window.600.0.total" in earlier
    other.evaluator.restore(earlier)
    assert moves(other.read("p", 1, 6)) == [("none", "yellow")]


def test_what_is_no_state_is_refused() -> None:
    play = a_play(a_rule(when="value > 5"))
    with pytest.raises(ValueError, match="not a state"):
        play.evaluator.restore({"notes": np.zeros(3, np.uint8)})


def test_flags_are_for_rules_of_data_quality_and_their_points_only() -> None:
    kind = {"kind": "data_quality"}
    point, area = a_site(a_point("p")), {"scope": "area"}
    compile_rules((a_rule(when="flagged('jump', '10 min')", **kind),), point, point.points)
    for when, fields, words in [
        ("flagged('jump', '10 min')", {}, "'flagged' is for rules of kind data_quality"),
        ("value > 1 and not flagged('bad', '1h')", {}, "'flagged' is for rules of kind data_quality"),
        ("flagged('jmup', '10 min')", kind, "did you mean 'jump'?"),
        ("flagged('jump')", kind, "write flagged('jump', '10m')"),
        ("flagged", kind, "'flagged' stands alone"),
        ("area.any(flagged('jump', '10 min'))", kind, "'flagged' speaks of one point"),
        ("flagged('jump', '10 min')", {**kind, **area}, "a rule on areas has no 'flagged'"),
    ]:
        with pytest.raises(CompileError, match=re.escape(words)):
            compile_rules((a_rule(when=when, **fields),), point, point.points)
