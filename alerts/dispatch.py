"""The legs of a dispatch, as a table, with the deadline that each one sets for the next."""

from __future__ import annotations

from typing import Literal

import msgspec

from alerts.alarm import Refusal
from sensors.site import LEVELS, Deadlines

Leg = Literal["issued", "accepted", "on_scene", "resolved", "closed", "refused"]
Order = Literal["accept", "refuse", "on_scene", "resolve", "close"]

LEGS: tuple[Leg, ...] = ("issued", "accepted", "on_scene", "resolved", "closed", "refused")
OPEN: tuple[Leg, ...] = ("issued", "accepted", "on_scene", "resolved")

EDGES: dict[tuple[Leg, Order], Leg] = {
    ("issued", "accept"): "accepted",
    ("issued", "refuse"): "refused",
    ("accepted", "refuse"): "refused",
    ("accepted", "on_scene"): "on_scene",
    ("on_scene", "resolve"): "resolved",
    ("resolved", "close"): "closed",
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
    "close": "closed",
}
_DUE: dict[Leg, str] = {"issued": "accept", "accepted": "on_scene", "on_scene": "resolve"}


class Dispatch(msgspec.Struct, kw_only=True):
    """One dispatch that is open. `level` is a rank; times are unix seconds."""

    id: str
    incident: str
    area: str
    unit: str
    level: int
    deadline: float | None
    tried: list[str]  # units it went to, this one last
    note: str = ""
    leg: Leg = "issued"
    sequence: int = 0
    overdue: bool = False
    reminders: int = 0  # how often it was said again that the leg is overdue
    remind_at: float | None = None
    told: list[str] = []  # units above that have been told that the leg is overdue
    simulated: bool = False

    @property
    def due(self) -> float | None:
        """Tell when the clock alone has something to say about it: its deadline, then the next reminder."""
        return self.deadline if self.remind_at is None else self.remind_at


def step(leg: Leg, order: Order, reason: str = "") -> Leg:
    """Return the leg after an order. Raise `Refusal` when the leg has no such edge."""
    after = EDGES.get((leg, order))
    if after is None:
        if leg in ("closed", "refused"):
            raise Refusal(f"dispatch.{leg}")
        reached = LEGS.index(_REACHED[order]) <= LEGS.index(leg)
        raise Refusal("dispatch.already_done" if reached else "dispatch.wrong_leg")
    if not reason and (order == "refuse" or (order == "close" and leg != "resolved")):
        raise Refusal("reason_needed")
    return after


def allowed_seconds(deadlines: Deadlines, leg: Leg, level: int) -> float | None:
    """Return the seconds that the next leg may take; None when nothing is due."""
    due = _DUE.get(leg)
    if due is None:
        return None
    table: dict[str, float] = getattr(deadlines, due)
    return table.get(LEVELS[level - 1])


def set_deadline(dispatch: Dispatch, deadlines: Deadlines, clock: float) -> None:
    """Start the clock of the leg that a dispatch has just entered."""
    seconds = allowed_seconds(deadlines, dispatch.leg, dispatch.level)
    dispatch.deadline = None if seconds is None else clock + seconds
    dispatch.overdue = False
    dispatch.reminders, dispatch.remind_at, dispatch.told = 0, None, []


def raise_level(dispatch: Dispatch, deadlines: Deadlines, level: int, clock: float) -> None:
    """Raise the level; the deadline comes nearer if the new level allows less time from now, never recedes."""
    dispatch.level = level
    seconds = allowed_seconds(deadlines, dispatch.leg, level)
    if seconds is not None and not dispatch.overdue:
        nearer = clock + seconds
        dispatch.deadline = nearer if dispatch.deadline is None else min(dispatch.deadline, nearer)
