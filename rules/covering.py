"""Find the points that rules cover without asking every point of every rule."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from rules.rule import Rule, Where, covered_points
from sensors.site import Area, Point

_WILD = re.compile(r"[*?\[]")
_PAST = "\U0010ffff"


class Covering:
    """The points of a site by id, quantity, area and tag: 10 000 rules ask only those that each may mean."""

    def __init__(self, points: Sequence[Point], areas: Mapping[str, Area]) -> None:
        self.points, self.areas = points, areas
        self._quantity: dict[str, list[int]] = {}
        self._area: dict[str, list[int]] = {}
        self._tag: dict[str, list[int]] = {}
        for row, point in enumerate(points):
            self._quantity.setdefault(point.quantity, []).append(row)
            for area in dict.fromkeys(point.areas):
                self._area.setdefault(area, []).append(row)
            for tag in dict.fromkeys(point.tags):
                self._tag.setdefault(tag, []).append(row)
        order = sorted(range(len(points)), key=lambda row: points[row].id)
        self._ids, self._rows = [points[row].id for row in order], order

    def of(self, rule: Rule) -> list[tuple[int, str]]:
        """List (row, area) of each point that a rule covers, in order: the first of its areas that the rule means."""
        rows = self.candidates(rule.where)
        found = covered_points(rule, (self.points[row] for row in rows), self.areas)
        return [(rows[place], area) for place, area in found]

    def candidates(self, where: Where) -> Sequence[int]:
        """Return rows among which are all that are meant, in order; as few as one of the indices tells."""
        some = [
            [table.get(name, []) for name in names]
            for table, names in (
                (self._quantity, where.quantities),
                (self._area, where.areas),
                (self._tag, where.tags),
            )
            if names
        ]
        if where.points:
            some.append([self._called(name) for name in where.points])
        if not some:
            return range(len(self.points))
        fewest = min(some, key=lambda lists: sum(map(len, lists)))
        return fewest[0] if len(fewest) == 1 else sorted({row for rows in fewest for row in rows})

    def _called(self, pattern: str) -> list[int]:
        """Return the rows of the points whose ids begin as a pattern does; of the one that has a plain id."""
        wild = _WILD.search(pattern)
        begin = pattern[: wild.start()] if wild else pattern
        first = bisect_left(self._ids, begin)
        last = bisect_left(self._ids, begin + _PAST) if wild else first + (self._ids[first : first + 1] == [begin])
        return sorted(self._rows[first:last])
