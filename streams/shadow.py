"""Shadow rules of one partition: a set that runs live beside the one in force, raises nothing, and is compared with it.

Part of the engine's state. What differs goes to the log's outcomes under kinds of its own, which nobody is paged for.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import msgspec

from alerts.outcome import ShadowChange, ShadowVerdict
from rules.beside import Beside
from rules.carrying import joined, with_windows
from rules.comparison import Comparison
from rules.compiler import RuleBook, compile_rules
from rules.evaluation import Change, Evaluator
from rules.rule import Rule
from sensors.observation import Shadow
from sensors.renames import Renames
from sensors.site import LEVELS, Point, Site

MOST_BYTES = 64 << 20
"""Bytes of a set of rules, inflated."""

MOST = 20_000
"""Alarms that are compared in one partition; a set that makes more is ended, whatever it is good for."""

_decoder = msgspec.msgpack.Decoder(tuple[Rule, ...])

Told = list[ShadowChange | ShadowVerdict]


class ShadowError(ValueError):
    """Raised when bytes are not a set of rules, or one that cannot run beside those in force."""


class Ground(NamedTuple):
    """What rules are compiled for: the site, its points by row, and the partition's areas."""

    site: Site
    rows: Sequence[Point]
    areas: Collection[str]


def pack(rules: Sequence[Rule]) -> bytes:
    """Encode a set of rules as deflated msgpack."""
    return zlib.compress(msgspec.msgpack.encode(tuple(rules)), 6)


def unpack(packed: bytes) -> tuple[Rule, ...]:
    """Decode a set of rules written by `pack`. Raise `ShadowError` on anything else, or on more than 64 MiB."""
    try:
        inflater = zlib.decompressobj()
        content = inflater.decompress(packed, MOST_BYTES)
        if inflater.unconsumed_tail or not inflater.eof:
            raise ShadowError("the shadow rules are cut or too large")
        return _decoder.decode(content)
    except (zlib.error, msgspec.DecodeError) as error:
        raise ShadowError(f"not a set of rules: {error}") from error


