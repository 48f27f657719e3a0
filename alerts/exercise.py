"""The report of a drill (演练): how long each leg took, against what it was to take. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts import messages

Row = dict[str, Any]

LEGS = ("acknowledge", "dispatch", "accept", "on_scene", "resolve", "close")
"""What is timed, each from the opening of the incident."""

ENDED = "exercise.ended"
"""The reason of what the end of a drill itself closes: nobody did that."""

BY_NOBODY = (ENDED, "log.replaced", "log.forgotten")
"""Reasons of changes that are no answer of anybody's."""

NOTHING = "exercise.nothing_there"
"""Why an act of the script came to nothing: no case or order was there for it."""

MOST_ACTS = 500
"""Steps of a script."""

OBJECTIVES = {"acknowledge": 120.0, "dispatch": 180.0, "accept": 300.0, "on_scene": 900.0, "close": 3600.0}
"""Seconds that legs may take where a script does not say."""


def missed_id(drill: str, number: int) -> str:
    """Name the order by which a journal keeps that an act of a drill's script came to nothing."""
    return f"{drill}.act.{number}"


def missed_target(do: str, of: str, reason: str) -> str:
    """Write what that order is about: the act, whose or which step it was, and why nothing came of it."""
    return f"{do}|{of[:32]}|{reason}"[:96]


def _missed(answer: Mapping[str, Any]) -> Row:
    do, of, reason = (*str(answer["target"]).split("|", 2), "", "")[:3]
    return {"time": answer["time"], "do": do, "of": of, "reason": reason, "said": messages.both(reason)}


def report(drill: Mapping[str, Any]) -> Row:
    """Score a drill with its `incidents`, as `Reader.exercise` gives it.

    Each incident has its legs: `seconds` from its opening until the leg was first reached, None where it never was;
    `objective` in seconds, `met` where there is one. `score` is the share of all objectives that were met, 0..1, None
    without any; a drill that raised nothing has met none. `missed` are the acts of the script that came to nothing.
    """
    objectives: Mapping[str, float] = drill["objectives"]
    items = [_incident(one, objectives) for one in drill["incidents"]]
    met = [leg["met"] for one in items for leg in one["legs"] if leg["met"] is not None]
    if not items:
        met = [False] * len(objectives)
    kept = ("id", "title", "areas", "units", "actor", "began", "ended", "objectives")
    return {
        **{name: drill[name] for name in kept},
        "incidents": items,
        "missed": [_missed(one) for one in drill.get("missed", ())],
        "met": sum(met),
        "of": len(met),
        "score": sum(met) / len(met) if met else None,
    }


def _incident(row: Mapping[str, Any], objectives: Mapping[str, float]) -> Row:
    reached = _reached(row)
    legs = []
    for leg in LEGS:
        at, objective = reached.get(leg), objectives.get(leg)
        seconds = None if at is None else max(at - row["opened"], 0.0)
        met = None if objective is None else seconds is not None and seconds <= objective
        legs.append({"leg": leg, "seconds": seconds, "objective": objective, "met": met})
    plan = row.get("plan") or {}
    kept = {name: row[name] for name in ("id", "title", "area", "opened")}
    return {
        **kept,
        "level": row["peak"],
        "legs": legs,
        "steps_done": len(plan.get("ticks", ())),
        "steps": len(plan.get("steps", ())),
        "course": _course(row),
    }


def _reached(row: Mapping[str, Any]) -> dict[str, float]:
    """Say when each leg was first reached, by somebody."""
    found: dict[str, float] = {}
    for change in row["history"]:
        if change.get("reason") in BY_NOBODY:
            continue
        leg = {"acknowledged": "acknowledge", "dispatched": "dispatch", "closed": "close"}.get(change["edge"])
        if leg is not None:
            found.setdefault(leg, change["time"])
    for dispatch in row["dispatch_details"]:
        for change in dispatch["history"]:
            leg = {"accepted": "accept", "on_scene": "on_scene", "resolved": "resolve"}.get(change["edge"])
            if leg is not None:
                found[leg] = min(found.get(leg, change["time"]), change["time"])
    return found


def _course(row: Mapping[str, Any]) -> list[Row]:
    """List what happened, in order: time, edge, who, and the unit where it is about one."""
    told = [
        {"time": one["time"], "what": f"incident.edge.{one['edge']}", "who": one.get("actor", ""), "unit": ""}
        for one in row["history"]
    ]
    told += [
        {
            "time": one["time"],
            "what": f"dispatch.edge.{one['edge']}",
            "who": one.get("actor", ""),
            "unit": one["unit"],
        }
        for dispatch in row["dispatch_details"]
        for one in dispatch["history"]
    ]
    return sorted(told, key=lambda one: one["time"])[:200]
