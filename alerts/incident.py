"""Incidents: the alarms of one area and kind that overlap in time, as one thing for people to handle.

An incident takes in alarms until it is closed, or until it has been calm for `Settings.join_after_calm`; after that a
new alarm opens a new one, so that an old unclosed case can never swallow a new danger's dispatch. Simulated alarms
have incidents of their own: an exercise never hides, and never is hidden by, the real thing.

The cause is the alarm that first reached the incident's highest level; the others are symptoms.

Closing: by command with a disposition, or by itself when it has been calm and acknowledged for
`Settings.close_after_calm` and nobody was sent. Once somebody was sent, or where the site says `disposition: always`, a
person says what it was. A shelved alarm
makes no incident urgent, but keeps it listed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Literal

import msgspec

from alerts.outcome import Kind
from alerts.plans import Tick
from sensors.site import LEVELS

IncidentState = Literal["open", "acknowledged", "dispatched", "calm", "closed"]

DISPOSITIONS = ("real", "nuisance", "test", "duplicate")

RANKS = len(LEVELS) + 1
"""Ranks of alarms, 0 (none) among them."""

MOST_ALARMS = 200
"""Alarms that one incident's record names; a chattering alarm would else grow it without end. The journal has all."""


class Member(msgspec.Struct, array_like=True, gc=False):
    """One alarm of an incident that is not normal: its active rank (0 once returned or set aside)."""

    rank: int
    acknowledged: bool
    shelved: bool = False
    silenced: bool = False


class Tally(msgspec.Struct, array_like=True):
    """How many members of an incident stand how: asked at every edge of each, and there may be thousands."""

    active: list[int] = msgspec.field(default_factory=lambda: [0] * RANKS)  # by rank; none at rank 0
    loud: list[int] = msgspec.field(default_factory=lambda: [0] * RANKS)  # of these, the ones no silence covers
    waiting: int = 0  # for an acknowledgement
    shelved: int = 0
    unfinished: int = 1  # of the alarms that are listed, those before this place are the cause and unfinished ones
    places: dict[str, list[int]] = {}  # other areas than the incident's own → as `loud`, where any is, by their names

    def count(self, member: Member, by: int, place: str = "") -> None:
        """Count a member in (1) or out (-1); `place` is its area, where that is not the incident's own."""
        if member.rank:
            self.active[member.rank] += by
            if not member.silenced:
                self.loud[member.rank] += by
                if place:
                    self._count_place(place, member.rank, by)
        if not member.acknowledged:
            self.waiting += by
        if member.shelved:
            self.shelved += by

    def _count_place(self, place: str, rank: int, by: int) -> None:
        here = self.places.get(place)
        if here is None:
            here = self.places[place] = [0] * RANKS
            self.places = dict(sorted(self.places.items()))  # alike, whichever came first
        here[rank] += by
        if not any(here):
            del self.places[place]

    def loud_at(self, place: str = "") -> list[int]:
        """Return what is loud in a place by rank: in the incident's own area, if none is named."""
        if place:
            return self.places.get(place) or [0] * RANKS
        return [all - sum(others) for all, *others in zip(self.loud, *self.places.values(), strict=True)]


