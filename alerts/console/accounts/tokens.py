"""API tokens: shown once, stored as a hash, with roles of their own and a day on which they end."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from alerts.console.accounts.audit import append
from alerts.console.accounts.store import TOKENS, AccountError, Accounts
from alerts.console.accounts.users import check_places, check_unit, checked_name, checked_roles, normal_name

PREFIX = "fsk_"
LONGEST_DAYS = 730.0


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """One API token without its secret. Times are unix seconds."""

    id: str
    name: str
    roles: tuple[str, ...]
    unit: str | None
    author: str
    created: float
    expires: float
    used: float | None
    revoked: bool
    places: tuple[str, ...] = ()


def add_token(
    accounts: Accounts,
    name: str,
    roles: Iterable[str],
    *,
    days: float = 90.0,
    unit: str | None = None,
    places: Iterable[str] = (),
    units: Collection[str] | None = None,
    known: Collection[str] | None = None,
    actor: str = "cli",
    now: float | None = None,
) -> tuple[Token, str]:
    """Make a token and return it with its secret, which is shown this once. Raise `AccountError` on a bad name, role,
    unit, place or life.
    """
    now = time.time() if now is None else now
    if not 0 < days <= LONGEST_DAYS:
        raise AccountError("bad_days", f"a token lives for more than 0 and at most {LONGEST_DAYS:.0f} days", "days")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token(
        id=secrets.token_hex(6),
        name=checked_name(name),
        roles=checked_roles(roles),
        unit=unit or None,
        author=actor,
        created=now,
        expires=now + days * 86400,
        used=None,
        revoked=False,
        places=tuple(places),
    )
    check_unit(token.roles, token.unit, units)
    check_places(token.roles, token.places, known)
    lists = {"roles": " ".join(token.roles), "places": " ".join(token.places)}
    row: dict[str, Any] = msgspec.structs.asdict(token) | lists | {"revoked": None}
    with accounts.writing() as connection:
        connection.execute(insert(TOKENS).values(**row, hash=_hash(secret)))
        append(
            connection,
            actor,
            "token.add",
            token.id,
            {"name": token.name, "roles": token.roles, "places": token.places},
            now,
        )
    return token, secret


def list_tokens(accounts: Accounts) -> list[Token]:
    """List all tokens, the newest first."""
    with accounts.reading() as connection:
        return [_token_of(row) for row in connection.execute(select(TOKENS).order_by(TOKENS.c.created.desc()))]


def find_token(accounts: Accounts, secret: str, *, now: float | None = None) -> Token | None:
    """Find the token of a secret that is neither expired nor revoked; note its use once a minute."""
    now = time.time() if now is None else now
    live = (TOKENS.c.hash == _hash(secret), TOKENS.c.revoked.is_(None), TOKENS.c.expires > now)
    with accounts.reading() as connection:
        row = connection.execute(select(TOKENS).where(*live)).first()
    if row is None:
        return None
    if row.used is None or row.used < now - 60:
        with accounts.writing() as connection:
            connection.execute(update(TOKENS).where(TOKENS.c.id == row.id).values(used=now))
    return _token_of(row)


def revoke_token(accounts: Accounts, token: str, *, actor: str = "cli", now: float | None = None) -> Token:
    """Revoke a token by its id, or by its name where one token in force has it. Raise `AccountError` otherwise."""
    now = time.time() if now is None else now
    with accounts.writing() as connection:
        row = _named(connection, token, now)
        if row.revoked is None:
            connection.execute(update(TOKENS).where(TOKENS.c.id == row.id).values(revoked=now))
            append(connection, actor, "token.revoke", row.id, {"name": row.name}, now)
    return msgspec.structs.replace(_token_of(row), revoked=True)


def _named(connection: Connection, token: str, now: float) -> Any:
    """Find the row of a token by id, else by name; of the same name, one in force comes before those that are over."""
    row = connection.execute(select(TOKENS).where(TOKENS.c.id == token)).first()
    if row is not None:
        return row
    name = TOKENS.c.name == normal_name(token)
    rows = connection.execute(select(TOKENS).where(name).order_by(TOKENS.c.created.desc())).all()
    if not rows:
        raise AccountError("unknown_token", f"there is no token {token}", "id")
    in_force = [row for row in rows if row.revoked is None and row.expires > now]
    if len(in_force) > 1:
        ids = ", ".join(row.id for row in in_force)
        raise AccountError(
            "ambiguous_token", f"{len(in_force)} tokens are called {token}: name one by its id, {ids}", "id"
        )
    return (in_force or rows)[0]


def _token_of(row: Any) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        roles=tuple(row.roles.split()),
        unit=row.unit,
        author=row.author,
        created=row.created,
        expires=row.expires,
        used=row.used,
        revoked=row.revoked is not None,
        places=tuple(row.places.split()),
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
