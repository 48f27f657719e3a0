"""Put faults on real series and see which are found, and whether they are called by their names.

Each fault is put on the same quiet stretch of a series, after at most `HISTORY` readings of its own, in a size told in
ranges of what came before; nothing is taken from what follows. The stretch as it was runs beside it: what is found
there is false. An alarm of the bank is named by `models.shape`; its findings of data quality come first and are names
themselves: `stuck` is a freeze, `gap` a dropout.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from models.bank import Bank
from models.evaluation.nab import Series
from models.shape import shape

Floats = npt.NDArray[np.float64]
Fault = Literal["ramp", "freeze", "dropout", "level_shift", "growing_noise"]
FAULTS: tuple[Fault, ...] = get_args(Fault)

HISTORY = 3000
LENGTH = 200
"""Readings that a fault lasts."""

LEAST = 600
"""Readings that come before a fault: fewer teach too little."""

SIZE = 1.0
"""Ranges that a level shifts by; a ramp reaches 1.5 times as far, noise grows to this standard deviation."""

AROUND = 300
"""Readings before a surprise that its shape is told from."""


class Trial(msgspec.Struct, frozen=True):
    """Say what became of one fault (`fault` "" is the stretch as it was)."""

    series: str
    fault: Fault | Literal[""]
    onset: float  # unix seconds
    after: float | None  # seconds until it was found; None: never
    named: str  # "" when it was not found


class Stretch(msgspec.Struct, frozen=True):
    """Hold one row of a run: readings, and where in them the fault begins and ends (row numbers)."""

    series: str
    fault: Fault | Literal[""]
    time: Floats
    value: Floats
    begin: int
    end: int
    interval: float


def stretches(series: Sequence[Series], seed: int, each: int = 1, size: float = SIZE) -> Iterator[Stretch]:
    """Yield, `each` times a series, a quiet stretch as it is and with each fault put on; skip what has none.

    A stretch overlaps no labelled window and holds values that are not all the same.
    """
    random = np.random.default_rng(seed)
    for one in series:
        loud = np.zeros(len(one.time), np.bool_)
        for first, last in one.windows:
            loud[first : last + 1] = True
        heard = np.concatenate([[0], np.cumsum(loud)])
        starts = np.arange(LEAST, len(one.time) - LENGTH)
        starts = starts[heard[starts + LENGTH] == heard[starts]]
        for begin in random.permutation(starts)[:each].tolist():
            first = max(begin - HISTORY, 0)
            time, value = one.time[first : begin + LENGTH], one.value[first : begin + LENGTH]
            at = begin - first
            width = float(np.ptp(value[:at]))
            if width <= 0.0:
                continue
            clean = Stretch(one.name, "", time, value, at, at + LENGTH, one.interval)
            yield clean
            for fault in FAULTS:
                yield put_on(clean, fault, size * width, random)


def put_on(clean: Stretch, fault: Fault, size: float, random: np.random.Generator) -> Stretch:
    """Return a stretch with a fault put on; `size` in its own units."""
    time, value, at = clean.time, clean.value.copy(), clean.begin
    along = np.arange(1, len(value) - at + 1) / (len(value) - at)
    sign = 1.0 if random.random() < 0.5 else -1.0
    if fault == "ramp":
        value[at:] += sign * 1.5 * size * along
    elif fault == "level_shift":
        value[at:] += sign * size
    elif fault == "growing_noise":
        value[at:] += random.normal(size=len(along)) * size * along
    elif fault == "freeze":
        value[at:] = value[at - 1]
    else:  # all but the last reading are lost
        time, value = np.append(time[:at], time[-1]), np.append(value[:at], value[-1])
    return msgspec.structs.replace(clean, fault=fault, time=time, value=value, end=len(value))


def trials(found: Sequence[Stretch], progress: Callable[[int, int], None] | None = None) -> list[Trial]:
    """Run stretches side by side, one row each, and judge them; `progress` is told (readings done, in all)."""
    bank = Bank()
    for row, one in enumerate(found):
        bank.configure(row, interval=one.interval)
    told: list[dict[str, int]] = [{} for _ in found]  # finding → the reading that it came with
    lengths = np.array([len(one.time) for one in found])
    begins = np.array([one.begin for one in found])
    longest = int(lengths.max(initial=0))
    for place in range(longest):
        rows = np.flatnonzero(lengths > place)
        result = bank.update(
            rows,
            np.array([found[row].time[place] for row in rows.tolist()]),
            np.array([found[row].value[place] for row in rows.tolist()]),
        )
        during = place >= begins[rows]
        for name, some in (("alarm", result.alarm), ("gap", result.gap), ("stuck", bank.stuck(rows))):
            for row in rows[some & during].tolist():
                told[row].setdefault(name, place)
        if progress is not None and place % 50 == 0:
            progress(place, longest)
    return [_judge(one, findings) for one, findings in zip(found, told, strict=True)]


_NAMES = {"gap": "dropout", "stuck": "freeze"}  # a value that is the same after a gap is no freeze


def _judge(one: Stretch, findings: dict[str, int]) -> Trial:
    """Say what is told of a stretch: the first finding of data quality, for want of one the alarm and its shape."""
    onset = float(one.time[one.begin])
    if not findings:
        return Trial(one.series, one.fault, onset, None, "")
    quality = [name for name in _NAMES if name in findings]
    by = min(quality or findings, key=lambda name: findings[name])
    place = findings[by]
    named = _NAMES.get(by) or shape(one.value[max(place - AROUND, 0) :], min(place, AROUND))
    return Trial(one.series, one.fault, onset, float(one.time[min(findings.values())]) - onset, named)


class FaultFigures(msgspec.Struct, frozen=True):
    """Sum up the trials of one fault (`fault` "": stretches as they were, where all that is found is false)."""

    fault: Fault | Literal[""]
    trials: int
    found: int
    named: int
    median_after: float | None  # seconds until found, of those that were
    others: dict[str, int]  # wrong name → how often


def summary(found: Sequence[Trial]) -> list[FaultFigures]:
    """Return the figures of each fault, in the order of FAULTS, stretches as they were last."""
    told = []
    for fault in (*FAULTS, ""):
        mine = [one for one in found if one.fault == fault]
        if not mine:
            continue
        after = [one.after for one in mine if one.after is not None]
        wrong = Counter(one.named for one in mine if one.named not in ("", fault))
        told.append(
            FaultFigures(
                fault,  # type: ignore[arg-type]
                len(mine),
                len(after),
                sum(one.named == fault and one.after is not None for one in mine),
                float(np.median(after)) if after else None,
                dict(wrong.most_common()),
            )
        )
    return told
