"""Pass over the parts of a recorded log in which nothing can happen: many frames and ticks at one go.

A replay has the scores of readings before the engine takes them. So it can be told which points come to no bar of any
rule while a stretch of frames and ticks lasts (`rules.calm`), and these are taken in together, as they stand at its
end. The other points' readings are put to the rules one frame after the other, and ticks move the delays that run. What
follows is what the engine decides record by record, and so is its state; only where no rule goes by the clock alone or
looks across points can that be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from rules import calm
from rules.calm import Series
from sensors import frame, observation
from sensors.frame import Frame, FrameError
from sensors.observation import FRAME
from streams.run import BLIND, LAG, Run, heard
from streams.tape import Foretold, TapeHead

if TYPE_CHECKING:
    from streams.engine import Engine

LEAST = 256
"""Readings of a stretch below which nothing is gained."""

AFTER = 3
"""Frames after one with a reading that comes to a bar which are taken together with it: what it began is over then."""

APART = 16
"""Frames between two such from which on those between are a stretch of their own."""

MOST_RESTLESS = 0.2
"""Share of a stretch's readings to be put to the rules one by one from which on nothing is gained."""

_FRAME = bytes((FRAME,))

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


class Ticks(NamedTuple):
    """The ticks among the frames of a run: pairs are of their times and of what the engine's clock showed then."""

    first: tuple[float, float]  # inf without one
    next: tuple[Floats, Floats]  # after each frame, inf where none is left
    last: float | None
    before_last: int  # frames that came before the last


class _Stretch(NamedTuple):
    """Frames and ticks that follow each other."""

    stop: int  # the record after it
    run: Run
    bounds: Rows  # where its frames begin, and the last ends, among the readings of all frames
    ticks: Ticks

    @property
    def start(self) -> int:
        """The place of its first reading among those of all frames."""
        return int(self.bounds[0])


