"""Check what stands apart from areas and points: the site itself, its signals and deadlines, its units and roster."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Collection, Iterator, Mapping
from typing import get_args

from sensors import measure
from sensors.camera import viewer
from sensors.dialects import senml
from sensors.dialects.paths import is_place
from sensors.document import Document, Path, suggest
from sensors.findings import Findings
from sensors.holidays_of import holidays_of
from sensors.site import LEVELS, MODES, RANK, Deadlines, MappedValue, Mode, Place, ReportKind, Signals, UnitKind
from sensors.site import Mapping as MappingOfTopics
from sensors.site_files import CameraEntry, LegDeadlines, ModeEntry, ReportEntry, RosterFile, SiteFile, UnitsFile

MAX_PARTITIONS = 256
MAX_PATH = 256
MAX_VALUES = 256
MAX_RATE = 1e6  # readings a second of one point
MAX_SUPPLIER = 64
MAX_MODES = 32
MAX_REPORT_KINDS = 64
MOST_AT_ONCE = 1000
MAX_REPORT_LEVELS = 16
MAX_REPORT_UNITS = 16
LONGEST_MODE = 30 * 86400.0

HEALTH = {
    "learn": (10, 10_000),
    "confirm": (1, 100),
    "freeze": (2, 10_000),
    "dark": (0.0, 128.0),
    "bright": (0.05, 1.0),
    "sharp": (0.05, 1.0),
    "cover": (0.2, 1.0),
    "lost": (2.0, 3600.0),
    "relearn": (0.0, 32 * 86400.0),
}
"""The least and the most that may be said of how a camera's picture is judged."""

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z")
_CATEGORY = re.compile(r"[a-z][a-z0-9_-]{0,47}\Z")
_KIND = re.compile(r"[a-z0-9_-]{0,64}\Z")
_PLACE_HOLDER = re.compile(r"\{([^{}]*)\}")


def modes(document: Document, entries: tuple[ModeEntry, ...] | None, findings: Findings) -> tuple[Mode, ...]:
    """Check the modes that a site names and return them; the usual ones where it names none."""
    if entries is None:
        return MODES
    if len(entries) > MAX_MODES:
        findings.add(document, ("modes",), f"a site has at most {MAX_MODES} modes")
        return ()
    found = []
    for place, entry in enumerate(entries):
        findings.id("mode", entry.id, document, ("modes", place, "id"))
        longest = findings.duration(entry.longest, document, ("modes", place, "longest"))
        if not 0 < longest <= LONGEST_MODE:
            findings.add(document, ("modes", place, "longest"), "a mode lasts more than 0 and at most 30 days")
        found.append(Mode(id=entry.id, name=entry.name, longest=longest))
    return tuple(found)


def report_kinds(
    document: Document, entries: tuple[ReportEntry, ...], units: Collection[str] | None, findings: Findings
) -> tuple[ReportKind, ...]:
    """Check the categories of reports that make cases of their own and return them; `units` is None when not known."""
    if len(entries) > MAX_REPORT_KINDS:
        findings.add(document, ("reports",), f"a site has at most {MAX_REPORT_KINDS} categories of reports")
        return ()
    found: list[ReportKind] = []
    for place, entry in enumerate(entries):
        if not _CATEGORY.match(entry.category):
            message = f"'{entry.category}' is no category: small letters, digits, - and _, a letter first, at most 48"
            findings.add(document, ("reports", place, "category"), message)
        elif entry.category in {one.category for one in found}:
            findings.add(document, ("reports", place, "category"), f"'{entry.category}' stands here twice")
        ranks = [RANK.get(level, 0) for level in entry.levels]
        if not 1 <= len(ranks) <= MAX_REPORT_LEVELS or not all(ranks) or ranks != sorted(ranks):
            message = f"levels are 1 to {MAX_REPORT_LEVELS} of {', '.join(LEVELS)}, none below the one before"
            findings.add(document, ("reports", place, "levels"), message)
        if len(entry.units) > MAX_REPORT_UNITS:
            findings.add(
                document, ("reports", place, "units"), f"at most {MAX_REPORT_UNITS} units answer for a category"
            )
        for n, name in enumerate(entry.units):
            if name not in get_args(UnitKind):
                findings.reference("unit", name, units, document, ("reports", place, "units", n))
        found.append(ReportKind(**{field: getattr(entry, field) for field in ReportKind.__struct_fields__}))
    return tuple(found)