class ShadowRules:
    """One set at work. `beside` is the evaluator that takes the place of the one in force while it runs."""

    def __init__(self, what: Shadow, partition: int, evaluator: Evaluator, ground: Ground) -> None:
        self.what, self.partition = what, partition
        self.rules = unpack(what.rules)
        self.beside = self._beside(evaluator, ground)
        self.beside.second.restore(evaluator.state())
        self.comparison = Comparison()
        self.comparison.begin(_raised(self.beside))
        self.fault = ""  # the first thing that could not be worked out
        self._told_fault = False

    def _beside(self, evaluator: Evaluator, ground: Ground) -> Beside:
        try:
            return Beside(evaluator, compile_rules(self.rules, ground.site, ground.rows, set(ground.areas)))
        except Exception as error:
            raise ShadowError(f"the shadow rules do not compile: {error}") from error

    def follow(
        self, evaluator: Evaluator, ground: Ground, renames: Renames, ready: tuple[Shadow, RuleBook | str] | None = None
    ) -> None:
        """Go on beside another evaluator, under changed rules or another version of the site.

        `ready` is a set compiled for that site before, or why it does not compile; of another set it is left alone.
        Raise `ShadowError` when the set does not fit that site.
        """
        before = self.beside
        known = ready[1] if ready is not None and ready[0] is self.what else None
        if isinstance(known, str):
            raise ShadowError(f"the shadow rules do not compile: {known}")
        self.beside = self._beside(evaluator, ground) if known is None else Beside(evaluator, known)
        self.beside.second.restore(with_windows(before.state(renames), before.second.state(renames)))
        self.beside.nanoseconds = before.nanoseconds
        self.comparison.rename(renames, {rule.id: rule.scope for rule in (*before.book.rules, *self.rules)})
        levels = {(rule, scope): (area, one, other) for rule, scope, area, one, other in _raised(self.beside)}
        for side in (0, 1):
            for (rule, scope), area in self.comparison.raised(side).items():
                if not levels.get((rule, scope), ("", 0, 0))[1 + side]:
                    self.comparison.moved(side, (rule, scope), area, 0, 0.0)

    def carried(self, renames: Renames) -> dict[str, Any]:
        """Give the state with which its rules take the place of those in force."""
        return joined(self.beside.state(renames), self.beside.second.state(renames))

    def compare(self, changes: Sequence[Change], clock: float) -> None:
        """Take in what the rules in force changed between readings, and what the set itself changed then."""
        seen, faults = self.beside.take_seen()
        self.note_all([(0, change, clock) for change in changes] + [(1, change, clock) for change in seen])
        self.note_faults([fault.what for fault in faults])

    def note_all(self, changes: Sequence[tuple[int, Change, float]]) -> None:
        """Take in changes (side, change, clock): side 0 is in force, 1 the set."""
        for side, change, clock in changes:
            self.comparison.note(side, change, clock)

    def note_faults(self, what: Sequence[str]) -> None:
        """Keep the first thing that could not be worked out."""
        if what and not self.fault:
            self.fault = what[0][:300]

    def tell(self, offset: int, clock: float) -> Told:
        """Say what moved at an offset."""
        told: Told = [
            ShadowVerdict(
                id=f"{self.what.id}-{self.partition}-{one.number}.{offset}",
                pair=f"{self.what.id}-{self.partition}-{one.number}",
                shadow=self.what.id,
                rule=one.rule,
                scope=one.scope,
                area=one.area,
                how=one.how,
                open=one.open,
                begun=one.begun,
                time=clock,
                seconds=one.seconds,
                before=_level(one.before),
                after=_level(one.after),
            )
            for one in self.comparison.take()
        ]
        if self.fault and not self._told_fault:
            self._told_fault = True
            told.append(self.change(offset, "fault", clock, self.fault))
        return told

    @property
    def over(self) -> str:
        """Say why the set cannot go on; empty while it can."""
        if self.beside.broken:
            return self.beside.broken
        return f"more than {MOST} alarms would have been raised" if self.comparison.count > MOST else ""

    def change(self, offset: int, edge: Any, clock: float, reason: str = "", author: str = "") -> ShadowChange:
        """Say what becomes of the set."""
        return ShadowChange(
            id=f"{self.what.id}-{self.partition}-{offset}-{edge}",
            shadow=self.what.id,
            partition=self.partition,
            edge=edge,
            time=clock,
            author=author,
            reason=reason,
            rules=len(self.rules),
        )

    def state(self) -> dict[str, Any]:
        """Return all state but the evaluator's as plain data."""
        return {
            "what": msgspec.structs.asdict(self.what),
            "comparison": self.comparison.state(),
            "fault": self.fault,
            "told_fault": self._told_fault,
        }

    def restore(self, state: dict[str, Any], second: dict[str, Any]) -> None:
        """Take over a state on a set that was just made, and the arrays of its evaluator."""
        self.beside.second = fresh = self.beside.anew()
        fresh.restore(second)
        self.comparison = Comparison()
        self.comparison.restore(state["comparison"])
        self.fault, self._told_fault = state["fault"], state["told_fault"]


def never_began(what: Shadow, partition: int, offset: int, clock: float, reason: str) -> ShadowChange:
    """Say that a set never began."""
    return ShadowChange(
        id=f"{what.id}-{partition}-{offset}-broken",
        shadow=what.id,
        partition=partition,
        edge="broken",
        time=clock,
        author=what.author,
        reason=reason[:300],
    )


def _raised(beside: Beside) -> list[tuple[str, str, str, int, int]]:
    """List what is raised by either: rule, scope, area and both levels."""
    found: dict[tuple[str, str], tuple[str, list[int]]] = {}
    for side, evaluator in enumerate((beside, beside.second)):
        book = evaluator.book
        for instance in evaluator.current.nonzero()[0].tolist():
            key = book.rules[book.rule[instance]].id, book.scope(instance)
            _, levels = found.setdefault(key, (book.areas[book.area[instance]], [0, 0]))
            levels[side] = int(evaluator.current[instance])
    return [(*key, area, levels[0], levels[1]) for key, (area, levels) in found.items()]


def _level(rank: int) -> str:
    return LEVELS[rank - 1] if rank else ""
