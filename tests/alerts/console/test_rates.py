"""Scores are counted by point against what they name."""

from __future__ import annotations

import msgspec
import numpy as np

from alerts.console.rates import ENOUGH, ScoreRates
from sensors.lookup import Registry
from sensors.site import Site

from .conftest import make_site


def add(made: ScoreRates, point: int, scores: np.ndarray, site: Site | None = None, elsewhere: bool = False) -> None:
    home = Registry(site or make_site()).partition("slope-1")
    count = len(scores)
    made.append(np.full(count, 1 - home if elsewhere else home), np.full(count, point, "u4"), scores.astype(np.float32))


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
