"""The publications of a data folder: the newest ones whole, so that one of them can be put in force again."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from streams.durable import replace

FOLDER = "publications"
MOST = 50
"""Entries kept; a large district's publication takes a megabyte."""

_VERSION = re.compile(r"[0-9a-f]{12}\Z")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One publication that was put in force: who proposed it, when (unix seconds) and why.

    `site` is the version of the site in it.
    """

    version: str
    time: float
    author: str
    reason: str = ""
    site: str = ""
    difference: tuple[str, ...] = ()  # from the one before, in lines


def keep(data: Path, kept: Kept, packed: bytes) -> None:
    """Put a publication on the shelf; one that was in force before has an entry for each time. The oldest go."""
    folder = data / FOLDER
    folder.mkdir(exist_ok=True)
    replace(folder / f"{kept.version}.bundle", packed)
    replace(folder / f"{kept.version}-{round(1000.0 * kept.time)}.json", msgspec.json.encode(kept))
    entries = _entries(data)
    for _, file in entries[MOST:]:
        file.unlink(missing_ok=True)
    for version in {old.version for old, _ in entries[MOST:]} - {one.version for one, _ in entries[:MOST]}:
        (folder / f"{version}.bundle").unlink(missing_ok=True)


def has(data: Path, version: str) -> bool:
    """Tell whether a publication is on the shelf."""
    return any((data / FOLDER).glob(f"{version}*.json"))


def listed(data: Path) -> list[Kept]:
    """List what was put in force, the latest first: a publication as often as it was."""
    return [kept for kept, _ in _entries(data)]


def latest(kept: Iterable[Kept], version: str) -> Kept | None:
    """Return the entry of the last time that a publication was put in force; None when it is not on the shelf."""
    return max((one for one in kept if one.version == version), key=lambda one: one.time, default=None)


def before(kept: Sequence[Kept], version: str) -> str:
    """Name the version to go back to from one in force, of entries as `listed` has them; empty where there is none.

    What came back ended all that was put in force since it was there first: what was gone back from is not gone
    forward to by going back once more, or by two people who go back at once.
    """
    place = next((place for place, one in enumerate(kept) if one.version == version), None)
    stack: list[str] = []
    for one in reversed(kept[place or 0 :]):
        if one.version in stack:
            del stack[stack.index(one.version) :]
        stack.append(one.version)
    if place is not None:
        stack.pop()
    return stack[-1] if stack else ""


def _entries(data: Path) -> list[tuple[Kept, Path]]:
    """Read the entries with their files, the latest first."""
    found = []
    for file in (data / FOLDER).glob("*.json"):
        with contextlib.suppress(OSError, msgspec.DecodeError):  # one that is damaged cannot be put in force either
            found.append((msgspec.json.decode(file.read_bytes(), type=Kept), file))
    return sorted(found, key=lambda entry: (-entry[0].time, entry[0].version, entry[1].name))


def take(data: Path, version: str) -> bytes | None:
    """Read a publication's bundle; None when it is not there. A beginning of its version will do if only one has it."""
    names = {kept.version for kept in listed(data) if kept.version.startswith(version)} if version else set()
    if len(names) != 1 or not _VERSION.match(name := names.pop()):
        return None
    try:
        return (data / FOLDER / f"{name}.bundle").read_bytes()
    except FileNotFoundError:
        return None
