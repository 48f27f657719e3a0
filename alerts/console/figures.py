"""The figures of /status and the pulse: what the engine says of itself, and how much of the site is live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from alerts.console.traces import TraceStore
from alerts.load import Load
from sensors.site import Area, Point, Site

SLACK = 10.0  # seconds beyond three intervals before a point counts as stale: batches, ticks, a slow link
CAMERA_INTERVAL = 60.0  # seconds: a camera's health is reported at least this often
HEALTH = ("live", "stale", "never")
LEVELS = ("red", "orange", "yellow", "blue")
BEHIND = 1000
"""Records that the engine may be behind the log."""


class Figures:
    """Gather the figures. `pulse` is what the engine said last, `heard` when, by the console's clock; `others` is what
    the other processes say; `unread` that the console cannot read the journal.
    """

    def __init__(self, site: Site, traces: TraceStore, now: float) -> None:
        self.traces = traces
        self.pulse: Mapping[str, Any] = {}
        self.others: Mapping[str, Any] = {}
        self.heard = now
        self.open = dict.fromkeys(LEVELS, 0)
        self.position = 0
        self.unread = False
        self.simulated = False
        self.load = Load()
        self.seats: dict[str, Load] = {}  # of each seat's own areas
        self.adopt(site)

    def adopt(self, site: Site) -> None:
        """Count by another version of the site."""
        traces = self.traces
        self.site = site
        self._seats = seats_of(site)
        self.seats = {seat.id: self.seats.get(seat.id, Load()) for seat in site.seats}
        self._rows = np.array([point.index for point in site.points if 0 <= point.index < len(traces)], np.intp)
        self._allowed = np.array(
            [3 * point.interval + SLACK for point in site.points if 0 <= point.index < len(traces)]
        )

        areas = {area.id: n for n, area in enumerate(site.areas)}
        parents, places = {one.id: one.parent for one in site.places}, {one.id: n for n, one in enumerate(site.places)}
        self.inside: dict[str, set[str]] = {one.id: set() for one in site.places}  # the areas of each place
        for area in site.areas:
            at: str | None = area.place
            while at in self.inside and area.id not in self.inside[at]:
                self.inside[at].add(area.id)
                at = parents[at]
        above: dict[str, list[int]] = {}
        for place, within in self.inside.items():
            for id in within:
                above.setdefault(id, []).append(places[place])
        heard = [(one, id) for one in site.points if 0 <= one.index < len(traces) for id in one.areas if id in areas]
        self._of_areas = _Parts.of({(areas[id], one.index): one for one, id in heard})
        self._of_places = _Parts.of({(place, one.index): one for one, id in heard for place in above.get(id, ())})

    def areas(self, now: float) -> list[dict[str, Any]]:
        """Count of each area its points and cameras that are live, fell silent, or never came."""
        here = self._of_areas.counted(self.traces.ages(now), len(self.site.areas))
        found: list[dict[str, Any]] = [
            {
                "area": area.id,
                "points": counts,
                "cameras": dict.fromkeys(HEALTH, 0),
            }
            for area, counts in zip(self.site.areas, here, strict=True)
        ]
        places = {row["area"]: row["cameras"] for row in found}
        for camera in self.site.cameras:
            state = self.camera(camera.id, now)["state"]
            for area in camera.areas:
                if area in places:
                    places[area][state] += 1
        return found

    def places(self, now: float) -> list[dict[str, Any]]:
        """Count of each place its points that are live, fell silent, or never came: each once, though of two areas."""
        here = self._of_places.counted(self.traces.ages(now), len(self.site.places))
        return [{"place": one.id, "points": counts} for one, counts in zip(self.site.places, here, strict=True)]

    def never(self, now: float) -> set[str]:
        """Name the points and cameras of which nothing was ever heard."""
        silent = set(self._rows[np.isnan(self.traces.ages(now)[self._rows])].tolist())
        points = {point.id for point in self.site.points if point.index in silent}
        return points | {one.id for one in self.site.cameras if self.camera(one.id, now)["state"] == "never"}

    def note(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Count alarms' transitions, for the desk and for each seat that watches their areas."""
        self.load.note(dict(one) for one in records)
        for seat, areas in self._seats.items():
            self.seats[seat].note(dict(one) for one in records if areas is None or one["area"] in areas)

    def forget(self, now: float) -> None:
        """Drop what is older than a day."""
        for load in (self.load, *self.seats.values()):
            load.forget(now)

    def hear(self, pulse: Mapping[str, Any], now: float) -> None:
        """Take the engine's own figures."""
        self.pulse, self.heard = pulse, now

    def status(self, now: float) -> dict[str, Any]:
        """Return the figures of /status. Their `time` is when the engine last spoke: it stands still when it does."""
        said = {**self.others, **self.pulse}
        cameras = [self.camera(camera.id, now)["state"] for camera in self.site.cameras]
        return {
            "time": float(self.pulse.get("time", self.heard)),
            "now": now,
            "readings_per_second": float(said.get("readings_per_second", 0.0)),
            "points_total": len(self.site.points),
            "points_live": int(np.count_nonzero(self.traces.ages(now)[self._rows] <= self._allowed)),
            "cameras_total": len(self.site.cameras),
            "cameras_live": cameras.count("live"),
            "open": self.open,
            "load": msgspec.structs.asdict(self.load.now(now)),
            "quarantine": {str(reason): int(count) for reason, count in said.get("quarantine", {}).items()},
            "engine_lag": float(said.get("engine_lag", 0.0)),
            "trouble": self._trouble(),
            "journal_position": self.position,
            "simulated": bool(said.get("simulated", False)) or self.simulated,
        }

    def _trouble(self) -> str:
        """Say why alarms may not be seen although the engine speaks; empty when they are."""
        if self.pulse.get("trouble"):
            return "unwritten"
        if self.unread:
            return "unread"
        return "behind" if self.pulse.get("engine_lag", 0) > BEHIND else ""

    def point(self, id: str, index: int, interval: float, now: float) -> dict[str, Any]:
        """Say how one point stands."""
        if not 0 <= index < len(self.traces) or np.isnan(self.traces.last_seen[index]):
            return {"id": id, "value": None, "time": None, "age": None, "state": "never"}
        age = max(now - float(self.traces.last_seen[index]), 0.0)
        value = float(self.traces.last_value[index])
        return {
            "id": id,
            "value": value if np.isfinite(value) else None,
            "time": float(self.traces.last_time[index]),
            "age": age,
            "state": "live" if age <= 3 * interval + SLACK else "stale",
        }

    def camera(self, id: str, now: float) -> dict[str, Any]:
        """Say how one camera stands, by the `cameras` of what was said: id → when it was last seen, unix seconds."""
        seen = {**self.others.get("cameras", {}), **self.pulse.get("cameras", {})}.get(id)
        if seen is None:
            return {"id": id, "time": None, "age": None, "state": "never"}
        age = max(now - float(seen), 0.0)
        return {
            "id": id,
            "time": float(seen),
            "age": age,
            "state": "live" if age <= 3 * CAMERA_INTERVAL + SLACK else "stale",
        }


