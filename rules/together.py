"""How unlike their history an area's points are together: the area's model, looked at when a tick passes.

It goes by what each point stands at then, as figures across an area do (decision 0003). The score is unknown while the
model learns, and while any of its points is silent, never read, or told as history: silence is never green.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.area.fleet import Fleet
from models.area.model import Kind
from models.area.rows import STALE
from models.area.store import Stored
from rules.features import PointState
from sensors.renames import Renames
from sensors.site import Point

TOLD = 3  # points named as contributing
LEAST = 0.05  # share below which a point is not named

Array = npt.NDArray[np.float64]
DAY = 86400.0
SELDOM = 1e-6
"""What comes more seldom than that is told as that: no history knows it better."""


class _Words(NamedTuple):
    lead: str
    comma: str
    far: str
    kinds: dict[Kind, str]


_WORDS = {
    "en": _Words(
        "the points together are unlike their history: ",
        ", ",
        "; {kind} as far out as one row in {once} of the {days} d learnt from",
        {"mahalanobis": "Mahalanobis distance", "pca": "error of the main components", "forest": "isolation forest"},
    ),
    "zh": _Words(
        "各测点的组合与其历史不同：",
        "，",
        "；{kind}的偏离程度在所学的 {days} 天中约每 {once} 行才有一次",
        {"mahalanobis": "马氏距离", "pca": "主成分误差", "forest": "孤立森林"},
    ),
}


class Together:
    """Hold the models in force for the areas of a partition, and their state. Pure.

    `former` maps the ids that areas had before to those of now; points say theirs themselves.
    """

    def __init__(
        self,
        models: Sequence[Stored],
        points: Sequence[Point],
        areas: Mapping[str, int],
        former: Mapping[str, str] | None = None,
    ) -> None:
        row_of: dict[str, int] = {}
        if models:
            row_of = {name: row for row, point in enumerate(points) for name in point.renamed_from}
            row_of |= {point.id: row for row, point in enumerate(points)}
        called = dict(former or {}) | {area: area for area in areas}
        fit = [
            one for one in models if called.get(one.area) in areas and all(name in row_of for name in one.model.names)
        ]
        fit.sort(key=lambda one: one.area not in areas)  # an area's own before one of a former name
        by_area: dict[str, Stored] = {}
        for one in fit:
            by_area.setdefault(called[one.area], one)
        self.areas, self.stored = tuple(by_area), tuple(by_area.values())
        self.names = tuple(tuple(points[row_of[name]].id for name in one.model.names) for one in self.stored)
        self.fleet = Fleet([one.model for one in self.stored])
        self.area = np.array([areas[area] for area in self.areas], np.intp)
        width = self.fleet.smooth.shape[1]
        self.rows = np.zeros((len(self.stored), width), np.intp)
        self.mine = np.zeros((len(self.stored), width), np.bool_)
        self.patience = np.full((len(self.stored), width), np.inf)
        for place, one in enumerate(self.stored):
            rows = [row_of[name] for name in one.model.names]
            self.rows[place, : len(rows)], self.mine[place, : len(rows)] = rows, True
            expected = [max(points[row].interval, one.model.interval) for row in rows]
            self.patience[place, : len(rows)] = STALE * np.array(expected)
        self._place = {int(area): place for place, area in enumerate(self.area)}

    def tick(self, clock: float, points: PointState, score: Array, real: Array) -> None:
        """Judge what is due and write scores, f8[areas]; in `real` they are unknown where a reading is simulated."""
        rows = self.rows
        with np.errstate(invalid="ignore"):
            lost = ~(points.age[rows] <= self.patience) | np.isnan(points.value[rows]) | points.historical[rows]
        lost = (lost & self.mine).any(axis=1)
        due = self.fleet.due(clock)
        due = due[~lost[due]]
        if due.size:
            self.fleet.rows(due, clock, points.value[rows[due]])
        self.fleet.score[lost] = np.nan
        score[self.area] = self.fleet.score
        simulated = (points.simulated[rows] & self.mine).any(axis=1)
        real[self.area] = np.where(simulated, np.nan, self.fleet.score)

    def contributors(self, area: int) -> list[tuple[str, float]]:
        """Name the points that contribute most to an area's score, with their shares."""
        place = self._place.get(area)
        if place is None or np.isnan(self.fleet.score[place]):
            return []
        shares = self.fleet.shares(place)
        order = np.argsort(-shares, kind="stable")[:TOLD]
        names = self.names[place]
        return [(names[at], float(shares[at])) for at in order.tolist() if shares[at] >= LEAST]

    def reason_text(self, area: int, language: str = "en") -> str:
        """Say which points make an area's score ('' if nothing does), and how far out, in "en" or "zh-CN"."""
        words = _WORDS["zh" if language.startswith("zh") else "en"]
        found = self.contributors(area)
        if not found:
            return ""
        place = self._place[area]
        one = self.stored[place]
        days = (one.facts.end - one.facts.begin) / DAY
        once = 1.0 / max(1.0 - float(self.fleet.score[place]), SELDOM)
        far = words.far.format(kind=words.kinds[one.model.kind], once=f"{float(f'{once:.2g}'):.0f}", days=f"{days:.2g}")
        return words.lead + words.comma.join(f"{name} {100 * share:.0f} %" for name, share in found) + far

    def counts(self) -> list[dict[str, Any]]:
        """Say of each model how many rows it has judged lately, and how many were outside the usual: see `drift`."""
        fleet = self.fleet
        rows, outside = fleet.counted + fleet.former, fleet.outside + fleet.outside_former
        return [
            {
                "area": area,
                "version": one.version,
                "rows": float(rows[place]),
                "outside": outside[place, : len(one.model.names) + 1].tolist(),
            }
            for place, (area, one) in enumerate(zip(self.areas, self.stored, strict=True))
        ]

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs: arrays, and the versions that their rows stand for."""
        return {"versions": [f"{one.area}:{one.version}" for one in self.stored], "arrays": self.fleet.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over the state of the models that are in force here as well."""
        there = {name: place for place, name in enumerate(state["versions"])}
        names = [f"{one.area}:{one.version}" for one in self.stored]
        pairs = [(there[name], here) for here, name in enumerate(names) if name in there]
        self.fleet.restore(state["arrays"], pairs)

    def follow(self, other: Together, renames: Renames) -> None:
        """Go on where others left off, of the same rows of points: their own models, and those that new ones replace.

        A new model of the same points at the same interval begins with what the former one had smoothed, so that an
        area is not without a score after a promotion.
        """
        self.restore(other.state())
        there = {renames.area(area): place for place, area in enumerate(other.areas)}
        for here, one in enumerate(self.stored):
            place = there.get(self.areas[here])
            if place is None or other.stored[place].version == one.version:
                continue
            before, now = other.stored[place].model, one.model
            count = len(now.names)
            if (
                len(before.names) == count
                and before.interval == now.interval
                and np.array_equal(other.rows[place, :count], self.rows[here, :count])
                and all(map(np.array_equal, before.quantities[:2], now.quantities[:2]))
            ):
                self.fleet.follow(other.fleet, place, here)
