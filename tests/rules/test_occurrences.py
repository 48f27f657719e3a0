from __future__ import annotations

import pytest

from rules.occurrences import goes_by_events
from tests.rules.stage import a_rule


@pytest.mark.parametrize(
    "when",
    [
        "repeat('family-dispute', 2, '14 d')",
        "reports('gas', 3, '1 h') or seen('smoke', '5 m')",
        "seen('debris', '5 m') and sequence('rain', 'debris', '1 h')",
        "count('intrusion', '10 m') >= 3",
        "2 < count('intrusion', '10 m')",
        "rising('family-dispute', '28 d') > 0.98",
        "not (count('intrusion', '10 m') < 3)",
    ],
)
def test_what_events_alone_make_true_is_an_occurrence(when: str) -> None:
    assert goes_by_events(a_rule(scope="area", when=when))


@pytest.mark.parametrize(
    "when",
    [
        "value > 3",
        "seen('debris', '5 m') and value > 3",
        "not seen('patrol', '8 h')",
        "count('patrol', '8 h') < 1",
        "1 > count('patrol', '8 h')",
        "seen('debris', '5 m') and night",
        "count('left', '1 h') > count('came', '1 h')",
    ],
)
def test_a_measurement_or_what_nothing_was_heard_of_stands_until_it_ends(when: str) -> None:
    assert not goes_by_events(a_rule(scope="area", when=when))


def test_all_levels_their_ends_and_what_corroborates_them_count() -> None:
    seen = {"when": "seen('debris', '5 m')"}
    assert goes_by_events(a_rule(levels={"yellow": seen | {"clear": "not seen('debris', '1 h')"}}))
    assert not goes_by_events(a_rule(levels={"yellow": seen, "red": {"when": "value > 3"}}))
    assert not goes_by_events(a_rule(levels={"yellow": seen | {"clear": "value < 3"}}))
    assert goes_by_events(a_rule(levels={"yellow": seen}, **{"with": [{"report": "rockfall"}]}))
    assert not goes_by_events(a_rule(levels={"yellow": seen}, **{"with": [{"quantity": "rain", "above": 3.0}]}))
