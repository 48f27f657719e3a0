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

from operator import attrgetter
from typing import Literal

import msgspec

from alerts.outcome import Kind
from alerts.plans import Tick

IncidentState = Literal["open", "acknowledged", "dispatched", "calm", "closed"]

DISPOSITIONS = ("real", "nuisance", "test", "duplicate")

_rank = attrgetter("rank")

MOST_ALARMS = 200
"""Alarms that one incident's record names; a chattering alarm would else grow it without end. The journal has all."""


class Member(msgspec.Struct, array_like=True):
    """One alarm of an incident that is not normal: its active rank (0 once returned or set aside)."""

    rank: int
    acknowledged: bool
    shelved: bool = False
    silenced: bool = False


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
    members: dict[str, Member] = {}
    dispatches: list[str] = []  # ids of the open ones, but for visits
    visits: list[str] = []  # ids of those of which only the follow-up visit is left; they outlive the incident
    issued: int = 0  # dispatches so far
    withdrawn: int = 0  # of which nobody took up before there was nothing to do any more
    dispatched: bool = False  # the dispatch level has been acted on: from then on only a new demand sends anyone
    calm_since: float | None = None
    reminders: int = 0  # how often it was said again that nobody is on it
    remind_at: float | None = None  # none once a person has taken it up
    also: list[str] = []  # other areas whose alarms were merged into it
    sort: str = ""  # report or dispute: a case that people have told of
    subject: str = ""  # whom that is about, as a keyed hash
    rose: float = 0.0  # when it last opened, or rose to a level, arrival clock
    held: bool = False  # what was due of it was put off by a silence
    snapshots: list[str] = []  # sha of each picture
    plan: str = ""  # the prepared response with its version, as `alerts.plans.key` names it
    planned: int = 0  # the level up to which a plan has been looked for
    ticks: dict[str, Tick] = {}  # its steps that are done
    state: IncidentState = "open"

    @property
    def calm(self) -> bool:
        """Tell whether no alarm of it is active."""
        return not any(member.rank for member in self.members.values())

    @property
    def acknowledged(self) -> bool:
        """Tell whether no alarm of it waits for an acknowledgement."""
        return all(member.acknowledged for member in self.members.values())


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
        and all(member.acknowledged and not member.shelved for member in incident.members.values())
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
    cause = incident.members.get(incident.cause)
    if cause is not None and cause.rank >= incident.peak:  # none is higher; else all are asked, and there may be many
        return cause.rank or incident.level
    return max(map(_rank, incident.members.values()), default=0) or incident.level


def all_silent(incident: Incident) -> bool:
    """Tell whether silences cover all that is active in an incident; false when it is calm."""
    active = [member for member in incident.members.values() if member.rank]
    return bool(active) and all(member.silenced for member in active)


def loud_level(incident: Incident) -> int:
    """Return the highest active rank that no silence covers, 0 without one."""
    return max((member.rank for member in incident.members.values() if not member.silenced), default=0)


def add_alarm(incident: Incident, alarm: str) -> None:
    """Put an alarm among the incident's, dropping the oldest finished symptom from a list that is full."""
    if alarm in incident.alarms:
        return
    if len(incident.alarms) >= MOST_ALARMS:
        finished = (id for id in incident.alarms[1:] if id not in incident.members)
        oldest = next(finished, None)
        if oldest is None:
            return
        incident.alarms.remove(oldest)
    incident.alarms.append(alarm)


def make_cause(incident: Incident, alarm: str) -> None:
    """Put an alarm first as the cause."""
    if alarm in incident.alarms:
        incident.alarms.remove(alarm)
    incident.alarms.insert(0, alarm)
    incident.cause = alarm


def closes_by_itself(incident: Incident, clock: float, after: float) -> bool:
    """Tell whether an incident that needs nobody has been calm for `after` seconds."""
    return may_close_by_itself(incident) and clock >= (incident.calm_since or 0.0) + after
