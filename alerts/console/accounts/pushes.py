"""When each push of readings, or report, first came: one that is sent again is stamped as it was then."""

from __future__ import annotations

import hashlib

from sqlalchemy import delete, select

from alerts.console.accounts.store import PUSHES, Accounts

DAYS = 2
"""Days for which a push may be sent again and is known."""

DAY = 86400.0


def push_id(actor: str, id: str) -> str:
    """Name a push by who sends it and what they call it (hexadecimal, 32 digits)."""
    return hashlib.sha256(f"{actor}\0{id}".encode()).hexdigest()[:32]


def first_stamp(accounts: Accounts, id: str, digest: str, now: float) -> float | None:
    """Return when a push (`push_id`) first came, unix seconds: `now` for a new one, which is remembered from then on.

    None when the first was another: `digest` is the hash of what it holds. It is written down before the push is, so
    that one that ended half-way is stamped alike too: the engine then knows by their times the readings that it has.
    """
    with accounts.writing() as connection:
        connection.execute(accounts.insert(PUSHES).values(id=id, digest=digest, stamp=now).on_conflict_do_nothing())
        connection.execute(delete(PUSHES).where(PUSHES.c.stamp < now - DAYS * DAY))
        first = connection.execute(select(PUSHES.c.stamp, PUSHES.c.digest).where(PUSHES.c.id == id)).one()
    return float(first.stamp) if first.digest == digest else None
