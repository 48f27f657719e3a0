"""Made series of the kinds that early warnings are scored on, seeded, each with the windows of what was put into it.

They stand for series that nobody here has seen: machines, servers, clicks, spend, taxis, traffic (as NAB has them), a
pump whose valve closes (as SKAB has it), reservoirs, tides, wells that are pumped, gauges with spikes. Their figures
(`scripts.evaluate_made`) say where the models are weak; no parameter was chosen on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.evaluation.nab import Series
from models.evaluation.skab import Run

Floats = npt.NDArray[np.float64]
Random = np.random.Generator

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
START = 1_767_225_600.0  # 2026-01-01, a Thursday

CHANNELS = (
    *("Accelerometer1RMS", "Accelerometer2RMS", "Current", "Pressure"),
    *("Temperature", "Thermocouple", "Voltage", "Volume Flow RateRMS"),
)


class Gauge(NamedTuple):
    """Hold a level to be foreseen: unix seconds f8[n], values f8[n], its limit, and whether that is a floor."""

    time: Floats
    value: Floats
    limit: float
    below: bool


def _windows(count: int, onsets: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Place NAB's windows: a tenth of the series in all, shared by the onsets, each in the middle of its own."""
    half = count // 20 // max(len(onsets), 1)
    return tuple((max(at - half, 0), min(at + half, count - 1)) for at in onsets)


def _wander(random: Random, count: int, memory: float) -> Floats:
    """Return noise of spread 1 that forgets over `memory` steps."""
    keep = np.exp(-1.0 / memory)
    step = random.normal(size=count) * np.sqrt(1.0 - keep * keep)
    out = np.empty(count)
    last = random.normal()
    for place in range(count):
        last = keep * last + step[place]
        out[place] = last
    return out


def _onsets(random: Random, count: int, many: int) -> list[int]:
    """Draw where anomalies begin: in the later three quarters, well apart."""
    places = 0.25 + 0.7 * (np.arange(many) + random.uniform(0.1, 0.9, many)) / many
    return [int(place * count) for place in places]


def _day(time: Floats, peak: float) -> Floats:
    """Return a swing of the day between 0 and 1, highest at an hour."""
    return 0.5 + 0.5 * np.cos(2.0 * np.pi * (time / HOUR - peak) / 24.0)


def _weekend(time: Floats) -> npt.NDArray[np.bool_]:
    return np.floor(time / DAY + 3.0) % 7 >= 5


def machine(random: Random) -> Series:
    """A component's temperature (5 min): wanders about its set point; dips before it is shut down."""
    count = 15_000
    time = START + 5 * MINUTE * np.arange(count)
    value = 90.0 + 5.0 * _wander(random, count, 400.0) + 1.0 * _wander(random, count, 5.0)
    onsets = _onsets(random, count, 3)
    for at in onsets:
        length = int(random.integers(60, 250))
        fall = random.uniform(35.0, 70.0) * (1.0 - np.exp(-np.arange(length) / 20.0))
        part = slice(at, min(at + length, count))
        value[part] -= fall[: part.stop - part.start]
        back = slice(part.stop, min(part.stop + 120, count))
        value[back] -= fall[-1] * np.exp(-np.arange(back.stop - back.start) / 25.0)
    return Series("machine", time, value.round(4), _windows(count, onsets))


def server(random: Random) -> Series:
    """A processor's load in percent (5 min): a floor, bursts of a job each few hours, a level that moves at a fault."""
    count = 4032
    time = START + 5 * MINUTE * np.arange(count)
    value = 3.0 + 0.4 * random.gamma(2.0, 1.0, count)
    every = int(random.integers(30, 90))
    value[::every] += random.uniform(8.0, 12.0, len(value[::every]))
    [at] = onsets = _onsets(random, count, 1)
    if random.random() < 0.5:
        value[at:] += random.uniform(4.0, 10.0)
    else:
        value[at : at + 60] += random.uniform(20.0, 60.0) * random.beta(4.0, 2.0, 60)
    return Series("server", time, value.clip(0.0, 100.0).round(3), _windows(count, onsets))


