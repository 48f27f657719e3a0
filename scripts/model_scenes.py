"""The scenes in which docs/models.md shows the detectors that no benchmark is about, played through the detectors.

Recorded ones are the first of their folder; made ones are drawn once, with seed 1, and shown as they come out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.bank import Bank
from models.codes import Codes
from models.counts import Counts, upper
from models.evaluation import gauge, skab
from models.evaluation.nab import Series
from models.evaluation.plot import Band, Look, Mark, Panel
from models.jump import Jumps
from models.peers import Peers
from models.reason import MEAN_ABOVE, RARE
from models.repeats import FIRST_RATE, rise
from models.triage.case import Case, Verdict
from models.triage.fitting import EARLIER, fit

Floats = npt.NDArray[np.float64]
HOUR, DAY = 3600.0, 86400.0
START = 1_767_225_600.0  # 2026-01-01
SEED = 1
HORIZON = 12 * HOUR


def streams(series: Sequence[Series]) -> list[Panel]:
    """Draw the first series in whose window an alarm is by a derived stream while the value is within its range."""
    for one in series:
        bank = Bank()
        bank.configure(0, interval=one.interval)
        for at, (time, value) in enumerate(zip(one.time, one.value, strict=True)):
            told = bank.update(np.zeros(1, np.intp), np.array([time]), np.array([value]))
            window = next((window for window in one.windows if window[0] <= at <= window[1]), None)
            if window is not None and told.alarm[0] and MEAN_ABOVE <= told.reason[0] < RARE:
                part = slice(max(at - 900, 0), at + 150)
                band = Band(float(one.time[window[0]]), float(one.time[window[1]]), "", "found")
                mark = Mark(float(time), bank.reason_text(0), "found")
                return [Panel(one.name, one.time[part], one.value[part], [mark], [band])]
    return []


def limits(water: Path) -> list[Panel]:
    """Draw the first foreseen and the first false of a river, a creek that swings daily, and a slope that fails."""
    time, value = gauge.read_gauge(water / "keag_first_half.csv", "65565_00065")
    found = _foreseen("river", time, value, 0.95, HOUR)
    time, value = gauge.read_gauge(water / "logan" / "TonyGrove2019.csv", "temp")
    part = slice(10_000, 16_000)
    found += _foreseen("creek, daily swing", time[part], value[part], 0.95, 900.0)[:1]
    at = START + 900.0 * np.arange(900)
    random = np.random.default_rng(SEED)
    moved = np.where(np.arange(900) > 250, 6.0 * np.log(700.0 / (950.0 - np.maximum(np.arange(900), 250))), 0.0)
    return (
        found + _foreseen("slope, inverse velocity", at, moved + 0.3 * random.normal(size=900), 0.99, 900.0, True)[:1]
    )


def river(water: Path) -> list[Panel]:
    """Draw all warnings of a river's half year by its 95 % quantile, then each false one with the days about it."""
    time, value = gauge.read_gauge(water / "keag_first_half.csv", "65565_00065")
    limit = float(np.quantile(value, 0.95))
    told = gauge.foresee(time, value, gauge.etas(time, value, limit, HOUR), limit, horizon=HORIZON, apart=HORIZON)
    whole, *wrong = gauge.panels(time, value, told)
    return [whole, *wrong, *_foreseen("the first that was right", time, value, 0.95, HOUR)[:1]]


def _foreseen(
    name: str, time: Floats, value: Floats, share: float, interval: float, creeps: bool = False
) -> list[Panel]:
    limit = float(np.quantile(value, share))
    eta = gauge.etas(time, value, limit, interval, creeps=creeps)
    told = gauge.foresee(time, value, eta, limit, horizon=HORIZON, apart=HORIZON)
    drawn = [one for one in gauge.panels(time, value, told, every=True)[1:] if one.title != "missed"]
    firsts = [next((one for one in drawn if one.title.startswith(begin)), None) for begin in ("warned", "false")]
    return [
        Panel(f"{name}: {one.title}", one.times, one.values, one.marks, one.bands, one.limit, one.note)
        for one in firsts
        if one is not None
    ]


def hours() -> list[Panel]:
    """Draw a swing that stands at its daytime value for two hours of a night."""
    at = START + 900.0 * np.arange(12 * 96)
    value = 10.0 + 5.0 * np.cos(2.0 * np.pi * (at / HOUR - 14.0) / 24.0)
    night = slice(11 * 96 + 8, 11 * 96 + 16)
    value[night] = 14.0
    value += 0.3 * np.random.default_rng(SEED).normal(size=len(at))
    bank, marks = Bank(), []
    bank.configure(0, interval=900.0)
    for time, now in zip(at, value, strict=True):
        if bank.update(np.zeros(1, np.intp), np.array([time]), np.array([now])).alarm[0]:
            marks.append(Mark(float(time), bank.reason_text(0), "found"))
    band = Band(float(at[night.start]), float(at[night.stop]), "", "found")
    return [Panel("a swing of the day, and a night at the day's value", at, value, marks, [band])]


