"""Brokers to test against: the embedded one, and Mosquitto where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.ports import free_port
from streams.embedded import broker as embedded

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")


def mosquitto(port: int, folder: Path) -> subprocess.Popen[bytes]:
    """Start Mosquitto as a site would: no delay on its sockets, no bound on what it queues."""
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
        "max_queued_messages 0\nmax_inflight_messages 0\n"
    )
    assert MOSQUITTO is not None
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not embedded.answers(port):
        assert process.poll() is None and time.monotonic() < deadline, "Mosquitto did not start"
    return process


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
