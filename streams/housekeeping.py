"""Keep the journal to the site's policy, and have the audit know what is done to a data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from alerts.persons import erase_actor, erase_subject
from alerts.policy import Policy
from alerts.retention import Kept, Told, keep, sweep
from streams.settings import Settings

ACTOR = "foreshock"
"""Who does it by himself, once a day."""


DAY = 86400.0

MOST_ERASED = 100_000
"""Entries of the audit, the newest, that are looked through for whom reports were about."""


class Daily:
    """Say when something is to be done that is done at once after a start, and then once a day."""

    def __init__(self) -> None:
        self._next = 0.0

    def is_due(self, now: float) -> bool:
        """Tell whether a day has passed (unix seconds), or the clock was set back by more than one."""
        return not self._next - DAY <= now < self._next

    def done(self, now: float) -> None:
        """Note that it was done."""
        self._next = now + DAY


def keep_to_policy(
    settings: Settings,
    engine: Engine,
    now: float,
    *,
    policy: Policy | None = None,
    actor: str = ACTOR,
    told: Told = lambda *_: None,
) -> Kept:
    """Remove and redact what the policy (the settings', unless given) no longer allows; note in the audit what was.

    Raise SQLAlchemy's `DatabaseError` when a database cannot be used; what was done until then is done.
    """
    policy = settings.policy if policy is None else policy
    kept = keep(engine, policy, now, told)
    sweep(engine, settings.data_folder / "attachments", now)
    if kept:
        counts = {"cases": kept.cases, "redacted": kept.redacted, "reports": kept.reports}
        note(settings, actor, "journal.policy", "journal", **counts)
    return kept


def keep_erased(settings: Settings, engine: Engine, now: float) -> int:
    """Take out of a journal again whom accounts and audit say was erased; return how many lines changed."""
    # here: they load Argon2, which the worker has no use for
    from alerts.console.accounts import list_audit, list_users, open_accounts
    from alerts.console.persons import ERASED, remove_photos

    place = settings.accounts_at
    if isinstance(place, Path) and not place.exists():
        return 0
    accounts = open_accounts(place)
    try:
        users = {user.name: user.erased for user in list_users(accounts)}
        about = {entry.target for entry in list_audit(accounts, action=ERASED, limit=MOST_ERASED)} - users.keys()
    finally:
        accounts.close()
    lines = sum(erase_actor(engine, f"user:{name}", now).lines for name, erased in users.items() if erased)
    for subject in sorted(about):
        done, photos = erase_subject(engine, subject, now)
        remove_photos(settings.data_folder / "photos", photos)
        lines += done.lines
    return lines


def note(settings: Settings, actor: str, action: str, about: str, **what: Any) -> None:
    """Note in the audit what was done to a data folder, and by whom."""
    from alerts.console.accounts import open_accounts, record_audit  # loads Argon2, which the worker has no use for

    accounts = open_accounts(settings.accounts_at)
    try:
        record_audit(accounts, actor, action, about, **what)
    finally:
        accounts.close()
