"""What the API takes and gives, as models: OpenAPI is written from them, and every answer is checked against them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(min_length=1, max_length=200)]
Level = Literal["blue", "yellow", "orange", "red"]
Language = Literal["zh-CN", "en"]
Role = Literal["viewer", "duty", "dispatcher", "field", "analyst", "administrator"]
Kind = Literal["risk", "data_quality", "system"]
Location = tuple[float, float]


class Body(BaseModel):
    """What a request carries: no field that is not named here, no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Answer(BaseModel):
    """What a response carries."""

    model_config = ConfigDict(extra="ignore")


class ErrorDetail(Answer):
    """One error. `message` is in the reader's language, `field` the path of the field at fault."""

    code: str
    message: str
    field: str | None = None


class Error(Answer):
    """How every error is answered."""

    error: ErrorDetail


class Text(Answer):
    """A text in Chinese and English."""

    zh: str
    en: str


# Accounts


class LogIn(Body):
    """A name and its password."""

    name: str = Field(max_length=200)
    password: str = Field(max_length=1024)


class FirstAdministrator(LogIn):
    """The first administrator, with the one-time link's token."""

    token: str = Field(max_length=200)


class SiteName(Answer):
    """Which site this is."""

    id: str
    name: Text


class Me(Answer):
    """Who is logged in. `csrf` goes into the header X-Foreshock-CSRF of every write."""

    name: str
    display: str
    roles: list[Role]
    unit: str | None
    language: Language | None
    csrf: str
    zone: str
    site: SiteName


class User(Answer):
    """One account."""

    name: str
    display: str
    roles: list[Role]
    unit: str | None
    language: Language | None
    disabled: bool
    created: float


class Users(Answer):
    """All accounts."""

    items: list[User]


class NewUser(Body):
    """An account to add."""

    name: str = Field(max_length=200)
    password: str = Field(max_length=1024)
    roles: list[str] = Field(max_length=20)
    display: str = Field("", max_length=400)
    unit: str | None = Field(None, max_length=128)
    language: str | None = Field(None, max_length=20)


class UserChange(Body):
    """What to change in an account; what is left out stays."""

    roles: list[str] | None = Field(None, max_length=20)
    display: str | None = Field(None, max_length=400)
    unit: str | None = Field(None, max_length=128)
    language: str | None = Field(None, max_length=20)
    disabled: bool | None = None
    password: str | None = Field(None, max_length=1024)


class Token(Answer):
    """One API token. Times are unix seconds."""

    id: str
    name: str
    roles: list[Role]
    unit: str | None
    author: str
    created: float
    expires: float
    used: float | None
    revoked: bool


class Tokens(Answer):
    """All API tokens, the newest first."""

    items: list[Token]


class NewToken(Body):
    """A token to make."""

    name: str = Field(max_length=200)
    roles: list[str] = Field(max_length=20)
    days: float = Field(90.0, strict=False)
    unit: str | None = Field(None, max_length=128)


class MadeToken(Token):
    """A new token with its secret, which is shown this once."""

    secret: str


# The site


class Named(Answer):
    """Something with an id and a name."""

    id: str
    name: Text


class AreaType(Named):
    """A kind of risk area."""

    field: str
    levels_dispatch: Level = "orange"


class Place(Named):
    """A node of the hierarchy."""

    kind: str
    parent: str | None


class Area(Named):
    """A place watched as one."""

    type: str
    field: str
    place: str
    subdistrict: str | None
    location: Location | None
    points: list[str]
    cameras: list[str]


class Point(Named):
    """One measured quantity at one place."""

    areas: list[str]
    quantity: str
    unit: str
    limit: float | None
    limit_below: bool
    levels: dict[str, float]
    range: tuple[float, float] | None
    normal: tuple[float, float] | None
    interval: float
    location: Location | None


class Camera(Named):
    """A camera."""

    areas: list[str]
    view: str
    location: Location | None


class Unit(Named):
    """Someone who can be sent. `contact` is for those who may send them."""

    kind: str
    place: str
    types: list[str]
    location: Location | None
    contact: str | None = None


class Site(Answer):
    """The whole site."""

    id: str
    name: Text
    version: str
    zone: str
    language: Language
    fields: list[Named]
    area_types: list[AreaType]
    places: list[Place]
    areas: list[Area]
    points: list[Point]
    cameras: list[Camera]
    units: list[Unit]


