"""The one thread that writes: what piled up becomes one transaction (group commit)."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache

from streams.embedded.appending import Callback
from streams.embedded.checkpoint import Checkpointer
from streams.embedded.schema import (
    Commit,
    Entry,
    LogBusyError,
    LogClosedError,
    LogFullError,
    LogUnavailableError,
    LogWriteError,
    Record,
    committed_key,
    size_of,
)
from streams.embedded.span import Span
from streams.embedded.upkeep import Draft

logger = logging.getLogger(__name__)

Action = Callable[[sqlite3.Connection], object]

GROUP_BYTES = 32 * 1024 * 1024  # a transaction takes no more than this, so that none holds the file for long
PENDING_BYTES = 256 * 1024 * 1024  # handed over and not yet written; beyond it, appending is refused
CHORE_INTERVAL = 1.0
STATEMENT_ROWS = 128

REFUSALS = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
"""What SQLite says of records: all else it says is of the file, and passes."""


@cache
def _insert(rows: int) -> str:
    return "INSERT OR REPLACE INTO record (id, time, key, value) VALUES " + ",".join(["(?,?,?,?)"] * rows)  # noqa: S608


class Request:
    """Hold one hand-over: records and commits that stand or fall together, or an action on the file."""

    __slots__ = ("action", "callback", "commits", "error", "offsets", "records", "size")

    def __init__(
        self,
        records: Sequence[Record],
        commits: Sequence[Commit],
        callback: Callback | None,
        action: Action | None = None,
    ) -> None:
        self.records = records
        self.commits = commits
        self.callback = callback
        self.action = action
        self.size = sum(size_of(key, value) for _, _, key, value in records)
        self.offsets: list[int] | None = None
        self.error: Exception | None = None


class Writer(threading.Thread):
    """Write requests in the order they were handed over; callbacks run in this thread, after the commit.

    `chore(connection)` does a small piece of upkeep in a transaction of its own and says whether there is more, and
    what to apply once that is committed. An unforeseen error ends the thread: `failed` says which, what waited fails
    with `LogClosedError`, and so does whatever is handed over afterwards.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        spans: dict[tuple[str, int], Span],
        *,
        committed: dict[tuple[str, str, int], int],
        slots: dict[tuple[str, str, int], int],
        on_written: Callable[[list[Span]], None],
        chore: Callable[[sqlite3.Connection], tuple[bool, list[Draft]]],
        checkpointer: Checkpointer,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(name="log-writer", daemon=True)
        self.spans = spans
        self.committed = committed
        self.slots = slots
        self._checkpointer = checkpointer
        self._connection = connection
        self._on_written = on_written
        self._chore = chore
        self._clock = clock
        self._wake = threading.Condition(threading.Lock())
        self._queue: list[Request] = []
        self._pending = 0
        self._stopping = False
        self._in_hand: list[Request] = []  # taken from the queue and not yet answered
        self.failed: Exception | None = None
        self.transactions = 0
        self.failures = 0

    def submit(self, request: Request) -> None:
        """Hand a request over. Raise `LogClosedError` or, when too much is waiting, `LogBusyError`."""
        with self._wake:
            if self.failed is not None:
                raise _ended(self.failed)
            if self._stopping:
                raise LogClosedError("the log is closed")
            if self._pending > PENDING_BYTES:
                raise LogBusyError("the log cannot write as fast as records arrive: too much is waiting")
            self._queue.append(request)
            self._pending += request.size
            if len(self._queue) == 1:
                self._wake.notify()

    def finish(self, timeout: float) -> bool:
        """Write what was handed over, then stop; say whether that was done within `timeout` seconds."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self.join(timeout)
        return not self.is_alive()

    def run(self) -> None:
        """Write until told to finish, or until an unforeseen error."""
        try:
            self._run()
        except Exception as error:
            logger.critical("the log's writer ended by an unforeseen error; it takes no more records", exc_info=error)
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Answer all that waits: nothing will be written any more."""
        with self._wake:
            self.failed = error
            waiting, self._queue, self._pending = self._in_hand + self._queue, [], 0
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        for request in waiting:
            request.error = _ended(error)
            _answer(request)

    def _run(self) -> None:
        due = time.monotonic() + CHORE_INTERVAL
        while True:
            with self._wake:
                if not self._queue and not self._stopping:
                    self._wake.wait(max(0.0, due - time.monotonic()))
                requests = self._take()
                stopping = self._stopping
            if requests:
                self._write_group(requests)
                if self._checkpointer.due:
                    self._checkpointer.last_bit(self._connection)
            elif stopping:
                return
            if not stopping and time.monotonic() >= due:
                due = time.monotonic() + (0.0 if self._upkeep() else CHORE_INTERVAL)

    def _take(self) -> list[Request]:
        queue, size = self._queue, 0
        for count, request in enumerate(queue):
            size += request.size
            if size > GROUP_BYTES and count:
                taken = queue[:count]
                self._queue = queue[count:]
                break
        else:
            taken, self._queue = queue, []
        self._pending -= sum(request.size for request in taken)
        return taken

    def _write_group(self, requests: list[Request]) -> None:
        self._in_hand = requests
        error = self._transact(requests)
        if error is not None and len(requests) > 1 and not _is_everyones(error):
            for request in requests:  # one bad request must not fail its neighbours
                request.error = self._transact([request])
        elif error is not None:
            for request in requests:
                request.error = error
        self._in_hand = []
        for request in requests:
            _answer(request)

    def _transact(self, requests: list[Request]) -> Exception | None:
        touched: dict[Span, list[Entry]] = {}
        try:
            parameters = self._rows(requests, touched)
            commits = {(g, t, p): offset for request in requests for g, t, p, offset in request.commits}
            for place, offset in commits.items():
                parameters += (self._slot(place), self._clock(), committed_key(*place), b"%d" % offset)
            self._execute(parameters, [request.action for request in requests if request.action is not None])
        except Exception as problem:
            self.failures += 1
            for span in touched:
                span.draft = span.next
            return _explain(problem)
        self.transactions += 1
        self.committed.update(commits)
        written = 0
        for span, entries in touched.items():
            size = sum(size_of(key, value) for _, key, value in entries)
            written += size
            if span.spec.compact:
                _supersede(span, entries)
            span.extend(entries, size)
        if touched:
            self._on_written(list(touched))
            self._checkpointer.wrote(written)
        return None

    def _rows(self, requests: list[Request], touched: dict[Span, list[Entry]]) -> list[object]:
        """Give offsets and return the parameters of all rows, one after the other."""
        now, spans, parameters = self._clock(), self.spans, list[object]()
        for request in requests:
            offsets = []
            for topic, number, key, value in request.records:
                span = spans.get((topic, number))
                if span is None:
                    raise LogWriteError(f"there is no partition {number} of topic {topic!r} in this log")
                offset = span.draft
                span.draft = offset + 1
                entries = touched.get(span)
                if entries is None:
                    entries = touched[span] = []
                entries.append((offset, key, value))
                parameters += (span.row(offset), now, key, value)
                offsets.append(offset)
            request.offsets = offsets
        return parameters

    def _execute(self, parameters: list[object], actions: list[Action]) -> None:
        """Write rows and do actions, all or nothing.

        Usually that is one statement and no more: between statements this thread would queue up, for up to 5 ms each,
        behind whatever holds the interpreter.
        """
        connection, count = self._connection, len(parameters) // 4
        if 0 < count <= STATEMENT_ROWS and not actions:
            connection.execute(_insert(count), parameters)
            return
        if not count and not actions:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            for action in actions:
                action(connection)
            for begin in range(0, count, STATEMENT_ROWS):
                rows = min(STATEMENT_ROWS, count - begin)
                connection.execute(_insert(rows), parameters[4 * begin : 4 * (begin + rows)])
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _slot(self, place: tuple[str, str, int]) -> int:
        """Return the row that holds a committed offset: a fixed one in partition id 0."""
        slot = self.slots.get(place)
        if slot is None:
            slot = self.slots[place] = max(self.slots.values(), default=0) + 1
        return slot

    def _upkeep(self) -> bool:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            more, drafts = self._chore(connection)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            logger.warning("upkeep of the log failed: %s", error)
            return False
        for draft in drafts:
            draft.apply()
        return more


