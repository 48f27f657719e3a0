"""The usual reading on its own, quickly: a learnt gauge within all its ranges, in plain Python.

What `models.scoring.assess` does, without all that such a reading does not need; a test holds it to the same bits.
Anything else is left to `assess`: nothing is touched then.
"""

from __future__ import annotations

from models import calibration, season, trend
from models.arithmetic import SCALARS
from models.machine import Single
from models.novelty import Novelty
from models.reason import NOTHING
from models.scoring import FIELDS, GAUGE, TELLING, BankSettings, Told, pace_of

_NARROWEST = 1e-300
_AT = {name: place for place, name in enumerate(FIELDS)}
_LOW, _TREND, _EVENTS, _READINGS = _AT["value_low"], _AT["level"], _AT["events"], _AT["readings"]
_LASTED, _OFTEN, _LONGEST, _MARKS = _AT["stay_lasted"], _AT["often"], _AT["flat_longest"], _AT["marks"]


def usual(machine: Single, settings: BankSettings, fields: list[float], time: float, value: float) -> Told | None:
    """Assess a reading and change `fields` in place; None, and nothing changed, when it is not a usual one."""
    last_time, last_value, flat_since, interval, kind, _, seen, turned, turned_before, _, short, long = fields[:12]
    dt = time - last_time
    if (
        kind != GAUGE
        or seen < settings.warm_up
        or fields[_LASTED] > 0.0
        or fields[_READINGS] + 1.0 >= settings.memory
        or dt > interval * settings.gap
        or time - turned >= settings.generation
        or fields[_MARKS] > 0.0
        or season.hour(SCALARS, time) != season.hour(SCALARS, last_time)
    ):
        return None
    value += 0.0  # no negative zero
    start, steps = 1.0 / (seen + 1.0), dt / interval
    gain = steps / (steps + 0.5 * (settings.short - 1.0))
    short = short + (value - short) * (gain if gain > start else start)
    gain = steps / (steps + 0.5 * (settings.long - 1.0))
    long = long + (value - long) * (gain if gain > start else start)
    streams = value, short, short - long
    place, news = 0.0, []
    at = _LOW
    for x, centre in zip(streams, (long, long, 0.0), strict=True):
        low, high, before_low, before_high = fields[at : at + 4]
        low = low if low < before_low else before_low
        high = high if high > before_high else before_high
        if x < low or x > high:
            return None
        width = high - low
        far = abs(x - centre) * (1.0 / (width if width > _NARROWEST else _NARROWEST))
        far = far if far < 1.0 else 1.0
        place = place if place > far else far
        news.append(Novelty(0.0, far, low, high))
        at += 4

    found, total = machine.count(place, 0.0, True)
    share = (found + 1.0) / (total + 1.0)
    share = share if share > calibration.FINEST else calibration.FINEST
    held, factors = calibration.hold_one(fields[_OFTEN], fields[_OFTEN + 1], share)
    score = 1.0 - held
    reason = NOTHING if score < TELLING else machine.explain(True, time, turned_before, score, streams, news)

    if value != last_value:
        stood = last_time - flat_since
        fields[_LONGEST] = fields[_LONGEST] if fields[_LONGEST] > stood else stood
        flat_since = time
    fields[:3] = time, value, flat_since
    fields[6] = seen + 1.0
    fields[10:12] = short, long
    at = _LOW
    for x in streams:
        if x < fields[at]:
            fields[at] = x
        if x > fields[at + 1]:
            fields[at + 1] = x
        at += 4
    tempo = interval if interval > settings.least else settings.least
    line = trend.Trend(*fields[_TREND:_EVENTS])
    fields[_TREND:_EVENTS] = trend.advance(SCALARS, line, pace_of(settings), dt / tempo, value, False)
    fields[_READINGS] += 1.0
    fields[_OFTEN : _OFTEN + 2] = factors
    return Told(score, False, reason, False, False)
