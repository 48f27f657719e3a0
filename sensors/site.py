"""The site as plain data: what is watched, where, by what, and who can be sent. Loaded by `sensors.registry`."""

from __future__ import annotations

from typing import Literal

import msgspec

LEVELS = ("blue", "yellow", "orange", "red")
"""Warning levels from the lowest to the highest; a level's rank is its place here plus one, 0 is none."""

RANK = {level: rank for rank, level in enumerate(LEVELS, 1)}

SYSTEM = "@system"
"""The area of what befalls the product itself. No site can have one of this id: ids of a site hold no @."""

SYSTEM_PARTITION = 0

GATEWAY_RULE = "@gateway"
"""The built-in rule on gateways that are gone."""

PointKind = Literal["gauge", "counter", "switch", "angle", "state"]
"""What a point is. A `state` is a code, such as the mode of a pump: its numbers have names, and no size."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Common settings of the site's parts: immutable, named fields, no unknown field passes.

    Defaults are written out, so that a stored publication means the same under later code.
    """


class Text(Struct, frozen=True):
    """Name a thing in Chinese and English."""

    zh: str
    en: str


class Field(Struct, frozen=True):
    """One of the four risk fields."""

    id: str
    name: Text


Loop = Literal["feed_back", "follow_up"]
"""What closes the loop of a dispatch: what was done is fed back to those who called; somebody goes again to see."""


class AreaType(Struct, frozen=True):
    """A kind of risk area within a field."""

    id: str
    field: str
    name: Text
    levels_dispatch: str = "orange"  # an incident at or above this level is dispatched at once
    close_needs: tuple[Loop, ...] = ()  # before a dispatch that was dealt with may be closed
    alarms_per_day: float | None = None  # false ones that models may raise of each of its points; None: as shipped


class Mode(Struct, frozen=True):
    """A way in which a place may be run for a time; alarms of rules that give way to it are suppressed by design."""

    id: str
    name: Text
    longest: float = 24 * 3600.0  # seconds that it lasts at most


MODES = (
    Mode(id="maintenance", name=Text(zh="检修", en="maintenance")),
    Mode(id="exercise", name=Text(zh="演练", en="exercise")),
)
"""The modes of a site that names none."""


class ReportKind(Struct, frozen=True):
    """A category of reports that makes a case of its own for each subject; `levels` are of its first, second, ...

    `units` answer for it, the first first: ids of units, or kinds, of which the nearest is meant.
    """

    category: str
    name: Text
    type: Literal["report", "dispute"] = "report"
    levels: tuple[str, ...] = ("blue", "yellow", "orange")
    units: tuple[str, ...] = ()


class Place(Struct, frozen=True):
    """A node of the hierarchy district › subdistrict › community (› compound › building)."""

    id: str
    kind: Literal["district", "subdistrict", "community", "compound", "building"]
    name: Text
    parent: str | None = None


class Area(Struct, frozen=True):
    """A place watched as one. `group` decides its partition; by default its subdistrict's id."""

    id: str
    name: Text
    type: str
    place: str  # a community, compound or building
    group: str = ""
    location: tuple[float, float] | None = None  # latitude, longitude, WGS 84 degrees
    tags: tuple[str, ...] = ()
    renamed_from: tuple[str, ...] = ()  # ids it had before, whose history is its own


class Link(Struct, frozen=True):
    """Areas of which trouble in one is likely to be that of the others.

    upstream: what befalls the first reaches the others. neighbour: they lie side by side. gateway: one device carries
    their readings, so that their sensors fail together. Alarms that begin within a time of each other are one incident.
    """

    areas: tuple[str, ...]
    kind: Literal["upstream", "neighbour", "gateway"]
    within: float = 1800.0  # seconds


class Driver(Struct, frozen=True):
    """A point that foretells another: a rain gauge of its valley, a level upstream of it."""

    point: str
    lag: float = 8 * 3600.0  # seconds until what it brings has arrived


