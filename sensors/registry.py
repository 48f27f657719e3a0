"""Load a site folder: read its files, check them against each other, give every point its index."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, TypeVar

import msgspec

from sensors.document import Document, DocumentError, Path, Problem, convert, read_document, suggest
from sensors.escalations import escalations
from sensors.expansion import Templates
from sensors.findings import Findings
from sensors.garbage import collector_resting
from sensors.gateways import gateways_of
from sensors.links import links_of
from sensors.map_checks import check_map
from sensors.plan_checks import check_plans, versioned
from sensors.relations import check_related
from sensors.roster import read_duties
from sensors.site import Area, Camera, Duty, Escalation, Flood, Link, Place, Point, ReportKind, Site, Skew, Text
from sensors.site_checks import check_camera, check_main, check_roster, check_units, deadlines, modes, report_kinds
from sensors.site_files import (
    AreaEntry,
    AreasFile,
    CameraEntry,
    HierarchyFile,
    PlansFile,
    RosterFile,
    SiteFile,
    TypesFile,
    UnitsFile,
    names,
)

FILES = ("site.yaml", "hierarchy.yaml", "types.yaml", "units.yaml", "roster.yaml")
NOTIFY = "notify.yaml"
SIGN_IN = "sign-in.yaml"
"""Whom the notifier tells: no part of the site, which is the same whoever is told."""

MAX_AREA_FILES = 2_000
MAX_CAMERAS = 200_000
MAX_INDEX = 2**32 - 2  # an index travels as u4 in a frame

T = TypeVar("T")


class SiteError(DocumentError):
    """Raised when a site folder cannot be used; `problems` holds every mistake found in it."""


def load_site(folder: FilePath | str, known: Mapping[str, int] | None = None) -> Site:
    """Load a site folder and give its points their indices; `known` holds those given out before (point id → index).

    Points of `known` keep their index, also under another id that says so by `renamed_from`; new ones follow its
    largest, in the order of the files; keep `indices(site, known)` for the next time. Raise `SiteError` with all
    mistakes, `ValueError` when `known` itself is wrong.
    """
    site, problems = _read_folder(folder)
    if site is None:
        raise SiteError(problems)
    return number(site, known or {})


def check_site(folder: FilePath | str) -> tuple[Site | None, list[Problem]]:
    """Read a site folder and list its mistakes; the site (points numbered from 0) is there when there are none."""
    site, problems = _read_folder(folder)
    return (number(site, {}) if site is not None else None), problems


def number(site: Site, known: Mapping[str, int]) -> Site:
    """Give every point its index: the known one, that of its former id, or the next after all ever given out."""
    taken = set(known.values())
    if len(taken) != len(known) or any(type(i) is not int or not 0 <= i <= MAX_INDEX for i in taken):
        raise ValueError("the point indices given out before are damaged: each must be a whole number, given once")
    following = max(taken, default=-1) + 1
    points = []
    for point in site.points:
        index = known.get(point.id)
        if index is None and point.renamed_from:
            index = next((known[name] for name in point.renamed_from if name in known), None)
        if index is None:
            index, following = following, following + 1
        points.append(msgspec.structs.replace(point, index=index))
    return msgspec.structs.replace(site, points=tuple(points))


def indices(site: Site, known: Mapping[str, int] | None = None) -> dict[str, int]:
    """List all indices ever given out, those of points that are gone included, to be passed as `known` next time.

    An index stands under the last id that it had.
    """
    now = {point.id: point.index for point in site.points}
    taken = set(now.values())
    return {**{id: index for id, index in (known or {}).items() if index not in taken}, **now}


def version(site: Site) -> str:
    """Hash a site's content (BLAKE2b, 20 hex digits), whatever the order and the files its parts were written in."""
    bare: dict[str, Any] = {name: getattr(site, name) for name in site.__struct_fields__ if name != "version"}
    bare["points"] = [point if point.index < 0 else msgspec.structs.replace(point, index=-1) for point in site.points]
    for name in ("fields", "area_types", "places", "areas", "points", "gateways", "cameras", "units", "plans"):
        bare[name] = sorted(bare[name], key=lambda part: str(part.id))
    bare["links"] = sorted(site.links, key=lambda link: (link.kind, link.areas))
    bare["quantities"] = sorted(site.quantities, key=lambda quantity: (quantity.id, quantity.type))
    return hashlib.blake2b(msgspec.msgpack.encode(bare, order="deterministic"), digest_size=10).hexdigest()


