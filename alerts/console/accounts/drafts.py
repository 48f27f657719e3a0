"""Drafts of rules: one of each rule for each person, kept until it is published or dropped."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, func, select

from alerts.console.accounts.store import RULE_DRAFTS, AccountError, Accounts

MOST = 50
"""Drafts of one person; for another one they drop one first."""

RECENT = 30 * 86400.0
"""Seconds after its last change for which others are told of a draft."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft: what it says, what version of the rule it was begun from, and when (unix seconds)."""

    rule: str
    text: str
    base: str
    begun: float
    changed: float


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody else who has a draft of the same rule."""

    actor: str
    begun: float
    changed: float


def save_draft(accounts: Accounts, actor: str, rule: str, text: str, base: str, now: float) -> Draft:
    """Keep a draft in the place of the person's last one of this rule. Raise `AccountError` beyond `MOST` of them."""
    table = RULE_DRAFTS
    with accounts.writing() as connection:
        held = select(func.count()).where(table.c.actor == actor, table.c.rule != rule)
        if connection.scalar(held) >= MOST:
            raise AccountError("too_many_drafts", f"a person keeps at most {MOST} drafts")
        fresh = {"text": text, "base": base, "changed": now}
        row = accounts.insert(table).values(actor=actor, rule=rule, begun=now, **fresh)
        connection.execute(row.on_conflict_do_update(index_elements=["actor", "rule"], set_=fresh))
        begun = connection.scalar(select(table.c.begun).where(table.c.actor == actor, table.c.rule == rule))
    return Draft(rule=rule, text=text, base=base, begun=begun, changed=now)


def find_draft(accounts: Accounts, actor: str, rule: str) -> Draft | None:
    """Find a person's draft of a rule."""
    return next((one for one in list_drafts(accounts, actor) if one.rule == rule), None)


def list_drafts(accounts: Accounts, actor: str) -> list[Draft]:
    """List a person's drafts, the one that was changed last first."""
    table = RULE_DRAFTS
    wanted = select(table).where(table.c.actor == actor).order_by(table.c.changed.desc())
    with accounts.reading() as connection:
        return [
            Draft(rule=row.rule, text=row.text, base=row.base, begun=row.begun, changed=row.changed)
            for row in connection.execute(wanted)
        ]


def drop_draft(accounts: Accounts, actor: str, rule: str) -> bool:
    """Forget a person's draft of a rule; False where there was none."""
    table = RULE_DRAFTS
    with accounts.writing() as connection:
        gone = connection.execute(delete(table).where(table.c.actor == actor, table.c.rule == rule))
    return bool(gone.rowcount)


def other_drafts(accounts: Accounts, actor: str, rule: str, now: float) -> list[Other]:
    """List who else changed a draft of a rule lately, who began first first."""
    table = RULE_DRAFTS
    wanted = select(table.c.actor, table.c.begun, table.c.changed).where(
        table.c.rule == rule, table.c.actor != actor, table.c.changed > now - RECENT
    )
    with accounts.reading() as connection:
        rows = connection.execute(wanted.order_by(table.c.begun)).all()
    return [Other(actor=row.actor, begun=row.begun, changed=row.changed) for row in rows]
