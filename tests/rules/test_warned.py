"""`warned('limit')`: the models' own warning as a condition of rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.warning import Warner, warnings
from rules.compiler import CompileError, compile_rules
from rules.evaluation import Evaluator
from rules.rule import RuleTest, Series
from rules.vectors import run
from rules.why import standing
from tests.rules.stage import Bank, Scored, a_point, a_rule, a_site

HOUR = 3600.0
START = 1.7e9
INF = float("inf")
ETAS = st.sampled_from([INF, 13.0, 11.5, 9.0, 4.0, 1.0, 0.2, float("nan")])  # hours
STEPS = st.lists(
    st.tuples(st.sampled_from([120.0, 900.0, HOUR, 8 * HOUR]), st.sampled_from([0.0, 0.5, 1.0, 1.5]), ETAS), max_size=60
)


def stage(when: str = "warned('limit')", *, points: int = 2, below: bool = False, limit: float = 1.0) -> Evaluator:
    made = [a_point(f"p{n}", limit=limit, limit_below=below, index=n) for n in range(points)]
    book = compile_rules([a_rule(when=when)], a_site(*made), made)
    return Evaluator(book, Bank(points))


def read(evaluator: Evaluator, rows: list[int], times: list[float], values: list[float], etas: list[float]) -> None:
    assert isinstance(evaluator.bank, Bank)
    evaluator.bank.eta_now[rows] = np.array(etas) * HOUR
    none = Scored(np.zeros(len(rows)), np.zeros(len(rows), bool))
    time = np.array(times)
    evaluator.readings(
        np.array(rows), time, np.array(values), np.zeros(len(rows), np.uint8), time, none, float(time.max())
    )


def told(evaluator: Evaluator, row: int = 0) -> float:
    return float(evaluator.warned.column("limit", np.array([row]))[0])


@settings(max_examples=60, deadline=None)
@given(STEPS, st.booleans(), st.integers(0, 60))
def test_it_is_the_warning_that_recordings_are_judged_by(
    steps: list[tuple[float, float, float]], below: bool, cut: int
) -> None:
    """Whatever comes, and with a restart in between: beside it another point, on which nothing depends."""
    evaluator = stage(below=below)
    time = START + np.cumsum([step for step, _, _ in steps])
    value, eta = (np.array([one[place] for one in steps]) for place in (1, 2))
    past = value <= 1.0 if below else value >= 1.0
    expected = warnings(time, past, eta * HOUR)
    for place, now in enumerate(time.tolist()):
        if place == cut:
            state, evaluator = evaluator.state(), stage(below=below)
            evaluator.restore(state)
        rows = [0, 1] if place % 3 else [0]
        read(evaluator, rows, [now] * len(rows), [value[place], 0.0][: len(rows)], [eta[place], 2.0][: len(rows)])
        unknown = np.isnan(eta[place]) and not past[place] and not expected[place]
        assert np.isnan(told(evaluator)) if unknown else told(evaluator) == expected[place], place


@given(STEPS)
@settings(max_examples=40, deadline=None)
def test_a_warner_goes_on_from_its_state(steps: list[tuple[float, float, float]]) -> None:
    one = other = Warner()
    now = START
    for step, value, eta in steps:
        now += step
        other = Warner.of(other.state())
        assert one.see(now, value >= 1.0, eta * HOUR) == other.see(now, value >= 1.0, eta * HOUR)


def test_it_raises_and_ends_an_alarm_and_says_why() -> None:
    test = RuleTest(
        name="the second reading that foresees it",
        step="5 min",
        point=Series(values="0.2*6 1.2 0.2", eta="_*2 inf 7200*2 7200 0 inf"),
        expect="none*4 yellow*2 none*2",
    )
    site = a_site(a_point("p", limit=1.0))
    assert run(a_rule(when="warned('limit')", where={"quantity": "level"}), test, site) == []
    inverse = RuleTest(name="not", step="5 min", point=test.point, expect="none*2 yellow*2 none*2 yellow*2")
    assert run(a_rule(when="not warned('limit')", where={"quantity": "level"}), inverse, site) == []
    evaluator = stage()
    for minute in (0.0, 5.0):
        read(evaluator, [0], [START + 60 * minute], [0.2], [2.0])
    found = standing(evaluator, "r", "p0")
    assert found is not None and found.level == "yellow"
    why = found.levels[0].why
    (term,) = why.terms
    assert "2 h" in why.foreseen and "1" in why.foreseen, "when, as for eta"
    assert (term.name, term.holds) == ("warned('limit')", True)


def test_of_a_point_without_that_limit_it_is_unknown() -> None:
    made = [a_point("p", index=0)]
    evaluator = Evaluator(compile_rules([a_rule(when="warned('limit')")], a_site(*made), made), Bank(1))
    read(evaluator, [0], [START], [0.2], [0.1])
    assert np.isnan(told(evaluator)) and not evaluator.current.any()


def test_a_publication_keeps_it_but_for_a_limit_that_has_moved() -> None:
    evaluator = stage(points=1)
    for minute in (0.0, 5.0):
        read(evaluator, [0], [START + 60 * minute], [0.2], [2.0])
    kept, moved = stage("warned('limit') and value > 0", points=1), stage(points=1, limit=3.0)
    for other in (kept, moved):
        other.restore(evaluator.state())
    assert told(evaluator) == told(kept) == 1.0
    assert np.isnan(told(moved))


def test_a_clock_that_is_set_back_takes_it_along() -> None:
    evaluator, plain = stage(points=1), stage(points=1)
    steps = [(0.0, 2.0), (300.0, 2.0), (600.0, INF), (23 * HOUR, INF), (25 * HOUR, INF)]
    for place, (since, eta) in enumerate(steps):
        if place == 2:
            evaluator.shift(np.array([0]), np.array([-HOUR]))
        read(plain, [0], [START + since], [0.2], [eta])
        read(evaluator, [0], [START + since - (HOUR if place >= 2 else 0.0)], [0.2], [eta])
        assert told(evaluator) == told(plain)
    assert told(plain) == 0.0


def test_figures_over_points_may_ask_for_it_areas_themselves_not() -> None:
    made = [a_point(f"p{n}", limit=1.0, index=n) for n in range(2)]
    site = a_site(*made)
    evaluator = Evaluator(
        compile_rules([a_rule(when="area.count(warned('limit')) >= 2", scope="area")], site, made), Bank(2)
    )
    for minute in (0.0, 5.0):
        read(evaluator, [0, 1], [START + 60 * minute] * 2, [0.2, 0.2], [2.0, 2.0])
    evaluator.tick(START + 301.0)
    assert evaluator.current.tolist() == [2, 0], "the rule once for each of the two areas"
    with pytest.raises(CompileError, match="has no 'warned' of its own"):
        compile_rules([a_rule(when="warned('limit')", scope="area")], site, made)
    with pytest.raises(CompileError, match=r"takes limit, blue.*not 'purple'"):
        compile_rules([a_rule(when="warned('purple')")], site, made)
