"""Odds against what came true: no drift where they were right, drift where the world moved, an incident is one."""

from __future__ import annotations

from itertools import pairwise

import pytest

from models.triage.drift import FEWEST, judge, said
from models.triage.fitting import fit
from tests.models.triage.verdicts import drawn

MODEL = fit([verdict for verdict, _ in drawn(1500)]).model


def told(verdicts: list) -> list[float]:  # type: ignore[type-arg]
    return [MODEL.odds(one.case) for one in verdicts]


@pytest.mark.parametrize("seed", range(10, 30))
def test_a_model_of_the_same_world_is_not_in_drift(seed: int) -> None:
    later = [verdict for verdict, _ in drawn(400, seed)]
    found = judge(later, told(later))
    assert not found.drifted and said(found, "v") == {}
    assert found.brier == pytest.approx(found.expected, abs=0.04)


def test_odds_that_were_right_are_told_as_drift_once_in_hundreds() -> None:
    false = 0
    for seed in range(300):
        alarms = drawn(200, 1000 + seed)
        false += judge([verdict for verdict, _ in alarms], [odds for _, odds in alarms]).drifted
    assert false <= 2


def test_a_rule_that_was_mended_or_spoilt_is_told() -> None:
    later = [verdict._replace(real=True) for verdict, _ in drawn(150, 40)]
    found = judge(later, told(later))
    assert found.drifted and found.real == 1.0 > found.told + 0.1
    assert "older than its alarms' drift: of 150 incidents" in said(found, "3f2a")["en"]
    assert "研判模型 3f2a 已落后" in said(found, "3f2a")["zh"]


def test_odds_that_point_the_wrong_way_are_told_though_the_share_is_the_same() -> None:
    later = [verdict for verdict, _ in drawn(600, 41)]
    turned = [
        one if odds == 0.5 else one._replace(real=odds < 0.5) for one, odds in zip(later, told(later), strict=True)
    ]
    assert judge(turned, told(later)).drifted


def test_few_verdicts_say_nothing_and_the_alarms_of_an_incident_are_one() -> None:
    later = [verdict._replace(real=True) for verdict, _ in drawn(FEWEST - 1, 42)]
    assert not judge(later, told(later)).drifted
    of_one = [verdict._replace(real=True, closed=1.0, weight=1.0 / 500.0) for verdict, _ in drawn(500, 43)]
    found = judge(of_one, told(of_one))
    assert found.verdicts == 1 and not found.drifted
    assert judge([], []).verdicts == 0


def test_incidents_that_were_closed_in_one_go_are_told_apart_by_their_ids() -> None:
    at_once = [verdict._replace(real=True, closed=1.0) for verdict, _ in drawn(150, 40)]
    named = [verdict._replace(incident=f"i{number}") for number, verdict in enumerate(at_once)]
    assert not judge(at_once, told(at_once)).drifted
    found = judge(named, told(named))
    assert found.verdicts == 150 and found.drifted


def test_it_takes_no_fewer_deviations_for_less() -> None:
    later = [verdict._replace(real=True) for verdict, _ in drawn(200, 44)]
    found = [judge(later[:count], told(later[:count])).drifted for count in (30, 60, 120, 200)]
    assert all(before <= after for before, after in pairwise(found)) and found[-1]
