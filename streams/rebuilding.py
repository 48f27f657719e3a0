"""Make the journal anew from the log: what it holds is what the log says was decided."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import msgspec
import sqlalchemy as sa

from alerts.journal import Journal
from alerts.notifiers.deliveries import Deliveries
from alerts.outcome import Record
from alerts.retention import Kept
from alerts.tables import dispatch_changes, incident_changes, results, transitions
from streams import housekeeping, logs
from streams.readable import Readable
from streams.replay import outcomes
from streams.settings import Settings
from streams.topics import OUTCOMES

SOME = 500
"""Records that are journalled in one transaction."""

_KINDS = (transitions, incident_changes, dispatch_changes, results)


class WouldLose(RuntimeError):
    """Say that the journal has changes that the log no longer holds."""


class Rebuilt(msgspec.Struct):
    """What was made: records of the log that were read, changes in the journal, and what the policy then took out."""

    records: int
    changes: int
    lost: int | None  # changes of the journal before that the log does not have; None: it could not be read
    before: str  # where that is now; empty when there was none
    kept: Kept


def rebuild(
    settings: Settings,
    now: float,
    *,
    actor: str,
    drop: bool = False,
    told: Callable[[int, int], None] = lambda *_: None,
) -> Rebuilt:
    """Make the journal anew beside the one there is, keep it to the policy, and put it in its place.

    Nothing may run on the data folder. The one before stays, as `journal.sqlite.before`. Unless `drop`, raise
    `WouldLose` when it has changes that the log no longer holds. `actor` is who is audited for it.
    `told` hears how many records of how many are done.
    """
    place = settings.journal_file
    if place is None:
        raise OSError("a journal in PostgreSQL is not rebuilt in place: name an empty database in FORESHOCK_JOURNAL")
    fresh = place.with_name("journal.sqlite.new")
    _remove(fresh)
    count = 0
    with logs.reader(settings.log) as log:
        spans = {p: (log.start(OUTCOMES, p), log.end(OUTCOMES, p)) for p in range(log.topics().get(OUTCOMES, 0))}
        total = sum(end - start for start, end in spans.values())
        journal = Journal(fresh)
        records = _merged(log, [*spans])
        while some := list(islice(records, SOME)):
            journal.record(some, log=log.identity)
            count += len(some)
            told(count, total)
        changes = journal.position()
        lost = _lost(place, fresh) if place.exists() else 0
        if lost and not drop:
            journal.close()
            _remove(fresh)
            raise WouldLose(f"the journal has {lost} changes that the log no longer holds")
        kept = housekeeping.keep_to_policy(settings, journal.engine, now, actor=actor)
        housekeeping.keep_erased(settings, journal.engine, now)
        journal.close()
    _renumber(settings.outbox_at)  # first: who goes by ids misses nothing of the journal before either
    before = place.with_name("journal.sqlite.before")
    _remove(before)
    if place.exists():
        for ending in ("", "-wal", "-shm"):
            if (part := Path(f"{place}{ending}")).exists():
                part.rename(f"{before}{ending}")
    fresh.rename(place)
    return Rebuilt(count, changes, lost, str(before) if before.exists() else "", kept)


def _merged(log: Readable, partitions: list[int]) -> Iterator[Record]:
    """Yield the outcomes of all partitions in the order of their times, those of each in their own."""

    def timed(partition: int) -> Iterator[tuple[float, int, int, Record]]:
        last = 0.0
        for number, record in enumerate(outcomes(log, partition)):
            last = max([last, *islice((getattr(one, "time", 0.0) for one in record.outcomes), 1)])
            yield last, partition, number, record

    return (record for _, _, _, record in heapq.merge(*map(timed, partitions), key=lambda one: one[:3]))


def _lost(before: Path, after: Path) -> int | None:
    """Count the changes of one journal that another does not have; None when it cannot be read."""
    engine = sa.create_engine(f"sqlite:///{before}")
    try:
        with engine.connect() as connection:
            connection.execute(sa.text("ATTACH DATABASE :path AS after"), {"path": str(after)})
            names = [table.name for table in _KINDS]
            counts = [
                connection.scalar(
                    sa.text(f"SELECT count(*) FROM main.{name} WHERE id NOT IN (SELECT id FROM after.{name})")  # noqa: S608
                )
                for name in names
            ]
        return sum(int(count or 0) for count in counts)
    except sa.exc.DatabaseError:
        return None
    finally:
        engine.dispose()


def _renumber(outbox: Path | str) -> None:
    """Have the notifier go by ids: its targets stood at positions of the journal before."""
    if isinstance(outbox, str) or outbox.exists():
        deliveries = Deliveries(outbox)
        deliveries.renumber()
        deliveries.close()


def _remove(file: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        Path(f"{file}{ending}").unlink(missing_ok=True)
