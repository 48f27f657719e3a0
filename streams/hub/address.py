"""The hub's socket in the file system: taken over when stale, private, and reachable however deep the folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.hub.errors import HubError

_LONGEST = 100  # bytes that a unix socket's address may safely have


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """Yield an address for `path` that fits; a deep folder is named through its descriptor."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def connect(path: Path) -> socket.socket:
    """Connect to the hub. Raise `OSError` if nobody answers."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with reachable(path) as address:
            connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def listen(path: Path) -> socket.socket:
    """Listen at `path`, mode 0600, in place of a socket that nobody answers. Raise `HubError` if somebody does."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists():
        try:
            connect(path).close()
        except OSError:
            path.unlink(missing_ok=True)
        else:
            raise HubError(f"{path}: another worker answers here; stop it first, or use another data folder")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with reachable(path) as address:
            listener.bind(address)
        path.chmod(0o600)
        listener.listen(64)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener
