"""The usual reading on its own, quickly: of what has a size, in plain Python, when no long stay is over.

What `models.scoring.assess` does, without all that such a reading does not need; a test holds it to the same bits.
Anything else is left to `assess`: nothing is touched then. A row is read and written in one go each, and all that the
settings say is worked out beforehand: with some twenty numbers to a reading, each look-up counts.
"""

from __future__ import annotations

import struct
from math import floor, inf

import numpy as np
import numpy.typing as npt

from models import calibration, trend
from models.arithmetic import NOWHERE, SCALARS
from models.budget import enough, owed, spend
from models.layout import CREEPS, DRIFTING, FIELDS, KIND, MOVING, RECENT, SLOW, STAY_FIELDS, SWINGS
from models.machine import Single
from models.novelty import NARROW, TINIEST, UTMOST, Memory, News, trim
from models.parts import Parts
from models.reason import DAY_ABOVE, DAY_BELOW, NOTHING
from models.residual import NO_DEPARTURE
from models.scoring import (
    ANGLE,
    COUNTER,
    DAY,
    LARGEST,
    RAREST,
    SECOND,
    STATE,
    SWITCH,
    TELLING,
    BankSettings,
    begins,
    jumped,
    left,
    pace_of,
    quantity,
    stands_apart,
    stops,
    worse,
)
from models.season import HOUR
from models.wander import APART

Told = tuple[float, bool, int, bool, bool]
"""Score, alarm, reason, learning and gap of one reading: see `models.bank.BankResult`."""

_ROW, _SLOW, _STAY = (struct.Struct(f"{len(each)}d") for each in (FIELDS, SLOW, STAY_FIELDS))


class Usual:
    """Assess usual readings of a bank's rows."""

    def __init__(
        self, settings: BankSettings, fields: npt.NDArray[np.float64], slow: npt.NDArray[np.float64],
        parts: Parts,
    ) -> None:  # fmt: skip
        self._memory, self._slow = (block.reshape(-1).view(np.uint8).data for block in (fields, slow))
        self._recent = parts.recent.reshape(-1).view(np.uint8).data.cast("f")
        self._stay = parts.stay.reshape(-1).view(np.uint8).data
        self._places = parts.sized.of.view(np.uint8).data.cast("i")
        self._parts, self._survival, self._seasons = parts, parts.survival, parts.seasons
        self._settings = settings
        self._pace = pace_of(settings)
        self._halves = 0.5 * (settings.short - 1.0), 0.5 * (settings.long - 1.0)
        self._lasting = settings.generation, settings.generation_intervals

    def tell(self, row: int, time: float, value: float) -> Told | None:
        """Assess a reading and keep what follows; None, and nothing changed, when it is not a usual one."""
        settings = self._settings
        (
            last_time, last_value, flat_since, longest, seen, short, long,
            value_low, short_low, change_low, value_high, short_high, change_high,
            level, slope, drift, noise, count, bend, readings, often, seldom, lasted, flags,
        ) = _ROW.unpack_from(self._memory, row * _ROW.size)  # fmt: skip
        (
            turned, turned_before,
            value_before_low, short_before_low, change_before_low,
            value_before_high, short_before_high, change_before_high,
            reference, events, peak, peak_time, beyond_time, spent,
            interval, period, budget,
        ) = _SLOW.unpack_from(self._slow, row * _SLOW.size)  # fmt: skip
        dt, kind = time - last_time, flags // KIND
        generation, intervals = self._lasting
        if (
            (flags >= CREEPS and (kind in (SWITCH, STATE) or flags % SWINGS >= CREEPS))
            or not 0.0 < dt < inf
            or not -LARGEST <= value <= LARGEST
            or not seen
            or readings + 1.0 >= settings.memory
            or (
                kind == COUNTER
                and value == last_value
                and stops(SCALARS, settings, time - flat_since, last_time - flat_since, longest, interval)
            )
            or (
                lasted + dt >= settings.settle
                and lasted + min(dt, interval * settings.gap) >= interval * settings.settle_intervals
            )
        ):
            return None
        swings, touched, at = flags % KIND >= SWINGS, False, self._places[row]
        gap, step = dt > interval * settings.gap, value - last_value
        learnt = seen >= settings.warm_up
        tempo = interval if interval > settings.least else settings.least
        if value != last_value:
            stood = last_time - flat_since
            longest = longest if longest > stood else stood
            flat_since = time
        elif gap:
            flat_since += dt
        value += 0.0  # no negative zero
        x, restart = value, gap
        if kind:
            x, reference, broken = quantity(
                SCALARS, settings, kind, value, last_value, dt, interval, reference, period, short
            )
            restart, touched = gap or broken, kind == ANGLE

        start, steps = 1.0 / (seen + 1.0), dt / interval
        if interval < settings.least:
            steps = min(steps, settings.gap)
        short_half, long_half = self._halves
        gain = steps / (steps + short_half)
        short += (x - short) * (gain if gain > start else start)
        gain = steps / (steps + long_half)
        long += (x - long) * (gain if gain > start else start)
        change = short - long

        if over := time - turned >= generation and time - turned >= interval * intervals:
            turned_before, turned, longest, touched = turned, time, longest * 0.5, True
            value_before_low, value_before_high, value_low, value_high = value_low, value_high, NOWHERE, -NOWHERE
            short_before_low, short_before_high, short_low, short_high = short_low, short_high, NOWHERE, -NOWHERE
            change_before_low, change_before_high, change_low, change_high = change_low, change_high, NOWHERE, -NOWHERE

        least = abs(x if kind == COUNTER else value) * NARROW
        least = least if least > TINIEST else TINIEST
        daily = self._seasons.depart_one(at, time, value, over) if swings else NO_DEPARTURE
        if kind and daily.excess > 0.0:
            daily = daily._replace(excess=0.0)
        place, excess = 0.0, daily.excess
        news: list[tuple[float, float]] = []  # the range of each stream
        for stream, centre, low, high in (
            (
                x, long,
                value_low if value_low < value_before_low else value_before_low,
                value_high if value_high > value_before_high else value_before_high,
            ),
            (
                short, long,
                short_low if short_low < short_before_low else short_before_low,
                short_high if short_high > short_before_high else short_before_high,
            ),
            (
                change, 0.0,
                change_low if change_low < change_before_low else change_before_low,
                change_high if change_high > change_before_high else change_before_high,
            ),
        ):  # fmt: skip
            width = high - low
            scale = 1.0 / (width if width > least else least)
            far = abs(stream - centre) * scale
            far = far if far < 1.0 else 1.0
            place = place if place > far else far
            beyond = stream - high if stream > high else low - stream
            if beyond > least:
                beyond *= scale
                beyond = beyond if beyond < UTMOST else UTMOST
                excess = excess if excess > beyond else beyond
            news.append((low, high))

        away = 0.0
        if learnt and (lasted > 0.0 or excess > 0.0):
            (low, high), touched = news[0], True
            lasts, before = interval * settings.gap, lasted
            lasts = dt if dt < lasts else lasts
            if interval < settings.least:
                lasts = lasts if lasts < interval else interval
                if (x > high or x < low) and jumped(SCALARS, settings, x, low, high, least):
                    lasted = 0.0
                    beyond_time = min(beyond_time, time - settings.refractory * interval)
            stay_low, stay_high, lasted, away = self._stay_on(
                at, lasted, low, high, (x, short, change), lasts, least
            )  # fmt: skip
            if lasted == 0.0 and 0.0 < before <= interval * settings.lone:
                memory = Memory(value_low, value_high, value_before_low, value_before_high)
                value_low, value_high, value_before_low, value_before_high = trim(
                    SCALARS, memory, stay_low, stay_high, settings.lone_reach
                )

        found, total = self._survival.count_one(at, place, excess, learnt)
        score, alarm, reason = 0.0, False, NOTHING
        if learnt:
            share = min((found + 1.0) / (total + 1.0), 1.0)
            share = share if share > calibration.FINEST else calibration.FINEST
            if excess > 0.0 or away > 0.0:
                leaving = (events + 2.0) / (readings + 1.0)
                leaving = leaving if leaving < 1.0 else 1.0
                refractory = settings.refractory * tempo
                before = 0.0 if time - peak_time > refractory else peak
                if excess > before:
                    events, peak, peak_time = events + 1.0, excess, time
                if excess > before * calibration.GROWN:
                    tailed: float = calibration.tail(leaving, excess, settings.tail_scale)
                    share = share if share < tailed else tailed
                known = 1.0 / (1.0 + (time - turned_before) / tempo)
                young = settings.tail_young * (start if start > known else known)
                utmost = excess
                if (
                    interval < settings.least
                    and away > 0.0
                    and left(SCALARS, settings, lasted, away, time - turned_before, interval)
                    and stands_apart(SCALARS, settings, stay_low, stay_high, lasted, away, longest, least)
                ):
                    young, refractory = settings.tail_young * start, settings.refractory * interval
                    utmost = excess if excess > away else away
                if time - turned_before >= settings.settle:
                    utmost = excess if excess > away else away
                rate = budget / DAY
                asked = tempo * rate * (dt if dt < SECOND else SECOND)
                asked = asked if asked < RAREST else RAREST
                # whatever the row's youth and debts, no tail is thinner than this one
                if utmost > 0.0 and calibration.tail(leaving, utmost, settings.tail_scale) <= asked:
                    scale = settings.tail_scale * (1.0 + young * young)
                    owes = owed(SCALARS, spent, time, rate, settings.owed_free, settings.owed_most)
                    if enough(SCALARS, leaving, utmost, scale, asked, owes, settings.certain):
                        alarm = time - beyond_time > refractory or (
                            interval >= settings.least and worse(SCALARS, settings, excess, before)
                        )
                        spent = spend(SCALARS, spent, time, rate, alarm, settings.owed_most)
                        if alarm or interval >= settings.least or not begins(SCALARS, settings, lasted, interval):
                            beyond_time = time
            if total >= settings.ranks:
                self._survival.halve(np.array([at]))
            held, often, seldom = calibration.hold_one(often, seldom, share)
            score = 1.0 - held
            if score >= TELLING or alarm:
                told = News(excess, place, *zip(*news, strict=True))
                streams = x, short, change
                reason = self._single(row).explain(True, alarm, time, turned_before, score, streams, told, daily, least)

        swing = daily.swing
        if restart:
            level, slope, drift, noise, count, moving, drifting, bend = (
                value - swing,
                0.0,
                0.0,
                0.0,
                1.0,
                False,
                False,
                0.0,
            )
        else:
            level, slope, drift, noise, count, moving, drifting, bend = trend.advance_one(
                self._pace, dt / tempo, value - swing, level, slope, drift, noise, count,
                flags % 2.0 == MOVING, flags % CREEPS >= DRIFTING, bend,
            )  # fmt: skip
        if floor(time / HOUR) != floor(last_time / HOUR):
            swung, swings = swings, self._seasons.turn_one(at, time, last_time, level + swing, swings)
            if swings or swung:
                level += swing - (self._seasons.at_one(at, time) if swings else 0.0)
            weeks = self._seasons.wander_one(at, settings.certain)
            if (
                weeks.excess >= settings.certain
                and learnt
                and not kind
                and time - beyond_time > max(APART, settings.refractory * tempo)
            ):
                alarm, touched, beyond_time = True, True, time
                spent = spend(SCALARS, spent, time, budget / DAY, True, settings.owed_most)
                reason = DAY_BELOW if weeks.mean < weeks.low else DAY_ABOVE
                self._parts.reason[row] = reason, time, *weeks[1:], turned_before, score

        self._recent[at * RECENT + int(seen) % RECENT] = step
        _ROW.pack_into(
            self._memory, row * _ROW.size,
            time, value, flat_since, longest, seen + 1.0, short, long,
            value_low if value_low < x else x, short_low if short_low < short else short,
            change_low if change_low < change else change,
            value_high if value_high > x else x, short_high if short_high > short else short,
            change_high if change_high > change else change,
            level, slope, drift, noise, count, bend, readings + 1.0, often, seldom, lasted,
            moving + DRIFTING * drifting + SWINGS * swings + KIND * kind,
        )  # fmt: skip
        if touched:
            _SLOW.pack_into(
                self._slow, row * _SLOW.size,
                turned, turned_before,
                value_before_low, short_before_low, change_before_low,
                value_before_high, short_before_high, change_before_high,
                reference, events, peak, peak_time, beyond_time, spent,
                interval, period, budget,
            )  # fmt: skip
        return score, alarm, reason, not learnt, gap

    def _stay_on(
        self, at: int, lasted: float, low: float, high: float, streams: tuple[float, float, float], step: float,
        least: float,
    ) -> tuple[float, float, float, float]:  # fmt: skip
        """Do what `scoring.stay_on` does, and keep the stay.

        Return the range that it left, how long it has lasted, and how far outside that range the value is.
        """
        place, (x, short, change) = at * _STAY.size, streams
        if lasted == 0.0:
            bounds = x, x, short, short, change, change
        else:
            low, high, *widest = _STAY.unpack_from(self._stay, place)
            least_x, most_x, least_short, most_short, least_change, most_change = widest
            bounds = (
                least_x if least_x < x else x, most_x if most_x > x else x,
                least_short if least_short < short else short, most_short if most_short > short else short,
                least_change if least_change < change else change, most_change if most_change > change else change,
            )  # fmt: skip
        _STAY.pack_into(self._stay, place, low, high, *bounds)
        if not (x < low or x > high):
            return low, high, 0.0, 0.0
        beyond, width = x - high if x > high else low - x, high - low
        if beyond <= least:
            return low, high, lasted + step, 0.0
        away = beyond / (width if width > least else least)
        return low, high, lasted + step, away if away < UTMOST else UTMOST

    def _single(self, row: int) -> Single:
        return Single(self._parts, row, self._pace)