def creep() -> list[Panel]:
    """Draw a daily swing five times as large as its noise that creeps away from the 40th day on."""
    random = np.random.default_rng(SEED)
    at = START + 900.0 * np.arange(75 * 96)
    value = 1000.0 + random.normal(size=len(at)) + 5.0 * np.cos(2.0 * np.pi * (at / HOUR - 14.0) / 24.0)
    crept = np.maximum(at - START - 40.0 * DAY, 0.0) / (7.0 * DAY)  # half a standard deviation a week
    value += 0.5 * float(value.std()) * crept
    bank, marks = Bank(), []
    bank.configure(0, interval=900.0)
    for time, now in zip(at, value, strict=True):
        if bank.update(np.zeros(1, np.intp), np.array([time]), np.array([now])).alarm[0]:
            look: Look = "found" if time > START + 40.0 * DAY else "false"
            marks.append(Mark(float(time), "" if marks else bank.reason_text(0), look))
    band = Band(float(START + 40.0 * DAY), float(at[-1]), "", "found")
    words = "a swing of the day that creeps away by half a standard deviation a week (blue: mean of the day)"
    sums = np.concatenate([[0.0], np.cumsum(value)])
    ends = np.arange(1, len(at) + 1)
    begins = np.maximum(ends - 96, 0)
    return [Panel(words, at, value, marks, [band], second=(sums[ends] - sums[begins]) / (ends - begins))]


def codes() -> list[Panel]:
    """Draw a light that goes on every evening, and once at night."""
    steps = np.arange(9 * 144)
    value = np.where((steps % 144 >= 108) & (steps % 144 < 138), 1.0, 0.0)
    value[7 * 144 + 20 : 7 * 144 + 26] = 1.0
    known, marks, last = Codes(), [], 0.0
    for step in steps[1:].tolist():
        if value[step] != value[step - 1]:
            at = START + 600.0 * step
            share = known.change(0, last, float(value[step]), float(step), at, START).share
            last = float(value[step])
            if share <= 0.02 and step > 2 * 144:
                marks.append(Mark(at, f"{1.0 - share:.3f}", "found"))
    return [Panel("a light by the clock, and once at night", START + 600.0 * steps, value, marks)]


def guesses() -> list[Panel]:
    """Draw a counter that nobody declared, and from when on it is watched as one."""
    random = np.random.default_rng(SEED)
    value = np.cumsum(random.poisson(2.0, 600)).astype(float) % 400.0
    value = np.where(value == 0.0, 1.0, value)
    bank, marks = Bank(), []
    bank.configure(0, interval=600.0, guess=("counter",))
    for step, each in enumerate(value.tolist()):
        bank.update(np.zeros(1, np.intp), np.array([START + 600.0 * step]), np.array([each]))
        if bank.guessed() and not marks:
            marks = [Mark(START + 600.0 * step, "watched as a counter from here on", "found")]
    return [Panel("a meter that nobody declared", START + 600.0 * np.arange(600), value, marks)]


def jumps() -> list[Panel]:
    """Draw a temperature whose gateway changes to °F."""
    random = np.random.default_rng(SEED)
    value = 18.0 + 3.0 * np.sin(np.arange(600) / 23.0) + 0.2 * random.normal(size=600)
    value[450:] = value[450:] * 1.8 + 32.0
    bank, told = Bank(), Jumps()
    bank.configure(0, interval=600.0)
    told.configure(0, gauge=True, thermal=True)
    marks: list[Mark] = []
    row = np.zeros(1, np.intp)
    for step, each in enumerate(value.tolist()):
        time, one, before = np.array([START + 600.0 * step]), np.array([each]), bank.last_value.copy()
        reason = bank.update(row, time, one).reason
        marked = told.update(row, time, one, reason, *bank.outside, before)
        if marked is not None and marked[0] and not marks:
            marks = [Mark(float(time[0]), "told as °F", "found")]
    return [Panel("another unit", START + 600.0 * np.arange(600), value, marks)]


def peers() -> list[Panel]:
    """Draw one of three gauges of a tank that drifts away, and the middle one of the three."""
    random = np.random.default_rng(SEED)
    world = 5.0 + np.cumsum(random.normal(0.0, 0.05, 500))
    values = world[:, None] + np.array([0.0, 0.3, -0.2]) + 0.02 * random.normal(size=(500, 3))
    values[250:, 1] += np.linspace(0.0, 3.0, 250)
    sets, marks = Peers([[0, 1, 2], [1, 0, 2], [2, 0, 1]]), []
    for step, value in enumerate(values):
        sets.step(np.full(3, START + 60.0 * step), value, np.ones(3, np.bool_), np.full(3, 3.0))
        if sets.disagrees[list(sets.points).index(1)] and not marks:
            marks = [Mark(START + 60.0 * step, "disagrees", "found")]
    time = START + 60.0 * np.arange(500)
    band = Band(float(time[250]), float(time[-1]), "drift", "found")
    return [
        Panel(
            "one of three gauges (blue: their median)", time, values[:, 1], marks, [band], second=np.median(values, 1)
        )
    ]


