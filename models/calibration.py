"""Conformal calibration in O(1) memory: what share of a point's own readings was this surprising or more.

Two estimates, the smaller counts:
- **rank** (Vovk 2005, conformal p-value), from a decayed survival histogram over fixed bins, of the last 250 to 500:
  (readings at or above this bin + 1) / (readings + 1), never said finer than `FINEST`;
- **tail**, for readings outside the remembered range: how often such events came (a record among n exchangeable
  readings has probability 2 / (n + 1) for the two sides) times a Pareto excess over one scale for all points (peaks
  over threshold, Pickands 1975, tail index 1/2, which needs no `pow`), counted once a cluster (runs declustering).

Readings follow one another too closely for a rank to come as often as it says, so the ranks are held to it: adaptive
conformal inference (Gibbs & Candès 2021), a factor for each of two levels, moved on by every reading.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.arithmetic import ARRAYS, Arithmetic, Column
from models.block import put

Floats = npt.NDArray[np.float64]

GROUPS, FINE = 6, 8
BINS = GROUPS * FINE
FINEST = 1.0 / 1001.0
"""The rank stops here, just beyond one in a thousand; what is rarer only the tail can say."""

# Bins of the place inside the range (0..1): by the logarithm below a half, where heavy tails crowd, evenly above; then
# bins of the excess outside it. Looked up in a table: a logarithm's last bit is not the same everywhere.
_LOW, _HIGH = 21, 20
_EDGES = np.concatenate([np.geomspace(1.0 / 256.0, 0.5, _LOW), np.linspace(0.5, 1.0, _HIGH + 1)[1:-1]])
_FIRST_OUTSIDE = _LOW + _HIGH
_TAIL = np.array([0.01, 0.02, 0.05, 0.1, 0.3, 1.0])
_TAIL_EDGES = _TAIL.tolist()
_CELLS = 4096.0
_CELL = np.searchsorted(_EDGES, np.arange(int(_CELLS) + 1) / _CELLS, "right").astype(np.intp)
_CELL_LIST = _CELL.tolist()
assert _FIRST_OUTSIDE + len(_TAIL) + 1 == BINS
_EACH = np.arange(0, 8192 * FINE, FINE)  # of a batch: the bank works on no more at once
_SHIFT = 3  # log2(FINE)
_HALF = np.float32(0.5)
# Row b: the counts that a reading in bin b adds to; the last row adds to none.
_FINE_STEPS = np.vstack([np.tri(FINE, dtype=np.float32), np.zeros((1, FINE), np.float32)])
_COARSE_STEPS = np.vstack([np.tri(GROUPS, FINE, dtype=np.float32), np.zeros((1, FINE), np.float32)])


class Survival:
    """Count, for each row, the readings at or above each bin, in two levels so that one reading touches few counts.

    `coarse[row, g]`: readings in group g or above (the last two columns stay 0); `fine[row * GROUPS + g, b]`: readings
    of group g in its bin b or above.
    """

    def __init__(self, rows: int = 0) -> None:
        self.take(np.zeros((rows, FINE), np.float32), np.zeros((rows * GROUPS, FINE), np.float32))

    def take(self, coarse: npt.NDArray[np.float32], fine: npt.NDArray[np.float32]) -> None:
        """Go on with these counts."""
        self.coarse, self.fine = coarse, fine
        # of one reading's few counts, Python's own access is ten times as quick as numpy's
        self._coarse, self._fine = (counts.reshape(-1).view(np.uint8).data.cast("f") for counts in (coarse, fine))

    def grow(self, rows: int) -> None:
        """Add `rows` rows that have counted nothing."""
        self.take(
            np.concatenate([self.coarse, np.zeros((rows, FINE), np.float32)]),
            np.concatenate([self.fine, np.zeros((rows * GROUPS, FINE), np.float32)]),
        )

    def forget(self, row: int) -> None:
        """Set a row's counts to 0."""
        self.coarse[row] = 0.0
        self.fine[row * GROUPS : (row + 1) * GROUPS] = 0.0

    def halve(self, rows: npt.NDArray[np.intp]) -> None:
        """Halve the counts of rows."""
        self.coarse[rows] *= _HALF
        for group in range(GROUPS):
            self.fine[rows * GROUPS + group] *= _HALF

    def count_many(
        self,
        rows: npt.NDArray[np.intp],
        place: Floats,
        excess: Floats,
        counted: npt.NDArray[np.bool_] | None,
    ) -> tuple[Floats, Floats]:
        """Return how many readings of each row were in this one's bin or above, and how many in all; then count it.

        `place` 0..1 inside the range, `excess` above 0 outside it (`models.novelty`). Count only where `counted`,
        None: all.
        """
        number = _CELL.take((place * _CELLS).astype(np.intp))
        outside = excess.nonzero()[0]
        if len(outside):
            number[outside] = _TAIL.searchsorted(excess.take(outside), "right") + _FIRST_OUTSIDE
        group, bin_ = number >> _SHIFT, number & (FINE - 1)
        at = rows * GROUPS + group
        coarse, fine = self.coarse.take(rows, axis=0), self.fine.take(at, axis=0)
        each = _EACH[: len(rows)]
        found = coarse.take(each + group + 1).astype(np.float64)
        found += fine.take(each + bin_)
        total = coarse[:, 0].astype(np.float64)
        if counted is not None:
            group, bin_ = np.where(counted, group, GROUPS), np.where(counted, bin_, FINE)
        coarse += _COARSE_STEPS.take(group, axis=0)
        fine += _FINE_STEPS.take(bin_, axis=0)
        put(self.coarse, rows, coarse)
        put(self.fine, at, fine)
        return found, total

    def count_one(self, row: int, place: float, excess: float, counted: bool) -> tuple[float, float]:
        """Do the same for one reading."""
        number = _CELL_LIST[int(place * _CELLS)]
        if excess > 0.0:
            number = bisect_right(_TAIL_EDGES, excess) + _FIRST_OUTSIDE
        group, bin_ = number >> _SHIFT, number & (FINE - 1)
        coarse, fine = self._coarse, self._fine
        first, start = row * FINE, (row * GROUPS + group) * FINE
        found, total = coarse[first + group + 1] + fine[start + bin_], coarse[first]
        if counted:
            for at in range(first, first + group + 1):
                coarse[at] += 1.0
            for at in range(start, start + bin_ + 1):
                fine[at] += 1.0
        return found, total


