"""The embedded broker as a process: its ports, its start and its end. What it does is tested in mqtt/."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.ports import free_port
from streams.embedded import broker as embedded
from streams.figures import read_figures
from tests.waiting import until

pytestmark = pytest.mark.server


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(embedded.BrokerError, match=f"port {port} is taken"):
            embedded.start(port, tmp_path)


def test_it_listens_on_the_loopback_interface_only(tmp_path: Path) -> None:
    port = free_port()
    running = embedded.start(port, tmp_path)
    sockets = Path("/proc/net/tcp").read_text().splitlines()[1:] + Path("/proc/net/tcp6").read_text().splitlines()[1:]
    found = [fields[1] for fields in map(str.split, sockets) if fields[3] == "0A" and fields[1].endswith(f"{port:04X}")]
    assert found == [f"0100007F:{port:04X}"]
    running.stop()


def test_a_second_port_takes_the_same_clients(tmp_path: Path) -> None:
    port, port5 = free_port(), free_port()
    running = embedded.start(port, tmp_path, port5=port5)
    assert embedded.answers(port) and embedded.answers(port5)
    running.stop()


def test_its_figures_are_written_while_it_runs(tmp_path: Path) -> None:
    running = embedded.start(free_port(), tmp_path)
    assert until(lambda: read_figures(tmp_path).get("broker", {}).get("accepted"))
    figures = read_figures(tmp_path)["broker"]
    assert figures["dropped"] == figures["refused"] == {}
    running.stop()
    assert not read_figures(tmp_path)


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    port = free_port()
    code = (
        "import pathlib, sys, time\nfrom streams.embedded import broker\n"
        f"print(broker.start({port}, pathlib.Path({str(tmp_path)!r})).pid, flush=True)\nsys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert embedded.answers(port)
    parent.send_signal(signal.SIGKILL)
    parent.wait(5)
    assert until(lambda: not embedded.answers(port, timeout=0.2))
    assert until(
        lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]
    )


def test_it_stops_at_once_and_starts_again_on_its_port(tmp_path: Path) -> None:
    port = free_port()
    for _ in range(2):
        running = embedded.start(port, tmp_path)
        client = socket.create_connection(("127.0.0.1", port))
        running.stop(60)
        assert running.poll() == 0, "asked, and not by force"
        assert not embedded.answers(port, timeout=0.2)
        client.close()
