"""Odds say what speaks for an alarm and what against it, in both languages."""

from __future__ import annotations

import re

import numpy as np
import pytest

from models.triage.case import NAMES
from models.triage.fitting import fit
from models.triage.model import TriageModel
from models.triage.reasons import TOLD, reasons
from tests.models.triage.verdicts import drawn

HAN = re.compile(r"[\u3400-\u9fff]")
ALARMS = drawn(600)
MODEL = fit([verdict for verdict, _ in ALARMS]).model
GOOD = next(one.case for one, odds in ALARMS if one.case.rule == "creep" and one.case.events)
BAD = next(one.case for one, odds in ALARMS if one.case.rule == "motion" and not one.case.events)


def alone(name: str) -> TriageModel:
    """Give a model that goes by one ground only, for or against."""
    weights = np.zeros(len(NAMES))
    weights[NAMES.index(name)] = 3.0
    return MODEL._replace(weights=weights, centre=np.full(len(NAMES), -1.0), scale=np.ones(len(NAMES)))


@pytest.mark.parametrize("name", NAMES)
def test_every_ground_has_words_in_both_languages(name: str) -> None:
    for case in (GOOD, BAD._replace(quality=True, doubtful=True, score=None)):
        english, chinese = reasons(alone(name), case)
        assert english.startswith(("for it: ", "against it: ")) and not HAN.search(english)
        assert chinese.startswith(("支持：", "反对：")) and len(chinese) > 5


def test_how_often_its_like_was_real_is_told_in_figures() -> None:
    real, nuisance = MODEL.tallies["rule"]["creep"]
    english, chinese = reasons(alone("rule was real before"), GOOD)
    assert english == f"for it: alarms of this rule were real {real:.3g} of {real + nuisance:.3g} times"
    assert chinese == f"支持：该规则的报警 {real + nuisance:.3g} 次中 {real:.3g} 次为真实"
    assert (
        reasons(alone("rule was real before"), BAD._replace(rule="new"))[0]
        == "for it: nothing is known of this rule yet"
    )


def test_what_speaks_against_it_is_told_too() -> None:
    english, chinese = reasons(MODEL, BAD)
    assert "against it: " in english and "反对：" in chinese


def test_every_alarm_has_a_ground_in_both_languages_and_no_more_than_some() -> None:
    for verdict, _ in ALARMS[:200]:
        english, chinese = reasons(MODEL, verdict.case)
        assert english and not HAN.search(english) and HAN.search(chinese)
        assert english.count(",") <= TOLD


def test_where_nothing_stands_out_nothing_is_said() -> None:
    assert reasons(MODEL._replace(weights=MODEL.weights * 0.0), BAD) == ("", "")
