"""One console at work: its parts, and the tasks that keep them fed while it serves."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import AsyncIterator, Collection, Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from anyio import CapacityLimiter, to_thread
from fastapi import Request

from alerts.console.accounts import open_accounts, read_key
from alerts.console.commands import Commander
from alerts.console.config import ConsoleConfig
from alerts.console.errors import Problem
from alerts.console.figures import Figures
from alerts.console.identity import Gate, Identity
from alerts.console.journal import Journal, Row
from alerts.console.live import Live
from alerts.console.metrics import Metrics
from alerts.console.pages import Pages
from alerts.console.persons import subject_key
from alerts.console.quality import QualityStore
from alerts.console.rates import ScoreRates
from alerts.console.scope import Scope, cut, cut_order, cut_whole, named_in, scope_of
from alerts.console.situations import Situations
from alerts.console.small_pictures import SmallPictures
from alerts.console.throttle import Throttle
from alerts.console.traces import TraceStore
from alerts.console.viewing import Viewing
from alerts.duty import Roster
from alerts.load import DAY_MINUTES, MINUTE
from alerts.plans import Plans
from alerts.queries import Reader
from alerts.routing import Router
from alerts.triage import Triage
from sensors.flags import ASIDE
from sensors.lookup import Registry
from sensors.push import Push

if TYPE_CHECKING:
    from alerts.console.config import Batch, Columns

log = logging.getLogger(__name__)

TOPICS = ("journal", "pulse", "scores")
HEARD = 5.0  # seconds without a pulse after which the engine counts as away
_SCOPES = 256  # sets of places whose areas are remembered
_TOGETHER = 256  # records of scores put into the traces in one pass at start
_GATHER = 0.2  # seconds for which records of scores are gathered before they are put into the traces
_HELD = 4096  # records of scores held back at most while the traces are filled from the log


class Console:
    """Hold the parts of one console. `serving()` opens and feeds them."""

    def __init__(self, config: ConsoleConfig) -> None:
        self.config = config
        self.accounts = open_accounts(config.accounts, hasher=config.hasher)
        key = read_key(config.data)
        secure = config.site.console.lower().startswith("https:")
        self.gate = Gate(self.accounts, key, idle=config.session_idle, secure=secure, second_step=config.second_step)
        self.journal = Journal(config.journal)
        self.traces = TraceStore(max((point.index for point in config.site.points), default=-1) + 1)
        self.figures = Figures(config.site, self.traces, time.time())
        self.registry = Registry(config.site)
        self.quality = QualityStore(self.registry)
        self.triage = Triage(config.data, config.triage)
        self.rates = ScoreRates(self.registry)
        self.situations = Situations()
        self.push = Push(self.registry)
        self.pushing = threading.Lock()  # what is turned down is counted in one place
        self.photographing = CapacityLimiter(1)  # a photo takes up to a fifth of a gigabyte while it is made anew
        self.exploring = CapacityLimiter(1)  # reading the log takes a core for seconds
        self.prune_photos = 0.0  # when (monotonic) the reports' photos are to be looked through next
        self.subject_key = subject_key(key)
        self.router, self.plans = Router(config.site), Plans(config.site)
        self.roster = Roster(config.site)
        self.pages = Pages(config.static, config.site.language)
        self.site_answers: dict[tuple[bool, tuple[str, ...]], tuple[bytes, bytes, str]] = {}  # body, gzip, tag
        self._scopes: dict[tuple[str, ...], tuple[Registry, Scope]] = {}
        self.viewing, self.small_pictures = Viewing(), SmallPictures()
        self.throttle = Throttle(config.failures)
        self.metrics = Metrics(
            lambda: self.figures.status(time.time()), lambda: self.figures.pulse, self.quality.totals, config.processes
        )
        self.hashing = CapacityLimiter(2)  # Argon2 takes memory and a core: never more than two at once
        self.live = Live(
            self.journal, most_viewers=config.viewers, most_each=config.viewers_each, queue=config.viewer_queue
        )
        self.live.moved = self._moved
        self.live.named = self.area_name
        self.commander = Commander(self.registry, config.feed, self.live, self.accounts, wait=config.command_wait)
        self._simulated: set[str] = set()
        self._load_from: int | None = None  # where the journal stood when changes began to be followed
        self._counting = asyncio.Event()
        self._gathered: list[Batch] = []
        self._reached: dict[int, int] = {}  # the last record of scores of each partition that is in the traces
        self._held: list[Batch] | None = []
        self._missed = asyncio.Event()  # records of scores may be missing from the traces
        self._missed.set()

    def adopt(self, registry: Registry, rules: Mapping[str, Mapping[str, Any]], triage: bytes | None = None) -> None:
        """Show another version of the site from now on, and tell odds by its model. Call it in the loop that serves."""
        site = registry.site
        self.triage.take(triage)
        self.config = dataclasses.replace(self.config, site=site, rules=rules)
        self.traces.grow(max((point.index for point in site.points), default=-1) + 1)
        self.figures.adopt(site)
        self.quality.adopt(registry)
        self.rates.adopt(registry)
        self.registry, self.router, self.roster = registry, Router(site), Roster(site)
        self.plans = Plans(site)
        push = Push(registry)
        push.succeed(self.push)
        self.push = push
        self.commander.adopt(registry)
        self.site_answers.clear()

    def rule_titles(self, ids: Iterable[str]) -> dict[str, Any]:
        """Return the titles of rules by their ids, of those that the site has."""
        rules = self.config.rules
        return {id: rules[id]["title"] for id in ids if rules.get(id, {}).get("title")}

    def scope(self, identity: Identity) -> Scope:
        """Return the areas that somebody may see."""
        registry = self.registry
        known = self._scopes.get(identity.places)
        if known is not None and known[0] is registry:
            return known[1]
        if len(self._scopes) >= _SCOPES:
            self._scopes.clear()
        found = scope_of(registry, identity.places)
        self._scopes[identity.places] = registry, found
        return found

    def visible(self, identity: Identity, row: Row | None) -> Row:
        """Return a row of the journal. Raise `Problem` 404 when there is none that this account may see."""
        if row is None or not self.scope(identity).sees(row["area"]):
            raise Problem(404, "not_found")
        return row

    def cut(self, identity: Identity, row: Row) -> Row:
        """Return an incident with all that belongs to it, as far as this account may see it."""
        scope = self.scope(identity)
        if scope.areas is None:
            return row
        seen = self._seen(scope, {id for one in (row, *row["history"]) for id in named_in(one)})
        mine = cut_whole(row, seen, scope, self.area_name(row["area"]))
        return {**mine, "dispatch_details": [self.cut_order(identity, order) for order in mine["dispatch_details"]]}

    def cut_order(self, identity: Identity, row: Row) -> Row:
        """Return a dispatch with its history as far as this account may see it."""
        scope = self.scope(identity)
        if scope.areas is None:
            return row
        ids = {change["incident"] for change in row["history"]}
        areas, title = self.journal.ask(lambda reader: reader.areas_ever(ids)), self.area_name(row["area"])
        told = [cut_order(change, areas.get(change["incident"], ()), scope, title) for change in row["history"]]
        return {**row, "history": told}

    def titles(self, identity: Identity, rows: Sequence[Row]) -> dict[str, dict[str, str]]:
        """Title dispatches, by their ids, as their incidents are; by their areas where the cause may not be seen."""
        scope, found = self.scope(identity), self.journal.titles({row["incident"] for row in rows})
        known = [(row, *found[row["incident"]]) for row in rows if row["incident"] in found]
        return {row["id"]: title if scope.sees(area) else self.area_name(row["area"]) for row, title, area in known}

    def cut_list(self, identity: Identity, rows: Sequence[Row]) -> list[Row]:
        """Return rows of incidents as far as this account may see them."""
        scope = self.scope(identity)
        if scope.areas is None:
            return list(rows)
        seen = self._seen(scope, {id for row in rows for id in (*named_in(row), *row["dispatches"])})
        cuts = [cut(row, seen, scope, self.area_name(row["area"])) for row in rows]
        return [{**row, "dispatches": [id for id in row["dispatches"] if id in seen]} for row in cuts]

    def _seen(self, scope: Scope, ids: Collection[str]) -> set[str]:
        """Say which alarms, dispatches and incidents may be seen, by their ids."""
        areas = self.journal.ask(lambda reader: reader.areas_by_id(ids))
        return {id for id, area in areas.items() if scope.sees(area)}

    def area_name(self, id: str) -> dict[str, str]:
        """Name an area in both languages; one that is gone by its id."""
        area = self.registry.area(id)
        return {"zh": area.name.zh, "en": area.name.en} if area is not None else {"zh": id, "en": id}

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Feed the parts until the end of the block."""
        tasks = [asyncio.create_task(work) for work in self._work()]
        if self.config.attach is not None:
            self.config.attach(self)
        try:
            yield
        finally:
            self.live.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.commander.close()
            self.journal.close()
            self.accounts.close()

    def add_odds(self, rows: Sequence[Row], *, of_incidents: bool = False) -> None:
        """Fill in how likely open alarms, or incidents, are to be real; without that they are shown all the same."""
        types = {area.id: area.type for area in self.config.site.areas}
        add = self.triage.add_to_incidents if of_incidents else self.triage.add
        try:
            self.journal.ask(lambda reader: add(reader, rows, types))
        except Exception:
            log.exception("no odds could be told")
            for row in rows:
                row["odds"] = None
                row.pop("odds_reason", None)

    def connected(self) -> bool:
        """Say whether the engine has been heard lately."""
        return bool(self.figures.pulse) and time.time() - self.figures.heard < HEARD

    def status(self) -> dict[str, Any]:
        """Return the figures of /status."""
        return self.figures.status(time.time())

    def clocks(self) -> dict[str, float]:
        """Return the clocks of points that are known to be wrong: seconds ahead, behind when negative."""
        return {**self.push.clocks(), **self.figures.pulse.get("clocks", {})}

    def camera_clocks(self) -> dict[str, float]:
        """Return the clocks of cameras that are known to be wrong: seconds ahead, behind when negative."""
        return dict(self.figures.pulse.get("camera_clocks", {}))

    def guessed(self) -> dict[str, str]:
        """Return the points whose kind is not declared and was guessed to be another than a gauge: id → kind."""
        return dict(self.figures.pulse.get("guessed", {}))

    def _work(self) -> list[Coroutine[Any, Any, None]]:
        return [self.live.follow(), self._hear(), self._beat(), self._count(), self._fill()]

    async def _hear(self) -> None:
        """Take what the feed brings."""
        while True:
            try:
                async for topic, partition, offset, value in self.config.feed.subscribe(TOPICS):
                    if topic == "scores":
                        self._take_scores(partition, offset, value)
                    elif topic == "pulse":
                        self.figures.hear(msgspec.msgpack.decode(value), time.time())
                    else:  # the journal moved, or records were missed
                        self.live.poke()
                        if topic != "journal":
                            self._missed.set()
            except Exception:
                log.exception("the feed broke off")
            await asyncio.sleep(1.0)

    async def _beat(self) -> None:
        """Send the figures to every viewer, once a second."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self.config.pulse_seconds, loop.time())
            await asyncio.sleep(due - loop.time())
            try:
                self.figures.others = await to_thread.run_sync(self.config.figures)
                self.figures.position, self.figures.unread = self.live.position, self.live.unread
                self.live.beat(msgspec.json.encode(self.status()))
            except Exception:
                log.exception("cannot gather the figures")

    async def _count(self) -> None:
        """Count open incidents whenever one of them has changed."""
        while True:
            await self._counting.wait()
            self._counting.clear()
            try:
                self.figures.open = await self.journal.answer(lambda reader: reader.counts())
                if not self.figures.position:
                    self._simulated |= await self.journal.answer(_simulated)
                self.figures.simulated = bool(self._simulated)
                await self._recall()
                self.figures.position = self.live.position
            except Exception:
                log.exception("cannot count the open incidents")
            await asyncio.sleep(0.1)

    async def _recall(self) -> None:
        """Count the rings of the day before this console came, once."""
        position, since = self._load_from, time.time() - DAY_MINUTES * MINUTE
        if position is not None:
            self.figures.note(await self.journal.answer(lambda reader: reader.transitions(since, position)))
            self._load_from = None

    async def _fill(self) -> None:
        """Bring the traces up to the log's end: at the start, and whenever the feed has missed records."""
        while True:
            await self._missed.wait()
            self._flush()
            self._missed.clear()
            self._held = [] if self._held is None else self._held
            try:
                if self.config.decode_scores is not None:
                    await to_thread.run_sync(self._read_back)
            except Exception:
                log.exception("cannot fill the charts from the log")
            held, self._held = self._held, None
            for partition, offset, value in held:  # what is live came meanwhile
                if offset > self._reached.get(partition, -1):
                    self._append([(partition, offset, value)], time.time())

    def _read_back(self) -> None:
        waiting: list[Batch] = []
        for batch in self.config.history(dict(self._reached)):
            waiting.append(batch)
            if len(waiting) == _TOGETHER:
                self._append(waiting, None)
                waiting.clear()
        self._append(waiting, None)

    def _take_scores(self, partition: int, offset: int, value: bytes) -> None:
        """Gather records for a moment: one pass over many readings costs a fraction of many passes over few."""
        if self._held is not None:
            if len(self._held) < _HELD:
                self._held.append((partition, offset, value))
            else:
                self._missed.set()
            return
        if offset <= self._reached.get(partition, -1):
            return  # it was read back already
        if not self._gathered:
            asyncio.get_running_loop().call_later(_GATHER, self._flush)
        self._gathered.append((partition, offset, value))
        if len(self._gathered) >= _TOGETHER:
            self._flush()

    def _flush(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            self._append(gathered, time.time())

    def _append(self, records: Sequence[Batch], seen: float | None) -> None:
        """Put records of readings into the traces, several in one pass; count what is flagged."""
        self._reached.update((partition, offset) for partition, offset, _ in records)
        decode = self.config.decode_scores
        if decode is None:
            return
        columns: list[Columns] = []
        partitions: list[int] = []
        for partition, _, record in records:
            try:
                one = decode(record)
                columns.append(one if len(one) == 5 else (*one, np.zeros(len(one[0]), np.uint16)))
                partitions.append(partition)
            except ValueError as error:
                log.warning("cannot read scores: %s", error)
        if columns:
            point, times, values, scores, flags = (np.concatenate(column) for column in zip(*columns, strict=True))
            home = np.repeat(np.array(partitions, np.intp), [len(one[0]) for one in columns])
            self.quality.append(home, point, times, values, flags, seen)
            self.rates.append(home, point, scores, flags)
            usable = (flags & ASIDE) == 0
            if not usable.all():
                point, times, values, scores = point[usable], times[usable], values[usable], scores[usable]
            self.traces.append(point, times, values, scores, seen)

    def _moved(self, rows: list[Row]) -> None:
        """Note what the status must follow."""
        self.figures.position = self.live.position if rows else self.figures.position
        counting = not rows
        if not rows:
            self._load_from = self.live.position
        self.figures.note([row["record"] for row in rows if row["kind"] == "alarm"])
        self.figures.forget(time.time())
        for row in rows:
            if row["kind"] != "incident":
                continue
            counting = True
            record = row["record"]
            if record.get("simulated") and record["state"] != "closed":
                self._simulated.add(row["id"])
            else:
                self._simulated.discard(row["id"])
        if counting:
            self._counting.set()


def console_of(request: Request) -> Console:
    """Return the console that a request is asked of."""
    console: Console = request.app.state.console
    return console


def _simulated(reader: Reader) -> set[str]:
    return {row["id"] for row in reader.incidents(limit=500).items if row["simulated"]}
