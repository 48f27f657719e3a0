"""A rule with other thresholds and delays."""

from __future__ import annotations

import pytest

from rules.expression import parse
from rules.variants import FACTORS, VariantError, limits_of, relimited, scaled, variants
from tests.rules.stage import a_rule
from tests.streams.small_site import rules


@pytest.mark.parametrize(
    ("text", "factor", "moved", "threshold"),
    [
        ("value > 20", 1.5, "value > 30", 30.0),
        ("20 < value and seen('debris', '5 min')", 0.5, "(10 < value and seen('debris', '5m'))", 10.0),
        ("value > limit", 1.5, "value > limit", None),
    ],
)
def test_the_first_number_is_the_threshold(text: str, factor: float, moved: str, threshold: float | None) -> None:
    found, number = scaled(text, factor)
    assert number == threshold
    if threshold is not None:
        assert found == moved


def test_each_threshold_comes_with_each_delay_and_clear_moves_along() -> None:
    creep = rules()[0]
    found = variants(creep)
    assert len(found) == len(FACTORS) * len({one.delay for one in found}) == len({one.id for one in found})
    (own,) = [one for one in found if one.as_it_is]
    assert (own.level, own.threshold, own.delay, own.when) == ("yellow", 10.0, 20.0, creep.levels.yellow.when)  # type: ignore[union-attr]
    wide = next(one for one in found if one.factor == 1.5)
    assert wide.rule.levels.yellow is not None and wide.rule.levels.yellow.clear == "value < 7.5"
    assert wide.rule.levels.orange is None and wide.rule.levels.red is None
    assert {one.delay for one in variants(creep, delays=[5.0])} == {5.0, 20.0}


@pytest.mark.parametrize(
    ("text", "limit", "floor", "moved"),
    [
        ("value > limit - 2 m", "limit", False, "value > limit * 1.5 - 2 m"),
        ("value > level('red') and score > 0.9", "red", False, "value > level('red') * 1.5 and score > 0.9"),
        ("not beyond('yellow')", "yellow", False, "not value >= level('yellow') * 1.5"),
        ("beyond('limit') or beyond('red')", "limit", True, "value <= limit * 1.5 or beyond('red')"),
        ("neighbours.any(beyond('red'))", "red", False, "neighbours.any(value >= level('red') * 1.5)"),
        ("area.any(level.value > limit) and beyond('red')", "limit", False, None),
    ],
)
def test_a_limit_of_the_registry_moves_wherever_it_is_named(
    text: str, limit: str, floor: bool, moved: str | None
) -> None:
    assert parse(relimited(text, limit, 1.5, floor=floor)) == parse(moved or text)
    assert (limit in limits_of(text)) == (moved is not None), "another quantity's stays"


def test_a_rule_without_a_number_of_its_own_varies_the_registry_and_any_does_where_asked() -> None:
    bare = a_rule(when="value > limit", clear="value < limit - 2 m")
    found = variants(bare)
    assert {one.limit for one in found} == {"limit"} and [one.threshold for one in found if one.as_it_is] == [1.0]
    (level,) = {one.rule.levels.yellow for one in found if one.factor == 0.7 and one.delay == 0.0}
    assert level is not None and level.clear is not None
    assert parse(level.when) == parse("value > limit * 0.7")
    assert parse(level.clear) == parse("value < limit * 0.7 - 2 m")
    both = a_rule(when="value > 3 or beyond('yellow')")
    assert {one.limit for one in variants(both)} == {""}
    assert {one.limit for one in variants(both, limit="yellow")} == {"yellow"}


def test_a_limit_is_swept_at_the_level_that_goes_by_it() -> None:
    levels = {"yellow": {"when": "value > 3 m"}, "orange": {"when": "beyond('orange')"}}
    levels["red"] = {"when": "beyond('orange') and value > 9 m"}
    rule = a_rule(levels=levels)
    assert {one.level for one in variants(rule, limit="orange")} == {"orange"}
    assert {one.level for one in variants(rule, "red", limit="orange")} == {"red"}
    with pytest.raises(VariantError, match=r"level yellow .* goes by no limit orange .*; level orange, red goes by it"):
        variants(rule, "yellow", limit="orange")


@pytest.mark.parametrize(
    ("fields", "limit", "floors", "said"),
    [
        ({"when": "seen('debris', '5 min')"}, "", {False}, "no number and no limit"),
        ({"when": "value > limit"}, "red", {False}, "goes by no limit red"),
        ({"when": "value > limit"}, "", {False, True}, "covers floors and ceilings"),
        ({"when": "beyond('red') or eta('red') < 10 min"}, "red", {False}, "eta\\('red'\\), which moves"),
    ],
)
def test_a_limit_that_cannot_be_moved_alone_is_refused(
    fields: dict[str, str], limit: str, floors: set[bool], said: str
) -> None:
    with pytest.raises(VariantError, match=said):
        variants(a_rule(**fields), limit=limit, floors=floors)


def test_there_must_be_something_to_vary() -> None:
    creep = rules()[0]
    with pytest.raises(VariantError, match="has no level blue"):
        variants(creep, "blue")
