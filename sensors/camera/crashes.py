"""Which camera's decoder ended the process: told by the thread that crashed, and remembered over the next start.

A decoder that crashes takes all cameras of its process along. Python's own fault handler writes, as the process dies,
which thread it was; the next start reads that. A camera that did so `TWICE` is put aside for a while, so that the
others go on. What crashes in a thread of the library's own has no name, and puts nobody aside.
"""

from __future__ import annotations

import contextlib
import faulthandler
import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

logger = logging.getLogger(__name__)

TWICE = 2
"""Crashes after which a camera is put aside, if they lie within `SHORT`."""

SHORT = 600.0
"""Seconds within which a camera's crashes count together."""

AWAY = 600.0
"""Seconds for which a camera is put aside, from its last crash on; the next crash then puts it aside at once."""

LARGEST = 1 << 20
"""Bytes that are read of what a dying process wrote."""

MOST = 1000
"""Crashes that are remembered."""

_BEGUN = re.compile(r"^begun 0x([0-9a-f]{1,16}) (\S{1,300})$", re.MULTILINE)
_CURRENT = re.compile(r"^Current thread 0x([0-9a-f]{1,16}) ", re.MULTILINE)


class Crash(msgspec.Struct, frozen=True):
    """One crash: whose decoder it was (`name_of`), and when the process that came after it read so, unix seconds."""

    name: str
    time: float


class Crashes:
    """Remember crashes in two files of a folder: one of the running process, one of those before.

    Raise OSError where it cannot be written.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._kept, self._trail = folder / "camera.crashes", folder / "camera.trail"
        self._all = _read(self._kept)
        name = blamed(_text(self._trail))
        if name is not None:
            self._all = [*self._all, Crash(name, clock())][-MOST:]
            logger.error("the decoder of camera %s crashed and took the process along", name.rpartition("/")[0])
            fresh = self._kept.with_suffix(".new")
            fresh.write_bytes(msgspec.json.encode(self._all))
            fresh.replace(self._kept)
        self._file = self._trail.open("wb", buffering=0)
        self._lock = threading.Lock()

    def watch(self) -> None:
        """Have the process write, should it crash, which thread did."""
        faulthandler.enable(self._file, all_threads=True)

    def begun(self, name: str) -> None:
        """Note that the calling thread reads a camera from now on."""
        with self._lock, contextlib.suppress(OSError):  # a full disk must not blind the camera
            self._file.write(f"begun 0x{threading.get_ident():016x} {name}\n".encode())

    def aside(self, name: str) -> bool:
        """Tell whether a camera is put aside now."""
        times = [one.time for one in self._all if one.name == name]
        if len(times) < TWICE or times[-1] - times[-TWICE] > SHORT + AWAY:
            return False
        return 0.0 <= self._clock() - times[-1] < AWAY


def name_of(camera: str, source: str) -> str:
    """Name a camera as it is read: from another source it is another one. Without what a source may hold of secrets."""
    return f"{camera}/{hashlib.sha256(source.encode()).hexdigest()[:12]}"


def blamed(trail: str) -> str | None:
    """Find whose thread was current when the process that wrote this died; None if it did not crash, or in none."""
    current = _CURRENT.search(trail)
    if current is None:
        return None
    threads = {int(thread, 16): name for thread, name in _BEGUN.findall(trail[: current.start()])}  # the last counts
    return threads.get(int(current[1], 16))


def _text(file: Path) -> str:
    try:
        with file.open("rb") as found:
            return found.read(LARGEST).decode(errors="replace")
    except FileNotFoundError:
        return ""


def _read(file: Path) -> list[Crash]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[Crash])
    except FileNotFoundError:
        return []
    except (msgspec.MsgspecError, ValueError) as error:
        logger.error("%s cannot be read: %s", file, error)
        return []
