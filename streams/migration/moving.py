"""Moving a site: first all that there is while it runs, then, once it is stopped, the rest, and the hand-over.

Every step may be cut off and done again. Neither log can be run on between the stop and the end; see
`streams.embedded.settled`. What came before the stop is told apart from what came after by nothing but the copying.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from streams import housekeeping, joining, logs, publication, supervisor
from streams.archive import marker
from streams.archive.store import Store as ArchiveStore
from streams.bundle import version_of
from streams.embedded import settled
from streams.embedded.filelock import FileLock
from streams.embedded.filling import LogFilling
from streams.embedded.reader import LogReader
from streams.embedded.schema import TopicSpec
from streams.migration import ends, files, history, report, stores
from streams.migration.copying import Comparison, Copier, Filling, Place, compact_comparison, latest
from streams.migration.report import Compared, Files, MigrationError, Report, Table
from streams.migration.state import Kept, State
from streams.migration.tables import Change, Known, Store, nothing
from streams.publication import Proposal
from streams.readable import Reader
from streams.settings import Settings
from streams.topics import GROUP, OBSERVATIONS, OUTCOMES, SITE
from streams.topics_held import topic_specs

if TYPE_CHECKING:
    from streams.kafka.filling import KafkaLeaving

ENOUGH = 2000
"""Records that a round leaves, at most, for the stop: a second or so of a busy site."""

ROUNDS = 50
STOP_SECONDS = 60.0
LOOK = 0.2

Told = Callable[[str, int, int | None], None]
"""Hears what is at hand, how much of it was done more, and how much there is in all, if that is new."""


class Part(NamedTuple):
    """What a plan names: of which kind, its name, and how much of it there is."""

    kind: str
    name: str
    records: int
    bytes: int = 0


class Plan(msgspec.Struct, frozen=True):
    """What would be moved, and what whoever asks for it should know."""

    site: str
    source: str
    target: str
    runs: str  # the process of the source's run; empty when it is at rest
    parts: list[Part]
    notes: list[str]


class Work(NamedTuple):
    """What a move works with: the source's log, the target's for reading and for writing, how far it has come, and
    what is known of the rows that were copied."""

    source: Reader
    there: Reader
    target: Filling
    copier: Copier
    state: State
    comparisons: dict[Place, Comparison]
    stores: Known


class Move:
    """Move a site from one set-up to another. Raise `MigrationError`, `LogError`, `OSError`, SQLAlchemy's errors."""

    def __init__(
        self,
        source: Settings,
        target: Settings,
        *,
        chosen: bool = False,
        told: Told = lambda *_: None,
        actor: str = housekeeping.ACTOR,
    ) -> None:
        """`chosen`: the target's settings name the site's folder; `actor` is who is audited for it."""
        self._actor = actor
        self._source, self._target, self._told = source, target, told
        self.site = ends.require_pair(source, target, chosen)
        self._kept = Kept(target.data_folder)
        self._begun = time.time()

    @property
    def specs(self) -> dict[str, TopicSpec]:
        """What the target's log holds."""
        return topic_specs(self._target, self.site.partitions)

    # looking ---------------------------------------------------------------------------------------------------------

    def plan(self) -> Plan:
        """Say what would be moved; nothing is changed."""
        source = self._source
        self._require_here()
        with logs.reader(source.log) as log:
            parts = [
                Part("topic", place.key, log.end(*place) - log.start(*place)) for place in self._places(log, every=True)
            ]
        for name in stores.apart(source, self._target):
            parts.append(Part("store", name, 0))
        if source.data_folder != self._target.data_folder:
            databases, names = files.listed(source.data_folder)
            size = sum((source.data_folder / name).stat().st_size for name in names)
            parts.append(Part("files", str(self._target.data_folder), len(names) + len(databases), size))
        parts += [Part("history", tier, 0) for tier in history.apart(source, self._target)]
        return Plan(
            self.site.id,
            ends.named(source),
            ends.named(self._target),
            self._holder() or "",
            parts,
            self._remarks(),
        )

    def _remarks(self) -> list[str]:
        found = []
        source, target = self._source, self._target
        if source.archive != target.archive:
            found.append("archive")
        if target.cluster and target.data_folder == source.data_folder:
            found.append("key")
        if source.cluster:
            found.append("machines")
        if source.kafka is None and not source.mqtt_host:
            found.append("broker")
        if history.left(source, target):
            found.append("left")
        return found

    def _leaving(self) -> KafkaLeaving:
        from streams.kafka.filling import KafkaLeaving  # here: its clients are not needed for a file

        assert self._source.kafka is not None
        return KafkaLeaving(self._source.kafka, self._source.kafka_replication)

    def _holder(self) -> str | None:
        return supervisor.holder(self._source.data_folder)

    def _require_here(self) -> None:
        """Raise `MigrationError` where the source is no longer there, or the target is of somebody else."""
        source, target = self._source, self._target
        if source.kafka is None and (found := settled.marked(source.log_file)) is not None:
            known = found.state == settled.LEAVING or (found.state == settled.MOVED and self._kept.read() is not None)
            if not known or found.to != ends.named(target):
                raise MigrationError(f"{source.log_file}: {settled.said(found.state, found.to)}")
        if source.kafka is not None and self._kept.read() is None and self._leaving().marked():
            raise MigrationError(f"{ends.named(source)}: {settled.said(settled.MOVED, 'another place')}")
        state = self._kept.read()
        if state is not None and state.report is not None:
            return  # handed over: the target may run, and has its history still to come
        if target.data_folder != source.data_folder and (process := supervisor.holder(target.data_folder)) is not None:
            raise MigrationError(
                f"process {process} runs on {target.data_folder}: both ends would run; stop it first",
                f"进程 {process} 正在 {target.data_folder} 上运行：两端不能同时运行，请先停止它",
            )
        if state is not None and state.site != self.site.id:
            raise MigrationError(
                f"{target.data_folder}: a move of the site {state.site} is under way there",
                f"{target.data_folder}：站点 {state.site} 正在迁移到那里",
            )
        if state is None:
            self._require_empty()

    def _require_empty(self) -> None:
        target = self._target
        if target.kafka is None:
            if target.log_file.exists() and not _is_new(target.log_file):
                raise MigrationError(
                    f"{target.log_file} holds other data: name another data folder, or move it away",
                    f"{target.log_file} 已有其他数据：请指定其他数据文件夹，或将其移走",
                )
            return
        with logs.reader(target.log) as log:
            for topic, count in log.topics().items():
                for number in range(count if topic in self.specs else 0):
                    if log.end(topic, number):
                        name = target.kafka.name(topic)
                        raise MigrationError(
                            f"{name} holds other data: name another prefix, or delete its topics",
                            f"{name} 已有其他数据：请指定其他前缀，或删除其主题",
                        )

    # doing -----------------------------------------------------------------------------------------------------------

    def run(self, *, switch: bool) -> Report | None:
        """Copy what there is; with `switch` stop the source, copy the rest, and hand over. None without.

        It may be called again after it was cut off anywhere.
        """
        files.require_private(self._target.data_folder)
        if (state := self._kept.read()) is not None and state.report is not None:
            return self._end()
        self._require_here()
        with ExitStack() as stack:
            stack.enter_context(_held(self._target.data_folder / "migration"))
            source = stack.enter_context(logs.reader(self._source.log))
            target = self._filling()
            stack.callback(target.close)
            state = self._state(source, target)
            there = stack.enter_context(logs.reader(self._target.log))
            work = Work(source, there, target, Copier(source, target, state, self._kept), state, {}, {})
            self._ahead(work)
            if not switch:
                return None
            with self._stopped(state):
                return self._hand_over(work)

    def _filling(self) -> Filling:
        target = self._target
        if target.kafka is None:
            target.log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return LogFilling(target.log_file, self.specs)
        from streams.kafka.filling import KafkaFilling  # here: its clients are not needed for a file

        filling = KafkaFilling(target.kafka, self.specs, target.kafka_replication)
        if found := filling.members(GROUP):
            filling.close()
            raise MigrationError(
                f"{', '.join(sorted(found))} runs on the target: both ends would run; stop it first",
                f"{'、'.join(sorted(found))} 正在目标端运行：两端不能同时运行，请先停止它",
            )
        return cast(Filling, filling)

    def _state(self, source: Reader, target: Filling) -> State:
        state = self._kept.read()
        if state is None:
            state = State(source=source.identity, target=target.identity, site=self.site.id)
            self._kept.write(state)
        if (state.source, state.target) != (source.identity, target.identity):
            raise MigrationError(
                f"the move that is under way in {self._target.data_folder} is between other logs: "
                "begin again with an empty target",
                f"{self._target.data_folder} 中正在进行的迁移属于其他日志：请用空的目标端重新开始",
            )
        return state

    def _places(self, log: Reader, *, every: bool = False) -> list[Place]:
        there, specs = log.topics(), self.specs
        return [
            Place(topic, number)
            for topic, spec in specs.items()
            if topic != SITE and (every or not spec.compact)
            for number in range(there.get(topic, 0))
        ]

    def _ahead(self, at: Work) -> None:
        """Copy up to the end, again and again, until little is left; and compare it."""
        there_is = at.source.topics()
        for topic, spec in self.specs.items():
            if topic != SITE and there_is.get(topic, spec.partitions) != spec.partitions:
                raise MigrationError(
                    f"{topic} has {there_is[topic]} partitions, the site says {spec.partitions}: that cannot change",
                    f"{topic} 有 {there_is[topic]} 个分区，而站点为 {spec.partitions} 个：不能更改",
                )
        for _ in range(ROUNDS):
            left = self._round(at)
            if left <= ENOUGH:
                break
        if self._source.data_folder != self._target.data_folder:
            files.copy(self._source.data_folder, self._target.data_folder, lambda name: self._told("files", 1, None))
        self._stores(at)

    def _round(self, at: Work) -> int:
        """Copy and compare all that there is now; return how many records have come meanwhile."""
        stops = {place: at.source.end(*place) for place in self._places(at.source)}
        for place, stop in stops.items():
            begun = at.state.at.get(place.key, (at.source.start(*place), 0))[0]
            self._told(place.key, 0, max(0, stop - begun))
            at.copier.copy(place, stop, self._counting(place.key))
        for place in stops:
            if place not in at.comparisons:
                keeps = at.target.keeps_offsets
                at.comparisons[place] = Comparison(place, at.source, at.there, at.state, keeps=keeps)
            at.comparisons[place].go_on(self._counting(f"verify {place.key}"))
        return sum(at.source.end(*place) - stop for place, stop in stops.items())

    @contextlib.contextmanager
    def _stopped(self, state: State) -> Iterator[None]:
        """Have nothing run at the source for good, and nothing at the target, until this is over."""
        source, target = self._source, self._target
        asked = time.time()
        leaving = None if source.kafka is None else self._leaving()
        if leaving is not None:
            leaving.mark()
        else:
            settled.mark(source.log_file, settled.LEAVING, ends.named(target))
        if (process := self._holder()) is not None:
            if not process.isdigit():
                raise MigrationError(
                    f"{source.data_folder} is in use and it is not known by whom: stop it, call again",
                    f"{source.data_folder} 正被使用，但不知被谁使用：请停止后再次执行",
                )
            self._told("stop", 0, None)
            os.kill(int(process), signal.SIGTERM)
        _wait(lambda: self._holder() is None, f"process {process} has not stopped")
        with ExitStack() as stack:
            for folder in {source.data_folder, target.data_folder}:
                stack.enter_context(supervisor.take_lock(folder))
            if source.kafka is None:
                stack.callback(FileLock(source.log_file).release)
            elif leaving is not None:
                found = leaving
                _wait(lambda: not found.members(GROUP), "other workers of the site are still there: stop them")
                found.settle(GROUP, self.site.partitions)
            if not state.stopped:
                state.stopped = asked
                self._kept.write(state)
            yield

    def _hand_over(self, at: Work) -> Report:
        source, target, copier = at.source, at.target, at.copier
        while self._round(at):
            continue  # of bridges that write to Kafka by themselves
        compacted = self._snapshots(source, at.there, target)
        tables = self._stores(at, lambda store: _naming(store, target.identity))
        if stores.JOURNAL not in stores.apart(self._source, self._target):
            stores.hand_over(self._target, target.identity)
        copied = self._files()
        history.prepare(self._source, self._target, self.site.partitions, copier.target_offset)
        offsets = self._offsets(source, copier)
        for place in at.comparisons:
            target.finish_at(*place, copier.target_offset(place, source.end(*place)))
        self._site(source, target)
        target.commit(GROUP, offsets)
        self._archive(at.state)
        if self._source.kafka is None:
            settled.mark(self._source.log_file, settled.MOVED, ends.named(self._target))
        target.settle()
        topics = [*(one.result() for one in at.comparisons.values()), *compacted]
        made = self._report(at.state, offsets, topics, tables, copied)
        at.state.report = made
        self._kept.write(at.state)
        return self._end()

    def _end(self) -> Report:
        """Let the target be run on. From the moment on that the state has a report nothing but this is done again."""
        state = self._kept.read()
        assert state is not None and state.report is not None
        if self._target.kafka is None:
            settled.unmark(self._target.log_file)
        else:
            from streams.kafka.filling import unmark

            unmark(self._target.kafka)
        self._told("handed over", 0, None)
        rows = history.fill(self._source, self._target, self.site, state, self._kept, self._told)
        made = msgspec.structs.replace(state.report, history=rows)
        report.keep(self._target.data_folder, made)
        told = {"before": made.source, "after": made.target, "stopped_seconds": made.stopped_seconds}
        housekeeping.note(self._target, self._actor, "site.moved", made.site, **told)
        self._kept.forget()
        return made

    def _report(
        self,
        state: State,
        offsets: dict[tuple[str, int], int],
        topics: list[Compared],
        tables: list[Table],
        copied: Files | None,
    ) -> Report:
        ended = time.time()
        return Report(
            site=self.site.id,
            source=ends.named(self._source),
            target=ends.named(self._target),
            begun=self._begun,
            ended=ended,
            stopped_seconds=round(ended - state.stopped, 3),
            offsets={Place(*place).key: at for place, at in offsets.items()},
            topics=topics,
            tables=tables,
            files=copied,
            history=[],
        )

    def _snapshots(self, source: Reader, there: Reader, target: Filling) -> list[Compared]:
        found = []
        for place in self._places(source, every=True):
            if self.specs[place.topic].compact:
                records = sorted(latest(source, place).values(), key=lambda record: record[0])
                target.replace(*place, records)
                found.append(compact_comparison(place, source, there))
        return found

    def _counting(self, what: str) -> Callable[[int], None]:
        return lambda count: self._told(what, count, None)

    def _site(self, source: Reader, target: Filling) -> None:
        """Have runs of a cluster that join go by what is in force; and who leaves one have it in its folder."""
        data = self._target.data_folder
        if SITE in source.topics() and (found := joining.newest(source)) is not None:
            joining.join(data, found)
        if SITE in self.specs:
            kept = next(iter(_shelved(data)), None)
            packed = publication.read(data)
            by = kept or Proposal(packed, "", "foreshock migrate", "", self._begun)
            written = joining.record(data, Proposal(packed, "", by.author, by.reason, by.time))
            target.replace(SITE, 0, [(0, self._begun, written.key, written.value)])

    def _stores(self, at: Work, change: Callable[[Store], Change] = lambda _: nothing) -> list[Table]:
        """Have the target's databases hold what the source's do, and compare.

        While the site runs that is most of it, so that the stop has only to wait for what changes from then on.
        """
        found: list[Table] = []
        names, first = stores.apart(self._source, self._target), not at.stores
        with stores.opened(self._source, self._target, names) as opened:  # anew: there may be more than there was
            for store in opened:
                self._require_ours(store, at.state)
                store.remember(at.stores)
                self._told(store.name, 0, store.rows() if first else None)
                found += store.copy(change(store), self._counting(store.name))
        return found

    def _require_ours(self, store: Store, state: State) -> None:
        """Note that a database is begun. Raise `MigrationError` where it holds what is not of this move."""
        if store.name in state.stores:
            return
        if not store.is_empty("counters"):
            raise MigrationError(
                f"{store.name}: the target's holds other data: name an empty database",
                f"{store.name}：目标端数据库已有其他数据：请指定空的数据库",
            )
        state.stores.append(store.name)
        self._kept.write(state)

    def _files(self) -> Files | None:
        source, target = self._source.data_folder, self._target.data_folder
        if source == target:
            return None
        files.copy(source, target, lambda name: self._told("files", 1, None))
        return files.compare(source, target)

    def _offsets(self, source: Reader, copier: Copier) -> dict[tuple[str, int], int]:
        found = {}
        for topic in (OBSERVATIONS, OUTCOMES):
            for number in range(self.site.partitions):
                at = source.committed(GROUP, topic, number)
                if at is not None:
                    found[topic, number] = copier.target_offset(Place(topic, number), at)
        return found

    def _archive(self, state: State) -> None:
        """Have an archive that both ends name be that of the new log: its segments name offsets that stay the same."""
        place = self._target.archive_place
        if place is None or place.where != self._source.archive:
            return
        marker.hand_over(ArchiveStore(place), state.source, state.target)

    def give_up(self) -> bool:
        """Let the source be run on again, unless it was handed over; tell whether it was marked."""
        if self._source.kafka is None:
            found = settled.marked(self._source.log_file)
            if found is None:
                return False
            if found.state != settled.LEAVING:
                raise MigrationError(f"{self._source.log_file}: {settled.said(found.state, found.to)}")
            settled.unmark(self._source.log_file)
            return True
        leaving = self._leaving()
        if not leaving.marked():
            return False
        if self._kept.read() is None:
            raise MigrationError(
                "the site was handed over already: it runs at the target", "站点已经移交：它在目标端运行"
            )
        leaving.unmark()
        return True


def _naming(store: Store, identity: str) -> Change:
    return lambda connection: stores.name_log(connection, identity) if store.name == stores.JOURNAL else None


def _shelved(data: Path) -> list[Proposal]:
    from streams import shelf

    packed = publication.read(data)
    kept = shelf.latest(shelf.listed(data), version_of(packed))
    return [] if kept is None else [Proposal(packed, "", kept.author, kept.reason, kept.time)]


def _wait(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + STOP_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise MigrationError(
                f"{what}; then call `foreshock migrate` again, or take it back with --give-up",
                f"等待停止超时（{what}）；之后再次执行 `foreshock migrate`，或用 --give-up 撤回",
            )
        time.sleep(LOOK)


def _is_new(file: Path) -> bool:
    with LogReader(file) as log:
        return not any(log.end(topic, number) for topic, count in log.topics().items() for number in range(count))


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Have one move at a time go to a data folder."""
    lock = FileLock(path)
    try:
        yield
    finally:
        lock.release()
