"""The course that alarms take in one partition when its log is replayed, under recorded rules or others."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from alerts.outcome import AlarmTransition, DispatchChange, Explanation
from rules.rule import Rule
from sensors import frame, observation
from sensors.observation import FRAME, Publication
from streams import bundle
from streams.ahead import Ahead
from streams.crossings import Crossing, Crossings
from streams.engine import Applied, Engine
from streams.moments import engine_before, moments_of
from streams.readable import Readable
from streams.replay import Check, Difference, LetGoError, entries, outcomes
from streams.run import Frames
from streams.station import newest_snapshot
from streams.stretch import Stretch, begun
from streams.tape import Keeping, Known, Piece, TapeHead, holds
from streams.tape_archive import TapeArchive
from streams.topics import OBSERVATIONS
from streams.trial import Memory, Trial

logger = logging.getLogger(__name__)

FRAME_BYTE = bytes((FRAME,))

LEAD = 86400.0
"""Seconds before a stretch from which on other rules run: so long are the windows of most of them."""

MANY, MANY_BYTES = 4096, 2_500_000
"""Records, or bytes of them, that are replayed at one go: some hundred thousand readings at most."""


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


_encoder = msgspec.msgpack.Encoder()
_courses = msgspec.msgpack.Decoder(Course)


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
    return together(log, where, (rules,), advance)[0]


def together(
    log: Readable,
    where: Stretch,
    sides: Sequence[tuple[Rule, ...] | None],
    advance: Callable[[int], None] = lambda count: None,
    archive: TapeArchive | None = None,
) -> list[Course]:
    """Replay one partition under several sets of rules, as `run` does under one, and score its readings once.

    What an `archive` has of an earlier replay is not worked out again, and it is given what is: so a second replay of
    the same past costs its rules alone. `advance` is told of each side's observations.
    """
    told = 0

    def moved(count: int) -> None:
        nonlocal told
        told += count
        advance(count)

    try:
        return _Replay(log, where, sides, moved, archive).run()
    except _MissedError:
        logger.warning("partition %d: the scores kept are not those of the log; made anew", where.partition)
    done, told = told, 0
    ahead = done

    def caught_up(count: int) -> None:
        nonlocal ahead
        spared = min(ahead, count)
        ahead -= spared
        advance(count - spared)

    return _Replay(log, where, sides, caught_up, None, shared=False).run()


class _MissedError(RuntimeError):
    """Raised when a tape does not hold what was asked of it."""


class _Side:
    """One set of rules at work."""

    def __init__(
        self, log: Readable, where: Stretch, engine: Engine, rules: tuple[Rule, ...] | None, memory: Memory
    ) -> None:
        self.engine, self._first = engine, where.first
        self.course = Course(partition=where.partition, first=where.first)
        self._check = Check(log, where) if rules is None else None
        self.known: Known | None = None
        self._ahead: Ahead | None = None
        self._trial: Trial | None = None
        self._rules, self._memory = rules, memory

    def see(self, frames: Frames) -> None:
        """Have what was decoded of the records to come."""
        head = self.known or self._ahead
        if head is not None:
            head.frames = frames

    def begin(self, tape: TapeHead | None) -> None:
        """Go by a tape, or keep one."""
        if isinstance(tape, Known):
            self.known = tape
        if self._rules is not None:
            self._trial = Trial(self.engine, self._rules, self._memory, tape)
        else:
            assert tape is None or isinstance(tape, Keeping)
            self._ahead = Ahead(self.engine, tape)

    def take(self, records: Sequence[tuple[int, bytes]]) -> None:
        """Apply records and note what follows; publications come by themselves."""
        if self._ahead is not None:
            self._ahead.look(records)
        for applied in self._trial.apply(records) if self._trial is not None else (self.engine.apply(records),):
            _note(self.course, applied)
            if self._check is not None:
                self._check.take([record for record in applied.records if record.offset >= self._first])
        if self._ahead is not None:
            self._ahead.settle()
        self.course.observations += len(records)
        if self.known is not None and self.known.missed:
            raise _MissedError

    def end(self, crossings: list[Crossing]) -> Course:
        """Return what was found."""
        course = self.course
        course.crossings, course.clock = crossings, self.engine.clock
        if self._check is not None:
            course.difference = self._check.end()
            course.difference.observations, course.difference.readings = course.observations, course.readings
        if self._trial is not None:
            trial = self._trial
            course.commands, course.moved, course.astray = trial.commands, trial.moved, trial.astray
        return course


class _Replay:
    """Replay one stretch under several sets of rules."""

    def __init__(
        self,
        log: Readable,
        where: Stretch,
        sides: Sequence[tuple[Rule, ...] | None],
        advance: Callable[[int], None],
        archive: TapeArchive | None,
        *,
        shared: bool = True,
    ) -> None:
        self._log, self._where, self._rules, self._advance = log, where, sides, advance
        self._archive, self._shared = archive, shared

    def run(self) -> list[Course]:
        """Do it."""
        started = time.process_time()
        where, archive = self._where, self._archive
        anew = any(rules is not None for rules in self._rules)
        engine = begin(self._log, where, anew=anew)
        stored = engine.snapshot() if len(self._rules) > 1 and engine.offset >= 0 else None
        first = engine.offset + 1
        crossings = Crossings()
        if engine.registry is not None:
            crossings.publish(engine.registry.site)
        memory = _memory(self._log, where) if anew else Memory()
        finished: dict[int, Course] = {}
        taped = archive is not None and archive.covers(first, where.stop)
        if taped and anew and archive is not None and (kept := archive.course(where)) is not None:
            known = msgspec.structs.replace(_courses.decode(kept), cpu=0.0)
            finished = {place: known for place, rules in enumerate(self._rules) if rules is None}
        sides: dict[int, _Side] = {}
        for place, rules in enumerate(self._rules):
            if place not in finished:
                own = engine if stored is None and not sides else _again(stored, where.partition)
                sides[place] = _Side(self._log, where, own, rules, memory)
        keeping = self._begin(sides, taped)
        spared = first - self._log.start(OBSERVATIONS, where.partition)  # what a snapshot spares is done
        self._advance(spared * len(self._rules))
        at = first
        for batch in _gathered(entries(self._log, OBSERVATIONS, where.partition, where.stop, first)):
            frames = _frames(batch)
            for side in sides.values():
                side.see(frames)
            self._take(batch, at, list(sides.values()), keeping, taped)
            _cross(crossings, batch, frames)
            self._advance((batch[-1][0] + 1 - at) * len(self._rules))
            at = batch[-1][0] + 1
        for place, side in sides.items():
            finished[place] = side.end(crossings.found)
        share = (time.process_time() - started) / max(1, len(sides))
        for place, side in sides.items():
            side.course.cpu = share
            if archive is not None and anew and self._rules[place] is None and (taped or keeping is not None):
                archive.keep_course(where, _encoder.encode(side.course))
        if archive is not None:
            archive.trim()
        return [finished[place] for place in range(len(self._rules))]

    def _begin(self, sides: dict[int, _Side], taped: bool) -> Keeping | None:
        """Decide which side asks the models, and keeps what they say for the others."""
        keeping: Keeping | None = None
        keeps = self._shared and (len(sides) > 1 or self._archive is not None)
        for side, rules in ((sides[place], self._rules[place]) for place in sorted(sides)):
            if taped and rules is not None:
                side.begin(Known())
            elif keeps and keeping is None and not taped:
                keeping = Keeping()
                side.begin(keeping)
            elif keeping is not None and rules is not None:
                side.begin(Known())
            else:
                side.begin(None)
        return keeping

    def _take(
        self, batch: list[tuple[int, bytes]], at: int, sides: Sequence[_Side], keeping: Keeping | None, taped: bool
    ) -> None:
        """Have the sides take a batch, which has all records from offset `at` on: of a history not each has one."""
        pieces: list[Piece] = []
        if taped and self._archive is not None:
            pieces = self._archive.pieces(batch[0][0], batch[-1][0])
            if not holds(pieces, batch):
                raise _MissedError
        for place, side in enumerate(sides):
            if side.known is not None:
                side.known.load(pieces)
            for part in _parts(batch):
                side.take(part)
                if place == 0 and keeping is not None and observation.is_publication(part[0][1]):
                    keeping.published(part[0][0], side.engine.bank)
            if place == 0 and keeping is not None:
                pieces = [msgspec.structs.replace(keeping.wind(batch), first=at)]
                if self._archive is not None:
                    self._archive.keep(pieces[0])


def _gathered(batches: Iterable[list[tuple[int, bytes]]]) -> Iterator[list[tuple[int, bytes]]]:
    """Join batches of records: where frames are small, what is done once a batch is worth it for many of them only."""
    held: list[tuple[int, bytes]] = []
    size = 0
    for batch in batches:
        held += batch
        size += sum(len(value) for _, value in batch)
        if size >= MANY_BYTES or len(held) >= MANY:
            yield held
            held, size = [], 0
    if held:
        yield held


def _parts(batch: Sequence[tuple[int, bytes]]) -> Iterator[Sequence[tuple[int, bytes]]]:
    """Yield publications by themselves, and what is between them."""
    start = 0
    for place, (_, value) in enumerate(batch):
        if observation.is_publication(value):
            if place > start:
                yield batch[start:place]
            yield batch[place : place + 1]
            start = place + 1
    if start < len(batch):
        yield batch[start:]


def _again(stored: bytes | None, partition: int) -> Engine:
    return Engine(partition) if stored is None else Engine.restore(stored)


def begin(log: Readable, where: Stretch, *, anew: bool = False) -> Engine:
    """Make the engine that stands before a stretch, or as far before it as the log has it.

    From the newest state kept of before the stretch, else from the log's beginning. `anew`, for other rules: from one
    that is older by `LEAD`, or from the beginning, wherever there still is one. Raise `ReplayError` when there is none.
    """
    partition, first = where.partition, where.first
    oldest = log.start(OBSERVATIONS, partition)
    if anew:
        since = begun(log, where) if first > oldest else None
        engine = None if since is None else engine_before(log, partition, first, since - LEAD)
        if engine is not None or oldest == 0:
            return engine or Engine(partition)
    engine = engine_before(log, partition, first)
    try:
        newest, _ = newest_snapshot(log, partition)
    except (ValueError, KeyError, TypeError, AssertionError):  # of another version: the log itself has it all
        newest = None
    if newest is not None and oldest - 1 <= newest.offset < first and (engine is None or engine.offset < newest.offset):
        engine = newest
    if engine is None and oldest > 0:
        raise LetGoError(_gone(log, where, oldest))
    return engine or Engine(partition)


def _gone(log: Readable, where: Stretch, oldest: int) -> str:
    """Say from when on a stretch could be replayed."""
    began = begun(log, Stretch(where.partition, oldest, where.stop))
    kept = [one.clock for one in moments_of(log, where.partition) if one.offset + 1 >= oldest]
    said = f"partition {where.partition} no longer holds its first observations (retention): "
    said += f"what is left is from {_time(began)} on, " if began is not None else "nothing is left of them, "
    return said + (f"and the first state kept is of {_time(kept[0])}: choose a later --from" if kept else
                   "and no state of the engine was kept of before --from")  # fmt: skip


def _time(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def merged(courses: Sequence[Course]) -> Difference:
    """Join what was found to differ in all partitions."""
    found = Difference()
    for one in sorted(courses, key=lambda course: course.partition):
        if one.difference is not None:
            found.add(one.difference)
    return found


def _memory(log: Readable, where: Stretch) -> Memory:
    memory = Memory()
    for record in outcomes(log, where.partition):
        if record.offset >= where.stop:
            break
        memory.note(record)
    return memory


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


def _frames(batch: Sequence[tuple[int, bytes]]) -> Frames:
    """Decode the frames of a batch, once for all that look at them; what cannot be read the engine refuses."""
    found = Frames()
    for offset, value in batch:
        if value[:1] == FRAME_BYTE:
            with contextlib.suppress(frame.FrameError):
                found[offset] = frame.decode(value)
    return found


def _cross(crossings: Crossings, batch: Sequence[tuple[int, bytes]], frames: Frames) -> None:
    """Follow sites and readings; what cannot be read the engine has refused."""
    for part in _parts(batch):
        if observation.is_publication(part[0][1]):
            with contextlib.suppress(ValueError):
                found = observation.decode(part[0][1])
                assert isinstance(found, Publication)
                crossings.publish(bundle.unpack(found.bundle).site)
        elif some := [(offset, frames[offset]) for offset, _ in part if offset in frames]:
            crossings.note(frames.run_of(some))


def _brief(one: AlarmTransition) -> AlarmTransition:
    why = None if one.explanation is None else Explanation(clause="", points=one.explanation.points)
    return msgspec.structs.replace(one, explanation=why, rationale={})
