"""The mock API's models: of areas and of triage, ten thousand points of calibration, and kinds that were guessed."""

# ruff: noqa: E501  # rows of made-up data

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]
DAY = 86400.0


class NoModel(Exception):
    """Say why a model cannot be put in force."""


class Shelf:
    """Learnt models, which of them are in force, and how the points keep their promise."""

    def __init__(self, points: int = 10_000) -> None:
        now = time.time()
        self.areas = [
            _area("3f2a91c07b11", "slope-shiyan-1", "mahalanobis", now - 9 * DAY, now, 0.93, 0.011),
            _area("91c03f2a22b7", "slope-shiyan-1", "forest", now - 40 * DAY, now, 0.81, 0.009),
            _area("77aa01b2c3d4", "underpass-shajing-2", "pca", now - 3 * DAY, now, 0.88, 0.012),
        ]
        self.triage = [_triage("0b5e77c1d2a3", now - 2 * DAY, 0.141), _triage("c4d5e6f70819", now - 30 * DAY, 0.158)]
        self.order: dict[str, list[str]] = {"slope-shiyan-1": [], "triage": []}
        self.said: dict[str, Row] = {}
        self.guessed = [
            {"point": "slope-shiyan-1.rain", "areas": ["slope-shiyan-1"], "kind": "counter"},
            {"point": "slope-shiyan-1.tilt-1", "areas": ["slope-shiyan-1"], "kind": "angle"},
        ]
        self.points = _points(points)
        self.drifting = False
        self._put("91c03f2a22b7", "user:lin", "第一个模型", now - 39 * DAY)
        self._put("c4d5e6f70819", "user:lin", "三周的结论", now - 29 * DAY)

    def models(self) -> Row:
        current = {versions[-1] for versions in self.order.values() if versions}
        learnt = [
            {**one, "in_force": one["version"] in current, "promoted": self.said.get(one["version"])}
            for one in self.areas
        ]
        triage = [{**one, "in_force": one["version"] in current, "promoted": self.said.get(one["version"]),
                   "since": one["since"] if one["version"] in current else None} for one in self.triage]  # fmt: skip
        share = 0.47 if self.drifting else 0.11
        items = [
            {**one, "drift": {"rows": 9000.0, "independent": 210.0, "outside": share, "usual": 0.1, "drifted": self.drifting, "points": []},
             "warning": {"zh": f"{one['area']} 的模型 {one['version']} 已落后于数据漂移", "en": f"model {one['version']} of {one['area']} is older than its data's drift"} if self.drifting else {}}
            for one in learnt if one["in_force"]
        ]  # fmt: skip
        return {"items": items, "learnt": learnt, "triage": triage, "problems": [], "time": time.time()}

    def promote(self, version: str, actor: str, reason: str) -> Row:
        return self._put(version, actor, reason, time.time())

    def rollback(self, of: str, present: str, actor: str, reason: str) -> Row:
        order = self.order.get(of, [])
        if order[-1:] != [present]:
            raise NoModel(f"{order[-1] if order else 'none'} is in force by now, not {present}")
        order.pop()
        return _done(of, order[-1] if order else "", present)

    def page(self, asked: Mapping[str, str]) -> Row:
        area, find, state = asked.get("area", ""), asked.get("find", ""), asked.get("state", "")
        there = [one for one in self.points if (not area or area in one["areas"]) and find in one["point"]]
        kept = [one for one in there if not state or one["state"] == state]
        told = {"known": 3, "counting": 2, "learning": 1, "never": 0}
        keys: dict[str, Any] = {
            "worst": lambda one: (-told[one["state"]], -one["ratios"]["0.999"]),
            "rate99": lambda one: (-told[one["state"]], -one["ratios"]["0.99"]),
            "alarms": lambda one: -one["alarms"] / max(one["allowed"], 1e-9),
            "scored": lambda one: -one["scored"],
            "point": lambda one: one["point"],
        }
        kept.sort(key=keys[asked.get("order", "worst")])
        begin, limit = int(asked.get("offset", 0)), int(asked.get("limit", 50))
        known = [one for one in there if one["state"] == "known"]
        return {
            "items": kept[begin : begin + limit], "total": len(kept),
            "next": begin + limit if begin + limit < len(kept) else None,
            "states": {name: sum(one["state"] == name for one in there) for name in told},
            "levels": [_level(level, [one["ratios"][str(level)] for one in known]) for level in (0.99, 0.999)],
            "alarms": sum(one["alarms"] for one in there), "allowed": round(sum(one["allowed"] for one in there), 1), "shipped": 0.03,
        }  # fmt: skip

    def _put(self, version: str, actor: str, reason: str, when: float) -> Row:
        of = next((one["area"] for one in self.areas if one["version"] == version), None)
        if of is None and any(one["version"] == version for one in self.triage):
            of = "triage"
        if of is None:
            raise NoModel(f"no model of version {version!r}")
        order = self.order.setdefault(of, [])
        before = order[-1] if order else ""
        order.append(version)
        self.said[version] = {"version": version, "by": actor, "time": when, "reason": reason}
        return _done(of, version, before)


