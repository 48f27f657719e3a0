"""A run: the readings of consecutive frames as one set of columns, and what was refused of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from alerts.outcome import Refused
from sensors.frame import Frame

REASONS = ("unknown_point", "not_finite", "duplicate", "out_of_order", "bad_quality", "out_of_range", "unpublished")
"""Why readings are refused; whole records are as `undecodable` or `engine_error`."""

KEPT = 256
"""Readings of one frame and reason that a Refused outcome carries; the count is always whole."""

LAG = 60.0
"""Seconds behind its arrival beyond which a reading's time may come from a clock that is wrong."""

AHEAD = 2.0
"""Seconds that an arrival time may be ahead of the last tick before the engine's clock stops following it."""

BLIND = 5.0
"""Seconds between ticks beyond which the engine was away: silence during that time is not the sensors'."""


def heard(clock: float, last_tick: float, received: float) -> float:
    """Return what the arrival clock shows once something was heard that is stamped `received`."""
    return max(clock, min(received, last_tick + AHEAD if last_tick else received))


class Frames(dict[int, Frame]):
    """Frames of records by offset, in order: decoded once for all who look at them, and their readings joined once."""

    @cached_property
    def run(self) -> Run:
        """Return all as one run, without clocks; there is one frame at least."""
        return Run(list(self.items()), [0.0] * len(self))

    def run_of(self, frames: Sequence[tuple[int, Frame]]) -> Run:
        """Return some of them as a run without clocks."""
        if len(frames) == len(self) and frames[0][0] in self:
            return self.run
        return Run(frames, [0.0] * len(frames))


class Run:
    """Columns of one length over consecutive frames: point u4, time f8, value f8, quality u1, received f8.

    `which` intp: the frame that each reading came in; `clocks` is where the arrival clock stood after each frame.
    `lags`: some reading is more than `LAG` behind its arrival, of this run or of the one that it is part of.
    """

    def __init__(self, frames: Sequence[tuple[int, Frame]], clocks: Sequence[float]) -> None:
        self.frames = frames
        self._clocks = np.array(clocks)
        self._refused: dict[str, list[npt.NDArray[np.intp]]] = {}
        if len(frames) == 1:
            only = frames[0][1]
            self.point, self.time, self.value, self.quality = only.point, only.time, only.value, only.quality
            self.which = np.zeros(len(only), np.intp)
            self.received = np.full(len(only), only.header.received)
        else:
            self.point = np.concatenate([one.point for _, one in frames])
            self.time = np.concatenate([one.time for _, one in frames])
            self.value = np.concatenate([one.value for _, one in frames])
            self.quality = np.concatenate([one.quality for _, one in frames])
            self.which = np.repeat(np.arange(len(frames)), [len(one) for _, one in frames])
            self.received = np.array([one.header.received for _, one in frames])[self.which]
        self.lags = bool(np.count_nonzero(self.received - self.time > LAG))

    def part(self, first: int, stop: int, bounds: npt.NDArray[np.intp], clocks: Sequence[float]) -> Run:
        """Return the run of frames first ≤ k < stop, whose readings begin at `bounds` and end at the last of these."""
        part, mine = Run.__new__(Run), slice(int(bounds[0]), int(bounds[-1]))
        part.frames, part._clocks, part._refused = self.frames[first:stop], np.array(clocks), {}
        part.point, part.time = self.point[mine], self.time[mine]
        part.value, part.quality = self.value[mine], self.quality[mine]
        part.which, part.received, part.lags = self.which[mine] - first, self.received[mine], self.lags
        return part

    def heard(self, at: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """Return when readings arrived, f8, as far as their frame's stamp is believed."""
        heard: npt.NDArray[np.float64] = np.minimum(self.received[at], self._clocks[self.which[at]])
        return heard

    def clock(self, at: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """Return where the engine's clock stood once the frames of readings were heard, f8."""
        clock: npt.NDArray[np.float64] = self._clocks[self.which[at]]
        return clock

    def refuse(self, reason: str, at: npt.NDArray[np.intp]) -> None:
        """Mark the readings at these places as refused."""
        if len(at):
            self._refused.setdefault(reason, []).append(at)

    def refusals(self, partition: int) -> Iterator[tuple[int, Refused]]:
        """Yield (offset, Refused) per frame and reason, in an order that does not depend on rounds or batches."""
        for reason in sorted(self._refused):
            places = np.sort(np.concatenate(self._refused[reason]))
            for index in np.unique(self.which[places]).tolist():
                offset, one = self.frames[index]
                mine = places[self.which[places] == index]
                kept = mine[:KEPT]
                yield (
                    offset,
                    Refused(
                        id=f"r-{partition}-{offset}-{reason}",
                        reason=reason,
                        count=len(mine),
                        point=tuple(self.point[kept].tolist()),
                        times=tuple(self.time[kept].tolist()),
                        values=tuple(self.value[kept].tolist()),
                        received=one.header.received,
                    ),
                )