def check_main(document: Document, file: SiteFile, cameras: set[str] | None, findings: Findings) -> None:
    """Check `site.yaml` but for its deadlines; `cameras` are the ids of the site's, None when not all are known."""
    note = findings.add
    findings.id("site", file.id, document, ("id",))
    if not _is_zone(file.zone):
        near = suggest(file.zone, zoneinfo.available_timezones())
        note(document, ("zone",), f"unknown time zone '{file.zone}'{near}")
    if not 1 <= file.partitions <= MAX_PARTITIONS:
        note(document, ("partitions",), f"partitions must be 1 to {MAX_PARTITIONS}, not {file.partitions}")
    for name in ("late_after", "accept_age", "accept_ahead"):
        findings.duration(getattr(file.limits, name), document, ("limits", name))
    for name in ("tolerance", "most"):
        findings.duration(getattr(file.limits.skew, name), document, ("limits", "skew", name))
    for name in ("least", "times"):
        number = getattr(file.limits.flood, name)
        if not 1.0 <= number <= MAX_RATE:
            note(document, ("limits", "flood", name), f"{name} must be 1 to {MAX_RATE:,.0f}, not {number:g}")
    if file.maintenance:
        findings.level(file.maintenance, document, ("maintenance",))
    if file.holidays:
        try:
            holidays_of(file.holidays)
        except ValueError as error:
            note(document, ("holidays",), str(error))
    for message in viewer.mistakes(file.viewer):
        note(document, ("viewer",), message)
    _check_signals(document, file.signals, findings)
    _check_cameras_dialects(document, file.signals, cameras, findings)


def deadlines(document: Document, written: LegDeadlines, findings: Findings) -> Deadlines:
    """Fill the deadlines that were written into the defaults."""
    legs: dict[str, dict[str, float]] = {}
    for leg in Deadlines.__struct_fields__:
        legs[leg] = dict(getattr(Deadlines(), leg))
        for level, value in getattr(written, leg).items():
            path: Path = ("deadlines", leg, level)
            if findings.level(level, document, path):
                legs[leg][level] = findings.duration(value, document, path)
    return Deadlines(**legs)


def check_units(
    document: Document,
    file: UnitsFile,
    places: Mapping[str, Place] | None,
    area_types: set[str] | None,
    shifts: set[str] | None,
    findings: Findings,
) -> None:
    """Check `units.yaml`."""
    for i, unit in enumerate(file.units):
        path: Path = ("units", i)
        findings.id("unit", unit.id, document, (*path, "id"))
        findings.reference("place", unit.place, places, document, (*path, "place"))
        findings.location(unit.location, document, (*path, "location"))
        for n, kind in enumerate(unit.types):
            findings.reference("area type", kind, area_types, document, (*path, "types", n))
        for n, shift in enumerate(unit.shifts):
            findings.reference("shift", shift, shifts, document, (*path, "shifts", n))
        if not 0 <= unit.at_once <= MOST_AT_ONCE:
            message = f"a unit takes 1 to {MOST_AT_ONCE} orders at once, or 0 for no limit, not {unit.at_once}"
            findings.add(document, (*path, "at_once"), message)


def check_roster(document: Document, file: RosterFile, places: Mapping[str, Place] | None, findings: Findings) -> None:
    """Check `roster.yaml`."""
    seats = {seat.id for seat in file.seats}
    subdistricts = None if places is None else {id for id, place in places.items() if place.kind == "subdistrict"}
    for i, seat in enumerate(file.seats):
        findings.id("seat", seat.id, document, ("seats", i, "id"))
        for n, place in enumerate(seat.subdistricts):
            findings.reference("subdistrict", place, subdistricts, document, ("seats", i, "subdistricts", n))
    for i, shift in enumerate(file.shifts):
        findings.id("shift", shift.id, document, ("shifts", i, "id"))
        for field, time in (("start", shift.start), ("end", shift.end)):
            if not _CLOCK.match(time):
                findings.add(document, ("shifts", i, field), f"'{time}' is no time of day; write HH:MM")
        for seat_id in shift.staff:
            findings.reference("seat", seat_id, seats, document, ("shifts", i, "staff", seat_id))


