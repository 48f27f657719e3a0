"""Changes that the desk could not take in: they wait for the next tick, and are part of the engine's state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from rules.evaluation import Change
from rules.explanation import Why
from rules.rule import Rule
from sensors.renames import Renames

Key = tuple[str, str]


class _Saved(msgspec.Struct, kw_only=True):
    """A change as it is saved: the rule by its id."""

    rule: str
    scope: str
    area: str
    before: int
    after: int
    onset: float
    time: float
    why: Why | None
    simulated: bool


class Waiting:
    """Hold the newest change of each rule and scope that is still to be taken in."""

    def __init__(self) -> None:
        self._changes: dict[Key, Change] = {}

    def __len__(self) -> int:
        return len(self._changes)

    def add(self, change: Change) -> None:
        """Have a change wait."""
        self._changes[change.rule.id, change.scope] = change

    def drop(self, rule: str, scope: str) -> None:
        """Let go of what waits for a rule and scope: it is done, or a newer change stands in its place."""
        self._changes.pop((rule, scope), None)

    def all(self) -> list[Change]:
        """List what waits, the longest first."""
        return list(self._changes.values())

    def keep(self, rules: Iterable[Rule]) -> None:
        """Let go of what no rule in force stands behind."""
        ids = {rule.id for rule in rules}
        self._changes = {key: change for key, change in self._changes.items() if key[0] in ids}

    def rename(self, renames: Renames) -> None:
        """Follow what was renamed."""
        for change in self.all():
            self.drop(change.rule.id, change.scope)
            scope = renames.scope(change.scope, change.area, change.rule.scope)
            self.add(change._replace(scope=scope, area=renames.area(change.area)))

    def state(self) -> list[Any]:
        """Return all as plain data."""
        return [
            msgspec.to_builtins(
                _Saved(
                    rule=change.rule.id,
                    scope=change.scope,
                    area=change.area,
                    before=change.before,
                    after=change.after,
                    onset=change.onset,
                    time=change.time,
                    why=change.why,
                    simulated=change.simulated,
                )
            )
            for change in self._changes.values()
        ]

    def restore(self, state: Iterable[Any], rules: Iterable[Rule]) -> None:
        """Take back what `state` returned, as far as its rules are there."""
        by_id = {rule.id: rule for rule in rules}
        for one in (msgspec.convert(each, _Saved) for each in state):
            rule = by_id.get(one.rule)
            if rule is not None:
                self.add(
                    Change(
                        rule, one.scope, one.area, one.before, one.after, one.onset, one.time, one.why, one.simulated, 0
                    )
                )
