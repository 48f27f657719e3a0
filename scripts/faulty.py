"""A disk, a clock and a network of a drill's own, that can be broken while the product works on them.

All of it lies in name spaces of this process (mounts, network), so that nobody else on the machine meets it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

INSIDE = "FORESHOCK_DRILL_INSIDE"
LEAVE = 20.0
"""Seconds in which who uses a disk has to be gone."""

TOOLS = ("unshare", "ip", "mount", "umount", "findmnt", "mkfs.ext4", "e2fsck", "fsfreeze", "cc")

_CLOCK = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static volatile long long *by;
__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("FORESHOCK_DRILL_CLOCK");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *found = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (found != MAP_FAILED) by = found;
}
int clock_gettime(clockid_t which, struct timespec *at) {
    int failed = syscall(SYS_clock_gettime, which, at);
    if (!failed && by && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) at->tv_sec += *by;
    return failed;
}
int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


class Unable(RuntimeError):
    """Say why this machine cannot break what it is asked to."""


def go_inside() -> None:
    """Run this program again in name spaces of its own; return within them. Raise `Unable`."""
    if INSIDE in os.environ:
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "rule", "add", "pref", "5", "lookup", "local")  # so that a rule can stand before it
        _run("ip", "rule", "del", "pref", "0")
        return
    missing = [name for name in TOOLS if shutil.which(name, path=_path()) is None]
    if missing:
        raise Unable(f"not on this machine: {', '.join(missing)}")
    if os.geteuid() != 0:
        raise Unable("only root may mount a disk and take a network away")
    apart = ["unshare", "--mount", "--net", "--propagation", "private"]
    if subprocess.run([*apart, "true"], capture_output=True, timeout=30).returncode:
        raise Unable("this machine gives no name spaces of its own")
    environment = {**os.environ, INSIDE: "1", "PATH": _path()}
    command = [*apart, sys.executable, "-m", "scripts.drill_faults", *sys.argv[1:]]
    os.execvpe("unshare", command, environment)  # noqa: S606 - no shell has part in it


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 1) or (done.returncode and command[0] != "e2fsck"):  # 1: it has mended something
        raise Unable(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()


class Disk:
    """A file system in a file, mounted at `folder`: it can be slow, full, and broken as a device that fails is."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder, self._image = folder, folder.with_suffix(".img")
        folder.mkdir()
        with self._image.open("wb") as out:
            out.truncate(megabytes << 20)
        _run("mkfs.ext4", "-q", "-m", "0", str(self._image))
        self.mount()

    def mount(self) -> None:
        """Have it there."""
        _run("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.folder))

    def mend(self) -> None:
        """Take it away, check and mend it, and have it there again: nobody may use it meanwhile."""
        self.close()
        _run("e2fsck", "-fy", str(self._image))
        self.mount()

    def close(self) -> None:
        """Take it away, once nobody has a file of it open: processes that were killed take a moment to be gone."""
        deadline = time.monotonic() + LEAVE
        while True:
            try:
                _run("umount", str(self.folder))
                break
            except Unable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """Fill it to the last byte."""
        ballast = self.folder / "ballast"
        fill(ballast)
        try:
            yield
        finally:
            ballast.unlink()

    def slow(self, seconds: float, stalls: float = 1.5) -> None:
        """Let it take writes only between stalls of some seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            _run("fsfreeze", "-f", str(self.folder))
            time.sleep(stalls)
            _run("fsfreeze", "-u", str(self.folder))
            time.sleep(0.1)

    def fail(self) -> None:
        """Have it found damaged: from then on it can only be read, and what is not on it yet is gone."""
        device = Path(_run("findmnt", "-no", "SOURCE", str(self.folder))).name
        Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("a drill")


def fill(file: Path) -> None:
    """Have a file take all that is free; what it takes is not written, so that it costs no time."""
    with file.open("wb", buffering=0) as out:
        end = 0
        for size in (1 << 30, 1 << 20, 4096):
            with contextlib.suppress(OSError):
                while True:
                    os.posix_fallocate(out.fileno(), end, size)
                    end += size


class Clock:
    """The clock that processes with `environment` go by; the others go on as they are."""

    def __init__(self, folder: Path) -> None:
        source, library = folder / "clock.c", folder / "clock.so"
        source.write_text(_CLOCK)
        _run("cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl")
        self._file = folder / "clock"
        self._file.write_bytes(bytes(8))
        self.environment = {"LD_PRELOAD": str(library), "FORESHOCK_DRILL_CLOCK": str(self._file)}

    def set(self, seconds: int) -> None:
        """Have it go before the true one by so many seconds from now on."""
        with self._file.open("r+b") as out:  # in place: it is mapped
            out.write(struct.pack("q", seconds))


@contextlib.contextmanager
def cut(port: int) -> Iterator[None]:
    """Have nothing reach a port any more, as when a switch dies."""
    _run("ip", "rule", "add", "pref", "1", "dport", str(port), "blackhole")
    try:
        yield
    finally:
        _run("ip", "rule", "del", "pref", "1")
