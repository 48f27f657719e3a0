"""A recorded past: days of the district written straight into a new log, through the engine, with what people did.

What a run records in a week is here in seconds: readings and ticks every few minutes, alarms, and incidents that
were closed as what they were. It is for practice: readings are not marked as simulated, or no verdict would count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from alerts import outcome
from alerts.journal import Journal
from alerts.outcome import IncidentChange
from scripts.simulator.scenes import SCENES
from scripts.simulator.world import World
from sensors import frame, observation
from sensors.lookup import Registry
from sensors.observation import Command, Publication, Tick
from streams import bundle
from streams.bundle import Bundle
from streams.embedded.store import Log
from streams.settings import Settings
from streams.station import Station
from streams.topics import GROUP, OBSERVATIONS, OUTCOMES
from streams.topics_held import topic_specs

HOUR = 3600.0
SHORTEST, LONGEST = 6 * HOUR, 31 * 24 * HOUR
MOST_OFTEN = 60.0
UNTIL = 900.0
"""Seconds before now at which the past ends: what follows is heard live, with times of its own."""

LOOKED = 20 * 60.0
"""Seconds into the next hour after which the duty officer says what an incident was."""

TOGETHER = HOUR
"""Seconds of the past that are one batch: what people do about its alarms comes in the next."""


class Happening(NamedTuple):
    """What a point measured for two minutes at a time (unix s), and what the duty officer found it to be."""

    at: float
    point: str
    area: str
    value: float
    disposition: str
    reason: str


class Recorded(NamedTuple):
    """What was written."""

    readings: int
    incidents: int  # that were closed with a disposition


_BUSES = ("village-03", "village-04", "village-05")
_TAPPED = "village-06"
_CHARGER = "{}-charging-1"
_HIGH, _CALM = 40.0, 12.0  # amperes

SILENT = "village-02-charging-1"
"""The point that falls silent in the second night: the clock tells of it, while all others go on."""

_SILENCE, _LISTENED = 240, 60  # seconds: how long is listened to it, and how often the others are read meanwhile


def happenings(site: Bundle, start: float, stop: float) -> list[Happening]:
    """Say what befell the chargers of the example's villages: a bus at one of them each evening, one tapped line."""
    registry, zone = Registry(site.site), ZoneInfo(site.site.zone)
    day, found = datetime.fromtimestamp(start, zone).replace(hour=19, minute=0, second=0, microsecond=0), []
    number = 0
    while day.timestamp() < stop:
        area = _BUSES[number % len(_BUSES)]
        found.append(
            Happening(day.timestamp(), _CHARGER.format(area), area, _HIGH, "nuisance", "a bus of the new fleet")
        )
        if number == 2:
            night = day + timedelta(hours=7)
            found.append(
                Happening(night.timestamp(), _CHARGER.format(_TAPPED), _TAPPED, _HIGH, "real", "a tapped line")
            )
        day, number = day + timedelta(days=1), number + 1
    known = (one for one in found if registry.point(one.point) is not None)
    return [one for one in known if start + HOUR < one.at < stop - 2 * HOUR]


def record(
    found: Settings,
    content: Bundle,
    start: float,
    stop: float,
    *,
    every: float = 300.0,
    seed: int = 1,
    advance: Callable[[float], None] = lambda seconds: None,
) -> Recorded:
    """Write the log and the journal of a run that lasted from `start` to `stop` (unix s), which there must not be yet.

    A point reports once in `every` seconds at most. `advance` is told of seconds as they are written.
    """
    site = content.site
    past = _Past(content, start, stop, every, seed)
    closed = count = 0
    with (
        Log(found.log_file, topic_specs(found, site.partitions)) as log,
        closing(Journal(found.journal_url)) as journal,
    ):
        stations = [Station(partition, log, None) for partition in range(site.partitions)]
        for until, batches in past:
            for station, values in zip(stations, batches, strict=True):
                records = _write(log, station, values)
                journal.record(records, log.identity)
                closed += past.follow(records, until)
            advance(min(TOGETHER, until - start))
        for station in stations:
            log.write(station.snapshot(log.committed(GROUP, OBSERVATIONS, station.partition)))
            count += station.readings
    return Recorded(count, closed)


def _write(log: Log, station: Station, values: Sequence[bytes]) -> list[outcome.Record]:
    """Write observations of a partition, and what the engine says to them, as the worker does."""
    place = station.partition
    offsets = log.write([(OBSERVATIONS, place, None, value) for value in values])
    outputs = station.take(list(zip(offsets, values, strict=True)))
    commits = [(GROUP, OBSERVATIONS, place, offsets[-1] + 1)]
    written = log.write(outputs, commits=commits)
    said = [at for at, (topic, *_) in zip(written, outputs, strict=True) if topic == OUTCOMES]
    if said:
        log.write([], commits=[(GROUP, OUTCOMES, place, said[-1] + 1)])
    return [outcome.decode(value) for topic, _, _, value in outputs if topic == OUTCOMES]


