"""The system as its administrators see it."""

from __future__ import annotations

from alerts.console.schema.base import Answer


class Work(Answer):
    """Something that runs on demand, one at a time. Times are unix seconds, None before the first."""

    running: bool
    begun: float | None
    ended: float | None
    error: str


class Finding(Answer):
    """One thing that was looked at, and what was found: as the doctor says it, and `told` in the reader's language."""

    what: str
    well: bool
    said: str
    told: str


class FileProblem(Answer):
    """A mistake in a file of the site's folder; `told` is the message in the reader's language."""

    file: str
    line: int | None = None
    field: str = ""
    message: str
    told: str


class SystemChecks(Work):
    """What the last look found."""

    findings: list[Finding]
    problems: list[FileProblem]


class Backup(Answer):
    """One backup: the file's name, when it was taken, its bytes."""

    file: str
    time: float
    bytes: int
    encrypted: bool


class Backups(Work):
    """The backups in `folder`, the latest first; `bytes` is how far one that is being taken has come."""

    folder: str
    encrypted: bool
    bytes: int
    items: list[Backup]
