"""Feature columns: what rules look at, worked out once for a set of rows and only when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rules.binding import FAR, Column, Key, grows
from rules.windows import Windows
from sensors.flags import RULED

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


FORESEEN = ("eta", "deviation")
"""What the models work out when asked: only of points whose rules ask, for a replay has the models of no others."""


class PointModels(Protocol):
    """What rules need of `models.bank.Bank`."""

    @property
    def flat_since(self) -> Array:
        """Time of the reading since which each row's value has not changed, gaps left out; NaN before its first."""

    @property
    def reach(self) -> Array:
        """How wide the range is that each row's values have kept lately."""

    def eta(self, rows: Rows, limit: Array, below: Bools) -> Array:
        """Return seconds from each row's last reading until its trend crosses `limit`."""

    def eta_range(self, rows: Rows, limit: Array, below: Bools) -> tuple[Array, Array]:
        """Return the soonest and the latest `eta`."""

    def deviation(self, rows: Rows) -> Array:
        """Return how far each row's last value is from what is usual at its hour; NaN until that is known."""

    def reason_text(self, row: int, language: str = "en") -> str:
        """Say why the row's last surprising reading was surprising."""


class Columns(Protocol):
    """Columns of features of some points or cameras, in their order."""

    def column(self, key: Key) -> Array:
        """Return one column, float64, NaN where unknown; true is 1 and false 0."""

    def at(self, wanted: Column, place: Rows) -> Array:
        """Return a column at some places, which may repeat; at others nothing need be worked out."""

    def without_simulation(self) -> Columns:
        """Return the columns without what is simulated of cameras; points say themselves whether they are."""


class Warnings(Protocol):
    """What rules need of `rules.warned.Warned`."""

    def column(self, what: str, rows: Rows) -> Array:
        """Return whether a warning of a target stands; NaN where unknown."""


def bounded(found: Array, sure: Bools, wanted: Column) -> Array:
    """Have a figure be what a place needs of it (see `Column`) where it is not sure; what is unknown stays so."""
    yet = np.inf * grows(wanted) if wanted.bound == FAR else np.nan
    return np.where(sure | np.isnan(found), found, yet)


class PointState:
    """What rules remember of each point: 133 bytes a row. All NaN before the first reading."""

    ARRAYS = (
        "last_time", "last_received", "value", "score", "age", "away", "alarm", "simulated", "historical", "offline",
        "flagged",
    )  # fmt: skip

    def __init__(self, rows: int) -> None:
        self.last_time = np.full(rows, np.nan)
        self.last_received = np.full(rows, np.nan)
        self.value = np.full(rows, np.nan)
        self.score = np.full(rows, np.nan)
        self.age = np.full(rows, np.nan)  # as of the last tick; 0 after a reading
        self.away = np.zeros(rows)  # seconds since the last arrival in which nobody listened
        self.alarm = np.zeros(rows, np.bool_)
        self.simulated = np.zeros(rows, np.bool_)
        self.historical = np.zeros(rows, np.bool_)  # the last reading is history: what stands now is not known
        self.offline = np.zeros(rows, np.bool_)  # its source says that it has gone, and nothing was read since
        self.flagged = np.full((rows, len(RULED)), np.nan)  # arrival of the last reading with each of these flags
        self.stuck = np.zeros(rows, np.bool_)  # a rule of data quality says so; follows from what is raised
        self.ticked = -np.inf  # where the arrival clock stood at the last tick
        self.marked = False  # some point's last reading may be simulated or historical

    @property
    def nbytes(self) -> int:
        """Return bytes of state."""
        return sum(getattr(self, name).nbytes for name in self.ARRAYS)

    def own_time(self, rows: Rows, clock: float) -> Array:
        """Return where each point's own clock stands when the arrival clock stands at `clock`."""
        return self.last_time[rows] + np.maximum(clock - self.last_received[rows] - self.away[rows], 0.0)


