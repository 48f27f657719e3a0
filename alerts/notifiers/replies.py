"""Codes by which people acknowledge what they were told: each works once, for a time, for one thing.

A code is made from the notice's id and the target's name with the data folder's key, so that a repeat of a notice has
the same one. Kept is only its hash, in `outbox.sqlite`: the notifier writes there, the console reads and uses up.
"""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from pathlib import Path

import msgspec

from alerts.notifiers.memory import Memory
from alerts.notifiers.notice import Notice
from alerts.notifiers.targets import PeopleTarget

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is taken for another when read out or typed
LENGTH = 12
"""Characters of a code, 5 bits each."""

_CODE = re.compile(rf"(?<![0-9A-Za-z])((?:[{ALPHABET}]{{4}}[- ]?){{2}}[{ALPHABET}]{{4}})(?![0-9A-Za-z])")
_KEEP = 30 * 86400.0  # seconds after its end for which a code is still known to be one that is over
_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
    hash BLOB PRIMARY KEY, target TEXT NOT NULL, kind TEXT NOT NULL, object TEXT NOT NULL, unit TEXT NOT NULL,
    area TEXT NOT NULL, title BLOB NOT NULL, expires REAL NOT NULL, used REAL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS replies_expires ON replies (expires);
"""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a code does: `kind` (acknowledge an incident, accept a dispatch) to `object`, for whom it was sent to."""

    target: str  # the subject that it was sent to, <target> or <target>:<address>
    kind: str
    object: str
    seen: int | None = None  # the change of the incident that was told of
    unit: str
    area: str
    title: dict[str, str]
    expires: float
    used: float | None = None


class Replies:
    """The codes that were given out. For one thread."""

    def __init__(self, place: Path | str, key: bytes) -> None:
        self._key = hmac.digest(key, b"foreshock replies", "sha256")
        self._memory = Memory(place, _SCHEMA)

    def close(self) -> None:
        """Let go of it."""
        self._memory.close()

    def give(self, notice: Notice, target: PeopleTarget) -> str:
        """Make the code of a notice to a target; empty when it is not the target's to answer."""
        asked = _asked(notice)
        if asked is None or not target.reply or _is_copy(notice, target):
            return ""
        kind, object = asked
        digest = hmac.digest(self._key, f"{notice.id}\0{target.name}".encode(), "sha256")
        number = int.from_bytes(digest[:8])
        code = "".join(ALPHABET[number >> 5 * place & 31] for place in range(LENGTH))
        title = {name: str(text) for name, text in notice.data.get("title", {}).items()}
        self._memory.do(
            "INSERT INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING",
            *(_hash(code), target.name, kind, object, notice.unit, notice.area),
            *(msgspec.json.encode(title), notice.time + target.reply_hours * 3600.0),
        )
        return "-".join(code[start : start + 4] for start in range(0, LENGTH, 4))

    def find(self, code: str) -> Reply | None:
        """Find what a code does, also when it is used or over; None for one that was never given out."""
        row = self._memory.one(
            "SELECT target, kind, object, unit, area, title, expires, used FROM replies WHERE hash = ?",
            _hash(normal(code)),
        )
        if row is None:
            return None
        target, kind, object, unit, area, title, expires, used = row
        object, _, seen = object.partition(".")  # codes of old do not have the second
        return Reply(
            target=target,
            kind=kind,
            object=object,
            seen=int(seen) if seen else None,
            unit=unit,
            area=area,
            title=msgspec.json.decode(title, type=dict[str, str]),
            expires=expires,
            used=used,
        )

    def use(self, code: str, time: float) -> bool:
        """Use a code up; tell whether it was there to be used: of two at once, one."""
        done = self._memory.do(
            "UPDATE replies SET used = ? WHERE hash = ? AND used IS NULL AND expires > ?",
            *(time, _hash(normal(code)), time),
        )
        return done.changed == 1

    def give_back(self, code: str, time: float) -> None:
        """Have a code that was used at this `time` work again: what it was for could not be done."""
        self._memory.do("UPDATE replies SET used = NULL WHERE hash = ? AND used = ?", _hash(normal(code)), time)

    def prune(self, now: float) -> None:
        """Forget codes that are long over."""
        self._memory.do("DELETE FROM replies WHERE expires < ?", now - _KEEP)


def codes_in(text: str) -> list[str]:
    """Find what may be codes in a message that somebody wrote, at most five; small letters will do."""
    return [normal(found) for found in _CODE.findall(text[:4000].upper())[:5]]


def normal(code: str) -> str:
    """Write a code as it is kept: large letters without hyphens and spaces."""
    return re.sub(r"[-\s]", "", code[:64]).upper()


def _asked(notice: Notice) -> tuple[str, str] | None:
    """Say what a notice asks for: (kind of command, what it is given to); of an incident, <id>.<change told of>."""
    if notice.kind != "dispatch":
        return None
    if notice.unit and notice.data.get("leg") == "issued":
        dispatch = notice.data.get("dispatch")
        return ("accept", dispatch) if isinstance(dispatch, str) else None
    incident = notice.data.get("incident")
    if notice.unit or not isinstance(incident, str):
        return None
    about, _, change = notice.id.rpartition(".")
    return "acknowledge", notice.id if about == incident and change.isdecimal() else incident


def _is_copy(notice: Notice, target: PeopleTarget) -> bool:
    """Tell whether an order is of none of the target's units: who lost it, or is told of it, cannot accept it."""
    return bool(notice.unit and target.units and notice.unit not in target.units)


def _hash(code: str) -> bytes:
    return sha256(code.encode()).digest()
