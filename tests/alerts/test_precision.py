"""How rules fared, from what incidents were closed as."""

from __future__ import annotations

import pytest

from alerts.precision import Case, precision, wilson

DAY = 1_767_225_600.0  # 2026-01-01 08:00 in Shanghai


def case(
    number: int, disposition: str, rule: str = "creep", scope: str = "p1", hour: float = 0.0, **fields: str
) -> Case:
    at = DAY + 3600.0 * hour
    given = {"area": "a1", "incident": f"i{number}", "level": "orange", "alarm": f"a-{number}-{rule}"} | fields
    return Case(rule=rule, scope=scope, onset=at, opened=at, disposition=disposition, **given)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (1, 1, 0.2065, 1.0)],
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    found = wilson(hits, of)
    assert found.value == hits / of
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_of_none_nothing_is_known() -> None:
    assert wilson(0, 0).value is None and wilson(0, 0).low is None


def test_precision_counts_real_against_nuisance_and_recall_what_others_caught() -> None:
    found = [
        case(1, "real"),
        case(2, "nuisance", hour=18.0),
        case(3, "nuisance", scope="p2", hour=18.5),
        case(4, "nuisance", scope="p2", hour=1.0),
        case(5, "test"),
        case(6, "duplicate"),
        case(7, "real", rule="rain", scope="p9"),
        case(8, "real", rule="rain", scope="p8", area="a2"),
    ]
    creep, rain = precision(found, "Asia/Shanghai")
    assert creep.counts == {"real": 1, "nuisance": 3, "test": 1, "duplicate": 1}
    assert (creep.precision.value, creep.precision.of) == (0.25, 4)
    assert (creep.recall.value, creep.recall.of) == (0.5, 2)  # of area a1's two
    assert creep.by_hour[2] == 2 and creep.by_hour[9] == 1 and sum(creep.by_hour) == 3
    assert [(one.scope, one.nuisance, one.real) for one in creep.places] == [("p2", 2, 0), ("p1", 1, 1)]
    assert rain.precision.value == 1.0
    assert precision(found, "Asia/Shanghai", {"creep": {"a1", "a2"}})[0].recall.of == 3


def test_a_case_that_rings_again_counts_once() -> None:
    (creep,) = precision([case(1, "nuisance"), case(1, "nuisance", alarm="a-again")], "UTC")
    assert creep.counts["nuisance"] == 1
