"""Find the points that rules cover without asking every point of every rule."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from rules.rule import Rule, Where, covered_points
from sensors.site import Area, Point

_WILD = re.compile(r"[*?\[]")
_PAST = "\U0010ffff"


class Covering:
    """The points of a site by id, quantity, area and tag: 10 000 rules ask only those that each may mean."""

    def __init__(self, points: Sequence[Point], areas: Mapping[str, Area]) -> None:
        self.points, self.areas = points, areas

    @cached_property
    def _quantity(self) -> dict[str, list[int]]:
        return _index((point.quantity,) for point in self.points)

    @cached_property
    def _area(self) -> dict[str, list[int]]:
        return _index(dict.fromkeys(point.areas) for point in self.points)

    @cached_property
    def _tag(self) -> dict[str, list[int]]:
        return _index(dict.fromkeys(point.tags) for point in self.points)

    @cached_property
    def _ids(self) -> tuple[list[str], list[int]]:
        """Return the ids in order, and whose they are."""
        order = sorted(range(len(self.points)), key=lambda row: self.points[row].id)
        return [self.points[row].id for row in order], order

    def of(self, rule: Rule) -> list[tuple[int, str]]:
        """List (row, area) of each point that a rule covers, in order: the first of its areas that the rule means."""
        rows = self.candidates(rule.where)
        found = covered_points(rule, (self.points[row] for row in rows), self.areas)
        return [(rows[place], area) for place, area in found]

    def candidates(self, where: Where) -> Sequence[int]:
        """Return rows among which are all that are meant, in order; as few as one of the indices tells."""
        some = [[self._quantity.get(name, []) for name in where.quantities]] if where.quantities else []
        some += [[self._area.get(name, []) for name in where.areas]] if where.areas else []
        some += [[self._tag.get(name, []) for name in where.tags]] if where.tags else []
        if where.points:
            some.append([self.called(name) for name in where.points])
        if not some:
            return range(len(self.points))
        fewest = min(some, key=lambda lists: sum(map(len, lists)))
        return fewest[0] if len(fewest) == 1 else sorted({row for rows in fewest for row in rows})

    def called(self, pattern: str) -> list[int]:
        """Return the rows of the points whose ids begin as a pattern does; of one with a plain id, if there is one."""
        ids, rows = self._ids
        wild = _WILD.search(pattern)
        begin = pattern[: wild.start()] if wild else pattern
        first = bisect_left(ids, begin)
        last = bisect_left(ids, begin + _PAST) if wild else first + (ids[first : first + 1] == [begin])
        return sorted(rows[first:last])


def _index(names: Iterable[Iterable[str]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row, each in enumerate(names):
        for name in each:
            found.setdefault(name, []).append(row)
    return found