def latency(random: Random) -> Series:
    """A request's milliseconds (5 min): heavy-tailed all the time; the median doubles at a fault."""
    count = 4032
    time = START + 5 * MINUTE * np.arange(count)
    value = 45.0 * np.exp(0.06 * random.standard_t(3.0, count)) + 3.0 * _day(time, 14.0)
    onsets = _onsets(random, count, 2)
    for at in onsets:
        value[at : at + 40] *= random.uniform(1.5, 2.5)
    return Series("latency", time, value.round(3), _windows(count, onsets))


def clicks(random: Random) -> Series:
    """Cost of a thousand views (an hour): a weak day, single dear hours all the time, a dear day at an anomaly."""
    count = 1650
    time = START + HOUR * np.arange(count)
    value = (0.5 + 0.3 * _day(time, 20.0)) * random.lognormal(0.0, 0.25, count)
    spikes = random.random(count) < 0.01
    value[spikes] *= random.uniform(2.0, 4.0, int(spikes.sum()))
    onsets = _onsets(random, count, 2)
    for at in onsets:
        value[at : at + 4] = random.uniform(4.0, 8.0) * random.uniform(0.7, 1.0, 4)
    return Series("clicks", time, value.round(5), _windows(count, onsets))


def spend(random: Random) -> Series:
    """Money spent in an hour: counts times prices, nights near nothing, weekends less; it stops, or runs away."""
    count = 1900
    time = START + HOUR * np.arange(count)
    usual = 200.0 * _day(time, 15.0) ** 1.5 * np.where(_weekend(time), 0.6, 1.0) + 4.0
    onsets = _onsets(random, count, 2)
    usual[onsets[0] : onsets[0] + 18] *= 0.03
    usual[onsets[1] : onsets[1] + 10] *= random.uniform(2.0, 3.5)
    value = random.poisson(usual) * random.lognormal(1.0, 0.1, count)
    return Series("spend", time, value.round(2), _windows(count, onsets))


def taxi(random: Random) -> Series:
    """Passengers in half an hour: day, week and weather; feasts, marathons, a storm that empties the town."""
    count = 10_320
    time = START + 30 * MINUTE * np.arange(count)
    shape = 0.15 + 0.85 * (0.6 * _day(time, 19.0) + 0.4 * _day(2.0 * time, 17.0))
    usual = 22_000.0 * shape * np.where(_weekend(time), 0.9, 1.0) * (1.0 + 0.06 * _wander(random, count, 100.0))
    onsets = _onsets(random, count, 5)
    for at, factor in zip(onsets, (0.55, 1.45, 0.6, 1.35, 0.12), strict=True):
        usual[at : at + 44] *= factor
    value = random.poisson(usual.clip(1.0)).astype(float)
    return Series("taxi", time, value, _windows(count, onsets))


def speed(random: Random) -> Series:
    """Whole miles an hour on a road, read at odd times: slower at the rush hours, now and then a gap; a jam."""
    count = 2500
    time = START + np.cumsum(
        5 * MINUTE * random.choice([1.0, 1.0, 1.0, 2.0, 3.0, 60.0], count, p=[0.4, 0.3, 0.15, 0.1, 0.045, 0.005])
    )
    rush = _day(time, 8.0) ** 8 + _day(time, 17.5) ** 8
    value = 70.0 - 14.0 * rush * ~_weekend(time) + 3.5 * random.normal(size=count)
    onsets = _onsets(random, count, 2)
    for at in onsets:
        value[at : at + 12] = random.uniform(15.0, 30.0) + 4.0 * random.normal(size=12)
    return Series("speed", time, value.round().clip(3.0), _windows(count, onsets))


def travel(random: Random) -> Series:
    """Seconds to drive along a road, read at odd times: right-skewed, single slow cars; a long jam."""
    count = 2300
    time = START + np.cumsum(5 * MINUTE * random.choice([1.0, 2.0, 4.0, 30.0], count, p=[0.55, 0.3, 0.14, 0.01]))
    value = 90.0 + 60.0 * _day(time, 17.0) ** 6 + random.gamma(1.5, 40.0, count)
    onsets = _onsets(random, count, 2)
    for at in onsets:
        value[at : at + 15] += random.uniform(500.0, 1500.0)
    return Series("travel", time, value.round(), _windows(count, onsets))


