"""What an administrator asks of the running system from the page: looks at it, at the site's files, and backups.

Each runs in a thread of its own, one of a kind at a time; how it stands is asked for as often as wanted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from rules.rule import load_rules
from sensors.document import DocumentError
from sensors.registry import load_site
from streams import backup_shelf, housekeeping
from streams.backup import BackupError, take
from streams.doctor import examine
from streams.settings import Settings

logger = logging.getLogger(__name__)

MOST_PROBLEMS = 200
"""Mistakes of the site's files that are told."""


class SystemDesk:
    """Look, check and back up, on demand. Safe from any thread."""

    def __init__(self, found: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings, self._clock = found, clock
        self._checking = _Work(clock)
        self._saving = _Work(clock)
        self._findings: list[dict[str, Any]] = []
        self._problems: list[dict[str, Any]] = []
        self._counted = 0

    def checks(self) -> dict[str, Any]:
        """Say what the last look found: `findings` of the doctor, `problems` of the site's files."""
        return {**self._checking.told(), "findings": self._findings, "problems": self._problems}

    def check(self) -> None:
        """Begin to look. Raise `RuntimeError` while a look is under way."""
        self._checking.begin(self._look)

    def backups(self) -> dict[str, Any]:
        """List the backups of the folder that the settings name; `folder` is empty where they name none."""
        folder = self._settings.backup_folder
        items = backup_shelf.listed(Path(folder)) if folder else []
        return {
            **self._saving.told(),
            "folder": folder,
            "encrypted": bool(self._settings.backup_recipient),
            "bytes": self._counted,
            "items": [msgspec.to_builtins(one) for one in items],
        }

    def back_up(self, actor: str) -> None:
        """Begin to take one. Raise `RuntimeError` while one is taken, `ValueError` where no folder is named."""
        if not self._settings.backup_folder:
            raise ValueError("FORESHOCK_BACKUP_FOLDER names no folder")
        self._saving.begin(lambda: self._save(actor))

    def _look(self) -> None:
        findings = []
        for one in examine(self._settings):
            findings.append(msgspec.to_builtins(one))
        folder = self._settings.site_folder
        problems: list[Any] = []
        try:
            load_rules(folder / "rules", load_site(folder), folder)
        except DocumentError as error:
            problems = error.problems[:MOST_PROBLEMS]
        self._findings, self._problems = findings, [msgspec.to_builtins(one) for one in problems]

    def _save(self, actor: str) -> None:
        folder = Path(self._settings.backup_folder)
        recipients = [self._settings.backup_recipient] if self._settings.backup_recipient else []
        if not folder.is_dir():
            raise BackupError(f"{folder} is no folder")
        target = folder / backup_shelf.new_name(recipients, self._clock())
        self._counted = 0

        def told(_: str, count: int) -> None:
            self._counted = count

        version = metadata.version("foreshock")
        made = take(self._settings.data_folder, target, version=version, recipients=recipients, told=told)
        housekeeping.note(
            self._settings, actor, "backup.taken", target.name, files=len(made.items), encrypted=bool(recipients)
        )


class _Work:
    """One thing at a time, in a thread; what went wrong is kept as a sentence."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._running = False
        self._begun: float | None = None
        self._ended: float | None = None
        self._error = ""

    def told(self) -> dict[str, Any]:
        with self._lock:
            return {"running": self._running, "begun": self._begun, "ended": self._ended, "error": self._error}

    def begin(self, work: Callable[[], None]) -> None:
        with self._lock:
            if self._running:
                raise RuntimeError("it runs already")
            self._running, self._begun, self._ended, self._error = True, self._clock(), None, ""
        threading.Thread(target=self._run, args=(work,), name="system desk", daemon=True).start()

    def _run(self, work: Callable[[], None]) -> None:
        error = ""
        try:
            work()
        except BackupError as failure:
            error = str(failure)
        except Exception as failure:  # told on the page; the next try is not held up by it
            logger.exception("work for the page failed")
            error = f"{type(failure).__name__}: {failure}"
        with self._lock:
            self._running, self._ended, self._error = False, self._clock(), error[:500]
