"""Scores are counted by point against what they name."""

from __future__ import annotations

import msgspec
import numpy as np

from alerts.console.rates import ENOUGH, ScoreRates
from sensors.flags import EARLY, GAP
from sensors.lookup import Registry
from sensors.site import Site

from .conftest import make_site


def add(
    made: ScoreRates, point: int, scores: np.ndarray, site: Site | None = None, elsewhere: bool = False, alarms: int = 0
) -> None:
    home = Registry(site or make_site()).partition("slope-1")
    count = len(scores)
    where, flags = 1 - home if elsewhere else home, np.where(np.arange(count) < alarms, EARLY | GAP, GAP).astype("u2")
    made.append(np.full(count, where), np.full(count, point, "u4"), scores.astype(np.float32), flags)


def test_ratios_are_observed_over_nominal_and_the_most_frequent_come_first() -> None:
    made = ScoreRates(Registry(make_site()))
    ranks = np.arange(2000) / 2000.0
    add(made, 0, ranks)
    add(made, 1, np.where(ranks > 0.98, 0.9995, 0.5))
    add(made, 2, np.full(ENOUGH - 1, 1.0))
    first, second = made.listed()
    assert (first["point"], first["ratios"]) == ("p1", {"0.99": 1.95, "0.999": 19.5})
    assert (second["point"], second["scored"]) == ("p0", 2000)
    assert second["ratios"] == {"0.99": 1.0, "0.999": 1.0}
    assert [one["point"] for one in made.listed(limit=1)] == ["p1"]
    assert made.listed(area="slope-2") == []


def test_what_has_no_score_or_comes_from_elsewhere_is_not_counted() -> None:
    made = ScoreRates(Registry(make_site()))
    add(made, 0, np.full(5000, np.nan))
    add(made, 1, np.ones(5000), elsewhere=True)
    add(made, 99, np.ones(5000))
    assert made.listed() == []


def test_the_budget_of_the_area_type_is_told_and_a_new_site_keeps_what_was_counted() -> None:
    site = make_site()
    made = ScoreRates(Registry(site))
    add(made, 0, np.zeros(ENOUGH))
    assert made.listed()[0]["alarms_per_day"] is None
    kinds = tuple(msgspec.structs.replace(kind, alarms_per_day=0.1) for kind in site.area_types)
    made.adopt(Registry(msgspec.structs.replace(site, area_types=kinds)))
    assert (made.listed()[0]["alarms_per_day"], made.listed()[0]["scored"]) == (0.1, ENOUGH)


def test_alarms_are_told_beside_what_the_budget_allows_in_that_time() -> None:
    site = make_site()
    made = ScoreRates(Registry(site))
    add(made, 0, np.zeros(8640), alarms=3)
    add(made, 0, np.zeros(8640), alarms=3, elsewhere=True)
    [told] = made.listed()
    days = round(8640 * site.points[0].interval / 86400.0, 3)
    assert (told["alarms"], told["days"], told["allowed"]) == (3, days, round(0.03 * days, 3))
    kinds = tuple(msgspec.structs.replace(kind, alarms_per_day=0.5) for kind in site.area_types)
    made.adopt(Registry(msgspec.structs.replace(site, area_types=kinds)))
    assert made.listed()[0]["allowed"] == round(0.5 * days, 3)
