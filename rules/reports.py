"""What people reported, counted: how often in a community, and how often about one person (a keyed hash)."""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Iterable, Iterator

import msgspec

PREFIX = "report-"
"""How the kind of event begins that a report is: `report-<category>`."""

MOST = 50
"""Reports that a rule may ask for at once; so many are remembered of each place and person."""

MOST_TALLIES = 20_000
"""Places and persons of whom reports are remembered; beyond, the longest unheard of are forgotten."""

_WANTED = re.compile(r"([0-9]+)([*@])(.+)", re.DOTALL)


def wanted(category: str, count: int, *, of_one: bool) -> str:
    """Name what is asked for as a kind of sighting: `3*report-noise` in a community, `2@report-x` about one person."""
    return f"{count}{'@' if of_one else '*'}{PREFIX}{category}"


class Tally(msgspec.Struct, array_like=True):
    """When reports of a kind came (event time, oldest first), in a community, or there about one person."""

    kind: str
    community: str
    subject: str  # empty: whoever they were about
    real: list[float]
    simulated: list[float]


class Tallies:
    """Count reports of the kinds that some rule asks for; the latest `MOST` of each place and person."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self._wanted: dict[str, list[tuple[int, bool, str]]] = {}  # kind → how many, about one person, its name
        for name in sorted(kinds):
            match = _WANTED.fullmatch(name)
            if match:
                self._wanted.setdefault(match[3], []).append((int(match[1]), match[2] == "@", name))
        self._tallies: dict[tuple[str, str, str], Tally] = {}  # the longest unheard first

    def add(
        self, kind: str, community: str, subject: str, time: float, simulated: bool
    ) -> Iterator[tuple[str, float, bool]]:
        """Take in a report; yield what is asked for and has been met: its name, since when, whether by simulation.

        "Since when" is the time of the oldest of the latest so many.
        """
        asked = self._wanted.get(kind)
        if asked is None:
            return
        for person in ("", subject) if subject else ("",):
            tally = self._tally(kind, community, person)
            times = tally.simulated if simulated else tally.real
            insort(times, time)
            del times[:-MOST]
            for count, of_one, name in asked:
                if of_one != bool(person):
                    continue
                if not simulated and len(tally.real) >= count:
                    yield name, tally.real[-count], False
                every = sorted((*tally.real, *tally.simulated))
                if tally.simulated and len(every) >= count:
                    yield name, every[-count], True

    def step(self, clock: float) -> None:
        """Follow a clock that was set back: nothing was reported after now."""
        for tally in self._tallies.values():
            for times in (tally.real, tally.simulated):
                times[:] = [min(time, clock) for time in times]

    def state(self) -> list[Tally]:
        """List what is remembered."""
        return list(self._tallies.values())

    def restore(self, tallies: Iterable[Tally]) -> None:
        """Take over what `state` listed, as far as it is still asked for."""
        for tally in tallies:
            if tally.kind in self._wanted:
                self._tallies[tally.kind, tally.community, tally.subject] = tally

    def _tally(self, kind: str, community: str, subject: str) -> Tally:
        key = kind, community, subject
        found = self._tallies.pop(key, None)
        if found is None:
            if len(self._tallies) >= MOST_TALLIES:
                del self._tallies[next(iter(self._tallies))]
            found = Tally(kind, community, subject, [], [])
        self._tallies[key] = found
        return found
