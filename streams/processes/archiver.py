"""The archiver process: follow the log at its own pace, and keep the archive to the policy."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from streams import brokers, housekeeping, logs, settings
from streams.archive import witness
from streams.archive.archiver import Archiver
from streams.archive.store import Store
from streams.embedded.schema import LogError
from streams.figures import FiguresWriter, read_figures
from streams.moments import FOLDER
from streams.processes import child
from streams.readable import Reader
from streams.settings import Settings
from streams.topics import OBSERVATIONS
from streams.trouble import Trouble, said
from streams.vitals import Vitals

COMPONENT = "archive"
LOOK = 5.0
"""Seconds between two looks whether something is due."""

PATIENCE = 600.0
"""Seconds that one segment may take, with all tries at a bucket; this process counts as alive for so long."""

LEAVE = 1.0
"""Seconds that what is under way is waited for at the end."""

NICE = 10


class Archiving:
    """Take turns at the log. `clock` is in unix seconds; `pause` waits, and tells whether the end has come."""

    def __init__(
        self,
        found: Settings,
        vitals: Vitals,
        pause: Callable[[float], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._found, self._vitals, self._pause, self._clock = found, vitals, pause, clock
        self._log: Reader | None = None
        self._archiver: Archiver | None = None
        self._pruning = housekeeping.Daily()
        self._trouble = Trouble(vitals, COMPONENT, lambda: time.monotonic())
        self._before = {"segments": 0, "observations": 0, "bytes": 0, "lost": 0, "damaged": 0}
        self.turned = time.monotonic()
        self._lag = 0.0

    def figures(self) -> dict[str, Any]:
        """Tell what was archived since the start, and how many seconds the archive is behind."""
        archiver = self._archiver  # another thread's, which may let go of it
        now = {} if archiver is None else _counts(archiver)
        counted = {name: count + now.get(name, 0) for name, count in self._before.items()}
        return {**counted, "lag": self._lag, "trouble": self._trouble.text}

    def turn(self) -> None:
        """Archive what is due; trouble is told, and another turn tries again."""
        try:
            try:
                self._turn()
            finally:
                self._mended()
        except (LogError, OSError) as error:  # tried again all the while: nothing is lost
            self._trouble.note("archive", f"nothing can be archived now: {said(error)}", error)
            self.close()
        else:
            self._trouble.note("archive", "")
        self.turned = time.monotonic()

    def close(self) -> None:
        """Let go of the log, and of what is known of the archive."""
        if self._archiver is not None:
            self._before = {name: self._before[name] + count for name, count in _counts(self._archiver).items()}
        if self._log is not None:
            self._log.close()
        self._log = self._archiver = None

    def _turn(self) -> None:
        found, place = self._found, self._found.archive_place
        assert place is not None
        if found.kafka is None and not found.log_file.is_file():
            return  # the worker is about to make it
        if self._log is None or self._archiver is None:
            self._log = logs.reader(found.log)
            self._archiver = Archiver(Store(place), found.archive_minutes * 60, found.log_folder / FOLDER)
        log, archiver = self._log, self._archiver
        mine = self._partitions(log)
        oldest = math.inf
        for partition in mine:
            while (begun := time.monotonic()) and (link := archiver.step(log, partition, self._clock())) is not None:
                self.turned = time.monotonic()
                if link.head.lost:
                    self._lost(partition, link.head.lost)
                witness.note(found.data_folder, place.where, {partition: link})
                if self._pause(time.monotonic() - begun):  # half of a core at most
                    return
            waiting = archiver.waiting_since(log, partition)
            oldest = min(oldest, math.inf if waiting is None else waiting)
        self._lag = max(0.0, self._clock() - oldest) if math.isfinite(oldest) else 0.0
        if mine and self._pruning.is_due(self._clock()):
            self._prune(log, archiver, mine)
            self._pruning.done(self._clock())

    def _partitions(self, log: Reader) -> list[int]:
        """Return the partitions that this run archives: in a cluster those whose engine and states it has."""
        if not self._found.cluster:
            return list(range(log.topics().get(OBSERVATIONS, 0)))
        return sorted(read_figures(self._found.data_folder).get("worker", {}).get("partitions", ()))

    def _prune(self, log: Reader, archiver: Archiver, mine: list[int]) -> None:
        found = self._found
        size = archiver.keep_to(log, mine, *limits(found, self._clock()))
        if size:
            housekeeping.note(found, housekeeping.ACTOR, "archive.pruned", found.archive, bytes=size)

    def _lost(self, partition: int, count: int) -> None:
        self._acknowledged(
            f"{COMPONENT}:{partition}", f"{count} observations were gone from the log before they were archived"
        )

    def _mended(self) -> None:
        archiver = self._archiver
        if archiver is not None and archiver.mended:
            self._acknowledged(f"{COMPONENT}:damaged", "; ".join(archiver.mended))
            archiver.mended.clear()

    def _acknowledged(self, component: str, said: str) -> None:
        """Have an alarm stand until somebody acknowledges it."""
        self._vitals.down(component, said)
        self._vitals.back(component)


class Working:
    """Take the turns in a thread that need not end: a bucket that does not answer holds it for a minute and more."""

    def __init__(self, archiving: Archiving, stop: threading.Event) -> None:
        self._archiving, self._stop = archiving, stop
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="archiving", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Wait for what is under way, for a moment: a segment that is cut off is written at the next start.

        Raise what the thread ended with.
        """
        self._stop.set()
        self._thread.join(LEAVE)
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._archiving.turn()
                self._stop.wait(LOOK)
            self._archiving.close()
        except BaseException as error:  # the process ends with it
            self._failure = error
        finally:
            self._stop.set()


def limits(found: Settings, now: float) -> tuple[float, float]:
    """Return before which time (unix s) the archive is not kept, and beyond how many bytes."""
    before = now - found.archive_days * 86400 if found.archive_days else -math.inf
    return before, found.archive_gigabytes * 1e9 if found.archive_gigabytes else math.inf


def _counts(archiver: Archiver) -> dict[str, int]:
    return {
        "segments": archiver.segments,
        "observations": archiver.observations,
        "bytes": archiver.bytes,
        "lost": archiver.lost,
        "damaged": archiver.damaged,
    }


def main() -> None:
    """Run the archiver until SIGTERM."""
    found = settings.load()
    child.begin("archiver", found)
    os.nice(NICE)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    child.await_site()
    vitals = Vitals(found.hub_path, node=brokers.identity(found.data_folder) if found.cluster else "")
    archiving = Archiving(found, vitals, stop.wait)
    working = Working(archiving, stop)

    def alive() -> None:
        if time.monotonic() - archiving.turned < PATIENCE:
            child.parent().alive()

    writer = FiguresWriter(found.data_folder, "archiver", archiving.figures, alive)
    writer.start()
    working.start()
    child.ready()
    try:
        stop.wait()
        working.end()
    finally:
        writer.stop()
        vitals.close()


if __name__ == "__main__":
    main()
