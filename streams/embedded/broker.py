"""The embedded MQTT broker in a child process, on the loopback interface only.

`start` gives a running, ready broker; `python -m streams.embedded.broker --port 1883 --data DIR` is the child. It
dies with its parent. What it does is in `streams/embedded/mqtt`, and why in docs/decisions/0004.

It keeps everything in memory and loses nothing that it has acknowledged: a QoS 1 message is acknowledged to its
publisher only when the bridge has acknowledged it, which it does once the log has it.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from streams.embedded.mqtt.limits import BrokerSettings

HOST = "127.0.0.1"


class BrokerError(RuntimeError):
    """Raised when the broker cannot start: the message says why and what would help."""


class BrokerProcess:
    """Hold the child. `stop` ends it; it also ends with this process."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

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


def start(
    port: int,
    data: Path,
    *,
    port5: int | None = None,
    largest: int = 2 << 20,
    memory: int = 64 << 20,
    held: Sequence[str] = (),
    patience: float = 10.0,
) -> BrokerProcess:
    """Start the broker and wait until it answers an MQTT connect.

    Every port takes MQTT 3.1.1 and 5; `port5` is one more. `largest` bytes a packet, `memory` bytes of messages that
    wait for a durable subscriber. What matches `held` is kept unacknowledged while there is no durable subscriber.
    Raise `BrokerError` when a port is taken or the broker does not come up.
    """
    ports = [port] if port5 is None else [port, port5]
    for one in ports:
        check_port(one)
    arguments = ["--data", str(data), "--parent", str(os.getpid()), "--largest", str(largest), "--memory", str(memory)]
    arguments += [part for one in ports for part in ("--port", str(one))]
    arguments += [part for one in held for part in ("--held", one)]
    process = subprocess.Popen([sys.executable, "-m", "streams.embedded.broker", *arguments], stdin=subprocess.DEVNULL)
    broker = BrokerProcess(process, port)
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
    """Tell whether an MQTT 3.1.1 connect is answered there: accepted, or refused for want of a login."""
    name = b"foreshock-probe"
    body = b"\0\4MQTT\4\2\0\x0a" + len(name).to_bytes(2, "big") + name
    try:
        with socket.create_connection((host, port), timeout) as probe:
            probe.sendall(bytes((0x10, len(body))) + body)
            answer = probe.recv(4)
            probe.sendall(b"\xe0\0")
    except OSError:
        return False
    return len(answer) == 4 and answer[0] == 0x20 and answer[3] in (0, 4, 5)


def die_with_parent(parent: int) -> None:
    """Ask the kernel to end this process when its parent ends (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        raise SystemExit("the parent has ended already")


def serve(settings: BrokerSettings, alive: Callable[[], None] = lambda: None) -> None:
    """Be the broker until SIGTERM or SIGINT; `alive` is called once a second. Raise `BrokerError` for a taken port."""
    from streams.embedded.mqtt.server import Server

    for port in settings.ports:
        check_port(port)
    if settings.data is not None:
        (settings.data / "run").mkdir(parents=True, exist_ok=True)
    server = Server(settings, alive)
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: server.stop())
    server.listen()
    server.run()


def main(argv: Sequence[str] | None = None) -> int:
    """Be the broker until ended."""
    parser = argparse.ArgumentParser(
        prog="python -m streams.embedded.broker", description="An MQTT broker, 3.1.1 and 5, on 127.0.0.1."
    )
    parser.add_argument("--port", type=int, action="append", help="may be given several times; 1883 if not given")
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--data", type=Path, default=Path("data"), help="figures go to run/broker.json in it")
    parser.add_argument("--held", action="append", default=[], help="filter of what waits for a durable subscriber")
    parser.add_argument("--largest", type=int, default=BrokerSettings.largest, help="bytes of a packet")
    parser.add_argument("--memory", type=int, default=BrokerSettings.kept_bytes, help="bytes that wait at the most")
    parser.add_argument("--parent", type=int, help="end when the process of this id, our parent, ends")
    given = parser.parse_args(argv)
    if given.parent is not None:
        die_with_parent(given.parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt at the terminal is the parent's to handle
    settings = BrokerSettings(
        host=given.host,
        ports=tuple(given.port or [1883]),
        data=given.data,
        held=tuple(given.held),
        largest=given.largest,
        kept_bytes=given.memory,
        username=os.environ.get("FORESHOCK_MQTT_USERNAME", ""),
        password=os.environ.get("FORESHOCK_MQTT_PASSWORD", ""),
    )
    try:
        serve(settings)
    except BrokerError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
