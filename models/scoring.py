"""One reading's way through the detectors: what `models.bank` does to every row that a batch touches.

Written once for both machines of `models.arithmetic`. Most fields are read and written at every reading; those of rare
happenings (a stay outside the old range, the reason of a surprise) live apart and are touched only where they matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from models import calibration, creep, dataquality, novelty, residual, season, trend
from models.arithmetic import Arithmetic, Column
from models.budget import enough, owed, spend

DAY = 86400.0
GAUGE, COUNTER, SWITCH, ANGLE, STATE = range(5)
CREEPS, SWINGS = 1.0, 2.0  # marks of a row, added: it is watched for failing, it has a daily swing
LARGEST = 1e100  # beyond this a value is not a measurement, and differences could overflow
RAREST = 0.01  # an alarm is never more than one in so many readings, whatever the budget
SECOND = 1.0  # of time: readings that come faster share the odds of one, or a burst of them would tell of each
RECENT = 12  # last values that a row keeps, for what shape a surprise has
TELLING = 0.99  # from this score on the reason is kept, as is that of every alarm


class BankSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold the one parameter set for all points. Times are seconds, or expected intervals of the point."""

    alarms_per_day: float = 0.03  # early events a day of a quiet point that has no budget of its own
    warm_up: int = 100  # readings before the baseline counts as learnt
    generation: float = 7 * DAY  # memory of ranges turns over after this long ...
    generation_intervals: float = 4000.0  # ... and this many intervals: it reaches back one to two turns
    short: float = 30.0  # readings in the short mean
    long: float = 300.0  # readings in the long mean
    refractory: float = 75.0  # intervals in which only something larger is a new event
    settle: float = DAY  # a stay outside the old range for this long ...
    settle_intervals: float = 300.0  # ... and this many intervals makes a new range
    tail_scale: float = 0.02  # excess, in ranges, at which the tail has fallen to a quarter
    tail_young: float = 200.0  # readings at which an alarm asks for twice the excess: a young range still grows
    owed_free: float = 75 * DAY  # what is to be paid back within so long asks for nothing more of an alarm ...
    owed_most: float = 7.0  # ... and no more than so many alarms count beyond it
    owed_first: float = 2.0  # alarms that a new row owes, less what is free: a small budget is not spent at once
    certain: float = 1.2  # excess, in ranges, that is an alarm whatever is owed
    lone: float = 1.5  # intervals that a stay outside lasts at most to be a lone spike ...
    lone_reach: float = 2.0  # ... of which the range keeps no more beyond itself than so many times its width
    memory: float = 4000.0  # readings at which the tail's counts are halved
    ranks: float = 500.0  # the same of the ranks' counts: places in a range that has grown since say little of now
    least: float = 60.0  # seconds: sampling faster than this does not make the world faster (budget, refractory, trend)
    stuck: float = 3.0  # times the longest that the value stood still before, that make a stuck point ...
    stuck_intervals: float = 30.0  # ... if it is as many intervals too
    gap: float = 5.0  # intervals without a reading that make a gap
    trend_level: float = 0.5  # intervals over which the trend's level follows
    trend_slope: float = 2.0  # intervals over which its slope follows
    trend_damping: float = 24.0  # intervals over which its slope dies out when nothing keeps it up
    trend_bend: float = 4.0  # intervals over which the change of its slope is averaged
    trend_reach: float = 36.0  # intervals over which a forecast's slope dies out, sooner where it is seen to fall
    trend_spread: float = 2.0  # an interval reaches from half the slope to twice, and its square in damping
    drift_slope: float = 24.0  # the same two of the slow slope
    drift_damping: float = 288.0
    swing_hours: int = 48  # hours that a daily profile is looked ahead
    swing_margin: float = 0.5  # of its root mean square error that a daily peak must pass the limit by: two in three do
    swing_spread: float = 1.28  # of its root mean square error: eight times in ten
    trend_noise: float = 50.0  # intervals over which its error is averaged
    trend_horizon: float = 288.0  # intervals (of at least `least`) beyond which eta is inf
    trend_learn: int = 10  # readings before eta is told
    trend_enter: float = 2.0  # slope counts as moving from this many times the noise ...
    trend_leave: float = 1.0  # ... until it falls below this many


