"""The files of a site folder as people write them. `sensors.registry` turns them into a `sensors.site.Site`."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from sensors.site import (
    AreaType,
    Duty,
    Field,
    HealthSettings,
    Plan,
    PointKind,
    Seat,
    Shift,
    Signals,
    SiteMap,
    Text,
    Unit,
)

Duration = float | str
"""Seconds, or text such as `90 s`, `10 min`, `30 d`."""


Former = str | tuple[str, ...]
"""One id that a thing had before it was renamed, or several."""


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Common settings of what people write: named fields, no unknown field passes."""


class SkewLimits(Written, frozen=True):
    """Whether clocks that are wrong are set right, from how far off they are wrong, and how far off they may be."""

    correct: bool = True
    tolerance: Duration = 5.0
    most: Duration = 14 * 3600.0


class FloodLimits(Written, frozen=True):
    """Readings a second that any point may send, and how many times what its expected interval makes."""

    least: float = 20.0
    times: float = 20.0


class Limits(Written, frozen=True):
    """How old, and how far ahead of the clock, a reading may be when it arrives."""

    late_after: Duration = 600.0
    accept_age: Duration = 30 * 86400.0
    accept_ahead: Duration = 60.0
    shelve_longest: Duration = 8 * 3600.0
    skew: SkewLimits = SkewLimits()
    flood: FloodLimits = FloodLimits()


class LegDeadlines(Written, frozen=True):
    """Time allowed for each leg of a dispatch, by level; levels left out keep their defaults."""

    accept: dict[str, Duration] = {}
    on_scene: dict[str, Duration] = {}
    resolve: dict[str, Duration] = {}
    feed_back: dict[str, Duration] = {}
    follow_up: dict[str, Duration] = {}


class StepEntry(Written, frozen=True):
    """A step of an escalation chain."""

    wait: Duration = 0.0
    do: Literal["up", "notify", "remind"] = "up"
    notify: tuple[str, ...] = ()
    repeat: int = 1


class EscalationEntry(Written, frozen=True):
    """What the clock does about legs that are overdue, by level and type of area."""

    levels: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    steps: tuple[StepEntry, ...] = ()


class ModeEntry(Written, frozen=True):
    """A mode that the site, or a part of it, may be put into for a time."""

    id: str
    name: Text
    longest: Duration = 24 * 3600.0


class ReportEntry(Written, frozen=True):
    """A category of reports that makes a case of its own for each subject."""

    category: str
    name: Text
    type: Literal["report", "dispute"] = "report"
    levels: tuple[str, ...] = ("blue", "yellow", "orange")
    units: tuple[str, ...] = ()


class SiteFile(Written, frozen=True):
    """`site.yaml`: the site itself and what the bridge listens to."""

    id: str
    name: Text
    zone: str = "Asia/Shanghai"
    language: Literal["zh-CN", "en"] = "zh-CN"
    partitions: int = 1
    console: str = ""
    viewer: str = ""
    blur_faces: bool = False
    maintenance: str = ""
    holidays: str = ""
    approval: Literal["one", "two"] = "one"
    disposition: Literal["sent", "always"] = "sent"
    modes: tuple[ModeEntry, ...] | None = None  # maintenance and exercise where a site names none
    reports: tuple[ReportEntry, ...] = ()
    limits: Limits = Limits()
    signals: Signals = Signals()
    deadlines: LegDeadlines = LegDeadlines()
    escalation: tuple[EscalationEntry, ...] = ()
    map: SiteMap | None = None


class Building(Written, frozen=True):
    """A building of a compound."""

    id: str
    name: Text


class Compound(Building, frozen=True):
    """A compound of a community."""

    buildings: tuple[Building, ...] = ()


class Community(Building, frozen=True):
    """A community of a subdistrict."""

    compounds: tuple[Compound, ...] = ()


class Subdistrict(Building, frozen=True):
    """A subdistrict of a district."""

    communities: tuple[Community, ...] = ()


class District(Building, frozen=True):
    """A district and all its places, nested."""

    subdistricts: tuple[Subdistrict, ...] = ()


class LinkEntry(Written, frozen=True):
    """Areas of which trouble in one is likely to be that of the others; of `upstream` the first lies above them."""

    areas: tuple[str, ...]
    kind: Literal["upstream", "neighbour", "gateway"]
    within: Duration = 1800.0


class HierarchyFile(Written, frozen=True):
    """`hierarchy.yaml`: fields, area types, places, and how areas are linked."""

    fields: tuple[Field, ...]
    area_types: tuple[AreaType, ...]
    districts: tuple[District, ...]
    links: tuple[LinkEntry, ...] = ()


