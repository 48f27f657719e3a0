"""How well each point's scores keep their promise, page by page: state of learning, rates, budget, kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from alerts.console.rates import ENOUGH, LEVELS, SHIPPED, Counted, ScoreRates, told
from alerts.console.traces import TraceStore
from models.scoring import DAY
from sensors.lookup import Registry

State = Literal["never", "learning", "counting", "known"]
STATES: tuple[State, ...] = ("never", "learning", "counting", "known")
"""No reading came; none has a score yet; too few have one to tell a rate; the rate is told."""

Order = Literal["worst", "rate99", "alarms", "scored", "point"]

FAIR = (0.5, 2.0)
"""Observed over nominal within which a rate keeps its promise."""

DRAWN = 200
"""Points of the curve of all points' rates."""


def page(
    registry: Registry,
    rates: ScoreRates,
    traces: TraceStore,
    guessed: Mapping[str, str],
    *,
    area: str | None = None,
    find: str = "",
    state: State | None = None,
    order: Order = "worst",
    offset: int = 0,
    limit: int = 50,
) -> dict[str, Any]:
    """List points by how far they are from their promise, and sum all of them up.

    `find` is a part of the id; the sums are of all points of the area that it is in. `worst` puts first those whose
    0.999 comes most often for what it says, then those that are not told yet.
    """
    counted = rates.counted()
    there = [
        point
        for point in registry.site.points
        if 0 <= point.index < len(counted.scored)
        and (area is None or area in point.areas)
        and (not find or find in point.id)
    ]
    rows = np.array([point.index for point in there], np.intp)
    states = _states(counted, traces, rows)
    ratios = counted.ratios()[rows]
    kept = np.flatnonzero(states == STATES.index(state)) if state is not None else np.arange(len(rows))
    ids = np.array([point.id for point in there], np.str_)
    chosen = kept[_order(order, counted, registry, rows[kept], states[kept], ratios[kept], ids[kept])]
    shown = chosen[offset : offset + limit].tolist()
    items = told(registry, counted, [int(rows[place]) for place in shown])
    for place, item in zip(shown, items, strict=True):
        point = there[place]
        item["state"] = STATES[states[place]]
        item["learning"] = point.index < len(traces) and traces.learning(point.index)
        item["kind"] = "" if point.guess else point.kind
        item["guessed"] = guessed.get(point.id)
        item["budget"] = SHIPPED if item["alarms_per_day"] is None else item["alarms_per_day"]
    known = ratios[states == STATES.index("known")]
    return {
        "items": items,
        "total": len(chosen),
        "next": offset + limit if offset + limit < len(chosen) else None,
        "states": {name: int((states == number).sum()) for number, name in enumerate(STATES)},
        "levels": [_level(level, known[:, number]) for number, level in enumerate(LEVELS)],
        "alarms": int(counted.alarms[rows].sum()),
        "allowed": round(float(_allowed(counted, registry, rows).sum()), 3),
        "shipped": SHIPPED,
    }


def _states(counted: Counted, traces: TraceStore, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """Say where each point stands, as places in `STATES`."""
    heard = np.zeros(len(rows), np.bool_)
    inside = rows < len(traces)
    heard[inside] = ~np.isnan(traces.last_seen[rows[inside]])
    scored = counted.scored[rows]
    found: npt.NDArray[np.int64] = np.select(
        [scored >= ENOUGH, scored > 0, heard], [STATES.index("known"), STATES.index("counting"), 1], 0
    ).astype(np.int64)
    return found


def _order(
    order: Order,
    counted: Counted,
    registry: Registry,
    rows: npt.NDArray[np.intp],
    states: npt.NDArray[np.int64],
    ratios: npt.NDArray[np.float64],
    ids: npt.NDArray[np.str_],
) -> npt.NDArray[np.intp]:
    """Return places in their order; what ties goes by id."""
    scored = counted.scored[rows]
    if order == "point":
        return np.argsort(ids, kind="stable")
    if order == "scored":
        return np.lexsort((ids, -scored))
    if order == "alarms":
        over = counted.alarms[rows] / np.maximum(_allowed(counted, registry, rows), 1e-9)
        return np.lexsort((ids, -over, scored == 0))
    rate = ratios[:, 0 if order == "rate99" else -1]
    return np.lexsort((ids, -rate, -states))


def _allowed(counted: Counted, registry: Registry, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Return the false alarms that the budgets allow in the time of so many readings, f8[points]."""
    budgets = {kind.id: kind.alarms_per_day for kind in registry.site.area_types}
    types = {one.id: budgets.get(one.type) for one in registry.site.areas}
    points = [registry.by_index[index] for index in rows.tolist()]
    a_day = [SHIPPED if (said := types.get(point.areas[0])) is None else said for point in points]
    interval = np.array([point.interval for point in points], np.float64)
    found: npt.NDArray[np.float64] = counted.scored[rows] * interval / DAY * np.array(a_day, np.float64)
    return found


def _level(level: float, ratios: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Sum up how often a score comes: the share of points that keep its promise, and all their rates, highest first."""
    ordered = np.sort(ratios)[::-1]
    places = np.unique(np.linspace(0, len(ordered) - 1, min(len(ordered), DRAWN)).round().astype(np.intp))
    fair = (ratios >= FAIR[0]) & (ratios <= FAIR[1])
    return {
        "level": level,
        "points": len(ordered),
        "fair": round(float(fair.mean()), 4) if len(ordered) else None,
        "share": [round(float(place / max(len(ordered) - 1, 1)), 4) for place in places.tolist()],
        "ratio": [round(float(one), 3) for one in ordered[places].tolist()],
    }
