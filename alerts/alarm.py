"""The ISA-18.2 alarm machine: a table of states and edges, and the reason for every edge that is not in it."""

from __future__ import annotations

from typing import Literal

import msgspec

from alerts.outcome import AlarmState, Kind

Edge = Literal["alarm", "acknowledge", "return", "realarm", "raise", "lower", "shelve", "unshelve"]

STATES: tuple[AlarmState, ...] = ("NORM", "UNACK", "ACKED", "RTNUN", "SHLVD", "DSUPR", "OOSRV")

EDGES: tuple[tuple[AlarmState, Edge, AlarmState], ...] = (
    ("NORM", "alarm", "UNACK"),
    ("UNACK", "acknowledge", "ACKED"),
    ("ACKED", "return", "NORM"),
    ("UNACK", "return", "RTNUN"),
    ("RTNUN", "acknowledge", "NORM"),
    ("RTNUN", "realarm", "UNACK"),
    ("ACKED", "realarm", "UNACK"),  # at a higher severity
    # a level that moves without a demand for a new acknowledgement stays in its state
    ("UNACK", "raise", "UNACK"),
    ("UNACK", "lower", "UNACK"),
    ("ACKED", "lower", "ACKED"),
    # any state can be shelved; leaving the shelf goes by what the process says now
    ("NORM", "shelve", "SHLVD"),
    ("UNACK", "shelve", "SHLVD"),
    ("ACKED", "shelve", "SHLVD"),
    ("RTNUN", "shelve", "SHLVD"),
    ("DSUPR", "shelve", "SHLVD"),
    ("OOSRV", "shelve", "SHLVD"),
    ("SHLVD", "unshelve", "NORM"),
    ("SHLVD", "unshelve", "UNACK"),
)
"""Every edge of ISA-18.2 / IEC 62682 as this product keeps it: state, edge, state after."""

REFUSALS: dict[tuple[AlarmState, Edge], str] = {
    ("NORM", "acknowledge"): "alarm.normal",
    ("ACKED", "acknowledge"): "alarm.already_acknowledged",
    ("SHLVD", "acknowledge"): "alarm.shelved",
    ("DSUPR", "acknowledge"): "alarm.suppressed",
    ("OOSRV", "acknowledge"): "alarm.out_of_service",
    ("SHLVD", "shelve"): "alarm.already_shelved",
    ("NORM", "unshelve"): "alarm.not_shelved",
    ("UNACK", "unshelve"): "alarm.not_shelved",
    ("ACKED", "unshelve"): "alarm.not_shelved",
    ("RTNUN", "unshelve"): "alarm.not_shelved",
    ("DSUPR", "unshelve"): "alarm.not_shelved",
    ("OOSRV", "unshelve"): "alarm.not_shelved",
}
"""Why an operator's edge is refused in a state: message keys of `alerts.messages`."""

NO_SUCH_EDGE = "alarm.no_such_edge"
"""Refusal of a process edge that the state does not have (`return` of a normal alarm)."""

_AFTER: dict[tuple[AlarmState, Edge], tuple[AlarmState, ...]] = {}
for _before, _edge, _after in EDGES:
    _AFTER[_before, _edge] = (*_AFTER.get((_before, _edge), ()), _after)


class Refusal(ValueError):
    """Refuse an edge or a command. `key` names a text of `alerts.messages`."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Alarm(msgspec.Struct, kw_only=True):
    """One alarm while it is not normal. Levels are ranks (0 none … 4 red, see `sensors.site.LEVELS`)."""

    id: str
    rule: str
    rule_version: str
    kind: Kind
    area: str
    scope: str
    incident: str
    level: int  # the last level it had while active
    process: int  # the level that the process asks for now; 0 is calm
    onset: float  # event time, unix seconds
    title: dict[str, str]
    why: str = ""
    state: AlarmState = "NORM"
    sequence: int = 0
    simulated: bool = False


def step(state: AlarmState, edge: Edge, *, active: bool = False) -> AlarmState:
    """Return the state after an edge. `active` (does the condition hold now) decides where `unshelve` leads.

    Raise `Refusal` with the reason when the state has no such edge.
    """
    after = _AFTER.get((state, edge))
    if after is None:
        raise Refusal(REFUSALS.get((state, edge), NO_SUCH_EDGE))
    return after[-1] if active else after[0]


def process_edge(state: AlarmState, level: int, rank: int) -> Edge | None:
    """Name the edge that a condition at `rank` (0 is calm) asks of an alarm at `level`; None when there is none.

    Shelved, suppressed and out-of-service alarms follow the process silently.
    """
    if state == "NORM":
        return "alarm" if rank else None
    if state == "RTNUN":
        return "realarm" if rank else None
    if state not in ("UNACK", "ACKED") or rank == level:
        return None
    if rank == 0:
        return "return"
    if rank < level:
        return "lower"
    return "raise" if state == "UNACK" else "realarm"
