"""Prepared responses (预案): which one an incident has, its checklist, and who ticked what. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from alerts import messages
from alerts.alarm import Refusal
from sensors.site import LEVELS, RANK, Area, Plan, Site

Text = Mapping[str, str]

_FILLED = re.compile(r"\{(area|level|place)\}")

LEVEL_NAMES = {level: messages.both(f"level.{level}") for level in LEVELS}


class Tick(msgspec.Struct, frozen=True):
    """Who ticked a step, and when (unix seconds)."""

    by: str
    time: float
    note: str = ""


class Plans:
    """Find the plan of an area at a level: its own before one of its type, then the one that begins highest."""

    def __init__(self, site: Site) -> None:
        self._areas = {area.id: area for area in site.areas}
        self._own = _by_rank((id, plan) for plan in site.plans for id in plan.areas)
        self._typed = _by_rank((id, plan) for plan in site.plans for id in plan.types)

    def of(self, area: str, rank: int) -> Plan | None:
        """Return the plan for an area's incident at a level's rank, None without one."""
        found = self._areas.get(area)
        for plans in (self._own.get(area, ()), self._typed.get(found.type, ()) if found is not None else ()):
            for begins, plan in plans:
                if begins <= rank:
                    return plan
        return None


def further(plans: Plans, kept: str, levels: Iterable[tuple[str, str]]) -> list[tuple[list[str], str, Plan]]:
    """List the plans that an incident's areas have beside the one that it keeps to (`kept`, its id).

    `levels` are the area and level of each of its alarms. Each plan comes once, with its areas and their highest level;
    the plan of the worst alarm leads, and so does the worst area.
    """
    worst: dict[str, str] = {}
    for area, level in levels:
        if area not in worst or RANK[level] > RANK[worst[area]]:
            worst[area] = level
    found: dict[str, tuple[list[str], str, Plan]] = {}
    for area, level in sorted(worst.items(), key=lambda one: -RANK[one[1]]):
        plan = plans.of(area, RANK[level])
        if plan is not None and plan.id != kept:
            found.setdefault(plan.id, ([], level, plan))[0].append(area)
    return list(found.values())


def _by_rank(pairs: Iterable[tuple[str, Plan]]) -> dict[str, list[tuple[int, Plan]]]:
    found: dict[str, list[tuple[int, Plan]]] = {}
    for id, plan in pairs:
        found.setdefault(id, []).append((RANK[plan.level], plan))
    for plans in found.values():
        plans.sort(key=lambda one: -one[0])
    return found


def key(plan: Plan) -> str:
    """Name a plan with its version: what an incident is pinned to."""
    return f"{plan.id}@{plan.version}"


def tick(plan: Plan | None, ticks: dict[str, Tick], step: object, by: str, clock: float, note: str) -> str:
    """Tick a step of a plan and return its id. Raise `Refusal` when there is no such step, or it is ticked."""
    id = _step(plan, step)
    if id in ticks:
        raise Refusal("plan.already_ticked")
    ticks[id] = Tick(by, clock, note)
    return id


def untick(plan: Plan | None, ticks: dict[str, Tick], step: object, reason: str) -> str:
    """Take a tick back and return the step's id. Raise `Refusal` when it is not ticked, or no reason is given."""
    id = _step(plan, step)
    if id not in ticks:
        raise Refusal("plan.not_ticked")
    if not reason:
        raise Refusal("reason_needed")
    del ticks[id]
    return id


def _step(plan: Plan | None, step: object) -> str:
    if plan is None:
        raise Refusal("plan.none")
    if not isinstance(step, str) or all(one.id != step for one in plan.steps):
        raise Refusal("plan.unknown_step")
    return step


def checklist(plan: Mapping[str, Any], ticks: Mapping[str, Any], level: str) -> list[dict[str, Any]]:
    """List a plan's steps (both as plain data) at a level: each with its role's name, who ticked it, and if it is due.

    Steps of higher levels are there as well, not due yet, so that whoever works sees what may come.
    """
    roles = plan.get("roles", {})
    rank = RANK.get(level, len(LEVELS))
    return [
        {
            "id": step["id"],
            "text": step["text"],
            "role": roles.get(step.get("role", "")),
            "level": step.get("level", "blue"),
            "due": RANK[step.get("level", "blue")] <= rank,
            "ticked": ticks.get(step["id"]),
        }
        for step in plan["steps"]
    ]


def filled(text: Text, *, area: Text, level: str, place: Text) -> dict[str, str]:
    """Fill in a message to the public, in both languages."""
    values = {"area": area, "level": LEVEL_NAMES[level], "place": place}
    return {
        language: _FILLED.sub(lambda name: values[name[1]][language], text[language])  # noqa: B023 - used at once
        for language in ("zh", "en")
    }


def blank(text: Text) -> dict[str, str]:
    """Leave room in a message to the public for what is to be filled in by hand."""
    return {language: _FILLED.sub("______", text[language]) for language in ("zh", "en")}


def place_of(area: Area | None, site: Site) -> dict[str, str]:
    """Say where an area lies, subdistrict and community, in both languages; empty when it is not known."""
    places = {place.id: place for place in site.places}
    path = []
    place = places.get(area.place) if area is not None else None
    while place is not None and place.kind != "district" and place not in path:
        path.append(place)
        place = places.get(place.parent or "")
    return {"zh": "".join(one.name.zh for one in reversed(path)), "en": ", ".join(one.name.en for one in path)}
