"""How surprising a count is: events of a stream in one window of time, against what that time of the week brings.

What is usual is learnt as it comes, each window after it was judged. The mean is a profile of the hours of the week, in
three levels of which each leans on the one above as far as its own counts do not tell (Bühlmann 1967: credibility),
times how the last two days went; within an hour it goes along with those before and after. The scatter beyond chance is
learnt from how far one window was off from what the ones before foretold. A count is then negative-binomial (a Poisson
count whose rate is not known for sure: *Greenwood & Yule 1920*), and its score is 1 - p with the mid-p of its upper
tail (*Lancaster 1961*): a count has few values, and a whole p-value would come too seldom.

Few counts are no surprise here: a camera that fails sees nothing. A window in which a source was away is not learnt
from, nor is a silence that the profile finds incredible, until it has lasted for a week.
"""

from __future__ import annotations

from math import exp, expm1, log, log1p

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

HOUR, DAY, WEEK = 3600.0, 86400.0, 604800.0
WEEKS = 8.0
"""Weeks over which the profile follows."""
LEAN_DAY, LEAN_WEEK = 1.0, 8.0
"""Events of its own that an hour of the day, or of the week, needs to count as much as the level above it: hours of a
day differ as much as their mean, the same hour on different days by a third."""
LEVEL_DAYS, LEAN_LEVEL = 2.0, 30.0
"""Days over which the level follows, and the events it needs to count as much as the profile."""
SCATTERED = 2000.0
"""Windows over which the scatter follows."""
FIRST_SCATTER = 0.1
WEIGHED = 0.03
"""Scatter by which windows of unlike means are weighted when the scatter is learnt."""
MOST_DOUBTED = 0.5
"""Share of the scatter that is at most put down to doubt of the mean: hours differ less than was allowed for where a
stream is steady, and all of the doubt of its first week would hide the scatter for weeks."""
LEAST_SCATTER, MOST_SCATTER = 1e-6, 25.0
FARTHEST = 6.0
"""Standard deviations beyond which a count teaches no more: one flood is not the habit."""
INCREDIBLE = log(1e-6)
"""Logarithm of the probability below which a silence is taken for a source that is away."""
MOST = 1_000_000
"""Events counted in one window."""


def upper(count: int, mean: float, scatter: float) -> float:
    """Return the mid-p of a count or more, negative-binomial with variance mean + scatter * mean²; 1 up to the mean."""
    if not count > mean:
        return 1.0
    if mean <= 0.0:
        return 0.0
    scatter = max(scatter, LEAST_SCATTER)
    from scipy.special import betainc  # here: it takes long to load, and few engines count events

    shape, share = 1.0 / scatter, scatter * mean / (1.0 + scatter * mean)
    p = 0.5 * float(betainc(count, shape, share) + betainc(count + 1.0, shape, share))
    return min(round(p, 12), 1.0)


