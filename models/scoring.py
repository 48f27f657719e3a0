"""One reading's way through the detectors: what `models.bank` does to every row that a batch touches.

Written once for both machines of `models.arithmetic`. Most fields are read and written at every reading; those of rare
happenings (a stay outside the old range, the reason of a surprise) live apart and are touched only where they matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from models import calibration, creep, dataquality, novelty, residual, season, trend
from models.arithmetic import NOWHERE, Arithmetic, Column
from models.budget import enough, owed, spend
from models.layout import CREEPS, DRIFTING, KIND, MOVING, SWINGS
from models.reason import DAY_ABOVE, DAY_BELOW, STOPPED
from models.wander import APART, Wander

DAY = 86400.0
GAUGE, COUNTER, SWITCH, ANGLE, STATE = range(5)
LARGEST = 1e100  # beyond this a value is not a measurement, and differences could overflow
RAREST = 0.01  # an alarm is never more than one in so many readings, whatever the budget
SECOND = 1.0  # of time: readings that come faster share the odds of one, or a burst of them would tell of each
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
    worse: float = 8.0  # times the largest excess of its cluster that a certain one must be to alarm once more
    stands: float = 5.0  # readings faster than `least` outside the range that are no spikes: heavy tails do not stand
    walk: float = 8.0  # times as far as a trend or a random walk would have led: at 5 SKAB's temperatures raise alarms
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


class Machine(Protocol):
    """Do what differs between a batch and a single reading."""

    @property
    def op(self) -> type[Arithmetic]:
        """Return the arithmetic to use."""

    @property
    def pace(self) -> trend.Pace:
        """Return the trend's pace."""

    def compare(
        self, bounds: list[Column], over: Column, streams: tuple[Column, Column, Column], centre: Column, least: Column
    ) -> tuple[novelty.News, list[Column]]:
        """Compare a row's streams with their ranges, then remember them.

        `bounds`: lows, highs, and those of the generation before, of each stream. `over`: a new generation begins.
        `centre` is where value and short mean usually are; the change is about 0. `least`: how narrow a range can be.
        Return the news, and the bounds after it.
        """

    def count(self, place: Column, excess: Column, counted: Column) -> tuple[Column, Column]:
        """Return how many earlier readings were at least as surprising, and how many in all; then count it."""

    def halve(self, full: Column) -> None:
        """Halve the counts where `full`."""

    def hold(self, factors: calibration.Hold, share: Column, learning: Column) -> tuple[Column, calibration.Hold]:
        """Do `calibration.hold`; `learning` None: no row is."""

    def depart(self, where: Column, time: Column, value: Column, over: Column) -> residual.Departure:
        """Hold values against what is usual at their hour, and remember the residuals; all 0 but where `where`."""

    def swing(self, where: Column, time: Column) -> Column:
        """Return the daily profile at `time` where it is used, 0 elsewhere."""

    def season(self, time: Column, last: Column, value: Column, swings: Column) -> tuple[Column, Column]:
        """Learn the daily profile at the first reading of an hour; return which rows swing and the profile in use."""

    def wander(self, where: Column, certain: float) -> Wander:
        """Hold the mean of the last day against the weeks before, where an hour has turned; all 0 elsewhere."""

    def rarely(
        self, part: str, where: Column, work: Callable[..., tuple[tuple[Column, ...], list[Column]]],
        change: list[Column], settings: BankSettings, *given: Column,
    ) -> list[Column]:  # fmt: skip
        """Do `work(op, fields of part, change, settings, *given) -> (fields, change)` only `where`.

        Return `change` for all; what was given as `change` may have been changed.
        """

    def nowhere(self) -> Column:
        """Return that something holds of no row, to be changed."""

    def touched(self, where: Column) -> None:
        """Note where something of what readings seldom move (`layout.SLOW`) has moved."""

    def keep(self, seen: Column, step: Column) -> None:
        """Keep the step to reading number `seen` from the one before among the row's last ones."""

    def explain(
        self, telling: Column, alarm: Column, time: Column, since: Column, score: Column,
        streams: tuple[Column, ...], news: novelty.News, daily: residual.Departure, least: Column,
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
    machine: Machine, settings: BankSettings, fields: list[Column], slow: list[Column], time: Column, value: Column,
    dt: Column,
) -> tuple[tuple[Column, ...], tuple[Column, ...], Told]:  # fmt: skip
    """Return a row's new fields (order of `layout.FIELDS`, `layout.SLOW`) and what is told of its reading.

    The row has begun (`models.bank` starts it), `time` is `dt` after its last reading, `value` is finite.
    """
    op = machine.op
    last_time, last_value, flat_since, flat_longest, seen, short, long = fields[:7]
    readings, often, seldom, lasted, flags = fields[19:]
    turned, turned_before = slow[:2]
    reference, events, peak, peak_time, beyond_time, spent, interval, period, budget = slow[8:]
    kind, swings, creeps, moving, drifting = _unpack(op, flags)

    gap = dataquality.gap(dt, interval, settings.gap)
    step = value - last_value
    still, stood = step == 0.0, last_time - flat_since
    flat_since = dataquality.flat_since(op, flat_since, time, dt, still, gap)
    flat_longest = op.most(flat_longest, op.where(still, 0.0, stood) if op.some(still) else stood)
    value = value + 0.0  # no negative zero, so that equal means equal to the bit
    learning = seen < settings.warm_up
    young = op.some(learning)
    tempo = op.most(interval, settings.least)

    x, restart, least, stopped = value, gap, novelty.narrowest(op, value), None
    if kind is not None:  # some are no gauges
        x, reference, broken = quantity(op, settings, kind, value, last_value, dt, interval, reference, period, short)
        stopped = op.both(op.both(kind == COUNTER, still), time - turned_before >= settings.settle)
        stopped = op.both(stopped, stops(op, settings, time - flat_since, stood, flat_longest, interval))
        stopped = op.both(stopped, op.negate(learning)) if op.some(stopped) else None
        least = op.where(kind == COUNTER, novelty.narrowest(op, x), least)  # an angle's turn has the angle's last bits
        restart = op.either(restart, broken)
        machine.touched(kind == ANGLE)

    over = time - turned >= settings.generation
    ended = op.some(over)
    if ended:
        over = op.both(over, time - turned >= interval * settings.generation_intervals)
        ended = op.some(over)
    start = 1.0 / (seen + 1.0)
    steps, burst = dt / interval, interval < settings.least
    if op.some(burst):  # a burst's first reading after a pause is no mean of many
        steps = op.least(steps, op.where(burst, settings.gap, NOWHERE))
    to_short, to_long = op.gains(steps, (0.5 * (settings.short - 1.0), 0.5 * (settings.long - 1.0)))
    short = short + (x - short) * op.most(to_short, start)
    long = long + (x - long) * op.most(to_long, start)
    streams = (x, short, short - long)
    news, bounds = machine.compare([*fields[7:13], *slow[2:8]], over if ended else None, streams, long, least)
    if ended:
        turned_before = op.where(over, turned, turned_before)
        turned = op.where(over, time, turned)
        flat_longest = op.where(over, flat_longest * 0.5, flat_longest)
        machine.touched(over)

    excess, daily = news.excess, residual.NO_DEPARTURE
    if swings is not None:
        daily = machine.depart(swings, time, value, over)
        if op.some(daily.excess > 0.0):
            if kind is not None:
                daily = daily._replace(excess=op.where(kind == GAUGE, daily.excess, 0.0))
            excess = op.most(excess, daily.excess)
    at_or_above, total = machine.count(news.place, excess, op.negate(learning) if young else None)
    share, alarm = calibration.rank(op, at_or_above, total), machine.nowhere()
    outside = op.either(excess > 0.0, lasted > 0.0)
    if young:
        outside = op.both(op.negate(learning), outside)
    if op.some(outside):
        settled, alone, moved = machine.nowhere(), machine.nowhere(), machine.nowhere()
        change = [share, alarm, settled, alone, moved, events, peak, peak_time, lasted, beyond_time, spent]
        share, alarm, settled, alone, moved, events, peak, peak_time, lasted, beyond_time, spent = machine.rarely(
            "stay", outside, _outside, change, settings, *streams, news.low[0], news.high[0], dt, interval, readings,
            excess, time, turned_before, start, tempo, budget, least, flat_longest,
        )  # fmt: skip
        machine.touched(moved)
        if op.some(settled):
            bounds = machine.rarely("stay", settled, _settle, bounds, settings)
            lasted = op.where(settled, 0.0, lasted)
            machine.touched(settled)
        if op.some(alone):
            machine.touched(alone)
            mine = machine.rarely("stay", alone, _trim, bounds[::3], settings)
            bounds[::3] = mine
    if stopped is not None:
        before = op.either(time - beyond_time > settings.refractory * tempo, beyond_time < flat_since)
        stopped = op.both(stopped, before)  # else it is told already
        share, alarm = op.where(stopped, op.least(share, start), share), op.either(alarm, stopped)
        beyond_time = op.where(stopped, time, beyond_time)
        spent = spend(op, spent, time, budget / DAY, stopped, settings.owed_most)
        machine.touched(stopped)
    peaks, halved = calibration.passed(op, calibration.Peaks(events, readings, peak, peak_time), settings.memory)
    if op.some(halved):
        machine.touched(halved)
    full = total >= settings.ranks
    if op.some(full):
        machine.halve(full)
    held, factors = machine.hold(calibration.Hold(often, seldom), share, learning if young else None)
    score = 1.0 - held
    if young:
        score = op.where(learning, 0.0, score)

    level, slope, drift, noise, count, bend = fields[13:19]
    line = trend.Trend(level, slope, drift, noise, count, moving, drifting, bend)
    line, swings, weeks = _foresee(
        machine, settings, line, dt / tempo, time, last_time, value, restart, swings, creeps, daily.swing
    )

    crept = None
    if weeks is not None and op.some(weeks.excess >= settings.certain):
        apart = time - beyond_time > op.most(APART, settings.refractory * tempo)  # else it follows what was told
        crept = op.both(op.both(weeks.excess >= settings.certain, apart), op.negate(learning))
        crept = crept if kind is None else op.both(crept, kind == GAUGE)
        alarm, beyond_time = op.either(alarm, crept), op.where(crept, time, beyond_time)
        spent = spend(op, spent, time, budget / DAY, crept, settings.owed_most)
        machine.touched(crept)

    machine.keep(seen, step)
    telling = op.either(score >= TELLING, alarm)
    reason = machine.explain(telling, alarm, time, turned_before, score, streams, news, daily, least)
    if stopped is not None:
        (reason,) = machine.rarely("reason", stopped, _stop, [reason], settings, time, value, flat_since, score)
    if weeks is not None and crept is not None:
        given = time, weeks.mean, weeks.low, weeks.high, turned_before, score
        (reason,) = machine.rarely("reason", crept, _wander, [reason], settings, *given)

    new = (
        *(time, value, flat_since, flat_longest, seen + 1.0, short, long, *bounds[:6], *line[:5], line.bend),
        *(peaks.readings, *factors, lasted, _pack(line, kind, swings, creeps)),
    )
    slowly = (
        *(turned, turned_before, *bounds[6:], reference, peaks.events, peak, peak_time, beyond_time, spent),
        *(interval, period, budget),
    )
    return new, slowly, Told(score, alarm, reason, learning, gap)


