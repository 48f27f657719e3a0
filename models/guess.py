"""What a point is that nobody has said: a counter, an angle, on/off or codes, told by its first changes; else a gauge.

A wrong guess would cost a gauge its alarms, so its unit must allow it (`possible`) and its changes must show what a
gauge's do not: a climb that only ever falls back to nothing, a turn across the wrap, codes that stand and are skipped.
What speaks against it later makes it a gauge again, for good. Only changes of value count: a rain gauge at 0 for days
says nothing. Eight values and a few counts are kept of a point, and nothing once it is known to be a gauge.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

Guess = Literal["counter", "switch", "angle", "state"]

CODES = 8
"""Values that a coded point may have."""
_PLAIN = frozenset({"", "1"})
_COUNTED = _PLAIN | {"count", "kWh", "h"}
_CIRCLE = frozenset({"deg", "°", "degree"})
LEAST, PATIENCE = 100, 2000
"""Readings before anything is guessed; changes after which a point is a gauge if nothing was."""
_TURNS, _RESETS, _CLIMB = 3, 2, 10  # wraps of an angle; resets of a counter, and rises to each of them
_SWITCHED, _CODED = 6, 12  # changes of on/off, and of codes
_STANDS = 3.0  # readings that a code stands for on average
_SKIPS = 0.2  # share of a coded point's changes that skip a code between: a gauge passes through
_HIGHEST = 255.0
_KINDS: tuple[Guess, ...] = ("counter", "switch", "angle", "state")
OPEN, GAUGE, FIRST = 1, 2, 3
"""Stages of a row (0: declared): asked, known to be a gauge, and from `FIRST` on what was guessed."""
_FIGURES = ("readings", "changes", "fresh", "rises", "resets", "wraps", "near", "skips", "low", "high", "kinds")
WIDTH = 1 + len(_FIGURES) + 3 * CODES


def possible(unit: str, quantity: str = "") -> frozenset[Guess]:
    """Return what a point may be guessed to be, by its unit as the site writes it and its quantity."""
    kinds: set[Guess] = set()
    if unit in _PLAIN:
        kinds |= {"switch", "state"}
    if unit in _COUNTED or (unit == "mm" and "rain" in quantity):
        kinds.add("counter")
    if unit in _CIRCLE:
        kinds.add("angle")
    return frozenset(kinds)


class _Sketch:
    """Hold what the changes of one row were like."""

    __slots__ = ("codes", "kinds", *_FIGURES[:-1])

    def __init__(self, kinds: frozenset[Guess]) -> None:
        self.kinds = kinds
        self.readings = self.changes = self.fresh = self.rises = self.resets = self.wraps = self.near = 0.0
        self.skips, self.low, self.high = 0.0, np.inf, -np.inf
        self.codes: dict[float, list[float]] = {}  # value → readings, runs

    def see(self, before: float, value: float) -> None:
        """Take a reading and the one before (NaN: none)."""
        self.readings += 1.0
        if value == before:
            if value in self.codes:
                self.codes[value][0] += 1.0
            return
        self.changes += 1.0
        self.low, self.high = min(self.low, value), max(self.high, value)
        step = value - before
        self.rises += step > 0.0
        if step < 0.0 and 0.0 <= value <= 0.1 * before:
            self.resets += 1.0
        elif step < 0.0 or value < 0.0:
            self.kinds -= {"counter"}
        around = min(abs(step), abs(360.0 - abs(step)))
        self.near += around <= 45.0
        self.wraps += abs(step) > 180.0 and around <= 45.0
        if not -360.0 <= self.low <= self.high <= 360.0 or self.high - self.low > 360.0:
            self.kinds -= {"angle"}
        if not self.kinds.isdisjoint({"switch", "state"}):
            self._code(before, value)

    def _code(self, before: float, value: float) -> None:
        if value not in self.codes:
            self.fresh = self.changes
            if len(self.codes) >= CODES or value != int(value) or not 0.0 <= value <= _HIGHEST:
                self.kinds -= {"switch", "state"}
                self.codes = {}
                return
            self.codes[value] = [0.0, 0.0]
        counts = self.codes[value]
        counts[0] += 1.0
        counts[1] += 1.0
        self.skips += any(min(before, value) < code < max(before, value) for code in self.codes)

    def told(self) -> Guess | None:
        """Return what the row is by now."""
        if self.readings < LEAST:
            return None
        kinds = self.kinds
        if "counter" in kinds and self.resets >= _RESETS and self.rises >= _CLIMB * self.resets:
            return "counter"
        turning = self.wraps >= _TURNS and self.near >= 0.5 * self.changes
        if "angle" in kinds and turning and self.high - self.low > 300.0:
            return "angle"
        if self.codes and all(readings >= _STANDS * runs for readings, runs in self.codes.values()):
            if "switch" in kinds and self.changes >= _SWITCHED and set(self.codes) == {0.0, 1.0}:
                return "switch"
            settled = self.changes >= max(_CODED, 2.0 * self.fresh) and self.skips >= _SKIPS * self.changes
            if "state" in kinds and settled and len(self.codes) > 2:
                return "state"
        return None


class Guesses:
    """Watch the rows of a bank whose kind is not declared."""

    def __init__(self) -> None:
        self.stage = np.zeros(0, np.uint8)
        self.watched = 0
        self._sketches: dict[int, _Sketch] = {}

    def grow(self, more: int) -> None:
        """Add rows of which nothing is asked."""
        self.stage = np.concatenate([self.stage, np.zeros(more, np.uint8)])

    def kind(self, row: int) -> Guess | None:
        """Return what a row was guessed to be."""
        stage = int(self.stage[row])
        return _KINDS[stage - FIRST] if stage >= FIRST else None

    def ask(self, row: int, kinds: Iterable[Guess]) -> None:
        """Watch a row that may be one of `kinds`; none: it is declared.

        What is known of one asked before stays, unless it may no longer be what it was taken for.
        """
        kinds = frozenset(kinds)
        if not kinds:
            self.stage[row] = 0
            self._sketches.pop(row, None)
        elif self.stage[row] == 0 or (row in self._sketches and not self._sketches[row].kinds <= kinds):
            self.stage[row] = OPEN
            self._sketches[row] = _Sketch(kinds)
        self.watched = len(self._sketches)

    def see(self, row: int, before: float, value: float) -> bool:
        """Take a usable reading of a watched row, and the one before (NaN: none); return whether its kind changes."""
        sketch = self._sketches[row]
        sketch.see(before, value)
        if value == before and self.stage[row] != OPEN:
            return False
        was = self.kind(row)
        lost = was not in sketch.kinds if was else not sketch.kinds or sketch.changes >= PATIENCE
        if lost:
            self.stage[row] = GAUGE
            del self._sketches[row]
            self.watched = len(self._sketches)
            return was is not None
        now = None if was else sketch.told()
        if now is None:
            return False
        self.stage[row] = FIRST + _KINDS.index(now)
        sketch.kinds &= {now, "state"} if now == "switch" else {now}
        return True

    def state(self) -> npt.NDArray[np.float64]:
        """Return what is known of watched rows, f8[watched, WIDTH], in order."""
        table = np.full((len(self._sketches), WIDTH), np.nan)
        for line, (row, sketch) in zip(table, sorted(self._sketches.items()), strict=True):
            kinds = sum(1 << _KINDS.index(kind) for kind in sketch.kinds)
            figures = [row, *(getattr(sketch, name) for name in _FIGURES[:-1]), kinds]
            figures += [number for code, counts in sketch.codes.items() for number in (code, *counts)]
            line[: len(figures)] = figures
        return table

    def restore(self, stage: npt.NDArray[np.uint8], table: npt.NDArray[np.float64]) -> None:
        """Take over stages, u1[rows], and what `state` returned."""
        self.stage, self._sketches = stage, {}
        for line in table.tolist():
            mask, codes = int(line[len(_FIGURES)]), line[1 + len(_FIGURES) :]
            sketch = _Sketch(frozenset(kind for bit, kind in enumerate(_KINDS) if mask >> bit & 1))
            for name, figure in zip(_FIGURES[:-1], line[1:], strict=False):
                setattr(sketch, name, figure)
            for at in range(0, 3 * CODES, 3):
                if codes[at] == codes[at]:
                    sketch.codes[codes[at]] = codes[at + 1 : at + 3]
            self._sketches[int(line[0])] = sketch
        self.watched = len(self._sketches)