class Counts:
    """Streams of counts in windows of one length, one a row: 1.4 kB a row where the hours of the week are told apart.

    `window` seconds. From a day on only weekdays are told apart, from a week on nothing.
    """

    ARRAYS = ("total", "windows", "level", "scattered", "learnt", "silence", "mute")

    def __init__(self, window: float) -> None:
        self.window = window
        self.bins = 168 if window < DAY else 7 if window < WEEK else 1
        self._bin = HOUR if self.bins == 168 else DAY
        self._most = WEEKS * max(1.0, min(self._bin, WEEK) / window) if self.bins > 1 else WEEKS * 7.0
        self._keep = exp(-window / (LEVEL_DAYS * DAY))
        self.needed = max(20.0, 2.0 * DAY / window) if window < DAY else max(4.0, 14.0 * DAY / window)
        self.total = np.empty((0, self.bins), np.float32)  # events by hour of the week, decayed
        self.windows = np.empty((0, self.bins), np.float32)  # windows that they came in
        self.level = np.empty((0, 2))  # of the last days, each by what it tells: events, those that were expected
        self.scattered = np.empty((0, 2))  # squares beyond chance, those of a scatter of 1
        self.learnt = np.empty(0)  # windows
        self.silence = np.empty(0)  # logarithm of the probability of the windows without events that lie behind
        self.mute = np.empty(0)  # windows that were not learnt because of that

    @property
    def rows(self) -> int:
        """Return the number of streams."""
        return len(self.learnt)

    @property
    def nbytes(self) -> int:
        """Return bytes of state."""
        return sum(getattr(self, name).nbytes for name in self.ARRAYS)

    def grow(self, more: int) -> None:
        """Add streams of which nothing is known."""
        for name in self.ARRAYS:
            array = getattr(self, name)
            setattr(self, name, np.concatenate([array, np.zeros((more, *array.shape[1:]), array.dtype)]))

    def learning(self) -> Bools:
        """Tell which streams are not known enough to judge: two days, or two weeks of windows of a day and more."""
        return self.learnt < self.needed

    def muted(self) -> Bools:
        """Tell which streams have been silent for longer than is credible."""
        return self.silence < INCREDIBLE

    def scatter(self) -> Floats:
        """Return by how much counts scatter beyond chance: a share of the mean, squared."""
        beyond, expected = self.scattered.T
        found: Floats = np.clip((beyond + FIRST_SCATTER) / (expected + 1.0), LEAST_SCATTER, MOST_SCATTER)
        return found

    def expected(self, number: int) -> tuple[Floats, Floats]:
        """Return mean (f8[rows]) and doubt of the window `number` (windows since 1970).

        The doubt is the mean's own variance, relative: it goes to the scatter of what is foretold.
        """
        total, windows = self.total.astype(np.float64), self.windows.astype(np.float64)
        scatter = self.scatter()
        whole = (total.sum(axis=1) + 0.5) / (windows.sum(axis=1) + 1.0)
        doubted = 1.0 / (1.0 + total.sum(axis=1) / (1.0 + scatter * whole))

        def of(at: int) -> tuple[Floats, Floats]:
            mean, doubt = whole, doubted
            if self.bins == 168:
                day = slice(at % 24, None, 24)
                told = total[:, day].sum(axis=1), windows[:, day].sum(axis=1)
                mean, doubt = _leaning(mean, doubt, *told, scatter, LEAN_DAY)
            if self.bins > 1:
                mean, doubt = _leaning(mean, doubt, total[:, at], windows[:, at], scatter, LEAN_WEEK)
            return mean, doubt

        at = self._place(number)
        mean, doubt = of(at)
        if self.window < self._bin:
            before, after = of((at - 1) % self.bins)[0], of((at + 1) % self.bins)[0]
            middle = ((number + 0.5) * self.window / self._bin) % 1.0 - 0.5
            mean = mean + middle * _sloping(mean - before, after - mean)
        return mean * (self.level[:, 0] + LEAN_LEVEL) / (self.level[:, 1] + LEAN_LEVEL), doubt

    def close(self, number: int, count: Floats, away: Bools) -> None:
        """Learn from what the window `number` brought (f8[rows]), but for streams whose source was `away` in it."""
        mean, doubt = self.expected(number)
        scatter = self.scatter()
        spread = scatter + doubt
        none = count == 0.0
        with np.errstate(under="ignore"):
            longer = self.silence - np.where(away, 0.0, np.log1p(spread * mean) / spread)  # who is away is not silent
            self.silence = np.where(none, longer, 0.0)
        muted = (self.silence < INCREDIBLE) & (self.learnt >= self.needed)
        self.mute = np.where(muted & ~away, self.mute + 1.0, np.where(none, self.mute, 0.0))
        long = self.mute * self.window >= WEEK
        taught = np.flatnonzero(~away & (~muted | long))
        if not taught.size:
            return
        count, mean, doubt, scatter, spread = (each[taught] for each in (count, mean, doubt, scatter, spread))
        known = self.learnt[taught] >= self.needed
        most = mean + FARTHEST * (np.sqrt(mean + spread * mean * mean) + 1.0)
        held = np.where(known, np.minimum(count, most), count)
        at = self._place(number)
        windows = self.windows[taught, at] + 1.0
        share = np.minimum(self._most / windows, 1.0)
        self.total[taught, at] = (self.total[taught, at] + held) * share
        self.windows[taught, at] = windows * share
        self.learnt[taught] += 1.0
        weight = 1.0 / (1.0 + spread * mean)
        told = known[:, None] * np.stack((held * weight, mean * weight), axis=1)
        self.level[taught] = self.level[taught] * self._keep + told
        # The weight must not follow the scatter: a low value found by chance would silence all windows that come later.
        weight = 1.0 / (1.0 + WEIGHED * mean) ** 2
        beyond = (held - mean) ** 2 - mean - np.minimum(doubt, MOST_DOUBTED * scatter) * mean * mean
        told = known[:, None] * np.stack((beyond * weight, mean * mean * weight), axis=1)
        self.scattered[taught] = self.scattered[taught] * (1.0 - 1.0 / SCATTERED) + told

    def _place(self, number: int) -> int:
        """Return the hour of the week (or weekday) that a window begins in; which is the first does not matter."""
        return int(number * self.window // self._bin) % self.bins

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return copies of all arrays."""
        return {name: getattr(self, name).copy() for name in self.ARRAYS}

    def take(self, row: int, state: dict[str, npt.NDArray[np.generic]], source: int) -> None:
        """Take over one row of a state."""
        for name in self.ARRAYS:
            getattr(self, name)[row] = state[name][source]


def _sloping(since: Floats, until: Floats) -> Floats:
    """Return by how much a rate moves within an hour, from how the hours before and after it differ from it.

    The slope of the two together, none at a peak or beside a step, so that what begins with the hour does not begin
    before (monotonised central, *van Leer 1977*). The hour's mean stays what it is.
    """
    same = np.sign(since) == np.sign(until)
    least = np.minimum(2.0 * np.minimum(np.abs(since), np.abs(until)), 0.5 * np.abs(since + until))
    return np.where(same, np.sign(since) * least, 0.0)


def _leaning(
    mean: Floats, doubt: Floats, total: Floats, windows: Floats, scatter: Floats, lean: float
) -> tuple[Floats, Floats]:
    """Return mean and doubt of a part, from its own counts and what the whole has: own share rises with what it saw."""
    told = windows * mean / (1.0 + scatter * mean)
    share = told / (told + lean)
    own = total / np.maximum(windows, 1e-9)
    return share * own + (1.0 - share) * mean, 1.0 / (lean + told) + (1.0 - share) ** 2 * doubt


def chance(several: int, p: float) -> float:
    """Return how likely the least of several p-values is `p` or less (Šidák 1967)."""
    return p if several < 2 or p <= 0.0 else -expm1(several * log1p(-p)) if p < 1.0 else 1.0
