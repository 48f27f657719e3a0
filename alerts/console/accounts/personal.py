"""What the account store holds of a person: given to them, and taken away, on request.

The audit is kept: it says who did what, and cannot be changed. A name that was erased stays taken, so that nobody else
comes to stand for what its holder did.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec
from sqlalchemy import delete, or_, select, update

from alerts.console.accounts.audit import append, entry_of
from alerts.console.accounts.store import (
    AUDIT,
    NO_PASSWORD,
    RULE_DRAFTS,
    SESSIONS,
    TOKENS,
    USERS,
    AccountError,
    Accounts,
)
from alerts.console.accounts.users import User, administers, administrators, existing

MOST_ENTRIES = 100_000
"""Entries of the audit that are given at most, the newest."""


def export_person(accounts: Accounts, name: str, *, actor: str, now: float | None = None) -> dict[str, Any]:
    """Give all that the store holds of a person, as plain data without secrets; that it was given is audited.

    Raise `AccountError` when there is no such account.
    """
    now = time.time() if now is None else now
    with accounts.writing() as connection:
        user = existing(connection, name)
        mine = f"user:{user.name}"
        row = connection.execute(select(USERS).where(USERS.c.name == user.name)).one()
        sessions = connection.execute(select(SESSIONS).where(SESSIONS.c.user == user.name).order_by(SESSIONS.c.created))
        drafts = connection.execute(select(RULE_DRAFTS).where(RULE_DRAFTS.c.actor == mine))
        tokens = connection.execute(select(TOKENS).where(TOKENS.c.author == mine).order_by(TOKENS.c.created))
        about = or_(AUDIT.c.actor == mine, AUDIT.c.target == user.name)
        entries = connection.execute(
            select(AUDIT).where(about).order_by(AUDIT.c.sequence.desc()).limit(MOST_ENTRIES)
        ).all()
        told = {
            "account": {**msgspec.structs.asdict(user), "issuer": row.issuer, "subject": row.subject},
            "sessions": [
                {one: getattr(session, one) for one in ("created", "seen", "expires", "revoked", "address", "agent")}
                for session in sessions
            ],
            "drafts": [{one: getattr(draft, one) for one in ("rule", "text", "begun", "changed")} for draft in drafts],
            "tokens": [
                {one: getattr(token, one) for one in ("id", "name", "created", "expires", "used", "revoked")}
                for token in tokens
            ],
            "audit": [msgspec.structs.asdict(entry_of(entry)) for entry in entries],
        }
        append(connection, actor, "user.export", user.name, {}, now)
    return told


def erase_person(accounts: Accounts, name: str, *, actor: str, now: float | None = None) -> User:
    """Take away all that the store holds of a person but the audit; the account is disabled for good.

    The tokens that they made end, too: whoever has seen a secret can use it. Raise `AccountError` when there is no such
    account, or no administrator would remain.
    """
    now = time.time() if now is None else now
    with accounts.writing() as connection:
        user = existing(connection, name)
        if administers(user) and administrators(connection) == 1:
            raise AccountError("last_administrator", f"{user.name} is the last administrator")
        connection.execute(delete(SESSIONS).where(SESSIONS.c.user == user.name))
        mine = f"user:{user.name}"
        connection.execute(delete(RULE_DRAFTS).where(RULE_DRAFTS.c.actor == mine))
        lasting = (TOKENS.c.author == mine, TOKENS.c.revoked.is_(None))
        tokens = connection.execute(update(TOKENS).where(*lasting).values(revoked=now)).rowcount
        nothing = dict.fromkeys(
            ("unit", "place", "language", "second", "second_asked", "second_used", "issuer", "subject")
        )
        values = {**nothing, "display": user.name, "password": NO_PASSWORD, "roles": "viewer", "places": ""}
        connection.execute(update(USERS).where(USERS.c.name == user.name).values(**values, disabled=True, changed=now))
        append(connection, actor, "user.erase", user.name, {"tokens": tokens} if tokens else {}, now)
        return existing(connection, user.name)
