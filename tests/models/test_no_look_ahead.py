"""Nothing looks ahead: what is told of a beginning does not depend on what follows, of whatever detector and kind."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from models.area.fitting import fit
from models.area.model import Watch
from models.bank import Bank
from models.counts import Counts, upper
from models.driver import Drive, Drivers
from models.evaluation.nab import Series
from models.evaluation.run import run_bank
from models.jump import Jumps
from models.peers import Peers
from models.repeats import DAY, FIRST_RATE, rise
from tests.models.area.plant import NAMES, plant

Floats = npt.NDArray[np.float64]
STEPS, CUT, STEP = 460, 400, 1800.0
LOOK = 20  # steps between two looks at all that can be asked for
KINDS = ("gauge", "counter", "angle", "switch", "state", "creep", "driven", "rain", "guessed switch", "guessed counter")


def values(kind: str, seed: int) -> Floats:
    """Return STEPS readings of a kind of point."""
    random = np.random.default_rng(seed)
    at = np.arange(STEPS)
    day = np.sin(2.0 * np.pi * at / 48.0)
    match kind.removeprefix("guessed "):
        case "counter":
            return np.asarray(np.cumsum(random.poisson(3.0, STEPS)) % 211, np.float64)
        case "angle":
            return np.asarray((350.0 + np.cumsum(random.normal(size=STEPS)) * 3.0) % 360.0, np.float64)
        case "switch":
            return np.where(at // 16 % 3 == 1, 1.0, 0.0)
        case "state":
            return np.repeat(random.choice([1.0, 4.0, 7.0], STEPS), 9)[:STEPS]
        case "creep":
            return 3.0 * np.log(900.0 / (900.0 - at)) + 0.05 * random.normal(size=STEPS)
        case "rain":
            return np.where(random.random(STEPS) < 0.05, random.exponential(4.0, STEPS), 0.0)
    return 10.0 + 4.0 * day + 0.2 * random.normal(size=STEPS)


def bank(copies: int) -> Bank:
    """Return a bank with rows of all kinds, so many of each."""
    made = Bank()
    for row in range(copies * len(KINDS)):
        kind = KINDS[row % len(KINDS)]
        made.configure(
            row,
            interval=STEP,
            kind=kind if kind in ("counter", "angle", "switch", "state") else "gauge",  # type: ignore[arg-type]
            creeps=kind == "creep",
            guess=(kind.removeprefix("guessed "),) if kind.startswith("guessed") else (),  # type: ignore[arg-type]
        )
    first = len(KINDS) * np.arange(copies)
    made.drivers = Drivers([Drive(int(at) + 6, int(at) + 7, 7200.0, "amounts", STEP) for at in first], len(made))
    return made


def transcript(copies: int, sent: Floats) -> list[bytes]:
    """Return all that a bank and what stands beside it tell after each step of f8[steps, rows]."""
    one, jumps = bank(copies), Jumps()
    rows = np.arange(len(one))
    for row in rows.tolist():
        jumps.configure(row, gauge=KINDS[row % len(KINDS)] in ("gauge", "creep"), thermal=False)
    limit, below = np.where(rows % 3 == 0, 13.0, 2.0), rows % 3 == 1
    told = []
    for place, value in enumerate(sent):
        before = one.last_value.copy()
        result = one.update(rows, np.full(len(rows), STEP * place), value)
        marked = jumps.update(rows, np.full(len(rows), STEP * place), value, result.reason, *one.outside, before)
        one.drive()
        told.append(b"".join(each.tobytes() for each in result) + str(marked).encode())
        if place % LOOK:
            continue
        arrays = [one.eta(rows, limit, below), *one.eta_range(rows, limit, below), one.stuck(rows), one.reach]
        arrays += [one.rate, *one.outside, one.flat_since]
        words = "".join(one.reason_text(row, language) for row in rows[:10].tolist() for language in ("en", "zh-CN"))
        shapes = " ".join(one.shape(row) for row in rows[:10].tolist())
        told[-1] += b"".join(each.tobytes() for each in arrays) + f"{words}{shapes}{one.guessed()}".encode()
    return told


@pytest.mark.parametrize("copies", [1, 4])  # one reading at a time, and in arrays
def test_the_bank_tells_the_same_of_a_beginning_whatever_follows(copies: int) -> None:
    whole = np.array([values(kind, seed) for seed in range(copies) for kind in KINDS]).T
    other = whole.copy()
    random = np.random.default_rng(9)
    other[CUT:] = random.choice([np.nan, np.inf, 1e300, -1e99, 0.0, 77.0], other[CUT:].shape)
    told, differently = transcript(copies, whole), transcript(copies, other)
    assert told[:CUT] == differently[:CUT]
    assert told[CUT:] != differently[CUT:]


def test_recordings_are_scored_the_same_by_their_beginning() -> None:
    series = [
        Series(kind, STEP * np.arange(STEPS, dtype=float), values(kind, 3), ()) for kind in ("gauge", "rain", "creep")
    ]
    parts = [Series(one.name, one.time[:CUT], one.value[:CUT], ()) for one in series]
    (scores, alarms), (first, early) = run_bank(series), run_bank(parts)
    for one in parts:
        assert np.array_equal(scores[one.name][:CUT], first[one.name])
        assert np.array_equal(alarms[one.name][:CUT], early[one.name])


def test_points_judged_together_are_told_the_same_by_their_beginning() -> None:
    time, rows = plant(500)
    model = fit(time[:300], rows[:300], NAMES, 10.0).model
    other = rows.copy()
    other[400:] = 1e6
    told = [
        [(one.score, one.alarm, one.top(NAMES)) for one in map(watch.row, time.tolist(), sent)]
        for watch, sent in ((Watch(model), rows), (Watch(model), other))
    ]
    assert told[0][:400] == told[1][:400]
    assert told[0][400:] != told[1][400:]


def test_redundant_points_are_told_the_same_by_their_beginning() -> None:
    random = np.random.default_rng(4)
    sent = 5.0 + np.cumsum(random.normal(0.0, 0.05, 400))[:, None] + 0.02 * random.normal(size=(400, 3))
    sent[200:, 1] += np.linspace(0.0, 3.0, 200)
    other = sent.copy()
    other[300:] = 1e9
    told = []
    for values_ in (sent, other):
        peers = Peers([[0, 1, 2], [1, 0, 2], [2, 0, 1]])
        found = []
        for place, value in enumerate(values_):
            peers.step(np.full(3, 60.0 * place), value, np.ones(3, np.bool_), np.full(3, 3.0))
            found.append(peers.disagrees.tolist())
        told.append(found)
    assert told[0][:300] == told[1][:300]
    assert any(map(any, told[0][:300]))


def test_counts_and_repeats_are_told_the_same_by_their_beginning() -> None:
    random = np.random.default_rng(5)
    sent = random.poisson(4.0, (600, 2)).astype(float)
    other = sent.copy()
    other[500:] = 1e5
    told = []
    for counts in (sent, other):
        model, found = Counts(900.0), []
        model.grow(2)
        for number, count in enumerate(counts):
            mean, doubt = model.expected(number)
            spread = model.scatter() + doubt
            found.append([upper(int(count[row]), float(mean[row]), float(spread[row])) for row in (0, 1)])
            model.close(number, count, np.zeros(2, np.bool_))
        told.append(found)
    assert told[0][:500] == told[1][:500]
    assert told[0][500:] != told[1][500:]
    times = [0.0, 9 * DAY, 15 * DAY, 20 * DAY]
    assert rise(times, 0, 0.0, 28 * DAY, FIRST_RATE).score > 0.98  # of the latest; there is nothing after it to look at
