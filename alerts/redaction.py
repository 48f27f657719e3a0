"""Take what is personal out of a record: who did it, and what they wrote. What happened, when and where stays."""

from __future__ import annotations

from typing import Any

from alerts.messages import MESSAGES

REDACTED = "redacted"

_WHO = frozenset({"actor", "by", "acknowledged_by", "assignee", "ended_by", "to"})
WORDS = frozenset({"reason", "note", "text", "contact", "ended_why"})
"""Fields that hold what somebody wrote."""

_NOBODY = frozenset({"engine", "rule", "unit", "camera", "token", "foreshock"})
"""Kinds of actors that are no persons; `unit:` is a team."""


def redact(record: Any, person: str | None = None) -> Any:
    """Return plain data without names of persons and without what they wrote. Doing it again changes nothing.

    Of an actor its kind is left: `user:redacted`. Reasons that are keys of `alerts.messages` are our own words and
    stay. Of reports among the reasons of an alarm, who brought them and what they say goes. With a `person`
    (`user:li`), only they go, and what stands beside their name.
    """
    if isinstance(record, list):
        return [redact(one, person) for one in record]
    if not isinstance(record, dict):
        return record
    theirs = person is None or any(record.get(name) == person for name in _WHO)
    made = {name: _field(name, value, person, theirs) for name, value in record.items()}
    if theirs and record.get("report") and "detail" in record:
        made["detail"] = REDACTED if record["detail"] else ""
    return made


def who(actor: str | None) -> str | None:
    """Return an actor of whom nothing but the kind is left; what is no person as it is."""
    if not actor:
        return actor
    kind, mark, _ = actor.partition(":")
    if kind in _NOBODY:
        return actor
    return f"{kind}{mark}{REDACTED}" if mark else REDACTED


def words(text: str | None) -> str | None:
    """Return that something was written, unless it is a key of our own."""
    return text if not text or text in MESSAGES else REDACTED


def _field(name: str, value: Any, person: str | None, theirs: bool) -> Any:
    if name == "attachment" and isinstance(value, dict):  # what it shows is about people, and so may its name be
        return {**value, "sha": "", "name": REDACTED} if theirs else value
    if name == "people" and isinstance(value, dict):
        return {seat: who(str(one)) if person in (None, one) else one for seat, one in value.items()}
    if isinstance(value, str):
        if name in _WHO:
            return who(value) if person in (None, value) else value
        return words(value) if theirs and name in WORDS else value
    return redact(value, person)
