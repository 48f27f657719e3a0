"""The engine: one partition's pure state machine from observations to outcomes.

No clock, no I/O, no randomness: time comes from the observations. Splitting the same sequence of records into other
batches gives the same outcomes, bit for bit; so the same code runs live, in replay and in tests.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from alerts import itself
from alerts.desk import Desk, Settings
from alerts.inhibition import Said
from alerts.outcome import AnyOutcome, CommandResult, Published, Record, Refused, Reported
from alerts.reported import CasesFullError
from models.bank import Bank, BankResult
from models.equipment import equip
from models.jump import Jumps
from models.rounds import rounds
from rules import calm
from rules.calm import Series
from rules.evaluation import Change, Evaluator, Withdrawn
from rules.faults import Fault, apart
from sensors import frame, observation
from sensors.flags import DISAGREES, DUPLICATE, EARLY, GAP, JUMP, OUT_OF_ORDER, RULED_BITS, STUCK
from sensors.lookup import Registry
from sensors.observation import (
    BAD,
    FRAME,
    HISTORICAL,
    SIMULATED,
    UNUSABLE,
    CameraEvent,
    CameraHealth,
    Command,
    Decision,
    Exercise,
    Proposal,
    Publication,
    Report,
    Shadow,
    Silence,
    SiteMode,
    SourceState,
    SystemEvent,
    Tick,
)
from sensors.renames import Renames, as_dict
from sensors.steps import Steps, finished
from streams import bundle
from streams.approval import Approvals
from streams.calm import Calm, Ticks
from streams.frozen import Arrays, Piece, pack, pieces, unpack
from streams.gateways import Gateways
from streams.history.columns import Scored
from streams.preparation import Prepared, areas_of, gone, home_of, mine, preparing
from streams.run import AHEAD, BLIND, LAG, Run, heard
from streams.seen import Seen
from streams.shadow import Ground, ShadowError, ShadowRules, never_began
from streams.tape import TapeHead
from streams.waiting import Waiting

logger = logging.getLogger(__name__)

TOO_LATE = 60.0
"""Seconds after which a command is refused: it waited out an outage, and other means were found meanwhile."""

NOW = 10.0
"""Seconds around its arrival within which a reading's own time speaks of now."""

STEADY = 5.0
"""Seconds by which the lag of a wrong clock varies at most, and for which it is seen at least: a backlog's shrinks."""

EARLIER = 60.0
"""Seconds before a clock was set back from which a reading may still tell where its point's time now stands."""

LONGEST_SOURCE = 256
"""Characters kept of a source's name."""

REPORTS = 4096
"""People's reports whose ids are remembered."""


class Applied(msgspec.Struct):
    """What one `apply` decided: records of outcomes by offset, the scored readings, and how many readings came in.

    `aside` are the readings that were not scored (`sensors.flags.ASIDE`), to be shown and counted. What a replay passed
    over (`streams.calm`) is counted, and not among `scored`: whoever replays has the scores.
    """

    records: list[Record]
    scored: Scored | None
    readings: int
    refused: dict[str, int]
    aside: Scored | None = None


