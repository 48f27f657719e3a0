"""Who is on duty, handovers, and drills."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from alerts.console.schema.base import Answer, Body, Level, Text
from alerts.console.schema.site import LoadNow
from alerts.console.schema.system import FileProblem


class DutyPerson(Answer):
    """Who sits at a seat, and from when until when (unix seconds); `shift` is empty of a dated duty."""

    seat: str
    name: Text
    account: str
    shift: str
    begin: float
    end: float
    load: LoadNow | None = None


class DutyTurn(Answer):
    """The turn that is taken over now, or is about to be. `key` names it for ever."""

    key: str
    shift: str
    begin: float
    end: float
    signed: bool


class Duty(Answer):
    """Who is on duty now; empty where the roster says nobody is, or there is none."""

    time: float
    people: list[DutyPerson]
    turn: DutyTurn | None
    mine: bool  # whether who asks is of that turn


class Part(Answer):
    """Lines of one part of a sheet, and how many more there are."""

    items: list[dict[str, Any]]
    more: int


class SheetLoad(Answer):
    """What rang during a turn."""

    rings: int
    peak: int
    floods: int
    flood_minutes: int


class HandoverSheet(Answer):
    """What one turn leaves to the next."""

    time: float
    since: float
    open: Part
    outside: Part = Part(items=[], more=0)  # as silences and modes
    overdue: Part
    shelved: Part
    silences: Part = Part(items=[], more=0)  # not on sheets that were signed with an older version
    modes: Part = Part(items=[], more=0)
    degraded: Part
    comments: Part
    closed: int
    load: SheetLoad


class SignedHandover(Answer):
    """A turn that was taken over."""

    id: str
    turn: str
    shift: str
    begin: float
    time: float
    actor: str
    reason: str
    people: dict[str, str]


class Handover(Answer):
    """A handover with its sheet: `signed` once somebody took it over, else as things stand now."""

    turn: DutyTurn | None
    people: dict[str, str]
    sheet: HandoverSheet
    signed: SignedHandover | None = None


class Handovers(Answer):
    """Turns that were taken over, the latest first."""

    items: list[SignedHandover]


class Signature(Body):
    """Which turn is taken over, and what there is to say."""

    turn: str = Field(min_length=1, max_length=32)
    comment: str = Field("", max_length=2000)


class Drill(Answer):
    """A drill. `ended` is None while it runs."""

    id: str
    title: dict[str, str]
    areas: list[str]
    units: list[str]
    objectives: dict[str, float]
    actor: str
    began: float
    ended: float | None


class Drills(Answer):
    """Drills, the latest first."""

    items: list[Drill]


class DrillScript(Answer):
    """A script of the site's folder: how long it lasts (seconds), and how many parts it plays itself."""

    name: str
    title: dict[str, str]
    areas: list[str]
    units: list[str]
    lasts: float
    acts: int
    problems: list[FileProblem]


class DrillRun(Answer):
    """How the drill goes that was begun on this page last: seconds of its script, and what the script said last."""

    id: str
    script: str
    areas: list[str]
    lasts: float
    seconds: float
    said: dict[str, str] | None
    over: bool
    error: str


class DrillScripts(Answer):
    """The scripts that can be begun."""

    items: list[DrillScript]
    last: DrillRun | None


class NewDrill(Body):
    """Which script is to be played."""

    script: str = Field(min_length=1, max_length=128)


class DrillBegun(Answer):
    """The drill that was begun."""

    id: str


class DrillLeg(Answer):
    """How long one leg took, against its objective; seconds."""

    leg: str
    seconds: float | None
    objective: float | None
    met: bool | None


class DrillStep(Answer):
    """Something that happened in a drill."""

    time: float
    what: str
    who: str
    unit: str


class DrillIncident(Answer):
    """One incident of a drill."""

    id: str
    title: Text
    area: str
    level: Level
    opened: float
    legs: list[DrillLeg]
    steps_done: int
    steps: int
    course: list[DrillStep]


class DrillMiss(Answer):
    """An act of a drill's script that came to nothing: whose or which step it was, and why, as a key and in words."""

    time: float
    do: str
    of: str
    reason: str
    said: Text


class DrillReport(Drill):
    """What a drill came to: `score` is the share of the objectives that were met, 0..1."""

    incidents: list[DrillIncident]
    missed: list[DrillMiss]
    met: int
    of: int
    score: float | None
