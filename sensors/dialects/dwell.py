"""Dwell: how long tracked objects have been in zones, told from the events of others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sensors.duration import seconds

Phase = Literal["new", "update", "end"]

KIND = "loitering"
MOST_OBJECTS = 4096


class Dwell:
    """Remember since when each object has been in each zone that the site has a time for.

    What it holds follows from the events alone. Of too many objects the one that came first is forgotten.
    """

    def __init__(self, limits: Mapping[str, float | str]) -> None:
        self._limits = {zone: seconds(limit) for zone, limit in limits.items()}
        self._since: dict[str, dict[str, tuple[float, bool]]] = {}  # object → zone → (since, told)

    @classmethod
    def of(cls, cache: dict[Any, Any], limits: Mapping[str, float | str]) -> Dwell:
        """Take the one that a lane's cache holds, or begin."""
        found = cache.get(cls)
        if found is None:
            found = cache[cls] = cls(limits)
        return found

    def succeed(self, other: Dwell) -> None:
        """Go on where the one of an earlier version of the site stopped.

        Of a zone that has no time any more, it keeps who was told of: that they loiter has still to end.
        """
        for id, held in other._since.items():
            kept = {zone: (since, told) for zone, (since, told) in held.items() if told or zone in self._limits}
            if kept:
                self._since[id] = kept

    def take(self, id: str, zones: Sequence[str], time: float, *, is_over: bool) -> list[tuple[str, Phase]]:
        """Take in where an object is at `time` (unix seconds); list the zones that it loiters in, and how that stands.

        An object that is gone, or has left a zone, was there until then.
        """
        held = self._since.get(id, {})
        now: dict[str, tuple[float, bool]] = {}
        said: list[tuple[str, Phase]] = []
        inside = () if is_over else tuple(zone for zone in zones if zone in self._limits)
        for zone in dict.fromkeys((*held, *inside)):
            since, told = held.get(zone, (time, False))
            long = time - since >= self._limits.get(zone, math.inf)
            if zone in inside:
                if long:
                    said.append((zone, "update" if told else "new"))
                now[zone] = (since, told or long)
            elif told:
                said.append((zone, "end"))
            elif long:
                said.append((zone, "new"))
        if now:
            if id not in self._since and len(self._since) >= MOST_OBJECTS:
                del self._since[next(iter(self._since))]
            self._since[id] = now
        else:
            self._since.pop(id, None)
        return said