class Engine:
    """One partition's state: bank, rules and desk, and the offset it stands at."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.offset = -1
        self.clock = 0.0
        self.last_tick = 0.0
        self.packed = b""
        self.version = ""
        self.registry: Registry | None = None
        self.bank = Bank()
        self.jumps = Jumps()
        self.evaluator: Evaluator | None = None
        self.desk: Desk | None = None
        self.points = np.empty(0, np.uint32)  # registry index of each row
        self.row_of = np.full(0, -1, np.intp)  # row of each registry index, -1 where it is not ours
        self.last_time = np.empty(0)  # event time of each row's last accepted reading
        self.last_received = np.empty(0)  # arrival time of each row's last reading that was in order, usable or not
        self.stepped = np.empty(0)  # seconds the clock was set back by that each row's readings have not followed yet
        self.lag = np.empty(
            0
        )  # seconds that each row's readings steadily come behind their arrival, 0 where they do not
        self.lag_since = np.empty(0)  # arrival of the first reading with that lag, inf where a silence explains it
        self._lags = False  # some row may have a lag
        self.set_back = -np.inf  # where the clock stood after it was last set back
        self.interval = np.empty(0)  # seconds expected between each row's readings
        self.shadow: ShadowRules | None = None
        self.approvals = Approvals()
        self.gateways = Gateways((), (), ())
        self.faulted = 0.0  # when something last could not be worked out; 0 while the engine's own alarm is calm
        self.seen = Seen()
        self.waiting = Waiting()
        self.reports: dict[str, None] = {}  # ids of the latest, oldest first: one sent again counts once
        self.known_content = bundle.Known()  # of what is in force, as it was decoded; not part of the state
        self._prepared: Prepared | None = None  # not part of the state
        self.tape: TapeHead | None = None  # of whoever replays; not part of the state
        self.cameras: dict[str, float] = {}  # when each camera's analytics were last heard of; not part of the state
        self._home = ""  # the area whose commands reach this partition, where the engine's own alarm stands
        self._outcomes: dict[int, list[AnyOutcome]] = {}
        self._scored: list[tuple[npt.NDArray[Any], ...]] = []
        self._aside: list[tuple[npt.NDArray[Any], ...]] = []
        self._refused: dict[str, int] = {}
        self._readings = 0
        self._shadow_end: tuple[str, str] | None = None  # edge and reason, once a publication ends the shadow rules
        self._in_shadow: list[tuple[int, Change]] = []  # of the shadow rules, by position in the run
        self._shadow_faults: list[Fault] = []

    # -- applying ------------------------------------------------------------------------------------------------

    def apply(self, records: Sequence[tuple[int, bytes]]) -> Applied:
        """Apply records (offset, value) in offset order and say what follows.

        Every record is taken: one that cannot be decoded or that breaks the engine becomes a Refused outcome.
        """
        self._outcomes, self._scored, self._refused, self._readings = {}, [], {}, 0
        self._aside = []
        ahead = None if self.tape is None else Calm(self, self.tape, records)
        place = 0
        while place < len(records):
            passed = place if ahead is None else ahead.pass_over(place)
            if passed == place:
                passed = len(records) if ahead is None else ahead.resume(place)
                self._apply_each(records[place:passed])
            place = passed
        if records:
            self.offset = records[-1][0]
        return Applied(
            [Record(self.partition, offset, tuple(found)) for offset, found in sorted(self._outcomes.items()) if found],
            _columns(self._scored),
            self._readings,
            self._refused,
            _columns(self._aside),
        )

    def _apply_each(self, records: Sequence[tuple[int, bytes]]) -> None:
        run: list[tuple[int, frame.Frame]] = []
        for offset, value in records:
            try:
                if value[:1] == bytes((FRAME,)):
                    run.append((offset, frame.decode(value)))
                    continue
                if run:
                    self._take_readings(run)
                    run = []
                self._take(offset, observation.decode(value))
            except (frame.FrameError, msgspec.DecodeError) as error:
                if run:
                    self._take_readings(run)
                    run = []
                self._refuse_record(offset, f"undecodable: {error}")
            except Exception as error:  # one hostile or unforeseen observation must not stop a district
                logger.exception("observation at %d/%d broke the engine", self.partition, offset)
                self._fail(offset, [f"{type(error).__name__}: {error}"], self.clock)
        if run:
            self._take_readings(run)

    def _take(self, offset: int, what: observation.Observation) -> None:
        if isinstance(what, Publication):
            self._publish(offset, what)
            return
        if isinstance(what, Shadow):
            self._cast(offset, what)
            return
        if isinstance(what, Proposal):
            self._emit(offset, self.approvals.propose(what))
            return
        if isinstance(what, Decision):
            refused, decided = self.approvals.decide(what)
            target = f"proposal-{what.number}"
            answer = CommandResult(id=what.id, ok=not refused, target=target, reason=refused, time=what.time)
            self._emit(offset, [*decided, answer])
            return
        if self.evaluator is None or self.desk is None:
            return  # before the first publication there is nothing to believe
        if isinstance(what, Tick):
            self._tick(offset, what.time)
        elif isinstance(what, CameraEvent):
            self._hear(what.received)
            if not what.quality & HISTORICAL:  # a stored copy is no sign of life
                self.cameras[what.camera] = min(what.received, self.clock)
            self._decide_of_event(offset, self.evaluator.event(what, self.clock))
        elif isinstance(what, Command):
            self._command(offset, what)
        elif isinstance(what, Exercise):
            self._emit(offset, self.desk.exercise(what, self.clock))
        elif isinstance(what, SystemEvent):
            self._hear(what.time)
            self._emit(offset, self.desk.condition(itself.change(what, self.clock), self.clock))
        elif isinstance(what, CameraHealth):
            self._hear(what.received)
            if not what.quality & HISTORICAL and "loss" not in what.faults:  # whoever says that it is there
                self.cameras[what.camera] = min(what.received, self.clock)
            changes = self.evaluator.health(what, self.clock)
            self._tell_faults(offset)
            self._decide(offset, changes)
        elif isinstance(what, Report):
            self._hear(what.received)
            self._report(offset, what)
        elif isinstance(what, SourceState):
            self._hear(what.received)
            self._source(offset, what)
        elif isinstance(what, SiteMode):
            self._hear(what.time)
            self._emit(offset, self.desk.mode(what, self.evaluator.book.area_of, self.clock))
            self._show_modes()
        elif isinstance(what, Silence):
            self._hear(what.time)
            self._emit(offset, self.desk.silence(what, self.evaluator.book.area_of, self.clock))

    def _source(self, offset: int, told: SourceState) -> None:
        """Take in what a source says of itself, for those of its points and cameras that are ours."""
        assert self.evaluator is not None
        named = [self.row_of[point] for point in told.points if 0 <= point < len(self.row_of)]
        rows = np.unique(np.array([row for row in named if row >= 0], np.intp))
        offline, simulated = told.state == "offline", bool(told.quality & SIMULATED)
        name = told.source[:LONGEST_SOURCE]
        changes = self.evaluator.source(rows, offline, name, self.clock, simulated=simulated)
        changes += self.evaluator.cameras_of_source(told, self.clock)
        self._tell_faults(offset)
        self.gateways.hear(told, self.clock)
        self._look_at_gateways(offset)
        self._decide(offset, changes)

    def _report(self, offset: int, report: Report) -> None:
        """Take in what a person reported, once: rules see it as an event of the kind `report-<category>`."""
        assert self.evaluator is not None
        if report.id in self.reports:
            return
        self.reports[report.id] = None
        if len(self.reports) > REPORTS:
            del self.reports[next(iter(self.reports))]
        told = Reported(
            id=report.id,
            area=report.area,
            category=report.category,
            time=report.time,
            received=report.received,
            text=report.text,
            subject=report.subject,
            photo=report.photo,
            actor=report.actor,
            simulated=bool(report.quality & SIMULATED),
        )
        self._emit(offset, [told])
        if self.desk is not None:
            try:
                self._emit(offset, self.desk.report(report, self.clock))
            except CasesFullError as error:  # a person must know: what was reported is in a list alone
                self._fail(offset, [str(error)], self.clock)
        seen = CameraEvent(
            area=report.area,
            camera="report",
            kind=f"report-{report.category}",
            event=report.id,
            time=report.time,
            received=report.received,
            quality=report.quality,
        )
        self._decide_of_event(offset, self.evaluator.event(seen, self.clock, report))

    def _command(self, offset: int, command: Command) -> None:
        """Do a command, unless it comes so late that whoever gave it has long been told that it failed."""
        assert self.desk is not None
        if self.last_tick and command.time < self.last_tick - TOO_LATE:
            refused = CommandResult(id=command.id, ok=False, target=command.target, reason="too_late", time=self.clock)
            self._emit(offset, [refused])
            return
        self._emit(offset, self.desk.command(command, self.clock))

    def _tick(self, offset: int, time: float, *, passing: bool = False) -> None:
        """Move the clock; `passing`: in a stretch that is passed over only delays that run move a condition."""
        assert self.evaluator is not None and self.desk is not None
        if time < self.last_tick - BLIND:
            self._step_back(time)
        if time <= self.last_tick:
            return
        if self.last_tick and time - self.last_tick > BLIND:
            # nobody listened: what was not heard then is no silence of the sensors
            self.last_received = np.minimum(self.last_received + (time - self.last_tick - 1.0), time)
            self.lag[:] = 0.0
            self.evaluator.pause(self.last_tick, time)
        self.last_tick = time
        self.clock = max(self.clock, time)
        changes: list[Change] = []
        if passing and not self.evaluator.running.any():
            self.evaluator.pass_tick(self.clock)
        else:
            np.minimum(self.last_received, time, out=self.last_received)  # a stamp of the future must not hide silence
            age = np.maximum(time - self.last_received, 0.0)
            try:
                self.bank.drive()
                changes = self.evaluator.tick(self.clock, age)
            except Exception as error:  # the deadlines below must go on whatever befalls the rules
                logger.exception("the rules broke on a tick")
                self._fail(offset, [f"{type(error).__name__}: {error}"], self.clock)
        self._tell_faults(offset)
        self._look_at_gateways(offset)
        self._decide(offset, changes)
        self._try_again(offset)
        try:
            self._emit(offset, self.desk.tick(self.clock))
        except Exception as error:
            logger.exception("the desk broke on a tick")
            self._emit(offset, self.desk.take_unsaid())
            self._fail(offset, [f"{type(error).__name__}: {error}"], self.clock)
        if self.faulted and not len(self.waiting) and self.clock - self.faulted >= itself.QUIET:
            self.faulted = 0.0
            calm = itself.failing("", self.partition, self._home, self.clock)
            self._emit(offset, self.desk.condition(calm, self.clock))

    def _look_at_gateways(self, offset: int) -> None:
        """Tell the desk which gateways are gone or back, before what their points' silence raises."""
        assert self.evaluator is not None and self.desk is not None
        known = self.desk.book.cases.gateways
        if not self.gateways and not known:
            return
        try:
            gone = self.gateways.look(self.evaluator.points)
        except Exception as error:  # the silence of points and the deadlines must go on whatever befalls gateways
            logger.exception("the gateways could not be looked at")
            self._fail(offset, [f"{type(error).__name__}: {error}"], self.clock)
            return
        for said in gone.values():
            self._say_of_gateway(offset, said, None)
        for down in list(known.values()):
            if down.gateway not in gone and down.until is None:
                one = self.gateways.by_id.get(down.gateway)
                said = Said(gateway=down.gateway, area=one.area if one else "", points=one.points if one else ())
                self._say_of_gateway(offset, said, one.grace if one else 0.0)

    def _say_of_gateway(self, offset: int, said: Said, grace: float | None) -> None:
        """Tell the desk of one gateway that is gone, or back with `grace` seconds for its points to be heard of."""
        assert self.desk is not None
        try:
            if grace is None:
                self._emit(offset, self.desk.gateway_gone(said, self.clock))
            else:
                self._emit(offset, self.desk.gateway_back(said, self.clock, grace))
        except Exception as error:
            logger.exception("the desk broke on the gateway %s", said.gateway)
            self._emit(offset, self.desk.take_unsaid())
            self._fail(offset, [f"{said.gateway}: {type(error).__name__}: {error}"], self.clock)

    def _step_back(self, time: float) -> None:
        """Follow a clock that was set back: silence and deadlines go on being counted from here, none are skipped."""
        assert self.evaluator is not None and self.desk is not None
        step = time - self.last_tick
        logger.warning("partition %d: the clock was set back by %.0f s", self.partition, -step)
        self.last_received += step
        self.lag[:] = 0.0
        self.faulted += step if self.faulted else 0.0
        with np.errstate(invalid="ignore"):
            self.stepped[self.last_time + self.stepped > time] += step
        self.set_back = time
        self.evaluator.step(step)
        self.gateways.step(step)
        self.desk.step(time - self.clock)  # it counts on the clock, which may be ahead of the last tick
        self._show_modes()
        self.last_tick, self.clock = time - 1.0, time

    def _show_modes(self) -> None:
        """Have conditions see the modes of the site that the desk keeps."""
        assert self.evaluator is not None and self.desk is not None
        self.evaluator.modes.put((one.mode, one.area, one.until) for one in self.desk.book.cases.modes.values())

    def _hear(self, received: float) -> None:
        self.clock = heard(self.clock, self.last_tick, received)

    def _decide(self, offset: int, changes: Sequence[Change]) -> None:
        assert self.desk is not None
        for change in changes:
            self._condition(offset, change, self.clock)
        if self.shadow is not None:
            self.shadow.compare(changes, self.clock)
            self._tell_shadow(offset)

    def _decide_of_event(self, offset: int, changes: Sequence[Change]) -> None:
        """Decide what an event changed, and raise anew what it bears on of that a person has closed."""
        assert self.evaluator is not None and self.desk is not None
        self._tell_faults(offset)
        self._decide(offset, changes)
        if not self.desk.any_settled:
            return
        for change in self.evaluator.again(self.desk.is_settled):
            self._condition(offset, change, self.clock)
        self._tell_faults(offset)

    def _condition(self, offset: int, change: Change, clock: float) -> None:
        """Hand one change to the desk; what breaks on it must not keep the next one from being an alarm.

        The rule's level is marked by now, so it would never be said again: what the desk did not take in at all waits
        for the next tick, unless a newer change of the same condition comes first.
        """
        assert self.desk is not None
        key = (change.rule.id, change.scope)
        self.waiting.drop(*key)
        try:
            self._emit(offset, self.desk.condition(change, clock))
        except Exception as error:
            logger.exception("the desk broke on %s at %s", *key)
            begun = self.desk.take_unsaid()
            self._emit(offset, begun)
            if not begun:
                self.waiting.add(change)
            self._fail(offset, [f"{change.rule.id} at {change.scope}: {error}"], clock)

    def _try_again(self, offset: int) -> None:
        """Hand the desk what it could not take in; the second time without the reasons, should they be at fault."""
        assert self.desk is not None
        for change in self.waiting.all():
            key = (change.rule.id, change.scope)
            for attempt in (change, change._replace(why=None)):
                try:
                    found = self.desk.condition(attempt, self.clock)
                except Exception as error:
                    logger.warning("the desk still breaks on %s at %s: %s", *key, error)
                    found = self.desk.take_unsaid()
                    if not found:
                        continue
                self._emit(offset, found)
                self.waiting.drop(*key)
                break
            else:
                self.faulted = self.clock

    def _tell_faults(self, offset: int) -> None:
        """Tell what the rules could not work out at an event or a tick."""
        assert self.evaluator is not None
        faults = self.evaluator.take_faults()
        if faults:
            self._fail(offset, [fault.what for fault in faults], self.clock)

    def _fail(self, offset: int, what: Sequence[str], clock: float) -> None:
        """Tell what could not be worked out of a record: count and keep it, and raise the engine's own alarm."""
        more = f" and {len(what) - 1} more" if len(what) > 1 else ""
        self._refuse_record(offset, f"engine_error: {what[0][:400]}{more}", len(what), clock)
        if self.desk is not None and self._home and not self.faulted:
            try:
                own = itself.failing(what[0], self.partition, self._home, clock)
                self._emit(offset, self.desk.condition(own, clock))
            except Exception:
                logger.exception("the engine's own alarm could not be raised")
        self.faulted = clock

    def _emit(self, offset: int, outcomes: Sequence[AnyOutcome]) -> None:
        if outcomes:
            self._outcomes.setdefault(offset, []).extend(outcomes)

    def _refuse_record(self, offset: int, reason: str, count: int = 1, clock: float | None = None) -> None:
        key = reason.split(":")[0]
        self._refused[key] = self._refused.get(key, 0) + count
        before = sum(isinstance(one, Refused) for one in self._outcomes.get(offset, ()))
        refused = Refused(
            id=f"r-{self.partition}-{offset}" + (f"-{before}" if before else ""),
            reason=reason[:500],
            count=count,
            point=(),
            times=(),
            values=(),
            received=self.clock if clock is None else clock,
        )
        self._emit(offset, [refused])

    # -- readings ------------------------------------------------------------------------------------------------

    def _take_readings(self, run: list[tuple[int, frame.Frame]]) -> None:
        """Score a run of frames in one pass; on an unforeseen error frame by frame, and refuse the one at fault."""
        clock = self.clock
        try:
            self._score(run)
        except Exception as error:
            if len(run) == 1:
                offset = run[0][0]
                logger.exception("frame at %d/%d broke the engine", self.partition, offset)
                self._fail(offset, [f"{type(error).__name__}: {error}"], self.clock)
                return
            self.clock = clock
            for one in run:
                self._take_readings([one])

    def _score(self, frames: list[tuple[int, frame.Frame]]) -> None:
        clocks = []
        for _, one in frames:
            self._hear(one.header.received)
            clocks.append(self.clock)
        run = Run(frames, clocks)
        self._readings += len(run.point)
        if self.evaluator is None:
            run.refuse("unpublished", np.arange(len(run.point)))
        self._put(run, clocks, self._known(run) if self.evaluator is not None else ())
        self.seen.add(run)

    def _put(
        self, run: Run, clocks: Sequence[float], taken: Iterable[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]
    ) -> None:
        """Put readings of a run to models and rules, round by round: pairs of (places in the run, rows)."""
        frames = run.frames
        found: list[tuple[int, Change]] = []
        faults: list[Fault] = []
        self._in_shadow, self._shadow_faults = [], []
        trouble: Exception | None = None
        try:
            for at, rows in taken:
                self._round(run, at, rows, found, faults)
        except Exception as error:
            trouble = error  # what earlier rounds found is marked by now, and is told first
        for offset, refused in run.refusals(self.partition):
            self._refused[refused.reason] = self._refused.get(refused.reason, 0) + refused.count
            self._emit(offset, [refused])
        found.sort(key=lambda pair: pair[0])  # stable: as if the readings had come one by one
        told: list[tuple[int, Change | None]] = [(int(run.which[position]), change) for position, change in found]
        broken: dict[int, list[str]] = {}
        for fault in sorted(faults, key=lambda fault: fault.position):
            broken.setdefault(int(run.which[fault.position]), []).append(fault.what)
        if broken:  # a frame's errors are told before its changes, however many frames come at once
            told = sorted([(index, None) for index in broken] + told, key=lambda pair: (pair[0], pair[1] is not None))
        for index, change in told:
            if change is None:
                self._fail(frames[index][0], broken[index], clocks[index])
            else:
                self._condition(frames[index][0], change, clocks[index])
        if self.shadow is not None:
            self._compare_readings(run, frames, clocks, found)
        if trouble is not None:
            raise trouble

    # -- passing over (see `streams.calm`) -------------------------------------------------------------------------

    def may_be_calm(self) -> bool:
        """Tell whether points at rest move by nothing but their readings, as things stand."""
        if self.evaluator is None or self.desk is None or self.shadow is not None or self.bank.drivers is not None:
            return False
        if self.gateways or self.desk.book.cases.gateways or len(self.waiting) or self.faulted:
            return False
        return not (self.set_back > -np.inf or self._lags or self.jumps.active) and calm.possible(self.evaluator)

    def take_calmly(self, offset: int, one: frame.Frame, at: npt.NDArray[np.intp], rows: npt.NDArray[np.intp]) -> None:
        """Take a frame of which only the readings `at` (intp[n], of `rows`) may move anything; others come later."""
        self._hear(one.header.received)
        self._readings += len(one)
        if not len(at):
            return
        run = Run([(offset, one)], [self.clock])
        try:
            self._put(run, [self.clock], ((at[some], rows[some]) for some in rounds(rows, len(self.points))))
        except Exception as error:
            logger.exception("frame at %d/%d broke the engine", self.partition, offset)
            self._fail(offset, [f"{type(error).__name__}: {error}"], self.clock)

    def tick_calmly(self, offset: int, time: float) -> None:
        """Move the clock where points at rest stay so; `settle` says later what they stand at."""
        self._tick(offset, time, passing=True)

    def settle_calmly(self, run: Run, series: Series, quiet: npt.NDArray[np.bool_], ticks: Ticks) -> None:
        """Have all points stand where they do after a run that was passed over, whose readings `series` has by row."""
        assert self.evaluator is not None
        points, mine, which = self.evaluator.points, series.mine, run.which[series.last]
        calm.pass_over(self.evaluator, series, quiet)
        self.last_time[mine] = series.time[series.last]
        np.minimum(self.last_received, ticks.first[0], out=self.last_received)
        np.minimum(points.last_received, ticks.first[1], out=points.last_received)
        received = run.received[series.last]
        self.last_received[mine] = np.minimum(received, ticks.next[0][which])
        points.last_received[mine] = np.minimum(received, ticks.next[1][which])
        if ticks.last is not None:
            points.age[:] = np.maximum(ticks.last - self.last_received, 0.0)[: len(points.age)]
        points.age[mine[which >= ticks.before_last]] = 0.0
        self.evaluator.clock = self.clock
        self.seen.add(run)

    def _known(self, run: Run) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
        """Yield rounds of (places in the run, rows) for the readings that have a row and a finite value and time."""
        if len(self.row_of) and int(run.point.max()) < len(self.row_of):
            rows = self.row_of.take(run.point)
        else:
            inside = run.point < len(self.row_of)
            rows = np.where(inside, self.row_of[np.where(inside, run.point, 0)], -1)
        known = rows >= 0
        sound = np.isfinite(run.value) & np.isfinite(run.time)
        if np.count_nonzero(known & sound) == len(rows):
            for taken in rounds(rows, len(self.points)):
                yield taken, rows[taken]
            return
        run.refuse("unknown_point", np.flatnonzero(~known))
        run.refuse("not_finite", np.flatnonzero(known & ~sound))
        keep = np.flatnonzero(known & sound)
        rows = rows[keep]
        for taken in rounds(rows, len(self.points)):
            yield keep[taken], rows[taken]

    def _round(
        self,
        run: Run,
        at: npt.NDArray[np.intp],
        rows: npt.NDArray[np.intp],
        found: list[tuple[int, Change]],
        faults: list[Fault],
    ) -> None:
        """Take one round: rows are unique; `at` are the readings' places in the run."""
        assert self.evaluator is not None
        times, values, qualities, arrived = run.time[at], run.value[at], run.quality[at], run.received[at]
        if self.set_back > -np.inf:
            self._follow(rows, times, arrived)
        before = self.last_time[rows]
        usable = (qualities & UNUSABLE) == 0
        fresh = ~(times <= before)  # NaN before the first reading
        good = fresh & usable
        whole = bool(good.all())
        if not whole and self._overrule(rows, times, np.maximum(arrived, run.clock(at)), qualities):
            before = self.last_time[rows]
            fresh = ~(times <= before)
            good = fresh & usable
            whole = bool(good.all())
        if run.lags or self._lags:
            live = np.flatnonzero(fresh & ((qualities & HISTORICAL) == 0))
            self._catch_up(rows[live], times[live], arrived[live])
        if whole:
            self.last_time[rows] = times
            self.last_received[rows] = arrived
        else:
            repeated, older = times == before, times < before
            past = older & ((qualities & (HISTORICAL | UNUSABLE)) == HISTORICAL)
            older &= ~past
            if older.any():  # what the broker delivers again is no sign that its source mixes up the order
                some = np.flatnonzero(older)
                repeated[some] = self.seen.repeats(run, at[some])
                older &= ~repeated
            run.refuse("duplicate", at[repeated])
            run.refuse("out_of_order", at[older])
            if past.any():  # for the charts: baselines and rules go on from what is newer
                unscored = np.full(int(past.sum()), np.nan, np.float32)
                self._scored.append((self.points[rows[past]], times[past], values[past], unscored, qualities[past]))
            aside = ~good & ~past
            if aside.any():
                self._set_aside(run, at[aside], rows[aside], repeated[aside], older[aside])
            bad = (qualities & BAD) != 0
            run.refuse("bad_quality", at[fresh & bad])
            run.refuse("out_of_range", at[fresh & ~bad & ~good])
            self.last_time[rows[fresh]] = times[fresh]
            self.last_received[rows[fresh]] = arrived[fresh]
            at, rows, times, values = at[good], rows[good], times[good], values[good]
            qualities, arrived = qualities[good], arrived[good]
            if not len(rows):
                return

        def broken(place: int, error: Exception) -> list[Any]:
            logger.error("a reading of point %d broke the engine", self.points[rows[place]], exc_info=error)
            faults.append(Fault(int(at[place]), f"{type(error).__name__}: {error}"))
            return []

        last = self.evaluator.points.value

        def score(start: int, stop: int) -> list[tuple[int, int, BankResult, npt.NDArray[np.bool_] | None]]:
            part = slice(start, stop)
            tape = self.tape
            if tape is not None:
                known = tape.score(self.bank, run, at[part], rows[part], times[part], values[part])
                if known is not None:
                    return [(start, stop, *known)]
            stood = None if tape is None else self.bank.flat_since[rows[part]]
            result = self.bank.update(rows[part], times[part], values[part])
            jumped = None
            if self.jumps.active or np.count_nonzero(result.reason):
                low, high = self.bank.outside
                jumped = self.jumps.update(rows[part], times[part], values[part], result.reason, low, high, last)
            if tape is not None and stood is not None:
                tape.scored(self.bank, run, at[part], rows[part], times[part], stood, result, jumped)
            return [(start, stop, result, jumped)]

        for start, stop, result, jumped in apart(score, 0, len(rows), broken):
            part = slice(start, stop)
            flags = qualities[part]
            if jumped is not None or np.count_nonzero(result.gap) or np.count_nonzero(flags):
                flags = flags | result.gap.astype(np.uint16) * np.uint16(GAP)
                if jumped is not None:
                    flags[jumped] |= JUMP
                self._mark(run, at[part], rows[part], flags)
            self._evaluate(
                at[part], rows[part], times[part], values[part], qualities[part], arrived[part], result, found, faults
            )
            learning = result.learning
            shown = np.where(learning, np.nan, result.score) if np.count_nonzero(learning) else result.score
            if self.evaluator.any_stuck:
                flags = flags | self.evaluator.points.stuck[rows[part]].astype(np.uint16) * np.uint16(STUCK)
            if self.evaluator.neighbours.some:
                parted = self.evaluator.neighbours.disagrees[rows[part]]
                flags = flags | parted.astype(np.uint16) * np.uint16(DISAGREES)
            if np.count_nonzero(result.alarm):
                flags = flags | result.alarm.astype(np.uint16) * np.uint16(EARLY)
            self._scored.append((self.points[rows[part]], times[part], values[part], shown, flags))

    def _set_aside(
        self,
        run: Run,
        at: npt.NDArray[np.intp],
        rows: npt.NDArray[np.intp],
        repeated: npt.NDArray[np.bool_],
        older: npt.NDArray[np.bool_],
    ) -> None:
        """Note readings that are neither scored nor put to rules of risk, so that they can be shown and counted."""
        flags = run.quality[at].astype(np.uint16)
        flags[repeated] |= DUPLICATE
        flags[older] |= OUT_OF_ORDER
        self._mark(run, at, rows, flags)
        self._aside.append((self.points[rows], run.time[at], run.value[at], np.full(len(at), np.nan), flags))

    def _mark(
        self,
        run: Run,
        at: npt.NDArray[np.intp],
        rows: npt.NDArray[np.intp],
        flags: npt.NDArray[Any],
    ) -> None:
        """Tell the rules of data quality about flags."""
        assert self.evaluator is not None
        some = np.flatnonzero(flags & RULED_BITS)
        if len(some):
            self.evaluator.mark(rows[some], flags[some], run.heard(at[some]))

    def _evaluate(
        self,
        at: npt.NDArray[np.intp],
        rows: npt.NDArray[np.intp],
        times: npt.NDArray[np.float64],
        values: npt.NDArray[np.float64],
        qualities: npt.NDArray[np.uint8],
        arrived: npt.NDArray[np.float64],
        result: BankResult,
        found: list[tuple[int, Change]],
        faults: list[Fault],
    ) -> None:
        """Put scored readings to the rules; `at` are their places in the run."""
        evaluator = self.evaluator
        assert evaluator is not None

        def judge(start: int, stop: int) -> list[tuple[int, Change]]:
            evaluator.take_faults()  # of a call that an error ended
            part = slice(start, stop)
            score, alarm, reason, learning, gap = result
            some = BankResult(score[part], alarm[part], reason[part], learning[part], gap[part])
            changes = evaluator.readings(
                rows[part], times[part], values[part], qualities[part], arrived[part], some, self.clock
            )
            faults.extend(Fault(int(at[start + one.position]), one.what) for one in evaluator.take_faults())
            if self.shadow is not None:
                seen, broken = self.shadow.beside.take_seen()
                self._in_shadow += [(int(at[start + change.position]), change) for change in seen]
                self._shadow_faults += [Fault(int(at[start + one.position]), one.what) for one in broken]
            return [(int(at[start + change.position]), change) for change in changes]

        def broke(place: int, error: Exception) -> list[tuple[int, Change]]:
            logger.error("a reading of point %d broke the rules", self.points[rows[place]], exc_info=error)
            faults.append(Fault(int(at[place]), f"{type(error).__name__}: {error}"))
            return []

        found += apart(judge, 0, len(rows), broke)

    def _follow(self, rows: npt.NDArray[np.intp], times: npt.NDArray[Any], arrived: npt.NDArray[Any]) -> None:
        """Move a point's time onto a clock that was set back, at the first reading that comes from there.

        A source with a clock of its own may go on where it was; so nothing is moved before its reading says.
        """
        assert self.evaluator is not None
        step = self.stepped[rows]
        here = (step < 0.0) & (times <= arrived + AHEAD) & (times > self.set_back - EARLIER)
        if not here.any():
            return
        last = self.last_time[rows]
        self.stepped[rows[here & (times != last)]] = 0.0
        moved = np.flatnonzero(here & (times < last))
        if not len(moved):
            return
        rows, times, last, step = rows[moved], times[moved], last[moved], step[moved]
        # ticks tell the step to a second or so: where that is not enough, the reading came as expected after the last
        self._shift(rows, np.where(last + step < times, step, times - self.interval[rows] - last))

    def _overrule(
        self,
        rows: npt.NDArray[np.intp],
        times: npt.NDArray[Any],
        now: npt.NDArray[Any],
        qualities: npt.NDArray[np.uint8],
    ) -> bool:
        """Take back times of the future: a reading of `now` overrules one that said that it was later.

        So a stray stamp, or a clock that runs ahead and is set right, does not blind a point until now has come there.
        Tell whether any was taken back.
        """
        assert self.evaluator is not None
        last = self.last_time[rows]
        claimed = last > self.last_received[rows] + AHEAD  # later than when it came
        ahead = claimed & (last > now + AHEAD) & (times < last) & (np.abs(times - now) <= NOW)
        moved = np.flatnonzero(ahead & ((qualities & (HISTORICAL | UNUSABLE)) == 0))
        if not len(moved):
            return False
        rows, times, last = rows[moved], times[moved], last[moved]
        self._shift(rows, times - np.minimum(self.interval[rows], NOW) - last)
        return True

    def _catch_up(self, rows: npt.NDArray[np.intp], times: npt.NDArray[Any], arrived: npt.NDArray[Any]) -> None:
        """Move a point's time on where its clock was behind and is set right, so that no gap seems to have been.

        `rows` without repeats. A backlog that is caught up looks alike at its end, but its lag shrinks before; and what
        was kept during a silence is no older than that.
        """
        behind, lag, since = arrived - times, self.lag[rows], self.lag_since[rows]
        late = behind > LAG
        begun = np.flatnonzero(late & ~(np.abs(behind - lag) <= STEADY))
        ended = np.flatnonzero(~late & (lag > 0.0))
        if len(begun):
            some = rows[begun]
            silent = behind[begun] <= arrived[begun] - self.last_received[some] + STEADY
            self.lag[some], self.lag_since[some] = behind[begun], np.where(silent, np.inf, arrived[begun])
        if len(ended):
            some, step = rows[ended], lag[ended] - behind[ended]
            steady = self.last_received[some] - since[ended] >= STEADY
            moved = np.flatnonzero(steady & (np.abs(behind[ended]) <= NOW))
            self.lag[some] = 0.0
            if len(moved):
                at = some[moved]
                most = times[ended[moved]] - np.minimum(self.interval[at], NOW) - self.last_time[at]
                self._shift(at, np.minimum(step[moved], most))
        self._lags = bool(self.lag.any())

    def _shift(self, rows: npt.NDArray[np.intp], step: npt.NDArray[np.float64]) -> None:
        """Move the time of points, rows without repeats, and all that was measured on it."""
        assert self.evaluator is not None
        self.last_time[rows] += step
        self.bank.shift(rows, step)
        self.jumps.shift(rows, step)
        self.evaluator.shift(rows, step)

    # -- publication ---------------------------------------------------------------------------------------------

    def _cast(self, offset: int, what: Shadow) -> None:
        """Have a set of rules run in the shadow of those in force, or none."""
        self._hear(what.time)
        if self.shadow is not None:
            self._end_shadow(offset, "replaced" if what.rules else "ended", what.reason, what.author)
        if not what.rules or self.evaluator is None or self.registry is None:
            return
        try:
            self.shadow = ShadowRules(what, self.partition, self.evaluator, self._ground(self.registry))
        except ShadowError as error:
            self._emit(offset, [never_began(what, self.partition, offset, self.clock, str(error))])
            return
        self.evaluator = self.shadow.beside
        self._emit(offset, [self.shadow.change(offset, "began", self.clock, what.reason, what.author)])

    def _ground(self, registry: Registry) -> Ground:
        by_index = {point.index: point for point in registry.site.points if mine(registry, point, self.partition)}
        rows = [by_index.get(index) or gone(index) for index in self.points.tolist()]
        return Ground(registry.site, rows, areas_of(registry, self.partition))

    def _end_shadow(self, offset: int, edge: str, reason: str = "", author: str = "") -> None:
        assert self.shadow is not None
        self.evaluator = self.shadow.beside.first()
        self._emit(offset, [self.shadow.change(offset, edge, self.clock, reason, author)])
        self.shadow = None

    def _tell_shadow(self, offset: int, clock: float | None = None) -> None:
        """Tell how the shadow rules compare; end them once they cannot go on."""
        assert self.shadow is not None
        self._emit(offset, self.shadow.tell(offset, self.clock if clock is None else clock))
        if self.shadow.over:
            self._end_shadow(offset, "broken", self.shadow.over)

    def _compare_readings(
        self,
        run: Run,
        frames: Sequence[tuple[int, frame.Frame]],
        clocks: Sequence[float],
        found: list[tuple[int, Change]],
    ) -> None:
        """Hold what the shadow rules changed at a run of frames against what those in force did, frame by frame."""
        both = [(position, 0, change) for position, change in found]
        both += [(position, 1, change) for position, change in self._in_shadow]
        both.sort(key=lambda one: one[:2])  # stable: as if the readings had come one by one
        moved: dict[int, list[tuple[int, Change, float]]] = {}
        for position, side, change in both:
            index = int(run.which[position])
            moved.setdefault(index, []).append((side, change, clocks[index]))
        broken: dict[int, list[str]] = {}
        for fault in sorted(self._shadow_faults, key=lambda fault: fault.position):
            broken.setdefault(int(run.which[fault.position]), []).append(fault.what)
        for index in sorted({*moved, *broken}):
            if self.shadow is None:
                return
            self.shadow.note_all(moved.get(index, ()))
            self.shadow.note_faults(broken.get(index, ()))
            self._tell_shadow(frames[index][0], clocks[index])
        if self.shadow is not None and self.shadow.over:
            self._tell_shadow(frames[-1][0], clocks[-1])

    def _publish(self, offset: int, publication: Publication) -> None:
        if publication.version == self.version:
            return
        self._emit(offset, self.approvals.published(publication.version, publication.time))
        withdrawn, renames = self._switch(self._ready(publication.bundle, publication.version), publication.bundle)
        self._hear(publication.time)
        assert self.desk is not None
        for one in withdrawn:
            self._emit(offset, self.desk.withdraw(one.rule, one.scope, self.clock))
        published = Published(
            id=f"p-{publication.version}-{self.partition}-{offset}",
            version=publication.version,
            partition=self.partition,
            time=publication.time,
            author=publication.author,
            reason=publication.reason,
            renamed=as_dict(renames),
        )
        self._emit(offset, [published])
        if self._shadow_end is not None and self.shadow is not None:
            edge, reason = self._shadow_end
            author = publication.author if edge == "promoted" else ""
            self._emit(offset, [self.shadow.change(offset, edge, self.clock, reason, author)])
            self.shadow = None

    def preparing(self, packed: bytes, version: str) -> Steps[Prepared]:
        """Make a publication ready to be put in force, in steps of a few milliseconds, without touching the state.

        What comes of it is given to `hold`; nothing hangs on it but how long the record takes at its offset.
        """
        return preparing(self, packed, version)

    def hold(self, prepared: Prepared) -> None:
        """Keep what was made ready until its record is reached; of two the later."""
        self._prepared = prepared

    def has_ready(self, version: str) -> bool:
        """Tell whether a publication would only be switched to: in force, or made ready on the ground that stands."""
        held = self._prepared
        return version == self.version or (held is not None and held.version == version and held.stands(self))

    def _ready(self, packed: bytes, version: str) -> Prepared:
        """Take what was made ready, or make it ready now."""
        held, self._prepared = self._prepared, None
        if held is not None and held.version == version and held.stands(self):
            return held
        return finished(self.preparing(packed, version))

    def _switch(self, ready: Prepared, packed: bytes) -> tuple[list[Withdrawn], Renames]:
        """Put a bundle in force: rows for new points, rules compiled, running conditions carried over.

        Return the raised conditions that no rule stands behind any more, and what has another id now.
        """
        content, registry, renames = ready.content, ready.registry, ready.renames
        self._shadow_end = None
        added = len(ready.points) - len(self.last_time)
        if added:
            new = np.full(added, np.nan)
            self.last_time = np.concatenate((self.last_time, new))
            self.last_received = np.concatenate((self.last_received, new))
            self.stepped = np.concatenate((self.stepped, np.zeros(added)))
            self.lag = np.concatenate((self.lag, np.zeros(added)))
            self.lag_since = np.concatenate((self.lag_since, np.zeros(added)))
        self.points, self.row_of, self.interval = ready.points, ready.row_of, ready.interval
        self.bank.grow(len(self.points))
        self.jumps.grow(len(self.points))
        equip(self.bank, self.jumps, ready.changed)
        before, self.bank.drivers = self.bank.drivers, ready.drivers
        if before is not None and self.bank.drivers is not None:
            self.bank.drivers.restore(before.state())
        evaluator = ready.evaluator
        kinds: dict[str, str] = {rule.id: rule.scope for rule in content.rules}
        withdrawn = []
        if self.evaluator is not None:
            kinds |= {rule.id: rule.scope for rule in self.evaluator.book.rules}  # open cases come from these
            promoted = self.shadow is not None and self.shadow.rules == content.rules
            known = self.evaluator.state(renames)
            withdrawn = evaluator.restore(
                self.shadow.carried(renames) if promoted and self.shadow is not None else known
            )
            evaluator.look_anew(self.evaluator.book)
            evaluator.together.follow(self.evaluator.together, renames)
            evaluator.neighbours.restore(self.evaluator.neighbours.state())
            if promoted:
                self._shadow_end = "promoted", ""
            elif self.shadow is not None:
                try:
                    self.shadow.follow(evaluator, Ground(content.site, ready.rows, ready.areas), renames, ready.shadow)
                    evaluator = self.shadow.beside
                except ShadowError as error:
                    self._shadow_end = "broken", str(error)
        evaluator.book.forget_keys()
        self.evaluator, self.registry, self.known_content = evaluator, registry, ready.known
        self._home = home_of(registry, ready.areas, self.partition)
        gateways = Gateways(
            content.site.gateways,
            ready.rows,
            ready.areas,
            lambda gateway, points: registry.owns(gateway, points, self.partition),
        )
        gateways.follow(self.gateways)
        self.gateways = gateways
        if renames:
            self.waiting.rename(renames)
            self.cameras = {renames.cameras.get(name, name): at for name, at in self.cameras.items()}
        self.waiting.keep(content.rules)
        if self.desk is None:
            self.desk = Desk(content.site, Settings(links=content.site.console), self.partition)
        else:
            self.desk.publish(content.site, content.rules)
            if renames:
                self.desk.rename(renames, kinds)
        self._show_modes()
        self.packed, self.version = packed, ready.version
        return withdrawn, renames

    # -- snapshots -----------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Encode the whole state as it stands after `offset`."""
        return b"".join(self.freeze())

    def freeze(self) -> list[Piece]:
        """Return the pieces of a snapshot as the state stands after `offset`; later records do not touch them."""
        content: dict[str, Any] = {
            "format": 1,
            "partition": self.partition,
            "offset": self.offset,
            "clock": self.clock,
            "last_tick": self.last_tick,
            "set_back": self.set_back,
            "version": self.version,
            "bundle": self.packed,
            "approvals": self.approvals.state(),
            "seen": pack({"marks": self.seen.state()}),
            "rows": Arrays(
                points=self.points.copy(),
                time=self.last_time.copy(),
                received=self.last_received.copy(),
                stepped=self.stepped.copy(),
                lag=self.lag.copy(),
                lag_since=self.lag_since.copy(),
            ),
        }
        if self.evaluator is not None and self.desk is not None:
            content["bank"] = Arrays(self.bank.state())
            content["jumps"] = pack(self.jumps.state())
            if self.bank.drivers is not None:
                content["drivers"] = pack(self.bank.drivers.state())
            content["rules"] = Arrays(self.evaluator.state())
            together = self.evaluator.together.state()
            content["together"] = {"versions": together["versions"], "arrays": pack(together["arrays"])}
            if self.evaluator.neighbours:
                content["neighbours"] = pack(self.evaluator.neighbours.state())
            content["desk"] = self.desk.state()
            content["faulted"] = self.faulted
            content["gateways"] = self.gateways.told
            content["waiting"] = self.waiting.state()
            content["reports"] = list(self.reports)
            if self.shadow is not None:
                content["shadow"] = self.shadow.state()
                content["shadow_rules"] = Arrays(self.shadow.beside.second.state())
        return list(pieces(content))

    @classmethod
    def restore(cls, snapshot: bytes) -> Engine:
        """Rebuild an engine from a snapshot. Raise ValueError on anything else."""
        content = msgspec.msgpack.decode(snapshot)
        if not isinstance(content, dict) or content.get("format") != 1:
            raise ValueError("not a snapshot of this format")
        engine = cls(content["partition"])
        rows = unpack(content["rows"])
        if content["bundle"]:
            engine.points = rows["points"]
            engine.last_time, engine.last_received = rows["time"], rows["received"]
            for name in ("stepped", "lag", "lag_since"):  # not in older snapshots
                setattr(engine, name, rows.get(name, np.zeros(len(engine.points))))
            engine._lags = bool(engine.lag.any())
            grown = len(engine.points)
            engine._switch(engine._ready(content["bundle"], content["version"]), content["bundle"])
            assert engine.evaluator is not None and engine.desk is not None and len(engine.points) == grown
            engine.bank.restore(unpack(content["bank"]))
            if "jumps" in content:  # not in older snapshots
                engine.jumps.restore(unpack(content["jumps"]))
            if "drivers" in content and engine.bank.drivers is not None:
                engine.bank.drivers.restore(unpack(content["drivers"]))
            engine.evaluator.restore(unpack(content["rules"]))
            if "together" in content:  # not in older snapshots
                kept = content["together"]
                together = {"versions": kept["versions"], "arrays": unpack(kept["arrays"])}
                engine.evaluator.together.restore(together)
            if "neighbours" in content:
                engine.evaluator.neighbours.restore(unpack(content["neighbours"]))
            engine.desk.restore(content["desk"], engine.evaluator.book.rules)
            engine._show_modes()
            engine.faulted = content.get("faulted", 0.0)
            told = content.get("gateways", {})  # not in older snapshots
            engine.gateways.told = {id: (since, source) for id, (since, source) in told.items()}
            engine.reports = dict.fromkeys(content.get("reports", ()))
            engine.waiting.restore(content.get("waiting", ()), engine.evaluator.book.rules)
            if "shadow" in content:
                engine._restore_shadow(content["shadow"], unpack(content["shadow_rules"]))
        if "approvals" in content:  # not in older snapshots
            engine.approvals.restore(content["approvals"])
        if "seen" in content:  # not in older snapshots
            engine.seen.restore(unpack(content["seen"])["marks"])
        engine.offset, engine.clock, engine.last_tick = content["offset"], content["clock"], content["last_tick"]
        engine.set_back = content.get("set_back", -np.inf)
        return engine

    def guessed(self) -> dict[str, str]:
        """Name the points whose kind is not declared and was guessed to be no gauge's: id → kind."""
        if self.registry is None:
            return {}
        known = self.registry.by_index
        told = ((int(self.points[row]), kind) for row, kind in self.bank.guessed().items())
        return {known[index].id: kind for index, kind in told if index in known}

    def _restore_shadow(self, state: dict[str, Any], second: dict[str, npt.NDArray[Any]]) -> None:
        assert self.evaluator is not None and self.registry is not None
        what = msgspec.convert(state["what"], Shadow)
        self.shadow = ShadowRules(what, self.partition, self.evaluator, self._ground(self.registry))
        self.shadow.restore(state, second)
        self.evaluator = self.shadow.beside

    def drop_shadow(self) -> None:
        """Go on without shadow rules and say nothing of it: for those who put an evaluator of their own in between."""
        if self.shadow is not None:
            self.evaluator, self.shadow = self.shadow.beside.first(), None

    def known(self) -> set[str]:
        """Name what is open or lasts: alarms, incidents, dispatches, candidates, silences, drills, orders of modes."""
        cases = self.desk.book.cases if self.desk is not None else None
        if cases is None:
            return set()
        orders = (spell.order for spell in cases.modes.values())
        held = cases.alarms, cases.incidents, cases.dispatches, cases.silences, cases.candidates, cases.drills
        return {*orders, *(id for kind in held for id in kind)}

    def live(self, within: float = 5.0) -> int:
        """Count the rows that are not offline, and heard of within `within` expected intervals before the last tick."""
        if self.registry is None or self.evaluator is None or not len(self.points):
            return 0
        interval = self.interval
        with np.errstate(invalid="ignore"):
            heard = (self.last_tick - self.last_received) <= np.maximum(within * interval, 60.0)
        return int((heard & ~self.evaluator.points.offline).sum())


def _columns(parts: list[tuple[npt.NDArray[Any], ...]]) -> Scored | None:
    if not parts:
        return None
    joined = parts[0] if len(parts) == 1 else tuple(np.concatenate(column) for column in zip(*parts, strict=True))
    point, time, value, score, flags = joined
    return Scored(point, time, value, np.asarray(score, np.float32), np.asarray(flags, np.uint16))