def _unpack(op: type[Arithmetic], flags: Column) -> tuple[Column, ...]:
    """Return kind, whether it swings and is watched for creeping (None where no row is other), and its two flags."""
    kind = swings = creeps = None
    special = flags >= CREEPS
    if op.some(special):
        kind = op.whole(flags / KIND)
        flags = flags - kind * KIND
        swings = flags >= SWINGS
        flags = flags - op.where(swings, SWINGS, 0.0)
        creeps = flags >= CREEPS
        flags = flags - op.where(creeps, CREEPS, 0.0)
        kind = kind if op.some(kind > 0.0) else None
    return kind, swings, creeps, op.either(flags == MOVING, flags > DRIFTING), flags >= DRIFTING


def _pack(line: trend.Trend, kind: Column, swings: Column, creeps: Column) -> Column:
    """Return the flags that these make."""
    flags = line.drifting * float(DRIFTING) + line.moving
    for part, size in ((kind, KIND), (swings, SWINGS), (creeps, CREEPS)):
        if part is not None:
            flags = flags + part * float(size)
    return flags


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
    value: Column, restart: Column, swings: Column, creeps: Column, swing: Column,
) -> tuple[trend.Trend, Column, Wander | None]:  # fmt: skip
    """Move on what foresees a limit: the trend of the value without its daily swing, that swing, a creep's speed.

    With each hour the mean of the last day is known anew, and is held against the weeks before.
    """
    op = machine.op
    if swings is None:
        line = trend.advance(op, line, machine.pace, elapsed, value, restart)
    else:
        line = trend.advance(op, line, machine.pace, elapsed, value - swing, restart)
    turned, weeks = season.hour(op, time) != season.hour(op, last), None
    if op.some(turned):
        if swings is None:
            swings, swing = value != value, 0.0 * value
        now, profile = machine.season(time, last, line.level + swing, swings)
        line = line._replace(level=line.level + (swing - profile))
        restart = op.either(restart, now != swings)
        swings = now
        weeks = machine.wander(turned, settings.certain)
    if creeps is not None:
        machine.rarely("creep", creeps, _creep, [], settings, time, line.level, line.noise, restart)
    return line, swings, weeks


