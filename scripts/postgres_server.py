"""A PostgreSQL server of our own, in a temporary folder, on a local socket: for tests and drills."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa

from scripts.ports import free_port
from streams.embedded.broker import die_with_parent

START_SECONDS = 30.0
_UNPRIVILEGED = ("postgres", "nobody")
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB", "listen_addresses=")
_DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian keeps the programs of each version, out of the path."""


class PostgresMissing(RuntimeError):
    """Say why there is no PostgreSQL to start, and what would provide it."""


def _program(name: str) -> str:
    newest = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda file: float(file.parts[-3]), reverse=True)
    found = shutil.which(name) or next(map(str, newest), None)
    if found is None:
        raise PostgresMissing("no PostgreSQL server is installed (Debian: postgresql)")
    return found


class PostgresServer:
    """A server's processes, as a user without rights. `url` is the address of its database."""

    def __init__(self, folder: Path, user: str | None) -> None:
        self._folder, self._user, self._port = folder, user, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql+psycopg://foreshock@/postgres?host={folder}&port={self._port}"
        made = [_program("initdb"), "-D", str(folder / "data"), "-A", "trust", "-U", "foreshock"]
        made += ["-N", "-E", "UTF8", "--locale=C"]
        subprocess.run(made, cwd=folder, user=user, check=True, stdout=subprocess.DEVNULL, timeout=60)

    def start(self) -> None:
        """Start, and wait until it answers. It ends with the thread that calls this."""
        settings = [part for one in _QUICK for part in ("-c", one)]
        place = ["-D", str(self._folder / "data"), "-k", str(self._folder), "-p", str(self._port)]
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._process = subprocess.Popen(
                [_program("postgres"), *place, *settings],
                cwd=self._folder,
                user=self._user,
                stderr=subprocess.DEVNULL,
                preexec_fn=partial(die_with_parent, os.getpid()),
            )
            while self._process.poll() is None:
                if _answers(self.url):
                    return
                if time.monotonic() > deadline:
                    raise RuntimeError("PostgreSQL did not start")
                time.sleep(0.05)
            if time.monotonic() > deadline:  # after a kill its other processes may hold the folder for a moment
                raise RuntimeError("PostgreSQL ends at once")
            time.sleep(0.2)

    def kill(self) -> None:
        """End it at once, as a loss of power would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(15)

    def stop(self) -> None:
        """End its sessions and stop; at SIGTERM it would wait for them."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


@contextlib.contextmanager
def postgres() -> Iterator[PostgresServer]:
    """Start one and end it, with its folder, afterwards. Raise `PostgresMissing`."""
    _program("initdb")
    if find_spec("psycopg") is None:
        raise PostgresMissing("psycopg is not installed (pip install 'foreshock[postgresql]')")
    user = None
    if os.getuid() == 0:  # which PostgreSQL refuses to run as
        names = {one.pw_name for one in pwd.getpwall()}
        user = next((name for name in _UNPRIVILEGED if name in names), None)
        if user is None:
            raise PostgresMissing("PostgreSQL does not run as root, and there is no other user")
    folder = Path(tempfile.mkdtemp(prefix="foreshock-pg-"))
    one = None
    try:
        if user is not None:
            shutil.chown(folder, user)
        one = PostgresServer(folder, user)
        one.start()
        yield one
    finally:
        if one is not None:
            one.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(url: str) -> bool:
    engine = sa.create_engine(url, connect_args={"connect_timeout": 2})
    try:
        with engine.connect():
            return True
    except sa.exc.OperationalError:
        return False
    finally:
        engine.dispose()