def counts() -> list[Panel]:
    """Draw persons a quarter of an hour, what was expected of them (blue), and a morning with three times as many."""
    random = np.random.default_rng(SEED)
    windows = np.arange(16 * 96)
    usual = 2.0 + 18.0 * np.maximum(np.sin((windows % 96 - 24.0) / 48.0 * np.pi), 0.0)
    rates = usual.copy()
    loud = slice(14 * 96 + 38, 14 * 96 + 46)
    rates[loud] *= 3.0
    count, model, expected, marks = random.poisson(rates).astype(float), Counts(900.0), [], []
    model.grow(1)
    for number, one in enumerate(count.tolist()):
        mean, doubt = model.expected(number)
        if not model.learning()[0] and upper(int(one), float(mean[0]), float((model.scatter() + doubt)[0])) <= 0.001:
            look: Look = "found" if loud.start <= number < loud.stop else "false"
            marks.append(Mark(START + 900.0 * number, "", look))
        expected.append(float(mean[0]))
        model.close(number, np.array([one]), np.zeros(1, np.bool_))
    part = slice(11 * 96, None)
    time = START + 900.0 * windows
    band = Band(float(time[loud.start]), float(time[loud.stop]), "", "found")
    words = "persons a quarter of an hour (blue: expected; marked: 0.999)"
    return [Panel(words, time[part], count[part], marks, [band], second=np.array(expected)[part])]


def repeats() -> list[Panel]:
    """Draw the scores of the reports about one person who was hardly ever reported before."""
    days = [0.0, 150.0, 159.0, 165.0, 170.0, 174.0]
    scores = [rise([DAY * day for day in days[: n + 1]], 0, 0.0, 28 * DAY, FIRST_RATE).score for n in range(len(days))]
    at = np.array([START + DAY * day for day in days])
    marks = [Mark(float(time), f"{score:.3f}", "found") for time, score in zip(at, scores, strict=True) if score > 0.9]
    return [Panel("score of each report about one person", at, np.array(scores), marks)]


def together(runs: Path) -> list[Panel]:
    """Draw how unlikely the rows of the first run are, all channels together, on a logarithmic scale."""
    run = skab.load(runs)[0]
    told = skab.score(run)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], run.anomalous.astype(np.int8), [0]))))
    last = len(run.time) - 1
    bands = [Band(float(run.time[a]), float(run.time[min(b, last)])) for a, b in edges.reshape(-1, 2).tolist()]
    rarity = -np.log10(np.maximum(1.0 - told.score, 1e-6))
    words = f"{run.name}: digits of rarity of a row of eight channels (dashed: judged anomalous; grey: by the labels)"
    return [Panel(words, run.time, rarity, (), bands, 3.0)]


def triage() -> list[Panel]:
    """Draw the odds of the later alarms by a model of the earlier ones, and what they proved to be."""
    random = np.random.default_rng(SEED)
    verdicts = []
    for number in range(300):
        good, seen = bool(random.random() < 0.5), bool(random.random() < 0.3)
        opened, rule = START + 6.0 * HOUR * number, "creep" if good else "motion"
        case = Case(
            opened, rule, f"p{number % 7}", f"a{number % 3}", "slope", 2, False, 0.99, int(seen), 0, 1, 0, 0, False
        )
        real = bool(random.random() < 1.0 / (1.0 + np.exp(1.2 - 2.0 * good - 1.5 * seen)))
        verdicts.append(Verdict(case, real, opened + 2.0 * HOUR))
    cut = int(EARLIER * len(verdicts))
    model = fit(verdicts[:cut]).model
    later = verdicts[cut:]
    odds = np.array([model.odds(one.case) for one in later])
    marks = [Mark(one.case.opened, "", "found" if one.real else "false") for one in later]
    time = np.array([one.case.opened for one in later])
    words = "odds told of 90 later alarms (green: proved real, red: a nuisance)"
    return [Panel(words, time, odds, marks)]


MADE: dict[str, Callable[[], list[Panel]]] = {
    "hours": hours,
    "creep": creep,
    "codes": codes,
    "guesses": guesses,
    "jumps": jumps,
    "peers": peers,
    "counts": counts,
    "repeats": repeats,
    "triage": triage,
}
"""Scenes that need no recordings, by the name of their picture."""
