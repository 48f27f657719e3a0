"""Counts of camera events that rules ask about: streams, outages, simulation, what is told twice, restarts."""

from __future__ import annotations

import numpy as np
import pytest

from rules.compiler import CompileError, compile_rules
from rules.evaluation import Change, Evaluator
from rules.expression import ExpressionError, Surprise, parse, walk
from rules.rule import Rule, RuleTest
from rules.surges import MOST_STREAMS
from rules.unparse import unparse
from rules.vectors import run
from sensors.observation import SIMULATED, CameraEvent, CameraHealth
from tests.rules.stage import Bank, a_rule, a_site

T = 1_699_920_000.0  # a midnight
HOUR = 3600.0
BUSY = a_rule("busy", when="surge('person', '1h') > 0.999", scope="area")
KEY = ("surge", "person", HOUR)


class Watch:
    """An evaluator that cameras of area a report to; people come by, some by day, few by night."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules or (BUSY,)
        self.evaluator = Evaluator(compile_rules(self.rules, a_site(), ()), Bank(0))
        self.number = 0

    def event(self, at: float, *, kind: str = "person", zone: str = "gate", **fields: object) -> list[Change]:
        self.number += 1
        told = {"camera": "cam", "event": f"e{self.number}", "area": "a", "received": T + at} | fields
        event = CameraEvent(kind=kind, time=T + float(told.pop("time", at)), zones=(zone,) if zone else (), **told)
        return self.evaluator.event(event, T + at)

    def tick(self, at: float) -> list[Change]:
        return self.evaluator.tick(T + at)

    def days(self, count: int, first: int = 0) -> Watch:
        random = np.random.default_rng(5)
        for hour in range(24 * first, 24 * (first + count)):
            self.tick(hour * HOUR)
            for n in range(int(random.poisson(6.0 if 8 <= hour % 24 < 20 else 0.3))):
                self.event(hour * HOUR + 10.0 * (n + 1))
        return self

    def score(self, *, real: bool = False, area: int = 0) -> float:
        return float(self.evaluator.surges.column(KEY, np.array([area]), real=real)[0])

    def restarted(self) -> Watch:
        fresh = Watch(*self.rules)
        fresh.evaluator.restore(self.evaluator.state())
        fresh.number = self.number
        return fresh


@pytest.fixture(scope="module")
def learnt() -> dict[str, np.ndarray]:
    return Watch().days(14).evaluator.state()


@pytest.fixture
def watch(learnt: dict[str, np.ndarray]) -> Watch:
    found = Watch()
    found.evaluator.restore(learnt)
    found.number = 10_000
    found.tick(14 * 24 * HOUR + 1)
    return found


NIGHT, NOON = (14 * 24 + 2) * HOUR, (14 * 24 + 12) * HOUR


def burst(watch: Watch, at: float, count: int, **fields: object) -> list[Change]:
    watch.tick(at)
    return [change for n in range(count) for change in watch.event(at + 5.0 * (n + 1), **fields)]


def test_a_crowd_at_night_raises_the_rule_at_once_and_says_where_how_many_and_how_rare(watch: Watch) -> None:
    [change] = burst(watch, NIGHT, 8)
    why = change.why
    assert (change.area, change.after) == ("a", 2) and why is not None
    assert why.cameras == ("cam",) and why.events[0].kind == "person"
    assert why.score is not None and why.score > 0.999
    assert "× person" in why.score_reason and "within 1 h" in why.score_reason
    assert "1 小时内 person 出现" in why.score_reason_zh and "个时段才有一次" in why.score_reason_zh
    assert [term.name for term in why.terms] == ["surge('person', '1h')"]


def test_as_many_at_noon_are_usual_and_the_alarm_ends_with_the_next_window(watch: Watch) -> None:
    assert not burst(watch, NOON, 8)
    assert burst(watch, NIGHT + 24 * HOUR, 8)
    assert not watch.tick(NIGHT + 25 * HOUR + 1), "the window before still speaks"
    assert [change.after for change in watch.tick(NIGHT + 26 * HOUR + 1)] == [0]


def test_nothing_is_known_before_two_days_and_the_first_event_after_them_is_judged() -> None:
    watch = Watch()
    watch.days(1)
    assert np.isnan(watch.score()) and not burst(watch, 26 * HOUR, 30)
    calm = Watch()
    for hour in range(52):
        calm.tick(hour * HOUR)
    assert calm.score() == 0.0
    assert burst(calm, 52 * HOUR, 6), "where nobody ever was, six are a crowd"


def test_a_zone_that_is_never_entered_stands_out_in_a_busy_area(learnt: dict[str, np.ndarray]) -> None:
    watch = Watch()
    for hour in range(24 * 7):
        watch.tick(hour * HOUR)
        if hour == 0:
            watch.event(1.0, zone="fence")
        for n in range(6):
            watch.event(hour * HOUR + 10.0 * (n + 1), zone="gate")
    burst(watch, 24 * 7 * HOUR, 5, zone="fence")
    told = watch.evaluator.surges.told(KEY, 0)
    assert watch.score() > 0.999 and told is not None and (told.stream.camera, told.stream.zone) == ("cam", "fence")


def test_what_is_told_twice_goes_on_or_is_over_counts_once(watch: Watch) -> None:
    watch.tick(NIGHT)
    for n in range(20):
        watch.event(NIGHT + 1.0, event="one")
        watch.event(NIGHT + 2.0 + n, event="one", phase="update")
        watch.event(NIGHT + 2.0 + n, event=f"x{n}", phase="end")
    count = watch.evaluator.surges.groups["person", HOUR].count
    assert count[0, 0] == 1.0
    watch.event(NIGHT + 40.0, event="missed", phase="update")
    assert count[0, 0] == 2.0, "its beginning was not heard"


def test_a_backlog_is_no_surge(watch: Watch) -> None:
    watch.tick(NIGHT)
    assert not [c for n in range(50) for c in watch.event(NIGHT + 60.0, time=NIGHT - 2000.0 - 10.0 * n)]


def test_a_simulated_crowd_is_marked_teaches_nothing_and_hides_no_real_one(watch: Watch) -> None:
    [change] = burst(watch, NIGHT, 9, quality=SIMULATED)
    assert change.simulated and watch.score(real=True) < 0.9 < watch.score()
    before = watch.evaluator.surges.groups["person", HOUR].model.total.sum()
    watch.tick(NIGHT + HOUR)
    assert watch.evaluator.surges.groups["person", HOUR].model.total.sum() <= before
    assert any(not change.simulated for change in burst(watch, NIGHT + HOUR, 9))


def test_a_camera_without_signal_makes_no_low_count(watch: Watch) -> None:
    model = watch.evaluator.surges.groups["person", HOUR].model
    watch.tick(NOON)
    lost = CameraHealth(area="a", camera="cam", time=T + NOON, received=T + NOON, faults={"loss": 1.0}, judged=False)
    watch.evaluator.health(lost, T + NOON)
    windows = model.windows[0].sum()
    for hour in range(1, 30):
        watch.tick(NOON + hour * HOUR)
        assert np.isnan(watch.score()), "what is not seen is not known"
    assert model.windows[0].sum() <= windows and model.windows[1].sum() > 0, "area b goes on"


def test_hours_in_which_nobody_listened_teach_nothing(watch: Watch) -> None:
    model = watch.evaluator.surges.groups["person", HOUR].model
    watch.tick(NOON)
    learnt = model.learnt[0]
    watch.evaluator.pause(T + NOON, T + NOON + 20 * HOUR)
    watch.tick(NOON + 20 * HOUR)
    watch.tick(NOON + 21 * HOUR)
    assert model.learnt[0] <= learnt + 1
    watch.tick(NOON + 22 * HOUR)
    assert model.learnt[0] <= learnt + 2


def test_a_restart_goes_on_in_the_same_window_to_the_same_bits(watch: Watch) -> None:
    burst(watch, NIGHT, 4)
    other = watch.restarted()
    assert other.score() == watch.score()
    assert [c.after for c in burst(other, NIGHT + 100, 5)] == [c.after for c in burst(watch, NIGHT + 100, 5)]
    ours, theirs = watch.evaluator.state(), other.evaluator.state()
    assert all(np.array_equal(ours[name], theirs[name], equal_nan=True) for name in ours if name.startswith("surge"))


def test_streams_are_bounded_and_hostile_names_do_no_harm() -> None:
    watch = Watch()
    watch.tick(0)
    for n in range(MOST_STREAMS + 50):
        watch.event(1.0 + n, zone=f"zone {n}\0\ud800" if n % 2 else "区" * 200)
    group = watch.evaluator.surges.groups["person", HOUR]
    assert len(group.streams) <= MOST_STREAMS + 2 and group.count[0, 0] == MOST_STREAMS + 50


def test_a_clock_that_is_set_back_ends_the_window_unlearnt(watch: Watch) -> None:
    watch.tick(NOON)
    learnt = watch.evaluator.surges.groups["person", HOUR].model.learnt.copy()
    watch.evaluator.step(-5 * HOUR)
    watch.tick(NOON - 5 * HOUR)
    assert np.array_equal(watch.evaluator.surges.groups["person", HOUR].model.learnt, learnt)
    assert np.isfinite(watch.restarted().evaluator.clock)


def test_a_rules_own_test_can_say_what_counts_say_or_count_its_events() -> None:
    said = RuleTest(name="t", surge="_ 0.5 0.9995*2 0.2", expect="none*2 yellow*2 none")
    assert run(BUSY, said, a_site()) == []
    assert run(BUSY, RuleTest(name="t", surge="0.9995", expect="none"), a_site())


def test_it_is_written_as_it_is_read() -> None:
    for text in ("surge('person', '15m') > 0.999", "rising('family-dispute', '28d') > 0.99"):
        node = parse(text)
        assert unparse(node) == text and not any(isinstance(part, Surprise) for part in walk(node)[:1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("surge > 0.9", "stands alone; write surge('person', '15m')"),
        ("surge('person') > 0.9", "write surge('person', '15m')"),
        ("surge('', '15m') > 0.9", "name the kind of event"),
        ("surge('person', '5s') > 0.9", "1 min at least"),
        ("surge('person', '90d') > 0.9", "at most 32 days"),
        ("rising('Family!', '28d') > 0.9", "a category is of small letters"),
        ("rising('noise', '2h') > 0.9", "at least"),
        ("area.max(surge('person', '15m')) > 0.9", "outside area"),
        ("surge('person', '15m')", "this is a number"),
    ],
)
def test_what_cannot_be_asked_is_told_with_what_can(text: str, said: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert said in refused.value.message


def test_a_score_has_no_unit() -> None:
    with pytest.raises(CompileError):
        compile_rules((a_rule(when="surge('person', '15m') > 3 m", scope="area"),), a_site(), ())
