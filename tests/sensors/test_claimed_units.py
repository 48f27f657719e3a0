"""Units that messages claim: found, remembered, and rationed so that nonsense costs little and harms no other."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count, islice

import msgspec
import pytest

from sensors import claimed_units
from sensors.claimed_units import (
    LONGEST,
    MOST_NEW,
    MOST_OF_A_POINT,
    MOST_OF_SUSPECTS,
    MOST_TOGETHER,
    REMEMBERED,
    TOO_MANY,
    ClaimedUnits,
    Found,
)
from sensors.dialects.dialect import Lane
from sensors.lookup import Registry
from tests.sensors.dialects.suite import site

NOW = 1_763_900_000.0
INCH = pytest.approx((25.4, 0.0))


def many(points: int = 400) -> ClaimedUnits:
    """Claim for points in millimetres."""
    made = site()
    first = msgspec.structs.replace(made.points[0], unit="mm", source_unit="")
    all = tuple(msgspec.structs.replace(first, id=f"q{k}", index=k, sources=()) for k in range(points))
    claimed = ClaimedUnits(Registry(msgspec.structs.replace(made, points=all)))
    claimed.begin(NOW)
    return claimed


def nonsense() -> Iterable[str]:
    return (f"x{k:05}" for k in count())


def looked_at(found: Found) -> bool:
    return found != TOO_MANY


def test_a_unit_becomes_the_points_or_it_is_said_why_not() -> None:
    claimed = many()
    assert claimed.find(0, "mm") == (1.0, 0.0)
    assert claimed.find(0, "m") == (1000.0, 0.0)
    assert claimed.find(0, "kPa") == "q0: kPa cannot be converted to mm: they do not measure the same"
    assert claimed.find(1, "dB/km") == "q1: 'dB/km' is not a unit of measure"
    assert claimed.find(2, "dB/km") == "q2: 'dB/km' is not a unit of measure", "known, and told of its own point"


def test_no_line_is_drawn_through_decibels() -> None:
    made = site()
    milliwatts = msgspec.structs.replace(made.points[0], unit="mW", source_unit="")
    claimed = ClaimedUnits(Registry(msgspec.structs.replace(made, points=(milliwatts, *made.points[1:]))))
    found = claimed.find(0, "dBm")
    assert isinstance(found, str) and "no linear scale" in found


def test_a_unit_that_is_too_long_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    claimed = many()
    asked: list[str] = []
    monkeypatch.setattr(claimed_units, "linear", lambda *pair: asked.append(pair[0]) or (1.0, 0.0))
    claimed.find(1, "k" * LONGEST)
    assert claimed.find(1, "x" * (LONGEST + 1)) == f"q1: a unit of {LONGEST + 1} characters, at most {LONGEST} allowed"
    assert asked == ["k" * LONGEST]
    assert len(claimed) == 1, "it is not kept either"


def test_a_message_may_bring_so_many_new_units_and_those_of_the_table_besides() -> None:
    claimed = many()
    claimed.begin_message()
    found = [claimed.find(index, unit) for index, unit in zip(range(100), nonsense(), strict=False)]
    assert [looked_at(one) for one in found] == [True] * MOST_NEW + [False] * (100 - MOST_NEW)
    assert claimed.find(200, "[in_i]") == TOO_MANY
    assert claimed.find(200, "cm") == (10.0, 0.0)
    claimed.begin_message()
    assert claimed.find(200, "[in_i]") == INCH


def test_a_point_may_bring_few_new_units_in_a_second_and_others_are_not_harmed() -> None:
    claimed = many()
    found = [claimed.find(0, unit) for unit in islice(nonsense(), 300)]
    assert sum(map(looked_at, found)) == MOST_OF_A_POINT
    assert claimed.find(0, "[in_i]") == TOO_MANY
    assert claimed.find(1, "[in_i]") == INCH
    assert claimed.find(0, "[in_i]") == INCH, "what is known is taken at any time"
    claimed.begin(NOW + 1)
    assert claimed.find(0, "[ft_i]") == pytest.approx((304.8, 0.0))


def test_all_together_may_bring_so_many_in_a_second_whatever_the_batches() -> None:
    for size in (1, 7, 400):
        claimed, found = many(), []
        for place, unit in zip(range(400), nonsense(), strict=False):
            if place % size == 0:
                claimed.begin(NOW + 0.4)
            found.append(looked_at(claimed.find(place, unit)))
        assert found == [True] * MOST_TOGETHER + [False] * (400 - MOST_TOGETHER)


def test_points_that_claimed_nonsense_leave_the_others_their_part() -> None:
    claimed, units = many(), iter(nonsense())
    for index in range(MOST_TOGETHER):
        claimed.find(index, next(units))
    claimed.begin(NOW + 1)
    found = [looked_at(claimed.find(index % MOST_TOGETHER, next(units))) for index in range(MOST_TOGETHER)]
    assert sum(found) == MOST_OF_SUSPECTS
    assert claimed.find(300, "[in_i]") == INCH


def test_what_fails_makes_nothing_forgotten_that_goes_well(monkeypatch: pytest.MonkeyPatch) -> None:
    claimed = many()
    assert claimed.find(0, "[in_i]") == INCH
    units = iter(nonsense())
    for second in range(2 * REMEMBERED // MOST_OF_SUSPECTS):
        claimed.begin(NOW + second)
        for index in range(1, 1 + MOST_OF_SUSPECTS):
            claimed.find(index, next(units))
        assert len(claimed) <= REMEMBERED + 1
    monkeypatch.setattr(claimed_units, "linear", None)
    assert claimed.find(0, "[in_i]") == INCH


def test_of_units_that_go_well_those_in_use_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    claimed = many()
    assert claimed.find(0, "[in_i]") == INCH
    monkeypatch.setattr(claimed_units, "linear", lambda *pair: (1.0, 0.0))
    units = iter(nonsense())
    for second in range(3 * REMEMBERED // MOST_TOGETHER):
        claimed.begin(NOW + second)
        for index in range(MOST_TOGETHER):
            claimed.find(index, next(units))
        assert claimed.find(0, "[in_i]") == INCH
        assert len(claimed) <= REMEMBERED + 1


def test_a_later_version_of_the_site_knows_what_was_known(monkeypatch: pytest.MonkeyPatch) -> None:
    claimed = many()
    claimed.find(0, "[in_i]")
    bad = claimed.find(0, "x00000")
    lane = Lane("frame", None, claimed._registry)
    heir = ClaimedUnits.of(lane, claimed)
    monkeypatch.setattr(claimed_units, "linear", None)
    assert heir.find(0, "[in_i]") == INCH
    assert heir.find(0, "x00000") == bad
    assert ClaimedUnits.of(lane) is heir
