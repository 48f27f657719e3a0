"""Time to a limit: how soon the rows of a bank reach it, by the soonest of what foresees it.

That is the damped trend (`models.trend`), with the daily swing where there is one (`models.season`), else with what
believed drivers bring (`models.driver`), and a creep's failure where rows are told to creep (`models.creep`); and
whatever these say, what comes if the value goes on as it does for the two readings that its slope is made of.
"""

from __future__ import annotations

from math import nan
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models import creep, driver, trend
from models.layout import AT, CREEPS, DRIFTING, MOVING, SLOW_AT, SWINGS
from models.parts import Parts
from models.scoring import BankSettings
from models.season import HOUR

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]


def marked(fields: Floats, mark: int) -> Bools:
    """Return whether rows (f8[n, FIELDS]) have a flag, bool[n]."""
    return np.asarray((fields[:, AT["flags"]].astype(np.intp) & mark) > 0, np.bool_)


def tempo_of(slow: Floats, settings: BankSettings) -> Floats:
    """Return the seconds that count as one reading of rows (f8[n, SLOW]), f8[n]."""
    return np.asarray(np.maximum(slow[:, SLOW_AT["interval"]], settings.least), np.float64)


class Foresight(NamedTuple):
    """Foresee crossings from what a bank's rows are; it changes nothing."""

    settings: BankSettings
    fields: Floats  # f8[rows, FIELDS]
    slow: Floats  # f8[rows, SLOW]
    parts: Parts
    drivers: driver.Drivers | None

    def reach(self, rows: Rows, limit: Floats, below: Bools, faster: float) -> Floats:
        """Return seconds (f8[n]) from each row's last reading until its value crosses `limit` (f8[n]).

        0 when the last reading is at or past it, inf when not within the horizon or when no movement stands out of the
        noise nor brings the next readings there (`_next`), nan while the trend is learning. `below` bool[n]: the limit
        is a floor. `faster`: times that movements are what they seem.
        """
        settings = self.settings
        fields = self.fields[rows]
        value, level, slope, drift = (fields[:, AT[name]] for name in ("last_value", "level", "slope", "drift"))
        tempo, moving = tempo_of(self.slow[rows], self.settings), marked(fields, MOVING)
        drifting = marked(fields, DRIFTING) & ~(moving & (slope * drift < 0.0))
        dies = trend.damped(slope, fields[:, AT["bend"]], settings.trend_reach)
        damping = dies * (faster * faster)
        slow = settings.drift_damping * (faster * faster)
        horizon = settings.trend_horizon
        time = tempo * np.minimum(
            trend.crossing(level, slope * faster, moving, limit, below, damping, horizon),
            trend.crossing(level, drift * faster, drifting, limit, below, slow, horizon),
        )
        swinging = marked(fields, SWINGS)
        away = np.where(below, slope > 0.0, slope < 0.0)  # such a slope is slower where all goes faster
        pace = np.where(away, 1.0 / faster, faster)
        speed = np.where(moving, slope * pace, 0.0)
        if self.drivers is not None:
            driven = np.flatnonzero(self.drivers.driven[rows] & ~swinging)
            if len(driven):
                some = rows[driven], speed[driven], pace[driven], limit[driven], below[driven], time[driven]
                time[driven] = self._driven(*some, faster)
        if marked(fields, SWINGS | CREEPS).any():
            swings = np.flatnonzero(swinging)
            lasting = (dies * (pace * pace))[swings]
            time[swings] = self._swing(rows[swings], speed[swings], lasting, limit[swings], below[swings], faster)
            creeps = np.flatnonzero(marked(fields, CREEPS))
            if len(creeps):
                left = np.where(below, value - limit, limit - value)[creeps]
                last = fields[creeps, AT["last_time"]]
                places, block = self.parts.find("creep", rows[creeps])
                failing = creep.failing(block[places], last, np.maximum(left, 0.0), ~below[creeps])
                time[creeps] = np.minimum(time[creeps], failing / faster)
        time = np.minimum(time, tempo * self._next(rows, slope * pace, limit, below))
        past = np.where(below, value <= limit, value >= limit)
        learning = np.isnan(value) | (fields[:, AT["trend_count"]] < settings.trend_learn)
        return np.where(learning, np.where(past, 0.0, nan), np.where(past, 0.0, time))

    def _next(self, rows: Rows, slope: Floats, limit: Floats, below: Bools) -> Floats:
        """Return steps until rows reach their limit as they go now, inf beyond the time constant of their slopes.

        A slope need not stand out of the noise for that, which is large where readings are few for what they follow: a
        tide read by the hour bends as far from one to the next as it moves.
        """
        fields, tempo = self.fields[rows], tempo_of(self.slow[rows], self.settings)
        swings = np.flatnonzero(marked(fields, SWINGS))
        if len(swings):
            seasons, last = self.parts.seasons, fields[swings, AT["last_time"]]
            places = self.parts.sized.at(rows[swings])
            slope = slope.copy()
            slope[swings] += seasons.at(places, last + tempo[swings]) - seasons.at(places, last)
        side = np.where(below, -1.0, 1.0)
        left, speed = side * (limit - fields[:, AT["last_value"]]), side * slope
        soon = (speed > 0.0) & (left <= speed * self.settings.trend_slope)
        return np.where(soon, left / np.where(soon, speed, 1.0), np.inf)

    def _driven(
        self, rows: Rows, slope: Floats, pace: Floats, limit: Floats, below: Bools, alone: Floats, faster: float
    ) -> Floats:
        """Return seconds until rows reach their limit by what their drivers bring; `alone` where none is believed."""
        assert self.drivers is not None
        settings, fields, tempo = self.settings, self.fields[rows], tempo_of(self.slow[rows], self.settings)
        believed, rise, lag = self.drivers.rise(rows)
        surer = 1.0 if faster == 1.0 else driver.SURER if faster > 1.0 else 1.0 / driver.SURER
        rise = rise * np.where((rise < 0.0) == below[:, None], surer, 1.0 / surer)  # so is what leads away
        ahead = np.arange(1, driver.AHEAD + 1) * (0.125 * lag)[:, None]
        damping = trend.damped(fields[:, AT["slope"]], fields[:, AT["bend"]], settings.trend_reach * driver.SHORTER)
        steps = trend.swinging(
            fields[:, AT["level"]],
            slope,
            damping * (pace * pace),
            np.zeros(len(rows)),
            rise,
            ahead / tempo[:, None],
            limit,
            below,
        )
        foreseen = np.where(steps <= settings.trend_horizon, steps * tempo, np.inf)
        return np.where(believed, foreseen, alone)

    def _swing(self, rows: Rows, slope: Floats, damping: Floats, limit: Floats, below: Bools, faster: float) -> Floats:
        """Return seconds until rows that swing daily reach their limit; their profile may be off by its usual error."""
        settings, fields, tempo = self.settings, self.fields[rows], tempo_of(self.slow[rows], self.settings)
        last = fields[:, AT["last_time"]]
        ahead = settings.swing_hours
        full = (np.floor(last / HOUR)[:, None] + np.arange(1, ahead + 1)) * HOUR
        spread = settings.swing_margin if faster == 1.0 else settings.swing_spread * (-1.0 if faster > 1.0 else 1.0)
        seasons, places = self.parts.seasons, self.parts.sized.at(rows)
        off = seasons.error(places) * spread
        steps = trend.swinging(
            fields[:, AT["level"]],
            slope,
            damping,
            seasons.at(places, last),
            seasons.ahead(places, last, ahead),
            (full - last[:, None]) / tempo[:, None],
            np.where(below, limit - off, limit + off),
            below,
        )
        return np.where(steps <= settings.trend_horizon, steps * tempo, np.inf)
