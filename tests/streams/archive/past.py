"""A log of some hours as it was lived, and its archive: shared by the tests of the archive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streams import course
from streams.archive.archiver import Archiver, archive_all
from streams.archive.place import Place
from streams.archive.store import Store
from streams.embedded.reader import LogReader
from streams.embedded.store import Log
from streams.moments import FOLDER, Moments
from streams.stretch import Stretch
from streams.topics import OBSERVATIONS
from tests.streams.test_course import live
from tests.streams.test_station import TOPICS

HOUR = 3600.0
BEGAN = 1_795_820_400.0
"""When the log's first record is written: 2026-11-27 23:00 UTC, so that its second hour is another day."""

STATES = (30, 60)


class Ticking:
    """A clock that goes on by as many seconds at each look."""

    def __init__(self, step: float) -> None:
        self.now, self.step = BEGAN, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def lived(file: Path, step: float = 120.0) -> Path:
    """Write a log of about a hundred observations over some hours, and two states of its engine; return its file."""
    with Log(file, TOPICS, clock=Ticking(step)) as log:
        live(log)
        moments = Moments(file.parent / FOLDER, 0)
        for stop in STATES:
            engine = course.begin(log, Stretch(0, 0, stop))
            engine.apply([(at, value) for at, _, value in log.read(OBSERVATIONS, 0, 0, stop)])
            moments.keep(engine.offset, engine.clock + 4 * HOUR * stop, engine.freeze(), 0)
    return file


def archiver(store: Store, file: Path) -> Archiver:
    return Archiver(store, HOUR, file.parent / FOLDER)


def archived(file: Path, place: Place, store: Store | None = None) -> Store:
    """Archive all of a log; return where it is."""
    store = store or Store(place)
    with LogReader(file) as log:
        archive_all(archiver(store, file), log, BEGAN)
    return store


def objects(store: Store) -> dict[str, bytes]:
    """Read all there is."""
    return {name: store.get(name) or b"" for name, _ in store.names("")}


class Killed(BaseException):
    """Ends the writer where it stands."""


class Dying(Store):
    """A store whose writer is killed at its n-th change, before it is done or just after."""

    def __init__(self, place: Place, at: int, *, done: bool) -> None:
        super().__init__(place)
        self._left, self._done = at, done

    def _die(self, change: Callable[[], object]) -> object:
        self._left -= 1
        if self._left < 0:
            if self._done:
                change()
            raise Killed
        return change()

    def put_new(self, name: str, content: bytes) -> bool:
        return bool(self._die(lambda: Store.put_new(self, name, content)))

    def put(self, name: str, content: bytes) -> None:
        self._die(lambda: Store.put(self, name, content))

    def delete(self, names: list[str]) -> None:
        for name in names:
            self._die(lambda name=name: Store.delete(self, [name]))  # type: ignore[misc]
