"""Evaluate a rule book over readings, camera events and ticks: which conditions moved to which level.

A level is raised when its `when` has been known to hold for its `for`; the highest such level counts. A level is left
when its `clear` (by default: `when` is known not to hold) has been known to hold for its `clear_after`, and no `when`
of its rank or above holds: then the condition drops to the highest level whose `when` holds. A delay runs only while
its condition is known to hold, on the point's own clock: event time at a reading, moved on by ticks in between.

A change is simulated if the point's reading is, or if its condition does not hold without what simulated events and the
simulated readings of other points contribute. A level that simulation set is taken over by what is real: once a `when`
is ready without any simulation, the condition moves to that level at once, and a change is made known even if it is the
same one. Simulation never takes a condition below the level that what is real gave it: an exercise neither raises nor
ends a real alarm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.area.store import Stored
from rules.across import AcrossProgram
from rules.binding import Column
from rules.calendar import NAMES as OF_CALENDAR
from rules.cameras import CameraFeatures, CameraState
from rules.compiler import RuleBook
from rules.events import Sightings, Told
from rules.explanation import Change, Term, Why, Withdrawn
from rules.expression import AREA_SCORE
from rules.faults import Fault, apart
from rules.features import Columns, Features, PointModels, PointState, bounded
from rules.modes import Modes
from rules.neighbours import Neighbours
from rules.persistence import restore_into, state_of
from rules.reports import Tallies
from rules.rising import STANDS, Rising
from rules.sequences import Sequences
from rules.shapes import holds, resolver
from rules.surges import Surges
from rules.together import Together
from rules.warned import Warned
from rules.watch import Watch
from rules.why import why as why_of
from rules.windows import Windows
from sensors.flags import DISAGREES, FLAGS, RULED
from sensors.observation import HISTORICAL, SIMULATED, CameraEvent, CameraHealth, Report, SourceState
from sensors.renames import Renames

logger = logging.getLogger(__name__)

__all__ = ["Change", "Evaluator", "Term", "Why", "Withdrawn"]

NO_RENAMES = Renames()
Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
State = dict[str, npt.NDArray[Any]]


class Scored(Protocol):
    """What `readings` needs of a `models.bank.BankResult`."""

    @property
    def score(self) -> Array:
        """Scores, f8[n], 0..1."""

    @property
    def alarm(self) -> npt.NDArray[np.bool_]:
        """Early events, bool[n]."""


class Evaluator:
    """Hold the state of a rule book's instances. Pure: time comes with the calls, which alone decide the changes."""

    reasons = True
    """Whether changes say why; where only the levels are looked at, that is a quarter of the work."""

    def __init__(
        self,
        book: RuleBook,
        bank: PointModels,
        models: Sequence[Stored] = (),
        former: Mapping[str, str] | None = None,
    ) -> None:
        self.book, self.bank = book, bank
        self.together = Together(models, book.points, book.area_of, former)
        self.neighbours = Neighbours(book.points)
        self.points = PointState(book.rows)
        self.windows = Windows(book.windows, book.rows)
        self.warned = Warned(book.warned, book.targets, book.below, book.rows)
        self.cameras = CameraState(book.cameras)
        kinds = {kind for kind, _ in book.seen_by}
        counted = {f"#{key[1]}" for key in book.events} | {f"^{key[1]}" for key in book.counted if key[0] == "rising"}
        self.watch = Watch(kinds | counted)
        self.sightings = Sightings(kinds, book.areas)
        self.tallies = Tallies(kinds)
        self.sequences = Sequences(book.events, kinds, book.areas)
        self.surges = Surges(book.counted, book.areas)
        self.rising = Rising(book.counted, book.areas)
        self.modes = Modes(book.area_of)
        self.across = {program.text: np.full(len(book.areas), np.nan) for program in book.across}
        self.across[AREA_SCORE] = np.full(len(book.areas), np.nan)
        self.across_real = {text: values.copy() for text, values in self.across.items()}  # simulated readings left out
        self.around = {program.text: np.full(book.rows, np.nan) for program in book.around}  # by row
        self.around_real = {text: values.copy() for text, values in self.around.items()}
        self.members_around: dict[int, Array] = {}  # as `members`, by place in the book
        self.members: dict[str, Array] = {}  # what each figure was made of at the last tick
        self.evidence: dict[tuple[str, int], list[str]] = {}  # as restored, until the next tick
        self.area_time = np.full(len(book.areas), np.nan)
        self.gone: dict[int, str] = {}  # rows that are offline → the source that says so
        self.been_away = False  # some point was not heard since an outage
        self.clock = -np.inf
        self.current = np.zeros(book.instances, np.uint8)
        self.by_simulation = np.zeros(book.instances, np.bool_)  # simulation set the level
        self.real = np.zeros(book.instances, np.uint8)  # the level that what is real gave it last
        self.calm_since = np.full(book.instances, np.nan)
        self.held_since = np.full(book.slots, np.nan)
        some = (book.slots, book.rows) if book.sampled else (0, 0)
        self.sampled = np.zeros(some[0], np.uint64)  # a bit for each of the last readings at which `when` held
        self.sampled_at = np.zeros(some[0], np.int64)  # how many readings the point had then
        self.read_count = np.zeros(some[1], np.int64)  # readings of each point that are not history
        self.awake = np.zeros(book.instances, np.bool_)  # a level is raised or a `when` holds
        self.running = np.zeros(book.instances, np.bool_)  # a delay runs
        self.awake_rows = np.zeros(book.all_rows, np.int32)
        self.any_stuck = False
        self.unseen = np.zeros(book.instances, np.bool_)  # new with a publication: the next tick looks at them
        self.faults: list[Fault] = []  # since they were last taken; not part of the state
        self._bore_on = np.empty(0, np.intp), 0.0, False  # the last event: instances, time, simulated; likewise not
        self._area_scoped = np.flatnonzero((book.row >= book.rows) & (book.row < book.camera_rows))
        self._of_cameras = np.flatnonzero(book.moves_alone & (book.row >= book.camera_rows))
        self._alone = np.flatnonzero(book.moves_alone & (book.row < book.rows))
        self._alone_rows = np.unique(book.row[self._alone])
        self._camera_areas = _camera_areas(book)

    @property
    def last_received(self) -> Array:
        """Return when each row's last reading arrived; NaN before its first."""
        return self.points.last_received

    @property
    def nbytes(self) -> int:
        """Return bytes of state, windows included."""
        own = (self.current, self.by_simulation, self.real, self.calm_since, self.held_since, self.awake, self.running)
        held = sum(array.nbytes for array in own) + self.awake_rows.nbytes
        held += sum(array.nbytes for table in (self.around, self.around_real) for array in table.values())
        parts = (self.points, self.windows, self.warned, self.cameras, self.surges, self.sequences)
        return held + sum(part.nbytes for part in parts)

    @property
    def idle(self) -> bool:
        """Whether ticks change nothing until the next reading or event: no delay runs, no rule goes by the clock."""
        return not (self.goes_by_the_clock or self.running.any() or self.unseen.any())

    @property
    def goes_by_the_clock(self) -> bool:
        """Whether ticks may move conditions of which no delay runs, or figures that are worked out at each."""
        book = self.book
        if book.across or book.around or book.counted or self.together.stored or self.neighbours:
            return True
        return bool(self._alone.size or self._area_scoped.size or self._of_cameras.size)

    def readings(
        self,
        rows: Rows,
        time: Array,
        value: Array,
        quality: npt.NDArray[np.uint8],
        received: Array,
        result: Scored,
        clock: float,
    ) -> list[Change]:
        """Take in readings (rows unique, each later than the row's last) as the bank scored them; return the changes.

        `received` is when each arrived as it is stamped, `clock` what the arrival clock now shows (unix s): whoever
        keeps that clock says how far a stamp may move it.
        """
        self.clock = clock
        points = self.points
        if self.been_away:
            # what was kept for us and comes now tells of the time in which we were away
            self.windows.miss(rows, time, np.fmin(points.away[rows], time - points.last_time[rows]))
            points.away[rows] = 0.0
        points.last_time[rows] = time
        points.last_received[rows] = received
        points.value[rows] = value
        points.score[rows] = result.score
        points.age[rows] = 0.0
        points.alarm[rows] = result.alarm
        points.marked = points.marked or bool(quality.any())
        if points.marked:
            points.simulated[rows] = (quality & SIMULATED) != 0
            points.historical[rows] = (quality & HISTORICAL) != 0
        if self.gone:
            self._back(rows[points.offline[rows] & ((quality & HISTORICAL) == 0)])
        self.windows.add(rows, time, value)
        self.warned.see(rows, time, value, self.bank)
        if self.book.sampled:
            self.read_count[rows] += (quality & HISTORICAL) == 0
        if not self.book.instances:
            return []
        features = self._features(rows, time)
        features.know(("value",), value)
        features.know(("score",), result.score)
        everything = np.arange(len(rows))

        def judge(start: int, stop: int) -> list[Change]:
            whole = stop - start == len(rows)
            at = everything if whole else everything[start:stop]
            return self._judge(at, features if whole else features.take(at), quality, received)

        def alone(place: int, _: Exception) -> list[Change]:
            return self._judge_alone(place, features.take(everything[place : place + 1]), quality, received)

        return apart(judge, 0, len(rows), alone) if len(rows) else []

    def mark(self, rows: Rows, flags: npt.NDArray[np.uint16], received: Array) -> None:
        """Note flags (of `sensors.flags`) of readings that arrived at `received`, rows unique; usable or not.

        Rules that ask for them look at the next tick.
        """
        points = self.points
        for place, name in enumerate(RULED):
            at = np.flatnonzero(flags & FLAGS[name])
            if at.size:
                points.flagged[rows[at], place] = received[at]
        new = np.isnan(points.last_time[rows])  # nothing usable was read of it: it is not known to be real
        points.simulated[rows[new]] = (flags[new] & SIMULATED) != 0
        points.marked = points.marked or bool((flags[new] & SIMULATED).any())

    def take_faults(self) -> list[Fault]:
        """Return what could not be evaluated since the last call, in order."""
        found, self.faults = self.faults, []
        return found

    def _judge(self, at: Rows, features: Features, quality: npt.NDArray[np.uint8], arrived: Array) -> list[Change]:
        """Evaluate what may move at the readings `at` of a call; `features` are of these."""
        rows = features.rows
        look = self.book.reading_guard.passed(rows, features.some)
        look |= self.awake_rows[rows] > 0
        if self.points.marked:
            look &= (quality[at] & HISTORICAL) == 0
        chosen = np.flatnonzero(look)
        if not chosen.size:
            return []
        features = features.take(chosen)
        start = self.book.start[features.rows]
        count = self.book.start[features.rows + 1] - start
        place = np.repeat(np.arange(len(chosen)), count)
        instances = np.repeat(start - (np.cumsum(count) - count), count) + np.arange(len(place))
        return self._advance(instances, place, features.now, features, at[chosen], arrived)

    def _judge_alone(
        self, position: int, features: Features, quality: npt.NDArray[np.uint8], arrived: Array
    ) -> list[Change]:
        """Evaluate one reading that an error came of rule by rule, so that only the rule at fault is left out."""
        if quality[position] & HISTORICAL:
            return []
        row = int(features.rows[0])
        at, first = np.array([position]), np.zeros(1, np.intp)
        changes: list[Change] = []
        for instance in range(int(self.book.start[row]), int(self.book.start[row + 1])):
            try:
                changes += self._advance(np.array([instance]), first, features.now, features, at, arrived)
            except Exception as error:
                self._fault(instance, position, error)
        return changes

    def _fault(self, instance: int, position: int, error: Exception) -> None:
        rule, scope = self.book.rules[self.book.rule[instance]].id, self.book.scope(instance)
        logger.error("rule %s at %s could not be evaluated", rule, scope, exc_info=error)
        self.faults.append(Fault(position, f"{rule} at {scope}: {error}"))

    def event(self, event: CameraEvent, clock: float, report: Report | None = None) -> list[Change]:
        """Take in a camera event, or a `report` that it stands for, as the arrival clock shows `clock`.

        Return the changes.

        Phases `new` and `update` count as seen, `end` does not, nor does what is told as history.
        """
        self.clock = clock
        self._bore_on = np.empty(0, np.intp), clock, False
        area = self.book.area_of.get(event.area)
        if area is None or event.phase == "end" or event.quality & HISTORICAL:
            return []
        seen = min(event.time, clock)  # a camera's clock may be ahead; what it saw was before it was told
        simulated = bool(event.quality & SIMULATED)
        told = Told.of(event, seen, report)
        self.surges.add(event, area, seen, simulated, clock)
        for name in (event.kind, f"#{event.kind}", f"^{event.kind}"):
            self.watch.heard(name, clock)
        self.sightings.add(event.kind, area, seen, simulated, told)
        instances = self.book.seen_by.get((event.kind, area), np.empty(0, np.intp))
        for kind, begun, by_simulation in self.sequences.add(event, area, seen, simulated):
            self.watch.heard(kind, clock)
            self.sightings.add(kind, area, begun, by_simulation, told)
            instances = np.union1d(instances, self.book.seen_by.get((kind, area), np.empty(0, np.intp)))
        if report is not None:
            subject, community = report.subject or "", self.book.communities[area]
            for kind, since, by_simulation in self.tallies.add(event.kind, community, subject, seen, simulated):
                self.watch.heard(kind, clock)
                self.sightings.add(kind, area, since, by_simulation, told)
                instances = np.union1d(instances, self.book.seen_by.get((kind, area), np.empty(0, np.intp)))
            self.rising.add(event.kind, community, subject, area, seen, simulated)
        self._bore_on = instances, seen, simulated
        back = self.cameras.seen(event.camera, simulated, clock)
        if back is not None:
            instances = np.union1d(instances, self._instances_of(back))
        return self._look(instances) if instances.size else []

    def again(self, among: Callable[[str, str, bool], bool]) -> list[Change]:
        """Say where conditions stand that the last event bore on and that hold, `among` some (rule, scope, simulated).

        Each is told as a change from its level to the same one, begun with the event. Of what is real the level that
        simulation has no part in.
        """
        instances, seen, simulated = self._bore_on
        book, found = self.book, []
        for instance in instances.tolist():
            rule, scope = book.rules[book.rule[instance]], book.scope(instance)
            rank = int((self.current if simulated else self.real)[instance])
            if not rank or not among(rule.id, scope, simulated):
                continue
            why: Why | None = None
            try:
                now, features = self.between_readings(instance)
                why = why_of(self, instance, rank, 0, now, features) if self.reasons else None
            except Exception as error:  # better an alarm that cannot say why than none
                self._fault(instance, 0, error)
            area = book.areas[int(book.area[instance])]
            found.append(Change(rule, scope, area, rank, rank, seen, self.clock, why, simulated, 0))
        return found

    def health(self, health: CameraHealth, clock: float) -> list[Change]:
        """Take in what is wrong with a camera as the arrival clock shows `clock`; return the changes."""
        self.clock = clock
        place = self.cameras.health(health, clock)
        return [] if place is None else self._look(self._instances_of(place))

    def cameras_of_source(self, state: SourceState, clock: float) -> list[Change]:
        """Take in that a source of cameras has gone or come back; return the changes. Points are not looked at."""
        self.clock = clock
        places = sorted(set(self.cameras.state_of_source(state, clock)))
        instances = [self._instances_of(place) for place in places]
        return self._look(np.concatenate(instances)) if instances else []

    def _instances_of(self, camera: int) -> Rows:
        row = self.book.camera_rows + camera
        return np.arange(self.book.start[row], self.book.start[row + 1])

    def source(self, rows: Rows, offline: bool, source: str, clock: float, *, simulated: bool = False) -> list[Change]:
        """Take in, as the arrival clock shows `clock`, that the source of some points says it has gone or come back.

        Gone means: no data from now on, for rules of data quality; those of risk see silence by the clock alone, so
        that a source can neither raise nor end their alarms. What is simulated concerns simulated readings only.
        """
        self.clock = clock
        points, book = self.points, self.book
        rows = rows[points.offline[rows] != offline]
        if simulated:
            rows = rows[points.simulated[rows]]
        if not rows.size:
            return []
        if offline:
            points.offline[rows] = True
            self.gone.update(dict.fromkeys(rows.tolist(), source))
        else:
            self._back(rows)
        moved = np.zeros(book.all_rows, np.bool_)
        moved[rows] = True
        instances = np.flatnonzero(moved[book.row] & book.quality)
        return self._look(instances) if instances.size else []

    def _back(self, rows: Rows) -> None:
        """Take it that points (rows unique) are there again."""
        self.points.offline[rows] = False
        for row in rows.tolist():
            self.gone.pop(row, None)

    def tick(self, clock: float, age: Array | None = None) -> list[Change]:
        """Move the clock. `age`, f8[rows], NaN before the first reading: by default the time since the last arrival."""
        self.clock = clock
        points, book = self.points, self.book
        points.ticked = clock
        self.watch.tick(clock)
        np.minimum(points.last_received, clock, out=points.last_received)  # what is stamped later came before this
        self.been_away = self.been_away and bool(points.away.any())
        points.marked = points.marked and bool((points.simulated | points.historical).any())
        points.age[:] = self.clock - points.last_received if age is None else age[: book.rows]
        if self.neighbours:
            self._set_neighbours()
        if book.across or self.together.stored:
            self._set_across()
        if book.around:
            self._set_around()
        if book.counted:
            self.surges.tick(clock, self._lost())
            self.rising.tick(clock)
        look = self.running.copy()
        if self._alone.size:
            features = self._features(self._alone_rows, self._own_time(self._alone_rows))
            passed = np.zeros(book.rows, np.bool_)
            passed[self._alone_rows] = book.tick_guard.passed(self._alone_rows, features.some)
            look[self._alone] |= passed[book.row[self._alone]] | self.awake[self._alone]
        look[self._area_scoped] = True
        if self.unseen.any():
            look |= self.unseen
            self.unseen[:] = False
        if self._of_cameras.size:  # of a camera that nobody reads nothing can come to be known by the clock
            self.cameras.tick(clock)
            told = self.cameras.expected[book.row[self._of_cameras] - book.camera_rows]
            look[self._of_cameras] |= told | self.awake[self._of_cameras]
        instances = np.flatnonzero(look)
        return self._look(instances) if instances.size else []

    def pass_tick(self, clock: float) -> None:
        """Move the clock where no delay runs and no rule goes by it; how old readings are is settled later."""
        self.clock = self.points.ticked = clock
        self.watch.tick(clock)

    def _lost(self) -> npt.NDArray[np.bool_]:
        """Tell in which areas a camera is without signal, bool[areas]."""
        areas, cameras = self._camera_areas
        gone = self.cameras.column(("fault", "loss"), cameras, self.clock, real=True) == 1.0
        lost = np.zeros(len(self.book.areas), np.bool_)
        lost[areas[gone]] = True
        return lost

    def pause(self, since: float, until: float) -> None:
        """Take the time between two ticks in which nobody listened, but for a second, out of all that runs on.

        What might have been heard then is not known. So a point's windows stand where they stood until it is heard
        again, that time counts for no delay, and for events it is not watched.
        """
        points, book = self.points, self.book
        self.watch.pause(since, until)
        unheard = np.fmin(until - since, until - points.last_received)  # some were heard again before the tick
        unheard = np.maximum(unheard - 1.0, 0.0)
        points.away += np.where(np.isnan(points.last_received), 0.0, unheard)
        self.been_away = bool(points.away.any())
        of_area = np.full(len(book.areas), until - since - 1.0)
        rows, areas, starts = self.book.area_members
        if len(rows):
            of_area[areas] = np.minimum.reduceat(unheard[rows], starts)
        self.cameras.pause(since, until)
        self.surges.pause()
        of_camera = np.full(len(book.cameras), until - since - 1.0)
        later = np.concatenate((unheard, of_area, of_camera))[book.row]
        self.calm_since += later
        self.held_since += np.repeat(later, book.levels)

    def between_readings(self, instance: int) -> tuple[Array, Columns]:
        """Give an instance's own clock (one number) and its features as they stand now."""
        row = int(self.book.row[instance])
        if row >= self.book.camera_rows:
            cameras = CameraFeatures(np.array([row - self.book.camera_rows]), self.clock, self.cameras)
            return cameras.now, cameras
        if row >= self.book.rows:
            self._set_area_time()
            return self.area_time[row - self.book.rows :][:1], self._features(np.empty(0, np.intp), np.empty(0))
        rows = np.array([row])
        features = self._features(rows, self._own_time(rows))
        return features.now + self.points.away[rows], features

    def step(self, seconds: float) -> None:
        """Move the arrival clock by a step of the wall clock, and what was measured on it."""
        self.clock += seconds
        self.points.last_received += seconds
        self.points.flagged += seconds
        self.points.ticked += seconds
        self.watch.step(self.clock)
        self.sightings.step(self.clock)
        self.tallies.step(self.clock)
        self.sequences.step(self.clock)
        self.surges.pause()
        self.rising.step(self.clock)
        self.together.fleet.shift(seconds)
        self.cameras.step(seconds, self.clock)

    def shift(self, rows: Rows, seconds: Array) -> None:
        """Move the own time of points (rows unique) by `seconds`, and all that was measured on it."""
        book = self.book
        self.points.last_time[rows] += seconds
        self.windows.shift(rows, seconds)
        self.warned.shift(rows, seconds)
        self.neighbours.peers.shift(rows, seconds)
        for row, step in zip(rows.tolist(), seconds.tolist(), strict=True):
            mine = slice(int(book.start[row]), int(book.start[row + 1]))
            self.calm_since[mine] += step
            for first, levels in zip(book.first[mine].tolist(), book.levels[mine].tolist(), strict=True):
                self.held_since[first : first + levels] += step

    def state(self, renames: Renames = NO_RENAMES) -> State:
        """Return copies of all state as arrays, under the ids that `renames` gives; see `rules.persistence`."""
        return state_of(self, renames)

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> list[Withdrawn]:
        """Take over a state, also one of another book: what both have is carried over; return what no longer is.

        Call once, on a fresh evaluator. Raise ValueError on arrays that are no state.
        """
        withdrawn = restore_into(self, state)
        without = np.ones(len(self.book.areas), np.bool_)  # what a model said that is no longer in force is not known
        without[self.together.area] = False
        self.across[AREA_SCORE][without] = self.across_real[AREA_SCORE][without] = np.nan
        return withdrawn

    def look_anew(self, before: RuleBook) -> None:
        """Have the next tick look at what another book decided otherwise or not at all, by what was last known.

        Else a rule that takes force under a standing danger would wait for the next reading, or for news of a camera,
        which may never come.
        """
        known = set(before.digests)
        new = np.array([digest not in known for digest in self.book.digests], np.bool_)
        read = np.zeros(self.book.all_rows, np.bool_)
        read[: self.book.rows] = ~np.isnan(self.points.last_time)
        read[self.book.camera_rows :] = True
        self.unseen |= new[self.book.rule] & read[self.book.row]

    def _features(self, rows: Rows, now: Array) -> Features:
        book = self.book
        around = (self.around, self.around_real)
        kept = self.windows, self.warned
        return Features(rows, now, self.points, self.bank, *kept, book.targets, book.below, around)

    def _own_time(self, rows: Rows) -> Array:
        """Return the points' own clocks; the arrival clock for a point that never reported."""
        now = self.points.own_time(rows, self.clock)
        return np.where(np.isnan(now), self.clock, now)

    def _look(self, instances: Rows) -> list[Change]:
        """Look at instances between readings (sorted by number, so points come before areas and cameras)."""

        def broken(place: int, error: Exception) -> list[Change]:
            self._fault(int(instances[place]), 0, error)
            return []

        return apart(lambda start, stop: self._looked(instances[start:stop]), 0, len(instances), broken)

    def _looked(self, instances: Rows) -> list[Change]:
        rows = self.book.row[instances]
        cut, last = np.searchsorted(rows, (self.book.rows, self.book.camera_rows)).tolist()
        changes: list[Change] = []
        if cut:
            unique, place = np.unique(rows[:cut], return_inverse=True)
            features = self._features(unique, self._own_time(unique))
            changes = self._advance(instances[:cut], place, features.now + self.points.away[unique], features, None)
        if cut < last:
            self._set_area_time()
            unique, place = np.unique(rows[cut:last], return_inverse=True)
            features = self._features(np.empty(0, np.intp), np.empty(0))
            now = self.area_time[unique - self.book.rows]
            changes += self._advance(instances[cut:last], place, now, features, None)
        if last < len(rows):
            unique, place = np.unique(rows[last:], return_inverse=True)
            cameras = CameraFeatures(unique - self.book.camera_rows, self.clock, self.cameras)
            changes += self._advance(instances[last:], place, cameras.now, cameras, None)
        return changes

    def _advance(
        self,
        instances: Rows,
        place: Rows,
        now: Array,
        features: Columns,
        position: Rows | None,
        arrived: Array | None = None,
    ) -> list[Change]:
        """Evaluate instances (sorted) standing at `place` of the features, and move them.

        `now` is the scopes' clocks, the time in which nobody listened included: cameras and delays go by that.
        """
        book = self.book
        count = book.levels[instances]
        starts = np.cumsum(count) - count
        slots = np.repeat(book.first[instances] - starts, count) + np.arange(int(count.sum()))
        which = np.repeat(np.arange(len(instances)), count)
        slot_place = place[which]
        slot_now = now[slot_place]
        area = book.area[instances]
        true = self._hold(book.when, slots, slot_place, slot_now, area[which], features)
        held = self.held_since[slots]
        with np.errstate(invalid="ignore"):
            since = np.where(true, np.where(held < slot_now, held, slot_now), np.nan)
        self.held_since[slots] = since
        ready = true & (slot_now - since >= book.hold[slots])
        if book.sampled:
            ready &= self._often(slots, book.row[instances][which], true, at_reading=position is not None)
        rank = book.rank[slots]
        current = self.current[instances]
        raised = np.maximum.reduceat(np.where(ready, rank, 0), starts)
        standing = np.maximum.reduceat(np.where(true, rank, 0), starts)
        after = np.maximum(current, raised).astype(np.uint8)
        real, real_level = self._real(instances, which, slots, rank, ready, place, now, features, raised, current)
        after[real] = real_level
        calm = np.full(len(instances), np.nan)
        left: dict[int, float] = {}
        low = np.flatnonzero((after == current) & (standing < current))
        if low.size:
            level = book.first[instances[low]] + book.level_offset[instances[low], current[low]]
            low_now = now[place[low]]
            clear = self._hold(book.clear, level, place[low], low_now, area[low], features)
            floor = self._floor(instances[low], level, place[low], now, features)
            clear &= floor < current[low]
            known = self.calm_since[instances[low]]
            with np.errstate(invalid="ignore"):
                calm_low = np.where(clear, np.where(known < low_now, known, low_now), np.nan)
                drop = clear & (low_now - calm_low >= book.clear_after[level])
            after[low[drop]] = np.maximum(standing[low], floor)[drop]
            left = dict(zip(low[drop].tolist(), calm_low[drop].tolist(), strict=True))
            calm[low] = np.where(drop, np.nan, calm_low)
        self.calm_since[instances] = calm
        self.current[instances] = after
        waits = np.logical_or.reduceat(true & ~ready & (rank > after[which]), starts)
        self.running[instances] = waits | ~np.isnan(calm)
        awake = (after > 0) | (standing > 0)
        woke = awake.astype(np.int8) - self.awake[instances]
        if woke.any():
            moved = np.flatnonzero(woke)
            np.add.at(self.awake_rows, book.row[instances[moved]], woke[moved])
            self.awake[instances] = awake
        said = after != current
        said[real] = True
        return [
            self._change(
                int(instances[n]), int(current[n]), int(place[n]), now, features, left.get(int(n)), position, arrived
            )
            for n in np.flatnonzero(said)
        ]

    def _often(self, slots: Rows, row: Rows, true: npt.NDArray[np.bool_], *, at_reading: bool) -> npt.NDArray[np.bool_]:
        """Tell where `when` has held at as many of the last readings as its level asks for.

        A row that was not looked at since had readings at which it could not hold.
        """
        found = np.ones(len(slots), np.bool_)
        some = np.flatnonzero(self.book.samples[slots, 0])
        if not some.size:
            return found
        chosen, number = slots[some], self.read_count[row[some]]
        passed = np.minimum(number - self.sampled_at[chosen], 64)
        bits = np.where(passed < 64, self.sampled[chosen] << (passed & 63).astype(np.uint64), np.uint64(0))
        if at_reading:
            bits |= true[some].astype(np.uint64)
        self.sampled[chosen], self.sampled_at[chosen] = bits, number
        least, of = self.book.samples[chosen].T
        latest = bits << (64 - of.astype(np.int64)).astype(np.uint64)
        found[some] = np.bitwise_count(latest) >= least
        return found

    def _real(
        self,
        instances: Rows,
        which: Rows,
        slots: Rows,
        rank: npt.NDArray[np.uint8],
        ready: npt.NDArray[np.bool_],
        place: Rows,
        now: Array,
        features: Columns,
        raised: Rows,
        current: npt.NDArray[np.uint8],
    ) -> tuple[Rows, Rows]:
        """Find the places where real things now raise a level that is to be told, and that level.

        Either simulation alone raised one, and real things raise that one or a lower; or simulation raises one now, and
        real things one beneath it that nobody was told of yet. It is told first: what is played stands at its own level
        again at the next look.
        """
        book = self.book
        before = self.by_simulation[instances]
        made = before & (raised > 0) & (raised <= current)
        mixed = (raised > 1) & (before | (raised > current))
        if mixed.any():  # a row's own reading is simulated or not at all levels alike
            mixed &= book.of_area[instances] | (book.row[instances] >= book.camera_rows)
        asked = np.flatnonzero(made | mixed)
        if not asked.size:
            return asked, asked
        chosen = instances[asked]
        slot = book.first[chosen] + book.level_offset[chosen, raised[asked]]
        played = np.zeros(len(instances), np.bool_)
        played[asked] = self._simulated(chosen, book.when, slot, place[asked], now, features)
        level = np.where(made & ~played, raised, 0)
        mixed &= played
        lower = np.flatnonzero(mixed[which] & ready & (rank < raised[which]) & (rank > self.real[instances[which]]))
        at = which[lower]
        holds = ~self._simulated(instances[at], book.when, slots[lower], place[at], now, features)
        np.maximum.at(level, at[holds], rank[lower[holds]])
        found = np.flatnonzero(level)
        return found, level[found]

    def _floor(self, instances: Rows, slots: Rows, place: Rows, now: Array, features: Columns) -> npt.NDArray[np.uint8]:
        """Return the level below which these may not fall: what is real gave it, and only simulation clears it."""
        floor = self.real[instances]
        held = np.flatnonzero(floor)
        if held.size:
            simulated = self._simulated(instances[held], self.book.clear, slots[held], place[held], now, features)
            floor[held[~simulated]] = 0
        return floor

    def _simulated(
        self, instances: Rows, programs: tuple[Rows, Rows], slots: Rows, place: Rows, now: Array, features: Columns
    ) -> npt.NDArray[np.bool_]:
        """Tell which conditions, known to hold, hold by a simulated reading or not without simulation in the area."""
        book = self.book
        row = book.row[instances]
        alone = row < book.rows
        found = np.zeros(len(instances), np.bool_)
        found[alone] = self.points.simulated[row[alone]]
        ask = np.flatnonzero((book.of_area[instances] | (row >= book.camera_rows)) & ~found)
        if ask.size:
            area = book.area[instances[ask]]
            found[ask] = ~self._hold(programs, slots[ask], place[ask], now[place[ask]], area, features, real=True)
        return found

    def _hold(
        self,
        programs: tuple[Rows, Rows],
        chosen: Rows,
        place: Rows,
        now: Array,
        area: Rows,
        features: Columns,
        *,
        real: bool = False,
    ) -> npt.NDArray[np.bool_]:
        """Work out where conditions are known to hold, shape by shape; `real`: without simulation in the area."""
        program = programs[0][chosen]
        features = features.without_simulation() if real else features
        if (program == program[0]).all():
            return self._hold_shape(int(program[0]), programs[1][chosen], place, now, area, features, real)
        found = np.empty(len(chosen), np.bool_)
        order = np.argsort(program, kind="stable")
        ordered = program[order]
        edges = np.flatnonzero(np.diff(ordered)) + 1
        for part in np.split(order, edges) if edges.size else [order]:
            number = int(program[part[0]])
            found[part] = self._hold_shape(
                number, programs[1][chosen[part]], place[part], now[part], area[part], features, real
            )
        return found

    def _hold_shape(
        self, program: int, position: Rows, place: Rows, now: Array, area: Rows, features: Columns, real: bool
    ) -> npt.NDArray[np.bool_]:
        def column(wanted: Column) -> Array:
            return self.of_area(wanted, area, now, real=real) if wanted.area else features.at(wanted, place)

        programs = self.book.programs
        return holds(programs.shapes[program], resolver(programs.params[program], position, column))

    def of_area(self, wanted: Column, area: Rows, now: Array, *, real: bool = False) -> Array:
        """Return a column of areas, each at a time `now`; `real`: without simulation."""
        match wanted.key:
            case ("surge", *_):
                return self.surges.column(wanted.key, area, real=real)
            case ("rising", kind, duration):
                score = self.rising.column(wanted.key, area, real=real)
                return self._sure(score, f"^{kind}", STANDS * float(duration), wanted, now)
            case ("seen", kind):
                return self.sightings.since(str(kind), area, now, real=real)
            case ("seen", kind, duration):
                since = self.sightings.since(str(kind), area, now, real=real)
                unknown = (since > float(duration)) & ~self.watch.whole(str(kind), float(duration), now)
                return np.where(unknown, np.nan, since)
            case ("events", kind, duration):
                number = self.sequences.column(wanted.key, area, now, real=real)
                return self._sure(number, f"#{kind}", float(duration), wanted, now)
            case ("mode", mode):
                return self.modes.column(str(mode), area, self.clock)
            case (name, *argument) if name in OF_CALENDAR:
                return self.book.calendar.column(str(name), now, str(argument[0]) if argument else "")
        return (self.across_real if real else self.across)[str(wanted.key[1])][area]

    def _sure(self, found: Array, name: str, duration: float, wanted: Column, now: Array) -> Array:
        """Have a figure be what a place needs of it where `name` was not watched for `duration` (s) before `now`."""
        return bounded(found, self.watch.whole(name, duration, now), wanted) if wanted.bound else found

    def _set_area_time(self) -> None:
        """Let an area's clock stand where the furthest of its points' clocks stands."""
        rows, areas, starts = self.book.area_members
        self.area_time[:] = self.clock
        if len(rows):
            now = np.fmax.reduceat(self.points.own_time(rows, self.clock) + self.points.away[rows], starts)
            self.area_time[areas] = np.where(np.isnan(now), self.clock, now)

    def _set_across(self) -> None:
        self.evidence.clear()
        if self.together.stored:
            self._set_together()
        for program in self.book.across:
            values, figure, real = self._figure(program)
            self.across[program.text][program.areas] = figure
            self.across_real[program.text][program.areas] = real
            self.members[program.text] = values

    def _set_around(self) -> None:
        for place, program in enumerate(self.book.around):
            values, figure, real = self._figure(program)
            self.around[program.text][program.areas] = figure
            self.around_real[program.text][program.areas] = real
            self.members_around[place] = values

    def _figure(self, program: AcrossProgram) -> tuple[Array, Array, Array]:
        """Work a figure out: what it is made of, the figure, and what it is without simulated readings."""
        try:
            values, false = self._members(program)
            figure = real = program.figure(values, false)
            simulated = self.points.simulated[program.rows[program.order]]
            if simulated.any():  # they are as unknown as what was never read
                left_out = 0.0 if program.boolean else np.nan
                real = program.figure(np.where(simulated, left_out, values), np.where(simulated, 0.0, false))
        except Exception as error:  # the figure is unknown then; those of other rules are not
            logger.error("figure %s could not be worked out", program.text, exc_info=error)
            self.faults.append(Fault(0, f"{program.text}: {error}"))
            values = np.full(len(program.rows), np.nan)
            figure = real = np.full(len(program.areas), np.nan)
        return values, figure, real

    def _set_neighbours(self) -> None:
        points = self.points
        try:
            told = self.neighbours.tick(points, self.bank.reach)
        except Exception as error:  # as for a figure
            logger.error("redundant points could not be compared", exc_info=error)
            self.faults.append(Fault(0, f"redundant points: {error}"))
            return
        if told.size:
            self.mark(told, np.full(len(told), DISAGREES, np.uint16), points.last_received[told])

    def _set_together(self) -> None:
        score, real = self.across[AREA_SCORE], self.across_real[AREA_SCORE]
        try:
            self.together.tick(self.clock, self.points, score, real)
        except Exception as error:  # as for a figure
            logger.error("the models of areas could not be worked out", exc_info=error)
            self.faults.append(Fault(0, f"{AREA_SCORE}: {error}"))
            score[:] = real[:] = np.nan

    def _members(self, program: AcrossProgram) -> tuple[Array, Array]:
        """Work out a figure's inner expression for each point it covers, as they stand now."""
        features = self._features(program.rows, self._own_time(program.rows))
        return program.inner(lambda wanted, place: features.at(wanted, place))

    def settle(self) -> None:
        """Work out anew, from the state of the instances, which of them are awake and have a delay running."""
        book = self.book
        which = np.repeat(np.arange(book.instances), book.levels)
        held = ~np.isnan(self.held_since)
        self._set_stuck()
        self.awake[:] = self.current > 0
        np.logical_or.at(self.awake, which[held], True)
        self.running[:] = ~np.isnan(self.calm_since)
        np.logical_or.at(self.running, which[held & (book.rank > self.current[which])], True)
        self.awake_rows[:] = np.bincount(book.row[self.awake], minlength=len(self.awake_rows))

    def _set_stuck(self) -> None:
        """Mark the points of which a rule says now that they are stuck."""
        self.points.stuck[:] = False
        raised = self.book.flat & (self.current > 0) & (self.book.row < self.book.rows)
        self.points.stuck[self.book.row[raised]] = True
        self.any_stuck = bool(raised.any())

    def _change(
        self,
        instance: int,
        before: int,
        place: int,
        now: Array,
        features: Columns,
        calm: float | None,
        position: Rows | None,
        arrived: Array | None,
    ) -> Change:
        book = self.book
        after = int(self.current[instance])
        if book.flat[instance]:
            self._set_stuck()
        rank = after or before
        slot = int(book.first[instance] + book.level_offset[instance, rank])
        onset = float(self.held_since[slot]) if after > before else float(now[place] if calm is None else calm)
        area = int(book.area[instance])
        at = 0 if position is None else int(position[place])
        why: Why | None = None
        simulated = False
        row = int(book.row[instance])
        try:
            if row < book.rows and not book.of_area[instance]:
                simulated = bool(self.points.simulated[row])
            else:
                one = [np.array([each], np.intp) for each in (instance, slot, place)]
                decided = book.when if after else book.clear
                simulated = bool(self._simulated(one[0], decided, one[1], one[2], now, features)[0])
            why = why_of(self, instance, rank, place, now, features) if self.reasons else None
        except Exception as error:  # better an alarm that cannot say why than none: its level is marked by now
            self._fault(instance, at, error)
        self.by_simulation[instance] = simulated and after > 0
        self.real[instance] = min(after, int(self.real[instance])) if simulated else after
        return Change(
            book.rules[book.rule[instance]],
            book.scope(instance),
            book.areas[area],
            before,
            after,
            onset,
            self.clock if position is None or arrived is None else min(float(arrived[position[place]]), self.clock),
            why,
            simulated,
            at,
        )


def _camera_areas(book: RuleBook) -> tuple[Rows, Rows]:
    """Return pairs of an area and a camera that sees it."""
    pairs = [
        (book.area_of[area], place)
        for place, camera in enumerate(book.cameras)
        for area in camera.areas
        if area in book.area_of
    ]
    return np.array([area for area, _ in pairs], np.intp), np.array([place for _, place in pairs], np.intp)
