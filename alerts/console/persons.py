"""All that is kept of one person, in the accounts and in the journal: given to them, and taken away, on request.

Who has an account is found by its name; whom reports are about by the keyed hash of what they were called there.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from alerts import persons
from alerts.console.accounts import Accounts, User, erase_person, export_person, record_audit
from alerts.persons import Erased
from alerts.queries import JournalMissing, open_engine

ERASED = "journal.erase"
"""What the audit calls it that somebody was taken out of the journal: an account's name, or a subject's hash."""


def give(accounts: Accounts, journal: str, name: str, *, actor: str) -> dict[str, Any]:
    """Give all that accounts and journal hold of a person, as plain data without secrets; it is audited.

    Raise `AccountError` when there is no such account.
    """
    told = export_person(accounts, name, actor=actor)
    with _opened(journal, readonly=True) as engine:
        mine = f"user:{told['account']['name']}"
        return {**told, "journal": [] if engine is None else persons.lines_of(engine, mine)}


def take_away(accounts: Accounts, journal: str, name: str, *, actor: str) -> tuple[User, Erased]:
    """Erase an account for good, and whom it was of from what is over in the journal; it is audited.

    To be done again once what was open is over. Raise `AccountError` when there is no such account, or no administrator
    would remain.
    """
    user = erase_person(accounts, name, actor=actor)
    with _opened(journal) as engine:
        done = Erased() if engine is None else persons.erase_actor(engine, f"user:{user.name}", time.time())
    record_audit(accounts, actor, ERASED, user.name, lines=done.lines, left=done.left)
    return user, done


def give_about(accounts: Accounts, journal: str, subject: str, *, actor: str) -> list[dict[str, Any]]:
    """Give the reports about a subject (its hash); it is audited."""
    with _opened(journal, readonly=True) as engine:
        found = [] if engine is None else persons.reports_about(engine, subject)
    record_audit(accounts, actor, "journal.export", subject, lines=len(found))
    return found


def take_away_about(accounts: Accounts, journal: str, photos: Path, subject: str, *, actor: str) -> Erased:
    """Remove the reports about a subject (its hash), with their photos, where nothing is open; it is audited."""
    with _opened(journal) as engine:
        done, gone = (Erased(), set[str]()) if engine is None else persons.erase_subject(engine, subject, time.time())
    remove_photos(photos, gone)
    record_audit(accounts, actor, ERASED, subject, lines=done.lines, left=done.left)
    return done


def remove_photos(photos: Path, gone: Iterable[str]) -> None:
    """Remove photos by the SHA-256 that no report has any more."""
    for sha in gone:
        for file in photos.glob(f"{sha}.*"):
            file.unlink(missing_ok=True)


def subject_key(key: bytes) -> bytes:
    """Derive from the installation's key the one that subjects are hashed with."""
    return hmac.digest(key, b"foreshock subjects", "sha256")


def pseudonym(key: bytes, subject: str) -> str:
    """Hash who is spoken of with the site's key: the same person gives the same name, and nobody's can be read off."""
    return hmac.new(key, subject.strip().casefold().encode(), hashlib.sha256).hexdigest()[:24]


@contextlib.contextmanager
def _opened(journal: str, *, readonly: bool = False) -> Iterator[Engine | None]:
    """Open the journal; None where there is none yet."""
    try:
        if not readonly:  # a file that is not there is not to be made
            open_engine(journal, readonly=True).dispose()
        engine = open_engine(journal, readonly=readonly)
    except JournalMissing:
        yield None
        return
    try:
        yield engine
    finally:
        engine.dispose()
