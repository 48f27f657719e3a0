"""Alarms, incidents and dispatches."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from alerts.console.schema.base import Answer, Kind, Level, Text


class Term(Answer):
    """One comparison of a clause as it stood; a value of null is unknown."""

    name: str
    value: float | None = None
    op: str = ""
    threshold: float | None = None
    unit: str = ""
    holds: bool | None = None
    low: float | None = None  # the interval about a value that is foreseen (eta)
    high: float | None = None


class Seen(Answer):
    """What a camera saw or a person reported, as evidence: `report` is a report's id, `by` who brought it."""

    kind: str
    time: float
    camera: str = ""
    level: str = ""  # the warning level that its source gave it
    detail: str = ""
    report: str = ""
    by: str = ""
    photo: bool = False


class Explanation(Answer):
    """Why an alarm fired and what would clear it."""

    clause: str
    clause_zh: str = ""  # the same in Chinese; empty where it stays as it is
    terms: list[Term] = Field(default_factory=list)
    clear: str = ""
    clear_zh: str = ""
    clear_terms: list[Term] = Field(default_factory=list)
    hold: float = 0.0
    clear_after: float = 0.0
    points: list[str] = Field(default_factory=list)
    cameras: list[str] = Field(default_factory=list)
    events: list[Seen] = Field(default_factory=list)  # what was seen or reported
    score: float | None = None
    score_reason: str = ""  # in English
    score_reason_zh: str = ""
    foreseen: str = ""  # what the trend foresees of a limit, in English
    foreseen_zh: str = ""
    gone: str = ""  # the source that says of itself that it has gone
    unconfirmed: list[str] = Field(default_factory=list)  # points of the evidence that their redundant ones belie


class Aside(Answer):
    """How an alarm was set aside. `level` is the one at which it was, `hidden` how often it would have rung since.

    `mode` is the mode of the site that suppresses it, `gateway` the one that is gone; both empty where a person did.
    """

    by: str
    reason: str
    since: float
    until: float
    level: Level
    hidden: int = 0
    mode: str = ""
    gateway: str = ""


class Attachment(Answer):
    """A file that was put with an alarm. `url` is where it is, for those who may open it."""

    alarm: str = ""
    sha: str
    type: str
    name: str
    bytes: int
    time: float | None = None
    by: str = ""
    url: str | None = None


class AlarmTransition(Answer):
    """One edge of one alarm."""

    id: str
    alarm: str
    sequence: int
    rule: str
    rule_version: str
    kind: Kind
    area: str
    scope: str
    incident: str | None
    edge: str
    before: str
    after: str
    level: Level
    level_before: Level | None = None
    onset: float = 0.0
    time: float = 0.0
    actor: str = ""
    reason: str = ""
    explanation: Explanation | None = None
    simulated: bool = False
    aside: Aside | None = None
    assignee: str = ""
    marks: list[str] = Field(default_factory=list)
    folded: int = 0
    attachment: Attachment | None = None
    partition: int | None = None
    offset: int | None = None


class AlarmSummary(Answer):
    """One alarm as it stands. `state` is ISA-18.2's; `odds`: how likely it is to be real, 0..1, and why."""

    id: str
    rule: str
    rule_version: str
    rule_title: Text | None
    kind: Kind
    area: str
    scope: str
    state: str
    level: Level
    sequence: int
    onset: float
    opened: float
    time: float
    incident: str | None
    acknowledged_by: str | None
    simulated: bool
    explanation: Explanation | None = None
    rationale: dict[str, Any] | None = None
    plan: list[Any] | None = None
    aside: Aside | None = None
    assignee: str | None = None
    marks: list[str] = Field(default_factory=list)
    folded: int = 0
    odds: float | None = None
    odds_reason: Text | None = None


class SetAside(AlarmSummary):
    """One alarm that is shelved, suppressed or out of service. `left` is the time until it comes back, in seconds."""

    left: float


class Shelved(Answer):
    """What is set aside, the alarm that comes back first leading."""

    items: list[SetAside]
    time: float


class Alarm(AlarmSummary):
    """One alarm with its history."""

    transitions: list[AlarmTransition] = Field(default_factory=list)
    attachments: list[Attachment] = Field(default_factory=list)


class Alarms(Answer):
    """A page of alarms, the newest first. `next` is the `before` of the page after."""

    items: list[AlarmSummary]
    next: int | None = None


class Tick(Answer):
    """Who ticked a step, and when."""

    by: str
    time: float
    note: str = ""


class CheckedStep(Answer):
    """One step of a plan, as it stands: `due` at the incident's level, `ticked` by whom."""

    id: str
    text: Text
    role: Text | None = None
    level: Level
    due: bool
    ticked: Tick | None = None


class PlanContact(Answer):
    """Somebody whom a plan has called."""

    name: Text
    phone: str
    role: str = ""


