"""The bank: the early-warning state of every point of a partition as arrays, one pass scores a batch.

Three streams of each point are compared with the range that each has kept lately (`models.novelty`): the value, its
short mean, and the short mean's departure from the long one; a fourth, what the value leaves of its daily swing, where
there is one (`models.residual`). The largest novelty is calibrated against the point's own
past (`models.calibration`) to a score; a damped trend (`models.trend`) tells how soon a limit is reached. Everything is
elementwise and exact (`models.arithmetic`): how a sequence is cut into batches cannot change a bit of the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from math import inf, isfinite, isnan, nan
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from models import dataquality, driver
from models.arithmetic import ARRAYS, NOWHERE
from models.block import Bench, put
from models.budget import SLOWEST
from models.coded import Coded
from models.codes import COLUMNS, PLAIN, Codes
from models.eta import Foresight, marked, tempo_of
from models.guess import FIRST, WIDTH, Guess, Guesses
from models.guess import GAUGE as GUESSED_GAUGE
from models.layout import (
    AT,
    BEFORE_HIGHS,
    BEFORE_LOWS,
    CREEP_FIELDS,
    CREEPS,
    FIELDS,
    HIGHS,
    KIND,
    LOWS,
    REASON_FIELDS,
    RECENT,
    SLOW,
    SLOW_AT,
    STREAMS,
    SWINGS,
    modern,
)
from models.machine import Batch, Single
from models.onward import Columns, Said, Turns
from models.parts import Parts
from models.reason import DAY_ABOVE, DAY_BELOW, NOTHING, STOPPED, details_text, reason_text
from models.scoring import (
    ANGLE,
    COUNTER,
    DAY,
    GAUGE,
    LARGEST,
    STATE,
    SWITCH,
    BankSettings,
    assess,
    pace_of,
)
from models.shape import WORDS, Shape, coming
from models.usual import Told, Usual

__all__ = ["Bank", "BankResult", "BankSettings", "Kind"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Codes8 = npt.NDArray[np.uint8]
Kind = Literal["gauge", "counter", "switch", "angle", "state"]

KINDS: tuple[Kind, ...] = ("gauge", "counter", "switch", "angle", "state")
_FEW = 32  # up to this many usual readings one at a time is quicker than numpy's overhead (scripts/bench_models.py)
_OTHERS = 12  # the same of readings that are not usual ones: most are of codes
_MANY = 8192  # more is worked in pieces: from 16 384 on numpy asks the system anew for the memory of every step


class BankResult(NamedTuple):
    """Say what one call of `Bank.update` thinks of its readings, in the order of its rows."""

    score: Floats  # 0..1; 0.99: one reading in a hundred of this point is this surprising or more; 0 while learning
    alarm: Bools  # one early event: beyond the budget and beyond everything within the refractory
    reason: Codes8  # models.reason codes
    learning: Bools  # the baseline is not learnt: score is 0, never an alarm; show as learning, not as green
    gap: Bools  # the reading came after a gap


def _none(count: int) -> BankResult:
    """Return a result that says nothing of `count` readings, not to be written to."""
    calm = np.zeros(count, np.bool_)
    none = BankResult(np.zeros(count), calm, np.zeros(count, np.uint8), calm, calm)
    for array in none:
        array.flags.writeable = False
    return none


_NONE = [_none(count) for count in range(_FEW + 1)]
_CALM, _CALM_ONE = (False, NOTHING, False, False), _NONE[1][1:]


class Bank:
    """Score readings of many points; one row of the arrays is one point."""

    def __init__(self, settings: BankSettings | None = None) -> None:
        self.settings = settings or BankSettings()
        self._pace = pace_of(self.settings)
        self._parts = Parts()
        self._codes = Codes()
        self._guesses = Guesses()
        self.drivers: driver.Drivers | None = None  # of rows that others drive; their state is their own
        self._bench, self._slow_bench = Bench(_MANY, len(FIELDS)), Bench(_MANY, len(SLOW))
        self._take(np.empty((0, len(FIELDS))), np.empty((0, len(SLOW))))

    def _take(self, fields: Floats, slow: Floats) -> None:
        """Go on with these arrays of fields."""
        self._fields, self._slow = fields, slow
        self._usual = Usual(self.settings, fields, slow, self._parts)
        self._coded = Coded(self.settings, fields, slow, self._parts.reason, self._codes)

    def __len__(self) -> int:
        return len(self._fields)

    @property
    def code_bytes(self) -> int:
        """Return bytes of what is known of all coded rows, beside `row_bytes` each."""
        return self._codes.nbytes

    @property
    def row_bytes(self) -> int:
        """Return bytes of state a row in the mean: one of codes takes less, one that is watched for failing more."""
        return 8 * (len(FIELDS) + len(SLOW)) + 1 + -(-self._parts.nbytes // max(len(self), 1))

    def grow(self, rows: int) -> None:
        """Make room for at least `rows` rows; new ones are unlearnt gauges read every 60 s."""
        more = rows - len(self)
        if more > 0:
            self._parts.grow(more)
            self._guesses.grow(more)
            fields, slow = (np.tile(new, (more, 1)) for new in self._blank())
            self._take(np.concatenate([self._fields, fields]), np.concatenate([self._slow, slow]))

    def configure(
        self,
        row: int,
        *,
        interval: float = 60.0,
        kind: Kind = "gauge",
        period: float = 360.0,
        budget: float | None = None,
        creeps: bool = False,
        guess: Iterable[Guess] = (),
    ) -> None:
        """Tell a row its seconds between readings, kind, an angle's full circle, alarms a day, whether it creeps.

        Keeps what the row has learnt unless the kind changes. `budget` None is the settings' own. A row that may prove
        to be one of `guess` is what it was guessed to be, until then of `kind`. Raise ValueError on a bad interval,
        kind, period or budget.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}: one of {', '.join(KINDS)}")
        if not (isfinite(interval) and interval > 0.0 and isfinite(period) and period > 0.0):
            raise ValueError(f"interval and period must be positive numbers, not {interval} and {period}")
        budget = self.settings.alarms_per_day if budget is None else budget
        if not (isfinite(budget) and budget > 0.0):
            raise ValueError(f"the budget must be a positive number of alarms a day, not {budget}")
        self.grow(row + 1)
        self._guesses.ask(row, guess)
        kind = self._guesses.kind(row) or kind
        fields, slow = self._fields[row], self._slow[row]
        before = max(float(slow[SLOW_AT["budget"]]) / DAY, SLOWEST)
        last, spent = float(fields[AT["last_time"]]), float(slow[SLOW_AT["spent"]])
        if spent > last:  # what is owed is paid back at the new rate
            slow[SLOW_AT["spent"]] = last + (spent - last) * before / max(budget / DAY, SLOWEST)
        slow[SLOW_AT["budget"]] = budget
        if fields[AT["flags"]] // KIND != KINDS.index(kind):
            self._become(row, kind, interval, period, budget)
        flags = int(fields[AT["flags"]])
        fields[AT["flags"]] = (flags | CREEPS) if creeps else (flags & ~CREEPS)
        if creeps:
            self._parts.watch(np.array([row]))
        was, now = (max(each, self.settings.least) for each in (float(slow[SLOW_AT["interval"]]), interval))
        for name in ("slope", "drift"):
            fields[AT[name]] *= now / was  # slopes are kept per step
        fields[AT["bend"]] *= (now / was) * (now / was)
        slow[SLOW_AT["interval"]] = interval
        slow[SLOW_AT["period"]] = period

    def _become(self, row: int, kind: Kind, interval: float, period: float, budget: float) -> None:
        """Make a row one of another kind that has seen nothing."""
        self._fields[row], self._slow[row] = self._blank(interval, KINDS.index(kind), period, budget)
        self._parts.forget(row)
        self._codes.forget(row)

    def _guess(self, rows: Rows, time: Floats, value: Floats) -> None:
        """Show the readings of rows that no kind is declared of to those who guess."""
        at = np.flatnonzero(np.isin(self._guesses.stage[rows], (0, GUESSED_GAUGE), invert=True))
        for row, now, x in zip(rows[at].tolist(), time[at].tolist(), value[at].tolist(), strict=True):
            fields = self._fields[row]
            if not (abs(x) <= LARGEST and isfinite(now)) or now <= fields[0]:
                continue
            if self._guesses.see(row, float(fields[1]), x):
                kind, creeps = self._guesses.kind(row) or "gauge", int(fields[AT["flags"]]) & CREEPS
                self._become(row, kind, *self._slow[row, SLOW_AT["interval"] :].tolist())
                fields[AT["flags"]] += creeps
                if creeps:
                    self._parts.watch(np.array([row]))

    def guessed(self) -> dict[int, Guess]:
        """Return which rows were guessed to be no gauges, and what."""
        told = ((int(row), self._guesses.kind(int(row))) for row in np.flatnonzero(self._guesses.stage >= FIRST))
        return {row: kind for row, kind in told if kind}

    def update(self, rows: Rows, time: Floats, value: Floats) -> BankResult:
        """Score readings: rows intp[n] without repeats, time f8[n] unix seconds, value f8[n].

        A reading that is not finite or not later than its row's last is ignored: it scores 0 and changes nothing.
        """
        if self.drivers is not None:
            self.drivers.take(rows, time, value)
        if self._guesses.watched:
            self._guess(rows, time, value)
        count = len(rows)
        if count <= _FEW:
            return self._few(rows, time, value)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            if count <= _MANY:
                return self._many(rows, time, value)
            pieces = -(-count // _MANY)
            cuts = [count * piece // pieces for piece in range(pieces + 1)]
            parts = [self._many(rows[a:b], time[a:b], value[a:b]) for a, b in pairwise(cuts)]
            return BankResult(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def update_all(self, rows: Rows, time: Floats, value: Floats) -> tuple[Said, Rows]:
        """Score readings of rows that may repeat, in order of arrival: as `update` does in rounds, at less cost.

        Each reading is later than its row's last. Return what is said of each, and how many of its row came before it.
        """
        told, turn = Said.nothing(len(rows)), np.empty(len(rows), np.intp)
        plain = self._plain(rows, time, value)
        for alike in (True, False):
            at = np.flatnonzero(plain[rows] == alike)
            if len(at):
                turns, said = Turns(rows[at], len(self)), Said.nothing(len(at))
                order = at[turns.place]
                self._in_turn(turns, rows[order], time[order], value[order], said, alike=alike)
                turn[at] = turns.of
                told.put(order, said)
        return told, turn

    def _plain(self, rows: Rows, time: Floats, value: Floats) -> Bools:
        """Tell which rows all have of readings that have a size and can be scored, bool[rows]."""
        if self.drivers is not None or self._guesses.watched:
            return np.zeros(len(self), np.bool_)
        kind = np.floor(self._fields[:, AT["flags"]] / KIND)
        plain: Bools = (kind != SWITCH) & (kind != STATE)
        plain[rows[~((np.absolute(value) <= LARGEST) & (np.absolute(time) <= LARGEST))]] = False
        return plain

    def _in_turn(self, turns: Turns, rows: Rows, time: Floats, value: Floats, said: Said, *, alike: bool) -> None:
        """Score readings that are laid out in turn; `alike`: of plain rows. `said` is written."""

        def note(turn: int, start: int) -> None:
            part = slice(turns.edges[turn] + start, turns.edges[turn] + turns.sizes[turn])
            mine = rows[part]
            said.put(part, self.update(mine, time[part], value[part]))
            said.since[part] = self._fields[mine, AT["flat_since"]]
            low, high = self.outside
            said.low[part], said.high[part] = low[mine], high[mine]

        turn, last = 0, len(turns.sizes)
        while turn < last and not (alike and (self._fields[turns.mine[: turns.sizes[turn]], AT["seen"]] > 0.0).all()):
            note(turn, 0)
            turn += 1
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            for start in range(0, turns.sizes[turn] if turn < last else 0, _MANY):
                stop, at = min(start + _MANY, turns.sizes[turn]), turn
                blocks, benches = (self._fields, self._slow), (self._bench, self._slow_bench)
                columns = Columns(self.settings, self._pace, self._parts, benches, blocks, turns.mine[start:stop])
                while at < last and (count := min(turns.sizes[at], stop) - start) > _FEW:
                    part = slice(turns.edges[at] + start, turns.edges[at] + start + count)
                    more = turns.sizes[at + RECENT] - start if at + RECENT < last else 0
                    columns.take(time[part], value[part], said.part(part), max(more, 0))
                    at += 1
                columns.lay_back()
                while at < last and turns.sizes[at] > start:
                    note(at, start)
                    at += 1

    def _few(self, rows: Rows, time: Floats, value: Floats) -> BankResult:
        """Score readings one by one."""
        tell = self._usual.tell
        if len(rows) == 1:
            reading = rows.item(), time.item(), value.item()
            one = tell(*reading) or self._one(*reading)
            if one[1:] == _CALM:
                return BankResult(np.array(one[:1]), *_CALM_ONE)
            score, alarm, reason, learning, gap = (np.array([each]) for each in one)
            return BankResult(score, alarm, reason.astype(np.uint8), learning, gap)
        if not len(rows):
            return _NONE[0]
        readings = list(zip(rows.tolist(), time.tolist(), value.tolist(), strict=True))
        found = [tell(*each) for each in readings]
        others = [place for place, one in enumerate(found) if one is None]
        if len(others) > _OTHERS:
            at = np.array(others)
            with np.errstate(over="ignore", under="ignore", invalid="ignore"):
                part = self._many(rows[at], time[at], value[at])
            for place, one in zip(others, zip(*(column.tolist() for column in part), strict=True), strict=True):
                found[place] = one
        told = [one or self._one(*each) for one, each in zip(found, readings, strict=True)]
        scores, alarms, reasons, learnings, gaps = zip(*told, strict=True)
        none = _NONE[len(told)]  # most readings have nothing but a score
        return BankResult(
            np.array(scores),
            np.array(alarms) if any(alarms) else none.alarm,
            np.array(reasons, np.uint8) if any(reasons) else none.reason,
            np.array(learnings) if any(learnings) else none.learning,
            np.array(gaps) if any(gaps) else none.gap,
        )

    def _many(self, rows: Rows, time: Floats, value: Floats) -> BankResult:
        """Score a batch with the array machine."""
        fields = self._bench.take(self._fields, rows)
        slow = self._slow_bench.take(self._slow, rows)
        last, flags = fields[0], fields[AT["flags"]]
        dt = time - last
        usable = (np.absolute(value) <= LARGEST) & (dt > 0.0) & (dt < np.inf)
        if np.count_nonzero(usable) == len(rows) and not ARRAYS.some(flags >= KIND):  # gauges all, and begun
            return self._assess(rows, time, value, fields, slow, dt)
        usable = (np.absolute(value) <= LARGEST) & np.isfinite(time) & ~(time <= last) & ~(dt == np.inf)
        kind = np.floor(flags / KIND)
        coded = (kind == SWITCH) | (kind == STATE)
        noted = coded | ((kind == COUNTER) & np.isnan(last))
        whole = usable & ~noted
        if whole.all():
            return self._assess(rows, time, value, fields, slow, dt)
        result = BankResult(
            np.zeros(len(rows)),
            np.zeros(len(rows), np.bool_),
            np.zeros(len(rows), np.uint8),
            fields[AT["seen"]] < self.settings.warm_up,
            dataquality.gap(dt, slow[SLOW_AT["interval"]], self.settings.gap) & usable,
        )
        note = np.flatnonzero(usable & noted)
        if len(note):
            some = self._coded.note(rows[note], time[note], value[note], result.gap[note], coded[note])
            result.score[note], result.alarm[note], result.reason[note] = some
        at = np.flatnonzero(whole)
        if len(at):
            both = fields.take(at, axis=1), slow.take(at, axis=1)
            part = self._assess(rows[at], time[at], value[at], *both, dt[at])
            result.score[at], result.alarm[at], result.reason[at] = part.score, part.alarm, part.reason
            result.learning[at], result.gap[at] = part.learning, part.gap
        return result

    def _assess(self, rows: Rows, time: Floats, value: Floats, fields: Floats, slow: Floats, dt: Floats) -> BankResult:
        """Score readings that can be scored; `fields` f8[FIELDS, n] and `slow` f8[SLOW, n] are the work space."""
        seen = fields[AT["seen"]]
        if np.count_nonzero(seen) < len(rows):
            fresh = np.flatnonzero(seen == 0.0)
            self._size(rows[fresh])
            for place in fresh.tolist():
                self._begin(int(rows[place]), float(time[place]), float(value[place]))
            fields[:, fresh], slow[:, fresh] = (block[rows[fresh]].T for block in (self._fields, self._slow))
            dt = time - fields[0]
        batch = Batch(self._parts, rows, fields, slow, self._pace)
        columns = list(slow)
        outcome, slowly, told = assess(batch, self.settings, list(fields), columns, time, value, dt)
        self._bench.put(self._fields, rows, outcome)
        at = batch.moved()
        if len(at):
            for column, new in zip(columns, slowly, strict=True):
                if new is not column:
                    column[:] = new
            put(self._slow, rows.take(at), slow.take(at, axis=1).T.copy())
        return BankResult(told.score, told.alarm, told.reason, told.learning, told.gap)

    def _one(self, row: int, time: float, value: float) -> Told:
        """Score one reading, a usual one or not, with the scalar machine."""
        fields, slow = self._fields[row].tolist(), self._slow[row].tolist()
        last, seen, kind = fields[0], fields[AT["seen"]], fields[AT["flags"]] // KIND
        coded = kind in (SWITCH, STATE)
        if not (abs(value) <= LARGEST and isfinite(time)) or time <= last or time - last == inf:
            return 0.0, False, NOTHING, seen < self.settings.warm_up, False
        if coded or (kind == COUNTER and isnan(last)):
            score, alarm, reason, gap = self._coded.note_one(row, time, value, fields, slow, coded)
            return score, alarm, reason, seen < self.settings.warm_up, gap
        if seen == 0.0:
            self._size(np.array([row]))
            self._begin(row, time, value)
            fields, slow = self._fields[row].tolist(), self._slow[row].tolist()
        machine = Single(self._parts, row, self._pace)
        outcome, slowly, told = assess(machine, self.settings, fields, slow, time, value, time - fields[0])
        self._fields[row], self._slow[row] = outcome, slowly
        return told.score, told.alarm, told.reason, told.learning, told.gap

    def _size(self, rows: Rows) -> None:
        """Keep from now on what rows that have a size need."""
        if self._parts.size(rows):
            self._take(self._fields, self._slow)

    def _begin(self, row: int, time: float, value: float) -> None:
        """Start all streams of a row at its first scored reading."""
        fields, slow = self._fields[row], self._slow[row]
        interval, kind = float(slow[SLOW_AT["interval"]]), fields[AT["flags"]] // KIND
        if isnan(fields[AT["last_time"]]):
            fields[AT["last_time"]] = time - interval
            fields[AT["last_value"]] = value
            fields[AT["flat_since"]] = time
        x = value
        if kind == COUNTER:
            step = max(value - float(fields[AT["last_value"]]), 0.0)
            x = step * interval / (time - float(fields[AT["last_time"]]))
        elif kind == ANGLE:
            slow[SLOW_AT["reference"]] = value
            x = 0.0
        x += 0.0  # no negative zero
        fields[AT["short"]] = fields[AT["long"]] = x
        for name, start in zip(STREAMS, (x, x, 0.0), strict=True):
            fields[AT[f"{name}_low"]] = fields[AT[f"{name}_high"]] = start
        slow[SLOW_AT["turned"]] = slow[SLOW_AT["turned_before"]] = time
        fields[AT["level"]] = value
        rate = max(float(slow[SLOW_AT["budget"]]) / DAY, SLOWEST)
        slow[SLOW_AT["spent"]] = time + max(self.settings.owed_first / rate - self.settings.owed_free, 0.0)

    def shift(self, rows: Rows, seconds: Floats) -> None:
        """Move all times that rows (intp[n] without repeats) keep by `seconds` (f8[n]): their clock was set anew."""
        for name in ("last_time", "flat_since"):
            self._fields[rows, AT[name]] += seconds
        for name in ("turned", "turned_before", "peak_time", "beyond_time", "spent"):
            self._slow[rows, SLOW_AT[name]] += seconds
        for name in ("time", "since"):
            self._parts.reason[rows, REASON_FIELDS.index(name)] += seconds
        self._parts.seasons.shift(self._parts.sized.at(rows), seconds)
        for row, moved in zip(rows.tolist(), seconds.tolist(), strict=True):
            self._codes.shift(row, moved)
        for name in ("since", "time"):
            places, at = self._parts.creeping.of[rows], CREEP_FIELDS.index(name)
            column = self._parts.creep[places, at]
            self._parts.creep[places, at] = np.where(column > 0.0, column + seconds, column)
        if self.drivers is not None:
            self.drivers.shift(rows, seconds)

    def drive(self) -> None:
        """Let what drivers brought work on the rows that they drive; called on ticks, see `models.driver`."""
        if self.drivers is not None:
            self.drivers.step(self.last_time, self.last_value, tempo_of(self._slow, self.settings))

    def eta(self, rows: Rows, limit: Floats, below: Bools) -> Floats:
        """Return seconds (f8[n]) from each row's last reading until its value crosses `limit` (f8[n]).

        0 when the last reading is at or past it, inf when not within the horizon or when no movement stands out of the
        noise nor brings the next two readings there, nan while the trend is learning. `below` bool[n]: the limit is a
        floor. See `models.eta`.
        """
        return self._reach(rows, limit, below, 1.0)

    def eta_range(self, rows: Rows, limit: Floats, below: Bools) -> tuple[Floats, Floats]:
        """Return the soonest and the latest `eta` (f8[n] each), between which it lies about eight times in ten."""
        spread = self.settings.trend_spread
        soonest, latest = self._reach(rows, limit, below, spread), self._reach(rows, limit, below, 1.0 / spread)
        swings = np.flatnonzero(marked(self._fields[rows], SWINGS))
        if len(swings):  # one may miss a peak of the swing that the other meets
            eta = self._reach(rows[swings], limit[swings], below[swings], 1.0)
            soonest[swings], latest[swings] = np.fmin(soonest[swings], eta), np.fmax(latest[swings], eta)
        return soonest, latest

    def _reach(self, rows: Rows, limit: Floats, below: Bools, faster: float) -> Floats:
        """Return eta if movements are `faster` times what they seem."""
        foresight = Foresight(self.settings, self._fields, self._slow, self._parts, self.drivers)
        return foresight.reach(rows, limit, below, faster)

    @property
    def last_time(self) -> Floats:
        """Return times of last readings, f8[rows], unix seconds; NaN before the first."""
        return self._fields[:, AT["last_time"]]

    @property
    def last_value(self) -> Floats:
        """Return last values, f8[rows]; NaN before the first."""
        return self._fields[:, AT["last_value"]]

    @property
    def flat_since(self) -> Floats:
        """Return times of the readings since which values have not changed, f8[rows]; NaN before the first.

        They move on over a gap: see `models.dataquality.flat_since`.
        """
        return self._fields[:, AT["flat_since"]]

    def stuck(self, rows: Rows) -> Bools:
        """Return whether rows' values have stood still for far longer than they ever did lately, bool[n]."""
        fields, settings = self._fields[rows], self.settings
        flat = fields[:, AT["last_time"]] - fields[:, AT["flat_since"]]
        interval = self._slow[rows, SLOW_AT["interval"]]
        least = np.maximum(settings.stuck * fields[:, AT["flat_longest"]], settings.stuck_intervals * interval)
        kind = np.floor(fields[:, AT["flags"]] / KIND)
        sized = (kind != SWITCH) & (kind != STATE)  # a code may stand for ever
        return np.asarray((flat > least) & sized & (fields[:, AT["seen"]] >= settings.warm_up), np.bool_)

    @property
    def outside(self) -> tuple[Floats, Floats]:
        """Return the ranges, f8[rows] each, that rows' last surprising readings were below or above."""
        reason = self._parts.reason
        return reason[:, REASON_FIELDS.index("low")], reason[:, REASON_FIELDS.index("high")]

    @property
    def reach(self) -> Floats:
        """Return how wide the range is that each row's values have kept lately, f8[rows]; 0 before the first."""
        low, high = (self._fields[:, AT[name]] for name in ("value_low", "value_high"))
        before_low, before_high = (self._slow[:, SLOW_AT[name]] for name in ("value_before_low", "value_before_high"))
        return np.asarray(np.maximum(np.maximum(high, before_high) - np.minimum(low, before_low), 0.0), np.float64)

    def deviation(self, rows: Rows) -> Floats:
        """Return how far rows' last values are from what is usual at their hour, f8[n], units; NaN until that is known.

        Usual is the mean of the last 24 hours, and where the row swings daily the day's profile on top of it.
        """
        fields = self._fields[rows]
        sized = (fields[:, AT["flags"]] // KIND == GAUGE) & ~np.isnan(fields[:, AT["last_time"]])
        seasons, places = self._parts.seasons, self._parts.sized.at(rows)
        swing = np.where(
            marked(fields, SWINGS), seasons.at(places, np.where(sized, fields[:, AT["last_time"]], 0.0)), 0.0
        )
        return np.where(sized, fields[:, AT["last_value"]] - (seasons.mean(places) + swing), np.nan)

    @property
    def budget(self) -> Floats:
        """Return the early events a day that each row may raise while quiet, f8[rows]."""
        return self._slow[:, SLOW_AT["budget"]]

    @property
    def rate(self) -> Floats:
        """Return the trend's slope, f8[rows], units a second; 0 until learnt."""
        return self._fields[:, AT["slope"]] / tempo_of(self._slow, self.settings)

    def reason_text(self, row: int, language: str = "en") -> str:
        """Say why the row's last surprising reading was surprising ('' if none), in "en" or "zh-CN".

        While that is its last reading: how far outside the range, for how long, and in what shape it came, too.
        """
        code, time, value, low, high, since, score = self._parts.reason[row].tolist()
        told = reason_text(
            int(code), value=value, low=low, high=high, span=time - since, score=score, language=language
        )
        fields = self._fields[row]
        if time != fields[AT["last_time"]]:
            return told  # readings since then say nothing of that one
        if code in (DAY_ABOVE, DAY_BELOW):  # what came about in weeks has no shape in the last readings
            return told + details_text(int(code), value=value, low=low, high=high, language=language)
        lasted, interval = float(fields[AT["stay_lasted"]]), float(self._slow[row, SLOW_AT["interval"]])
        shape = self.shape(row)
        return told + details_text(
            int(code), value=value, low=low, high=high,
            lasted=lasted if lasted >= 2.0 * interval and code != STOPPED else 0.0,
            shape="" if shape == "unclear" else WORDS[shape]["zh" if language.startswith("zh") else "en"],
            language=language,
        )  # fmt: skip

    def shape(self, row: int) -> Shape:
        """Name how a row's last value came about from the few before it: a frozen one, or `models.shape.coming`.

        Of a counter only that it is frozen is told: it always rises. An angle wraps, a code has no size.
        """
        fields = self._fields[row]
        kind = fields[AT["flags"]] // KIND
        if kind in (GAUGE, COUNTER) and self.stuck(np.array([row]))[0]:
            return "freeze"
        if kind != GAUGE:
            return "unclear"
        seen = int(fields[AT["seen"]])
        recent = self._parts.recent[self._parts.sized.of[row]]
        steps = np.roll(recent, -(seen % RECENT))[:0:-1].astype(np.float64)  # the latest first
        with np.errstate(invalid="ignore"):
            before = fields[AT["last_value"]] - np.add.accumulate(steps)
        values = np.append(fields[AT["last_value"]], before)[:seen]
        return coming(values[np.isfinite(values)][::-1])

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all arrays, enough for `restore`."""
        return {
            "fields": self._fields.copy(),
            "slow": self._slow.copy(),
            **self._parts.state(),
            "codes": self._codes.state(),
            "stage": self._guesses.stage[:, None].copy(),
            "guesses": self._guesses.state(),
        }

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what `state` returned, of an older layout too. Raise ValueError on arrays of another one.

        What an older one lacks begins as in a new row: see `models.layout`.
        """
        mine = Bank().state()
        state = modern(state, np.concatenate(self._blank()))
        rows = len(state["fields"]) if "fields" in state else 0
        listed = {name: state.get(name, mine.pop(name)) for name in ("codes", "guesses")}  # not in older states
        for (name, lines), widths in zip(listed.items(), ((COLUMNS, PLAIN), (WIDTH,)), strict=True):
            if lines.ndim != 2 or lines.shape[1] not in widths:
                raise ValueError(f"not the state of a bank of this layout: {name}")
        for name, empty in mine.items():
            array = state.get(name)
            if array is None or array.shape != (rows, empty.shape[1]) or array.dtype != empty.dtype:
                raise ValueError(f"not the state of a bank of this layout: {name}")
        kind = np.floor(state["fields"][:, AT["flags"]] / KIND)
        sized = (state["fields"][:, AT["seen"]] > 0.0) & (kind != SWITCH) & (kind != STATE)
        self._parts = Parts()
        self._parts.take(state, sized, marked(state["fields"], CREEPS))
        self._codes.restore(listed["codes"])
        if len(self._guesses.stage) != rows or state["stage"].any():
            self._guesses.restore(state["stage"][:, 0].copy(), listed["guesses"])
        self._take(state["fields"].copy(), state["slow"].copy())

    def _blank(
        self, interval: float = 60.0, kind: int = 0, period: float = 360.0, budget: float | None = None
    ) -> tuple[Floats, Floats]:
        """Return the fields of a row that has seen nothing, and the slow ones."""
        fields, slow = np.zeros(len(FIELDS)), np.zeros(len(SLOW))
        fields[:3] = nan
        fields[AT["often"]] = fields[AT["seldom"]] = 1.0
        fields[AT["flags"]] = KIND * kind
        fields[LOWS], fields[HIGHS] = NOWHERE, -NOWHERE
        slow[BEFORE_LOWS], slow[BEFORE_HIGHS] = NOWHERE, -NOWHERE
        for name in ("peak_time", "beyond_time", "spent"):
            slow[SLOW_AT[name]] = -NOWHERE
        budget = self.settings.alarms_per_day if budget is None else budget
        slow[SLOW_AT["interval"] :] = interval, period, budget
        return fields, slow
