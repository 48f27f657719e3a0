"""Whether a log's file may be run on: one that is being filled may not yet, one that has moved elsewhere no longer."""

from __future__ import annotations

from pathlib import Path

import msgspec

from streams.durable import flush, replace
from streams.embedded.schema import LogError

ARRIVING, LEAVING, MOVED = "arriving", "leaving", "moved"
SUFFIX = ".moved"


class Mark(msgspec.Struct, frozen=True):
    """What a log is in, and where it goes."""

    state: str
    to: str


class LogMovedError(LogError):
    """Say that a log is no longer, or not yet, where its site runs."""


def said(state: str, to: str) -> str:
    """Say in a sentence why a log may not be run on."""
    if state == ARRIVING:
        return "a site is being moved here and not all of it has come: call `foreshock migrate` again"
    if state == LEAVING:
        return f"its site is being moved to {to}: call `foreshock migrate` again, or take it back with --give-up"
    return f"its site was moved to {to} and runs there; what is here is what it was before"


def mark(path: Path, state: str, to: str) -> None:
    """Mark a log's file. Raise `OSError`."""
    replace(_file(path), msgspec.json.encode(Mark(state, to)))
    flush(path.parent)


def unmark(path: Path) -> None:
    """Have a log's file be run on again."""
    _file(path).unlink(missing_ok=True)
    flush(path.parent)


def marked(path: Path) -> Mark | None:
    """Read the mark of a log's file; None where it may be run on."""
    try:
        return msgspec.json.decode(_file(path).read_bytes(), type=Mark)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError:
        return Mark(LEAVING, "?")  # whatever it was, somebody is at it


def require(path: Path) -> None:
    """Raise `LogMovedError` where a log's file may not be run on."""
    if (found := marked(path)) is not None:
        raise LogMovedError(f"{path}: {said(found.state, found.to)}")


def _file(path: Path) -> Path:
    return path.with_name(path.name + SUFFIX)
