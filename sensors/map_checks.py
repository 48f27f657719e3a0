"""Check what `site.yaml` says of the site's map."""

from __future__ import annotations

import re
from pathlib import Path as FilePath
from urllib.parse import urlsplit

from sensors.document import Document, Path
from sensors.drawings import PICTURES, geojson_trouble, picture_trouble
from sensors.findings import Findings
from sensors.site import SiteMap

MOST_ATTRIBUTION = 200
MOST_TILES = 300

_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\Z")
_TILES = re.compile(r"https?://[A-Za-z0-9.:-]+/[^\s;,'\"<>]*\Z")


def check_map(document: Document, found: SiteMap, folder: FilePath, findings: Findings) -> None:
    """Check a site's map; its file lies in `folder`."""
    if not found.file and not found.tiles:
        findings.add(document, ("map",), "a map needs a file, or tiles")
    if found.file:
        _check_file(document, found, folder, findings)
    if found.tiles:
        _check_tiles(document, found.tiles, findings)
    if len(found.attribution) > MOST_ATTRIBUTION:
        findings.add(document, ("map", "attribution"), f"must be at most {MOST_ATTRIBUTION} characters long")


def tile_origin(found: SiteMap | None) -> str:
    """Return the scheme and host of a map's tile server, empty where it has none."""
    if found is None or not found.tiles:
        return ""
    parts = urlsplit(found.tiles)
    return f"{parts.scheme}://{parts.netloc}"


def _check_file(document: Document, found: SiteMap, folder: FilePath, findings: Findings) -> None:
    where: Path = ("map", "file")
    ending = FilePath(found.file).suffix
    if not _FILE.match(found.file) or ending not in (".geojson", *PICTURES):
        endings = ", ".join((".geojson", *PICTURES))
        findings.add(document, where, f"'{found.file[:100]}' is no name of a file in the site's folder: {endings}")
        return
    path = folder / found.file
    if ending == ".geojson":
        if found.bounds is not None:
            findings.add(document, ("map", "bounds"), "bounds are for a picture; GeoJSON says itself where it lies")
        if trouble := geojson_trouble(path, found.file):
            findings.add(document, where, trouble)
        return
    if trouble := picture_trouble(path, found.file):
        findings.add(document, where, trouble)
    if found.bounds is None:
        findings.add(document, ("map",), "a picture needs bounds: [[south, west], [north, east]] in degrees")
        return
    for corner in found.bounds:
        findings.location(corner, document, ("map", "bounds"))
    (south, west), (north, east) = found.bounds
    if not (south < north and west < east):
        findings.add(document, ("map", "bounds"), "bounds are [[south, west], [north, east]], the lower corner first")


def _check_tiles(document: Document, tiles: str, findings: Findings) -> None:
    where: Path = ("map", "tiles")
    if len(tiles) > MOST_TILES or not _TILES.match(tiles) or not all(part in tiles for part in ("{z}", "{x}", "{y}")):
        message = (
            f"'{tiles[:100]}' is no address of tiles: write one as https://tiles.example.com/{{z}}/{{x}}/{{y}}.png"
        )
        findings.add(document, where, message)
