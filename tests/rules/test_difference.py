"""One judgment of how an alarm differs under other rules, for the shadow and for replays."""

from __future__ import annotations

import pytest

from rules.difference import HOWS, SAME, WHATS, differs

Side = tuple[float, str] | None


@pytest.mark.parametrize(
    ("before", "after", "what", "shift"),
    [
        (None, (10.0, "red"), ("gained",), None),
        ((10.0, "red"), None, ("lost",), None),
        ((10.0, "red"), (10.0 + SAME, "red"), (), SAME),
        ((10.0, "red"), (10.1 + SAME, "red"), ("later",), 1.1),
        ((10.0, "red"), (7.0, "red"), ("earlier",), -3.0),
        ((10.0, "red"), (10.5, "blue"), ("level",), 0.5),
        ((10.0, "red"), (20.0, "blue"), ("later", "level"), 10.0),
    ],
)
def test_an_alarm_is_judged_by_when_it_began_and_how_high_it_rose(
    before: Side, after: Side, what: tuple[str, ...], shift: float | None
) -> None:
    said, by = differs(before, after)
    assert said == what
    assert by == (None if shift is None else pytest.approx(shift))


def test_every_outcome_has_one_word() -> None:
    assert (*WHATS, "same") == HOWS and len(set(HOWS)) == 6