class _Past:
    """The observations of each hour, by partition; what people do follows from what the engine said before."""

    def __init__(self, content: Bundle, start: float, stop: float, every: float, seed: int) -> None:
        self.site, self.start, self.stop, self.every = content.site, start, stop, every
        self.registry = Registry(content.site)
        self.world = World(content.site, seed, SCENES["quiet-night"], stop)
        self.packed = bundle.pack(content)
        self.version = bundle.version_of(self.packed)
        self.happenings = happenings(content, start, stop)
        home = [self.registry.partition(point.areas[0]) for point in self.world.points]
        self.home = np.array(home, np.intp)
        self.index = np.array([self.registry.points[point.id].index for point in self.world.points], "u4")
        self.orders: list[tuple[float, Command]] = []
        night = datetime.fromtimestamp(start, ZoneInfo(content.site.zone)).replace(hour=3, minute=30, second=0)
        self.silent_at = (night + timedelta(days=2)).timestamp()
        silent = self.registry.points.get(SILENT)
        self.silent_home = None if silent is None else self.registry.partition(silent.areas[0])

    def __iter__(self) -> Iterator[tuple[float, list[list[bytes]]]]:
        begun = Publication(
            version=self.version, bundle=self.packed, author="foreshock run", reason="site at start", time=self.start
        )
        first: list[bytes] = [observation.encode(begun), observation.encode(Tick(time=self.start))]
        before = self.start
        while before < self.stop:
            until = min(before + TOGETHER, self.stop)
            yield until, [first + self._hour(before, until, place) for place in range(self.site.partitions)]
            first, before = [], until

    def _hour(self, before: float, until: float, place: int) -> list[bytes]:
        """Gather what a partition hears in (before, until], in order of arrival."""
        heard: list[tuple[float, int, bytes]] = []  # arrival, order among those of one time, record
        if place == 0:
            self._read = [
                (now, *self.world.read(now - self.every, now))
                for now in np.arange(before + self.every, until + 1.0, self.every).tolist()
            ]
        busy = {one.point: one.at for one in self.happenings if before < one.at <= until}
        for now, which, times, values in self._read:
            mine = np.flatnonzero(self.home[which] == place)
            names = [self.world.points[row].id for row in which[mine].tolist()]
            kept = [n for n, name in enumerate(names) if not 0 <= times[mine[n]] - busy.get(name, np.inf) <= 600.0]
            some = mine[kept]
            if len(some):
                heard.append((now, 0, self._frame(self.index[which[some]], times[some], values[some], now)))
        for one in (one for one in self.happenings if before < one.at <= until):
            if self.registry.partition(one.area) == place:
                heard += self._happen(one)
        if before < self.silent_at <= until and place == self.silent_home:
            heard += self._silence(place)
        heard += [(at, 2, observation.encode(order)) for at, order in self._due(until, place)]
        times = sorted({at for at, _, _ in heard} | {now for now, *_ in self._read})
        heard += [(at, 1, observation.encode(Tick(time=at))) for at in times]
        return [value for _, _, value in sorted(heard, key=lambda each: each[:2])]

    def _happen(self, one: Happening) -> Iterator[tuple[float, int, bytes]]:
        """Yield the frames of a point that is high for two minutes, and calm for eight."""
        index = np.array([self.registry.points[one.point].index], "u4")
        for passed in range(0, 600, 40):
            now = one.at + passed
            value = np.array([one.value if passed <= 120 else _CALM])
            yield now, 0, self._frame(index, np.array([now]), value, now)

    def _silence(self, place: int) -> Iterator[tuple[float, int, bytes]]:
        """Yield the ticks of some minutes in which a partition is listened to, and the readings of all points but one.

        Between the ticks of the rest of the past nobody listens, so that nothing that is not read there is silent.
        """
        for passed in range(0, _SILENCE + 1, 5):
            now = self.silent_at + passed
            if passed % _LISTENED == 0:
                which, _, values = self.world.read(now - self.every, now)
                mine = (self.home[which] == place) & (self.index[which] != self.registry.points[SILENT].index)
                yield now, 0, self._frame(self.index[which[mine]], np.full(mine.sum(), now), values[mine], now)
            yield now, 1, observation.encode(Tick(time=now))

    def _frame(self, index: npt.NDArray[Any], times: npt.NDArray[Any], values: npt.NDArray[Any], now: float) -> bytes:
        return frame.encode(index, times, values, np.zeros(len(index), "u1"), registry=self.version, received=now)

    def _due(self, until: float, place: int) -> list[tuple[float, Command]]:
        due = [one for one in self.orders if one[0] <= until and self.registry.partition(one[1].area) == place]
        self.orders = [one for one in self.orders if one not in due]
        return due

    def follow(self, records: Sequence[outcome.Record], now: float) -> int:
        """Have the duty officer look into what happened, in the hour after; count what is closed by now."""
        closed = 0
        for one in (one for record in records for one in record.outcomes if isinstance(one, IncidentChange)):
            closed += one.edge == "closed" and bool(one.disposition)
            here = (each for each in self.happenings if each.area == one.area)
            what = next((each for each in here if 0 <= one.opened - each.at < 600), None)
            if one.edge != "opened" or what is None:
                continue
            at = now + LOOKED
            order = Command(
                id=f"{one.incident}-close",
                kind="close",
                target=one.incident,
                area=one.area,
                actor="user:duty",
                time=at,
                args={"disposition": what.disposition, "reason": what.reason},
            )
            self.orders.append((at, order))
        return closed


def exists(found: Settings) -> Path | None:
    """Name what of a run is there already, if anything."""
    return next((file for file in (found.log_file, found.journal_file) if file is not None and file.exists()), None)
