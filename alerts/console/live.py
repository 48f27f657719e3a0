"""The live stream: one reader of the journal, shared by all viewers; nobody waits for a slow one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from alerts.console.journal import Journal, Row
from alerts.console.scope import WHOLE, Scope, cut, cut_order, named_in
from alerts.queries import JournalMissing, Reader
from alerts.reason_words import in_both

log = logging.getLogger(__name__)

RECENT = 4096  # changes kept in memory for viewers that come back
REPLAY = 2000  # changes replayed at most; a viewer further behind reads afresh
PAGE = 500
SPACING = 0.02  # seconds between two readings of the journal, however often it moves
POLL = 1.0  # seconds until the journal is read although nothing said that it moved
CHECK = 15.0  # seconds after which a viewer's right to watch is looked at again

Named = Callable[[str], dict[str, str]]
"""Name an area in both languages."""

RESYNC = b"event: resync\ndata: {}\n\n"


class TooManyViewers(Exception):
    """Say that no more streams can be opened: none at all, or (`own`) none by who asks."""

    def __init__(self, *, own: bool) -> None:
        super().__init__("too many streams")
        self.own = own


class Change(NamedTuple):
    """One change, ready to be sent. `units` are those whose dispatch it is; None when it is no dispatch's.

    `area` is where it is; None for the answer to a command. `row` is there for an incident's or a dispatch's, which
    some may see in part only: those who may not see all of the `areas` of what it names, by ids; of a dispatch, those
    of its incident. They are None while nobody has asked.
    """

    position: int
    units: frozenset[str] | None
    area: str | None
    event: bytes
    moved: bool  # the dispatch was given to another unit
    row: Row | None = None
    areas: Mapping[str, str] | None = None


class Viewer:
    """One open stream of `who`. With `unit`, only changes of this unit's dispatches are sent; only those in `scope`."""

    def __init__(self, limit: int, unit: str | None, position: int, who: str = "", scope: Scope = WHOLE) -> None:
        self.scope = scope
        self.unit = unit
        self.who = who
        self.position = position  # where it subscribed
        self.limit = limit
        self.waiting: deque[Change] = deque()
        self.pulse: bytes | None = None
        self.lost = False
        self.closed = False
        self.wake = asyncio.Event()

    def sees(self, change: Change) -> bool:
        """Say whether a change may be sent to this viewer."""
        if self.scope.areas is not None and change.area not in self.scope.areas:
            return False
        return self.unit is None or (change.units is not None and self.unit in change.units)

    def cut(self, change: Change, named: Named) -> Change:
        """Return a change with what this viewer may see of it. Raise `LookupError` where that is not known."""
        if self.scope.areas is None or change.row is None:
            return change
        if change.areas is None:
            raise LookupError(change.position)
        record = change.row["record"]
        if change.row["kind"] == "dispatch":
            mine = cut_order(record, change.areas.values(), self.scope, named(record["area"]))
            return change if mine is record else change._replace(event=_event({**change.row, "record": mine}))
        seen = {id for id, area in change.areas.items() if self.scope.sees(area)}
        mine = cut(record, seen, self.scope, named(record["area"]))
        return change if mine is record else change._replace(event=_event({**change.row, "record": mine}))

    def offer(self, change: Change, named: Named) -> None:
        """Queue a change; when the queue is full, drop it all and remember to say so."""
        if self.lost or not self.sees(change):
            return
        if change.row is not None and self.scope.areas is not None:
            try:
                change = self.cut(change, named)
            except LookupError:  # it came just when the change was read
                self.lost = True
        if self.lost or len(self.waiting) >= self.limit:
            self.waiting.clear()
            self.lost = True
        else:
            self.waiting.append(change)
        self.wake.set()

    def take(self, after: int) -> tuple[bytes, int]:
        """Return what is to be sent now, leaving out changes up to position `after`, and the position reached."""
        parts: list[bytes] = []
        while self.waiting:
            change = self.waiting.popleft()
            if change.position > after:
                parts.append(change.event)
                after = change.position
        if self.lost:
            parts.append(RESYNC)
            self.lost = False
        if self.pulse is not None:
            parts.append(self.pulse)
            self.pulse = None
        return b"".join(parts), after