class Point(Struct, frozen=True):
    """One measured quantity at one place. `index` is assigned once by the registry and never reused."""

    id: str
    name: Text
    areas: tuple[str, ...]  # the first is its home; its readings go into each area's frames
    quantity: str  # displacement, rain, level, ...
    unit: str  # as the site writes it; checked with pint
    kind: PointKind = "gauge"
    limit: float | None = None  # the value that must not be crossed, in `unit`; what eta('limit') means
    limit_below: bool = False  # the limit is a floor (pressure, oxygen), not a ceiling
    levels: dict[str, float] = {}  # limits per warning level, in `unit`
    range: tuple[float, float] | None = None  # physical range; outside it a reading is OUT_OF_RANGE
    normal: tuple[float, float] | None = None  # drawn as the normal band
    interval: float = 60.0  # seconds expected between readings
    accept_age: float | None = None  # seconds; overrides the site's limit on how old a reading may arrive
    location: tuple[float, float] | None = None
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # `<dialect>:<name>`, as senml:urn:dev:ow:10e2:temp; its id is always one of them
    source_unit: str = ""  # in which those send, when it is not `unit`
    renamed_from: tuple[str, ...] = ()  # ids it had before, whose history is its own
    drivers: tuple[Driver, ...] = ()  # points that foretell where it goes: see `models.driver`
    redundant: tuple[str, ...] = ()  # points that measure the same, or move with it: see `models.peers`
    gateway: str = ""  # the id of the one that carries its readings
    guess: bool = False  # its kind is not declared: `models.guess` may find it to be another than `kind`
    index: int = -1


class Gateway(Struct, frozen=True):
    """What carries the readings of several points: when it is gone, so are they, and that is one trouble.

    It is gone when all its points are silent, or when one of its `sources` says so of itself.
    """

    id: str
    name: Text
    area: str = ""  # where it stands; by default the area of its first point
    sources: tuple[str, ...] = ()  # by which dialects name it, as sparkplug:plant/edge-1
    silent_after: float | None = None  # seconds; by default four intervals of each point, at least 100 s


class Quantity(Struct, frozen=True):
    """What the points of a quantity are measured in and held to where they say nothing else; fields as in `Point`."""

    id: str
    unit: str
    type: str = ""  # the area type for which this holds; "" is all that have none of their own
    limit: float | None = None
    limit_below: bool = False
    levels: dict[str, float] = {}
    range: tuple[float, float] | None = None
    normal: tuple[float, float] | None = None


Fault = Literal["loss", "black", "freeze", "blur", "cover", "shift", "overexposed"]
"""What can be wrong with a camera: no signal, or its picture."""


class HealthSettings(Struct, frozen=True):
    """How one camera's picture is judged; frames are those sampled, one a second."""

    watch: bool = True  # false: its picture is not judged at all
    ignore: tuple[Fault, ...] = ()  # faults that this view would show wrongly
    learn: int = 30  # frames from which the usual view is learnt
    confirm: int = 5  # frames in a row that show a fault before it is told, and that do not before it is taken back
    freeze: int = 20  # frames in a row without any change before the picture counts as frozen
    dark: float = 16.0  # mean luma, 0 to 255, below which a picture without contrast is black
    bright: float = 0.4  # share of the picture that is burnt out before it counts as over-exposed
    sharp: float = 0.55  # share of the usual sharpness below which the picture is blurred
    cover: float = 0.5  # share of the view's structure gone before it is covered or moved; half, if bare things hide it
    lost: float = 10.0  # seconds without a frame before the signal counts as lost
    relearn: float = 3600.0  # seconds after which a moved view is taken for the new one; 0 is never


