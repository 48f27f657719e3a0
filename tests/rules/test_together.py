"""A rule's own tests can say what the area's model says."""

from __future__ import annotations

import pytest

from rules.expression import AREA_SCORE, ExpressionError, parse
from rules.rule import RuleTest, Series
from rules.unparse import unparse
from rules.vectors import run
from tests.rules.stage import a_point, a_rule, a_site

RULE = a_rule(when="area.score > 0.999", clear="area.score < 0.9", scope="area", where={"areas": ["a"]})


def test_the_areas_score_raises_and_clears_and_unknown_does_neither() -> None:
    test = RuleTest(name="t", area_score="_ 0.5 1 0.95 _ 0.2", expect="none none yellow yellow yellow none")
    assert run(RULE, test, a_site(a_point("p"))) == []


def test_without_a_model_the_score_is_unknown() -> None:
    test = RuleTest(name="t", others={"p": Series(values="1 2 3", quantity="level")}, expect="none*3")
    assert run(RULE, test, a_site(a_point("p"))) == []


def test_it_is_written_as_it_is_read() -> None:
    assert unparse(parse(f"{AREA_SCORE} > 0.99")) == "area.score > 0.99"


@pytest.mark.parametrize("text", ["area.max(area.score) > 1", "area.scores > 1", "area.score() > 1"])
def test_it_stands_alone(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)
