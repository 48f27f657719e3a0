"""The site, and how it stands."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from alerts.console.schema.base import Answer, Language, Level, Location, Text


class Named(Answer):
    """Something with an id and a name."""

    id: str
    name: Text


class AreaType(Named):
    """A kind of risk area."""

    field: str
    levels_dispatch: Level = "orange"
    close_needs: list[Literal["feed_back", "follow_up"]] = Field(default_factory=list)
    alarms_per_day: float | None = None


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
    """A camera. `viewer` is the address of the site's own viewer of it."""

    areas: list[str]
    view: str
    location: Location | None
    supplier: str = ""
    viewer: str | None = None


class Unit(Named):
    """Someone who can be sent. `contact` is for those who may send them."""

    kind: str
    place: str
    types: list[str]
    location: Location | None
    contact: str | None = None


class Map(Answer):
    """What is drawn under the areas: a file under `/map`, and tiles where the site wants them.

    `bounds` are the south-west and north-east corners of a picture, latitude and longitude.
    """

    kind: Literal["geojson", "picture", "none"]
    bounds: tuple[Location, Location] | None = None
    tiles: str = ""
    attribution: str = ""


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
    seats: list[Named]
    map: Map


Band = Literal["acceptable", "manageable", "demanding", "unacceptable"]


class LoadNow(Answer):
    """Alarms that rang in the last ten minutes and, by level too, the day, and whether it is a flood (EEMUA 191)."""

    ten_minutes: int
    day: int
    band: Band
    flood: bool
    flood_since: float | None
    levels: dict[Level, int]


class Actor(Answer):
    """How often the alarm of one rule and scope rang in the day (was folded, went stale), and its share of all."""

    rule: str
    scope: str
    rings: int
    share: float


class Load(LoadNow):
    """The desk's alarm load: rings of ten minutes, hour and day, the day's worst ten minutes and floods, who rang."""

    hour: int
    peak: int
    floods: int
    flood_minutes: int
    actors: list[Actor]
    chattering: list[Actor]
    stale: list[Actor]


class Status(Answer):
    """Figures of the whole. `time` is when the engine last spoke, unix seconds: it stands still when that does.

    `now` is the console's clock when it said so: what arrives long after it was held up on the way.

    `trouble` says why alarms may not be seen although it speaks: log or journal take nothing (`unwritten`), the console
    cannot read the journal (`unread`), the engine has not taken much of what came (`behind`, by `engine_lag` records).
    """

    time: float
    now: float
    readings_per_second: float
    points_total: int
    points_live: int
    cameras_total: int
    cameras_live: int
    open: dict[Level, int]
    load: LoadNow
    quarantine: dict[str, int]
    engine_lag: float
    trouble: Literal["", "unwritten", "unread", "behind"]
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


class Counts(Answer):
    """How many stand how."""

    live: int
    stale: int
    never: int


class AreaCount(Answer):
    """How many of an area's points and cameras stand how."""

    area: str
    points: Counts
    cameras: Counts


class PlaceCount(Answer):
    """How many of a place's points stand how, each counted once."""

    place: str
    points: Counts


class AreaCounts(Answer):
    """How each area stands, and the points of each place."""

    items: list[AreaCount]
    places: list[PlaceCount]


class FlaggedReading(Answer):
    """A reading that is flagged. `aside`: it was neither scored nor put to a rule of risk, and is in no other list."""

    time: float
    value: float | None
    flags: list[str]
    aside: bool


class Forecast(Answer):
    """Where a point's latest readings lead, by their movement alone: it knows no daily swing and no rain to come.

    Between `low` and `high` it lies about eight times in ten. `eta`, `soonest`, `latest`: seconds from the first
    `time`, the last reading's, until the point's limit; null: not in sight.
    """

    time: list[float]
    value: list[float]
    low: list[float]
    high: list[float]
    eta: float | None
    soonest: float | None
    latest: float | None


class Trace(Answer):
    """A point's readings. With `min` and `max`, each entry stands for several: `value` is the last of them, `score` the
    highest; null is unknown. `learning`: the model is still learning this point, its silence is not calm.
    `flagged` are the latest readings of poor quality, with their raw values.
    """

    point: str
    unit: str
    learning: bool
    time: list[float]
    value: list[float | None]
    score: list[float | None]
    flagged: tuple[FlaggedReading, ...] = ()
    min: list[float | None] | None = None
    max: list[float | None] | None = None
    forecast: Forecast | None = None


class ExploredTrace(Answer):
    """A point's readings over the time that was asked for; columns as in `Trace`.

    `flagged` are readings of poor quality, with their raw values: the latest of each point since the console began.
    """

    point: str
    unit: str
    time: list[float]
    value: list[float | None]
    score: list[float | None]
    min: list[float | None] | None = None
    max: list[float | None] | None = None
    flagged: tuple[FlaggedReading, ...] = ()


class ExploredAlarm(Answer):
    """A time in which an alarm was active."""

    id: str
    rule: str
    title: dict[str, str]
    kind: str
    area: str
    scope: str
    level: Level
    simulated: bool
    begin: float
    end: float


class ExploredReport(Answer):
    """A report of one of the areas."""

    id: str
    area: str
    category: str
    time: float


class ExploredEvent(Answer):
    """Something that a camera's analytics saw, when it began."""

    camera: str
    area: str
    kind: str
    time: float
    confidence: float | None
    detail: str
    simulated: bool


class ExploredEvents(Answer):
    """What cameras saw, the newest first; `complete` is false where some may be missing."""

    items: list[ExploredEvent]
    complete: bool


class Explored(Answer):
    """Several points over one time. All readings are there from `since` on; `complete` is false where some are not."""

    items: list[ExploredTrace]
    alarms: list[ExploredAlarm]
    reports: list[ExploredReport]
    complete: bool
    since: float


class PointQuality(Answer):
    """How a point's data are: readings by flag, of the last day and since the console began (with what it read back).

    `clock` is how many seconds its clock is ahead, null when it is right; `last_good` when its last usable reading was.
    """

    point: str
    areas: list[str]
    day: dict[str, int]
    total: dict[str, int]
    clock: float | None
    last_good: float | None


class CameraClock(Answer):
    """A camera whose clock is wrong: by so many seconds ahead, behind when negative."""

    camera: str
    areas: list[str]
    clock: float


class GuessedKind(Answer):
    """A point whose kind the site does not declare, and what its readings showed it to be."""

    point: str
    areas: list[str]
    kind: str


class Quality(Answer):
    """Points whose data are poor, the worst first, and cameras whose clock is wrong, the furthest off first.

    `guessed`: points whose kind is not declared, and was guessed to be no gauge's.
    """

    items: list[PointQuality]
    cameras: list[CameraClock]
    guessed: list[GuessedKind]


class PointRates(Answer):
    """How often a point's scores came since the console began (with what it read back), against how often they should.

    `ratios`: by level, observed over nominal; 1 is right. `alarms`: early events of the models within `days`;
    `allowed`: false ones that the budget allows in that time. `alarms_per_day`: the budget of its area type, null where
    that says nothing and the shipped one holds.
    """

    point: str
    areas: list[str]
    scored: int
    ratios: dict[str, float]
    alarms: int
    days: float
    allowed: float
    alarms_per_day: float | None


class Rates(Answer):
    """Points with enough scored readings, that whose high scores come most often first."""

    items: list[PointRates]