def _done(of: str, version: str, before: str) -> Row:
    return {
        "of": of,
        "version": version,
        "before": before,
        "publication": "5e1f00aa77b2",
        "waiting": False,
        "changed": True,
    }


def _area(version: str, area: str, kind: str, end: float, now: float, found: float, false: float) -> Row:
    tried = [{"kind": one, "found": found if one == kind else found - 0.1, "false": false if one == kind else false + 0.004}
             for one in ("mahalanobis", "pca", "forest")]  # fmt: skip
    return {
        "version": version, "area": area, "kind": kind, "points": [f"{area}.displacement-1", f"{area}.tilt-1"], "interval": 10.0,
        "begin": end - 14 * DAY, "end": end, "rows": 120_960, "code": "0.1.0", "source": "the site's own log",
        "trained": min(end + 600, now), "tried": tried, "missing": [],
    }  # fmt: skip


def _triage(version: str, trained: float, brier: float) -> Row:
    bins = [(18, 0.08, 0.11), (18, 0.24, 0.17), (18, 0.46, 0.5), (18, 0.71, 0.67), (18, 0.92, 0.94)]
    return {
        "version": version, "begin": trained - 60 * DAY, "end": trained - DAY, "code": "0.1.0", "trained": trained, "warning": {},
        "figures": {
            "verdicts": 300, "real": 131, "tested": 90, "brier": brier, "brier_constant": 0.243, "order": 0.86,
            "bins": [{"count": count, "told": told, "real": real} for count, told, real in bins],
        },
        "since": {"verdicts": 64, "told": 0.44, "real": 0.41, "brier": 0.15, "expected": 0.16, "drifted": False},
    }  # fmt: skip


def _points(count: int) -> list[Row]:
    drawn = random.Random(7)  # made-up figures
    areas = ("slope-shiyan-1", "underpass-shajing-2", "village-xixiang-3")
    found = []
    for number in range(count):
        state = "known" if number % 10 else ("counting", "learning", "never")[number // 10 % 3]
        scored = {"known": 40_000 + number, "counting": 400, "learning": 0, "never": 0}[state]
        days = scored * 10.0 / DAY
        budget = 0.02 if number % 3 == 2 else None
        ratio = math.exp(drawn.gauss(0.0, 0.5))
        found.append({
            "point": f"{areas[number % 3]}.p{number:05}", "areas": [areas[number % 3]], "state": state, "learning": state == "learning",
            "scored": scored, "ratios": {"0.99": round(ratio**0.5, 3), "0.999": round(ratio, 3)}, "alarms": int(days * 0.03 * ratio + drawn.random()),
            "days": round(days, 3), "allowed": round(days * (budget or 0.03), 3), "alarms_per_day": budget, "budget": budget or 0.03,
            "kind": "" if number % 4 else "gauge", "guessed": "counter" if number == 5 else None,
        })  # fmt: skip
    return found


def _level(level: float, ratios: list[float]) -> Row:
    ordered = sorted(ratios, reverse=True)
    places = sorted({round(place * (len(ordered) - 1) / 199) for place in range(200)}) if ordered else []
    fair = sum(0.5 <= one <= 2.0 for one in ratios) / len(ratios) if ratios else None
    return {
        "level": level, "points": len(ordered), "fair": fair,
        "share": [place / max(len(ordered) - 1, 1) for place in places], "ratio": [ordered[place] for place in places],
    }  # fmt: skip
