"""Turn what is written of an area's points into points: templates layered, ids, names and locations given out."""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Iterator
from typing import Any

import msgspec

from sensors import measure
from sensors.document import Document, Path, suggest
from sensors.duration import seconds
from sensors.findings import MAX_ID, Findings
from sensors.limits import MEASURED, in_unit
from sensors.relations import Related
from sensors.site import LEVELS, Driver, Point, PointKind, Quantity, Text
from sensors.site_files import (
    AreaEntry,
    DriverEntry,
    Duration,
    Former,
    Group,
    PointEntry,
    Template,
    TypesFile,
    names,
)

MAX_GROUP = 20_000
MAX_POINTS = 500_000
MAX_INTERVAL = 31 * 86400.0
MAX_SETTLED = 4096
_NOT_A_SETTING = frozenset(("count", "numbers", "each", "id", "quantity", "areas"))
_PLACING = frozenset(("name", "at", "location", "tags", "sources", "renamed_from", "drivers", "redundant", "gateway"))
_NO_MEASURE = _NOT_A_SETTING | _PLACING  # a layer of only these leaves what was checked below as it is

Layer = tuple[Document, Path, dict[str, Any]]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the layers of a point add up to."""

    name: Text | None = None
    at: Text | None = None
    unit: str = ""
    kind: PointKind | None = None
    limit: float | None = None
    limit_below: bool = False
    levels: dict[str, float] | None = None
    range: tuple[float, float] | None = None
    normal: tuple[float, float] | None = None
    interval: Duration = 60.0
    accept_age: Duration | None = None
    location: tuple[float, float] | None = None
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    source_unit: str = ""
    renamed_from: Former = ()
    drivers: tuple[str | DriverEntry, ...] = ()
    redundant: tuple[str, ...] = ()
    gateway: str = ""


class Templates:
    """Expand points by the templates of `types.yaml`, noting mistakes as they are met."""

    def __init__(self, document: Document, types: TypesFile, findings: Findings) -> None:
        self.document = document
        self.types = types
        self.findings = findings
        self.made = 0
        self.related: list[Related] = []
        self._bases: dict[tuple[str, str], tuple[list[Layer], Settings]] = {}
        self._alike: dict[tuple[str, str, bytes], Settings] = {}
        for quantity in types.quantities:
            self.findings.id("quantity", quantity, document, ("quantities", quantity))
            self._base(quantity, "")
        for area_type, quantities in types.area_types.items():
            for quantity in quantities:
                where: Path = ("area_types", area_type, quantity)
                if self.findings.reference("quantity", quantity, types.quantities, document, where):
                    self._base(quantity, area_type)

    def quantities(self) -> Iterator[Quantity]:
        """Yield what each quantity is measured in and held to, everywhere and in each type of area that says more."""
        for (quantity, area_type), (_, settings) in self._bases.items():
            if not area_type or quantity in self.types.area_types.get(area_type, {}):
                yield Quantity(
                    id=quantity,
                    type=area_type,
                    unit=settings.unit,
                    limit=settings.limit,
                    limit_below=settings.limit_below,
                    levels=settings.levels or {},
                    range=settings.range,
                    normal=settings.normal,
                )

    def points_of(self, area: AreaEntry, document: Document, path: Path) -> Iterator[Point]:
        """Yield the points written under an area."""
        for quantity, entry in area.points.items():
            where = (*path, "points", quantity)
            if not self.findings.reference("quantity", quantity, self.types.quantities, document, where):
                continue
            group = entry if isinstance(entry, Group) else Group(count=entry)
            numbers = self._numbers(group, document, where)
            layers, shared = self._base(quantity, area.type)
            if isinstance(entry, Group):
                layers = [*layers, (document, where, _at(document, where))]
                shared = self._settled(layers, shared, entry)
            for number in numbers:
                own, settings = group.each.get(str(number)), shared
                if own is not None:
                    place = (*where, "each", str(number))
                    settings = self._settled([*layers, (document, place, _at(document, place))], shared, own)
                id = f"{area.id}-{quantity}-{number}"
                name = own.name if own is not None and isinstance(own.name, Text) else None
                name = name or _name(area.name, settings, number if len(numbers) > 1 else None)
                if len(id) > MAX_ID:
                    self.findings.add(document, where, f"the id '{id}' is longer than {MAX_ID} characters")
                point = self._point(id, quantity, (area.id,), name, settings, area, number)
                if area.renamed_from:  # its points are named after it, so they were renamed with it
                    before = tuple(f"{old}-{quantity}-{number}" for old in names(area.renamed_from))
                    point = msgspec.structs.replace(point, renamed_from=(*point.renamed_from, *before))
                self._check_sources(point, document, where if own is None or own.sources is msgspec.UNSET else place)
                if point.drivers or point.redundant:
                    self.related.append(Related(point, document, place if own is not None else where, where))
                renamed_here = own is not None and own.renamed_from is not msgspec.UNSET
                self.findings.former("point", id, point.renamed_from, document, place if renamed_here else where)
                yield point

    def point(self, entry: PointEntry, home: AreaEntry | None, document: Document, path: Path) -> Point | None:
        """Make a point that is written by itself; `home` is its first area."""
        if not self.findings.reference(
            "quantity", entry.quantity, self.types.quantities, document, (*path, "quantity")
        ):
            return None
        layers, shared = self._base(entry.quantity, home.type if home else "")
        layer = _at(document, path)
        if not layer.keys() <= _NO_MEASURE:
            kind = entry.quantity, home.type if home else ""
            shared = self._settled_alike(kind, layers, (document, path, layer))
        settings = self._placed(shared, entry, document, path, layer)
        if isinstance(entry.name, Text):
            name = entry.name
        else:
            name = _name(home.name if home else Text(zh=entry.id, en=entry.id), settings, None)
        point = self._point(entry.id, entry.quantity, entry.areas, name, settings, home)
        self._check_sources(point, document, path)
        self.findings.former("point", point.id, point.renamed_from, document, path)
        if point.drivers or point.redundant:
            self.related.append(Related(point, document, path, path))
        return point

    def _point(
        self,
        id: str,
        quantity: str,
        areas: tuple[str, ...],
        name: Text,
        settings: Settings,
        home: AreaEntry | None,
        number: int = 1,
    ) -> Point:
        sources, former = settings.sources, names(settings.renamed_from)
        drivers, redundant = tuple(map(_driver, settings.drivers)), settings.redundant
        if sources or former or drivers or redundant:
            holders = {"{id}": id, "{area}": areas[0] if areas else "", "{number}": str(number)}
            sources = tuple(_filled(source, holders) for source in sources)
            former = tuple(_filled(name, holders) for name in former)
            drivers = tuple(msgspec.structs.replace(one, point=_filled(one.point, holders)) for one in drivers)
            redundant = tuple(name for name in (_filled(each, holders) for each in redundant) if name != id)
        near = home.location if home else None
        return Point(
            id=id,
            name=name,
            areas=areas,
            quantity=quantity,
            unit=settings.unit,
            kind=settings.kind or "gauge",
            guess=settings.kind is None,
            limit=settings.limit,
            limit_below=settings.limit_below,
            levels=settings.levels or {},
            range=settings.range,
            normal=settings.normal,
            interval=seconds(settings.interval),
            accept_age=None if settings.accept_age is None else seconds(settings.accept_age),
            location=settings.location or _around(near, id),
            tags=settings.tags,
            sources=sources,
            source_unit=settings.source_unit,
            renamed_from=former,
            drivers=drivers,
            redundant=redundant,
            gateway=settings.gateway or (home.gateway if home else ""),
        )

    def _check_sources(self, point: Point, document: Document, path: Path) -> None:
        for source in point.sources:
            self.findings.source("point", source, document, (*path, "sources"))

    def _numbers(self, group: Group, document: Document, path: Path) -> tuple[int, ...]:
        note = self.findings.add
        if group.numbers and group.count is not None:
            note(document, (*path, "numbers"), "give 'count' or 'numbers', not both")
        if group.numbers:
            numbers = tuple(dict.fromkeys(number for number in group.numbers if 0 < number < 1_000_000))
            if len(numbers) != len(group.numbers):
                note(document, (*path, "numbers"), "numbers must be 1 to 999,999 and each given once")
        else:
            count = 1 if group.count is None else group.count
            if not 0 <= count <= MAX_GROUP:
                where = (*path, "count") if "count" in (_at(document, path) or {}) else path
                note(document, where, f"a count must be 0 to {MAX_GROUP:,}, not {count}")
                count = 0
            numbers = tuple(range(1, count + 1))
        self.made += len(numbers)
        if self.made > MAX_POINTS:
            note(document, path, f"a site holds at most {MAX_POINTS:,} points")
            return ()
        known = {str(number) for number in numbers} if group.each else set()
        for number in group.each:
            if number not in known:
                note(document, (*path, "each", number), f"there is no number {number} among these {len(numbers)}")
        return numbers

    def _base(self, quantity: str, area_type: str) -> tuple[list[Layer], Settings]:
        """Return the layers that `types.yaml` has for a quantity in a kind of area, and what they add up to."""
        found = self._bases.get((quantity, area_type))
        if found is None:
            where: Path = ("quantities", quantity)
            layers: list[Layer] = [(self.document, where, _at(self.document, where))]
            if quantity in self.types.area_types.get(area_type, {}):
                where = ("area_types", area_type, quantity)
                layers.append((self.document, where, _at(self.document, where)))
            found = self._bases[quantity, area_type] = (layers, self._settle(layers))
        return found

    def _settled(self, layers: list[Layer], below: Settings, entry: Template) -> Settings:
        """Add the last layer, read as `entry`, to what those below it add up to."""
        document, path, layer = layers[-1]
        if not layer.keys() <= _NO_MEASURE:
            below = self._settle(layers)
        return self._placed(below, entry, document, path, layer)

    def _settled_alike(self, kind: tuple[str, str], below: list[Layer], last: Layer) -> Settings:
        """Add a last layer of measures to those of a quantity in a kind of area, once for all points that say the same.

        What has a mistake is settled anew for each point, so that each is told where it stands.
        """
        document, path, layer = last
        measures = {name: value for name, value in layer.items() if name not in _NO_MEASURE}
        key = (*kind, msgspec.json.encode(measures))
        found = self._alike.get(key)
        if found is None:
            before = self.findings.count
            found = self._settle([*below, (document, path, measures)])
            if self.findings.count == before and len(self._alike) < MAX_SETTLED:
                self._alike[key] = found
        return found

    def _placed(
        self, below: Settings, entry: Template, document: Document, path: Path, layer: dict[str, Any]
    ) -> Settings:
        """Lay over what is measured where a point is, what it is called and where it comes from."""
        given = {key: getattr(entry, key) for key in layer.keys() & _PLACING}
        if given.get("location"):
            self.findings.location(given["location"], document, (*path, "location"))
        return msgspec.structs.replace(below, **given) if given else below

    def _settle(self, layers: list[Layer]) -> Settings:
        """Add up the layers and check what comes out, each mistake noted where its last word stands."""
        if len({layer["unit"] for _, _, layer in layers if "unit" in layer}) > 1:
            merged = self._converted(layers)
        else:
            merged = {key: value for _, _, layer in layers for key, value in layer.items() if key not in _NOT_A_SETTING}
        found = msgspec.convert(merged, Settings)

        def note(message: str, *fields: str) -> None:
            for document, path, layer in reversed(layers):
                for field in fields:
                    if field in layer:
                        self.findings.add(document, (*path, field), message)
                        return
            self.findings.add(layers[-1][0], layers[-1][1], message)

        def duration(field: str, value: Duration, most: float) -> float:
            for document, path, layer in reversed(layers):
                if field in layer:
                    return self.findings.duration(value, document, (*path, field), most=most)
            return float(value)

        if not found.unit:
            note("the unit is missing", "unit")
        elif not measure.is_unit(found.unit):
            near = suggest(found.unit, measure.SITE_UNITS)
            note(f"'{found.unit}' is not a unit of measure{near}", "unit")
        if found.source_unit and not measure.is_unit(found.source_unit):
            near = suggest(found.source_unit, measure.SITE_UNITS)
            note(f"'{found.source_unit}' is not a unit of measure{near}", "source_unit")
        elif found.source_unit and measure.is_unit(found.unit):
            try:
                measure.linear(found.source_unit, found.unit)
            except measure.UnitError as error:
                why = str(error).partition(": ")[2]
                note(f"'{found.source_unit}' cannot be converted to '{found.unit}': {why}", "source_unit", "unit")
        low, high = found.range or (-math.inf, math.inf)
        if not low < high:
            note(f"the range {low:g}..{high:g} is empty; write the lower end first", "range")
            low, high = -math.inf, math.inf
        outside = f"lies outside the physical range {low:g}..{high:g}"
        if found.limit is not None and not low <= found.limit <= high:
            note(f"the limit {found.limit:g} {outside}", "limit", "range")
        if found.normal is not None:
            if found.normal[0] > found.normal[1]:
                note("the normal band is empty; write the lower end first", "normal")
            elif found.normal[0] < low or found.normal[1] > high:
                note(f"the normal band {outside}", "normal", "range")
            elif found.limit is not None and _is_passed(found.limit, found.normal, found.limit_below):
                bottom, top = found.normal
                note(
                    f"the limit {found.limit:g} is passed within the normal band {bottom:g}..{top:g}", "limit", "normal"
                )
        self._levels(found, low, high, outside, note)
        interval = duration("interval", found.interval, MAX_INTERVAL)
        age = None if found.accept_age is None else duration("accept_age", found.accept_age, 3.2e9)
        if found.location is not None:
            document, path, _ = next(layer for layer in reversed(layers) if "location" in layer[2])
            self.findings.location(found.location, document, (*path, "location"))
        limit = found.limit
        if limit is None and found.levels and "limit" not in merged:
            limit = found.levels[max(found.levels, key=lambda level: LEVELS.index(level) if level in LEVELS else -1)]
        return msgspec.structs.replace(found, interval=interval, accept_age=age, limit=limit)

    def _converted(self, layers: list[Layer]) -> dict[str, Any]:
        """Lay the layers over each other; what a layer in another unit inherits is converted to it, or refused."""
        merged: dict[str, Any] = {}
        for document, path, layer in layers:
            old, new = merged.get("unit"), layer.get("unit")
            if old and new and old != new:
                left = (name for name in MEASURED if name not in layer)
                inherited = {name: merged[name] for name in left if merged.get(name) not in (None, {})}
                try:
                    merged |= {name: in_unit(value, old, new) for name, value in inherited.items()}
                except measure.UnitError as error:
                    if measure.is_unit(old) and measure.is_unit(new):  # what is none is told by who checks the units
                        listed = ", ".join(inherited)
                        way = f"give its own {listed} in {new} (null where it has none), or keep the unit {old}"
                        message = f"{listed} of this quantity cannot be taken over: {error}; {way}"
                        self.findings.add(document, (*path, "unit"), message)
                    merged = {name: value for name, value in merged.items() if name not in inherited}
            merged |= {key: value for key, value in layer.items() if key not in _NOT_A_SETTING}
        return merged

    def _levels(self, found: Settings, low: float, high: float, outside: str, note: Any) -> None:
        levels = found.levels or {}
        for level in levels:
            if level not in LEVELS:
                note(f"unknown level '{level}'{suggest(level, LEVELS)}; levels are {', '.join(LEVELS)}", "levels")
        for level, threshold in levels.items():
            if not low <= threshold <= high:
                note(f"the {level} level {threshold:g} {outside}", "levels", "range")
        ordered = [(level, levels[level]) for level in LEVELS if level in levels]
        for (mild, lower), (grave, upper) in itertools.pairwise(ordered):
            if found.limit_below and not upper < lower:
                note(
                    f"{grave} ({upper:g}) must be below {mild} ({lower:g}): the limit is a floor",
                    "levels",
                    "limit_below",
                )
            if not found.limit_below and not upper > lower:
                note(
                    f"{grave} ({upper:g}) must be above {mild} ({lower:g}); a floor needs 'limit_below: true'", "levels"
                )


def _is_passed(limit: float, normal: tuple[float, float], below: bool) -> bool:
    """Tell whether values of the normal band lie on the wrong side of a limit."""
    return normal[0] < limit if below else normal[1] > limit


def _driver(written: str | DriverEntry) -> Driver:
    """Take a driver as it is written; a lag that is none is told by `sensors.relations`."""
    if isinstance(written, str):
        return Driver(point=written)
    try:
        return Driver(point=written.point, lag=seconds(written.lag))
    except ValueError:
        return Driver(point=written.point, lag=-1.0)


def _filled(source: str, holders: dict[str, str]) -> str:
    for holder, text in holders.items():
        source = source.replace(holder, text)
    return source


def _at(document: Document, path: Path) -> dict[str, Any]:
    node = document.data
    for step in path:
        node = node[step]
    return node if isinstance(node, dict) else {}


def _name(area: Text, settings: Settings, number: int | None) -> Text:
    """Name a point by its area, where in it the point sits, its quantity and its number among its like."""
    what = settings.name or Text(zh="", en="")
    n = "" if number is None else f" {number}"
    at_zh, at_en = (settings.at.zh, f" ({settings.at.en})") if settings.at else ("", "")
    return Text(zh=f"{area.zh} {at_zh}{what.zh}{n}", en=f"{area.en}: {what.en}{n}{at_en}")


def _around(near: tuple[float, float] | None, id: str) -> tuple[float, float] | None:
    """Place a point 10 to 40 m from its area's location, always the same way, so that marks do not hide each other."""
    if near is None:
        return None
    spread = zlib.crc32(id.encode())
    angle, metres = (spread & 0xFFFF) / 65536 * math.tau, 10 + (spread >> 16) / 65536 * 30
    north = metres * math.sin(angle) / 111_320
    east = metres * math.cos(angle) / (111_320 * max(math.cos(math.radians(near[0])), 0.01))
    latitude = min(max(near[0] + north, -90.0), 90.0)
    return round(latitude, 6), round((near[1] + east + 180) % 360 - 180, 6)