class Incident(msgspec.Struct, kw_only=True):
    """One incident that is not closed. Levels are ranks."""

    id: str
    area: str
    kind: Kind
    cause: str
    alarms: list[str]  # ids, cause first
    level: int
    peak: int  # the highest level so far: what the cause reached first
    opened: float
    title: dict[str, str] = {}
    simulated: bool = False
    exercise: str = ""  # the drill that it is part of
    sequence: int = 0
    worsened: int = 0  # the change by which it last rose, or asked for a person anew
    members: dict[str, Member] = {}  # changed by `put` and `drop` alone, which keep the tally
    tally: Tally = msgspec.field(default_factory=Tally)
    dispatches: list[str] = []  # ids of the open ones, but for visits
    visits: list[str] = []  # ids of those of which only the follow-up visit is left; they outlive the incident
    issued: int = 0  # dispatches so far
    refused: list[str] = []  # units that would not come, and have accepted nothing of it since
    withdrawn: int = 0  # of which nobody took up before there was nothing to do any more
    mending: dict[str, str] = {}  # devices in trouble for which maintenance was sent → the order, if there was one
    dispatched: bool = False  # the dispatch level has been acted on: from then on only a new demand sends anyone
    acted: list[str] = []  # of the linked areas those whose own level has been acted on
    calm_since: float | None = None
    reminders: int = 0  # how often it was said again that nobody is on it
    remind_at: float | None = None  # none once a person has taken it up
    also: list[str] = []  # other areas whose alarms were merged into it, or joined it
    linked: list[str] = []  # those of them that joined by a link of the site
    apart: list[str] = []  # areas that a person has split off: no link brings them back
    at: str = ""  # the area of its cause, where that is another than its own
    sort: str = ""  # report or dispute: a case that people have told of
    subject: str = ""  # whom that is about, as a keyed hash
    rose: float = 0.0  # when it last opened, or rose to a level, in silence too; arrival clock
    held: bool = False  # what was due of it was put off by a silence
    snapshots: list[str] = []  # sha of each picture
    plan: str = ""  # the prepared response with its version, as `alerts.plans.key` names it
    planned: int = 0  # the level up to which a plan has been looked for
    ticks: dict[str, Tick] = {}  # its steps that are done
    state: IncidentState = "open"

    @property
    def calm(self) -> bool:
        """Tell whether no alarm of it is active."""
        return not any(self.tally.active)

    @property
    def acknowledged(self) -> bool:
        """Tell whether no alarm of it waits for an acknowledgement."""
        return not self.tally.waiting

    @property
    def areas(self) -> list[str]:
        """List all its areas, that of its cause first."""
        return [*dict.fromkeys((self.at or self.area, self.area, *self.also))]

    @property
    def joined(self) -> list[str]:
        """List its own area and those that were merged into it: they go by one level, a linked one by its own."""
        return [self.area, *(area for area in self.also if area not in self.linked)]

    def head(self, area: str) -> str:
        """Name the area that stands for all that go by one level with an area: itself where it is linked."""
        return area if area in self.linked else self.area

    def is_acted_on(self, area: str) -> bool:
        """Tell whether the level that an area goes by has been acted on."""
        return area in self.acted if area in self.linked else self.dispatched

    def act_on(self, area: str) -> None:
        """Note that the level that an area goes by has been acted on."""
        if area not in self.linked:
            self.dispatched = True
        elif area not in self.acted:
            self.acted.append(area)

    def put(self, id: str, member: Member, area: str) -> None:
        """Have an alarm of an area stand among the members as it does now."""
        before, place = self.members.get(id), self._place(area)
        if before is not None:
            self.tally.count(before, -1, place)
        self.members[id] = member
        self.tally.count(member, 1, place)

    def drop(self, id: str, area: str) -> None:
        """Take an alarm of an area out of the members, where it is among them."""
        gone = self.members.pop(id, None)
        if gone is not None:
            self.tally.count(gone, -1, self._place(area))
            self.tally.unfinished = 1

    def recount(self, area_of: Callable[[str], str]) -> None:
        """Count the members anew, whatever the tally says; `area_of` names the area of an alarm."""
        self.tally = Tally()
        for id, member in self.members.items():
            self.tally.count(member, 1, self._place(area_of(id)))

    def loud_at(self, area: str) -> list[int]:
        """Return how many active alarms of an area no silence covers, by rank."""
        return self.tally.loud_at(self._place(area))

    def _place(self, area: str) -> str:
        return area if area != self.area else ""


class Candidate(msgspec.Struct, kw_only=True):
    """Incidents of several areas that rose together, until a person merges them or they are over."""

    id: str
    place: str  # the subdistrict
    incidents: list[str]
    since: float
    dropped: bool = False  # a person said that they are different matters
    simulated: bool = False
    exercise: str = ""
    sequence: int = 0


def may_close_by_itself(incident: Incident) -> bool:
    """Tell whether an incident needs nobody: it is calm and acknowledged, nobody was sent, and no alarm is shelved."""
    return (
        incident.calm_since is not None
        and incident.issued == incident.withdrawn
        and incident.acknowledged
        and not incident.tally.shelved
    )


def derive_state(incident: Incident) -> IncidentState:
    """Say where an unclosed incident stands by its alarms and open dispatches."""
    if incident.calm:
        return "calm"
    if incident.dispatches:
        return "dispatched"
    return "acknowledged" if incident.acknowledged else "open"


def derive_level(incident: Incident) -> int:
    """Return the highest active rank; the last one when calm."""
    return _highest(incident.tally.active) or incident.level


def all_silent(incident: Incident) -> bool:
    """Tell whether silences cover all that is active in an incident; false when it is calm."""
    return not incident.calm and not any(incident.tally.loud)


def loud_level(incident: Incident, areas: Collection[str] | None = None) -> int:
    """Return the highest active rank that no silence covers, in some of its areas if named; 0 without one."""
    if areas is None:
        return _highest(incident.tally.loud)
    return max((_highest(incident.loud_at(area)) for area in areas), default=0)


def _highest(counts: list[int]) -> int:
    """Return the highest rank that is counted at all, 0 without one."""
    for rank in range(RANKS - 1, 0, -1):
        if counts[rank]:
            return rank
    return 0


def add_alarm(incident: Incident, alarm: str) -> None:
    """Put an alarm that is not listed yet among the incident's; a full list loses its oldest finished symptom."""
    if len(incident.alarms) >= MOST_ALARMS:
        at = incident.tally.unfinished
        while at < len(incident.alarms) and incident.alarms[at] in incident.members:
            at += 1
        incident.tally.unfinished = at
        if at == len(incident.alarms):
            return
        del incident.alarms[at]
    incident.alarms.append(alarm)


def make_cause(incident: Incident, alarm: str, area: str, title: dict[str, str]) -> None:
    """Put an alarm of an area first as the cause."""
    incident.at, incident.title = (area if area != incident.area else ""), title
    if alarm in incident.alarms:
        incident.alarms.remove(alarm)
    incident.alarms.insert(0, alarm)
    incident.tally.unfinished = 1
    incident.cause = alarm


def closes_by_itself(incident: Incident, clock: float, after: float) -> bool:
    """Tell whether an incident that needs nobody has been calm for `after` seconds."""
    return may_close_by_itself(incident) and clock >= (incident.calm_since or 0.0) + after