class Calm:
    """See how far an engine may pass over records: those of one `apply`."""

    def __init__(self, engine: Engine, head: TapeHead, records: Sequence[tuple[int, bytes]]) -> None:
        self._engine, self._head, self._records = engine, head, records
        self._told: Foretold | None = None
        self._what: list[Frame | float | None] = [None] * len(records)  # frames, times of ticks; others are None
        if engine.evaluator is None or engine.evaluator.goes_by_the_clock:
            return
        self._what = [self._read(*one) for one in records]
        frames = [
            (offset, what) for (offset, _), what in zip(records, self._what, strict=True) if isinstance(what, Frame)
        ]
        if sum(len(one) for _, one in frames) >= LEAST:
            self._run = head.frames.run_of(frames)
            self._told = head.foretell(engine.bank, self._run)
            if self._told is not None:
                self._lay(self._run, self._told)

    def _read(self, offset: int, value: bytes) -> Frame | float | None:
        if value[:1] == _FRAME:
            with suppress(FrameError):  # the engine refuses it
                return self._head.frames.get(offset) or frame.decode(value)
        elif observation.is_tick(value):
            return _time(value)
        return None

    def _lay(self, run: Run, told: Foretold) -> None:
        """Find the frames that must be taken as they are, and the rows of all readings."""
        row_of, evaluator = self._engine.row_of, self._engine.evaluator
        assert evaluator is not None
        inside = run.point < len(row_of)
        self._row = np.where(inside, row_of[np.where(inside, run.point, 0)], -1)
        odd = told.odd | (run.quality != 0) | (self._row < 0) | ~np.isfinite(run.value) | ~np.isfinite(run.time)
        odd |= ~(run.received - run.time <= LAG)
        self._bounds = np.searchsorted(run.which, np.arange(len(run.frames) + 1))
        self._odd = np.zeros(len(run.frames), np.bool_)
        self._odd[run.which[odd]] = True
        self._loud = calm.loud(evaluator, np.where(self._row < 0, 0, self._row), run.value, told.score) & ~odd
        self._bursts = _bursts(np.unique(run.which[self._loud]).tolist(), len(run.frames))
        self._number = np.cumsum([isinstance(one, Frame) for one in self._what])  # frames up to each record

    def pass_over(self, place: int) -> int:
        """Pass over the records from `place` on as far as may be; return the place of the next one."""
        engine = self._engine
        if self._told is None or not engine.may_be_calm():
            return place
        assert engine.evaluator is not None
        stretch = self._stretch(place)
        if stretch is None:
            return place
        part = slice(stretch.start, stretch.start + len(stretch.run.point))
        rows, told, run = self._row[part], self._told, stretch.run
        total = len(engine.points)
        series = Series(rows, run.time, run.value, told.score[part], told.alarm[part], total)
        late = ~series.rising(engine.last_time)
        if late.any():  # repeats, or out of order: from such a frame on it is taken as it is
            self._odd[run.which[late] + np.searchsorted(self._bounds, stretch.start)] = True
            return self.pass_over(place)
        busy = calm.restless(engine.evaluator, series, self._loud[part])
        busy |= told.needs[: len(busy)]
        restless = busy[rows]
        if np.count_nonzero(restless) > MOST_RESTLESS * len(rows) or not self._head.stands(stretch.start, series):
            self._told = None
            return place
        self._take(place, stretch, series, busy, restless)
        return stretch.stop

    def _stretch(self, place: int) -> _Stretch | None:
        """Find how far frames and ticks go on from a place as an engine expects them to."""
        engine, run = self._engine, self._run
        first = int(self._number[place - 1]) if place else 0
        at, clock, tick = first, engine.clock, engine.last_tick
        clocks: list[float] = []
        ticks: list[tuple[int, float, float]] = []  # frames before each, its time, what the clock shows
        stop = place
        for what in self._what[place:]:
            if what is None:
                break
            if isinstance(what, Frame):
                if self._odd[at] or self._bursts[at] != self._bursts[first]:
                    break
                clock = heard(clock, tick, what.header.received)
                clocks.append(clock)
                at += 1
            else:
                if not 0.0 < what - tick <= BLIND:
                    break
                tick, clock = what, max(clock, what)
                ticks.append((at - first, tick, clock))
            stop += 1
        bounds = self._bounds[first : at + 1]
        if at - first < 2 or bounds[-1] - bounds[0] < LEAST:
            return None
        return _Stretch(stop, run.part(first, at, bounds, clocks), bounds, _ticks(ticks, at - first))

    def resume(self, place: int) -> int:
        """Say before which record to try again where those from `place` on cannot be passed over: after a tick."""
        if self._told is None:
            return len(self._what)
        while place < len(self._what) and isinstance(self._what[place], Frame):
            place += 1
        return min(place + 1, len(self._what))

    def _take(self, place: int, stretch: _Stretch, series: Series, busy: Bools, restless: Bools) -> None:
        engine, head, run = self._engine, self._head, stretch.run
        assert engine.evaluator is not None
        quiet = ~busy
        head.pass_over(engine.bank, run, stretch.start, series, quiet)
        some = restless.any()
        number = 0
        bounds = stretch.bounds - stretch.start
        head.passing = True
        try:
            records = self._records[place : stretch.stop]
            for (offset, _), what in zip(records, self._what[place : stretch.stop], strict=True):
                if isinstance(what, Frame):
                    mine = slice(int(bounds[number]), int(bounds[number + 1]))
                    at = np.flatnonzero(restless[mine]) if some else np.empty(0, np.intp)
                    engine.take_calmly(offset, what, at, series.rows[mine][at])
                    number += 1
                elif what is not None:
                    engine.tick_calmly(offset, what)
        finally:
            head.passing = False
        engine.settle_calmly(run, series, quiet, stretch.ticks)


def _bursts(loud: Sequence[int], frames: int) -> Bools:
    """Mark the frames in which something may come of a reading, bool[frames], and those around them."""
    found = np.zeros(frames, np.bool_)
    last = -APART - AFTER
    for at in loud:
        found[at if at - last > APART + AFTER else last : at + 1 + AFTER] = True
        last = at
    return found


def _ticks(told: Sequence[tuple[int, float, float]], frames: int) -> Ticks:
    """Lay out ticks: how many frames came before each, its time, and what the clock showed."""
    following = np.full(frames, np.inf), np.full(frames, np.inf)
    for before, time, clock in reversed(told):
        following[0][:before], following[1][:before] = time, clock
    if not told:
        return Ticks((np.inf, np.inf), following, None, 0)
    return Ticks(told[0][1:], following, told[-1][1], told[-1][0])


def _time(record: bytes) -> float | None:
    """Return the time of a tick; None where it cannot be read."""
    try:
        what = observation.decode(record)
    except ValueError:
        return None
    return what.time if isinstance(what, observation.Tick) else None
