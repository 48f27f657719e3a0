"""Reasons of the rule engine become the explanation that alarms carry."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from alerts.condition import explanation, in_short, rationale, titles
from alerts.outcome import Explanation
from rules import explanation as rules
from sensors.site import Text
from tests.alerts.cases import WHY, Rule


def test_every_field_of_the_engines_reasons_arrives() -> None:
    term = rules.Term(name="value", value=3.25, op=">", threshold=3.0, unit="mm", holds=True)
    why = rules.Why(
        clause="value > 3", terms=(term,), clear="value < 2", clear_terms=(term,), hold=60.0, clear_after=600.0,
        points=("p1",), cameras=("k1",), score=0.99, score_reason="above 1..2", score_reason_zh="高于 1..2",
        gone="sparkplug:g/n",
    )  # fmt: skip
    found = explanation(why)
    assert isinstance(found, Explanation)
    for name in Explanation.__struct_fields__:
        if name not in ("terms", "clear_terms"):
            assert getattr(found, name) == getattr(why, name)
    assert found.terms == found.clear_terms
    assert (found.terms[0].name, found.terms[0].value, found.terms[0].holds) == ("value", 3.25, True)
    assert set(rules.Why.__struct_fields__) == set(Explanation.__struct_fields__), "a reason would be lost"


def test_no_reasons_and_ready_ones_pass() -> None:
    assert explanation(None) is None
    assert explanation(WHY) is WHY


def test_it_is_said_in_one_line() -> None:
    assert in_short(WHY) == "eta('limit') < 3600 [eta('limit') = 2400 s]"
    assert in_short(Explanation(clause="seen('debris', '5m')")) == "seen('debris', '5m')"
    assert in_short(Explanation(clause="age > 60", gone="sparkplug:g/n")) == "age > 60 [sparkplug:g/n offline]"
    assert in_short(None) == ""


@pytest.mark.parametrize("title", ["x", {"zh": "x", "en": "x"}, Text(zh="x", en="x"), {"en": "x"}])
def test_a_title_comes_in_both_languages(title: object) -> None:
    assert titles(title) == {"zh": "x", "en": "x"}


def test_a_rule_without_a_rationale_has_an_empty_one() -> None:
    assert rationale(Rule("r")) == {}


def test_a_rules_checklist_goes_with_its_rationale() -> None:
    @dataclass(frozen=True)
    class Planned(Rule):
        rationale: object = None
        plan: tuple[Text | str, ...] = (Text(zh="看", en="look"), "call")

    found = rationale(Planned("r", rationale={"cause": "rain"}))
    assert found == {"cause": "rain", "plan": [{"zh": "看", "en": "look"}, "call"]}
