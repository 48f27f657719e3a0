"""Copying the files of a data folder that are no database of their own kind: pictures, photos, publications, keys."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from streams.backup import contents
from streams.durable import flush
from streams.embedded import settled
from streams.migration.report import REPORTS, Files, MigrationError
from streams.migration.state import FILE

APART = ("log.sqlite", "journal.sqlite", "accounts.sqlite", "outbox.sqlite")
"""Databases that are copied by their rows."""

_BLOCK = 1 << 20

Told = Callable[[str], None]


def listed(data: Path) -> tuple[list[Path], list[Path]]:
    """List a data folder's databases and its other files that are to be copied, by their names in it."""
    databases, files = contents(data)
    names = [path.relative_to(data) for path in files]
    return (
        [path.relative_to(data) for path in databases if path.name not in APART or path.parent != data],
        [name for name in names if name.name != FILE and name.parts[0] != REPORTS and name.suffix != settled.SUFFIX],
    )


def copy(source: Path, target: Path, told: Told = lambda _: None) -> None:
    """Copy what the target lacks, or has otherwise by size or time. Raise `OSError`, `sqlite3.Error`."""
    databases, files = listed(source)
    for name in files:
        mine, other = source / name, target / name
        try:
            if _looks_same(mine, other):
                continue
            other.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = other.with_name(f".{other.name}.arriving")
            shutil.copy2(mine, fresh)
            flush(fresh)
            fresh.replace(other)
        except FileNotFoundError:
            if mine.exists():
                raise
            continue  # retention has taken it meanwhile
        told(str(name))
    for name in databases:
        other = target / name
        other.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(_readonly(source / name)) as held, closing(sqlite3.connect(other)) as made:
            held.backup(made)
        told(str(name))


def compare(source: Path, target: Path) -> Files:
    """Compare all files. Raise `MigrationError` with the first that differs."""
    _, names = listed(source)
    total, hashes = 0, (hashlib.sha256(), hashlib.sha256())
    for name in names:
        digests = []
        for folder, whole in zip((source, target), hashes, strict=True):
            try:
                with (folder / name).open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").digest()
            except FileNotFoundError:
                digest = b""
            digests.append(digest)
            whole.update(str(name).encode() + b"\0" + digest)
        if digests[0] != digests[1]:
            raise MigrationError(
                f"{name} is not in {target} as it is in {source}", f"{target} 中的 {name} 与 {source} 中的不一致"
            )
        total += (source / name).stat().st_size
    return Files(len(names), total, *(one.hexdigest() for one in hashes))


def _looks_same(mine: Path, other: Path) -> bool:
    try:
        one, two = mine.stat(), other.stat()
    except FileNotFoundError:
        return False
    return (one.st_size, one.st_mtime_ns) == (two.st_size, two.st_mtime_ns)


def _readonly(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True, timeout=10.0)


def require_private(folder: Path) -> None:
    """Make a folder that only its owner reads."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
