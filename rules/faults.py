"""Faults: what an unforeseen error leaves out, and how it is kept to the one thing that it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

Told = TypeVar("Told")


class Fault(NamedTuple):
    """Something that could not be evaluated. `position` is the reading's place in the call, 0 for events and ticks."""

    position: int
    what: str


def apart(
    do: Callable[[int, int], list[Told]], start: int, stop: int, broken: Callable[[int, Exception], list[Told]]
) -> list[Told]:
    """Do something to the things from `start` to `stop`; on an error to the halves, down to the one that is at fault.

    `do` must bear being done again to what it was done to in part.
    """
    try:
        return do(start, stop)
    except Exception as error:  # whatever it is, it must not take the others with it
        if stop - start < 2:
            return broken(start, error)
    middle = (start + stop) // 2
    return apart(do, start, middle, broken) + apart(do, middle, stop, broken)
