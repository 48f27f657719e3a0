"""Situation reports. Times are unix seconds, durations seconds, shares 0..1; None is where there is nothing to tell."""

from __future__ import annotations

from typing import Literal

from alerts.console.schema.base import Answer, Level, Text


class Spread(Answer):
    """How long something took: how many there were, the median, and what nine in ten of them keep within."""

    count: int
    median: float | None
    most: float | None


class Leads(Spread):
    """How long before a limit was reached the first warning came; `limits` counts how often one was reached at all."""

    limits: int


class NuisanceShare(Answer):
    """The share of nuisances among the incidents judged real or nuisance, with its 95 % interval."""

    of: int
    share: float | None
    low: float | None
    high: float | None


class InOrder(Answer):
    """The share of time without an alarm about their data, whole and by part; `never` were never heard, in neither."""

    total: int
    never: int
    share: float | None
    series: list[float | None]


class Availability(Answer):
    """Of sensors and of cameras."""

    points: InOrder
    cameras: InOrder


class SituationFigures(Answer):
    """What one span came to. `series` counts alarms by highest level and part."""

    alarms: int
    levels: dict[Level, int]
    series: dict[Level, list[int]]
    incidents: int
    peaks: dict[Level, int]
    closed: int
    dispositions: dict[str, int]
    nuisance: NuisanceShare
    times: dict[str, Spread]
    orders: int
    overdue: int
    lead: Leads
    availability: Availability


class TypeAlarms(Answer):
    """Alarms of a type of area by highest level, and how many there were before."""

    type: str
    field: str
    red: int
    orange: int
    yellow: int
    blue: int
    alarms: int
    before: int


class PlaceSituation(Answer):
    """One of the places below."""

    place: str
    alarms: int
    before: int
    peaks: dict[Level, int]
    accept: Spread
    close: Spread
    orders: int
    overdue: int
    points: float | None
    cameras: float | None


class RuleAlarms(Answer):
    """A rule, and how often it raised an alarm."""

    rule: str
    title: Text
    alarms: int


class BadActor(Answer):
    """A rule and scope: how often its alarm rang, its share of all rings, and how often it chattered and went stale."""

    area: str
    rule: str
    title: Text
    scope: str
    rings: int
    share: float
    chattered: int
    stale: int


class Lead(Answer):
    """An incident whose first warning came before its limit was reached, and by how much."""

    area: str
    incident: str
    title: Text | None
    point: str
    seconds: float


class Poor(Answer):
    """A sensor or camera whose data were bad for long."""

    id: str
    area: str
    name: Text
    share: float
    troubles: int


class DrillScore(Answer):
    """What a drill came to."""

    id: str
    title: Text
    areas: list[str]
    began: float
    ended: float | None
    met: int
    of: int
    score: float | None


class Worse(Answer):
    """A figure that got worse; `type` is the type of area whose alarms it counts, where `what` is type."""

    what: str
    type: str
    now: float
    before: float


class Stretch(Answer):
    """From when to when."""

    begin: float
    end: float


class Situation(Stretch):
    """A report of a place. `marks` are the edges of its series' parts; `compared` says whether `past` is whole.

    `known_from` is when the journal begins, null where it is empty: of what was before that nothing is known.
    """

    place: str
    period: Literal["day", "week", "month"]
    first: str
    before: Stretch
    marks: list[float]
    known_from: float | None
    compared: bool
    now: SituationFigures
    past: SituationFigures
    types: list[TypeAlarms]
    places: list[PlaceSituation]
    rules: list[RuleAlarms]
    actors: list[BadActor]
    leads: list[Lead]
    poor: list[Poor]
    drills: list[DrillScore]
    worse: list[Worse]
    left_out: int
    cut: bool
