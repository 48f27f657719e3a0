"""The publications of a data folder: the newest ones whole, so that one of them can be put in force again."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import msgspec

from streams.durable import replace

FOLDER = "publications"
MOST = 50
"""Publications kept; a large district's takes a megabyte."""

_VERSION = re.compile(r"[0-9a-f]{12}\Z")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One publication: who proposed it, when (unix seconds) and why. `site` is the version of the site in it."""

    version: str
    time: float
    author: str
    reason: str = ""
    site: str = ""
    difference: tuple[str, ...] = ()  # from the one before, in lines


def keep(data: Path, kept: Kept, packed: bytes) -> None:
    """Put a publication on the shelf; the oldest go beyond `MOST`."""
    folder = data / FOLDER
    folder.mkdir(exist_ok=True)
    replace(folder / f"{kept.version}.bundle", packed)
    replace(folder / f"{kept.version}.json", msgspec.json.encode(kept))
    for old in listed(data)[MOST:]:
        for ending in ("bundle", "json"):
            (folder / f"{old.version}.{ending}").unlink(missing_ok=True)


def has(data: Path, version: str) -> bool:
    """Tell whether a publication is on the shelf."""
    return (data / FOLDER / f"{version}.json").exists()


def listed(data: Path) -> list[Kept]:
    """List what is on the shelf, the latest first."""
    found = []
    for file in (data / FOLDER).glob("*.json"):
        with contextlib.suppress(OSError, msgspec.DecodeError):  # one that is damaged cannot be put in force either
            found.append(msgspec.json.decode(file.read_bytes(), type=Kept))
    return sorted(found, key=lambda kept: (-kept.time, kept.version))


def take(data: Path, version: str) -> bytes | None:
    """Read a publication's bundle; None when it is not there. A beginning of its version will do if only one has it."""
    names = [kept.version for kept in listed(data) if kept.version.startswith(version)] if version else []
    if len(names) != 1 or not _VERSION.match(names[0]):
        return None
    try:
        return (data / FOLDER / f"{names[0]}.bundle").read_bytes()
    except FileNotFoundError:
        return None
