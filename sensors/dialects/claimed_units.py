"""Units that messages claim for their values: what turns those into their points', remembered, and rationed while new.

A unit that was not met before costs a look into pint, which takes up to a millisecond where it is a product of many,
and not much less where it is none. So a message may bring few that are new, and those that are decoded with it not many
more; what is beyond is refused, and found the next time.
"""

from __future__ import annotations

from typing import Any

from sensors.dialects.dialect import Lane
from sensors.lookup import Registry
from sensors.measure import UnitError
from sensors.site import Point

LONGEST = 64
"""Characters of a unit."""

MOST_NEW = 32
"""Units of one message that were not met before."""

MOST_NEW_TOGETHER = 128
"""Units that were not met before, of all messages that are decoded together."""

TOO_MANY = "too many units at once that were not met before"

_REMEMBERED = 4096

Found = tuple[float, float] | str
"""What turns a value into a point's (scale, offset), or why nothing does."""


class ClaimedUnits:
    """Remember what turns each claimed unit into the site's; failures too, for they repeat as well."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[tuple[str, str], Found] = {}
        self._left = self._left_together = 0

    @classmethod
    def of(cls, lane: Lane) -> ClaimedUnits:
        """Take the one that a lane's cache holds, or begin."""
        cache: dict[Any, ClaimedUnits] = lane.cache
        found = cache.get(cls)
        if found is None:
            found = cache[cls] = cls(lane.registry)
        return found

    def __len__(self) -> int:
        return len(self._known)

    def begin(self) -> None:
        """Begin with messages that are decoded together."""
        self._left = self._left_together = MOST_NEW_TOGETHER

    def begin_message(self) -> None:
        """Begin with one message of them that may bring several units."""
        self._left = min(MOST_NEW, self._left_together)

    def find(self, index: int, unit: str) -> Found:
        """Say what turns a unit into that of the point of a registry index."""
        point = self._registry.by_index[index]
        if unit == point.unit:
            return 1.0, 0.0
        found = self._known.get((unit, point.unit))
        if found is None:
            if not self._left:
                return TOO_MANY
            if len(unit) > LONGEST:
                return f"{point.id}: a unit of {len(unit)} characters, at most {LONGEST} allowed"
            found = self._look(point, unit)
        return f"{point.id}: {found}" if isinstance(found, str) else found

    def _look(self, point: Point, unit: str) -> Found:
        self._left -= 1
        self._left_together -= 1
        found: Found
        try:
            found = self._registry.conversion(point, unit)
        except (UnitError, ValueError, TypeError, ArithmeticError) as error:  # the latter from products of degrees
            found = str(error)[:160]
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[unit, point.unit] = found
        return found
