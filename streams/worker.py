"""The worker: the Faust application that carries the engine, its clock, its snapshots and the journal."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from alerts import outcome
from alerts.journal import Journal, JournalWentBack
from sensors import observation
from sensors.garbage import collector_resting
from sensors.lookup import Registry
from sensors.observation import Proposal, Publication, SystemEvent, Tick
from sensors.site import SYSTEM, Site
from sensors.steps import Steps
from streams import bundle, housekeeping, joining, publication
from streams.batches import Batch, Output
from streams.brokers import identity
from streams.bundle import Bundle, version_of
from streams.difference import difference, lines
from streams.embedded.schema import LogClosedError, LogWriteError
from streams.figures import read_figures, write_figures
from streams.hub import HubServer
from streams.lean import LeanApp, create_app
from streams.moments import FOLDER, Moments
from streams.settings import Settings
from streams.standby import Standbys
from streams.station import Frozen, Station
from streams.topics import GROUP, JOURNAL, OBSERVATIONS, OUTCOMES, PULSE, SCORES
from streams.topics_held import topic_specs

if TYPE_CHECKING:
    from streams.kafka.relay import Relay
    from streams.tracing import Following, Tracer

logger = logging.getLogger(__name__)

T = TypeVar("T")

SLICE, SLICE_BYTES = 128, 100_000
"""Records, and bytes of them, that the engine takes before it lets the event loop breathe: 4 700 readings, milliseconds
of work; a second if they are all of one point, and the clock must not stand still for longer.
"""

TURN, PAUSE = 0.004, 0.001
"""Seconds that rules are compiled for at a time, and seconds left to all else and to other threads in between."""

PATIENCE = 300.0
"""Seconds for which the worker says that it lives while the engine compiles rules where it stands: shadow rules, and
what is read again over a gap. The parent gives a silent process 20: one that it ended would begin with the same again.
"""

AT_ONCE = 24
"""Outcomes that are journalled in the event loop's own thread: a few milliseconds, where another thread would wait for
the interpreter lock at every statement while the engine works."""

RECENT = 500
"""Records of outcomes that are offered to the journal again at a start, and more while it lacks the oldest of them."""

FOLLOW_SECONDS = 0.1
"""Seconds between two looks for a changed site: one call to the system each."""

ADOPT_MOST = 10.0
"""Seconds, at most, between two tries to write a site that the log has into the data folder."""

CHUNKS = 4
"""Chunks of a snapshot that are one transaction of the log: 2 MiB, a few milliseconds of work."""

PRUNE_LOOKS = 300.0
"""Seconds between two looks whether the journal is to be kept to its policy: it is soon after a start, then daily."""

STANDBY_LOOKS = 1.0
"""Seconds between two looks for partitions that want a standby here."""

WHOLE_LOOKS = 10.0
"""Seconds between two looks whether the journal still has what it took: a server may have forgotten its end."""


def _log_options(settings: Settings) -> dict[str, Any]:
    if settings.kafka is None:
        return settings.log_options
    # after a restart it has its partitions again at once; where each run has its own journal no other may share them
    instance = f"foreshock-{identity(settings.data_folder)}"
    return {**settings.log_options, "instance": instance, "alone": not settings.cluster, "leaves": settings.cluster}


class Worker:
    """Compose one Faust app: observations → engine → outcomes → journal, with the hub beside it."""

    def __init__(
        self, settings: Settings, packed: bytes, partitions: int, clock: Callable[[], float] = time.time
    ) -> None:
        self.settings, self.packed, self.partitions, self.clock = settings, packed, partitions, clock
        self.version = version_of(packed)
        self.stations: dict[int, Station] = {}
        self._parked: dict[int, Station] = {}  # given up at the last rebalance: most come back as they were
        self._opening: set[int] = set()  # partitions that were given to us and are not at work yet
        self._standbys: Standbys | None = None
        self._looking: asyncio.Task[None] | None = None  # the standbys are being brought up
        self._relay: Relay | None = None
        self.journal = Journal(settings.journal_url, synchronous=settings.synchronous)
        self._pruning = housekeeping.Daily()
        self._moments: dict[int, Moments] = {}
        self._keeping: dict[int, asyncio.Task[None]] = {}
        self._writing: dict[int, asyncio.Task[None]] = {}  # by partition, the snapshot that is being written
        self._due: set[int] = set()  # partitions whose next committed batch is followed by a snapshot
        self.app: LeanApp = create_app(
            GROUP,
            broker_url=settings.broker_url,
            topics=topic_specs(settings, partitions),
            log_options=_log_options(settings),
        )
        self.hub = HubServer(settings.hub_path, self.app.produce_many)
        self.started = asyncio.Event()
        self._pulse_before = (clock(), 0)
        self._progress: Callable[[str], None] = lambda _: None
        self._alive: Callable[[], None] = lambda: None
        self._taking: asyncio.Task[None] | None = None  # the proposal that is being put in force
        self._told: publication.Told | None = None  # of the proposal that is being put in force
        self._read: tuple[bytes, Site] | None = None  # the bundle in force, and the site in it
        self._settle: Callable[[], None] = lambda: None
        self._unfollowed = ""  # why a changed site is not in force yet
        self._trouble = ""  # why the log takes nothing, if so
        self._untold: dict[int, str] = {}  # by partition: why the journal takes nothing, if so
        self._journalled: dict[int, tuple[int, int]] = {}  # by partition: the offset that the journal has reached, and
        # where the outcomes after it begin
        self._journalling: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tracer: Tracer | None = None
        self._traced = self._traces()
        self.app.on_assigned(self._assigned)
        self.app.on_revoked(self._revoked)
        self.app.batch_agent(OBSERVATIONS)(self.observe)
        self.app.batch_agent(OUTCOMES, silent=True)(self.record)
        self.app.timer(1.0)(self.tick)
        self.app.timer(FOLLOW_SECONDS)(self.follow)
        self.app.timer(settings.snapshot_seconds)(self.snapshot)
        self.app.timer(PRUNE_LOOKS)(self.prune)
        self.app.timer(WHOLE_LOOKS)(self.look_back)
        if settings.cluster and settings.kafka_standby:
            self._standbys = Standbys(lambda: self.app.log_store, GROUP)
            self.app.timer(STANDBY_LOOKS)(self.stand_by)

    async def run(
        self,
        until: Awaitable[Any],
        ready: Callable[[], None],
        progress: Callable[[str], None] = lambda _: None,
        alive: Callable[[], None] = lambda: None,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        """Run until `until` is done; call `ready` once partitions are assigned and the hub listens.

        `progress` is told, from any thread, how far the reading of the log has come that a start may need. `alive` is
        called once a second for as long as the event loop turns, once the log is open: that may take long. While rules
        are compiled in the loop it is called from another thread. `settle` is called when much was made that stays.
        """
        self._progress, self._alive, self._settle = progress, alive, settle
        failure = asyncio.create_task(self.app.failure())
        try:
            await _unless(failure, self.app.start())
        except BaseException:
            failure.cancel()
            raise
        signs = asyncio.create_task(_repeat(alive))
        try:
            await _unless(failure, self.started.wait())
            await self.hub.start()
            self._hear_others()
            ready()
            await _unless(failure, until)
        finally:
            failure.cancel()
            signs.cancel()
            if self._looking is not None:
                self._looking.cancel()
            if self._relay is not None:
                await asyncio.to_thread(self._relay.close)
            await self.hub.stop()
            await self.app.stop()
            self.journal.close()
            if self._tracer is not None:
                await asyncio.to_thread(self._tracer.close)

    def _traces(self) -> Following | None:
        """Give what follows observations for a collector, where traces are wanted."""
        if not self.settings.traces_url:
            return None
        from streams.tracing import Following, Tracer  # here: its libraries take long to load

        self._tracer = Tracer(self.settings, "worker")

        def index(id: str) -> int | None:
            registries = [station.engine.registry for station in self.stations.values()]
            found = next((one.point(id) for one in registries if one is not None), None)
            return None if found is None else found.index

        return Following(self._tracer, lambda: str(self.app.log_store.identity), index)

    def _hear_others(self) -> None:
        """Have what other workers of a cluster score shown by the console beside this one."""
        address = self.settings.kafka
        if address is None or not self.settings.cluster:
            return
        from streams.kafka.relay import Relay  # here: its clients are not needed for a file

        loop = asyncio.get_running_loop()

        def heard(topic: str, partition: int, offset: int, value: bytes) -> None:
            if partition not in self.stations:
                loop.call_soon_threadsafe(self.hub.publish, topic, partition, offset, value)

        self._relay = Relay(address, [SCORES], heard)

    # -- agents ----------------------------------------------------------------------------------------------------

    async def observe(self, batch: Batch) -> None:
        """Apply a batch of observations and commit what follows with its offset."""
        station = self.stations.get(batch.partition)
        if station is None:
            station = await self._open(batch.partition)
            await self._confess([station.lost])
        outputs: list[Output] = []
        traced, begun = None, self.clock() if self._traced is not None else 0.0
        try:
            records = [(offset, value) for offset, _, value in batch.records]
            for part in slices(records):
                if observation.brings_rules(part[0][1]):
                    await self._reached(station, *part[0])
                # the state is not to be seen half compiled, by the clock or by a snapshot: so not in another thread
                gap = part[0][0] > station.engine.offset + 1  # to be read again, whatever is in it
                with self._signs(gap or any(observation.brings_rules(value) for _, value in part)):
                    outputs += station.take(part)
                if part[-1] is not records[-1]:
                    await asyncio.sleep(0)
            if self.settings.cluster and station.engine.version not in ("", self.version):
                await self._go_along()
            if self._traced is not None:
                traced = self._traced.decided(batch.partition, records, outputs, begun, self.clock())
            offsets = await batch.done(outputs)
            if self._traced is not None and traced is not None:
                self._traced.committed(traced, self.clock())
            if batch.partition in self._due and batch.partition not in self._writing:
                self._due.discard(batch.partition)
                self._keep(batch.partition, station)
        except BaseException:
            # what the state took is not in the log: begin again from the last snapshot
            self.stations.pop(batch.partition, None)
            if self._traced is not None and traced is not None:
                self._traced.dropped(traced)
            raise
        for (topic, partition, _, value), offset in zip(outputs, offsets, strict=True):
            if topic == SCORES:
                self.hub.publish(topic, partition, offset, value)

    async def _go_along(self) -> None:
        """Go by what another run of the cluster has put in force, and have the processes of this one do so."""
        found = await asyncio.to_thread(joining.newest, self.app.log_store)
        if found is None or version_of(found.packed) == self.version:
            return  # what was met is older: it is read again after a rebalance
        self.packed, self.version = found.packed, version_of(found.packed)
        try:
            await asyncio.to_thread(joining.join, self.settings.data_folder, found)
        except OSError as error:  # a full disk: the next start takes it from the log
            self._hold_up(error)
        logger.info("version %s of the site is in force, by %s", self.version, found.author)

    def _signs(self, long: bool) -> contextlib.AbstractContextManager[None]:
        """Give signs of life from a thread during what may take long in the event loop."""
        return _beside(self._alive) if long else contextlib.nullcontext()

    async def _reached(self, station: Station, offset: int, record: bytes) -> None:
        """Make a publication ready before the engine takes it, where that was not done ahead: others need not wait."""
        if offset != station.engine.offset + 1:
            return  # known already, or beyond a gap
        with contextlib.suppress(msgspec.DecodeError):
            what = observation.decode(record)
            if isinstance(what, Publication) and not station.engine.has_ready(what.version):
                await self._make_ready(station, what.bundle, what.version)

    async def _make_ready(self, station: Station, packed: bytes, version: str) -> Bundle | None:
        """Compile a publication in turns with everything else; None when it cannot be, which its record will say."""
        steps = station.engine.preparing(packed, version)
        with collector_resting():
            try:
                ready = await _in_turns(steps)
            except Exception as error:
                logger.warning("partition %d: version %s was not made ready: %s", station.partition, version, error)
                return None
            self._settle()
        station.engine.hold(ready)
        return ready.content

    async def record(self, batch: Batch) -> None:
        """Write outcomes to the journal, then tell who listens."""
        records = [outcome.decode(value) for _, _, value in batch.records]
        identity = self.app.log_store.identity
        begun = self.clock() if self._traced is not None else 0.0
        near = self.settings.journal_file is not None  # a database elsewhere may keep the event loop waiting
        try:
            async with self._journalling[batch.partition]:
                last = self._journalled.get(batch.partition)
                write = partial(self.journal.record, records, identity, last and {batch.partition: last[0]})
                try:
                    if near and sum(len(one.outcomes) for one in records) <= AT_ONCE:
                        position = write()
                    else:
                        position = await asyncio.to_thread(write)
                except JournalWentBack as error:
                    await self._make_whole(batch.partition, batch.start, error)
                    position = await asyncio.to_thread(write)
                self._journalled[batch.partition] = records[-1].offset, batch.records[-1][0] + 1
        except SQLAlchemyError as error:  # it is tried again: who goes by signs of life is to hear of it meanwhile
            said = str(error.__cause__ or error).split("\n", 1)[0]
            self._untold[batch.partition] = f"the journal takes nothing, nobody is told of alarms: {said}"
            raise
        self._untold.pop(batch.partition, None)
        # at once: the notifiers send people out
        self.hub.publish(JOURNAL, 0, 0, msgspec.msgpack.encode({"position": position}), now=True)
        batch.done()
        if self._traced is not None:
            self._traced.journalled(records, begun, self.clock())
        for offset, _, value in batch.records:
            self.hub.publish(OUTCOMES, batch.partition, offset, value)

    async def _make_whole(self, partition: int, stop: int, lacking: JournalWentBack) -> None:
        """Write to the journal again what it has forgotten of the outcomes before `stop`."""
        logger.error("the journal has forgotten what it took, and is told again: %s", lacking)
        await asyncio.to_thread(self._journal_again, partition, stop)

    # -- timers ----------------------------------------------------------------------------------------------------

    async def look_back(self) -> None:
        """See whether the journal still has what it took, though nothing new comes: if not, tell it again."""
        held = dict(self._journalled)  # before it is asked: meanwhile it may only get further
        try:
            reached = await asyncio.to_thread(self.journal.positions)
            for partition in [one for one, (offset, _) in held.items() if reached.get(one, -1) < offset]:
                async with self._journalling[partition]:
                    if (last := self._journalled.get(partition)) is None:
                        continue  # given up meanwhile
                    lacking = JournalWentBack(f"partition {partition}: {reached.get(partition)} instead of {last[0]}")
                    await self._make_whole(partition, last[1], lacking)
                position = await asyncio.to_thread(self.journal.position)
                self.hub.publish(JOURNAL, 0, 0, msgspec.msgpack.encode({"position": position}), now=True)
        except SQLAlchemyError as error:  # it is away: looked at again
            logger.warning("the journal was not looked at: %s", str(error).split("\n", 1)[0])

    async def tick(self) -> None:
        """Move every partition's clock, and pulse the figures."""
        failed = self.app.log_store.failed
        if failed is not None:
            raise RuntimeError("the log has failed; the process ends, to begin again with it") from failed
        now = self.clock()
        tick = observation.encode(Tick(time=now))
        try:
            if self.stations:
                await self.app.produce_many([(OBSERVATIONS, partition, None, tick) for partition in self.stations])
            self._trouble = ""
        except LogWriteError as error:
            self._trouble = f"the log takes nothing, nothing is acknowledged: {error}"
        figures = self.figures(now)
        self.hub.publish(PULSE, 0, 0, msgspec.msgpack.encode(figures))
        with contextlib.suppress(OSError):  # a full disk must not stop the clock; the figures go stale instead
            write_figures(self.settings.data_folder, "worker", figures)

    async def stand_by(self) -> None:
        """Bring the standbys of what other runs work on up to where those are, beside all else: some are made anew."""
        if self._standbys is None or not self.started.is_set() or (self._looking and not self._looking.done()):
            return
        mine = self.stations.keys() | self._parked.keys() | self._opening
        others = [one for one in range(self.partitions) if one not in mine]
        self._looking = asyncio.create_task(self._standbys.look(others))
        self._looking.add_done_callback(_tell_broken)

    async def follow(self) -> None:
        """Put a changed site that is proposed in force: in the log of every partition, and for the other processes."""
        proposed = self.settings.data_folder / publication.PROPOSED
        if not self.started.is_set() or self._taking is not None:
            return
        if (approved := self._to_publish()) is not None:
            self._taking = asyncio.create_task(self._approved(approved))
        elif proposed.exists():
            self._taking = asyncio.create_task(self._take_up())
        if self._taking is not None:
            self._taking.add_done_callback(self._taken_up)

    def _taken_up(self, task: asyncio.Task[None]) -> None:
        self._taking = None
        if not task.cancelled() and task.exception() is not None:
            logger.error("a changed site cannot be put in force", exc_info=task.exception())

    async def _take_up(self) -> None:
        folder = self.settings.data_folder
        with publication.held(folder) as file:
            if file is None:  # it is being withdrawn
                return
            proposal = await asyncio.to_thread(publication.proposal_in, file)
            if proposal is None:
                logger.error("the proposed site cannot be read and is dropped; what is in force stays")
                (folder / publication.PROPOSED).unlink(missing_ok=True)
            elif self._site().approval == "two" and version_of(proposal.packed) != self.version:
                if await self._propose(proposal):
                    publication.drop(folder, proposal)
            elif await self._publish(proposal):
                await self._adopt(proposal)

    async def _propose(self, proposal: publication.Proposal) -> bool:
        """Have a proposal wait in the log for a second person. False when the log does not take it."""
        before, after = (bundle.unpack(packed) for packed in (self.packed, proposal.packed))
        waiting = observation.encode(
            Proposal(
                version=version_of(proposal.packed),
                bundle=proposal.packed,
                source=proposal.source,
                author=proposal.author,
                reason=proposal.reason,
                time=self.clock(),
                difference=tuple(lines(difference(before, after))),
            )
        )
        partition = Registry(before.site).partition(SYSTEM)
        try:
            await self.app.produce(OBSERVATIONS, partition, None, waiting)
        except (LogWriteError, OSError) as error:
            self._hold_up(error)
            return False
        return True

    async def _approved(self, what: Proposal) -> None:
        """Put in force what a second person approved; tried again until it is."""
        proposal = publication.Proposal(what.bundle, what.source, what.author, what.reason, self.clock())
        if await self._publish(proposal):
            await self._adopt(proposal)

    def _to_publish(self) -> Proposal | None:
        """Find what a second person approved and what is not in force yet."""
        found = (station.engine.approvals.due() for station in self.stations.values())
        return next((one for one in found if one is not None and one.version != self.version), None)

    async def _publish(self, proposal: publication.Proposal) -> bool:
        """Write a proposal to the log of every partition. False when the log does not take it.

        Before that it is made ready, so that all that is left to do at its offset is to switch.
        """
        before = self.packed, self.version
        self._told = await self._ahead(proposal.packed)
        self.packed, self.version = proposal.packed, version_of(proposal.packed)  # a partition opened now has it too
        encoded = observation.encode(
            Publication(
                version=self.version,
                bundle=self.packed,
                author=proposal.author,
                reason=proposal.reason,
                time=self.clock(),
            )
        )
        folder = self.settings.data_folder
        try:
            if self.settings.cluster:
                await self.app.produce_many([joining.record(folder, proposal)])
            else:
                await asyncio.to_thread(publication.begin, folder, proposal)
            await self.app.produce_many(
                [(OBSERVATIONS, partition, None, encoded) for partition in range(self.partitions)]
            )
        except (LogWriteError, OSError) as error:  # a full disk: it stays proposed, and the next turn tries again
            self.packed, self.version = before
            publication.give_up(folder)
            self._hold_up(error)
            return False
        return True

    async def _ahead(self, packed: bytes) -> publication.Told | None:
        """Make what is to be published ready in every partition, and say how it differs; None when it cannot be."""
        version, content = version_of(packed), None
        if self._told is not None and all(station.engine.has_ready(version) for station in self.stations.values()):
            return self._told  # the log did not take it the last time
        known = bundle.Known()
        for station in list(self.stations.values()):
            known = station.engine.known_content
            content = await self._make_ready(station, packed, version)
        if content is None:
            return None
        try:
            former, _ = await _in_turns(bundle.unpacking(self.packed, known))
        except bundle.BundleError:  # written by other code
            return None
        return publication.Told(self.version, content.site.version, tuple(lines(difference(former, content))))

    async def _adopt(self, proposal: publication.Proposal) -> None:
        """Have the other processes go by what the log has, however often that must be tried: there is no way back."""
        pause = FOLLOW_SECONDS
        while True:
            try:
                await asyncio.to_thread(publication.adopt, self.settings.data_folder, proposal, self._told)
                break
            except (OSError, ValueError) as error:  # a full disk or a folder that cannot be written, mostly
                self._hold_up(error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, ADOPT_MOST)
        self._unfollowed = ""
        logger.info("version %s of the site is in the log, by %s", self.version, proposal.author)

    def _site(self) -> Site:
        """Return the site in force."""
        if self._read is None or self._read[0] is not self.packed:
            held = (station.engine for station in self.stations.values() if station.engine.version == self.version)
            known = next((engine.registry.site for engine in held if engine.registry is not None), None)
            self._read = self.packed, known or bundle.unpack(self.packed).site
        return self._read[1]

    def _hold_up(self, error: Exception) -> None:
        """Say, once, why a changed site is not in force yet."""
        if self._unfollowed != str(error):
            logger.error("a changed site cannot be put in force yet: %s", error)
        self._unfollowed = str(error)

    async def snapshot(self) -> None:
        """Have the state of every partition written once what it stands at is committed."""
        self._due.update(self.stations)

    def _keep(self, partition: int, station: Station) -> asyncio.Task[None] | None:
        """Take a station's state, if all it stands at is committed, and have it written while the engine goes on."""
        frozen = station.freeze(self.app.log_store.committed(GROUP, OBSERVATIONS, partition))
        if frozen is None:
            return None
        task = self._writing[partition] = asyncio.create_task(self._write(station, frozen))
        task.add_done_callback(lambda _: self._kept(partition, task))
        return task

    def _kept(self, partition: int, task: asyncio.Task[None]) -> None:
        self._writing.pop(partition, None)
        if not task.cancelled() and task.exception() is not None:
            logger.error("partition %d: a snapshot broke", partition, exc_info=task.exception())

    async def _write(self, station: Station, frozen: Frozen) -> None:
        """Write a state a little at a time: each transaction holds up what is written with it, and behind it."""
        records = frozen.records()
        try:
            while some := list(itertools.islice(records, CHUNKS)):
                await self.app.produce_many(some)
        except LogWriteError as error:  # the log has the observations; the next turn tries again
            logger.warning("partition %d: no snapshot was written: %s", frozen.partition, error)
            return
        station.kept(frozen)
        self._keep_moment(frozen)

    def _keep_moment(self, frozen: Frozen) -> None:
        """Keep a state for later replays, now and then."""
        partition, offset, clock, content, _ = frozen
        if partition not in self._moments:
            most = self.settings.moments_megabytes * 1e6 / max(1, len(self.stations))
            self._moments[partition] = Moments(self.settings.log_folder / FOLDER, partition, most)
        moments = self._moments[partition]
        if moments.due(clock):
            oldest = self.app.log_store.start(OBSERVATIONS, partition)
            # beside the next batches, which need not wait for the disk
            self._keeping[partition] = asyncio.create_task(
                asyncio.to_thread(moments.keep, offset, clock, content, oldest)
            )

    async def prune(self) -> None:
        """Drop and redact what the policy no longer lets the journal keep: soon after the start, then once a day."""
        if not self._pruning.is_due(self.clock()):
            return
        try:
            await asyncio.to_thread(housekeeping.keep_to_policy, self.settings, self.journal.engine, self.clock())
        except SQLAlchemyError as error:  # a locked or full disk: the next turn does it
            logger.warning("the journal was not kept to its policy: %s", error)
            return
        self._pruning.done(self.clock())

    def figures(self, now: float) -> dict[str, Any]:
        """Count what the worker does: totals, and readings a second since the last call."""
        stations = list(self.stations.values())
        readings = sum(station.readings for station in stations)
        before, last = self._pulse_before
        self._pulse_before = (now, readings)
        refused: dict[str, int] = {}
        for station in stations:
            for reason, count in station.refused.items():
                refused[reason] = refused.get(reason, 0) + count
        others = read_figures(self.settings.data_folder)
        bridges = {name: told for name, told in others.items() if name.partition("-")[0] == "bridge"}
        quarantine: dict[str, int] = {}
        for told in (*bridges.values(), others.get("console", {})):  # what came over MQTT, and over HTTP
            for reason, count in told.get("refused", {}).items():
                quarantine[reason] = quarantine.get(reason, 0) + count
        for process in ("broker", "camera"):
            for reason, count in others.get(process, {}).get("refused", {}).items():
                quarantine[f"{process}_{reason}"] = count
        cameras = {name: at for station in stations for name, at in station.engine.cameras.items()}
        cameras.update(others.get("camera", {}).get("seen", {}))
        for reason, count in refused.items():
            quarantine[reason] = quarantine.get(reason, 0) + count
        return {
            "time": now,
            "trouble": self._trouble or next(iter(self._untold.values()), ""),
            "quarantine": quarantine,
            "brokers": {name.partition("-")[2] or "main": told for name, told in bridges.items()},
            "cameras": cameras,
            **{
                kind: {name: ahead for figures in others.values() for name, ahead in figures.get(kind, {}).items()}
                for kind in ("clocks", "camera_clocks")
            },
            "log": self._log_figures(),
            "version": self.version,
            "following": self.version,
            "partitions": sorted(self.stations),
            "readings": readings,
            "readings_per_second": round((readings - last) / max(now - before, 1e-3), 1),
            "engine_lag": sum(station.lag for station in stations),
            "engine_seconds": sum(station.busy for station in stations),
            "gaps": sum(station.gaps for station in stations),
            "refused": refused,
            "points_live": sum(station.engine.live() for station in stations),
            "models": [
                one
                for station in stations
                if station.engine.evaluator is not None
                for one in station.engine.evaluator.together.counts()
            ],
            "guessed": {id: kind for station in stations for id, kind in station.engine.guessed().items()},
            "points_total": sum(len(station.engine.points) for station in stations),
        }

    def _log_figures(self) -> dict[str, Any]:
        try:
            return self.app.log_store.figures()
        except LogClosedError:  # before the start, and at the end
            return {}

    # -- partitions ------------------------------------------------------------------------------------------------

    async def _open(self, partition: int) -> Station:
        """Bring a partition's engine up to what is committed; put the site in force where the log does not know it."""
        log = self.app.log_store

        def caught_up(done: int, total: int) -> None:
            self._progress(f"partition {partition}: {done} of {total} observations read again")

        committed = log.committed(GROUP, OBSERVATIONS, partition)
        parked = self._parked.pop(partition, None)
        if parked is not None and parked.engine.offset + 1 == committed:  # nobody has gone on in between
            self.stations[partition] = parked
            return parked
        station = None
        if self._standbys is not None:
            if parked is not None:  # others went on from where it stands
                self._standbys.keep(partition, parked)
            station = await self._standbys.take(partition, committed)
        if station is None:
            station = await asyncio.to_thread(Station, partition, log, committed, caught_up)
        known = bool(station.engine.version) and self.settings.cluster  # what the log has is what all runs go by
        if station.lost or (station.engine.version != self.version and not known):
            if self.settings.cluster:
                await self._begin_cluster()
            publication = Publication(
                version=self.version,
                bundle=self.packed,
                author="foreshock run",
                reason="site at start",
                time=self.clock(),
            )
            encoded = observation.encode(publication)
            if station.lost and not station.engine.version:
                # in force before what comes next, too: it may have been acknowledged and not been looked at yet
                with self._signs(True):
                    station.engine.apply([(station.engine.offset, encoded)])
            await self.app.produce(OBSERVATIONS, partition, None, encoded)
        if station.lost:
            await asyncio.to_thread(self._forget, station, self._site())
        self.stations[partition] = station
        self._settle()
        return station

    async def _begin_cluster(self) -> None:
        """Have all runs go by the site of the first, where none is in force yet."""
        if await asyncio.to_thread(joining.newest, self.app.log_store) is not None:
            await self._go_along()
            return
        proposal = publication.Proposal(self.packed, "", "foreshock run", "site at start", self.clock())
        await self.app.produce_many([joining.record(self.settings.data_folder, proposal)])

    async def _assigned(self, partitions: Sequence[tuple[str, int]]) -> None:
        lost = []
        self._opening = {partition for topic, partition in partitions if topic == OBSERVATIONS}
        # what was ours before first: that is at hand, and its clock need not stand while others' states are restored
        for topic, partition in sorted(partitions, key=lambda one: (one[0] == OUTCOMES, one[1] not in self._parked)):
            if topic == OUTCOMES:
                await asyncio.to_thread(self._journal_again, partition)
            if topic == OBSERVATIONS:
                back = await asyncio.to_thread(self._back, partition)
                station = await self._open(partition)
                if back:
                    await asyncio.to_thread(self._forget, station, self._site())
                lost += [back, station.lost]
                # before the hub lets anything in: the engine learns that it was away before it hears what came then
                with contextlib.suppress(LogWriteError):  # a full disk lets nothing in either; the timer says so
                    await self.app.produce(OBSERVATIONS, partition, None, observation.encode(Tick(time=self.clock())))
        if self._standbys is not None:
            for partition, station in self._parked.items():
                self._standbys.keep(partition, station)
        self._parked.clear()
        self._opening.clear()
        await self._confess(lost)
        self.started.set()

    async def _confess(self, lost: Sequence[str]) -> None:
        """Have what was forgotten stand as an alarm of the system until somebody acknowledges it."""
        said = "; ".join(one for one in lost if one)
        if not said:
            return
        now = self.clock()
        events = (
            SystemEvent(component="memory", state="down", time=now, detail=said),
            SystemEvent(component="memory", state="up", time=now),
        )
        partition = Registry(self._site()).partition(SYSTEM)
        await self.app.produce_many([(OBSERVATIONS, partition, None, observation.encode(one)) for one in events])

    def _back(self, partition: int) -> str:
        """Have the journal go on from where the log ends, should that have lost its end; say so, "" where it has not.

        Both are flushed on their own: after a loss of power one may have what the other lacks. Kafka's topics are
        flushed by more than one machine, and their end is not ours to judge by.
        """
        log = self.app.log_store
        last = log.end(OBSERVATIONS, partition) - 1
        ahead = self.journal.back_to(partition, last, log.identity) if self.settings.kafka is None else 0
        if not ahead:
            return ""
        said = (
            f"partition {partition}: the log ends at observation {last}, the journal knew of {ahead} more: lost "
            "by a loss of power? FORESHOCK_SYNCHRONOUS=FULL bears one"
        )
        logger.error("%s", said)
        return said

    def _forget(self, station: Station, site: Site) -> None:
        """Close in the journal what a station's engine no longer knows, after all that it may yet be told of before."""
        self._journal_again(station.partition, self.app.log_store.end(OUTCOMES, station.partition))
        registry = Registry(site)
        elsewhere = {area.id for area in site.areas if registry.partition(area.id) != station.partition}
        self.journal.forget(station.partition, station.engine.known(), station.found, self.clock(), elsewhere)
        station.found.clear()

    def _journal_again(self, partition: int, stop: int | None = None) -> None:
        """Write to the journal what it lacks of the committed outcomes: the last after a power cut, all if it is new.

        What it has is known by its id and left alone. `stop`: of those up to there, committed or not.
        """
        log = self.app.log_store
        committed = stop if stop is not None else log.committed(GROUP, OUTCOMES, partition) or 0
        reached, oldest = self.journal.positions().get(partition), log.start(OUTCOMES, partition)
        at = max(oldest, committed - RECENT if reached is not None else 0)
        while at > oldest and (first := log.read(OUTCOMES, partition, at, committed, limit=1)):
            if reached is None or outcome.decode(first[0][2]).offset <= reached:
                break
            at = max(oldest, at - RECENT)  # it lacks more
        while at < committed and (found := log.read(OUTCOMES, partition, at, committed, limit=RECENT)):
            self.journal.record([outcome.decode(value) for _, _, value in found], log.identity)
            at = found[-1][0] + 1
            self._progress(f"partition {partition}: outcomes to {at} of {committed} are in the journal")

    async def _revoked(self, partitions: Sequence[tuple[str, int]]) -> None:
        for topic, partition in partitions:
            self._untold.pop(partition, None)  # another's to say
            if topic == OUTCOMES:
                self._journalled.pop(partition, None)
            if topic != OBSERVATIONS:
                continue
            station = self.stations.pop(partition, None)
            if (written := self._writing.get(partition)) is not None:
                await written
            if station is not None and (task := self._keep(partition, station)) is not None:
                await task
            if station is not None and self.settings.cluster:
                self._parked[partition] = station