class Live:
    """Follow the journal and tell viewers and waiting commands of every change.

    `poke()` says that the journal has moved; `unread` that it cannot be read. `moved(rows)` is called with every batch
    of changes, before viewers; `named(area)` is to name an area in both languages.
    """

    def __init__(self, journal: Journal, *, most_viewers: int, most_each: int, queue: int) -> None:
        self.journal = journal
        self.position = 0
        self.unread = False
        self.viewers: set[Viewer] = set()
        self.moved: Callable[[list[Row]], None] = lambda rows: None
        self.named: Named = lambda area: {"zh": area, "en": area}
        self.ready = asyncio.Event()
        self._most, self._most_each, self._queue = most_viewers, most_each, queue
        self._recent: deque[Change] = deque(maxlen=RECENT)
        self._floor = 0  # changes after this position are all in `_recent`
        self._units: dict[str, str] = {}  # dispatch → the unit it stands with
        self._answers: dict[str, asyncio.Future[Row]] = {}
        self._poke = asyncio.Event()

    def poke(self) -> None:
        """Say that the journal has moved."""
        self._poke.set()

    async def follow(self) -> None:
        """Read the journal for ever: when poked, and now and then in case a poke was lost."""
        while True:
            if await self._begin():
                break
            await asyncio.sleep(0.1)
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._poke.wait()
            self._poke.clear()
            try:
                while rows := await self.journal.answer(self._next):
                    self._spread(rows)
                    if len(rows) < PAGE:
                        break
                self.unread = False
            except Exception:
                self.unread = True
                log.exception("cannot read the journal")
                await asyncio.sleep(POLL)
            await asyncio.sleep(SPACING)

    @contextlib.contextmanager
    def expect(self, command: str) -> Iterator[asyncio.Future[Row]]:
        """Expect the answer to a command that is about to be given."""
        future = self._answers.setdefault(command, asyncio.get_running_loop().create_future())
        try:
            yield future
        finally:
            self._answers.pop(command, None)

    async def answer(self, expected: asyncio.Future[Row], seconds: float) -> Row | None:
        """Wait until the journal has an expected answer; None when it has none within `seconds`."""
        done, _ = await asyncio.wait((expected,), timeout=seconds)
        return expected.result() if done else None

    def beat(self, status: bytes) -> None:
        """Send the figures (JSON) to every viewer; one that lags gets only the latest."""
        event = b"event: pulse\ndata: " + status + b"\n\n"
        for viewer in self.viewers:
            viewer.pulse = event
            viewer.wake.set()

    def open(self, unit: str | None, who: str, scope: Scope = WHOLE) -> Viewer:
        """Subscribe a viewer until it leaves. Raise `TooManyViewers` when there are too many, or too many of `who`."""
        if sum(viewer.who == who for viewer in self.viewers) >= self._most_each:
            raise TooManyViewers(own=True)
        if len(self.viewers) >= self._most:
            raise TooManyViewers(own=False)
        viewer = Viewer(self._queue, unit, self.position, who, scope)
        self.viewers.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer."""
        self.viewers.discard(viewer)

    def close(self) -> None:
        """End every stream."""
        for viewer in self.viewers:
            viewer.closed = True
            viewer.wake.set()

    async def stream(
        self, viewer: Viewer, since: int | None, allowed: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        """Yield events for a viewer: what happened after `since`, then what happens, until it may not watch."""
        loop = asyncio.get_running_loop()
        try:
            yield b"retry: 2000\n\n"
            after = viewer.position if since is None else since
            if since is not None:
                replayed, after = await self._replay(viewer, since)
                if replayed:
                    yield replayed
            checked = loop.time()
            while not viewer.closed:
                await viewer.wake.wait()
                viewer.wake.clear()
                if loop.time() - checked > CHECK:
                    checked = loop.time()
                    if not await allowed():
                        return
                events, after = viewer.take(after)
                if events:
                    yield events
        finally:
            self.leave(viewer)

    async def _begin(self) -> bool:
        """Find where the journal stands, and which unit has which open dispatch."""

        def look(reader: Reader) -> tuple[int, list[Row]]:
            position = reader.position()
            rows: list[Row] = []
            before: int | None = None
            while True:
                page = reader.dispatches(limit=PAGE, before=before)
                rows += page.items
                before = page.next
                if before is None:
                    return position, rows

        try:
            self.position, rows = await self.journal.answer(look)
        except JournalMissing:
            return False
        except Exception:
            log.exception("cannot read the journal")
            await asyncio.sleep(POLL)
            return False
        self._floor = self.position
        self._units = {row["id"]: row["unit"] for row in rows}
        self.moved([])
        self.ready.set()
        return True

    def _next(self, reader: Reader) -> list[Row]:
        rows = reader.changes(self.position, PAGE)
        if any(viewer.scope.areas is not None for viewer in tuple(self.viewers)):
            _locate(reader, rows)
        return rows

    def _spread(self, rows: list[Row]) -> None:
        for row in rows:
            self.position = row["position"]
            if row["kind"] == "result":
                waiting = self._answers.get(row["id"])
                if waiting is not None and not waiting.done():
                    waiting.set_result({"reason": "", "time": 0.0, **row["record"]})
        self.moved(rows)
        for row in rows:
            change = _change(row, self._units)
            if len(self._recent) == RECENT:
                self._floor = self._recent[0].position
            self._recent.append(change)
            for viewer in self.viewers:
                viewer.offer(change, self.named)
        legs = {row["id"]: row["record"]["leg"] for row in rows if row["kind"] == "dispatch"}
        for dispatch, leg in legs.items():
            if leg == "refused":  # and stayed so: the unit that refused hears of it when the next one is given it
                self._units.pop(dispatch, None)

    async def _replay(self, viewer: Viewer, since: int) -> tuple[bytes, int]:
        """Return the events after `since` as far as they are known now, and the position reached."""
        if since > self.position:
            position = await self.journal.answer(lambda reader: reader.position()) if self.ready.is_set() else 0
            # a position that the journal never reached is of another journal
            return (RESYNC, self.position) if since > position else (b"", since)
        if since >= self._floor:
            recent, reached = [change for change in self._recent if change.position > since], self.position
            unknown = [change.row for change in recent if change.row is not None and change.areas is None]
            if viewer.scope.areas is not None and unknown:
                await self.journal.answer(lambda reader: _locate(reader, unknown))
                recent = [change._replace(areas=change.row["areas"]) if change.row else change for change in recent]
            return self._joined(recent, viewer, reached)
        rows: list[Row] = []
        while len(rows) <= REPLAY:
            after = rows[-1]["position"] if rows else since
            page = await self.journal.answer(lambda reader, after=after: _page(reader, after, viewer))  # type: ignore[misc]
            rows += page
            if len(page) < PAGE:
                break
        units: dict[str, str] = {}
        changes = [_change(row, units) for row in rows]
        # which unit had a dispatch before it was moved is not known here: that unit's viewer reads afresh
        if len(rows) > REPLAY or (viewer.unit is not None and any(change.moved for change in changes)):
            return RESYNC, self.position
        return self._joined(changes, viewer, rows[-1]["position"] if rows else since)

    def _joined(self, changes: Iterable[Change], viewer: Viewer, reached: int) -> tuple[bytes, int]:
        return b"".join(viewer.cut(change, self.named).event for change in changes if viewer.sees(change)), reached


def _page(reader: Reader, after: int, viewer: Viewer) -> list[Row]:
    rows = reader.changes(after, PAGE)
    if viewer.scope.areas is not None:
        _locate(reader, rows)
    return rows


def _locate(reader: Reader, rows: Sequence[Row]) -> None:
    """Note in rows of incidents' and dispatches' changes where what they name is: not all need be in one place."""
    cases = [(row, named_in(row["record"])) for row in rows if row["kind"] == "incident"]
    areas = reader.areas_by_id(set().union(*(named for _, named in cases))) if cases else {}
    for row, named in cases:
        row["areas"] = {id: areas[id] for id in named if id in areas}
    orders = [row for row in rows if row["kind"] == "dispatch"]
    ever = reader.areas_ever({row["record"]["incident"] for row in orders}) if orders else {}
    for row in orders:
        row["areas"] = {area: area for area in ever.get(row["record"]["incident"], ())}


def _change(row: Row, units: dict[str, str]) -> Change:
    """Make a change of a journal row, following in `units` which unit a dispatch stands with."""
    seen_by: frozenset[str] | None = None
    moved = False
    if row["kind"] == "dispatch":
        unit, dispatch = row["record"]["unit"], row["id"]
        seen_by = frozenset((unit, units.get(dispatch, unit)))
        moved = row["record"]["edge"] in ("reassigned", "referred")
        if row["record"]["leg"] == "closed":
            units.pop(dispatch, None)
        else:
            units[dispatch] = unit
    case = row if row["kind"] in ("incident", "dispatch") else None
    return Change(
        row["position"], seen_by, row["record"].get("area"), _event(row), moved, case, case and row.get("areas")
    )


def _event(row: Row) -> bytes:
    told = {name: row[name] for name in ("position", "kind", "id", "record")}
    why = row["record"].get("explanation")
    if why:
        told["record"] = {**row["record"], "explanation": in_both(why, row["record"]["rule"])}
    data = msgspec.json.encode(told)
    return b"event: change\nid: %d\ndata: %b\n\n" % (row["position"], data)
