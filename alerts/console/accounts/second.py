"""The second step of a log-in: a code of six digits that changes every half minute (TOTP, RFC 6238), once each.

The secret is made here, shown once, and in force when a code of it was given back. It is stored as it is, in a file for
the owner only: a code cannot be checked with a hash.
"""

from __future__ import annotations

import time
from typing import Any

import pyotp
from sqlalchemy import Connection, select, update

from alerts.console.accounts.audit import append
from alerts.console.accounts.sessions import note_second, revoke_all
from alerts.console.accounts.store import USERS, AccountError, Accounts
from alerts.console.accounts.users import normal_name, usable

STEP = 30
"""Seconds for which a code is shown."""

_DRIFT = 1  # steps by which a clock may be off


def ask_second(accounts: Accounts, name: str) -> str:
    """Make a secret (base32) for an account, to be confirmed with a code; one that was not confirmed is replaced.

    Raise `AccountError` `second_there` where the account has a second step already, `erased` where it is no more.
    """
    secret = pyotp.random_base32()
    with accounts.writing() as connection:
        usable(connection, name)
        row = _row(connection, name)
        if row.second is not None:
            raise AccountError("second_there", f"{row.name} has a second step already: remove it first")
        connection.execute(update(USERS).where(USERS.c.name == row.name).values(second_asked=secret))
    return secret


def address_of(secret: str, name: str, issuer: str) -> str:
    """Write what an authenticator app reads from a picture: an otpauth URI."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=name, issuer_name=issuer)


def confirm_second(
    accounts: Accounts, name: str, code: str, *, actor: str, keep: str = "", now: float | None = None
) -> None:
    """Put the secret that was asked for in force. All sessions end but `keep`, which gave the code.

    Raise `AccountError` `wrong_code` when the code is not of it.
    """
    now = time.time() if now is None else now
    with accounts.writing() as connection:
        row = _row(connection, name)
        step = None if row.second_asked is None else _step_of(row.second_asked, code, now, None)
        if step is None:
            raise AccountError("wrong_code", "this is not the code of now", "code")
        values = {"second": row.second_asked, "second_asked": None, "second_used": step, "changed": now}
        connection.execute(update(USERS).where(USERS.c.name == row.name).values(**values))
        revoke_all(connection, row.name, now, keep)
        note_second(connection, keep)
        append(connection, actor, "user.second_step", row.name, {"on": True}, now)


def check_second(
    accounts: Accounts, name: str, code: str, *, session: str | None = None, now: float | None = None
) -> bool:
    """Tell whether a code is right, and take it: the same one is not taken twice, nor one that is older.

    It is noted in the `session` in which it was given, if that is there already.
    """
    now = time.time() if now is None else now
    with accounts.writing() as connection:
        row = _row(connection, name)
        step = None if row.second is None else _step_of(row.second, code, now, row.second_used)
        if step is not None:
            connection.execute(update(USERS).where(USERS.c.name == row.name).values(second_used=step))
            if session is not None:
                note_second(connection, session)
    return step is not None


def remove_second(accounts: Accounts, name: str, *, actor: str, now: float | None = None) -> None:
    """Take an account's second step away: whoever lost their telephone logs in with the password, and sets up anew."""
    now = time.time() if now is None else now
    with accounts.writing() as connection:
        row = _row(connection, name)
        values = {"second": None, "second_asked": None, "second_used": None, "changed": now}
        connection.execute(update(USERS).where(USERS.c.name == row.name).values(**values))
        if row.second is not None:
            append(connection, actor, "user.second_step", row.name, {"on": False}, now)


def _row(connection: Connection, name: str) -> Any:
    row = connection.execute(select(USERS).where(USERS.c.name == normal_name(name))).first()
    if row is None:
        raise AccountError("unknown_user", f"there is no account {name}", "name")
    return row


def _step_of(secret: str, code: str, now: float, used: int | None) -> int | None:
    """Find which step of time a code is of: now, or one before or after, later than the one that was used."""
    given, here = "".join(code.split()), int(now // STEP)
    made = pyotp.TOTP(secret, interval=STEP)
    for step in range(here - _DRIFT, here + _DRIFT + 1):
        if (used is None or step > used) and pyotp.utils.strings_equal(made.generate_otp(step), given):
            return step
    return None
