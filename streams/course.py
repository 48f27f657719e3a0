"""The course that alarms take in one partition when its log is replayed, under recorded rules or others."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence

import msgspec

from alerts.outcome import AlarmTransition, DispatchChange, Explanation
from rules.rule import Rule
from sensors import frame, observation
from sensors.observation import FRAME, Publication
from streams import bundle
from streams.crossings import Crossing, Crossings
from streams.engine import Applied, Engine
from streams.readable import Readable
from streams.replay import Check, Difference, entries, fresh, outcomes
from streams.station import newest_snapshot
from streams.stretch import Stretch
from streams.topics import OBSERVATIONS
from streams.trial import Memory, Trial

FRAME_BYTE = bytes((FRAME,))


class Course(msgspec.Struct, kw_only=True):
    """What the replay of one partition gave, of its whole way up to the stretch and of the stretch.

    Transitions keep of their reasons the points only, dispatches are without their events. `first` is the offset at
    which the stretch begins.
    """

    partition: int
    first: int = 0
    observations: int = 0  # replayed, those before the stretch included
    readings: int = 0
    transitions: list[AlarmTransition] = []
    transitions_at: list[int] = []  # offset at which each was decided
    dispatches: list[DispatchChange] = []
    dispatches_at: list[int] = []
    crossings: list[Crossing] = []
    commands: int = 0  # given again
    moved: int = 0  # of them, to what stands in the place of what they were about
    astray: int = 0  # of them, to nobody
    clock: float = 0.0  # the engine's at the end, unix seconds
    cpu: float = 0.0  # seconds
    difference: Difference | None = None  # to what was recorded


def run(
    log: Readable,
    where: Stretch,
    rules: tuple[Rule, ...] | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> Course:
    """Replay one partition up to the end of a stretch, under the rules as they were published or under others.

    Under the published rules every outcome of the stretch is compared with what was recorded. `advance` is told of
    observations from the oldest on. Raise `ReplayError` when the log no longer holds what is needed, or the rules
    cannot be put in force.
    """
    begun = time.process_time()
    engine = begin(log, where, anew=rules is not None)
    advance(engine.offset + 1 - log.start(OBSERVATIONS, where.partition))  # what a snapshot spares is done
    course = Course(partition=where.partition, first=where.first)
    check = Check(log, where) if rules is None else None
    trial = _trial(log, where.partition, engine, rules) if rules is not None else None
    crossings = Crossings()
    if engine.registry is not None:
        crossings.publish(engine.registry.site)
    for batch in entries(log, OBSERVATIONS, where.partition, where.stop, engine.offset + 1):
        for applied in trial.apply(batch) if trial is not None else (engine.apply(batch),):
            _note(course, applied)
            if check is not None:
                check.take([record for record in applied.records if record.offset >= where.first])
        _cross(crossings, batch)
        course.observations += len(batch)
        advance(len(batch))
    course.crossings, course.clock = crossings.found, engine.clock
    if check is not None:
        course.difference = check.end()
        course.difference.observations, course.difference.readings = course.observations, course.readings
    if trial is not None:
        course.commands, course.moved, course.astray = trial.commands, trial.moved, trial.astray
    course.cpu = time.process_time() - begun
    return course


def begin(log: Readable, where: Stretch, *, anew: bool = False) -> Engine:
    """Make the engine that stands before a stretch, or as far before it as the log has it.

    From the newest snapshot where that is older than the stretch, else from the log's beginning; `anew`, from its
    beginning wherever the log still holds it. Raise `ReplayError` when neither is there.
    """
    oldest = log.start(OBSERVATIONS, where.partition)
    if anew and oldest == 0:
        return Engine(where.partition)
    try:
        engine = newest_snapshot(log, where.partition)
    except (ValueError, KeyError, TypeError, AssertionError):  # of another version: the log itself has it all
        engine = None
    if engine is None or engine.offset >= where.first or engine.offset + 1 < oldest:
        return fresh(log, where.partition)
    return engine


def merged(courses: Sequence[Course]) -> Difference:
    """Join what was found to differ in all partitions."""
    found = Difference()
    for one in sorted(courses, key=lambda course: course.partition):
        if one.difference is not None:
            found.add(one.difference)
    return found


def _trial(log: Readable, partition: int, engine: Engine, rules: tuple[Rule, ...]) -> Trial:
    memory = Memory()
    for record in outcomes(log, partition):
        memory.note(record)
    return Trial(engine, rules, memory)


def _note(course: Course, applied: Applied) -> None:
    course.readings += applied.readings
    for record in applied.records:
        for one in record.outcomes:
            if isinstance(one, AlarmTransition):
                course.transitions.append(_brief(one))
                course.transitions_at.append(record.offset)
            elif isinstance(one, DispatchChange):
                course.dispatches.append(msgspec.structs.replace(one, event=None))
                course.dispatches_at.append(record.offset)


def _cross(crossings: Crossings, batch: Sequence[tuple[int, bytes]]) -> None:
    """Follow sites and readings; what cannot be read the engine has refused."""
    for _, value in batch:
        with contextlib.suppress(ValueError):
            if value[:1] == FRAME_BYTE:
                crossings.note(frame.decode(value))
            elif observation.is_publication(value):
                found = observation.decode(value)
                assert isinstance(found, Publication)
                crossings.publish(bundle.unpack(found.bundle).site)


def _brief(one: AlarmTransition) -> AlarmTransition:
    why = None if one.explanation is None else Explanation(clause="", points=one.explanation.points)
    return msgspec.structs.replace(one, explanation=why, rationale={})
