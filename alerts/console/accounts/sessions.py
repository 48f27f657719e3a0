"""Sessions: revocable rows. The cookie holds a random id, the store only its hash."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from alerts.console.accounts.audit import append
from alerts.console.accounts.store import SESSIONS, USERS, AccountError, Accounts

if TYPE_CHECKING:
    from alerts.console.accounts.users import User

IDLE = 12 * 3600.0  # seconds: a shift's length, so that a night's watch is not thrown out
ABSOLUTE = 7 * 86400.0  # seconds
_NAMED = 16  # digits of a session's hash by which it is named


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One session as found. Times are unix seconds. `second` says that a second step was given in it."""

    id: str
    user: User
    created: float
    seen: float
    expires: float
    second: bool


def begin_session(
    accounts: Accounts,
    name: str,
    *,
    address: str = "",
    agent: str = "",
    absolute: float = ABSOLUTE,
    second: bool = False,
    provider: str = "",
    now: float | None = None,
) -> str:
    """Begin a session of an account and return its id, which is kept nowhere else.

    `second` says that a provider asked for a second step, `provider` who it is.
    """
    now = time.time() if now is None else now
    session = secrets.token_urlsafe(32)
    with accounts.writing() as connection:
        connection.execute(delete(SESSIONS).where(SESSIONS.c.expires < now - ABSOLUTE))
        connection.execute(
            insert(SESSIONS).values(
                hash=_hash(session),
                user=name,
                created=now,
                seen=now,
                expires=now + absolute,
                address=address[:64],
                agent=agent[:200],
                second=second,
            )
        )
        told = {"address": address[:64]} | ({"provider": provider, "second_step": second} if provider else {})
        append(connection, f"user:{name}", "session.begin", name, told, now)
    return session


def find_session(accounts: Accounts, session: str, *, idle: float = IDLE, now: float | None = None) -> Session | None:
    """Find a session that is neither expired, idle for too long, revoked, nor of a disabled account."""
    from alerts.console.accounts.users import user_of

    now = time.time() if now is None else now
    query = (
        select(
            SESSIONS.c.created.label("begun"),
            SESSIONS.c.seen,
            SESSIONS.c.expires,
            SESSIONS.c.second.label("given"),
            USERS,
        )
        .join(USERS, USERS.c.name == SESSIONS.c.user)
        .where(
            SESSIONS.c.hash == _hash(session),
            SESSIONS.c.revoked.is_(None),
            SESSIONS.c.expires > now,
            SESSIONS.c.seen > now - idle,
            USERS.c.disabled.is_(False),
        )
    )
    with accounts.reading() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    given = bool(row.given)
    return Session(id=session, user=user_of(row), created=row.begun, seen=row.seen, expires=row.expires, second=given)


def touch_session(accounts: Accounts, session: str, *, now: float | None = None) -> None:
    """Note that a session was used just now."""
    now = time.time() if now is None else now
    with accounts.writing() as connection:
        connection.execute(update(SESSIONS).where(SESSIONS.c.hash == _hash(session)).values(seen=now))


def note_second(connection: Connection, session: str) -> None:
    """Note, within a transaction, that a second step was given in a session."""
    connection.execute(update(SESSIONS).where(SESSIONS.c.hash == _hash(session)).values(second=True))


def end_session(accounts: Accounts, session: str, *, actor: str, now: float | None = None) -> None:
    """Revoke one session."""
    now = time.time() if now is None else now
    with accounts.writing() as connection:
        connection.execute(
            update(SESSIONS).where(SESSIONS.c.hash == _hash(session), SESSIONS.c.revoked.is_(None)).values(revoked=now)
        )
        append(connection, actor, "session.end", actor.partition(":")[2], {}, now)


def end_sessions(accounts: Accounts, name: str, *, actor: str = "cli", now: float | None = None) -> int:
    """Revoke all sessions of an account; return how many."""
    now = time.time() if now is None else now
    with accounts.writing() as connection:
        count = revoke_all(connection, name, now)
        append(connection, actor, "session.end_all", name, {"count": count}, now)
    return count


class OpenSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session that is open, as it is listed: `id` names it and is no way in. Times are unix seconds."""

    id: str
    user: str
    created: float
    seen: float
    expires: float
    address: str
    agent: str


def list_sessions(accounts: Accounts, *, idle: float = IDLE, now: float | None = None) -> list[OpenSession]:
    """List the sessions that are open, the one that was used last first."""
    now = time.time() if now is None else now
    live = (SESSIONS.c.revoked.is_(None), SESSIONS.c.expires > now, SESSIONS.c.seen > now - idle)
    query = select(SESSIONS).where(*live).order_by(SESSIONS.c.seen.desc())
    with accounts.reading() as connection:
        return [
            OpenSession(
                id=row.hash.hex()[:_NAMED],
                user=row.user,
                created=row.created,
                seen=row.seen,
                expires=row.expires,
                address=row.address,
                agent=row.agent,
            )
            for row in connection.execute(query)
        ]


def session_id(session: str) -> str:
    """Name a session as it is listed."""
    return _hash(session).hex()[:_NAMED]


def revoke_session(accounts: Accounts, id: str, *, actor: str, now: float | None = None) -> str:
    """Revoke a session by its id in the list; return whose it was. Raise `AccountError` when none is open by it."""
    now = time.time() if now is None else now
    with accounts.writing() as connection:
        rows = connection.execute(select(SESSIONS.c.hash, SESSIONS.c.user).where(SESSIONS.c.revoked.is_(None))).all()
        row = next((row for row in rows if row.hash.hex()[:_NAMED] == id), None)
        if row is None:
            raise AccountError("unknown_session", "there is no such session, or it is over", "id")
        connection.execute(update(SESSIONS).where(SESSIONS.c.hash == row.hash).values(revoked=now))
        append(connection, actor, "session.revoke", row.user, {"session": id}, now)
    return str(row.user)


def revoke_all(connection: Connection, name: str, now: float, keep: str = "") -> int:
    """Revoke an account's sessions, but the one to `keep`, within a transaction; return how many were open."""
    open_rows = (SESSIONS.c.user == name, SESSIONS.c.revoked.is_(None), SESSIONS.c.hash != _hash(keep))
    return connection.execute(update(SESSIONS).where(*open_rows).values(revoked=now)).rowcount


def _hash(session: str) -> bytes:
    return hashlib.sha256(session.encode()).digest()