def quantity(
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


def stops(
    op: type[Arithmetic], settings: BankSettings, stands: Column, before: Column, longest: Column, interval: Column
) -> Column:
    """Return whether a counter that always moved is found to stand still, `before` seconds at the last reading.

    One that stood for a third as long lately is left alone: it stands at night, or on Sundays.
    """
    least = interval * settings.stuck_intervals
    return op.both(op.both(stands > least, before <= least), longest * settings.stuck <= least)


def _stop(
    op: type[Arithmetic], _: tuple[Column, ...], change: list[Column], __: BankSettings, time: Column, value: Column,
    since: Column, score: Column,
) -> tuple[tuple[Column, ...], list[Column]]:  # fmt: skip
    """Keep that a counter has stopped as the reason of its surprise."""
    code = value * 0.0 + float(STOPPED)
    return (code, time, value, value, value, since, score), [op.where(value == value, STOPPED, change[0])]


def _wander(
    op: type[Arithmetic], _: tuple[Column, ...], change: list[Column], __: BankSettings, time: Column, mean: Column,
    low: Column, high: Column, since: Column, score: Column,
) -> tuple[tuple[Column, ...], list[Column]]:  # fmt: skip
    """Keep that the mean of the last day has wandered off as the reason of an alarm."""
    code = op.where(mean < low, float(DAY_BELOW), float(DAY_ABOVE))
    return (code, time, mean, low, high, since, score), [op.where(mean < low, DAY_BELOW, DAY_ABOVE)]


def _outside(
    op: type[Arithmetic], stay: tuple[Column, ...], change: list[Column], settings: BankSettings, value: Column,
    short: Column, departure: Column, low: Column, high: Column, elapsed: Column, interval: Column, readings: Column,
    excess: Column, time: Column, turned_before: Column, start: Column, tempo: Column, budget: Column,
    least: Column, still: Column,
) -> tuple[tuple[Column, ...], list[Column]]:  # fmt: skip
    """Judge learnt readings outside a range, or of a stay outside the old one: early events, and how long they stay."""
    rank, alarm, settled, alone, moved, events, peak, since, lasted, beyond_time, spent = change
    before = lasted
    step, fast = op.least(elapsed, interval * settings.gap), interval < settings.least
    jumps = fast
    if op.some(fast):
        jumps = op.both(fast, jumped(op, settings, value, low, high, least))
        lasted = op.where(jumps, 0.0, lasted)
        beyond_time = op.where(jumps, op.least(beyond_time, time - settings.refractory * interval), beyond_time)
    if op.some(fast):  # what a pause adds is no reading that stood
        step = op.where(fast, op.least(step, interval), step)
    stay, lasted, away = stay_on(op, stay, lasted, value, short, departure, low, high, step, least)
    settled = lasted >= settings.settle
    if op.some(settled):
        settled = op.both(settled, lasted >= interval * settings.settle_intervals)
    alone = op.both(lasted == 0.0, before > 0.0)
    if op.some(alone):  # back at once, and so far out that the range must be told
        low, high, lowest, highest = stay[:4]
        far = (high - low) * settings.lone_reach
        alone = op.both(alone, before <= interval * settings.lone)
        alone = op.both(alone, op.either(highest > high + far, lowest < low - far))

    refractory = settings.refractory * tempo
    share, event, peaks = calibration.peaks_over(
        op, calibration.Peaks(events, readings, peak, since), excess, time, refractory
    )
    moved = op.either(peaks.events > events, jumps)
    if op.some(event):
        rank = op.least(rank, op.where(event, calibration.tail(share, excess, settings.tail_scale), 1.0))
    # A creep takes its range along: once a day is known, what counts for an alarm is the range before the stay began.
    known = time - turned_before
    utmost = op.most(excess, op.where(known >= settings.settle, away, 0.0))
    quick = fast
    if op.some(fast):
        fast = op.both(fast, left(op, settings, lasted, away, known, interval))
        fast = op.both(fast, stands_apart(op, settings, stay[0], stay[1], lasted, away, still, least))
        utmost = op.where(fast, op.most(utmost, away), utmost)
    rate = budget / DAY
    asked = op.least(tempo * rate * op.least(elapsed, SECOND), RAREST)
    # whatever the row's youth and debts, no tail is thinner than this one
    if op.some(op.both(calibration.tail(share, utmost, settings.tail_scale) <= asked, utmost > 0.0)):
        young = settings.tail_young * op.most(start, op.where(fast, 0.0, 1.0 / (1.0 + known / tempo)))
        owes = owed(op, spent, time, rate, settings.owed_free, settings.owed_most)
        scale = settings.tail_scale * (1.0 + young * young)
        beyond = enough(op, share, utmost, scale, asked, owes, settings.certain)
        alarm = op.both(beyond, time - beyond_time > op.where(fast, settings.refractory * interval, refractory))
        again = worse(op, settings, excess, op.where(time - since > refractory, 0.0, peak))
        alarm = op.either(alarm, op.both(op.both(beyond, op.negate(quick)), again))
        spent = spend(op, spent, time, rate, alarm, settings.owed_most)
        noted = beyond
        if op.some(quick):  # what may yet prove to stand is not told by its first readings
            noted = op.both(beyond, op.either(alarm, op.negate(op.both(quick, begins(op, settings, lasted, interval)))))
        beyond_time = op.where(noted, time, beyond_time)
        moved = op.either(moved, beyond)
    return stay, [
        *(rank, alarm, settled, alone, moved, peaks.events, peaks.peak, peaks.since, lasted, beyond_time, spent)
    ]


def _settle(
    op: type[Arithmetic], stay: tuple[Column, ...], bounds: list[Column], _: BankSettings
) -> tuple[tuple[Column, ...], list[Column]]:
    """Make the ranges of a long stay the memory, and forget what was before."""
    nothing = bounds[0] * 0.0 + NOWHERE
    return stay, [*stay[2::2], *stay[3::2], nothing, nothing, nothing, -nothing, -nothing, -nothing]


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


def worse(op: type[Arithmetic], settings: BankSettings, excess: Column, highest: Column) -> Column:
    """Return whether an excess is certain, and so far beyond the `highest` of its cluster that it is told once more."""
    return excess >= op.most(highest * settings.worse, settings.certain)


def begins(op: type[Arithmetic], settings: BankSettings, lasted: Column, interval: Column) -> Column:
    """Return whether a stay is too short to tell it from a spike."""
    return op.both(lasted > 0.0, lasted < op.most(interval * settings.stands, SECOND))


def jumped(
    op: type[Arithmetic], settings: BankSettings, value: Column, low: Column, high: Column, least: Column
) -> Column:
    """Return whether a value is so far outside the range of now that its stay there is another than one under way."""
    return novelty.outside(op, value, low, high, least) >= settings.certain


def stands_apart(
    op: type[Arithmetic], settings: BankSettings, low: Column, high: Column, lasted: Column, away: Column,
    still: Column, least: Column,
) -> Column:  # fmt: skip
    """Return whether a stay (`low` to `high`) is more than the next step of a sensor that tells few values.

    It has a width, and lasts longer than the value mostly stands `still` (s), or is as far away as no step is.
    """
    return op.both(high - low > least, op.either(lasted > still, away >= settings.walk))


def left(
    op: type[Arithmetic], settings: BankSettings, lasted: Column, away: Column, known: Column, interval: Column
) -> Column:
    """Return whether fast readings have left the old range for good: then their number counts, not their time.

    A range that is known for minutes is narrow where the world moves in minutes. A trend would leave it by as many
    ranges as the stay is long in terms of the time before, a random walk by the root of that.
    """
    part = lasted / op.most(known - lasted, interval)
    stood = op.negate(begins(op, settings, lasted, interval))
    return op.both(op.both(stood, lasted > 0.0), away >= op.most(part, op.root(part)) * settings.walk)


def _creep(
    op: type[Arithmetic], fields: tuple[Column, ...], change: list[Column], _: BankSettings, *given: Column
) -> tuple[tuple[Column, ...], list[Column]]:
    """Follow a creep."""
    return creep.follow(op, fields, *given)[0], change