def _is_everyones(error: Exception) -> bool:
    """Tell whether every request would fare alike: a locked file costs its time-out once, not once for each.

    In a full one a smaller request may still find room.
    """
    return isinstance(error, LogUnavailableError) and not isinstance(error, LogFullError)


def _answer(request: Request) -> None:
    if request.callback is not None:
        try:
            request.callback(request.offsets if request.error is None else None, request.error)
        except Exception:
            logger.exception("a callback of the log failed")


def _ended(error: Exception) -> LogClosedError:
    return LogClosedError(
        f"the log is closed: its writer ended by an unforeseen error ({type(error).__name__}: {error}); "
        "restart the worker"
    )


def _supersede(span: Span, entries: list[Entry]) -> None:
    for offset, key, _ in entries:
        if key is not None:
            older = span.newest.get(key)
            if older is not None:
                span.superseded.append(older)
            span.newest[key] = offset


def _explain(problem: Exception) -> Exception:
    """Tell a fault of the records, which no later try mends, from a trouble of the file, the disk or the memory."""
    if isinstance(problem, LogWriteError):
        return problem
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return LogFullError(
            "the disk, or the log's size limit, is full: nothing was written or acknowledged; "
            "make room, and it goes on by itself"
        )
    if code == sqlite3.SQLITE_IOERR:
        return LogFullError(f"the disk refused the log's write ({problem}): nothing was written or acknowledged")
    if isinstance(problem, sqlite3.Error | MemoryError | OSError) and not isinstance(problem, REFUSALS):
        return LogUnavailableError(
            f"the log cannot be written now ({problem or type(problem).__name__}): nothing was written or acknowledged"
        )
    return LogWriteError(f"the log could not be written: {problem}")