def counts(site: Site) -> dict[str, int]:
    """Count what a site holds."""
    kinds = [place.kind for place in site.places]
    return {
        "fields": len(site.fields),
        "area_types": len(site.area_types),
        "areas": len(site.areas),
        "districts": kinds.count("district"),
        "subdistricts": kinds.count("subdistrict"),
        "communities": kinds.count("community"),
        "points": len(site.points),
        "cameras": len(site.cameras),
        "units": len(site.units),
        "plans": len(site.plans),
    }


def _read_folder(folder: FilePath | str) -> tuple[Site | None, list[Problem]]:
    loading = _Loading(FilePath(folder))
    with collector_resting():
        site = loading.site()
    problems = loading.findings.problems
    return (None if problems else site), problems


class _Loading:
    """One reading of a site folder. A file that cannot be read leaves None, and what it would tell goes unchecked."""

    def __init__(self, folder: FilePath) -> None:
        self.folder = folder
        self.findings = Findings()
        self._viewer, self._blur_faces = "", False  # what the site says for all its cameras

    def site(self) -> Site | None:
        if not self.folder.is_dir():
            self.findings.extend([Problem(str(self.folder), 0, "", "there is no such site folder")])
            return None
        self._stray_files()
        main = self._read("site.yaml", SiteFile)
        if main:
            self._viewer, self._blur_faces = main[1].viewer, main[1].blur_faces
        hierarchy = self._read("hierarchy.yaml", HierarchyFile)
        types = self._read("types.yaml", TypesFile)
        units = self._read("units.yaml", UnitsFile)
        roster = self._read("roster.yaml", RosterFile)
        names = [f"areas/{path.name}" for path in sorted((self.folder / "areas").glob("*.yaml"))]
        if not names:
            self.findings.extend([Problem("areas", 0, "", "there is no areas/*.yaml")])
        if len(names) > MAX_AREA_FILES:
            self.findings.extend([Problem("areas", 0, "", f"a site holds at most {MAX_AREA_FILES:,} area files")])
        files = [self._read(name, AreasFile) for name in names[:MAX_AREA_FILES]]
        more_units = [self._read(f"units/{path.name}", UnitsFile) for path in self._others("units")]
        areas_files = [file for file in files if file is not None]
        plans = [self._read(f"plans/{path.name}", PlansFile) for path in self._others("plans")]

        places: dict[str, Place] | None = None
        if hierarchy:
            places = {}
            for id, place in self._places(*hierarchy):
                places.setdefault(id, place)  # the first of a repeated id stays: no place can come to lie in itself
        area_types = self._area_types(*hierarchy) if hierarchy else None
        entries: dict[str, tuple[Document, Path, AreaEntry]] = {
            entry.id: (document, ("areas", i), entry)
            for document, file in reversed(areas_files)
            for i, entry in enumerate(file.areas)
        }
        known_areas = entries if len(areas_files) == len(files) else None
        areas = [area for file in areas_files for area in self._areas(*file, places, area_types)]
        links: tuple[Link, ...] = ()
        if hierarchy:
            groups = {area.id: area.group for area in areas}
            links = links_of(*hierarchy, None if known_areas is None else groups, self.findings)
        if types:
            self._known_types(*types, area_types)
        templates = Templates(*types, self.findings) if types else None
        points = self._points(areas_files, templates, entries, known_areas)
        gateways = gateways_of(areas_files, points, known_areas, templates is not None, self.findings)
        cameras = [camera for file in areas_files for camera in self._cameras(*file, entries, known_areas)]
        if len(cameras) > MAX_CAMERAS:
            self.findings.extend([Problem("areas", 0, "", f"a site holds at most {MAX_CAMERAS:,} cameras")])
        self.findings.check_former()
        shifts = {shift.id for shift in roster[1].shifts} if roster else None
        for one in (units, *more_units):
            if one:
                check_units(*one, places, area_types, shifts, self.findings)
        if roster:
            check_roster(*roster, places, self.findings)
        duties: tuple[Duty, ...] = ()
        if roster and main:
            duties = read_duties(*roster, self.folder, main[1].zone, self.findings)
        for written in plans:
            if written:
                check_plans(*written, self.folder / "plans", known_areas, area_types, self.findings)
        legs = None
        chains: tuple[Escalation, ...] = ()
        told: tuple[ReportKind, ...] = ()
        if main:
            check_main(*main, None if known_areas is None else {camera.id for camera in cameras}, self.findings)
            if main[1].map is not None:
                check_map(main[0], main[1].map, self.folder, self.findings)
            legs = deadlines(main[0], main[1].deadlines, self.findings)
            sent = None
            if units and all(more_units):
                sent = {unit.id for one in (units, *more_units) if one for unit in one[1].units}
            chains = escalations(main[0], main[1].escalation, area_types, sent, self.findings)
            told = report_kinds(main[0], main[1].reports, sent, self.findings)
        if self.findings.problems or not (main and hierarchy and units and roster and places and legs):
            return None

        limits = main[1].limits
        duration, at = self.findings.duration, main[0]
        site = Site(
            id=main[1].id,
            name=main[1].name,
            zone=main[1].zone,
            language=main[1].language,
            partitions=main[1].partitions,
            console=main[1].console,
            maintenance=main[1].maintenance,
            holidays=main[1].holidays,
            approval=main[1].approval,
            disposition=main[1].disposition,
            modes=modes(main[0], main[1].modes, self.findings),
            reports=told,
            late_after=duration(limits.late_after, at, ("limits", "late_after")),
            accept_age=duration(limits.accept_age, at, ("limits", "accept_age")),
            accept_ahead=duration(limits.accept_ahead, at, ("limits", "accept_ahead")),
            shelve_longest=duration(limits.shelve_longest, at, ("limits", "shelve_longest")),
            skew=Skew(
                correct=limits.skew.correct,
                tolerance=duration(limits.skew.tolerance, at, ("limits", "skew", "tolerance")),
                most=duration(limits.skew.most, at, ("limits", "skew", "most")),
            ),
            flood=Flood(least=limits.flood.least, times=limits.flood.times),
            fields=hierarchy[1].fields,
            area_types=hierarchy[1].area_types,
            places=tuple(places.values()),
            areas=tuple(areas),
            links=links,
            points=tuple(points),
            gateways=gateways,
            quantities=tuple(templates.quantities()) if templates else (),
            cameras=tuple(cameras),
            units=tuple(unit for one in (units, *more_units) if one for unit in one[1].units),
            seats=roster[1].seats,
            shifts=roster[1].shifts,
            duties=duties,
            plans=tuple(versioned(plan) for file in plans if file for plan in file[1].plans),
            signals=main[1].signals,
            deadlines=legs,
            escalation=chains,
            map=main[1].map,
        )
        return msgspec.structs.replace(site, version=version(site))

    def _read(self, name: str, type: type[T]) -> tuple[Document, T] | None:
        try:
            document = read_document(self.folder / name, name=name)
            return document, convert(document, type)
        except DocumentError as error:
            self.findings.extend(error.problems)
            return None

    def _stray_files(self) -> None:
        """A file under a wrong name would be left out silently: say so."""
        for path in sorted(self.folder.iterdir()):
            if path.suffix in (".yaml", ".yml") and path.name not in (*FILES, NOTIFY, SIGN_IN):
                hint = suggest(path.name, FILES) or f"; a site's files are {', '.join(FILES)} and areas/*.yaml"
                self.findings.extend([Problem(path.name, 0, "", f"this file is not read{hint}")])
        for path in sorted(
            [
                *(self.folder / "areas").glob("*.yml"),
                *(self.folder / "units").glob("*.yml"),
                *(self.folder / "plans").glob("*.yml"),
            ]
        ):
            name = f"{path.parent.name}/{path.name}"
            self.findings.extend([Problem(name, 0, "", "this file is not read; name it .yaml")])

    def _others(self, folder: str) -> list[FilePath]:
        """List the further files of one kind that a site has."""
        found = sorted((self.folder / folder).glob("*.yaml"))
        if len(found) > MAX_AREA_FILES:
            self.findings.extend([Problem(folder, 0, "", f"a site holds at most {MAX_AREA_FILES:,} files of {folder}")])
        return found[:MAX_AREA_FILES]

    def _places(self, document: Document, file: HierarchyFile) -> Iterator[tuple[str, Place]]:
        kinds: tuple[Any, ...] = ("district", "subdistrict", "community", "compound", "building")
        keys = ("districts", "subdistricts", "communities", "compounds", "buildings")

        def walk(entries: Any, depth: int, parent: str | None, path: Path) -> Iterator[tuple[str, Place]]:
            for i, entry in enumerate(entries):
                where = (*path, keys[depth], i)
                self.findings.id("place", entry.id, document, (*where, "id"))
                yield entry.id, Place(id=entry.id, kind=kinds[depth], name=entry.name, parent=parent)
                if depth + 1 < len(keys):
                    yield from walk(getattr(entry, keys[depth + 1], ()), depth + 1, entry.id, where)

        yield from walk(file.districts, 0, None, ())

    def _area_types(self, document: Document, file: HierarchyFile) -> set[str]:
        fields = {field.id for field in file.fields}
        for i, field in enumerate(file.fields):
            self.findings.id("field", field.id, document, ("fields", i, "id"))
        for i, kind in enumerate(file.area_types):
            self.findings.id("area type", kind.id, document, ("area_types", i, "id"))
            self.findings.reference("field", kind.field, fields, document, ("area_types", i, "field"))
            self.findings.level(kind.levels_dispatch, document, ("area_types", i, "levels_dispatch"))
            if kind.alarms_per_day is not None and not 0.0001 <= kind.alarms_per_day <= 24.0:
                message = f"alarms_per_day must be 0.0001 to 24 of each point, not {kind.alarms_per_day:g}"
                self.findings.add(document, ("area_types", i, "alarms_per_day"), message)
        return {kind.id for kind in file.area_types}

    def _known_types(self, document: Document, file: TypesFile, area_types: set[str] | None) -> None:
        for kind in file.area_types:
            self.findings.reference("area type", kind, area_types, document, ("area_types", kind))

    def _areas(
        self, document: Document, file: AreasFile, places: dict[str, Place] | None, area_types: set[str] | None
    ) -> Iterator[Area]:
        for i, entry in enumerate(file.areas):
            path: Path = ("areas", i)
            self.findings.id("area", entry.id, document, (*path, "id"))
            self.findings.former("area", entry.id, names(entry.renamed_from), document, path)
            self.findings.reference("area type", entry.type, area_types, document, (*path, "type"))
            self.findings.location(entry.location, document, (*path, "location"))
            group = entry.group
            if group:
                self.findings.id(f"group of area {entry.id}", group, document, (*path, "group"))
            if self.findings.reference("place", entry.place, places, document, (*path, "place")) and places:
                place: Place | None = places[entry.place]
                if place and place.kind in ("district", "subdistrict"):
                    message = f"'{entry.place}' is a {place.kind}; an area lies in a community, compound or building"
                    self.findings.add(document, (*path, "place"), message)
                while place and place.kind != "subdistrict":
                    place = places.get(place.parent) if place.parent else None
                group = group or (place.id if place else entry.id)
            yield Area(
                id=entry.id,
                name=entry.name,
                type=entry.type,
                place=entry.place,
                group=group,
                location=entry.location,
                tags=entry.tags,
                renamed_from=names(entry.renamed_from),
            )

    def _points(
        self,
        files: list[tuple[Document, AreasFile]],
        templates: Templates | None,
        entries: dict[str, tuple[Document, Path, AreaEntry]],
        known_areas: Mapping[str, object] | None,
    ) -> list[Point]:
        points: list[Point] = []
        for document, file in files:
            for i, entry in enumerate(file.areas):
                if templates:
                    for point in templates.points_of(entry, document, ("areas", i)):
                        where: Path = ("areas", i, "points", point.quantity)
                        self.findings.id("point", point.id, document, where)
                        points.append(point)
            for i, alone in enumerate(file.points):
                path: Path = ("points", i)
                self.findings.id("point", alone.id, document, (*path, "id"))
                self._watched(alone.areas, known_areas, document, path)
                home = entries.get(alone.areas[0]) if alone.areas else None
                made = templates.point(alone, home[2] if home else None, document, path) if templates else None
                if made:
                    points.append(made)
        if templates:
            known = points if known_areas is not None else None
            check_related(templates.related, known, self.findings)
        return points

    def _watched(
        self, areas: tuple[str, ...], known: Mapping[str, object] | None, document: Document, path: Path
    ) -> None:
        if not areas:
            self.findings.add(document, (*path, "areas"), "name at least one area that it serves")
        seen: set[str] = set()
        for place, area in enumerate(areas):
            self.findings.reference("area", area, known, document, (*path, "areas", place))
            if area in seen:
                self.findings.add(document, (*path, "areas", place), f"area '{area}' is named twice")
            seen.add(area)

    def _cameras(
        self,
        document: Document,
        file: AreasFile,
        entries: dict[str, tuple[Document, Path, AreaEntry]],
        known_areas: Mapping[str, object] | None,
    ) -> Iterator[Camera]:
        for i, area in enumerate(file.areas):
            path: Path = ("areas", i, "cameras")
            written = area.cameras
            if isinstance(written, int):
                if not 0 <= written <= MAX_CAMERAS:
                    self.findings.add(document, path, f"a count must be 0 to {MAX_CAMERAS:,}, not {written}")
                    continue
                written = (CameraEntry(),) * written
                paths = [path] * len(written)
            else:
                paths = [(*path, n) for n in range(len(written))]
            for n, (camera, where) in enumerate(zip(written, paths, strict=True), 1):
                id = camera.id if camera.id is not None else f"{area.id}-cam-{n}"
                name = camera.name or Text(zh=f"{area.name.zh} 摄像机 {n}", en=f"{area.name.en}: camera {n}")
                former = names(camera.renamed_from)
                if camera.id is None:  # named after its area, so it was renamed with it
                    former = (*former, *(f"{old}-cam-{n}" for old in names(area.renamed_from)))
                areas = (area.id, *camera.areas)
                yield self._camera(camera, id, name, areas, former, area.location, document, where, known_areas)
        for i, alone in enumerate(file.cameras):
            home = entries.get(alone.areas[0]) if alone.areas else None
            name = alone.name or Text(zh=alone.id, en=alone.id)
            near = home[2].location if home else None
            former = names(alone.renamed_from)
            where = ("cameras", i)
            yield self._camera(alone, alone.id, name, alone.areas, former, near, document, where, known_areas)

    def _camera(
        self,
        camera: CameraEntry,
        id: str,
        name: Text,
        areas: tuple[str, ...],
        former: tuple[str, ...],
        near: tuple[float, float] | None,
        document: Document,
        where: Path,
        known_areas: Mapping[str, object] | None,
    ) -> Camera:
        source = camera.source or id
        if self.findings.id("camera", id, document, (*where, "id")):
            self.findings.unique("camera source", source, document, (*where, "source"))
        if any(character in source for character in "/+#"):
            message = f"'{source}' cannot be a level of a topic: leave out '/', '+' and '#'"
            self.findings.add(document, (*where, "source"), message)
        for name_elsewhere in camera.sources:
            self.findings.source("camera", name_elsewhere, document, (*where, "sources"))
        self.findings.former("camera", id, former, document, where)
        self.findings.location(camera.location, document, (*where, "location"))
        check_camera(document, camera, where, self.findings)
        self._watched(areas, known_areas, document, where)
        return Camera(
            id=id,
            name=name,
            areas=areas,
            view=camera.view,
            stream=camera.stream,
            snapshot=camera.snapshot,
            timeout=camera.timeout,
            source=camera.source,
            sources=camera.sources,
            location=camera.location or near,
            tags=camera.tags,
            supplier=camera.supplier,
            viewer=self._viewer if camera.viewer is None else camera.viewer,
            blur_faces=self._blur_faces if camera.blur_faces is None else camera.blur_faces,
            health=camera.health,
            renamed_from=former,
        )
