"""A folder of backups: how they are named by their time, which there are, and which are too many."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from streams.backup import PLAIN, SEALED

NAME = "foreshock-"
_SHAPE = "%Y%m%dT%H%M%SZ"


class Kept(msgspec.Struct, frozen=True):
    """One backup in a folder: its file's name, when it was taken (unix seconds), its bytes, whether it is encrypted."""

    file: str
    time: float
    bytes: int
    encrypted: bool


def new_name(recipients: Sequence[str], now: float) -> str:
    """Name a backup that is taken now."""
    return f"{NAME}{time.strftime(_SHAPE, time.gmtime(now))}{SEALED if recipients else PLAIN}"


def listed(folder: Path) -> list[Kept]:
    """List the backups of a folder, the latest first; other files are left alone."""
    found = []
    for path in folder.glob(f"{NAME}*Z.tar.gz*"):
        if not path.name.endswith((PLAIN, SEALED)) or path.is_symlink() or not path.is_file():
            continue
        try:
            taken = datetime.strptime(path.name[len(NAME) :].partition(".")[0], _SHAPE).replace(tzinfo=UTC)
        except ValueError:
            continue
        found.append(Kept(path.name, taken.timestamp(), path.stat().st_size, path.name.endswith(SEALED)))
    return sorted(found, key=lambda one: -one.time)


def prune(folder: Path, keep: int) -> int:
    """Remove all but the latest so many (at least one); return how many went."""
    old = listed(folder)[max(keep, 1) :]
    for one in old:
        (folder / one.file).unlink(missing_ok=True)
    return len(old)