class Peaks(NamedTuple):
    """Hold what the tail has seen: decayed counts of events and readings, and the cluster under way."""

    events: Column
    readings: Column
    peak: Column  # highest excess of the cluster
    since: Column  # time of that peak


def rank(op: type[Arithmetic], at_or_above: Column, readings: Column) -> Column:
    """Return the conservative conformal p-value; counts that were halved often may be of more readings than all."""
    return op.most(op.least((at_or_above + 1.0) / (readings + 1.0), 1.0), FINEST)


GROWN = 1.5
"""Times the largest excess of its cluster that another must be to be judged anew. At 1 a rising flood told 0.999 three
times as often as it says; at 2 the score of NAB by the threshold of the other half falls."""


class Hold(NamedTuple):
    """Hold the factors on ranks that keep the two levels to their rates: below 1 in quiet times, above after a hit."""

    often: Column  # of `OFTEN`
    seldom: Column  # of `SELDOM`, on top of the other


OFTEN, SELDOM = 0.01, 0.001
"""The levels whose rate is held: scores 0.99 and 0.999."""

_GAINS = (1.3, 0.2624), (2.0, 0.6931)
"""What a hit multiplies a factor by, and its logarithm, which readings without a hit take away in 1 / level of them:
so hits come at the level's rate in the long run (a literal, since a logarithm's last bit is not the same everywhere).
Larger ones hold the rate over fewer readings; those tried from 1.1 to 2 and 1.5 to 2.5 differ by less than chance."""

_REACH = 16.0
"""Factors stay within 1 / reach .. reach: where nothing is rare, as on a constant, they do not run away. The common
sixth of a point's readings is never told as 0.99; at 8 that level came at half its rate, at 32 no oftener than here."""

_BESIDE = 1.0 + 1e-6
_FEW = 12  # readings up to which it is quicker one by one


