"""Points page by page, by how well their scores keep their promise, and all of them summed up."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from alerts.console.calibration import page
from alerts.console.rates import ENOUGH, SHIPPED, ScoreRates
from alerts.console.traces import TraceStore
from sensors.lookup import Registry
from sensors.site import Site

from .conftest import make_site

COUNT = 40


@pytest.fixture
def site() -> Site:
    """Make a site of many points of one area."""
    found = make_site()
    points = tuple(msgspec.structs.replace(found.points[0], id=f"q{k:05}", index=k) for k in range(COUNT))
    return msgspec.structs.replace(found, points=points)


class Counts:
    """What was counted of the points of a site."""

    def __init__(self, site: Site) -> None:
        self.registry = Registry(site)
        self.rates, self.traces = ScoreRates(self.registry), TraceStore(len(site.points))
        self.home = self.registry.partition("slope-1")

    def score(self, point: int, scores: np.ndarray) -> None:  # type: ignore[type-arg]
        count = len(scores)
        index, times = np.full(count, point, "u4"), 1e9 + np.arange(count, dtype=float)
        self.rates.append(np.full(count, self.home), index, scores.astype("f4"), np.zeros(count, "u2"))
        self.traces.append(index, times, np.zeros(count), scores.astype("f4"), 1e9)

    def page(self, guessed: dict[str, str] | None = None, **asked: Any) -> dict[str, Any]:
        return page(self.registry, self.rates, self.traces, guessed or {}, **asked)


@pytest.fixture
def counts(site: Site) -> Counts:
    """Count of the first points: 3 often, 2 rightly, 1 too few, 0 none with a score."""
    made = Counts(site)
    ranks = np.arange(2000) / 2000.0
    made.score(0, np.full(50, np.nan))
    made.score(1, np.full(ENOUGH - 1, 0.5))
    made.score(2, ranks)
    made.score(3, np.where(ranks >= 0.99, 0.9995, 0.5))
    return made


def test_the_worst_come_first_then_those_that_are_not_told_yet(counts: Counts) -> None:
    found = counts.page(limit=5)
    assert [(one["point"], one["state"]) for one in found["items"]] == [
        ("q00003", "known"), ("q00002", "known"), ("q00001", "counting"), ("q00000", "learning"), ("q00004", "never"),
    ]  # fmt: skip
    assert found["items"][0]["ratios"] == {"0.99": 1.0, "0.999": 10.0}
    assert [one["learning"] for one in found["items"]] == [False, False, False, True, False]
    assert found["states"] == {"never": COUNT - 4, "learning": 1, "counting": 1, "known": 2}
    assert found["total"] == COUNT and found["next"] == 5


def test_pages_hold_each_point_once(counts: Counts) -> None:
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        found = counts.page(offset=offset, limit=7)
        seen += [one["point"] for one in found["items"]]
        offset = found["next"]
    assert len(seen) == len(set(seen)) == COUNT
    assert counts.page(offset=1000)["items"] == []


def test_points_are_found_by_state_and_part_of_their_id(counts: Counts) -> None:
    found = counts.page(state="known")
    assert (found["total"], found["states"]["never"]) == (2, COUNT - 4), "the sums stay of all points"
    assert [one["point"] for one in counts.page(find="00003", order="point")["items"]] == ["q00003"]
    assert counts.page(area="slope-2")["total"] == 0
    assert counts.page(find="no such")["levels"][0] == {
        "level": 0.99, "points": 0, "fair": None, "share": [], "ratio": [],
    }  # fmt: skip


def test_they_can_be_put_in_other_orders(counts: Counts) -> None:
    def first(order: Any) -> list[str]:
        return [one["point"] for one in counts.page(order=order, limit=2)["items"]]

    assert first("point") == ["q00000", "q00001"]
    assert first("scored") == ["q00002", "q00003"]
    assert first("rate99") == ["q00002", "q00003"], "both as often as they say: by id"
    index = np.full(3, 1, "u4")
    counts.rates.append(np.full(3, counts.home), index, np.full(3, 0.5, "f4"), np.full(3, 0xFFFF, "u2"))
    assert first("alarms")[0] == "q00001"


def test_all_points_are_summed_up_by_level(counts: Counts) -> None:
    found = counts.page()
    low, high = found["levels"]
    assert (low["level"], low["points"], low["fair"]) == (0.99, 2, 1.0)
    assert (high["fair"], high["ratio"], high["share"]) == (0.5, [10.0, 1.0], [0.0, 1.0])


def test_the_budget_of_the_area_type_and_the_kind_are_told(site: Site, counts: Counts) -> None:
    assert counts.page()["items"][0]["budget"] == SHIPPED
    kinds = tuple(msgspec.structs.replace(kind, alarms_per_day=0.5) for kind in site.area_types)
    points = tuple(
        msgspec.structs.replace(one, guess=one.index == 2, kind="angle" if one.index == 3 else one.kind)
        for one in site.points
    )
    counts.registry = Registry(msgspec.structs.replace(site, area_types=kinds, points=points))
    first, second = counts.page({"q00002": "counter"}, limit=2)["items"]
    assert (first["budget"], first["kind"], first["guessed"]) == (0.5, "angle", None)
    assert (second["kind"], second["guessed"]) == ("", "counter")


def test_ten_thousand_points_are_a_page_in_little_time() -> None:
    from time import process_time

    site = make_site()
    points = tuple(msgspec.structs.replace(site.points[0], id=f"q{k:05}", index=k) for k in range(10_000))
    made = Counts(msgspec.structs.replace(site, points=points))
    made.rates._scored[:] = 5000  # what 50 million readings would have left
    made.rates._at[:] = np.random.default_rng(0).poisson((50, 5), (10_000, 2))
    begun = process_time()
    found = made.page()
    assert process_time() - begun < 2.0
    assert len(found["items"]) == 50 and len(found["levels"][1]["ratio"]) == 200
    assert found["levels"][1]["ratio"] == sorted(found["levels"][1]["ratio"], reverse=True)
