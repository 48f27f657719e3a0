"""Read the gateways of a site, and check that points name none that there is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sensors.document import Document, Path, suggest
from sensors.findings import Findings
from sensors.site import Gateway, Point
from sensors.site_files import AreasFile, GatewayEntry

MAX_GATEWAYS = 20_000
SHORTEST, LONGEST = 10.0, 31 * 86400.0
"""Seconds that its points may be silent before a gateway counts as gone."""


def gateways_of(
    files: Sequence[tuple[Document, AreasFile]],
    points: Sequence[Point],
    areas: Mapping[str, object] | None,
    whole: bool,
    findings: Findings,
) -> tuple[Gateway, ...]:
    """Return the gateways, and note what is wrong with them; `whole` says that all points could be read."""
    written = [(document, i, entry) for document, file in files for i, entry in enumerate(file.gateways)]
    if len(written) > MAX_GATEWAYS:
        findings.add(written[0][0], ("gateways",), f"a site holds at most {MAX_GATEWAYS:,} gateways")
        return ()
    found = tuple(_gateway(entry, document, ("gateways", i), areas, findings) for document, i, entry in written)
    known = {gateway.id for gateway in found}
    if areas is None:  # a file could not be read: it may hold the gateway that a point names
        return found
    missing: dict[str, str] = {}
    for point in points:
        if point.gateway and point.gateway not in known:
            missing.setdefault(point.gateway, point.id)
    for name, point_id in missing.items():
        document, path = _where(files, name)
        findings.add(
            document,
            path,
            f"point '{point_id}' names the gateway '{name[:64]}', which there is not{suggest(name, known)}",
        )
    if whole:
        used = {point.gateway for point in points}
        for document, i, entry in written:
            if entry.id not in used:
                findings.add(document, ("gateways", i, "id"), f"no point names the gateway '{entry.id}'")
    return found


def _gateway(
    entry: GatewayEntry, document: Document, path: Path, areas: Mapping[str, object] | None, findings: Findings
) -> Gateway:
    findings.id("gateway", entry.id, document, (*path, "id"))
    if entry.area:
        findings.reference("area", entry.area, areas, document, (*path, "area"))
    for source in entry.sources:
        findings.source("gateway", source, document, (*path, "sources"))
    after = None
    if entry.silent_after is not None:
        after = findings.duration(entry.silent_after, document, (*path, "silent_after"))
        if not SHORTEST <= after <= LONGEST:
            findings.add(document, (*path, "silent_after"), "a gateway is gone after 10 s to 31 d of silence")
    return Gateway(id=entry.id, name=entry.name, area=entry.area, sources=entry.sources, silent_after=after)


def _where(files: Sequence[tuple[Document, AreasFile]], name: str) -> tuple[Document, Path]:
    """Find where a gateway is named; the first file where that is in a template."""
    for document, file in files:
        for kind, entries in (("areas", file.areas), ("points", file.points)):
            for i, entry in enumerate(entries):
                if getattr(entry, "gateway", "") == name:
                    return document, (kind, i, "gateway")
                for quantity, group in getattr(entry, "points", {}).items():
                    if getattr(group, "gateway", "") == name:
                        return document, (kind, i, "points", quantity, "gateway")
    return files[0][0], ()