FIELDS = (
    *("last_time", "last_value", "flat_since", "interval", "kind", "period", "seen", "turned", "turned_before"),
    *("reference", "short", "long"),
    *("value_low", "value_high", "value_before_low", "value_before_high"),
    *("short_low", "short_high", "short_before_low", "short_before_high"),
    *("change_low", "change_high", "change_before_low", "change_before_high"),
    *("level", "slope", "drift", "noise", "trend_count", "moving", "drifting", "bend"),
    *("events", "readings", "peak", "peak_time", "stay_lasted", "beyond_time", "marks"),
    *("often", "seldom", "budget", "flat_longest", "spent"),
)
BOUNDS = slice(12, 24)  # of FIELDS: what three streams remember
STAY_FIELDS = novelty.Stay._fields
CREEP_FIELDS = creep.Creep._fields
REASON_FIELDS = ("code", "time", "value", "low", "high", "since", "score")


class Machine(Protocol):
    """Do what differs between a batch and a single reading."""

    @property
    def op(self) -> type[Arithmetic]:
        """Return the arithmetic to use."""

    def compare(
        self, bounds: list[Column], over: Column, streams: tuple[Column, Column, Column], centre: Column, least: Column
    ) -> tuple[novelty.Novelty, list[Column]]:
        """Compare a row's streams with their ranges (three times the fields of `novelty.Memory`), then remember them.

        `over`: a new generation begins. `centre` is where value and short mean usually are; the change is about 0.
        `least`: how narrow a range can be.
        Return the news with one item a stream in each of its fields, and the bounds after it.
        """

    def count(self, place: Column, excess: Column, counted: Column) -> tuple[Column, Column]:
        """Return how many earlier readings were at least as surprising, and how many in all; then count it."""

    def halve(self, full: Column) -> None:
        """Halve the counts where `full`."""

    def depart(self, where: Column, time: Column, value: Column, over: Column) -> residual.Departure:
        """Hold values against what is usual at their hour, and remember the residuals; all 0 but where `where`."""

    def swing(self, where: Column, time: Column) -> Column:
        """Return the daily profile at `time` where it is used, 0 elsewhere."""

    def season(self, time: Column, last: Column, value: Column, swings: Column) -> tuple[Column, Column]:
        """Learn the daily profile at the first reading of an hour; return which rows swing and the profile in use."""

    def rarely(
        self, part: str, where: Column, work: Callable[..., tuple[tuple[Column, ...], list[Column]]],
        change: list[Column], settings: BankSettings, *given: Column,
    ) -> list[Column]:  # fmt: skip
        """Do `work(op, fields of part, change, settings, *given) -> (fields, change)` only `where`.

        Return `change` for all; what was given as `change` may have been changed.
        """

    def keep(self, seen: Column, value: Column) -> None:
        """Keep the value of reading number `seen` among the row's last ones."""

    def explain(
        self, telling: Column, alarm: Column, time: Column, since: Column, score: Column,
        streams: tuple[Column, ...], news: novelty.Novelty, daily: residual.Departure,
    ) -> Column:  # fmt: skip
        """Keep why readings were surprising where `telling`; return the codes for all (0 elsewhere).

        An alarm within the range of now is by the range that was left: a creep takes its range along.
        """


class Told(NamedTuple):
    """Say what is thought of a reading: see `models.bank.BankResult`."""

    score: Column
    alarm: Column
    reason: Column
    learning: Column
    gap: Column