def ambient(random: Random) -> Series:
    """A room's temperature (an hour): the season, the day, doors; the heating fails."""
    count = 7200
    time = START + HOUR * np.arange(count)
    value = 71.0 + 4.0 * np.sin(2.0 * np.pi * time / (365.0 * DAY)) + 1.5 * _day(time, 16.0)
    value += 2.0 * _wander(random, count, 60.0) + 0.3 * random.normal(size=count)
    onsets = _onsets(random, count, 2)
    for at, size in zip(onsets, random.uniform(8.0, 13.0, 2) * random.choice([-1.0, 1.0], 2), strict=True):
        value[at : at + 40] += size * np.minimum(np.arange(40) / 12.0, 1.0)
    return Series("ambient", time, value.round(3), _windows(count, onsets))


def requests(random: Random) -> Series:
    """Requests in five minutes: bursts of a negative binomial about a day; a flood of them."""
    count = 4032
    time = START + 5 * MINUTE * np.arange(count)
    usual = 20.0 + 80.0 * _day(time, 15.0)
    [at] = onsets = _onsets(random, count, 1)
    usual[at : at + 36] *= random.uniform(3.0, 6.0)
    value = random.poisson(usual * random.gamma(6.0, 1.0 / 6.0, count)).astype(float)
    return Series("requests", time, value, _windows(count, onsets))


KINDS: dict[str, Callable[[Random], Series]] = {
    one.__name__: one for one in (machine, server, latency, clicks, spend, taxi, speed, travel, ambient, requests)
}
"""Makers of series as NAB has them."""


def series(seeds: Sequence[int]) -> list[Series]:
    """Make one series of each kind a seed."""
    made = [(kind, seed, make(np.random.default_rng(seed))) for kind, make in KINDS.items() for seed in seeds]
    return [Series(f"{kind}/{seed}", one.time, one.value, one.windows) for kind, seed, one in made]


def reservoir(random: Random, *, below: bool) -> Gauge:
    """A reservoir's level (15 min): drawn by day, filled by rain and by a river that dries up; near empty, or full."""
    count = 90 * 96
    time = START + 15 * MINUTE * np.arange(count)
    drawn = 0.6 + 0.8 * _day(time, 18.0)
    inflow = np.full(count, random.uniform(0.75, 0.9))
    for at in np.flatnonzero(random.random(count) < 1.0 / (9.0 * 96)):
        brought = random.exponential(70.0)
        inflow[at:] += brought / 40.0 * np.exp(-np.arange(count - at) / 40.0)
    store, level = random.uniform(0.4, 0.6) * 1000.0, np.empty(count)
    for place in range(count):
        given = drawn[place] * min(store / 200.0, 1.0) + max(store - 850.0, 0.0) * 0.02
        store = max(store + inflow[place] - given, 5.0)
        level[place] = store
    height = 100.0 + 12.0 * (level / 1000.0) ** 0.6 + 0.004 * random.normal(size=count)
    return Gauge(time, height.round(2), float(np.quantile(height, 0.05 if below else 0.95)), below)


def tide(random: Random, *, below: bool) -> Gauge:
    """A harbour's level (6 min): two lunar and two solar tides, surges of storms; a flood, or a bar that dries."""
    count = 60 * 240
    time = START + 6 * MINUTE * np.arange(count)
    hours = time / HOUR
    value = 1.2 * np.cos(2 * np.pi * hours / 12.4206) + 0.4 * np.cos(2 * np.pi * hours / 12.0 + 1.0)
    value += 0.15 * np.cos(2 * np.pi * hours / 25.82 + 2.0) + 0.1 * np.cos(2 * np.pi * hours / 23.93)
    for at in np.flatnonzero(random.random(count) < 1.0 / (8.0 * 240)):
        from_peak = (np.arange(count) - at) / 100.0
        value += random.normal() * 0.6 * np.exp(-0.5 * from_peak**2)
    value += 0.05 * _wander(random, count, 200.0) + 0.01 * random.normal(size=count)
    return Gauge(time, value.round(3), float(np.quantile(value, 0.01 if below else 0.99)), below)


