"""Brokers to test against: the embedded one, and Mosquitto where it is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from getpass import getuser
from pathlib import Path

import pytest

from scripts.ports import free_port
from streams.embedded import broker as embedded

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")


def mosquitto(port: int, folder: Path, more: str = "allow_anonymous true\n") -> subprocess.Popen[bytes]:
    """Start Mosquitto as a site would: no delay on its sockets, no bound on its queues; `more` is its listener's."""
    config = folder / "mosquitto.conf"
    config.write_text(
        "set_tcp_nodelay true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
        f"user {getuser()}\nlistener {port} 127.0.0.1\n{more}"
    )
    assert MOSQUITTO is not None
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not listens(port):
        assert process.poll() is None and time.monotonic() < deadline, "Mosquitto did not start"
    return process


def listens(port: int) -> bool:
    """Tell whether something listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module", params=["embedded", "mosquitto"])
def broker_port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run a broker for a module's tests and give its port."""
    folder = tmp_path_factory.mktemp("broker")
    port = free_port()
    if request.param == "mosquitto":
        if MOSQUITTO is None:
            pytest.skip("Mosquitto is not installed")
        process = mosquitto(port, folder)
        yield port
        process.terminate()
        process.wait(5)
    else:
        running = embedded.start(port, folder)
        yield port
        running.stop()
