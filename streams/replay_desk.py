"""Replays that the console starts: one at a time, each in a process of low priority, the latest few kept."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import msgspec

from streams.processes.child import PARENT
from streams.processes.replay import Asked
from streams.settings import Settings

logger = logging.getLogger(__name__)

KEPT = 8
"""Replays that are remembered."""

SECONDS = 1800
"""After which a replay is ended."""

MEMORY = 2 << 30
"""Bytes that a replay may take."""

LONGEST = 64 << 20
"""Bytes of a line that a replay may write: its comparison is one."""


class BusyError(RuntimeError):
    """Raised when a replay runs already."""


@dataclass
class _Replay:
    id: str
    author: str
    asked: dict[str, Any]
    started: float
    process: subprocess.Popen[bytes] | None = None
    state: str = "running"  # running | done | failed | cancelled
    ended: float | None = None
    done: int = 0
    total: int = 0
    reason: str = ""
    problems: list[Any] = field(default_factory=list)
    result: dict[str, Any] | None = None


class ReplayDesk:
    """Start, watch and cancel replays; safe from any thread."""

    def __init__(self, found: Settings, *, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self._settings, self._seconds, self._memory = found, seconds, memory
        self._lock = threading.Lock()
        self._all: dict[str, _Replay] = {}

    def start(self, author: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Begin a replay of `text` or `version`, `from` and `to` when (unix s, or None), `against` which version.

        With `keep` the rules in force that it does not name stay; with `sweep` the text's one rule is varied instead.

        Raise `BusyError` while another runs.
        """
        what = Asked(
            data=str(self._settings.data_folder),
            log_file="" if self._settings.kafka else str(self._settings.log_file),
            place=self._settings.archive_place,
            text=asked["text"],
            version=asked["version"],
            against=asked["against"],
            begin=asked["from"],
            end=asked["to"],
            keep=asked.get("keep", False),
            sweep=asked.get("sweep", False),
            journal=self._settings.journal_url,
            scores=self._settings.replay_megabytes * 1e6,
            memory=self._memory,
            seconds=int(self._seconds) + 60,
        )
        with self._lock:
            if any(one.state == "running" for one in self._all.values()):
                raise BusyError
            one = _Replay(uuid.uuid4().hex[:12], author, asked, time.time())
            self._all[one.id] = one
            for old in list(self._all)[:-KEPT]:
                del self._all[old]
        begun = threading.Event()
        threading.Thread(target=self._follow, args=(one, msgspec.json.encode(what), begun), daemon=True).start()
        begun.wait()
        with self._lock:
            return self._told(one, whole=False)

    def all(self) -> list[dict[str, Any]]:
        """List the replays that are remembered, the latest first, without their results."""
        with self._lock:
            return [self._told(one, whole=False) for one in reversed(self._all.values())]

    def get(self, id: str) -> dict[str, Any] | None:
        """Tell of a replay and what it found; None where there is none of that id."""
        with self._lock:
            one = self._all.get(id)
            return None if one is None else self._told(one, whole=True)

    def cancel(self, id: str) -> bool:
        """End a replay that runs, and forget one that does not. False where there is none of that id."""
        with self._lock:
            one = self._all.get(id)
            if one is None:
                return False
            if one.state == "running":
                one.state, one.ended = "cancelled", time.time()
                if one.process is not None:
                    one.process.kill()
            else:
                del self._all[id]
            return True

    def _told(self, one: _Replay, *, whole: bool) -> dict[str, Any]:
        asked = one.asked
        said = {
            "id": one.id,
            "author": one.author,
            "state": one.state,
            "started": one.started,
            "ended": one.ended,
            "done": one.done,
            "total": one.total,
            "reason": one.reason,
            "version": asked["version"],
            "against": asked["against"],
            "from": asked["from"],
            "to": asked["to"],
            "rule": asked.get("rule", ""),
            "sweep": asked.get("sweep", False),
        }
        return said | {"problems": one.problems, "result": one.result} if whole else said

    def _follow(self, one: _Replay, asked: bytes, begun: threading.Event) -> None:
        """Start a process, feed it and hear what it says, until it ends or its time is up.

        In one thread from beginning to end: the process is ended with the thread that started it.
        """
        try:
            process = one.process = subprocess.Popen(
                [sys.executable, "-m", "streams.processes.replay"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, PARENT: str(os.getpid())},
            )
        except OSError as error:
            self._fail(one, f"no process could be started: {error}")
            return
        finally:
            begun.set()
        timer = threading.Timer(self._seconds, self._late, [one])
        timer.daemon = True
        timer.start()
        try:
            assert process.stdin is not None and process.stdout is not None
            with process.stdin as given:
                given.write(asked)
            while line := process.stdout.readline(LONGEST):
                self._hear(one, msgspec.json.decode(line))
        except (OSError, ValueError) as error:
            logger.warning("replay %s: %s", one.id, error)
        finally:
            timer.cancel()
            process.kill()
            code = process.wait()
            assert process.stdout is not None
            process.stdout.close()
            self._fail(one, f"the replay's process ended by itself ({code}): too little memory?")

    def _fail(self, one: _Replay, reason: str) -> None:
        """Say why a replay that has no other end ended."""
        with self._lock:
            if one.state == "running":
                one.state, one.ended, one.reason = "failed", time.time(), reason

    def _hear(self, one: _Replay, told: dict[str, Any]) -> None:
        with self._lock:
            if one.state != "running":
                return
            one.done, one.total = told.get("done", one.done), told.get("total", one.total)
            if "result" in told:
                one.state, one.result, one.done = "done", told["result"], one.total
            elif "problems" in told:
                one.state, one.problems, one.reason = "failed", told["problems"], "the rules have mistakes"
            elif "failed" in told:
                one.state, one.reason = "failed", told["failed"]
            if one.state != "running":
                one.ended = time.time()

    def _late(self, one: _Replay) -> None:
        self._fail(one, f"it took longer than {self._seconds:g} s: choose a shorter time")
        if one.process is not None:
            one.process.kill()