class Camera(Struct, frozen=True):
    """A camera, by id as its analytics name it."""

    id: str
    name: Text
    areas: tuple[str, ...]
    view: str = ""
    stream: str | None = None  # file, http(s):// or rtsp:// source that OpenCV can open
    snapshot: str | None = None  # http(s) URL of a still, JPEG or PNG; asked for once a second where there is no stream
    timeout: float = 5.0  # seconds that opening the stream, or one answer of it, may take
    source: str = ""  # name used in events when it differs from the id (Frigate's camera name)
    sources: tuple[str, ...] = ()  # `<dialect>:<name>` by which other dialects know it, as gb28181:34020000001320000001
    location: tuple[float, float] | None = None
    tags: tuple[str, ...] = ()
    supplier: str = ""  # who mends it; figures of operations are by supplier
    viewer: str = ""  # address of the site's own viewer, with {camera} and the like; see `sensors.camera.viewer`
    blur_faces: bool = False  # before any of its pictures is stored or shown
    renamed_from: tuple[str, ...] = ()  # ids it had before, whose history is its own
    health: HealthSettings = HealthSettings()


UnitKind = Literal[
    "community", "subdistrict", "district", "department", "mediation", "tribunal", "support", "maintenance"
]


class Unit(Struct, frozen=True):
    """Someone who can be sent."""

    id: str
    name: Text
    kind: UnitKind
    place: str
    types: tuple[str, ...] = ()  # area types it handles; empty is all
    location: tuple[float, float] | None = None
    contact: str = ""
    shifts: tuple[str, ...] = ()  # during these it can be sent; empty is always
    at_once: int = 0  # open orders with which it is full, and comes after all that are not; 0 is never


class Seat(Struct, frozen=True):
    """A duty seat in the monitoring room."""

    id: str
    name: Text
    subdistricts: tuple[str, ...] = ()  # empty is all


class Shift(Struct, frozen=True):
    """A turn of duty: local times HH:MM, and who sits where."""

    id: str
    name: Text
    start: str
    end: str
    staff: dict[str, str] = {}  # seat id → account name


class Duty(Struct, frozen=True):
    """A dated turn of duty: local times of the site's zone, YYYY-MM-DD HH:MM. It goes before the daily shifts."""

    seat: str
    account: str
    start: str
    end: str
    repeat: str = ""  # RRULE of iCalendar, as FREQ=WEEKLY;BYDAY=MO,TU
    omit: tuple[str, ...] = ()  # beginnings that are left out


class PlanStep(Struct, frozen=True):
    """One step of a plan: what to do, by whom, and from which level of the incident on."""

    id: str
    text: Text
    role: str = ""  # one of the plan's roles
    level: str = "blue"


class Contact(Struct, frozen=True):
    """Somebody whom a plan has called."""

    name: Text
    phone: str
    role: str = ""  # one of the plan's roles


class Draft(Struct, frozen=True):
    """A message to the public, ready to be sent: `{area}`, `{level}` and `{place}` are filled in."""

    id: str
    name: Text  # to whom, and when
    text: Text


class Overlay(Struct, frozen=True):
    """A drawing to lay over a map: a file of GeoJSON beside the plan."""

    name: Text
    file: str


class Plan(Struct, frozen=True):
    """A prepared response (预案) to incidents of some kinds of area, or of some areas, from a level on.

    `version` is a hash of the content: an incident keeps to the one that was in force when it was taken up.
    """

    id: str
    name: Text
    types: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()  # these alone; it goes before a plan of their type
    level: str = "blue"
    roles: dict[str, Text] = {}
    steps: tuple[PlanStep, ...] = ()
    contacts: tuple[Contact, ...] = ()
    drafts: tuple[Draft, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    version: str = ""


class SiteMap(Struct, frozen=True):
    """What is drawn under the areas: a file of the site's folder, and a tile server where the site wants one.

    It decides nothing: the file is no part of a publication, the console draws it as it lies there.
    """

    file: str = ""  # GeoJSON, or a picture
    bounds: tuple[tuple[float, float], tuple[float, float]] | None = None  # of a picture: south-west, north-east corner
    tiles: str = ""  # https://…/{z}/{x}/{y}.png; asked by each browser, which needs the way there
    attribution: str = ""  # of the tiles, or of the file


class MappedValue(Struct, frozen=True):
    """One of the several values of a mapped message; its fields mean what those of `Mapping` do."""

    point: str
    value: str
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0


class Mapping(Struct, frozen=True):
    """A topic template and JSON paths for an installation that keeps its own topics (the `mapped` dialect).

    `topic` holds `{area}` and/or `{point}` place-holders that fill one topic level or part of it, and MQTT wildcards.
    `point` is a template of the registry's point id in the same place-holders. Paths are dotted: `data.value`,
    `items.0.v`. Messages of several values have `values` instead of `point` and what describes a value.
    """

    topic: str
    point: str = ""
    value: str = "value"
    time: str | None = None
    time_unit: Literal["s", "ms", "us", "iso"] = "ms"
    scale: float = 1.0
    offset: float = 0.0
    simulated: bool = False
    unit: str = ""  # of `sent * scale + offset`, when it is not the point's
    values: tuple[MappedValue, ...] = ()


class Frigate(Struct, frozen=True):
    """A Frigate installation whose events are taken in.

    `cameras` are the ids of those that it watches, which are gone when it is; when left out, all cameras of the site
    that have no `sources`, or one of `frigate:`. `dwell` says by zone how long (`90 s`) an
    object is in it before it loiters.
    """

    prefix: str = "frigate"
    cameras: tuple[str, ...] = ()
    dwell: dict[str, float | str] = {}


class Onvif(Struct, frozen=True):
    """ONVIF devices that publish their events over MQTT.

    `prefix` is their topic prefix, in which `+` stands for a level and `{camera}` for a level or part of one. `kinds`
    renames events: a local topic (`RuleEngine/LineDetector/Crossed`) or a kind → kind; none ("") leaves them out.
    """

    prefix: str
    kinds: dict[str, str] = {}


class Gb28181(Struct, frozen=True):
    """A GB/T 28181 gateway that republishes alarms and notifications. `kinds` renames events: kind → kind."""

    topic: str = "gb28181/#"  # an MQTT filter
    kinds: dict[str, str] = {}


class Sparkplug(Struct, frozen=True):
    """A Sparkplug B namespace that is taken in; `groups` are those listened to, all by default."""

    prefix: str = "spBv1.0"
    groups: tuple[str, ...] = ()


class HomeAssistant(Struct, frozen=True):
    """Devices that announce themselves as Home Assistant's discovery wants it, under its discovery prefix."""

    prefix: str = "homeassistant"


class SenML(Struct, frozen=True):
    """Topics that carry SenML packs; `{device}` fills one level of the topic and may be part of `base`."""

    topic: str
    format: Literal["auto", "json", "cbor"] = "auto"
    base: str = ""  # what names begin with, until a pack says otherwise
    simulated: bool = False


class Signals(Struct, frozen=True):
    """What the bridge listens to."""

    native: str = "foreshock"  # prefix of the native dialect
    mapped: tuple[Mapping, ...] = ()
    frigate: tuple[Frigate, ...] = ()
    sparkplug: tuple[Sparkplug, ...] = ()
    homeassistant: tuple[HomeAssistant, ...] = ()
    onvif: tuple[Onvif, ...] = ()
    gb28181: tuple[Gb28181, ...] = ()
    senml: tuple[SenML, ...] = ()


class Deadlines(Struct, frozen=True):
    """Seconds allowed for each leg of a dispatch, by level; for feedback and a visit where they are asked for."""

    accept: dict[str, float] = msgspec.field(
        default_factory=lambda: {"red": 180.0, "orange": 300.0, "yellow": 900.0, "blue": 3600.0}
    )
    on_scene: dict[str, float] = msgspec.field(
        default_factory=lambda: {"red": 900.0, "orange": 1800.0, "yellow": 3600.0, "blue": 14400.0}
    )
    resolve: dict[str, float] = msgspec.field(
        default_factory=lambda: {"red": 7200.0, "orange": 14400.0, "yellow": 28800.0, "blue": 86400.0}
    )
    feed_back: dict[str, float] = msgspec.field(
        default_factory=lambda: {"red": 14400.0, "orange": 28800.0, "yellow": 86400.0, "blue": 259200.0}
    )
    follow_up: dict[str, float] = msgspec.field(
        default_factory=lambda: {"red": 259200.0, "orange": 604800.0, "yellow": 1209600.0, "blue": 2592000.0}
    )


class EscalationStep(Struct, frozen=True):
    """What the clock does about an overdue leg, `wait` seconds after the step before (the first: after the deadline).

    up: an order that nobody accepted goes to the next place above; of one under way that place is told. notify: the
    units named, or those of a kind that the area has, are told as well. remind: it is said again to whoever has it.
    """

    wait: float = 0.0
    do: Literal["up", "notify", "remind"] = "up"
    notify: tuple[str, ...] = ()  # ids of units, or kinds of them: subdistrict, district, ...
    repeat: int = 1  # times, each after `wait`


class Escalation(Struct, frozen=True):
    """A chain of steps for some levels and types of area; empty is all. The first that holds is taken."""

    levels: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    steps: tuple[EscalationStep, ...] = ()


class Skew(Struct, frozen=True):
    """What is done about sources whose clocks are wrong. Times are seconds."""

    correct: bool = True  # set them right; else they are only told
    tolerance: float = 5.0  # off by no more than this is right
    most: float = 14 * 3600.0  # off by more than this is not a clock but a fault: the furthest time zone


class Flood(Struct, frozen=True):
    """How much a point may send before it is held to a rate: the larger of the two, in readings a second."""

    least: float = 20.0
    times: float = 20.0  # of what its expected interval makes


class Site(Struct, frozen=True):
    """A whole site, resolved: every reference holds, every point has an index."""

    id: str
    name: Text
    version: str = ""  # hash of the content, set by the registry
    zone: str = "Asia/Shanghai"
    language: Literal["zh-CN", "en"] = "zh-CN"
    partitions: int = 1
    console: str = ""  # where people open it: links begin there, and with https:// cookies are for TLS only
    maintenance: str = ""  # level from which an alarm of data quality about a camera sends maintenance; "" is never
    holidays: str = ""  # country, or part of one, whose holidays rules go by: CN, DE-BW; "" is none
    late_after: float = 600.0  # seconds; older on arrival is flagged LATE
    accept_age: float = 30 * 86400.0  # seconds; older on arrival is quarantined as ancient
    accept_ahead: float = 60.0  # seconds; further in the future is quarantined
    shelve_longest: float = 8 * 3600.0  # seconds; an operator shelves an alarm for no longer
    modes: tuple[Mode, ...] = MODES
    reports: tuple[ReportKind, ...] = ()  # categories that make cases of their own
    approval: Literal["one", "two"] = "one"  # persons that a publication takes
    disposition: Literal["sent", "always"] = "sent"  # which real incidents a person has to judge: those that sent one
    skew: Skew = Skew()
    flood: Flood = Flood()
    fields: tuple[Field, ...] = ()
    area_types: tuple[AreaType, ...] = ()
    places: tuple[Place, ...] = ()
    areas: tuple[Area, ...] = ()
    links: tuple[Link, ...] = ()
    points: tuple[Point, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    cameras: tuple[Camera, ...] = ()
    units: tuple[Unit, ...] = ()
    seats: tuple[Seat, ...] = ()
    shifts: tuple[Shift, ...] = ()
    duties: tuple[Duty, ...] = ()
    plans: tuple[Plan, ...] = ()
    signals: Signals = Signals()
    deadlines: Deadlines = Deadlines()
    escalation: tuple[Escalation, ...] = ()
    map: SiteMap | None = None