def assess(
    machine: Machine, settings: BankSettings, fields: list[Column], time: Column, value: Column
) -> tuple[tuple[Column, ...], Told]:
    """Return a row's new fields (order of FIELDS) and what is told of its reading.

    The row has begun (`models.bank` starts it), `time` is after its last reading, `value` is finite.
    """
    op = machine.op
    last_time, last_value, flat_since, interval, kind, period, seen, turned, turned_before = fields[:9]
    reference, short, long = fields[9:12]
    line = trend.Trend(*fields[24:32])
    peaks = calibration.Peaks(*fields[32:36])
    lasted, beyond_time, marks = fields[36:39]
    factors, budget, flat_longest, spent = calibration.Hold(*fields[39:41]), *fields[41:44]

    dt = time - last_time
    gap = dataquality.gap(dt, interval, settings.gap)
    flat_longest = op.where(value == last_value, flat_longest, op.most(flat_longest, last_time - flat_since))
    flat_since = dataquality.flat_since(op, flat_since, time, dt, value, last_value, gap)
    value = value + 0.0  # no negative zero, so that equal means equal to the bit
    learning = seen < settings.warm_up
    learnt = op.negate(learning)
    tempo = op.most(interval, settings.least)

    x, restart, least = value, gap, novelty.narrowest(op, value)
    if op.some(kind):  # some are no gauges
        x, reference, broken = _quantity(op, settings, kind, value, last_value, dt, interval, reference, period, short)
        least = op.where(kind == COUNTER, novelty.narrowest(op, x), least)  # an angle's turn has the angle's last bits
        restart = op.either(restart, broken)

    over = time - turned >= op.most(interval * settings.generation_intervals, settings.generation)
    start = 1.0 / (seen + 1.0)
    # a burst's first reading after a pause is no mean of many
    steps = op.least(dt / interval, op.where(interval < settings.least, settings.gap, novelty.NOWHERE))
    to_short, to_long = op.gains(steps, (0.5 * (settings.short - 1.0), 0.5 * (settings.long - 1.0)))
    short = short + (x - short) * op.most(to_short, start)
    long = long + (x - long) * op.most(to_long, start)
    streams = (x, short, short - long)
    news, bounds = machine.compare(fields[BOUNDS], over, streams, long, least)
    if op.some(over):
        turned_before = op.where(over, turned, turned_before)
        turned = op.where(over, time, turned)
        flat_longest = op.where(over, flat_longest * 0.5, flat_longest)

    excess = op.most(op.most(news.excess[0], news.excess[1]), news.excess[2])
    place = op.most(op.most(news.place[0], news.place[1]), news.place[2])
    daily = machine.depart(marks >= SWINGS, time, value, over) if op.some(marks) else residual.NO_DEPARTURE
    if op.some(daily.excess > 0.0):
        daily = daily._replace(excess=op.where(kind == GAUGE, daily.excess, 0.0))
        excess = op.most(excess, daily.excess)
    at_or_above, total = machine.count(place, excess, learnt)
    share, alarm = calibration.rank(op, at_or_above, total), excess < 0.0  # none yet
    outside = op.both(learnt, op.either(excess > 0.0, lasted > 0.0))
    if op.some(outside):
        settled = excess < 0.0  # none yet
        alone = excess < 0.0
        change = [share, beyond_time, alarm, settled, lasted, peaks.events, peaks.peak, peaks.since, spent, alone]
        share, beyond_time, alarm, settled, lasted, events, peak, since, spent, alone = machine.rarely(
            "stay", outside, _outside, change, settings, *streams, news.low[0], news.high[0], dt, interval,
            peaks.readings, excess, time, turned_before, start, tempo, budget, least,
        )  # fmt: skip
        peaks = calibration.Peaks(events, peaks.readings, peak, since)
        if op.some(settled):
            bounds = machine.rarely("stay", settled, _settle, bounds, settings)
            lasted = op.where(settled, 0.0, lasted)
        if op.some(alone):
            bounds[:4] = machine.rarely("stay", alone, _trim, bounds[:4], settings)
    peaks = calibration.passed(op, peaks, settings.memory)
    full = total >= settings.ranks
    if op.some(full):
        machine.halve(full)
    held, factors = calibration.hold(op, factors, share, learning)
    score = 1.0 - held
    if op.some(learning):
        score = op.where(learning, 0.0, score)

    line, marks = _foresee(machine, settings, line, dt / tempo, time, last_time, value, restart, marks, daily.swing)

    machine.keep(seen, value)
    telling = op.either(score >= TELLING, alarm)
    reason = machine.explain(telling, alarm, time, turned_before, score, streams, news, daily)

    new = (
        *(time, value, flat_since, interval, kind, period, seen + 1.0, turned, turned_before, reference, short, long),
        *(*bounds, *line, *peaks, lasted, beyond_time, marks),
        *(*factors, budget, flat_longest, spent),
    )
    return new, Told(score, alarm, reason, learning, gap)