def _tell_broken(looking: asyncio.Task[None]) -> None:
    if not looking.cancelled() and looking.exception() is not None:
        logger.error("the standbys broke", exc_info=looking.exception())


async def _repeat(alive: Callable[[], None]) -> None:
    while True:
        alive()
        await asyncio.sleep(1.0)


@contextlib.contextmanager
def _beside(alive: Callable[[], None]) -> Iterator[None]:
    """Call `alive` once a second from a thread, for at most PATIENCE seconds: what hangs must still be found."""
    done = threading.Event()
    until = time.monotonic() + PATIENCE

    def say() -> None:
        while time.monotonic() < until:
            alive()
            if done.wait(1.0):
                return

    thread = threading.Thread(target=say, name="signs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def slices(records: Sequence[tuple[int, bytes]]) -> Iterator[Sequence[tuple[int, bytes]]]:
    """Yield records (offset, value) in parts of at most SLICE records and SLICE_BYTES bytes, or of one record.

    One that brings rules is a part of its own.
    """
    start, size, alone = 0, 0, False
    for place, (_, value) in enumerate(records):
        brings = observation.brings_rules(value)
        if place > start and (brings or alone or place - start == SLICE or size + len(value) > SLICE_BYTES):
            yield records[start:place]
            start, size = place, 0
        size, alone = size + len(value), brings
    if records:
        yield records[start:]


async def _in_turns(steps: Steps[T]) -> T:
    """Do long work in the event loop, a few milliseconds at a time, between all else.

    In another thread it would take the interpreter's lock at every call into numpy that the engine makes, and keep it.
    """
    while True:
        until = time.perf_counter() + TURN
        while time.perf_counter() < until:
            try:
                next(steps)
            except StopIteration as done:
                result: T = done.value
                return result
        await asyncio.sleep(PAUSE)


async def _unless(failure: asyncio.Task[BaseException | None], awaited: Awaitable[Any]) -> None:
    """Wait for something unless the application crashes first. Raise `RuntimeError` then, for the process to end on."""
    task = asyncio.ensure_future(awaited)
    await asyncio.wait({task, failure}, return_when=asyncio.FIRST_COMPLETED)
    if failure.done():
        task.cancel()
        reason = failure.result()
        raise RuntimeError(f"the application has crashed: {reason}") from reason
    task.result()
