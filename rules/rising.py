"""Reports about one person that come more and more often: what `rising(…)` asks for, judged at each report.

A score stands in the area of the report for a quarter of the window, unless a more surprising one comes.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from models.repeats import DAY, SHORTEST, Rate, rise
from rules.binding import Key
from rules.reports import MOST
from sensors.renames import Renames

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

STANDS = 0.25
"""Share of the window for which a score stands."""
HORIZON = 180.0 * DAY
"""Seconds after the last report for which a person is remembered."""
MOST_PERSONS = 20_000
MOST_STANDING = 64
"""Scores that stand in one area at once; of more, the least go."""


class Person(msgspec.Struct, array_like=True):
    """The reports of a kind about one person (a keyed hash) in a community; the last `MOST`, and how many before."""

    kind: str
    community: str
    subject: str
    first: float
    earlier: int
    real: list[float]
    simulated: list[float]


class Risen(msgspec.Struct, frozen=True, array_like=True):
    """What one report was worth: `counts` by week (by day in less than two weeks), the latest last."""

    time: float
    score: float
    real: float  # without simulated reports; 0 where that is what it was made of
    count: int
    expected: float
    counts: list[int]


class Noted(msgspec.Struct, array_like=True):
    """All that is remembered."""

    persons: list[Person]
    rates: list[tuple[str, float, float, float]]  # kind, repeats, time, when it was last learnt
    standing: list[tuple[str, float, str, list[Risen]]]  # kind, window, area


def renamed(noted: Noted, renames: Renames) -> Noted:
    """Write what is remembered under the ids that `renames` gives."""
    standing = [(kind, window, renames.area(area), found) for kind, window, area, found in noted.standing]
    return msgspec.structs.replace(noted, standing=standing)


class Rising:
    """Watch reports of the kinds that some rule asks for. Pure: time comes with the calls."""

    def __init__(self, keys: Iterable[Key], areas: Sequence[str]) -> None:
        self._asked: dict[str, list[float]] = {}
        for kind, window in sorted((str(key[1]), float(key[2])) for key in keys if key[0] == "rising"):
            self._asked.setdefault(kind, []).append(window)
        self._areas = areas
        self._persons: dict[tuple[str, str, str], Person] = {}  # the longest unheard first
        self._known = dict.fromkeys(self._asked, 0)  # persons of each kind with a real report
        self._rates = {kind: Rate() for kind in self._asked}
        self._learnt: dict[str, float] = {}
        self._standing: dict[tuple[str, float], list[list[Risen]]] = {
            (kind, window): [[] for _ in areas] for kind, windows in self._asked.items() for window in windows
        }
        self._values = {pair: np.zeros((2, len(areas))) for pair in self._standing}
        self._next = np.inf  # when the first score ends

    def add(self, kind: str, community: str, subject: str, area: int, time: float, simulated: bool) -> None:
        """Take in a report about somebody at `time` (unix s)."""
        windows = self._asked.get(kind)
        if windows is None or not subject:
            return
        self._forget(time)
        key = kind, community, subject
        if key in self._persons:
            known = self._persons[key]
            if any(abs(time - one) < SHORTEST for one in (known.simulated if simulated else known.real)):
                return
        person = self._persons.pop(key, None)
        is_known = person is not None and bool(person.real)
        if person is None:
            person = Person(kind, community, subject, time, 0, [], [])
        self._persons[key] = person
        times = person.simulated if simulated else person.real
        insort(times, time)
        person.first = min(person.first, time)
        person.earlier += 0 if simulated else max(len(times) - MOST, 0)
        del times[:-MOST]
        for window in windows:
            self._judge(person, window, area, time, simulated)
        if not simulated:
            since = self._learnt.get(kind, time)
            self._rates[kind].learn(int(is_known), self._known[kind] * max(time - since, 0.0))
            self._learnt[kind] = max(time, since)
            self._known[kind] += not is_known

    def _judge(self, person: Person, window: float, area: int, time: float, simulated: bool) -> None:
        rate = self._rates[person.kind].value
        every = sorted((*person.real, *person.simulated))
        every = every[: bisect(every, time)]
        whole = rise(every, person.earlier, person.first, window, rate)
        real = 0.0
        if not simulated:
            mine = person.real[: bisect(person.real, time)]
            real = rise(mine, person.earlier, mine[0] if not person.earlier else person.first, window, rate).score
        if whole.score <= 0.0:
            return
        unit = 7 * DAY if window >= 14 * DAY else DAY
        parts = max(1, int(np.ceil(window / unit)))
        counts = [0] * parts
        for one in every:
            if one > time - window:
                counts[parts - 1 - min(int((time - one) // unit), parts - 1)] += 1
        risen = Risen(time, whole.score, real, whole.reports, whole.expected, counts)
        standing = self._standing[person.kind, window][area]
        standing.append(risen)
        standing.sort(key=lambda one: -one.score)
        del standing[MOST_STANDING:]
        self._settle(time)

    def _forget(self, now: float) -> None:
        while self._persons:
            key = next(iter(self._persons))
            person = self._persons[key]
            if len(self._persons) < MOST_PERSONS and max((*person.real, *person.simulated)) >= now - HORIZON:
                return
            del self._persons[key]
            self._known[person.kind] -= bool(person.real)

    def tick(self, clock: float) -> None:
        """End the scores that have stood for their time."""
        if clock >= self._next:
            self._settle(clock)

    def step(self, clock: float) -> None:
        """Follow a clock that was set back: nothing was reported after now."""
        for person in self._persons.values():
            for times in (person.real, person.simulated):
                times[:] = [min(time, clock) for time in times]
            person.first = min(person.first, clock)
        for areas in self._standing.values():
            for place, standing in enumerate(areas):
                areas[place] = [msgspec.structs.replace(one, time=min(one.time, clock)) for one in standing]
        self._learnt = {kind: min(time, clock) for kind, time in self._learnt.items()}
        self._settle(clock)

    def _settle(self, now: float) -> None:
        self._next = np.inf
        for (kind, window), areas in self._standing.items():
            values = self._values[kind, window]
            for place, standing in enumerate(areas):
                if standing:
                    standing[:] = [one for one in standing if one.time + STANDS * window > now]
                    self._next = min([self._next, *(one.time + STANDS * window for one in standing)])
                values[0, place] = max((one.score for one in standing), default=0.0)
                values[1, place] = max((one.real for one in standing), default=0.0)

    def column(self, key: Key, areas: Rows, *, real: bool = False) -> Array:
        """Return scores of some areas; `real`: without simulated reports."""
        found: Array = self._values[str(key[1]), float(key[2])][int(real), areas]
        return found

    def told(self, key: Key, area: int) -> Risen | None:
        """Give what made an area's score."""
        standing = self._standing[str(key[1]), float(key[2])][area]
        return standing[0] if standing else None

    def state(self) -> Noted:
        """Return all that is remembered."""
        rates = [(kind, one.repeats, one.time, self._learnt.get(kind, 0.0)) for kind, one in self._rates.items()]
        standing = [
            (kind, window, self._areas[place], list(found))
            for (kind, window), areas in self._standing.items()
            for place, found in enumerate(areas)
            if found
        ]
        return Noted(list(self._persons.values()), rates, standing)

    def restore(self, noted: Noted, clock: float) -> None:
        """Take over what `state` gave, as far as it is still asked for."""
        for person in noted.persons:
            if person.kind in self._asked:
                self._persons[person.kind, person.community, person.subject] = person
                self._known[person.kind] += bool(person.real)
        for kind, repeats, time, learnt in noted.rates:
            if kind in self._rates:
                self._rates[kind] = Rate(repeats, time)
                if learnt:
                    self._learnt[kind] = learnt
        place_of = {area: place for place, area in enumerate(self._areas)}
        for kind, window, area, found in noted.standing:
            if (kind, window) in self._standing and area in place_of:
                self._standing[kind, window][place_of[area]] = list(found)
        self._settle(clock)