def pace_of(settings: BankSettings) -> trend.Pace:
    """Gather what sets a trend's pace."""
    return trend.Pace(
        settings.trend_level,
        settings.trend_slope,
        settings.trend_damping,
        settings.drift_slope,
        settings.trend_noise,
        settings.trend_bend,
        settings.trend_enter,
        settings.trend_leave,
    )


def _foresee(
    machine: Machine, settings: BankSettings, line: trend.Trend, elapsed: Column, time: Column, last: Column,
    value: Column, restart: Column, marks: Column, swing: Column,
) -> tuple[trend.Trend, Column]:  # fmt: skip
    """Move on what foresees a limit: the trend of the value without its daily swing, that swing, a creep's speed."""
    op = machine.op
    pace = pace_of(settings)
    if plain := not op.some(marks):
        line = trend.advance(op, line, pace, elapsed, value, restart)
    else:
        line = trend.advance(op, line, pace, elapsed, value - swing, restart)
    if op.some(season.hour(op, time) != season.hour(op, last)):
        swings = marks >= SWINGS
        now, profile = machine.season(time, last, line.level + swing, swings)
        line = line._replace(level=line.level + (swing - profile))
        creeps = op.where(marks - op.where(swings, SWINGS, 0.0) > 0.0, CREEPS, 0.0)
        restart = op.either(restart, now != swings)
        marks = creeps + op.where(now, SWINGS, 0.0)
    if not plain:
        creeps = op.either(marks == CREEPS, marks > SWINGS)
        machine.rarely("creep", creeps, _creep, [], settings, time, line.level, line.noise, restart)
    return line, marks


def _quantity(
    op: type[Arithmetic], settings: BankSettings, kind: Column, value: Column, last_value: Column, dt: Column,
    interval: Column, reference: Column, period: Column, usual: Column,
) -> tuple[Column, Column, Column]:  # fmt: skip
    """Return the quantity that is scored, the angle's reference, and where the value broke off (reset, wrap).

    A counter is scored by its increments per interval (at a reset, when that is not known, by the `usual` one), an
    angle by its turn from where it usually points.
    """
    counts, angle = kind == COUNTER, kind == ANGLE
    turn = dataquality.turned(op, value, reference, period)
    moved = reference + turn * (dt / (dt + interval * (0.5 * (settings.long - 1.0))))
    moved = op.where(moved >= period, moved - period, op.where(moved < 0.0, moved + period, moved))
    jump = value - last_value
    counted = op.where(jump < 0.0, usual, jump * interval / dt)
    broken = op.either(op.both(counts, jump < 0.0), op.both(angle, op.size(jump) > 0.5 * period))
    x = op.where(counts, counted, op.where(angle, turn, value)) + 0.0
    return x, op.where(angle, moved, reference), broken


