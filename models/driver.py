"""Rain and upstream levels as drivers of a point: what has fallen or come by, and has not reached the point yet.

What a driver brings passes two linear reservoirs (Nash 1957) of half its lag each. What leaves the second has arrived;
how far the point moves by it is learnt by least squares through the origin, reading by reading. What still lies in the
reservoirs is then a rise to come, before the point shows it. A driver is believed while its arrivals explain a fifth of
how the point has moved lately: a gauge that is broken, or in the wrong valley, is left aside and changes nothing.

Readings of drivers are only added up as they come; the point's side moves on when `Drivers.step` is called, on ticks.
So nothing depends on which readings of the two shared a batch (decision 0003), and a pair costs a few numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

Brings = Literal["amounts", "total", "level"]
"""What a driver's readings are: amounts that add up, a total that only grows, or a level whose changes come down."""

BRINGS: tuple[Brings, ...] = get_args(Brings)

RAIN = frozenset({"rain", "rainfall", "precipitation", "snowmelt"})
"""Quantities whose readings are amounts (or, of a counter, a total); any other driver is a level."""

LAG = 8 * 3600.0
"""Seconds that a driver takes where the site does not say: the best of 2 to 24 h on half of a river's record."""
MEMORY = 60 * 86400.0
"""Seconds over which the answer to a driver is averaged: some storms."""
BELIEVED = 0.2
"""Share of the point's movement that arrivals must explain."""
GAP = 5.0
"""Intervals without a reading of either side after which what lies between them is not known."""
SHORTER = 1.0 / 3.0
"""Of the damping of a trend that has a believed driver: what keeps a rise up is then in the driver."""
SURER = 1.5
"""Times by which a rise to come may be larger or smaller, eight times in ten."""
AHEAD = 48
"""Steps of an eighth of the lag that are looked ahead."""

_LARGEST = 1e100
_QUARTER = 0.7788007830714049  # exp(-1/4): written out, so that the bits are the same everywhere
_LEFT = np.multiply.accumulate(np.full(AHEAD, _QUARTER))
_PASSED = 0.25 * np.arange(1, AHEAD + 1)
ARRIVED = np.array([1.0 - (1.0 + _PASSED) * _LEFT, 1.0 - _LEFT])
"""Shares of what lies in the first and second reservoir that have arrived after each step ahead, f8[2, AHEAD]."""


class Drive(NamedTuple):
    """Say that a row drives another: rows of a bank, seconds."""

    point: int
    driver: int
    lag: float = LAG
    brings: Brings = "level"
    interval: float = 3600.0  # between readings of the driver


SUMS = ("time", "value", "total")
"""What is kept of a driver's row: its last reading, and what it has brought in all (of a level: where it stands)."""

SHARED = ("time", "value", "total", "first", "second", "arrived", "answered", "moved", "fresh")
"""What is kept of a pair: the point's last reading and the driver's total by then, the two reservoirs, the sums of
squares of arrivals and movements and of their products, and whether both sides have been read lately."""


