"""The embedded MQTT broker: iotcore (rumqttd) in a child process, on the loopback interface only.

`start` gives a running, ready broker; `python -m streams.embedded.broker --port 1883 --data DIR` is the child. It
dies with its parent.

What it does, as measured (tests/streams/embedded/test_broker.py): QoS 0, 1 and 2, retained messages, wildcards,
persistent sessions with the messages that came meanwhile, messages up to `largest`. What it does not: it keeps all in
memory, so what it has acknowledged to a publisher and not yet delivered is lost if it is killed; it delivers at the
subscriber's QoS even what came with QoS 0; it has 100 messages in flight to a subscriber; beyond `memory` bytes for
each subscription the oldest undelivered messages are dropped; MQTT 5 needs a port of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

HOST = "127.0.0.1"
SEGMENTS = 16
"""rumqttd frees memory by segments: a sixteenth of the bound at a time."""


class BrokerError(RuntimeError):
    """Raised when the broker cannot start: the message says why and what would help."""


class BrokerProcess:
    """Hold the child. `stop` ends it; it also ends with this process."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, config: Path) -> None:
        self.process = process
        self.port = port
        self.config = config

    @property
    def pid(self) -> int:
        """Give the child's process id."""
        return self.process.pid

    def poll(self) -> int | None:
        """Give the exit code, None while it runs."""
        return self.process.poll()

    def stop(self, patience: float = 3.0) -> None:
        """End the child, by force after `patience` seconds. Safe to call twice."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(patience)


def configuration(
    port: int, port5: int | None = None, *, largest: int = 2 << 20, connections: int = 1000, memory: int = 32 << 20
) -> str:
    """Write rumqttd's configuration (TOML): `largest` bytes a message, `memory` bytes of messages kept for each
    subscription."""
    listeners = [("v4", port)] + ([("v5", port5)] if port5 is not None else [])
    lines = [
        "id = 0",
        "[router]",
        "id = 0",
        f"max_connections = {connections}",
        "max_outgoing_packet_count = 200",
        f"max_segment_size = {max(memory // SEGMENTS, 65_536)}",
        f"max_segment_count = {SEGMENTS}",
    ]
    for version, where in listeners:
        lines += [
            f"[{version}.1]",
            f'name = "{version}"',
            f'listen = "{HOST}:{where}"',
            "next_connection_delay_ms = 1",
            f"[{version}.1.connections]",
            "connection_timeout_ms = 10000",
            f"max_payload_size = {largest}",
            "max_inflight_count = 1000",
            "dynamic_filters = true",
        ]
    return "\n".join(lines) + "\n"


def start(
    port: int,
    data: Path,
    *,
    port5: int | None = None,
    largest: int = 2 << 20,
    memory: int = 32 << 20,
    patience: float = 10.0,
) -> BrokerProcess:
    """Start the broker and wait until it answers an MQTT connect. Raise `BrokerError` when a port is taken or it does
    not come up."""
    for one in (port, port5):
        if one is not None:
            check_port(one)
    folder = data / "run"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "broker.toml"
    config.write_text(configuration(port, port5, largest=largest, memory=memory))
    process = subprocess.Popen(
        [sys.executable, "-m", "streams.embedded.broker", "--config", str(config), "--parent", str(os.getpid())],
        stdin=subprocess.DEVNULL,
    )
    broker = BrokerProcess(process, port, config)
    deadline = time.monotonic() + patience
    while not answers(port):
        code = process.poll()
        if code is not None:
            raise BrokerError(f"the MQTT broker ended with code {code} while it started on port {port}")
        if time.monotonic() > deadline:
            broker.stop()
            raise BrokerError(f"the MQTT broker did not answer on port {port} within {patience:g} s")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    return broker


def check_port(port: int) -> None:
    """Raise `BrokerError` if something listens on the port already."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as error:
            raise BrokerError(f"port {port} may not be used by this user: choose one above 1023") from error
        except OSError as error:
            raise BrokerError(
                f"port {port} is taken, perhaps by another MQTT broker: "
                "stop it, choose another port, or use that broker"
            ) from error


def answers(port: int, host: str = HOST, timeout: float = 1.0) -> bool:
    """Tell whether an MQTT 3.1.1 connect is accepted there."""
    name = b"foreshock-probe"
    body = b"\0\4MQTT\4\2\0\x0a" + len(name).to_bytes(2, "big") + name
    try:
        with socket.create_connection((host, port), timeout) as probe:
            probe.sendall(bytes((0x10, len(body))) + body)
            answer = probe.recv(4)
            probe.sendall(b"\xe0\0")
    except OSError:
        return False
    return len(answer) == 4 and answer[0] == 0x20 and answer[3] == 0


def die_with_parent(parent: int) -> None:
    """Ask the kernel to end this process when its parent ends (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        raise SystemExit("the parent has ended already")


def main(argv: Sequence[str] | None = None) -> int:
    """Be the broker until ended."""
    parser = argparse.ArgumentParser(
        prog="python -m streams.embedded.broker", description="An MQTT broker on 127.0.0.1."
    )
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--port5", type=int, help="a port for MQTT 5 clients")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--config", type=Path, help="a rumqttd TOML file; then the ports above do not count")
    parser.add_argument("--parent", type=int, help="end when the process of this id, our parent, ends")
    given = parser.parse_args(argv)
    if given.parent is not None:
        die_with_parent(given.parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt at the terminal is the parent's to handle
    config = given.config
    if config is None:
        try:
            check_port(given.port)
        except BrokerError as error:
            print(error, file=sys.stderr)  # noqa: T201
            return 1
        folder = given.data / "run"
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "broker.toml"
        config.write_text(configuration(given.port, given.port5))

    # rumqttd reports every packet as an error span; nothing below critical is worth a line.
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL + 1)

    from iotcore.iotcore import IotCoreBroker

    IotCoreBroker(config_path=str(config)).run_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