def seats_of(site: Site) -> dict[str, frozenset[str] | None]:
    """Say which areas each seat watches; None is all."""
    places = {place.id: place for place in site.places}

    def subdistrict(area: Area) -> str:
        place = places.get(area.place)
        while place is not None and place.kind != "subdistrict":
            place = places.get(place.parent or "")
        return place.id if place is not None else ""

    found = {area.id: subdistrict(area) for area in site.areas}
    return {
        seat.id: frozenset(area for area, place in found.items() if place in seat.subdistricts)
        if seat.subdistricts
        else None
        for seat in site.seats
    }


class _Parts(NamedTuple):
    """Points by what they are parts of, areas or places: its number, the point's row, and the age it may have."""

    whole: NDArray[np.intp]
    rows: NDArray[np.intp]
    allowed: NDArray[np.float64]

    @classmethod
    def of(cls, points: Mapping[tuple[int, int], Point]) -> _Parts:
        whole, rows = zip(*points, strict=True) if points else ((), ())
        allowed = [3 * point.interval + SLACK for point in points.values()]
        return cls(np.array(whole, np.intp), np.array(rows, np.intp), np.array(allowed, np.float64))

    def counted(self, all_ages: NDArray[np.float64], total: int) -> list[dict[str, int]]:
        """Count those that are live, stale, never heard, of each of so many areas or places."""
        ages = all_ages[self.rows]
        chosen = (ages <= self.allowed, ages > self.allowed, np.isnan(ages))
        counts = [np.bincount(self.whole[one], minlength=total).tolist() for one in chosen]
        return [dict(zip(HEALTH, here, strict=True)) for here in zip(*counts, strict=True)]
