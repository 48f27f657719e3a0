"""The notifier's own memory: how far each target is, what is to be tried again, what is dead."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from alerts.notifiers.memory import Done, Memory
from alerts.notifiers.notice import Notice

_SCHEMA = """
CREATE TABLE IF NOT EXISTS cursors (target TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivered (
    target TEXT NOT NULL, id TEXT NOT NULL, time REAL NOT NULL, PRIMARY KEY (target, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS delivered_time ON delivered (time);
CREATE TABLE IF NOT EXISTS letters (
    target TEXT NOT NULL, id TEXT NOT NULL, attempts INTEGER NOT NULL, due REAL NOT NULL, dead INTEGER NOT NULL,
    error TEXT NOT NULL, notice BLOB NOT NULL, PRIMARY KEY (target, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS letters_due ON letters (target, dead, due);
CREATE TABLE IF NOT EXISTS held (
    target TEXT NOT NULL, id TEXT NOT NULL, since REAL NOT NULL, quiet INTEGER NOT NULL, digest TEXT NOT NULL,
    notice BLOB NOT NULL, PRIMARY KEY (target, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS held_digest ON held (target, digest, since);
CREATE TABLE IF NOT EXISTS sent (target TEXT NOT NULL, time REAL NOT NULL, digest INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS sent_time ON sent (target, time);
CREATE TABLE IF NOT EXISTS tests (
    id TEXT PRIMARY KEY, target TEXT NOT NULL, time REAL NOT NULL, notice BLOB NOT NULL, error TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS planned (target TEXT NOT NULL, plan TEXT NOT NULL, since REAL NOT NULL,
    PRIMARY KEY (target, plan)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known (
    target TEXT PRIMARY KEY, kind TEXT NOT NULL, seen REAL NOT NULL, error TEXT NOT NULL
) WITHOUT ROWID;
"""

_AT_ONCE = 100
UNREADABLE = "what was kept of it cannot be read"
"""Why a letter is dead that is damaged, or was written by other code."""

_NOWHERE = 2**62  # a position that no journal has
_DAY, _AROUND = 86400.0, 60.0

_LATER = "ON CONFLICT (target, id) DO UPDATE SET time = excluded.time"
_TIME = "CAST(? AS DOUBLE PRECISION)"  # as a value by itself it has no type of its own everywhere
_DEAD = "SELECT id FROM letters WHERE target = ? AND dead = 1"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Notice)

logger = logging.getLogger(__name__)


Told = Callable[[Sequence[str]], Mapping[str, dict[str, Any]]]
"""Gives the events of some notices by their ids, as they are by now."""


class Letter(msgspec.Struct, frozen=True):
    """A notice that was not taken yet. `due` is unix seconds; a dead one is tried no more by itself."""

    notice: Notice
    attempts: int
    due: float
    dead: bool
    error: str


class Deliveries:
    """Remember deliveries by target and id, for one thread. The notifier writes; a command may list and revive."""

    def __init__(self, place: Path | str) -> None:
        self._memory = Memory(place, _SCHEMA)

    def close(self) -> None:
        """Let go of it."""
        self._memory.close()

    def cursor(self, target: str) -> int | None:
        """Return the outbox position up to which a target is served; None for a target never seen."""
        row = self._one("SELECT position FROM cursors WHERE target = ?", target)
        return None if row is None else int(row[0])

    def is_new(self) -> bool:
        """Tell whether no target was ever served."""
        return self._one("SELECT 1 FROM cursors LIMIT 1") is None

    def move(self, target: str, position: int) -> None:
        """Set a target's position."""
        self._do(
            "INSERT INTO cursors VALUES (?, ?) ON CONFLICT (target) DO UPDATE SET position = excluded.position",
            *(target, position),
        )

    def renumber(self) -> None:
        """Have every target look, at the next start, for where it stands: the journal was made anew."""
        self._do("UPDATE cursors SET position = ?", _NOWHERE)

    def told_since(self, target: str) -> float | None:
        """Return from when on a journal made anew may hold what a target was not told yet; None: nothing before now.

        That is a day before it last took something, for rows of several partitions do not come in the order of their
        times, and not before it first did: then it was not there. What it took since is known by its id.
        """
        row = self._one("SELECT min(time), max(time) FROM delivered WHERE target = ?", target)
        return None if row is None or row[1] is None else max(float(row[0]) - _AROUND, float(row[1]) - _DAY)

    def is_delivered(self, target: str, id: str) -> bool:
        """Tell whether a target has taken a notice."""
        return self._one("SELECT 1 FROM delivered WHERE target = ? AND id = ?", target, id) is not None

    def is_put_off(self, target: str, id: str) -> bool:
        """Tell whether a notice waits for another try or for a digest, or is dead."""
        for table in ("letters", "held"):
            if self._one(f"SELECT 1 FROM {table} WHERE target = ? AND id = ?", target, id):  # noqa: S608
                return True
        return False

    def deliver(self, target: str, id: str, time: float, *, count: bool | None = None) -> None:
        """Note that a target took a notice; with `count`, for the limit a minute too: as a digest or not."""
        with self._memory.transaction():
            self._do(f"INSERT INTO delivered VALUES (?, ?, ?) {_LATER}", target, id, time)  # noqa: S608
            self._do("DELETE FROM letters WHERE target = ? AND id = ?", target, id)
            self._do(
                f"INSERT INTO delivered SELECT target, id, {_TIME} FROM held "  # noqa: S608
                f"WHERE target = ? AND digest = ? {_LATER}",
                *(time, target, id),
            )
            self._do("DELETE FROM held WHERE target = ? AND digest = ?", target, id)
            if count is not None:
                self.note_sent(target, time, digest=count)

    def drop(self, target: str, id: str, time: float) -> None:
        """Tell a target no more of a notice that waits, as if it had been taken."""
        with self._memory.transaction():
            self._do(f"INSERT INTO delivered VALUES (?, ?, ?) {_LATER}", target, id, time)  # noqa: S608
            for table in ("letters", "held"):
                self._do(f"DELETE FROM {table} WHERE target = ? AND id = ?", target, id)  # noqa: S608

    def put_off(self, target: str, letter: Letter) -> None:
        """Keep a notice for another try (or as dead)."""
        self._do(
            "INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (target, id) DO UPDATE SET "
            "attempts = excluded.attempts, due = excluded.due, dead = excluded.dead, error = excluded.error, "
            "notice = excluded.notice",
            target,
            letter.notice.id,
            letter.attempts,
            letter.due,
            int(letter.dead),
            letter.error,
            _encoder.encode(letter.notice),
        )

    def due(self, target: str, time: float, told: Told = lambda _: {}, limit: int = 50) -> list[Letter]:
        """List letters whose time has come, the oldest first, with the events of `told` as they are by now.

        Those that cannot be read are dead from now on, and logged.
        """
        letters = self._letters("dead = 0 AND due <= ? ORDER BY due LIMIT ?", target, time, limit)
        for one in letters:
            if one.error == UNREADABLE:
                self._bury(target, one.notice.id, time)
        found = {(target, one.notice.id): one.notice for one in letters if one.error != UNREADABLE}
        fresh = _as_told(found, told)
        return [
            msgspec.structs.replace(one, notice=fresh.get((target, one.notice.id), one.notice))
            for one in letters
            if one.error != UNREADABLE
        ]

    def next_due(self, target: str) -> float | None:
        """Return when the next letter is due; None when none waits."""
        row = self._one("SELECT min(due) FROM letters WHERE target = ? AND dead = 0", target)
        return None if row is None or row[0] is None else float(row[0])

    def targets(self) -> list[str]:
        """Name the targets that have letters."""
        return [str(name) for (name,) in self._do("SELECT DISTINCT target FROM letters ORDER BY target").rows]

    def waiting(self, target: str, limit: int = 100) -> list[Letter]:
        """List letters that are tried again by themselves, the next first."""
        return self._letters("dead = 0 ORDER BY due LIMIT ?", target, limit)

    def dead(self, target: str, limit: int = 100) -> list[Letter]:
        """List dead letters."""
        return self._letters("dead = 1 ORDER BY due LIMIT ?", target, limit)

    def dead_ids(self, target: str) -> set[str]:
        """Name all dead letters."""
        return {str(id) for (id,) in self._do(_DEAD, target).rows}

    def lay_aside(self, target: str, error: str, time: float) -> None:
        """Have all that waits for a target be dead from now on: it is tried no more by itself, and listed as such."""
        with self._memory.transaction():
            self._do(
                "UPDATE letters SET dead = 1, error = ?, due = ? WHERE target = ? AND dead = 0", error, time, target
            )
            self._do(
                f"INSERT INTO letters SELECT target, id, 0, {_TIME}, 1, CAST(? AS TEXT), notice FROM held "  # noqa: S608
                "WHERE target = ? ON CONFLICT DO NOTHING",
                *(time, error, target),
            )
            self._do("DELETE FROM held WHERE target = ?", target)

    def revive(self, target: str, id: str) -> bool:
        """Have a dead letter tried again from the beginning; tell whether there was one."""
        done = self._do(
            "UPDATE letters SET dead = 0, attempts = 0, due = 0 WHERE target = ? AND id = ? AND dead = 1", target, id
        )
        return done.changed > 0

    def counts(self, target: str) -> tuple[int, int]:
        """Count a target's waiting and dead letters."""
        row = self._one(
            "SELECT count(*) FILTER (WHERE dead = 0), count(*) FILTER (WHERE dead = 1) FROM letters WHERE target = ?",
            target,
        )
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def prune(self, before: float) -> int:
        """Forget deliveries older than a time, and letters that are dead since before it; return how many of these."""
        with self._memory.transaction():
            self._do("DELETE FROM delivered WHERE time < ?", before)
            self._do("DELETE FROM sent WHERE time < ?", before)
            gone = self._do("DELETE FROM letters WHERE dead = 1 AND due < ?", before).changed
            self._do(
                "DELETE FROM held WHERE digest <> '' AND since < ? AND NOT EXISTS "
                "(SELECT 1 FROM letters WHERE letters.target = held.target AND letters.id = held.digest)",
                before,
            )
        return gone

    def follow(self, told: Told) -> Iterator[int]:
        """Have what waits or is dead say what the journal says by now, from which a person may have been taken out.

        `told` gives the events of some notices, by their ids. There may be tens of thousands: yield after each hundred
        how many of them became others, for whoever has something else to do in between. Those that cannot be read are
        passed over, counted and logged.
        """
        unreadable = list[str]()
        for table in ("letters", "held"):
            last = ("", "")
            query = f"SELECT target, id, notice FROM {table} WHERE (target, id) > (?, ?) ORDER BY target, id LIMIT ?"  # noqa: S608
            while rows := self._do(query, *last, _AT_ONCE).rows:
                last = (rows[-1][0], rows[-1][1])
                found = {(target, id): _read(kept) for target, id, kept in rows}
                unreadable += [id for (_, id), notice in found.items() if notice is None]
                count = 0
                for (target, id), fresh in _as_told(found, told).items():
                    self._do(
                        f"UPDATE {table} SET notice = ? WHERE target = ? AND id = ?",  # noqa: S608
                        *(_encoder.encode(fresh), target, id),
                    )
                    count += 1
                yield count
        if unreadable:
            logger.error("letters cannot be read, count=%d first=%s", len(unreadable), unreadable[0])

    # What waits to be told together

    def hold(self, target: str, notice: Notice, time: float, *, quiet: bool) -> None:
        """Keep a notice for a digest: until the flood is over a minute, or with `quiet` until the quiet hours are."""
        with self._memory.transaction():
            self._do("DELETE FROM letters WHERE target = ? AND id = ?", target, notice.id)
            self._do(
                "INSERT INTO held VALUES (?, ?, ?, ?, '', ?) ON CONFLICT DO NOTHING",
                *(target, notice.id, time, int(quiet), _encoder.encode(notice)),
            )

    def held(self, target: str, limit: int, *, quiet: bool = True) -> list[Notice]:
        """List what waits for a digest, the oldest first; without `quiet` only what a flood holds back."""
        found = self._do(
            "SELECT id, since, notice FROM held WHERE target = ? AND digest = '' AND quiet <= ? "
            "ORDER BY since, id LIMIT ?",
            *(target, int(quiet), limit),
        )
        notices = list[Notice]()
        for id, since, kept in found.rows:
            notice = _read(kept)
            if notice is None:
                self._bury(target, str(id), float(since))
            else:
                notices.append(notice)
        return notices

    def gather(self, target: str, digest: Notice, ids: Sequence[str], time: float) -> None:
        """Make notices that wait one letter, to be tried at `time`; they are delivered with it, or die with it."""
        with self._memory.transaction():
            for id in ids:
                self._do("UPDATE held SET digest = ? WHERE target = ? AND id = ?", digest.id, target, id)
            self.put_off(target, Letter(digest, 0, time, False, ""))

    def has_digest(self, target: str) -> bool:
        """Tell whether a digest is on its way."""
        return (
            self._one(
                "SELECT 1 FROM letters JOIN held ON held.target = letters.target AND held.digest = letters.id "
                "WHERE letters.target = ? AND letters.dead = 0",
                target,
            )
            is not None
        )

    def is_gathered(self, target: str, id: str) -> bool:
        """Tell whether a letter is what a digest was to be, but of one notice alone."""
        return self._one("SELECT 1 FROM held WHERE target = ? AND id = ? AND digest = id", target, id) is not None

    def holds_back(self, target: str) -> bool:
        """Tell whether a flood holds anything back: asked at every notice, of which there may be thousands."""
        found = "SELECT 1 FROM held WHERE target = ? AND digest = '' AND quiet = 0 LIMIT 1"
        return self._one(found, target) is not None

    def count_held(self, target: str) -> tuple[int, int]:
        """Count what waits for a digest: because of a flood, because of quiet hours."""
        row = self._one(
            "SELECT count(*) FILTER (WHERE quiet = 0), count(*) FILTER (WHERE quiet = 1) FROM held "
            "WHERE target = ? AND digest = ''",
            target,
        )
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def note_sent(self, target: str, time: float, *, digest: bool) -> None:
        """Note that something was sent, for the limit a minute."""
        self._do("INSERT INTO sent VALUES (?, ?, ?)", target, time, int(digest))

    def sent_since(self, target: str, time: float) -> list[tuple[float, bool]]:
        """List when something was sent after a time, and whether it was a digest; the oldest first."""
        found = self._do("SELECT time, digest FROM sent WHERE target = ? AND time > ? ORDER BY time", target, time)
        return [(float(when), bool(digest)) for when, digest in found.rows]

    # Trying a target out

    def ask_test(self, target: str, notice: Notice) -> None:
        """Ask the notifier to send a target a notice that tries it out, once."""
        self._do("DELETE FROM tests WHERE time < ?", notice.time - 86400.0)
        self._do(
            "INSERT INTO tests VALUES (?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING",
            *(notice.id, target, notice.time, _encoder.encode(notice)),
        )

    def tests(self, target: str) -> list[Notice]:
        """List what is to be sent to try a target out."""
        found = self._do("SELECT notice FROM tests WHERE target = ? AND error IS NULL ORDER BY time LIMIT 5", target)
        return [_decoder.decode(notice) for (notice,) in found.rows]

    def answer_test(self, id: str, error: str) -> None:
        """Note what came of trying a target out; empty is good."""
        self._do("UPDATE tests SET error = ? WHERE id = ?", error, id)

    def test_result(self, id: str) -> str | None:
        """Tell what came of trying a target out: empty is good, None is nothing yet."""
        row = self._one("SELECT error FROM tests WHERE id = ?", id)
        return None if row is None or row[0] is None else str(row[0])

    # What is sent by the calendar

    def planned(self, target: str, plan: str, time: float) -> float:
        """Return since when a target has a plan of reports: `time` for one that is new, which is remembered."""
        self._do("INSERT INTO planned VALUES (?, ?, ?) ON CONFLICT DO NOTHING", target, plan, time)
        return float(self._one("SELECT since FROM planned WHERE target = ? AND plan = ?", target, plan)[0])

    def forget_plans(self, target: str, plans: Sequence[str]) -> None:
        """Forget the plans that a target has no more: one that comes again does not send what was due meanwhile."""
        for (plan,) in self._do("SELECT plan FROM planned WHERE target = ?", target).rows:
            if plan not in plans:
                self._do("DELETE FROM planned WHERE target = ? AND plan = ?", target, plan)

    # Which targets there are

    def know(self, target: str, kind: str, time: float, error: str = "") -> None:
        """Note that a target is served, and what is wrong with it."""
        self._do(
            "INSERT INTO known VALUES (?, ?, ?, ?) ON CONFLICT (target) DO UPDATE SET "
            "kind = excluded.kind, seen = excluded.seen, error = excluded.error",
            *(target, kind, time, error[:500]),
        )

    def forget_others(self, names: Sequence[str]) -> None:
        """Forget which targets were served but are not any more; their letters stay."""
        for name in set(self.known()) - set(names):
            self._do("DELETE FROM known WHERE target = ?", name)

    def known(self) -> dict[str, tuple[str, float, str]]:
        """List the targets that are served: kind, when that was last said, what is wrong."""
        found = self._do("SELECT target, kind, seen, error FROM known ORDER BY target")
        return {name: (kind, seen, error) for name, kind, seen, error in found.rows}

    def _letters(self, where: str, *values: Any) -> list[Letter]:
        query = f"SELECT id, notice, attempts, due, dead, error FROM letters WHERE target = ? AND {where}"  # noqa: S608
        return [
            Letter(notice, attempts, due, bool(dead), error)
            if (notice := _read(kept)) is not None
            else Letter(_lost(str(id)), attempts, due, bool(dead), UNREADABLE)
            for id, kept, attempts, due, dead, error in self._do(query, *values).rows
        ]

    def _bury(self, target: str, id: str, time: float) -> None:
        """Have what cannot be read be dead, so that it holds up nothing and is listed."""
        with self._memory.transaction():
            self._do(
                f"INSERT INTO letters SELECT target, id, 0, {_TIME}, 1, '', notice FROM held "  # noqa: S608
                "WHERE target = ? AND id = ? ON CONFLICT DO NOTHING",
                *(time, target, id),
            )
            self._do("DELETE FROM held WHERE target = ? AND id = ?", target, id)
            self._do(
                "UPDATE letters SET dead = 1, due = ?, error = ? WHERE target = ? AND id = ?",
                *(time, UNREADABLE, target, id),
            )
        logger.error("a letter cannot be read and is tried no more, target=%s id=%s", target, id)

    def _one(self, query: str, *values: Any) -> Any:
        return self._memory.one(query, *values)

    def _do(self, query: str, *values: Any) -> Done:
        return self._memory.do(query, *values)


def _read(kept: bytes) -> Notice | None:
    """Read a notice that was kept; None when it is damaged, or other code wrote it."""
    try:
        return _decoder.decode(kept)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _lost(id: str) -> Notice:
    """Stand in for a notice of which nothing but its id can be read."""
    return Notice(id=id, kind="dispatch", area="", unit="", simulated=False, time=0.0, payload={})


def _as_told(notices: Mapping[tuple[str, str], Notice | None], told: Told) -> dict[tuple[str, str], Notice]:
    """Give those of some notices (by target and id) anew whose event is another by now."""
    events = told([id for _, id in notices]) if notices else {}
    return {
        key: msgspec.structs.replace(notice, payload=events[key[1]])
        for key, notice in notices.items()
        if notice is not None and notice.kind == "dispatch" and events.get(key[1], notice.payload) != notice.payload
    }
