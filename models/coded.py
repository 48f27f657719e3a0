"""Readings of no size: the changes of codes by how seldom they come, and where a counter begins.

Many are judged in arrays, one on its own in plain Python, to the same bits: numpy's calls cost a hundred microseconds.
"""

from __future__ import annotations

from math import ceil

import numpy as np
import numpy.typing as npt

from models import dataquality
from models.arithmetic import ARRAYS, SCALARS
from models.budget import owed, spend
from models.calibration import FINEST
from models.codes import YEAR, Codes, halvings, halvings_one
from models.layout import AT, SLOW_AT
from models.reason import NOTHING, SELDOM, UNSEEN
from models.scoring import DAY, RAREST, TELLING, BankSettings

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Codes8 = npt.NDArray[np.uint8]

APART = 2.0
"""Times as long as a budget takes to pay for an alarm that no new code must have come for one to be an alarm, however
many are known: as long as it takes a point of two codes. So they take up half of the budget at most."""
_NEW = "events"
"""The field of `SLOW` with the number of the reading, from 1, that brought the last new code; 0 in states of before."""


class Coded:
    """Judge readings of a bank's rows that have no size."""

    def __init__(self, settings: BankSettings, fields: Floats, slow: Floats, reasons: Floats, codes: Codes) -> None:
        self._settings, self._fields, self._slow, self._reasons = settings, fields, slow, reasons
        self._codes = codes

    def note(self, rows: Rows, time: Floats, value: Floats, gap: Bools, coded: Bools) -> tuple[Floats, Bools, Codes8]:
        """Keep time and value of readings of no size; return score, alarm and reason of changes of those `coded`."""
        score, alarm, reason = np.zeros(len(rows)), np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.uint8)
        last_time, before, since = self._fields[rows, :3].T
        self._fade(rows[coded], last_time[coded], time[coded])
        seen = self._fields[rows, AT["seen"]]
        at = np.flatnonzero((value != before) & coded & (seen > 0.0))
        if len(at):
            score[at], alarm[at], reason[at] = self._changes(rows[at], time[at], before[at], value[at], seen[at])
        first = coded & (seen == 0.0)
        self._slow[rows[first], SLOW_AT["turned"]] = time[first]
        self._slow[rows[first], SLOW_AT[_NEW]] = 1.0
        self._fields[rows[coded], AT["seen"]] += 1.0
        self._fields[rows, AT["flat_since"]] = dataquality.flat_since(
            ARRAYS, since, time, time - last_time, value == before, gap
        )
        self._fields[rows, AT["last_time"]] = time
        self._fields[rows, AT["last_value"]] = value
        return score, alarm, reason

    def _fade(self, rows: Rows, last: Floats, time: Floats) -> None:
        """Halve what rows of codes count, at the first reading after each year that they have been watched."""
        due = halvings(self._slow[rows, SLOW_AT["turned"]], last, time)
        for at in due.nonzero()[0].tolist():
            self._fade_one(int(rows[at]), int(due[at]))

    def _fade_one(self, row: int, times: int) -> float:
        """Halve what a row counts; return its readings: enough of them stay that it is not learning again."""
        seen = float(self._fields[row, AT["seen"]])
        if seen > 0.0:
            self._codes.fade(row, times)
            self._slow[row, SLOW_AT[_NEW]] = ceil(self._slow[row, SLOW_AT[_NEW]] * 0.5**times)
            seen = max(ceil(seen * 0.5**times), min(seen, float(self._settings.warm_up)))
            self._fields[row, AT["seen"]] = seen
        return seen

    def _changes(
        self, rows: Rows, time: Floats, before: Floats, value: Floats, seen: Floats
    ) -> tuple[Floats, Bools, Codes8]:
        """Judge changes of code: scores by how seldom they come, an early event of a code that is new."""
        slow = self._slow[rows]
        known = slow[:, SLOW_AT["turned"]]
        share, times, unseen, codes = self._codes.changes(rows, before, value, seen, time, known)
        learnt = seen >= self._settings.warm_up
        score = np.where(learnt, 1.0 - np.maximum(share, FINEST), 0.0)
        tempo = np.maximum(slow[:, SLOW_AT["interval"]], self._settings.least)
        rate, spent = slow[:, SLOW_AT["budget"]] / DAY, slow[:, SLOW_AT["spent"]]
        asked = np.minimum(tempo * rate, RAREST)
        owes = owed(ARRAYS, spent, time, rate, self._settings.owed_free, self._settings.owed_most)
        # a new one came so often, the first for free, or none for long; what is owed asks for more, as of an excess
        dear = 1.0 + owes * owes * owes
        new = slow[:, SLOW_AT[_NEW]]
        apart = (new > 0.0) & (APART * dear <= asked * (seen - new))
        seldom = share <= asked  # else it may be one of those that were forgotten
        beyond = learnt & unseen & seldom & ((codes / (seen + 1.0) * dear <= asked) | apart)
        alarm = beyond & (time - slow[:, SLOW_AT["beyond_time"]] > self._settings.refractory * tempo)
        for name, told in (
            ("beyond_time", np.where(beyond, time, slow[:, SLOW_AT["beyond_time"]])),
            (_NEW, np.where(unseen, seen + 1.0, new)),
            ("spent", spend(ARRAYS, spent, time, rate, alarm, self._settings.owed_most)),
        ):
            self._slow[rows, SLOW_AT[name]] = told
        telling = np.flatnonzero(learnt & (score >= TELLING))
        reason = np.zeros(len(rows), np.uint8)
        reason[telling] = np.where(unseen[telling], UNSEEN, SELDOM)
        since = np.where(unseen, known, np.maximum(known, time - 2.0 * YEAR))  # of what is halved each year
        why = np.array([reason, time, value, before, times, since, score]).T
        self._reasons[rows[telling]] = why[telling]
        return score, alarm, reason

    def note_one(
        self, row: int, time: float, value: float, fields: list[float], slow: list[float], coded: bool
    ) -> tuple[float, bool, int, bool]:
        """Do the same for one row, which has these fields; return whether it came after a gap, too."""
        last_time, before, since, seen = *fields[:3], fields[AT["seen"]]
        gap = dataquality.gap(time - last_time, slow[SLOW_AT["interval"]], self._settings.gap)
        told = 0.0, False, NOTHING
        mine = self._fields[row]
        if coded:
            if seen == 0.0:
                self._slow[row, SLOW_AT["turned"]], self._slow[row, SLOW_AT[_NEW]] = time, 1.0
            else:
                if years := halvings_one(slow[SLOW_AT["turned"]], last_time, time):
                    seen = self._fade_one(row, years)
                if value != before:
                    told = self._change(row, time, before, value, seen, slow)
            mine[AT["seen"]] = seen + 1.0
        flat = dataquality.flat_since(SCALARS, since, time, time - last_time, value == before, gap)
        mine[:3] = time, value, flat
        return *told, gap

    def _change(
        self, row: int, time: float, before: float, value: float, seen: float, slow: list[float]
    ) -> tuple[float, bool, int]:
        """Judge one change of code as `_changes` does many."""
        settings, known = self._settings, slow[SLOW_AT["turned"]]
        share, times, unseen, codes = self._codes.change(row, before, value, seen, time, known)
        new = float(self._slow[row, SLOW_AT[_NEW]])
        if unseen:
            self._slow[row, SLOW_AT[_NEW]] = seen + 1.0
        if seen < settings.warm_up:
            return 0.0, False, NOTHING
        score, alarm = 1.0 - max(share, FINEST), False
        if unseen:
            tempo = max(slow[SLOW_AT["interval"]], settings.least)
            rate, spent, beyond = slow[SLOW_AT["budget"]] / DAY, slow[SLOW_AT["spent"]], slow[SLOW_AT["beyond_time"]]
            owes = owed(SCALARS, spent, time, rate, settings.owed_free, settings.owed_most)
            dear, asked = 1.0 + owes * owes * owes, min(tempo * rate, RAREST)
            apart = new > 0.0 and APART * dear <= asked * (seen - new)
            if share <= asked and (codes / (seen + 1.0) * dear <= asked or apart):
                alarm = time - beyond > settings.refractory * tempo
                spent = spend(SCALARS, spent, time, rate, alarm, settings.owed_most)
                self._slow[row, SLOW_AT["beyond_time"]], self._slow[row, SLOW_AT["spent"]] = time, spent
        if score < TELLING:
            return score, alarm, NOTHING
        reason = UNSEEN if unseen else SELDOM
        since = known if unseen else max(known, time - 2.0 * YEAR)
        self._reasons[row] = reason, time, value, before, times, since, score
        return score, alarm, reason