class PlanDraft(Answer):
    """A message to the public, filled in where it is for one incident."""

    id: str
    name: Text
    text: Text


class PlanOverlay(Answer):
    """A drawing to lay over a map."""

    name: Text
    file: str


class Checklist(Answer):
    """A plan with its checklist: as an incident has it, or with nothing ticked."""

    id: str
    version: str
    name: Text
    level: Level
    roles: dict[str, Text] = Field(default_factory=dict)
    steps: list[CheckedStep]
    contacts: list[PlanContact] = Field(default_factory=list)
    drafts: list[PlanDraft] = Field(default_factory=list)
    overlays: list[PlanOverlay] = Field(default_factory=list)


class Plan(Checklist):
    """A plan in force."""

    types: list[str] = Field(default_factory=list)
    areas: list[str] = Field(default_factory=list)


class FurtherPlan(Checklist):
    """The plan in force of other areas of an incident, the worst first: to be read, with nothing ticked."""

    areas: list[str]


class Plans(Answer):
    """The plans in force."""

    items: list[Plan]


class Repair(Answer):
    """The device that maintenance is sent to, by id, and its kind."""

    kind: str
    device: str


class DispatchChange(Answer):
    """One change of a dispatch."""

    id: str
    dispatch: str
    sequence: int
    incident: str
    area: str
    unit: str
    edge: str
    leg: str
    level: Level
    deadline: float | None
    time: float
    overdue: bool = False
    actor: str = ""
    reason: str = ""
    event: dict[str, Any] | None = None
    simulated: bool = False
    previous: str = ""
    lead: str = ""
    repair: Repair | None = None


class DispatchSummary(Answer):
    """One dispatch as it stands. `title` is its incident's; `lead` the unit that leads where several work together."""

    id: str
    incident: str
    area: str
    unit: str
    leg: str
    level: Level
    sequence: int
    deadline: float | None
    overdue: bool
    issued: float
    time: float
    note: str = ""
    lead: str | None = None
    repair: Repair | None = None
    title: Text | None = None
    simulated: bool


class Dispatch(DispatchSummary):
    """One dispatch with its history."""

    history: list[DispatchChange] = Field(default_factory=list)
    plan: Checklist | None = None
    area_plan: FurtherPlan | None = None  # of where it goes, where the incident keeps to that of another area


class Dispatches(Answer):
    """A page of dispatches, the newest first. `next` is the `before` of the page after."""

    items: list[DispatchSummary]
    next: int | None = None


class IncidentChange(Answer):
    """One change of an incident."""

    id: str
    incident: str
    sequence: int
    area: str
    kind: Kind
    edge: str
    state: str
    level: Level
    cause: str
    alarms: list[str]
    opened: float
    time: float
    actor: str = ""
    reason: str = ""
    disposition: str = ""
    args: dict[str, Any] = Field(default_factory=dict)
    simulated: bool = False
    unacknowledged: bool = False
    areas: list[str] = Field(default_factory=list)  # all its areas, that of its cause first; none where it has but one


class IncidentSummary(Answer):
    """One incident as it stands. `odds` are those of its alarm that is likeliest to be real, where a model tells."""

    id: str
    area: str
    kind: Kind
    state: str
    level: Level
    cause: str
    alarms: list[str]
    title: Text
    sequence: int
    opened: float
    time: float
    acknowledged_by: str | None
    dispatches: list[str]
    disposition: str
    reason: str = ""
    simulated: bool
    exercise: str | None = None
    sort: str | None = None  # report or dispute: a case that people have told of
    subject: str | None = None  # whom that is about, as a keyed hash
    odds: float | None = None


class Incidents(Answer):
    """A page of incidents, the newest first. `next` is the `before` of the page after."""

    items: list[IncidentSummary]
    next: int | None = None


class Candidate(Answer):
    """Incidents of several areas of a subdistrict (`place`) that rose together and may be one matter."""

    id: str
    state: str
    place: str
    incidents: list[str]
    areas: list[str]
    since: float
    time: float
    by: str
    reason: str = ""
    simulated: bool


class Candidates(Answer):
    """Incidents that rose together, the latest first."""

    items: list[Candidate]


class Snapshot(Answer):
    """A camera's picture, and the area that it was taken for; `clip` is what moved around it, where that is kept."""

    camera: str
    area: str
    time: float
    url: str
    clip: str | None = None


class Incident(IncidentSummary):
    """One incident with all that belongs to it."""

    alarm_details: list[AlarmSummary]
    dispatch_details: list[Dispatch]
    history: list[IncidentChange]
    snapshots: list[Snapshot]
    attachments: list[Attachment] = Field(default_factory=list)
    suggested_units: list[str]  # for the area of its cause
    suggested_at: dict[str, list[str]] = Field(default_factory=dict)  # by area, where it has several
    plan: Checklist | None = None
    further_plans: list[FurtherPlan] = Field(default_factory=list)
