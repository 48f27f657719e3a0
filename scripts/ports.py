"""A port for a process that is to listen: for benchmarks, drills and tests."""

from __future__ import annotations

import contextlib
import random
import socket


def free_port() -> int:
    """Find a port that nothing listens on, outside the range that the kernel gives to clients.

    In that range a client that keeps trying a port nobody listens on is in the end connected to itself, and holds it.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