class DriverEntry(Written, frozen=True):
    """A point that foretells another, with the time that what it brings takes to arrive."""

    point: str
    lag: Duration = 8 * 3600.0


class Template(Written, frozen=True):
    """What may be said of a point at any layer; what is left out is taken from the layer below.

    `at` says where in its area a point sits and becomes part of its name.
    """

    name: Text | UnsetType = UNSET
    at: Text | UnsetType | None = UNSET
    unit: str | UnsetType = UNSET
    kind: PointKind | UnsetType = UNSET
    limit: float | UnsetType | None = UNSET
    limit_below: bool | UnsetType = UNSET
    levels: dict[str, float] | UnsetType | None = UNSET
    range: tuple[float, float] | UnsetType | None = UNSET
    normal: tuple[float, float] | UnsetType | None = UNSET
    interval: Duration | UnsetType = UNSET
    accept_age: Duration | UnsetType | None = UNSET
    location: tuple[float, float] | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    sources: tuple[str, ...] | UnsetType = UNSET
    source_unit: str | UnsetType = UNSET
    renamed_from: Former | UnsetType = UNSET
    drivers: tuple[str | DriverEntry, ...] | UnsetType = UNSET
    redundant: tuple[str, ...] | UnsetType = UNSET
    gateway: str | UnsetType = UNSET


class TypesFile(Written, frozen=True):
    """`types.yaml`: the templates of points, by quantity, and by area type and quantity."""

    quantities: dict[str, Template]
    area_types: dict[str, dict[str, Template]] = {}


class Group(Template, frozen=True):
    """The points of one quantity in one area: `count` of them, or the ones with these `numbers`."""

    count: int | None = None
    numbers: tuple[int, ...] = ()
    each: dict[str, Template] = {}  # number → what is different about that one


class CameraEntry(Written, frozen=True):
    """A camera under its area; without an id it is `<area>-cam-<n>`."""

    id: str | None = None
    name: Text | None = None
    areas: tuple[str, ...] = ()  # further areas it looks at
    view: str = ""
    stream: str | None = None
    snapshot: str | None = None
    timeout: float = 5.0
    source: str = ""
    sources: tuple[str, ...] = ()
    location: tuple[float, float] | None = None
    tags: tuple[str, ...] = ()
    supplier: str = ""
    viewer: str | None = None  # the site's own by default; "" is none
    blur_faces: bool | None = None  # as the site says by default
    health: HealthSettings = HealthSettings()
    renamed_from: Former = ()


class CameraAlone(CameraEntry, frozen=True, kw_only=True):
    """A camera that stands apart from its areas; the first of them is its home."""

    id: str
    areas: tuple[str, ...]


class AreaEntry(Written, frozen=True):
    """An area with its points and cameras."""

    id: str
    name: Text
    type: str
    place: str
    group: str = ""
    location: tuple[float, float] | None = None
    tags: tuple[str, ...] = ()
    renamed_from: Former = ()
    gateway: str = ""  # of those of its points that name none themselves
    points: dict[str, int | Group] = {}
    cameras: int | tuple[CameraEntry, ...] = ()


class PointEntry(Template, frozen=True, kw_only=True):
    """A point with an id of its own, most often one that serves several areas."""

    id: str
    quantity: str
    areas: tuple[str, ...]


class GatewayEntry(Written, frozen=True):
    """What carries the readings of several points, which name it."""

    id: str
    name: Text
    area: str = ""
    sources: tuple[str, ...] = ()
    silent_after: Duration | None = None


class AreasFile(Written, frozen=True):
    """`areas/*.yaml`: areas, gateways, and points and cameras that stand apart from their areas."""

    areas: tuple[AreaEntry, ...] = ()
    points: tuple[PointEntry, ...] = ()
    cameras: tuple[CameraAlone, ...] = ()
    gateways: tuple[GatewayEntry, ...] = ()


class UnitsFile(Written, frozen=True):
    """`units.yaml` and `units/*.yaml`: who can be sent."""

    units: tuple[Unit, ...]


class RosterFile(Written, frozen=True):
    """`roster.yaml`: duty seats, daily shifts, dated duties, and files of those beside it."""

    seats: tuple[Seat, ...] = ()
    shifts: tuple[Shift, ...] = ()
    duty: tuple[Duty, ...] = ()
    csv: tuple[str, ...] = ()
    icalendar: tuple[str, ...] = ()


class PlansFile(Written, frozen=True):
    """`plans/*.yaml`: prepared responses."""

    plans: tuple[Plan, ...]


def names(written: Former) -> tuple[str, ...]:
    """List former ids, whichever way they are written."""
    return (written,) if isinstance(written, str) else written
