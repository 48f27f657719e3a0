"""Accounts that sign in by a provider: known by issuer and subject, so that no name opens another's."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, select

from alerts.console.accounts.audit import append
from alerts.console.accounts.sessions import end_sessions, revoke_all
from alerts.console.accounts.store import NO_PASSWORD, SIGN_INS, USERS, AccountError, Accounts
from alerts.console.accounts.users import User, change_user, insert_user, user_of

_KEPT = 3600.0  # seconds for which a used state is remembered: longer than one is good for


class External(msgspec.Struct, frozen=True, kw_only=True):
    """Who a provider says has come, and what they may do."""

    issuer: str
    subject: str
    name: str
    display: str
    roles: tuple[str, ...]
    places: tuple[str, ...] = ()
    unit: str | None = None


def find_external(accounts: Accounts, issuer: str, subject: str) -> User | None:
    """Find the account of a provider's subject."""
    with accounts.reading() as connection:
        row = connection.execute(select(USERS).where(USERS.c.issuer == issuer, USERS.c.subject == subject)).first()
    return user_of(row) if row else None


def enter_external(
    accounts: Accounts,
    known: External,
    *,
    first: Literal["make", "approve", "refuse"],
    units: Collection[str],
    places: Collection[str],
    actor: str,
    now: float | None = None,
) -> User:
    """Return the account of whoever has come, as the provider has it now; make it if `first` says so.

    With `approve` it is made disabled. Raise `AccountError`: `not_admitted` with `refuse`; `name_taken` when another
    account has the name, whoever it is; and as `add_user` does.
    """
    now = time.time() if now is None else now
    there = find_external(accounts, known.issuer, known.subject)
    if there is not None:
        return change_user(
            accounts,
            there.name,
            roles=known.roles,
            display=known.display or there.display,
            unit=known.unit,
            places=known.places,
            units=units,
            known=places,
            by_provider=True,
            actor=actor,
            now=now,
        )
    if first == "refuse":
        raise AccountError("not_admitted", "there is no account of this person, and none is made", "name")
    with accounts.writing() as connection:
        return insert_user(
            connection,
            known.name,
            NO_PASSWORD,
            known.roles,
            display=known.display,
            unit=known.unit,
            language=None,
            places=known.places,
            units=units,
            known=places,
            issuer=known.issuer,
            subject=known.subject,
            disabled=first == "approve",
            actor=actor,
            now=now,
        )


def leave_external(accounts: Accounts, issuer: str, subject: str, *, actor: str) -> None:
    """End the sessions of somebody to whom the provider grants nothing any more."""
    there = find_external(accounts, issuer, subject)
    if there is not None:
        end_sessions(accounts, there.name, actor=actor)


def sign_out_external(accounts: Accounts, issuer: str, subject: str, token: str, *, actor: str) -> bool:
    """End the sessions of somebody who has signed out at the provider, by a token's id; False when it came before.

    Both at once: a token whose sessions could not be ended may come again.
    """
    there, now = find_external(accounts, issuer, subject), time.time()
    with accounts.writing() as connection:
        if not _use(accounts, connection, f"logout {token}", now):
            return False
        if there is not None:
            count = revoke_all(connection, there.name, now)
            append(connection, actor, "session.end_all", there.name, {"count": count}, now)
        return True


def use_state(accounts: Accounts, state: str, *, now: float | None = None) -> bool:
    """Note that a sign-in has come back; False when it has before, at whichever console."""
    with accounts.writing() as connection:
        return _use(accounts, connection, state, time.time() if now is None else now)


def _use(accounts: Accounts, connection: Connection, state: str, now: float) -> bool:
    row = {"hash": hashlib.sha256(state.encode()).digest(), "used": now}
    connection.execute(delete(SIGN_INS).where(SIGN_INS.c.used < now - _KEPT))
    made = accounts.insert(SIGN_INS).values(**row).on_conflict_do_nothing()
    return bool(connection.execute(made).rowcount)