class Features:
    """Columns of features for some rows at their own times `now`; each is worked out when first asked for."""

    def __init__(
        self,
        rows: Rows,
        now: Array,
        state: PointState,
        models: PointModels,
        windows: Windows,
        warned: Warnings,
        targets: Mapping[str, Array],
        below: Bools,
        around: tuple[Mapping[str, Array], Mapping[str, Array]] = ({}, {}),
        known: dict[Key, Array] | None = None,
    ) -> None:
        self.rows, self.now = rows, now
        self._state, self._models, self._windows, self._warned = state, models, windows, warned
        self._targets, self._below, self._around = targets, below, around  # figures around points; without simulation
        self._known: dict[Key, Array] = known if known is not None else {}
        self._partly: dict[Key, tuple[Array, Bools]] = {}  # and where that is known

    def column(self, key: Key) -> Array:
        """Return one column, float64, NaN where unknown; true is 1 and false 0."""
        found = self._known.get(key)
        if found is None:
            found = self._work_out(key)
            if self._state.marked and key[0] not in ("age", "silence", "since"):
                history = self._state.historical[self.rows]
                found = np.where(history, np.nan, found) if history.any() else found
            self._known[key] = found
        return found

    def without_simulation(self) -> Features:
        """Return the same columns but for figures around points: a point's own reading is simulated as a whole."""
        if not self._around[0]:
            return self
        known = {key: column for key, column in self._known.items() if key[0] != "around"}
        return self._like(self.rows, self.now, known, (self._around[1], self._around[1]))

    def some(self, key: Key, chosen: Rows | None) -> Array:
        """Return a column for some of the rows only (None: for all), without keeping it for the others."""
        if chosen is None or key in self._known:
            found = self.column(key)
            return found if chosen is None else found[chosen]
        return self.take(chosen, bare=True).column(key)

    def at(self, wanted: Column, place: Rows) -> Array:
        """Return a column at some places, which may repeat; what the models foresee is worked out there alone."""
        if wanted.bound:
            whole = self._windows.whole(str(wanted.key[0]), float(wanted.key[1]), self.rows[place], self.now[place])
            return bounded(self.column(wanted.key)[place], whole, wanted)
        key = wanted.key
        if key[0] not in FORESEEN or key in self._known:
            return self.column(key)[place]
        if key not in self._partly:
            self._partly[key] = np.full(len(self.rows), np.nan), np.zeros(len(self.rows), np.bool_)
        found, known = self._partly[key]
        missing = np.unique(place[~known[place]])
        if missing.size:
            found[missing] = self.take(missing, bare=True).column(key)
            known[missing] = True
        return found[place]

    def know(self, key: Key, column: Array) -> None:
        """Give a column that is at hand already."""
        self._known[key] = column

    def take(self, chosen: Rows, *, bare: bool = False) -> Features:
        """Return the columns of some of the rows, what is known already included unless `bare`."""
        known = {} if bare else {key: column[chosen] for key, column in self._known.items()}
        return self._like(self.rows[chosen], self.now[chosen], known, self._around)

    def _like(
        self, rows: Rows, now: Array, known: dict[Key, Array], around: tuple[Mapping[str, Array], Mapping[str, Array]]
    ) -> Features:
        kept = self._windows, self._warned
        return Features(rows, now, self._state, self._models, *kept, self._targets, self._below, around, known)

    def _work_out(self, key: Key) -> Array:
        rows, state = self.rows, self._state
        match key:
            case ("value",):
                return state.value[rows]
            case ("score",):
                return state.score[rows]
            case ("age",):
                return state.age[rows]
            case ("silence",):
                return np.where(state.offline[rows], np.inf, state.age[rows])
            case ("deviation",):
                return self._models.deviation(rows)
            case ("alarm",):
                return np.where(np.isnan(state.last_time[rows]), np.nan, state.alarm[rows])
            case ("flat",):
                return self.now - self._models.flat_since[rows]
            case ("since", flag):
                since = np.maximum(state.ticked - state.flagged[rows, RULED.index(str(flag))], 0.0)
                return np.where(np.isnan(since), np.inf, since)
            case ("around", text):
                return self._around[0][str(text)][rows]
            case ("warned", what):
                return self._warned.column(str(what), rows)
            case ("eta", what):
                return self._eta(str(what))
            case ("delta", duration):
                return state.value[rows] - self._windows.read("delta", float(duration), rows, self.now)
            case ("quantile", duration, share):
                return self._windows.quantile(float(share), float(duration), rows, self.now)
            case (statistic, duration):
                return self._windows.read(str(statistic), float(duration), rows, self.now)
        raise KeyError(key)

    def eta_range(self, what: str, place: int) -> tuple[float, float]:
        """Return between which seconds from now one row's trend crosses the target; NaN where it has none."""
        rows = self.rows[place : place + 1]
        passed = np.maximum(self.now[place : place + 1] - self._state.last_time[rows], 0.0)
        told = self._models.eta_range(rows, self._targets[what][rows], self._below[rows])
        low, high = (float(np.maximum(each - passed, 0.0)[0]) for each in told)
        return low, high

    def target(self, what: str, place: int) -> tuple[float, float, bool]:
        """Return what one row's trend is held against, its last value, and whether that is a floor."""
        row = int(self.rows[place])
        return float(self._targets[what][row]), float(self._state.value[row]), bool(self._below[row])

    def _eta(self, what: str) -> Array:
        """Return seconds left until the trend crosses the target: counted from now, not from the last reading."""
        target = self._targets[what][self.rows]
        found = np.full(len(self.rows), np.nan)
        some = np.flatnonzero(~np.isnan(target) & ~np.isnan(self._state.last_time[self.rows]))
        if some.size:
            rows = self.rows[some]
            eta = self._models.eta(rows, target[some], self._below[rows])
            found[some] = np.maximum(eta - np.maximum(self.now[some] - self._state.last_time[rows], 0.0), 0.0)
        return found
