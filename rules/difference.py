"""How an alarm differs under other rules: one word for each outcome and one tolerance, live and in replays."""

from __future__ import annotations

from typing import Any, Literal, get_args

What = Literal["gained", "lost", "earlier", "later", "level"]
WHATS: tuple[What, ...] = get_args(What)
How = Literal[What, "same"]
HOWS: tuple[How, ...] = (*WHATS, "same")

SAME = 1.0
"""Seconds by which the same alarm may be earlier or later without being said to be: the clock ticks once a second."""


def differs(before: tuple[float, Any] | None, after: tuple[float, Any] | None) -> tuple[tuple[What, ...], float | None]:
    """Judge an alarm by when it began (seconds) and its highest level on both sides; None: it is not there.

    Return `gained` or `lost`, else any of `earlier` or `later` and `level`, none where it is the same; and by how many
    seconds it is later. At least one side is there.
    """
    if before is None:
        return ("gained",), None
    if after is None:
        return ("lost",), None
    what: list[What] = []
    shift = after[0] - before[0]
    if abs(shift) > SAME:
        what.append("earlier" if shift < 0 else "later")
    if before[1] != after[1]:
        what.append("level")
    return tuple(what), shift
