"""Drafts of rules at the console: opened, checked in a process that can be ended, run in the shadow, put in force."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO, Any

import msgspec

from streams import bundle, drafting, publication, shadowing
from streams.processes.child import PARENT
from streams.settings import Settings

SECONDS = 10.0
"""After which a check is ended."""

START = 12.0
"""Seconds that the process may take to load what it needs: less than a request may."""

IDLE = 300.0
"""Seconds without a draft after which the process is let go of."""

MEMORY = 1 << 30
"""Bytes that it may take."""

LONGEST = 4 << 20
"""Bytes of an answer."""


class SlowError(RuntimeError):
    """Raised when a draft could not be checked, with a sentence that says why."""


class DraftDesk:
    """Open, check, compare and publish drafts of rules; safe from any thread."""

    def __init__(self, found: Settings, *, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self._folder, self._data = found.site_folder, found.data_folder
        self._seconds, self._memory = seconds, memory
        self._lock = threading.Lock()  # one draft at a time
        self._process: subprocess.Popen[bytes] | None = None
        self._fresh = True
        self._used = 0.0

    def opened(self, id: str) -> dict[str, Any] | None:
        """Give a rule that is in force as text; None where there is none of that id. A check is near: begin to load."""
        if self._lock.acquire(blocking=False):
            try:
                self._running()
            finally:
                self._lock.release()
        return drafting.opened(self._folder, self._data, id)

    def history(self, id: str) -> list[dict[str, Any]]:
        """List the publications that changed a rule, the latest first."""
        return drafting.history(self._data, id)

    def words(self) -> dict[str, list[str]]:
        """List what rules of this site may name."""
        return drafting.words(bundle.unpack(publication.read(self._data)))

    def publish(self, id: str, text: str, base: str, author: str, reason: str) -> dict[str, Any]:
        """Put one drafted rule in force, or propose it; see `streams.drafting.publish` for what it raises."""
        return drafting.publish(self._folder, self._data, id, text, base, author, reason)

    def shadow(self, id: str, text: str, author: str, reason: str) -> tuple[str, shadowing.Records]:
        """Check a draft; return the id of the set that runs it beside the rules in force, and what to put into the log.

        Raise `DocumentError` or `ReloadError`.
        """
        content = bundle.unpack(publication.read(self._data))
        rules = drafting.laid_among(content.rules, [drafting.only(text, id, content.site)])
        return shadowing.begin_rules(self._data, rules, author, reason)

    def check(self, text: str) -> dict[str, Any]:
        """Say what is wrong with a draft and how its tests went. Raise `SlowError` when that takes too long."""
        with self._lock:
            process = self._running()
            self._used = time.monotonic()
            assert process.stdin is not None and process.stdout is not None
            try:
                if self._fresh:
                    _line(process.stdout, self._used + START)  # it says when it has loaded what it needs
                    self._fresh, self._used = False, time.monotonic()
                process.stdin.write(msgspec.json.encode({"text": text}) + b"\n")
                process.stdin.flush()
                answer = msgspec.json.decode(_line(process.stdout, self._used + self._seconds), type=dict[str, Any])
            except (OSError, TimeoutError, ValueError) as error:
                self._end()
                raise SlowError(f"the draft was not checked within {self._seconds:g} s") from error
        if "failed" in answer:
            raise SlowError(str(answer["failed"]))
        return answer

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        self._fresh, self._used = True, time.monotonic()
        begun = threading.Event()
        threading.Thread(target=self._hold, args=(begun,), daemon=True).start()
        begun.wait()
        if self._process is None:
            raise SlowError("no process could be started")
        return self._process

    def _hold(self, begun: threading.Event) -> None:
        """Start the process and stay until it is idle or over: it is ended with the thread that started it."""
        command: Sequence[str] = (
            *(sys.executable, "-m", "streams.processes.drafts"),
            *(str(self._data), str(self._memory)),
        )
        try:
            process = self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, PARENT: str(os.getpid())},
            )
        except OSError:
            return
        finally:
            begun.set()
        while process.poll() is None:
            try:
                process.wait(IDLE / 10)
            except subprocess.TimeoutExpired:
                with self._lock:
                    if self._process is process and time.monotonic() - self._used > IDLE:
                        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what it was never given
                    continue


def _line(stream: IO[bytes], until: float) -> bytes:
    """Read a line before a time (monotonic). Raise `TimeoutError`, or `ValueError` when it ends or is too long."""
    parts: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            left = until - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise TimeoutError
            part = os.read(stream.fileno(), 1 << 16)
            parts.append(part)
            if not part or sum(map(len, parts)) > LONGEST:
                raise ValueError("no answer")
            if part.endswith(b"\n"):
                return b"".join(parts)
