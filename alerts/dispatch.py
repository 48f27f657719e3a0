"""The legs of a dispatch, as a table, with the deadline that each one sets for the next.

It goes on after the scene is dealt with: what was done is fed back to those who called, and where it is asked for
somebody goes again after some days to see how things are. A visit to come keeps no incident open.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import msgspec

from alerts.alarm import Refusal
from sensors.site import LEVELS, Deadlines, Loop

Leg = Literal["issued", "accepted", "on_scene", "resolved", "fed_back", "follow_up", "closed", "refused"]
Order = Literal["accept", "refuse", "on_scene", "resolve", "feed_back", "follow_up", "close"]

LEGS: tuple[Leg, ...] = (
    "issued",
    "accepted",
    "on_scene",
    "resolved",
    "fed_back",
    "follow_up",
    "closed",
    "refused",
)
WORKING: tuple[Leg, ...] = ("issued", "accepted", "on_scene")
"""Somebody is on it."""

OPEN: tuple[Leg, ...] = (*WORKING, "resolved", "fed_back", "follow_up")

EDGES: dict[tuple[Leg, Order], Leg] = {
    ("issued", "accept"): "accepted",
    ("issued", "refuse"): "refused",
    ("accepted", "refuse"): "refused",
    ("accepted", "on_scene"): "on_scene",
    ("on_scene", "resolve"): "resolved",
    ("resolved", "feed_back"): "fed_back",
    ("resolved", "follow_up"): "follow_up",
    ("fed_back", "follow_up"): "follow_up",
    ("follow_up", "follow_up"): "follow_up",  # put off
    ("resolved", "close"): "closed",
    ("fed_back", "close"): "closed",
    ("follow_up", "close"): "closed",
    # recalled before its end: the reason is required
    ("issued", "close"): "closed",
    ("accepted", "close"): "closed",
    ("on_scene", "close"): "closed",
}
"""Every edge: leg, order, leg after."""

_REACHED: dict[Order, Leg] = {
    "accept": "accepted",
    "refuse": "refused",
    "on_scene": "on_scene",
    "resolve": "resolved",
    "feed_back": "fed_back",
    "follow_up": "follow_up",
    "close": "closed",
}
_DUE: dict[Leg, str] = {"issued": "accept", "accepted": "on_scene", "on_scene": "resolve"}
_ANSWERED: dict[Loop, Leg] = {"feed_back": "fed_back", "follow_up": "follow_up"}


class Dispatch(msgspec.Struct, kw_only=True):
    """One dispatch that is open. `level` is a rank; times are unix seconds."""

    id: str
    incident: str
    area: str
    unit: str
    level: int
    deadline: float | None
    tried: list[str]  # units it went to, this one last
    lead: str = ""  # the unit that leads where several work together; empty where one works alone
    note: str = ""
    leg: Leg = "issued"
    sequence: int = 0
    overdue: bool = False
    reminders: int = 0  # how often it was said again that the leg is overdue
    remind_at: float | None = None
    told: list[str] = []  # units that have been told that the leg is overdue
    climbed: str = ""  # the highest of them on the way up
    passed_over: dict[str, int] = {}  # units that would have been sent, had they not so many orders open
    exercise: str = ""  # the drill that it is part of
    repair: bool = False  # sent by the engine for a device's trouble, and withdrawn by it with that
    device: str = ""  # the sensor, camera or gateway that is to be mended
    device_kind: str = ""
    simulated: bool = False
    kind: str = ""  # risk or data quality, as its incident

    @property
    def due(self) -> float | None:
        """Tell when the clock alone has something to say about it: its deadline, then the next reminder."""
        return self.deadline if self.remind_at is None else self.remind_at


def step(leg: Leg, order: Order, reason: str = "", needs: Collection[Loop] = ()) -> Leg:
    """Return the leg after an order; `needs` names what must come before the end.

    Raise `Refusal` when the leg has no such edge, or where a reason or what is needed is wanting.
    """
    after = EDGES.get((leg, order))
    if after is None:
        if leg in ("closed", "refused"):
            raise Refusal(f"dispatch.{leg}")
        if order == "refuse":
            raise Refusal("dispatch.past_refusing")
        reached = LEGS.index(_REACHED[order]) <= LEGS.index(leg)
        raise Refusal("dispatch.already_done" if reached else "dispatch.wrong_leg")
    if not reason and (order, leg) not in _WORDLESS:
        raise Refusal("reason_needed")
    if leg not in WORKING:  # a recall is no end of the loop
        for loop, answered in _ANSWERED.items():
            if loop in needs and LEGS.index(leg) < LEGS.index(answered) < LEGS.index(after):
                raise Refusal(f"dispatch.{loop}_needed")
    return after


_WORDLESS = {
    *((order, leg) for leg, order in EDGES if order in ("accept", "on_scene", "resolve")),
    ("close", "resolved"),
    ("close", "fed_back"),
    ("follow_up", "resolved"),
    ("follow_up", "fed_back"),
}
"""Orders that may go without a reason: a recall, a refusal, what was fed back or found, and a delay have one."""


def allowed_seconds(deadlines: Deadlines, leg: Leg, level: int, needs: Collection[Loop] = ()) -> float | None:
    """Return the seconds that the next leg may take; None when nothing is due.

    What is fed back, and visited again, is due where the type of the area `needs` it.
    """
    due = _DUE.get(leg)
    if leg == "follow_up" or (leg == "resolved" and "feed_back" in needs):
        due = "follow_up" if leg == "follow_up" else "feed_back"
    elif leg in ("resolved", "fed_back") and "follow_up" in needs:
        due = "feed_back"  # by then it is to be arranged
    if due is None:
        return None
    table: dict[str, float] = getattr(deadlines, due)
    return table.get(LEVELS[level - 1])


def set_deadline(
    dispatch: Dispatch, deadlines: Deadlines, clock: float, needs: Collection[Loop] = (), seconds: float | None = None
) -> None:
    """Start the clock of the leg that a dispatch has just entered; `seconds` is what a person has set instead."""
    if seconds is None:
        seconds = allowed_seconds(deadlines, dispatch.leg, dispatch.level, needs)
    dispatch.deadline = None if seconds is None else clock + seconds
    dispatch.overdue = False
    dispatch.reminders, dispatch.remind_at, dispatch.told, dispatch.climbed = 0, None, [], ""


def raise_level(dispatch: Dispatch, deadlines: Deadlines, level: int, clock: float) -> None:
    """Raise the level; the deadline comes nearer if the new level allows less time from now, never recedes."""
    dispatch.level = level
    seconds = allowed_seconds(deadlines, dispatch.leg, level)
    if seconds is not None and not dispatch.overdue:
        nearer = clock + seconds
        dispatch.deadline = nearer if dispatch.deadline is None else min(dispatch.deadline, nearer)
