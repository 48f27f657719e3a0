"""The first administrator: a link that works once, for a day, and only while there is no administrator."""

from __future__ import annotations

import hashlib
import secrets
import time

from sqlalchemy import Connection, delete, insert, select, update

from alerts.console.accounts.store import FIRST_LINKS, USERS, AccountError, Accounts
from alerts.console.accounts.users import User, checked_password, insert_user, user_of

LIFE = 24 * 3600.0  # seconds


def has_administrator(accounts: Accounts) -> bool:
    """Say whether some account that is not disabled is an administrator."""
    with accounts.reading() as connection:
        return _administered(connection)


def first_link(accounts: Accounts, url: str = "http://127.0.0.1:8700", *, now: float | None = None) -> str | None:
    """Make the link for the first administrator, which ends the ones made before; None once there is one.

    `url` is the console's own address.
    """
    now = time.time() if now is None else now
    token = secrets.token_urlsafe(24)
    with accounts.writing() as connection:
        if _administered(connection):
            return None
        connection.execute(delete(FIRST_LINKS))
        connection.execute(insert(FIRST_LINKS).values(hash=_hash(token), created=now, expires=now + LIFE))
    return f"{url.rstrip('/')}/#/first?token={token}"


def claim_first(
    accounts: Accounts, token: str, name: str, password: str, *, language: str | None = None, now: float | None = None
) -> User:
    """Make the first administrator with the link's token.

    Raise `AccountError` `bad_link` when the link is wrong, used or over, or when there is an administrator.
    """
    now = time.time() if now is None else now
    live = (FIRST_LINKS.c.hash == _hash(token), FIRST_LINKS.c.used.is_(None), FIRST_LINKS.c.expires > now)
    with accounts.reading() as connection:
        _claimable(connection, live)  # before the costly hash
    hashed = accounts.hasher.hash(checked_password(password, name))
    with accounts.writing() as connection:
        _claimable(connection, live)
        user = insert_user(
            connection,
            name,
            hashed,
            ["administrator"],
            display="",
            unit=None,
            language=language,
            units=None,
            actor="first-link",
            now=now,
        )
        connection.execute(update(FIRST_LINKS).values(used=now))
    return user


def _claimable(connection: Connection, live: tuple[object, ...]) -> None:
    if _administered(connection) or not connection.execute(select(FIRST_LINKS.c.hash).where(*live)).first():  # type: ignore[arg-type]
        raise AccountError("bad_link", "this link was used, is over, or is not from this console", "token")


def _administered(connection: Connection) -> bool:
    rows = connection.execute(select(USERS).where(USERS.c.disabled.is_(False)))
    return any("administrator" in user_of(row).roles for row in rows)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
