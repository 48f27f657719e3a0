"""How cameras fare: share of time in order, troubles and time to repair, from the transitions of their alarms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sensors.site import Camera

GONE = frozenset({"NORM", "RTNUN"})
"""States of an alarm whose cause does not hold."""

UNSAID = frozenset({"SHLVD", "DSUPR", "OOSRV"})
"""States that do not say whether it does."""


def operations(
    cameras: Sequence[Camera], changes: Iterable[Mapping[str, Any]], live: Mapping[str, str], since: float, now: float
) -> dict[str, Any]:
    """Gather figures of cameras, areas and suppliers over a span of unix time, the worst first.

    `changes` are transitions of data-quality alarms in order: scope, alarm, after, time. `live` maps a camera to live,
    stale or never. A repair is a trouble that ended within the span; how long it took is counted from its beginning.
    Of a camera that was never read, and of which no alarm tells, nobody knows whether it is in order: None.
    """
    found = troubles(changes, now)
    each = []
    for camera in cameras:
        spans = found.get(camera.id, [])
        within = [(max(start, since), stop) for start, stop, _ in spans if stop > since]
        state = live.get(camera.id, "never")
        unknown = state == "never" and not spans
        each.append(
            {
                "camera": camera.id,
                "area": camera.areas[0],
                "supplier": camera.supplier,
                "state": state,
                "troubled": any(lasting for *_, lasting in spans),
                "in_order": None if unknown else 1.0 - covered(within) / max(now - since, 1e-9),
                "troubles": len(within),
                "repairs": [stop - start for start, stop, lasting in spans if not lasting and stop > since],
            }
        )
    return {
        "since": since,
        "until": now,
        "cameras": sorted((_said(one) for one in each), key=_badness),
        "areas": _grouped(each, "area"),
        "suppliers": _grouped(each, "supplier"),
    }


def troubles(changes: Iterable[Mapping[str, Any]], now: float) -> dict[str, list[tuple[float, float, bool]]]:
    """Return the troubles of each point or camera: (start, stop, whether it lasts)."""
    begun: dict[tuple[str, str], float] = {}
    found: dict[str, list[tuple[float, float, bool]]] = {}
    for change in changes:
        key = change["scope"], change["alarm"]
        if change["after"] in UNSAID:
            continue
        if change["after"] not in GONE:
            begun.setdefault(key, change["time"])
        elif key in begun:
            found.setdefault(key[0], []).append((begun.pop(key), change["time"], False))
    for (camera, _), start in begun.items():
        found.setdefault(camera, []).append((start, now, True))
    return found


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Return the seconds that spans cover together; several alarms may stand for one trouble."""
    total, reached = 0.0, float("-inf")
    for start, stop in sorted(spans):
        total += max(stop - max(start, reached), 0.0)
        reached = max(reached, stop)
    return total


def _said(one: Mapping[str, Any]) -> dict[str, Any]:
    repairs = one["repairs"]
    return {**one, "repairs": len(repairs), "time_to_repair": sum(repairs) / len(repairs) if repairs else None}


def _grouped(each: Sequence[Mapping[str, Any]], field: str) -> list[dict[str, Any]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for one in each:
        groups.setdefault(one[field], []).append(one)
    found = []
    for name, members in groups.items():
        repairs = [seconds for one in members for seconds in one["repairs"]]
        shares = [one["in_order"] for one in members if one["in_order"] is not None]
        found.append(
            {
                "name": name,
                "cameras": len(members),
                "online": sum(one["state"] == "live" for one in members),
                "troubled": sum(one["troubled"] for one in members),
                "in_order": sum(shares) / len(shares) if shares else None,
                "troubles": sum(one["troubles"] for one in members),
                "repairs": len(repairs),
                "time_to_repair": sum(repairs) / len(repairs) if repairs else None,
            }
        )
    return sorted(found, key=lambda one: (_order(one), -one["troubled"], -one["troubles"], one["name"]))


def _badness(one: Mapping[str, Any]) -> tuple[bool, bool, float, int, str]:
    return not one["troubled"], one["state"] == "live", _order(one), -one["troubles"], one["camera"]


def _order(one: Mapping[str, Any]) -> float:
    """Rank what nobody knows beside what is in order."""
    return 1.0 if one["in_order"] is None else float(one["in_order"])


def begun(publications: Iterable[float], first: float | None) -> float:
    """Say since when there is anything to tell: the first publication or, if earlier, the journal's first time."""
    return min([*publications, *(() if first is None else (first,))], default=0.0)
