"""A PostgreSQL server of the tests' own: in a temporary folder, on a local socket, as a user without rights."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from scripts.ports import free_port
from tests.waiting import until

_UNPRIVILEGED = ("postgres", "nobody")
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB", "listen_addresses=")


_DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian keeps the programs of each version, out of the path."""


def _program(name: str) -> str | None:
    newest = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda file: float(file.parts[-3]), reverse=True)
    return shutil.which(name) or next(map(str, newest), None)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Start one and give the address of its database; skip the test where there is none to start."""
    initdb, postgres = _program("initdb"), _program("postgres")
    if initdb is None or postgres is None:
        pytest.skip("no PostgreSQL server is installed")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    user = None
    if os.getuid() == 0:  # which PostgreSQL refuses to run as
        names = {one.pw_name for one in pwd.getpwall()}
        user = next((name for name in _UNPRIVILEGED if name in names), None)
        if user is None:
            pytest.skip("PostgreSQL does not run as root, and there is no other user")
    folder = Path(tempfile.mkdtemp(prefix="foreshock-pg-"))
    process = None
    try:
        if user is not None:
            shutil.chown(folder, user)
        data, port = folder / "data", free_port()
        made = [initdb, "-D", str(data), "-A", "trust", "-U", "foreshock", "-N", "-E", "UTF8", "--locale=C"]
        subprocess.run(made, cwd=folder, user=user, check=True, stdout=subprocess.DEVNULL, timeout=60)
        settings = [part for one in _QUICK for part in ("-c", one)]
        process = subprocess.Popen(
            [postgres, "-D", str(data), "-k", str(folder), "-p", str(port), *settings],
            cwd=folder,
            user=user,
            stderr=subprocess.DEVNULL,
        )
        url = f"postgresql+psycopg://foreshock@/postgres?host={folder}&port={port}"
        until(lambda: _answers(url), 30, "PostgreSQL")
        yield url
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # it ends the sessions and stops; at SIGTERM it would wait for them
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(15)
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
