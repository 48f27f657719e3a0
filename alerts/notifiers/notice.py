"""What is told to the world, and how telling it can fail: shared by all kinds of target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

from sensors.site import LEVELS

Kind = Literal["dispatch", "area", "digest", "test", "report", "heartbeat"]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell. `id` is deterministic: who gets it twice can drop the repeat."""

    id: str
    kind: Kind  # payload: a CloudEvent | the area's summary | {"items": [...]} of a digest | a CloudEvent
    area: str
    unit: str
    simulated: bool
    time: float
    payload: dict[str, Any]
    file: bytes = b""  # a PDF that goes along, to those who can take one
    name: str = ""  # what it is called

    @property
    def data(self) -> dict[str, Any]:
        """The data of its CloudEvent, empty where it is none."""
        found = self.payload.get("data")
        return found if isinstance(found, dict) else {}

    @property
    def level(self) -> str:
        """The level that it is of; what says none must not wait, so it counts as red."""
        found = self.data.get("level")
        return found if isinstance(found, str) and found in LEVELS else LEVELS[-1]

    @property
    def edge(self) -> str:
        """What has happened: issued, recalled, overdue, undispatched, …; empty where nothing says so."""
        return "recalled" if self.data.get("recalled") else str(self.data.get("edge", ""))


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
