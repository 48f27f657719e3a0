from __future__ import annotations

import pytest

from rules.expression import Compare, parse
from rules.unparse import unparse


@pytest.mark.parametrize(
    "text",
    [
        "value > 1.2 m and rate('10m') > 2 mm/h and not seen('debris', '5m')",
        "area.count(score > 0.99) >= 3 or area.any(smoke.value > 2 %/m)",
        "abs(value - normal_high) / 2 > max(level('red'), 3 m) or age > 5 * interval",
        "area.max(rain.value - min(rain.value, 5 min)) > 1 mm/h",
        "flat('30m') or beyond('red') or eta('orange') < 45 min",
    ],
)
def test_unparse_gives_back_what_parses_to_the_same(text: str) -> None:
    assert parse(unparse(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("area.count(level.age > 5 min) >= 1", "area.count(level.age > 5 min)"),
        ("area.max(min(level.value, 3 m)) > 1", "area.max(min(level.value, 3 m))"),
        ("area.max(level.value - level('red')) > 1", "area.max((level.value - level.level('red')))"),
        ("area.any(score.alarm and value > 3) == 1", "area.any((score.alarm and score.value > 3))"),
        ("area.max(value - limit) > 1", "area.max((value - limit))"),
    ],
)
def test_a_figure_names_its_quantity_before_features_only(text: str, written: str) -> None:
    if text.startswith("area.any"):
        assert unparse(parse(text.removesuffix(" == 1"))) == written
        return
    node = parse(text)
    assert isinstance(node, Compare)
    assert unparse(node.left) == written