def check_camera(document: Document, camera: CameraEntry, path: Path, findings: Findings) -> None:
    """Check how a camera is read, and how its picture is to be judged."""
    if not 0.5 <= camera.timeout <= 60.0:
        findings.add(document, (*path, "timeout"), f"must be 0.5 to 60 seconds, not {camera.timeout:g}")
    if camera.snapshot is not None:
        from sensors.camera.address import AddressError, parsed  # httpx is slow to load, and few sites have stills

        try:
            parsed(camera.snapshot)
        except AddressError as error:
            findings.add(document, (*path, "snapshot"), str(error))
    for message in viewer.mistakes(camera.viewer or ""):
        findings.add(document, (*path, "viewer"), message)
    if len(camera.supplier) > MAX_SUPPLIER:
        findings.add(document, (*path, "supplier"), f"a supplier's name is at most {MAX_SUPPLIER} characters long")
    health, path = camera.health, (*path, "health")
    for name, (least, most) in HEALTH.items():
        value = getattr(health, name)
        if not least <= value <= most:
            findings.add(document, (*path, name), f"must be {least:g} to {most:g}, not {value:g}")


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _check_signals(document: Document, signals: Signals, findings: Findings) -> None:
    note = findings.add
    path: Path = ("signals", "native")
    prefixes = [(signals.native, path)]
    prefixes += [(one.prefix, ("signals", "frigate", i, "prefix")) for i, one in enumerate(signals.frigate)]
    prefixes += [(one.prefix, ("signals", "sparkplug", i, "prefix")) for i, one in enumerate(signals.sparkplug)]
    prefixes += [(one.prefix, ("signals", "homeassistant", i, "prefix")) for i, one in enumerate(signals.homeassistant)]
    for prefix, where in prefixes:
        if not prefix or prefix.strip("/") != prefix or any(character in prefix for character in "+#"):
            note(document, where, f"'{prefix}' is no topic prefix: levels between '/', without '+' and '#'")
    for i, sparkplug in enumerate(signals.sparkplug):
        for n, group in enumerate(sparkplug.groups):
            if not group or any(character in group for character in "/+#"):
                path = ("signals", "sparkplug", i, "groups", n)
                note(document, path, f"'{group}' is no Sparkplug group: one level of a topic, without '+' and '#'")
    for i, mapped in enumerate(signals.mapped):
        path = ("signals", "mapped", i)
        _check_filter(document, (*path, "topic"), mapped.topic, findings)
        held = _PLACE_HOLDER.findall(mapped.topic)
        for name in held:
            if name not in ("area", "point"):
                note(document, (*path, "topic"), f"unknown place-holder '{{{name}}}'; known are {{area}} and {{point}}")
        if len(set(held)) != len(held):
            note(document, (*path, "topic"), "a place-holder may stand once in a topic")
        _check_mapped_values(document, path, mapped, held, findings)

    for i, packs in enumerate(signals.senml):
        path = ("signals", "senml", i)
        _check_filter(document, (*path, "topic"), packs.topic, findings)
        asked = packs.topic.split("/")
        if any("{" in level and level != senml.DEVICE for level in asked) or asked.count(senml.DEVICE) > 1:
            note(document, (*path, "topic"), "the only place-holder is '{device}': one whole level, once")
        if senml.DEVICE in packs.base and senml.DEVICE not in asked:
            note(document, (*path, "base"), "'{device}' is no level of the topic")
        if packs.base and not senml.is_name(packs.base.replace(senml.DEVICE, "x")):
            note(document, (*path, "base"), f"'{packs.base[:80]}' cannot begin a name of SenML")