def well(random: Random, *, below: bool) -> Gauge:
    """A sump's level (1 min): fills and is pumped out hour by hour; the pump fails, or runs dry."""
    count = 14 * 1440
    time = START + MINUTE * np.arange(count)
    faults = [int(place * count) for place in (0.4, 0.6, 0.8)]
    level, pumping, value = 1.0, False, np.empty(count)
    rate = 0.012 * (1.0 + 0.3 * _wander(random, count, 600.0)).clip(0.2)
    for place in range(count):
        failed = any(0 <= place - at < 240 for at in faults)
        pumping = (level > 0.5 if pumping else level > 1.5) if not (failed and not below) else False
        if failed and below:
            pumping = True
        level = max(level + rate[place] - (0.04 if pumping else 0.0), 0.0)
        value[place] = level
    value += 0.005 * random.normal(size=count)
    return Gauge(time, value.round(3), 0.2 if below else 2.2, below)


def spiky(random: Random, *, below: bool) -> Gauge:
    """A creek's level (10 min) whose sensor spikes and now and then sends zero; floods, or a drought's low water."""
    count = 60 * 144
    time = START + 10 * MINUTE * np.arange(count)
    flow = np.full(count, 0.3)
    for at in np.flatnonzero(random.random(count) < 1.0 / (6.0 * 144)):
        since = np.arange(count - at)
        flow[at:] += (
            random.exponential(1.5) * np.minimum(since / 30.0, 1.0) * np.exp(-np.maximum(since - 30.0, 0.0) / 90.0)
        )
    value = (1.0 - np.sqrt(flow) * 0.4) if below else np.sqrt(flow)
    value += 0.01 * random.normal(size=count)
    limit = float(np.quantile(value, 0.04 if below else 0.96))
    spikes = random.random(count) < 0.002
    value[spikes] += random.normal(0.0, 1.0, int(spikes.sum()))
    value[random.random(count) < 0.0005] = 0.0
    return Gauge(time, value.round(3), limit, below)


def recession(random: Random, *, below: bool) -> Gauge:
    """A river's level (an hour) in a dry summer: recedes by a power law to low water, storms between; or its floods."""
    count = 120 * 24
    time = START + HOUR * np.arange(count)
    store, value = 40.0, np.empty(count)
    storms = random.random(count) < 1.0 / (10.0 * 24)
    rain = np.zeros(count)
    for at in np.flatnonzero(storms):
        length = int(random.integers(3, 18))
        rain[at : at + length] += random.exponential(12.0) / length
    for place in range(count):
        store = store + rain[place] - 0.00035 * store**1.9
        value[place] = 1.0 + 0.35 * np.sqrt(max(store, 0.0))
    value += 0.003 * random.normal(size=count)
    return Gauge(time, value.round(2), float(np.quantile(value, 0.05 if below else 0.95)), below)


GAUGES: dict[str, Callable[..., Gauge]] = {one.__name__: one for one in (reservoir, recession, tide, well, spiky)}
"""Makers of levels that have a limit above and one below."""


def pump(seed: int, rows: int = 1150) -> Run:
    """Make a run of a pump (8 channels, 1 s) whose valve closes from row 570 to 900, as SKAB has them.

    The motor's current and the flow fall with the valve, pressure and vibration rise, the temperature follows slowly;
    some seconds are missing, and the run drifts a little as the loop warms.
    """
    random = np.random.default_rng(seed)
    time = START + np.cumsum(np.where(random.random(rows) < 0.05, 2.0, 1.0))
    closed = np.zeros(rows)
    closed[570:900] = random.uniform(0.3, 0.8) * np.minimum(np.arange(330) / random.uniform(20.0, 150.0), 1.0)
    warm = np.cumsum(0.0004 + 0.002 * closed) + 0.05 * _wander(random, rows, 200.0)
    flow = 32.0 + np.round(random.normal(0.0, 0.4, rows)) - np.round(9.0 * closed**1.5)
    channels = (
        0.027 + 0.0006 * random.normal(size=rows) + 0.002 * closed,
        0.040 + 0.0006 * random.normal(size=rows) + 0.0015 * closed,
        1.3 + 0.25 * random.normal(size=rows) - 0.15 * closed,
        0.2 + 0.25 * random.normal(size=rows) + 0.3 * closed,
        79.0 + warm * 2.0 + 0.1 * random.normal(size=rows),
        26.0 + warm + 0.01 * random.normal(size=rows),
        232.0 + 5.0 * random.normal(size=rows),
        flow,
    )
    return Run(f"pump/{seed}", time, CHANNELS, np.array(channels).T.copy(), closed > 0.0)
