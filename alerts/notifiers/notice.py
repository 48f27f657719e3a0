"""What is told to the world, and how telling it can fail: shared by all kinds of target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell. `id` is deterministic: who gets it twice can drop the repeat."""

    id: str
    kind: Literal["dispatch", "area"]  # payload: a CloudEvent | the area's summary
    area: str
    unit: str
    simulated: bool
    time: float
    payload: dict[str, Any]


class Unavailable(Exception):
    """The target cannot be reached at all: nothing of it is tried until it can."""


class Failed(Exception):
    """This notice was not taken: it is tried again later. `after` is what the target asked for, in seconds."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Rejected(Exception):
    """This notice will never be taken: it goes to the dead letters at once."""


class Sender(Protocol):
    """Deliver notices to one target. Every module of this package has one."""

    retained: bool
    """Whether the target forgets, so that on `stale` all areas are told again."""

    areas: Sequence[str]
    """Areas that are told of then even if they never had an alarm."""

    async def open(self) -> None:
        """Get ready; return at once even when the target cannot be reached yet."""

    async def send(self, notice: Notice) -> None:
        """Deliver one notice. Raise `Unavailable`, `Failed` or `Rejected`."""

    async def close(self) -> None:
        """Let go of the target."""

    def wants(self, kind: str, simulated: bool) -> bool:
        """Tell whether a notice is for this target."""

    def take_stale(self) -> bool:
        """Tell, once, whether the target may have forgotten what it retained."""