class Drivers:
    """Hold the drivers of a bank's rows. Pure: time comes with the readings."""

    def __init__(self, drives: Sequence[Drive], rows: int) -> None:
        self.drives = tuple(sorted(drives))
        self.points = np.array([one.point for one in self.drives], np.intp)
        self.lag = np.array([one.lag for one in self.drives])
        self._patience = np.array([GAP * one.interval for one in self.drives])
        names = sorted({(one.driver, one.brings) for one in self.drives})
        places = {row: place for place, (row, _) in enumerate(names)}
        self._slot = np.full(rows, -1, np.intp)
        self._slot[[row for row, _ in names]] = np.arange(len(names))
        self._driver = np.array([places[one.driver] for one in self.drives], np.intp)
        self._brings = np.array([BRINGS.index(brings) for _, brings in names], np.uint8)
        self._amounts, self._level = (self._brings == BRINGS.index(each) for each in ("amounts", "level"))
        self.driven = np.zeros(rows, np.bool_)
        self.driven[self.points] = True
        self.sums = np.full((len(names), len(SUMS)), np.nan)
        self.sums[:, SUMS.index("total")] = 0.0
        self.shared = np.zeros((len(self.drives), len(SHARED)))
        self.shared[:, :2] = np.nan

    def expect(self, driver: int, interval: float) -> None:
        """Expect readings of a driver's row `interval` seconds apart from here on."""
        mine = [one.driver == driver for one in self.drives]
        self._patience[mine] = GAP * interval

    def take(self, rows: Rows, time: Floats, value: Floats) -> None:
        """Add up what drivers bring: rows intp[n] without repeats; readings of other rows are nothing to it.

        What is not finite or not later than the row's last reading is left out, as the bank does.
        """
        slots = self._slot[rows]
        at = np.flatnonzero(slots >= 0)
        if not len(at):
            return
        slots, time, value = slots[at], time[at], value[at]
        sums = self.sums[slots]
        good = (np.abs(value) <= _LARGEST) & np.isfinite(time) & ~(time <= sums[:, 0])
        if not good.all():
            slots, time, value, sums = slots[good], time[good], value[good], sums[good]
        grown = np.where(np.isnan(sums[:, 1]), 0.0, np.maximum(value - sums[:, 1], 0.0))
        brought = np.where(self._amounts[slots], np.maximum(value, 0.0), grown)
        total = np.where(self._level[slots], value, sums[:, 2] + brought)
        self.sums[slots] = np.array([time, value, total]).T

    def step(self, last_time: Floats, last_value: Floats, interval: Floats) -> None:
        """Move on the pairs whose point was read since the last step. Call on ticks.

        `last_time`, `last_value`, `interval`: of the bank's rows, f8[rows].
        """
        time, value = last_time[self.points], last_value[self.points]
        before, was = self.shared[:, 0], self.shared[:, 1]
        at = np.flatnonzero((time > before) | (np.isnan(before) & ~np.isnan(time)))
        if not len(at):
            return
        old = self.shared[at].T
        time, value, passed = time[at], value[at], time[at] - before[at]
        heard, _, total = self.sums[self._driver[at]].T
        known = ~(time - heard > self._patience[at]) & ~np.isnan(heard)
        going = known & (old[8] > 0.0) & (passed <= np.maximum(GAP * interval[self.points[at]], self.lag[at]))
        with np.errstate(all="ignore"):
            left = 0.5 * self.lag[at] / (0.5 * self.lag[at] + passed)
            held = old[3] + (total - old[2])
            first = held * left
            held_too = old[4] + (held - first)
            second = held_too * left
            arrived, moved = held_too - second, value - was[at]
            keep = MEMORY / (MEMORY + passed)
            sums = [
                np.minimum(old[5] * keep + arrived * arrived, _LARGEST),
                np.clip(old[6] * keep + arrived * moved, -_LARGEST, _LARGEST),
                np.minimum(old[7] * keep + moved * moved, _LARGEST),
            ]
        nothing = np.zeros(len(at))
        self.shared[at] = np.array(
            [
                time,
                value,
                total,
                np.where(going, first, nothing),
                np.where(going, second, nothing),
                *(np.where(going, new, kept) for new, kept in zip(sums, old[5:8], strict=True)),
                known.astype(np.float64),
            ]
        ).T

    def rise(self, rows: Rows) -> tuple[Bools, Floats, Floats]:
        """Tell of rows (intp[n]) whether a driver is believed, how far it moves them, and over what lag.

        Return bool[n]; f8[n, AHEAD], units after each eighth of the lag from the last reading; f8[n], seconds. Several
        drivers speak as much as each explains.
        """
        believed, rise, lag = np.zeros(len(rows), np.bool_), np.zeros((len(rows), AHEAD)), np.full(len(rows), LAG)
        for place in np.flatnonzero(self.driven[rows]).tolist():
            mine = np.flatnonzero(self.points == rows[place])
            _, _, _, first, second, arrived, answered, moved, fresh = self.shared[mine].T
            with np.errstate(all="ignore"):
                factor = answered / arrived
                explains = factor * (answered / moved)
            trusted = np.flatnonzero((fresh > 0.0) & (answered > 0.0) & (explains >= BELIEVED))
            if not len(trusted):
                continue
            believed[place] = True
            lag[place] = self.lag[mine[trusted]].max()
            shares = explains[trusted] / explains[trusted].sum()
            for pair, share in zip(trusted.tolist(), shares.tolist(), strict=True):
                told = first[pair] * ARRIVED[0] + second[pair] * ARRIVED[1]
                if self.lag[mine[pair]] != lag[place]:
                    stretch = lag[place] / self.lag[mine[pair]]
                    ahead = np.minimum(_PASSED * stretch, _PASSED[-1])
                    told = np.interp(ahead, np.append(0.0, _PASSED), np.append(0.0, told))
                rise[place] += share * factor[pair] * told
        return believed, rise, lag

    def shift(self, rows: Rows, seconds: Floats) -> None:
        """Move all times that rows (intp[n] without repeats) keep by `seconds` (f8[n]): their clock was set anew."""
        step = np.zeros(len(self._slot))
        step[rows] = seconds
        slots = self._slot[rows]
        self.sums[slots[slots >= 0], 0] += seconds[slots >= 0]
        self.shared[:, 0] += step[self.points]

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all arrays, with the rows that they stand for, enough for `restore`."""
        drivers = np.flatnonzero(self._slot >= 0)
        return {
            "drivers": drivers,
            "sums": self.sums[self._slot[drivers]],
            "brings": self._brings[self._slot[drivers]],
            "pairs": np.array([(one.point, one.driver) for one in self.drives], np.intp).reshape(-1, 2),
            "shared": self.shared.copy(),
        }

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what is known of the drivers and pairs that are here too.

        What a driver brought as another kind is no measure of what it brings now: it begins anew, and so do its pairs.
        """
        drivers = state["drivers"].tolist()
        meant = dict(zip(drivers, state["brings"].tolist(), strict=True)) if "brings" in state else {}
        kept = dict(zip(drivers, state["sums"], strict=True))
        here = {
            row: slot
            for row, slot in enumerate(self._slot.tolist())
            if slot >= 0 and meant.get(row, self._brings[slot]) == self._brings[slot]
        }
        for row, slot in here.items():
            if row in kept:
                self.sums[slot] = kept[row]
        pairs = dict(zip(map(tuple, state["pairs"].tolist()), state["shared"], strict=True))
        for place, one in enumerate(self.drives):
            if one.driver in here and (one.point, one.driver) in pairs:
                self.shared[place] = pairs[one.point, one.driver]


def brings(quantity: str, kind: str) -> Brings:
    """Tell what a driver's readings are from what the site says of it."""
    if kind == "counter":
        return "total"
    return "amounts" if quantity in RAIN else "level"
