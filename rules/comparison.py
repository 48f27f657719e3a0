"""Compare what two sets of rules raise as it happens: gained, lost, earlier, later, at another level, or the same."""

from __future__ import annotations

from typing import Any

import msgspec

from rules.difference import How, differs
from rules.explanation import Change
from sensors.renames import Renames

Key = tuple[str, str]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How an alarm of a rule at a scope compares so far; `number` names the pair, `open` says that it may change.

    `seconds` is how much later the second set began it, negative for earlier; None where only one of them did.
    """

    number: int
    rule: str
    scope: str
    area: str
    how: How
    open: bool
    begun: float
    seconds: float | None
    before: int  # the highest level that the first set gave it, 0 for none
    after: int  # and the second


class _Pair(msgspec.Struct, kw_only=True):
    """An alarm as both sets see it: from where either raises it until neither does."""

    number: int  # 0: it began before the comparison did, and is not told of
    area: str
    begun: list[float | None]  # by side: when it was first raised
    now: list[int]  # level
    peak: list[int]


class Comparison:
    """Hold the alarms that are up in either set. Pure: time comes with the changes."""

    def __init__(self) -> None:
        self._pairs: dict[Key, _Pair] = {}
        self._count = 0
        self._touched: dict[Key, None] = {}

    @property
    def count(self) -> int:
        """Return how many pairs there were."""
        return self._count

    def begin(self, raised: list[tuple[str, str, str, int, int]]) -> None:
        """Leave out what is up at the start: rule, scope, area and the level in either set."""
        for rule, scope, area, *levels in raised:
            self._pairs[rule, scope] = _Pair(number=0, area=area, begun=[None, None], now=levels, peak=list(levels))

    def note(self, side: int, change: Change, clock: float) -> None:
        """Take in a change of the first (0) or second (1) set as the arrival clock shows `clock`."""
        self.moved(side, (change.rule.id, change.scope), change.area, change.after, clock)

    def moved(self, side: int, key: Key, area: str, level: int, clock: float) -> None:
        """Take in that a rule and scope are at a level in a set now."""
        pair = self._pairs.get(key)
        if pair is None:
            if not level:
                return
            self._count += 1
            pair = self._pairs[key] = _Pair(number=self._count, area=area, begun=[None, None], now=[0, 0], peak=[0, 0])
        pair.now[side] = level
        pair.peak[side] = max(pair.peak[side], level)
        if level and pair.begun[side] is None:
            pair.begun[side] = clock
        self._touched[key] = None

    def raised(self, side: int) -> dict[Key, str]:
        """Map what is up in a set to its area."""
        return {key: pair.area for key, pair in self._pairs.items() if pair.now[side]}

    def take(self) -> list[Verdict]:
        """Judge the pairs that moved since the last call, in the order in which they did."""
        found = []
        for key in self._touched:
            pair = self._pairs[key]
            over = not any(pair.now)
            if over:
                del self._pairs[key]
            if pair.number:
                found.append(_judge(key, pair, over))
        self._touched.clear()
        return found

    def rename(self, renames: Renames, kinds: dict[str, str]) -> None:
        """Follow what was renamed; `kinds` says what each rule looks at."""
        self._pairs = {
            (rule, renames.scope(scope, kind=kinds.get(rule))): pair for (rule, scope), pair in self._pairs.items()
        }
        for pair in self._pairs.values():
            pair.area = renames.area(pair.area)

    def state(self) -> dict[str, Any]:
        """Return all state as plain data."""
        return {
            "count": self._count,
            "pairs": [(*key, msgspec.to_builtins(pair)) for key, pair in self._pairs.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` gave."""
        self._count = state["count"]
        self._pairs = {(rule, scope): msgspec.convert(pair, _Pair) for rule, scope, pair in state["pairs"]}


def _judge(key: Key, pair: _Pair, over: bool) -> Verdict:
    sides = [None if begun is None else (begun, peak) for begun, peak in zip(pair.begun, pair.peak, strict=True)]
    what, seconds = differs(sides[0], sides[1])
    how: How = what[0] if what else "same"
    begun = min(one for one in pair.begun if one is not None)
    return Verdict(
        number=pair.number,
        rule=key[0],
        scope=key[1],
        area=pair.area,
        how=how,
        open=not over,
        begun=begun,
        seconds=seconds,
        before=pair.peak[0],
        after=pair.peak[1],
    )
