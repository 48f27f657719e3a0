"""The audit: who did what, append-only, each entry hashed over the one before it."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, insert, or_, select

from alerts.console.accounts.store import AUDIT, Accounts

_START = bytes(32)


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the audit. `time` is unix seconds, `detail` plain data without secrets."""

    sequence: int
    time: float
    actor: str
    action: str
    target: str
    detail: dict[str, Any]


def append(connection: Connection, actor: str, action: str, target: str, detail: dict[str, Any], now: float) -> None:
    """Append one entry within a transaction of `Accounts.writing`."""
    last = connection.execute(select(AUDIT.c.sequence, AUDIT.c.hash).order_by(AUDIT.c.sequence.desc()).limit(1)).first()
    sequence, previous = (last.sequence + 1, last.hash) if last else (1, _START)
    text = msgspec.json.encode(detail, order="sorted").decode()
    row = {"sequence": sequence, "time": now, "actor": actor, "action": action, "target": target, "detail": text}
    connection.execute(insert(AUDIT).values(**row, previous=previous, hash=_digest(previous, row)))


def record_audit(
    accounts: Accounts, actor: str, action: str, target: str = "", *, now: float | None = None, **detail: Any
) -> None:
    """Append one entry in a transaction of its own."""
    with accounts.writing() as connection:
        append(connection, actor, action, target, detail, time.time() if now is None else now)


def list_audit(
    accounts: Accounts,
    *,
    actor: str | None = None,
    action: str | None = None,
    target: str | None = None,
    limit: int = 100,
    before: int | None = None,
) -> list[AuditEntry]:
    """List the newest entries first, at most `limit`, older than sequence `before` if given.

    `actor` finds a token with and without its id (`token:probe`), `action` also all of a kind (`user`, `command`).
    """
    query = select(AUDIT).order_by(AUDIT.c.sequence.desc()).limit(limit)
    if actor:
        query = query.where(_begins(AUDIT.c.actor, actor, "#"))
    if action:
        query = query.where(_begins(AUDIT.c.action, action, "."))
    if target:
        query = query.where(AUDIT.c.target == target)
    if before is not None:
        query = query.where(AUDIT.c.sequence < before)
    with accounts.reading() as connection:
        rows = connection.execute(query).all()
    return [entry_of(row) for row in rows]


def entry_of(row: Any) -> AuditEntry:
    """Read an entry from its row."""
    return AuditEntry(
        sequence=row.sequence,
        time=row.time,
        actor=row.actor,
        action=row.action,
        target=row.target,
        detail=_detail(row.detail),
    )


def audit_break(accounts: Accounts) -> int | None:
    """Name the first sequence at which the chain does not hold, or None when it holds throughout.

    It reads every entry, some 13 µs each. What it cannot see is that the latest entries were cut off.
    """
    with accounts.reading() as connection:
        return chain_break(connection)


def chain_break(connection: Connection) -> int | None:
    """Do what `audit_break` does, on a connection of one's own: a reading one is enough."""
    previous, expected = _START, 1
    for row in connection.execute(select(AUDIT).order_by(AUDIT.c.sequence)).mappings():
        fields = {key: row[key] for key in ("sequence", "time", "actor", "action", "target", "detail")}
        if row["sequence"] != expected or row["previous"] != previous or row["hash"] != _digest(previous, fields):
            return expected
        previous, expected = row["hash"], expected + 1
    return None


def _detail(text: str) -> dict[str, Any]:
    """Read an entry's detail; one that somebody has written over is shown as it is."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return {"unreadable": text}


def _begins(column: Column[str], text: str, mark: str) -> ColumnElement[bool]:
    return or_(column == text, column.startswith(text + mark, autoescape=True))


def _digest(previous: bytes, row: dict[str, Any]) -> bytes:
    return hashlib.sha256(previous + msgspec.json.encode(row, order="sorted")).digest()
