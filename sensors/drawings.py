"""The files that are drawn on a map: GeoJSON, or a picture with its corners."""

from __future__ import annotations

from pathlib import Path

import msgspec

MOST_GEOJSON = 2 * 1024 * 1024  # bytes
MOST_PICTURE = 10 * 1024 * 1024  # bytes

PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
"""Endings of pictures, and what they are served as. SVG is none: it may carry scripts."""

_HEADS = {"image/png": (b"\x89PNG\r\n\x1a\n",), "image/jpeg": (b"\xff\xd8\xff",), "image/webp": (b"RIFF",)}


def geojson_trouble(path: Path, name: str) -> str:
    """Say what is wrong with a file of GeoJSON, which is called `name` in the site's folder; empty when nothing is."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_GEOJSON + 1)
        if len(content) > MOST_GEOJSON:
            return f"{name} is larger than {MOST_GEOJSON:,} bytes"
        found = msgspec.json.decode(content)
    except OSError:
        return f"there is no file {name}"
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return f"{name} is not JSON"
    kinds = ("FeatureCollection", "Feature")
    if not isinstance(found, dict) or found.get("type") not in kinds:
        return f"{name} is no GeoJSON: its type must be {' or '.join(kinds)}"
    return ""


def picture_trouble(path: Path, name: str) -> str:
    """Say what is wrong with a picture; empty when nothing is."""
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
        size = path.stat().st_size
    except OSError:
        return f"there is no file {name}"
    if size > MOST_PICTURE:
        return f"{name} is larger than {MOST_PICTURE:,} bytes"
    if not head.startswith(_HEADS[PICTURES[path.suffix]]):
        return f"{name} is no picture of the kind that its name says"
    return ""