def hold(op: type[Arithmetic], factors: Hold, share: Column, learning: Column) -> tuple[Column, Hold]:
    """Return the p-value that comes as often as it says, and the factors after this reading.

    Factors stay while a row is `learning` (None: none is). What only the tail can say, `share` below `FINEST`, is left
    as it is, so the order of the largest scores is too; nor does it move the factor of `OFTEN`: a long event would
    silence that level for a thousand readings.
    """
    held, tailed = share, share < FINEST
    for factor, level in zip(factors, (OFTEN, SELDOM), strict=True):
        moved = held * factor  # decides on which side of the level the reading is, and no more
        held = op.where(moved <= level, moved, op.most(held, level * _BESIDE))
    held = op.where(tailed, share, op.most(held, FINEST))
    after = []
    stay = tailed if learning is None else op.either(learning, tailed)
    for factor, level, (up, down), stays in zip(factors, (OFTEN, SELDOM), _GAINS, (stay, learning), strict=True):
        moved = op.most(op.least(factor * op.where(held <= level, up, 1.0 - down * level), _REACH), 1.0 / _REACH)
        after.append(op.where(stays, factor, moved) if stays is not None and op.some(stays) else moved)
    return held, Hold(*after)


def hold_many(factors: Hold, share: Floats) -> tuple[Floats, Hold]:
    """Do the same for a batch of learnt readings, to the same bits: where few are rare the others only fall in rank."""
    often, seldom = factors
    held = np.maximum(share, OFTEN * _BESIDE)
    rare = ((share * often <= OFTEN) | (held * seldom <= SELDOM) | (share < FINEST)).nonzero()[0]
    if len(rare) > _FEW:
        return hold(ARRAYS, factors, share, None)
    often, seldom = (
        np.maximum(factor * (1.0 - down * level), 1.0 / _REACH)
        for factor, level, (_, down) in zip(factors, (OFTEN, SELDOM), _GAINS, strict=True)
    )
    for place in rare.tolist():
        one = hold_one(factors.often.item(place), factors.seldom.item(place), share.item(place))
        held[place], often[place], seldom[place] = one
    return held, Hold(often, seldom)


def hold_one(often: float, seldom: float, share: float) -> tuple[float, float, float]:
    """Do the same for one learnt reading, in plain Python, to the same bits; the factors come after the p-value."""
    (often_up, often_down), (seldom_up, seldom_down) = _GAINS
    held = share
    moved = held * often
    held = moved if moved <= OFTEN else max(held, OFTEN * _BESIDE)
    moved = held * seldom
    held = moved if moved <= SELDOM else max(held, SELDOM * _BESIDE)
    if share < FINEST:
        held = share
    else:
        held = max(held, FINEST)
        often *= often_up if held <= OFTEN else 1.0 - often_down * OFTEN
    seldom *= seldom_up if held <= SELDOM else 1.0 - seldom_down * SELDOM
    return held, max(min(often, _REACH), 1.0 / _REACH), max(min(seldom, _REACH), 1.0 / _REACH)


def peaks_over(
    op: type[Arithmetic], peaks: Peaks, excess: Column, time: Column, refractory: Column
) -> tuple[Column, Column, Peaks]:
    """Return the share of readings that leave the range, whether an event begins, and the peaks after it.

    An event is an excess `GROWN` times as large as all within the last `refractory` seconds, so that what rises from
    record to record is one; each record counts for how often the range is left.
    """
    share = op.least((peaks.events + 2.0) / (peaks.readings + 1.0), 1.0)
    old = time - peaks.since > refractory
    before = op.where(old, 0.0, peaks.peak)
    record, event = excess > before, excess > before * GROWN
    events = op.where(record, peaks.events + 1.0, peaks.events)
    after = Peaks(events, peaks.readings, op.where(record, excess, peaks.peak), op.where(record, time, peaks.since))
    return share, event, after


def passed(op: type[Arithmetic], peaks: Peaks, memory: float) -> tuple[Peaks, Column]:
    """Count a reading; return the peaks after it, and where counts are halved, having reached `memory` readings."""
    readings = peaks.readings + 1.0
    full = readings >= memory
    if not op.some(full):
        return peaks._replace(readings=readings), full
    events = op.where(full, peaks.events * 0.5, peaks.events)
    return peaks._replace(events=events, readings=op.where(full, readings * 0.5, readings)), full


def tail(share: Column, excess: Column, scale: Column) -> Column:
    """Return the p-value of an excess: `share` leave the range at all, a quarter of them by more than `scale`."""
    stretch = 1.0 + excess / scale
    return share / (stretch * stretch)
