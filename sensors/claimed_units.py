"""Units that messages claim for their values: what turns those into their points', remembered, and rationed while new.

A unit that was not met before costs a look into pint, which takes up to a millisecond where it is a product of many,
and not much less where it is none. Those of `SITE_UNITS` are so few that they are looked at whenever they are met. Of
others a message may bring few that are new, a point few in a second, and all together not many more. What is beyond is
refused, and found later. Seconds are those of arrival, so that it is alike however messages are batched.
"""

from __future__ import annotations

from typing import Any

from sensors.dialects.dialect import Lane
from sensors.lookup import Registry
from sensors.measure import SITE_UNITS, UnitError, linear
from sensors.site import Point

LONGEST = 64
"""Characters of a unit."""

MOST_NEW = 32
"""Units of one message that were not met before."""

MOST_OF_A_POINT = 8
"""Units that were not met before, claimed for one point within a second of arrival."""

MOST_TOGETHER = 128
"""Units that were not met before, of all messages that arrive within a second."""

MOST_OF_SUSPECTS = 64
"""As many of these may be of points for which a unit that is none was claimed before; the others are left the rest."""

TOO_MANY = "too many units at once that were not met before"

REMEMBERED = 4096
"""Pairs of units remembered that go together, and as many that do not."""

Line = tuple[float, float]
Found = Line | str
"""What turns a value into a point's (scale, offset), or why nothing does."""

Pair = tuple[str, str]
"""A claimed unit, and that of a point."""


class ClaimedUnits:
    """Remember what turns each claimed unit into the site's; failures too, for they repeat as well."""

    def __init__(self, registry: Registry, known: ClaimedUnits | None = None) -> None:
        self._registry = registry
        self._good: dict[Pair, Line] = dict(known._good) if known is not None else {}
        self._good_before: dict[Pair, Line] = dict(known._good_before) if known is not None else {}
        self._bad: dict[Pair, str] = dict(known._bad) if known is not None else {}
        self._suspects: set[int] = set()
        self._second = -1
        self._spent: dict[int, int] = {}  # by point
        self._left = self._left_together = self._left_for_suspects = 0
        self.begin(0.0)

    @classmethod
    def of(cls, lane: Lane, known: ClaimedUnits | None = None) -> ClaimedUnits:
        """Take the one that a lane's cache holds, or begin with what another knows."""
        cache: dict[Any, ClaimedUnits] = lane.cache
        found = cache.get(cls)
        if found is None:
            found = cache[cls] = cls(lane.registry, known)
        return found

    def __len__(self) -> int:
        return len(self._good) + len(self._good_before) + len(self._bad)

    def begin(self, received: float) -> None:
        """Begin with messages that arrived at a time (unix seconds), none of which brings more than one unit."""
        self._left = MOST_TOGETHER
        if int(received) != self._second:
            self._second = int(received)
            self._spent.clear()
            self._left_together, self._left_for_suspects = MOST_TOGETHER, MOST_OF_SUSPECTS

    def begin_message(self) -> None:
        """Begin with one message of them that may bring several units."""
        self._left = MOST_NEW

    def find(self, index: int, unit: str) -> Found:
        """Say what turns a unit into that of the point of a registry index."""
        point = self._registry.by_index[index]
        if unit == point.unit:
            return 1.0, 0.0
        pair = unit, point.unit
        line = self._good.get(pair)
        if line is not None:
            return line
        why = self._bad.get(pair)
        if why is not None:
            return f"{point.id}: {why}"
        line = self._good_before.get(pair)
        if line is not None:
            return self._keep(pair, line)
        if unit not in SITE_UNITS:
            if len(unit) > LONGEST:
                return f"{point.id}: a unit of {len(unit)} characters, at most {LONGEST} allowed"
            if not self.may_look(index):
                return TOO_MANY
            self._take(index)
        return self._look(point, pair)

    def may_look(self, index: int) -> bool:
        """Tell whether the ration allows for a look at a unit that is claimed for a point."""
        if self._left < 1 or self._left_together < 1 or self._spent.get(index, 0) >= MOST_OF_A_POINT:
            return False
        return self._left_for_suspects > 0 or index not in self._suspects

    def _take(self, index: int) -> None:
        self._spent[index] = self._spent.get(index, 0) + 1
        self._left -= 1
        self._left_together -= 1
        self._left_for_suspects -= index in self._suspects

    def _look(self, point: Point, pair: Pair) -> Found:
        try:
            return self._keep(pair, linear(*pair))
        except UnitError as error:
            if pair[0] not in SITE_UNITS:
                self._suspects.add(point.index)
            if len(self._bad) >= REMEMBERED:
                self._bad.clear()
            self._bad[pair] = str(error)[:160]
            return f"{point.id}: {self._bad[pair]}"

    def _keep(self, pair: Pair, line: Line) -> Line:
        """Remember what goes together; of what was not met lately the older half is forgotten."""
        if len(self._good) >= REMEMBERED // 2:
            self._good_before, self._good = self._good, {}
        self._good[pair] = line
        return line
