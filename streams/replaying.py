"""Replay in as many processes as there are cores, a partition under one set of rules each.

What comes out does not depend on how many there are: partitions know nothing of each other, and are put in order.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import NamedTuple

import msgspec

from rules.rule import Rule
from streams import course
from streams.archive import recorded
from streams.archive.recorded import Recorded
from streams.course import Course
from streams.embedded.schema import LogError
from streams.processes.child import follow_parent
from streams.replay import ReplayError
from streams.stretch import Stretch
from streams.tape_archive import TapeArchive

FEW = 1000
"""Observations that one process replays sooner than others are started."""

LOOK = 0.2
"""Seconds between two looks at how far the processes are."""

Rules = tuple[Rule, ...]

_encoder = msgspec.msgpack.Encoder()
_courses = msgspec.msgpack.Decoder(list[Course])
_rules = msgspec.msgpack.Decoder(Rules)
_done: Synchronized[int] | None = None  # observations replayed, by all processes


class Task(NamedTuple):
    """One partition's stretch, under rules as `pack` gives them; None are those that were published."""

    where: Stretch
    rules: bytes | None = None


def pack(rules: Rules) -> bytes:
    """Encode rules for another process."""
    return _encoder.encode(rules)


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def replay(
    source: Path | Recorded,
    tasks: Sequence[Task],
    processes: int = 0,
    advance: Callable[[int], None] = lambda count: None,
    keep: float = 0.0,
) -> list[Course]:
    """Replay the tasks and return what each gave, in their order; `advance` is told of observations that were replayed.

    Tasks of one stretch are replayed together: its readings are scored once. `processes` 0 is as many as there are
    cores, and this one alone where there is little to do. `keep` is how many bytes of scores are kept beside the log,
    for the next replay. `source` is a log's file, or what else was recorded. Raise `ReplayError`.
    """
    source = recorded.of(source) if isinstance(source, Path) else source
    found: dict[int, Course] = {}
    jobs = _jobs(tasks, keep)
    for job, courses in zip(jobs, _all(source, jobs, processes, advance), strict=True):
        found.update(zip(job.places, courses, strict=True))
    return [found[place] for place in range(len(tasks))]


def get_ready(stretches: Sequence[Stretch], processes: int = 0) -> None:
    """Have the processes that are to replay stretches import what they need while something else is done here."""
    if _most(stretches, processes) > 1:
        _server()


def _most(stretches: Sequence[Stretch], processes: int) -> int:
    """Say in how many processes stretches are replayed."""
    little = not processes and sum(where.stop for where in stretches) <= FEW
    return 1 if little else min(processes or cores(), len(stretches))


def _server() -> BaseContext:
    """Start the server that is forked for each process of a replay, unless it runs; return how to reach it.

    This process itself cannot be forked: its threads' locks would be taken along. The server has no threads, has
    imported all that is needed, stays for the next replay, and ends with this process.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with _importing_alike():
        forkserver.ensure_running()
    return context


@contextlib.contextmanager
def _importing_alike() -> Iterator[None]:
    """Have interpreters that are started import from where this one does, and from nowhere else."""
    before = {name: os.environ.get(name) for name in ("PYTHONPATH", "PYTHONSAFEPATH")}
    os.environ.update(PYTHONPATH=os.pathsep.join(map(os.path.abspath, sys.path)), PYTHONSAFEPATH="1")
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class _Job(NamedTuple):
    """One stretch under all rules that are to be tried on it. `places` are those of the tasks, `keep` is in bytes."""

    where: Stretch
    rules: tuple[bytes | None, ...]
    places: tuple[int, ...]
    keep: float


def _jobs(tasks: Sequence[Task], keep: float) -> list[_Job]:
    places: dict[Stretch, list[int]] = {}
    for place, task in enumerate(tasks):
        places.setdefault(task.where, []).append(place)
    share = keep / max(1, len({where.partition for where in places}))
    return [
        _Job(where, tuple(tasks[place].rules for place in mine), tuple(mine), share) for where, mine in places.items()
    ]


def _all(source: Recorded, jobs: Sequence[_Job], processes: int, advance: Callable[[int], None]) -> list[list[Course]]:
    most = _most([job.where for job in jobs], processes)
    if most <= 1:
        return [_here(source, job, advance) for job in jobs]
    context = _server()
    done: Synchronized[int] = context.Value("q", 0)
    told, packed = 0, _encoder.encode(source)
    with ProcessPoolExecutor(most, mp_context=context, initializer=_begin, initargs=(done,)) as pool:
        futures: list[Future[bytes]] = [pool.submit(_there, packed, _encoder.encode(job)) for job in jobs]
        waiting = set(futures)
        try:
            while waiting:
                finished, waiting = wait(waiting, LOOK, FIRST_COMPLETED)
                advance(done.value - told)
                told = done.value
                for one in finished:
                    one.result()
        except BrokenProcessPool as error:
            raise ReplayError("a process of the replay was ended from outside (too little memory?)") from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise
        return [_courses.decode(one.result()) for one in futures]


def _begin(done: Synchronized[int]) -> None:
    global _done
    _done = done
    follow_parent()  # that is the server, which waits for us to end when the process that asked has
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    """End when the process that asked for the replay ends."""
    asked = multiprocessing.parent_process()
    if asked is not None:
        asked.join()
    os._exit(0)


_job = msgspec.msgpack.Decoder(_Job)
_source = msgspec.msgpack.Decoder(Recorded)


def _here(source: Recorded, job: _Job, advance: Callable[[int], None]) -> list[Course]:
    sides = [None if rules is None else _rules.decode(rules) for rules in job.rules]
    try:
        with source.open() as log, contextlib.ExitStack() as stack:
            archive = None
            if job.keep > 0:
                archive = TapeArchive(source.tapes_folder, job.where.partition, log, job.keep)
                stack.enter_context(archive)
            return course.together(log, job.where, sides, advance, archive)
    except LogError as error:
        raise ReplayError(str(error)) from error


def _there(source: bytes, packed: bytes) -> bytes:
    job = _job.decode(packed)

    def advance(count: int) -> None:
        assert _done is not None
        with _done.get_lock():
            _done.value += count

    return _encoder.encode(_here(_source.decode(source), job, advance))