class Status(Answer):
    """Figures of the whole. `time` is when the engine last spoke, unix seconds: it stands still when that does."""

    time: float
    readings_per_second: float
    points_total: int
    points_live: int
    cameras_total: int
    cameras_live: int
    open: dict[Level, int]
    quarantine: dict[str, int]
    engine_lag: float
    journal_position: int
    simulated: bool


Health = Literal["live", "stale", "never"]


class PointStatus(Answer):
    """How a point stands. `time` is its last reading's, `age` the seconds since that arrived."""

    id: str
    value: float | None
    time: float | None
    age: float | None
    state: Health


class CameraStatus(Answer):
    """How a camera stands."""

    id: str
    time: float | None
    age: float | None
    state: Health


class AreaStatus(Answer):
    """How an area's points and cameras stand."""

    area: str
    points: list[PointStatus]
    cameras: list[CameraStatus]


class Trace(Answer):
    """A point's readings. With `min` and `max`, each entry stands for several: `value` is the last of them, `score` the
    highest.
    """

    point: str
    unit: str
    time: list[float]
    value: list[float | None]
    score: list[float | None]
    min: list[float | None] | None = None
    max: list[float | None] | None = None


class Refused(Answer):
    """One refused input. `raw` is its text, with what is not UTF-8 escaped."""

    time: float
    source: str
    topic: str = ""
    reason: str
    detail: str = ""
    size: int = 0
    readings: int = 1
    raw: str = ""


class Quarantine(Answer):
    """Refused inputs, the newest first."""

    items: list[Refused]


# Alarms, incidents, dispatches


class Term(Answer):
    """One comparison of a clause as it stood; a value of null is unknown."""

    name: str
    value: float | None = None
    op: str = ""
    threshold: float | None = None
    unit: str = ""
    holds: bool | None = None


class Explanation(Answer):
    """Why an alarm fired and what would clear it."""

    clause: str
    terms: list[Term] = []
    clear: str = ""
    clear_terms: list[Term] = []
    hold: float = 0.0
    clear_after: float = 0.0
    points: list[str] = []
    cameras: list[str] = []
    score: float | None = None
    score_reason: str = ""


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


class AlarmSummary(Answer):
    """One alarm as it stands. `state` is ISA-18.2's."""

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


class Alarm(AlarmSummary):
    """One alarm with its history."""

    transitions: list[AlarmTransition] = []


class Alarms(Answer):
    """A page of alarms, the newest first. `next` is the `before` of the page after."""

    items: list[AlarmSummary]
    next: int | None = None


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


class DispatchSummary(Answer):
    """One dispatch as it stands. `title` is its incident's."""

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
    title: Text | None = None
    simulated: bool


class Dispatch(DispatchSummary):
    """One dispatch with its history."""

    history: list[DispatchChange] = []


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
    args: dict[str, Any] = {}
    simulated: bool = False


class IncidentSummary(Answer):
    """One incident as it stands."""

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


class Incidents(Answer):
    """A page of incidents, the newest first. `next` is the `before` of the page after."""

    items: list[IncidentSummary]
    next: int | None = None


class Snapshot(Answer):
    """A camera's picture."""

    camera: str
    time: float
    url: str


class Incident(IncidentSummary):
    """One incident with all that belongs to it."""

    alarm_details: list[AlarmSummary]
    dispatch_details: list[Dispatch]
    history: list[IncidentChange]
    snapshots: list[Snapshot]
    suggested_units: list[str]


# Commands


class Order(Body):
    """A command without arguments. `sequence`, if given, refuses it when its object has changed since."""

    sequence: int | None = Field(None, ge=0, le=2**53)


class Send(Order):
    """Whom to send, and what to tell them. Without a unit the best one is chosen."""

    unit: str | None = Field(None, max_length=128)
    note: str = Field("", max_length=4000)


class Comment(Order):
    """What to note on an incident."""

    text: str = Field(min_length=1, max_length=4000)


class Close(Order):
    """What an incident turned out to be."""

    disposition: Literal["real", "nuisance", "test", "duplicate"]
    reason: str = Field("", max_length=4000)


class Step(Order):
    """A dispatch's next leg, with a reason or note."""

    reason: str = Field("", max_length=4000)
    note: str = Field("", max_length=4000)


class Result(Answer):
    """The engine's answer."""

    id: str
    ok: bool
    target: str
    reason: str = ""
    time: float = 0.0


class Done(Answer):
    """A command that was done. `id` is the command's."""

    ok: bool
    id: str
    result: Result
