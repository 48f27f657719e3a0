"""A small stage for tests of rules: a site, points, rules in a few words, a scripted bank."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import numpy as np

from rules.rule import Rule
from sensors.site import Area, Camera, Point, Site, Text

NO_TEXT = Text(zh="", en="")
RATIONALE = {
    "cause": "c",
    "consequence": "c",
    "response": "r",
    "time_to_respond": "10 min",
    "owner": "o",
    "review": "2027-01-01",
}


class Scored(NamedTuple):
    score: np.ndarray
    alarm: np.ndarray


class Bank:
    """Stand in for the models: `flat_since` and `eta_now` are set by the test."""

    def __init__(self, rows: int) -> None:
        self.flat_since = np.full(rows, np.nan)
        self.reach = np.zeros(rows)
        self.eta_now = np.full(rows, np.nan)

    def eta(self, rows: np.ndarray, limit: np.ndarray, below: np.ndarray) -> np.ndarray:
        return self.eta_now[rows]

    def eta_range(self, rows: np.ndarray, limit: np.ndarray, below: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 0.5 * self.eta_now[rows], 2.0 * self.eta_now[rows]

    def reason_text(self, row: int, language: str = "en") -> str:
        return f"row {row}"


def a_rule(id: str = "r", *, levels: dict[str, Any] | None = None, when: str = "", **fields: Any) -> Rule:
    own = {"clear": fields.pop("clear")} if "clear" in fields else {}
    levels = levels or {"yellow": {"when": when} | own}
    return msgspec.convert(
        {"id": id, "title": {"zh": id, "en": id}, "levels": levels, "rationale": RATIONALE} | fields, Rule
    )


def a_point(id: str, *, area: str = "a", quantity: str = "level", unit: str = "m", **fields: Any) -> Point:
    index = fields.pop("index", abs(hash(id)) % 10**6)
    areas = fields.pop("areas", (area,))
    return Point(id=id, name=NO_TEXT, areas=areas, quantity=quantity, unit=unit, index=index, **fields)


def a_site(*points: Point, areas: tuple[str, ...] = ("a", "b")) -> Site:
    return Site(
        id="s",
        name=NO_TEXT,
        areas=tuple(Area(id=area, name=NO_TEXT, type="slope", place="p") for area in areas),
        points=tuple(msgspec.structs.replace(point, index=n) for n, point in enumerate(points)),
        cameras=(Camera(id="cam", name=NO_TEXT, areas=("a",)),),
    )
