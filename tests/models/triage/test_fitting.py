"""A triage model: calibrated on what came after, never looking ahead, refusing to guess from too little."""

from __future__ import annotations

import numpy as np
import pytest

from models.triage.case import KEYS, NAMES, Case, Verdict, tallied, vector
from models.triage.fitting import TriageError, fit
from tests.models.triage.verdicts import drawn


def test_it_foretells_the_later_verdicts_better_than_a_constant_and_is_calibrated() -> None:
    figures = fit([verdict for verdict, _ in drawn(1500)]).figures
    assert figures.tested == 450 and figures.helps and figures.brier < 0.9 * figures.brier_constant
    assert figures.order > 0.7
    assert sum(one.count for one in figures.bins) == 450
    for one in figures.bins:
        assert abs(one.told - one.real) < 0.15
    assert [one.told for one in figures.bins] == sorted(one.told for one in figures.bins)


def test_the_odds_are_near_those_the_verdicts_came_of() -> None:
    alarms = drawn(3000, 1)
    model = fit([verdict for verdict, _ in alarms]).model
    off = [model.odds(verdict.case) - odds for verdict, odds in alarms[-500:]]
    assert np.mean(np.abs(off)) < 0.1


def test_where_nothing_tells_it_says_so() -> None:
    figures = fit([verdict for verdict, _ in drawn(600, 2, informative=False)]).figures
    assert abs(figures.order - 0.5) < 0.12 and figures.brier > 0.22


def test_the_figures_come_of_the_past_alone() -> None:
    alarms = [verdict for verdict, _ in drawn(400, 3)]
    turned = [one if n < 280 else one._replace(real=not one.real) for n, one in enumerate(alarms)]
    straight, upside_down = fit(alarms).figures, fit(turned).figures
    assert [one.told for one in straight.bins] == [one.told for one in upside_down.bins]
    assert straight.order > 0.6 > 0.4 > upside_down.order


def test_a_verdict_that_was_not_given_yet_is_not_known() -> None:
    alarms = [verdict for verdict, _ in drawn(200, 4)]
    late = [one._replace(closed=2e9) for one in alarms]
    with pytest.raises(TriageError, match="before the later ones"):
        fit(late)


@pytest.mark.parametrize(
    ("count", "real", "said"),
    [
        (0, 0, "0 verdicts (0 real, 0 nuisance) are too few to learn from; 60 are needed, 15 of each"),
        (59, 30, "59 verdicts"),
        (500, 3, "(3 real, 497 nuisance)"),
    ],
)
def test_too_few_verdicts_are_refused_with_what_is_needed(count: int, real: int, said: str) -> None:
    alarms = [one._replace(real=n < real) for n, (one, _) in enumerate(drawn(count))]
    with pytest.raises(TriageError) as refused:
        fit(alarms)
    assert said in str(refused.value)


def test_the_order_of_the_verdicts_does_not_matter() -> None:
    alarms = [verdict for verdict, _ in drawn(300, 5)]
    assert fit(alarms).figures == fit(alarms[::-1]).figures


def test_a_rule_that_was_a_nuisance_before_counts_against_its_alarms() -> None:
    model = fit([verdict for verdict, _ in drawn(1500)]).model
    case = drawn(1)[0][0].case
    assert model.odds(case._replace(rule="creep")) > model.odds(case._replace(rule="motion")) + 0.1
    assert 0.01 <= model.odds(case._replace(rule="never seen", scope="x", area="y", type="z")) <= 0.99


@pytest.mark.parametrize(
    "change",
    [
        {"score": None},
        {"score": float("nan")},
        {"score": 1e300},
        {"events": 10**9, "reports": -5, "points": 10**9},
        {"level": 10**6},
        {"rule": "x" * 10_000},
        {"opened": -1e12},
    ],
)
def test_hostile_cases_give_odds(change: dict[str, object]) -> None:
    model = fit([verdict for verdict, _ in drawn(200)]).model
    case = drawn(1)[0][0].case._replace(**change)
    assert 0.01 <= model.odds(case) <= 0.99


def test_numbers_and_their_names_go_together() -> None:
    alarms = [verdict for verdict, _ in drawn(50)]
    assert len(vector(alarms[0].case, tallied(alarms))) == len(NAMES)
    known = tallied([Verdict(alarms[0].case, True, 0.0, 0.25)])
    assert all(known[kind] == {getattr(alarms[0].case, kind): (0.25, 0.0)} for kind in KEYS)
    assert isinstance(alarms[0].case, Case)
