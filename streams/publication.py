"""Resolve a site folder into the bundle that a run publishes, and keep the points' indices for ever."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from streams import bundle
from streams.bundle import Bundle

FILE = "site.bundle"
INDICES = "points.json"


class _Resolved(msgspec.Struct, frozen=True, array_like=True):
    """The file that children read: what it was made from, and the packed bundle."""

    source: str
    packed: bytes


class IndicesError(RuntimeError):
    """Raised when the points' indices are lost: with others, the log's readings would be other points'."""


def resolve(folder: Path, data: Path, console: str = "") -> Bundle:
    """Load and check a site with its rules, assign indices, and write the bundle into the data folder.

    An unchanged site is taken from the last resolution. `console` is where the console is served, for a site that does
    not say. Raise `sensors.document.DocumentError` with every problem, `IndicesError` when the indices are lost.
    """
    from rules.rule import load_rules  # here: processes that only read what was resolved need not load so much
    from sensors.registry import load_site

    source = _fingerprint(folder) + console
    last = _last(data)
    known = _known(data, last)
    if last is not None and last.source == source and (data / INDICES).exists():
        return bundle.unpack(last.packed)
    indices = data / INDICES
    site = load_site(folder, known)
    if not site.console:
        site = msgspec.structs.replace(site, console=console)
    content = Bundle(site=site, rules=load_rules(folder / "rules", site))
    known.update({point.id: point.index for point in site.points})
    _write(indices, msgspec.json.format(msgspec.json.encode(known), indent=0))
    write(data, bundle.pack(content), source)
    return content


def _known(data: Path, last: _Resolved | None) -> dict[str, int]:
    """Read the indices given out before: from their file, else from the last resolution."""
    try:
        return msgspec.json.decode((data / INDICES).read_bytes(), type=dict[str, int])
    except FileNotFoundError:
        pass
    except msgspec.DecodeError as error:
        raise IndicesError(
            f"{data / INDICES} is damaged ({error}): restore it from a backup; without it the log's readings would "
            "be taken for other points'"
        ) from error
    if last is not None:
        return {point.id: point.index for point in bundle.unpack(last.packed).site.points}
    if (data / "journal.sqlite").exists():
        raise IndicesError(
            f"{data / INDICES} is missing beside a journal: restore it from a backup, "
            "or choose another folder with --data"
        )
    return {}


def write(data: Path, packed: bytes, source: str = "") -> None:
    """Write a packed bundle as the data folder's resolution; `source` names what it was made from."""
    _write(data / FILE, msgspec.msgpack.encode(_Resolved(source, packed)))


def read(data: Path) -> bytes:
    """Read the packed bundle of the last resolution. Raise FileNotFoundError when there is none."""
    return msgspec.msgpack.decode((data / FILE).read_bytes(), type=_Resolved).packed


def _last(data: Path) -> _Resolved | None:
    try:
        return msgspec.msgpack.decode((data / FILE).read_bytes(), type=_Resolved)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _fingerprint(folder: Path) -> str:
    """Hash the site's files, and the code that reads them, by name and content."""
    digest = hashlib.blake2b(digest_size=16)
    code = Path(__file__).resolve().parent.parent
    for source in (*sorted((code / "sensors").glob("*.py")), *sorted((code / "rules").glob("*.py"))):
        digest.update(f"{source.name}\0{source.stat().st_mtime_ns}\0".encode())
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix in (".yaml", ".yml"):
            digest.update(f"{file.relative_to(folder)}\0".encode())
            digest.update(file.read_bytes())
            digest.update(b"\0")
    return digest.hexdigest()


def _write(file: Path, content: bytes) -> None:
    """Replace a file in one step, flushed to the disk."""
    fresh = file.with_suffix(file.suffix + ".new")
    with fresh.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
