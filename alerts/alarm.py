"""The ISA-18.2 alarm machine: a table of states and edges, and the reason for every edge that is not in it."""

from __future__ import annotations

from typing import Literal

import msgspec

from alerts.outcome import AlarmState, Kind, Mark

Edge = Literal[
    "alarm",
    "acknowledge",
    "return",
    "realarm",
    "raise",
    "lower",
    "shelve",
    "unshelve",
    "suppress",
    "unsuppress",
    "out_of_service",
    "in_service",
]

Note = Literal["hide", "warn", "settle", "stale", "latch", "assign", "comment", "move", "hush", "unhush", "attach"]
"""What is recorded of an alarm and leaves its state as it is.

hide: it would have rung, were it not set aside. warn: it soon comes back. settle: it chatters no more. stale: it has
been active for too long. latch: its condition is gone, and it stays active until a person resets it. move: a person put
it into another incident. hush, unhush: a silence covers it, and does no more. attach: a person put a file with it.
"""

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
    ("NORM", "suppress", "DSUPR"),
    ("UNACK", "suppress", "DSUPR"),
    ("ACKED", "suppress", "DSUPR"),
    ("RTNUN", "suppress", "DSUPR"),
    ("DSUPR", "unsuppress", "NORM"),
    ("DSUPR", "unsuppress", "UNACK"),
    ("NORM", "out_of_service", "OOSRV"),
    ("UNACK", "out_of_service", "OOSRV"),
    ("ACKED", "out_of_service", "OOSRV"),
    ("RTNUN", "out_of_service", "OOSRV"),
    ("SHLVD", "out_of_service", "OOSRV"),
    ("DSUPR", "out_of_service", "OOSRV"),
    ("OOSRV", "in_service", "NORM"),
    ("OOSRV", "in_service", "UNACK"),
)
"""Every edge of ISA-18.2 / IEC 62682 as this product keeps it: state, edge, state after."""

REFUSALS: dict[tuple[AlarmState, Edge], str] = {
    ("NORM", "acknowledge"): "alarm.normal",
    ("ACKED", "acknowledge"): "alarm.already_acknowledged",
    ("SHLVD", "acknowledge"): "alarm.shelved",
    ("DSUPR", "acknowledge"): "alarm.suppressed",
    ("OOSRV", "acknowledge"): "alarm.out_of_service",
    ("SHLVD", "shelve"): "alarm.already_shelved",
    ("SHLVD", "suppress"): "alarm.shelved",
    ("DSUPR", "suppress"): "alarm.suppressed",
    ("OOSRV", "suppress"): "alarm.out_of_service",
    ("OOSRV", "out_of_service"): "alarm.out_of_service",
    **{(state, "unshelve"): "alarm.not_shelved" for state in STATES if state != "SHLVD"},
    **{(state, "unsuppress"): "alarm.not_suppressed" for state in STATES if state != "DSUPR"},
    **{(state, "in_service"): "alarm.not_out_of_service" for state in STATES if state != "OOSRV"},
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


class Shelf(msgspec.Struct, kw_only=True, gc=False):
    """How one alarm is set aside, in any of the three ways. Times are on the engine's arrival clock."""

    by: str
    reason: str
    since: float
    until: float
    level: int
    hidden: int = 0  # how often it would have rung
    warned: bool = False  # that it soon ends
    mode: str = ""  # the mode of the site that suppresses it; empty where a person set it aside
    gateway: str = ""  # the gateway that is gone, of whose trouble it is a symptom


class Alarm(msgspec.Struct, kw_only=True, gc=False):
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
    worsened: int = 0  # the change by which it last rang, or rose
    exercise: str = ""  # the drill that it is part of
    simulated: bool = False
    shelf: Shelf | None = None  # while it is SHLVD, DSUPR or OOSRV
    assignee: str = ""
    raised: float = 0.0  # when it last rang, arrival clock
    stale: bool = False
    chattering: bool = False
    folded: int = 0
    latch: bool = False  # it ends only by a person's reset, and keeps its level until then
    yields: tuple[str, ...] = ()  # modes of the site that suppress it by design ...
    yields_to: int = 0  # ... up to this rank
    of_silence: bool = False  # its rule asks how long nothing was heard of a point
    of_events: bool = False  # its rule goes by events alone: a person ends it, and the next event raises another
    sort: str = ""  # report or dispute: people have told of it, and only a person ends it
    subject: str = ""  # whom that is about, as a keyed hash
    told: int = 0  # reports so far
    category: str = ""  # of the latest of them
    silence: str = ""  # the silence that covers it ...
    quiet: int = 0  # ... up to this rank
    attached: list[str] = []  # SHA-256 of the files that people put with it
    chatters: tuple[int, float] | None = None  # from how many rings, within what time (s), where its rule says so

    @property
    def latched(self) -> bool:
        """Tell whether it is active by its latch alone: its condition is gone."""
        return self.latch and not self.process and self.state in ("UNACK", "ACKED")

    @property
    def asked(self) -> int:
        """Return the rank at which it is to be when it comes back from being set aside."""
        return self.process or (self.level if self.latch else 0)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Name what is unusual about it now."""
        if not (self.chattering or self.stale or self.latch or self.silence):
            return ()
        unusual: dict[Mark, bool] = {
            "chattering": self.chattering,
            "stale": self.stale,
            "latched": self.latched,
            "silenced": bool(self.silence),
        }
        return tuple(mark for mark, holds in unusual.items() if holds)


def step(state: AlarmState, edge: Edge, *, active: bool = False) -> AlarmState:
    """Return the state after an edge. `active` (does the condition hold now) decides where the end of a shelf leads.

    Raise `Refusal` with the reason when the state has no such edge.
    """
    after = _AFTER.get((state, edge))
    if after is None:
        raise Refusal(REFUSALS.get((state, edge), NO_SUCH_EDGE))
    return after[-1] if active else after[0]


def process_edge(state: AlarmState, level: int, rank: int) -> Edge | None:
    """Name the edge that a condition at `rank` (0 is calm) asks of an alarm at `level`; None when there is none.

    An out-of-service alarm follows the process silently, and so does a shelved one until it rises above the level at
    which it was shelved. How far a suppressed one does lies with what suppresses it (`alerts.grouping`).
    """
    if state == "SHLVD":
        return "unshelve" if rank > level else None
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