def _outside(
    op: type[Arithmetic], stay: tuple[Column, ...], change: list[Column], settings: BankSettings, value: Column,
    short: Column, departure: Column, low: Column, high: Column, elapsed: Column, interval: Column, readings: Column,
    excess: Column, time: Column, turned_before: Column, start: Column, tempo: Column, budget: Column,
    least: Column,
) -> tuple[tuple[Column, ...], list[Column]]:  # fmt: skip
    """Judge learnt readings outside a range, or of a stay outside the old one: early events, and how long they stay."""
    rank, beyond_time, alarm, settled, lasted, events, peak, since, spent, alone = change
    before = lasted
    step = op.least(elapsed, interval * settings.gap)
    stay, lasted, away = stay_on(op, stay, lasted, value, short, departure, low, high, step, least)
    settled = lasted >= op.most(interval * settings.settle_intervals, settings.settle)
    alone = op.both(lasted == 0.0, op.both(before > 0.0, before <= interval * settings.lone))
    if op.some(alone):  # and so far out that the range must be told
        low, high, lowest, highest = stay[:4]
        far = (high - low) * settings.lone_reach
        alone = op.both(alone, op.either(highest > high + far, lowest < low - far))

    refractory = settings.refractory * tempo
    share, event, peaks = calibration.peaks_over(
        op, calibration.Peaks(events, readings, peak, since), excess, time, refractory
    )
    tailed = op.where(event, calibration.tail(share, excess, settings.tail_scale), 1.0)
    # A creep takes its range along: once a day is known, what counts for an alarm is the range before the stay began.
    young = settings.tail_young * op.most(start, 1.0 / (1.0 + (time - turned_before) / tempo))
    utmost = op.most(excess, op.where(time - turned_before >= settings.settle, away, 0.0))
    rate, scale = budget / DAY, settings.tail_scale * (1.0 + young * young)
    owes = owed(op, spent, time, rate, settings.owed_free, settings.owed_most)
    asked = op.least(tempo * rate * op.least(elapsed, SECOND), RAREST)
    beyond = enough(op, share, utmost, scale, asked, owes, settings.certain)
    alarm = op.both(beyond, time - beyond_time > refractory)
    spent = spend(op, spent, time, rate, alarm, settings.owed_most)
    beyond_time = op.where(beyond, time, beyond_time)
    rank = op.least(rank, tailed)
    return stay, [rank, beyond_time, alarm, settled, lasted, peaks.events, peaks.peak, peaks.since, spent, alone]


def _settle(
    op: type[Arithmetic], stay: tuple[Column, ...], bounds: list[Column], _: BankSettings
) -> tuple[tuple[Column, ...], list[Column]]:
    """Make the ranges of a long stay the memory, and forget what was before."""
    nothing = bounds[0] * 0.0 + novelty.NOWHERE
    return stay, [bound for at in (2, 4, 6) for bound in (stay[at], stay[at + 1], nothing, -nothing)]


def _trim(
    op: type[Arithmetic], stay: tuple[Column, ...], bounds: list[Column], settings: BankSettings
) -> tuple[tuple[Column, ...], list[Column]]:
    """Keep of a lone spike no more in the value's range than `lone_reach` of the range before it."""
    return stay, [*novelty.trim(op, novelty.Memory(*bounds), stay[0], stay[1], settings.lone_reach)]


def stay_on(
    op: type[Arithmetic], fields: tuple[Column, ...], lasted: Column, value: Column, short: Column, change: Column,
    low: Column, high: Column, step: Column, least: Column,
) -> tuple[tuple[Column, ...], Column, Column]:  # fmt: skip
    """Follow a stay outside the old range: return it, how long it has lasted, and how far outside the value is."""
    stay, lasted = novelty.follow(op, novelty.Stay(*fields), (value, short, change), low, high, lasted, step)
    return stay, lasted, novelty.outside(op, value, stay.low, stay.high, least)


def _creep(
    op: type[Arithmetic], fields: tuple[Column, ...], change: list[Column], _: BankSettings, *given: Column
) -> tuple[tuple[Column, ...], list[Column]]:
    """Follow a creep."""
    return creep.follow(op, fields, *given)[0], change
