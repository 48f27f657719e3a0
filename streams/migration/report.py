"""What a move found the same on both sides, kept beside the data that was moved."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from streams.durable import replace

REPORTS = "migrations"


class MigrationError(RuntimeError):
    """Say in a sentence why a site cannot be moved: in English, and in Chinese where that is given."""

    def __init__(self, english: str, chinese: str = "") -> None:
        super().__init__(english)
        self._chinese = chinese or english

    def said(self, language: str) -> str:
        """Say it in a language: `zh-CN` or `en`."""
        return self._chinese if language == "zh-CN" else str(self)


class Compared(msgspec.Struct, frozen=True):
    """A partition that is the same in both logs: how many records, and the SHA-256 over all of them in order."""

    topic: str
    partition: int
    records: int
    bytes: int
    source: str
    target: str
    first: int  # offset in the target
    end: int


class Table(msgspec.Struct, frozen=True):
    """A table that is the same in both databases: rows, and the sum of the SHA-256 of all."""

    store: str
    name: str
    rows: int
    source: str
    target: str


class Files(msgspec.Struct, frozen=True):
    """Files that are the same in both folders: how many, their bytes, and the SHA-256 over names and contents."""

    count: int
    bytes: int
    source: str
    target: str


class Sums(msgspec.Struct, frozen=True):
    """A history: rows of a tier on both sides, and the sum of the SHA-256 of all."""

    tier: str
    rows: int
    source: str
    target: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A move that is done. Times are unix seconds; `stopped_seconds` is for how long no engine was at work."""

    site: str
    source: str
    target: str
    begun: float
    ended: float
    stopped_seconds: float
    offsets: dict[str, int]  # by topic:partition, where the engine and the journal go on
    topics: list[Compared]
    tables: list[Table]
    files: Files | None
    history: list[Sums]


def keep(data: Path, report: Report) -> Path:
    """Write a report into a data folder; return its file."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(report.ended))
    file = data / REPORTS / f"{stamp}.json"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    replace(file, msgspec.json.format(msgspec.json.encode(report), indent=1))
    return file