def _check_filter(document: Document, path: Path, topic: str, findings: Findings) -> None:
    """Check the wildcards of a topic."""
    levels = topic.split("/")
    if not topic:
        findings.add(document, path, "the topic is empty")
    if any("#" in level for level in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#"):
        findings.add(document, path, "'#' may only stand as the last level of a topic")
    if any("+" in level and level != "+" for level in levels):
        findings.add(document, path, "'+' stands for a whole level of a topic")


def _check_mapped_values(
    document: Document, path: Path, mapped: MappingOfTopics, held: list[str], findings: Findings
) -> None:
    """Check where a mapping takes its values from, and which points they are."""
    note = findings.add
    if bool(mapped.point) == bool(mapped.values):
        note(document, (*path, "point"), "give either `point`, or `values` with a point each")
    if mapped.values and (mapped.unit or mapped.scale != 1.0 or mapped.offset != 0.0):
        note(document, (*path, "values"), "unit, scale and offset are given for each of the values")
    if len(mapped.values) > MAX_VALUES:
        note(document, (*path, "values"), f"a message holds at most {MAX_VALUES} values")
    described: list[tuple[Path, MappingOfTopics | MappedValue]] = [(path, mapped)]
    described += [((*path, "values", n), one) for n, one in enumerate(mapped.values)]
    taken: set[str] = set()
    for where, one in described:
        for name in _PLACE_HOLDER.findall(one.point):
            if name not in held:
                note(document, (*where, "point"), f"'{{{name}}}' is not a place-holder of the topic")
        if one.point in taken:
            note(document, (*where, "point"), f"'{one.point}' is given to two values")
        taken.add(one.point)
        if one.unit and not measure.is_unit(one.unit):
            near = suggest(one.unit, measure.SITE_UNITS)
            note(document, (*where, "unit"), f"'{one.unit[:40]}' is not a unit of measure{near}")
        if one.value:
            for message in _path_mistakes(one.value):
                note(document, (*where, "value"), message)
    if mapped.time is not None:
        for message in _path_mistakes(mapped.time):
            note(document, (*path, "time"), message)


def _check_cameras_dialects(document: Document, signals: Signals, cameras: set[str] | None, findings: Findings) -> None:
    """Check what the dialects of cameras are told."""
    for i, installation in enumerate(signals.frigate):
        where: Path = ("signals", "frigate", i)
        for n, id in enumerate(installation.cameras):
            findings.reference("camera", id, cameras, document, (*where, "cameras", n))
        for zone, limit in installation.dwell.items():
            findings.duration(limit, document, (*where, "dwell", zone))
    for i, devices in enumerate(signals.onvif):
        where = ("signals", "onvif", i)
        plain = devices.prefix.replace("{camera}", "camera", 1)
        levels = plain.split("/")
        if "" in levels or any(character in plain for character in "{}#"):
            message = (
                f"'{devices.prefix}' is no topic prefix: levels between '/', with '+' for one, and {{camera}} once"
            )
            findings.add(document, (*where, "prefix"), message)
        if any("+" in level and level != "+" for level in levels):
            findings.add(document, (*where, "prefix"), "'+' stands for a whole level of a topic")
        _check_kinds(document, devices.kinds, (*where, "kinds"), findings)
    for i, gateway in enumerate(signals.gb28181):
        where = ("signals", "gb28181", i)
        levels = gateway.topic.split("/")
        misplaced = any("#" in level for level in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#")
        if not gateway.topic or misplaced or any("+" in level and level != "+" for level in levels):
            message = f"'{gateway.topic}' is no topic filter: '+' stands for a whole level, '#' for all at the end"
            findings.add(document, (*where, "topic"), message)
        _check_kinds(document, gateway.kinds, (*where, "kinds"), findings)


def _check_kinds(document: Document, kinds: Mapping[str, str], path: Path, findings: Findings) -> None:
    for name, kind in kinds.items():
        if not _KIND.match(kind):
            message = f"'{kind[:80]}' is no kind of event: small letters, digits, '-' and '_', or \"\" to leave it out"
            findings.add(document, (*path, name), message)


def _path_mistakes(path: str) -> Iterator[str]:
    """Find what is wrong with a dotted path into a payload."""
    steps = path.split(".")
    if "" in steps:
        yield f"'{path[:80]}' is no path: names and places in lists between '.', none of them empty"
    if len(path) > MAX_PATH:
        yield f"a path is at most {MAX_PATH} characters long"
    for step in steps:
        if step.isdigit() and not is_place(step):
            yield f"'{step[:40]}' is no place in a list; write 0, 1, 2 …"
