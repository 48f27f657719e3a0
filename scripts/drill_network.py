"""Unplug the network under load, and count: nothing acknowledged is lost, and the product picks itself up.

Readings are published with QoS 1 over real MQTT while the way between bridge and broker, the broker, or the log fails:

- `broker`: the broker is killed (the embedded one) or restarted (Mosquitto, which keeps its messages on disk);
- `stall`: nothing moves on the wire for a while, in either direction, and then goes on;
- `reset`: all connections are reset;
- `blackhole`: what is sent on the connections there are vanishes for good, as behind a firewall that has forgotten
  them: only the bridge's own keep-alive can tell;
- `refuse`: connections are reset, and for a while new ones are closed at once;
- `slow log`: the log's process gets little time, so that it takes far less than comes.

A recording proxy between bridge and broker notes which readings the bridge acknowledges. At the end every one of those,
and every one that its publisher was told is taken, must be in the log. Prints a JSON line for each fault and one for
the whole, with what the product's own metrics say; exit code 1 on any loss.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.progress import Progress

from scripts.bench_pipeline import content
from scripts.drill_kill import Source, Witness, logged, quiet, reading_of, wait_for
from scripts.ports import free_port
from scripts.product import Product
from streams.embedded.store import Log

KEEPALIVE = 5
"""Seconds: a connection that vanished is noticed after twice as many, at the latest."""

PATIENCE = 60.0
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that has `close` send a reset instead of a farewell."""


class Line:
    """A way from the bridge to the broker that can fail, and that notes what the bridge acknowledges on it."""

    def __init__(self, broker_port: int, *, five: bool = False) -> None:
        self.acknowledged: set[bytes] = set()
        self.connections = 0
        self._target, self._five = broker_port, five
        self._moving = threading.Event()
        self._moving.set()
        self._refusing = False
        self._open: list[tuple[socket.socket, socket.socket]] = []
        self._dead: list[tuple[socket.socket, socket.socket]] = []  # whose bytes vanish
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def stall(self, seconds: float) -> None:
        """Let nothing move for a while."""
        self._moving.clear()
        time.sleep(seconds)
        self._moving.set()

    def reset(self) -> None:
        """Reset all connections, towards both ends."""
        for pair in [*self._open]:
            for one in pair:
                with contextlib.suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    one.shutdown(socket.SHUT_RDWR)

    def refuse(self, seconds: float) -> None:
        """Reset all connections and refuse new ones for a while."""
        self._refusing = True
        self.reset()
        time.sleep(seconds)
        self._refusing = False

    def forget(self) -> None:
        """Let what is sent on the connections there are vanish, for good."""
        self._dead += self._open

    def _serve(self) -> None:
        while True:
            client, _ = self._server.accept()
            if self._refusing:
                client.close()
                continue
            try:
                broker = socket.create_connection(("127.0.0.1", self._target), 2)
            except OSError:
                client.close()
                continue
            broker.settimeout(None)
            self.connections += 1
            pair = (client, broker)
            self._open.append(pair)
            witness = Witness(self.acknowledged, five=self._five)
            for source, sink, note in ((client, broker, witness.up), (broker, client, witness.down)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._carry, args=(pair, source, sink, note), daemon=True).start()

    def _carry(
        self,
        pair: tuple[socket.socket, socket.socket],
        source: socket.socket,
        sink: socket.socket,
        note: Callable[[bytes], None],
    ) -> None:
        """Carry one direction. What is noted has been handed to the kernel for the other end, or it vanished."""
        try:
            while data := source.recv(1 << 16):
                self._moving.wait()
                if pair not in self._dead:
                    note(data)
                    sink.sendall(data)
        except OSError:
            pass
        finally:
            for one in pair if pair not in self._dead else (source,):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            with contextlib.suppress(ValueError):
                self._open.remove(pair)


class Mosquitto:
    """A Mosquitto with its messages on disk, which can be restarted."""

    def __init__(self, folder: Path, port: int) -> None:
        folder.mkdir()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"persistence true\npersistence_location {folder}/\nuser {getuser()}\nset_tcp_nodelay true\n"
            f"max_queued_messages 0\nmax_inflight_messages 0\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
        )
        self._program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if self._program is None:
            raise typer.BadParameter("Mosquitto is not installed")
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen([str(self._program), "-c", str(self._config)], stderr=subprocess.DEVNULL)

    def restart(self) -> None:
        """Stop it as a package's upgrade would, and start it anew."""
        self.stop()
        self._start()

    def stop(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(20)


class Faults:
    """Bring each fault about, once."""

    def __init__(self, product: Product, line: Line, chance: random.Random, mosquitto: Mosquitto | None) -> None:
        self._product, self._line, self._chance, self._mosquitto = product, line, chance, mosquitto

    def each(self) -> dict[str, Callable[[], None]]:
        """Name them all."""
        return {
            "broker": self._broker,
            "stall": lambda: self._line.stall(self._chance.uniform(0.5, 3.0)),
            "reset": self._line.reset,
            "blackhole": self._line.forget,
            "refuse": lambda: self._line.refuse(self._chance.uniform(0.5, 3.0)),
            "slow log": self._slow_log,
        }

    def _broker(self) -> None:
        if self._mosquitto is not None:
            self._mosquitto.restart()
        else:
            os.kill(self._pid("broker"), signal.SIGKILL)

    def _slow_log(self) -> None:
        pid = self._pid("worker")
        try:
            for _ in range(self._chance.randrange(3, 8)):
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.4)
                os.kill(pid, signal.SIGCONT)
                time.sleep(0.05)
        finally:
            os.kill(pid, signal.SIGCONT)

    def _pid(self, name: str) -> int:
        child = next(one for one in self._product.supervisor.children if one.name == name)
        wait_for(lambda: child.process is not None and child.process.returncode is None, PATIENCE)
        assert child.process is not None
        return child.process.pid


def flows(line: Line, source: Source) -> bool:
    """Wait until the bridge acknowledges what is published from now on; tell whether it does."""
    first = source.sent
    seen = len(line.acknowledged)

    def acknowledged() -> bool:
        nonlocal seen
        if len(line.acknowledged) == seen:
            return False
        seen = len(line.acknowledged)
        return any(number_of(message) >= first for message in line.acknowledged.copy())

    try:
        wait_for(acknowledged, PATIENCE)
    except TimeoutError:
        return False
    return True


def number_of(message: bytes) -> int:
    """Tell which of its source's readings a message was."""
    return reading_of(message)[1]


def shown(product: Product) -> dict[str, float]:
    """Return what the product's metrics say of its broker."""
    text = httpx.get(f"http://127.0.0.1:{product.settings.port}/metrics", timeout=10).text
    found = {}
    for name in ("connected", "connects", "lost", "readings", "redelivered", "unlogged"):
        head = f'foreshock_broker_{name}{{broker="main"}} '
        found[name] = next((float(one.removeprefix(head)) for one in text.splitlines() if one.startswith(head)), -1.0)
    return found


def drill(
    times: int, rate: float, seed: int, folder: Path, foreign: bool, version: str, advance: Callable[[], Any]
) -> list[dict[str, Any]]:
    """Run the drill; give a line for each fault and one for the whole."""
    port = free_port()
    mosquitto = Mosquitto(folder / "mosquitto", port) if foreign else None
    line = Line(port, five=version == "5")
    given: dict[str, Any] = {"mqtt_host": "127.0.0.1"} if foreign else {}
    product = Product(folder / "data", content(), mqtt_port=port, mqtt_version=version, **given)
    bridge = next(child for child in product.supervisor.children if child.name == "bridge")
    bridge.environment = {
        **bridge.environment,
        "FORESHOCK_MQTT_PORT": str(line.port),
        "FORESHOCK_MQTT_KEEPALIVE": str(KEEPALIVE),
    }
    spans: dict[str, list[tuple[int, int]]] = {}
    took: dict[str, list[float]] = {}
    connections: dict[str, int] = {}
    stuck = 0
    with product:
        source = Source(port, rate)
        flows(line, source)
        faults = Faults(product, line, random.Random(seed), mosquitto).each()
        for _ in range(times):
            for name, fault in faults.items():
                first, made = source.sent, line.connections
                fault()
                begun = time.monotonic()
                stuck += not flows(line, source)
                took.setdefault(name, []).append(time.monotonic() - begun)
                connections[name] = connections.get(name, 0) + line.connections - made
                spans.setdefault(name, []).append((first, source.sent))
                advance()
        source.stop()
        quiet(product)
        time.sleep(2.5)  # a pulse, so that the metrics are those of the end
        metrics = shown(product)
        names = {point.index: point.id for point in product.content.site.points}
        log_file = product.settings.log_file
    if mosquitto is not None:
        mosquitto.stop()
    with Log.open_readonly(log_file) as log:
        held = logged(log, names)
    by_bridge = {reading_of(message) for message in line.acknowledged}
    by_source = {reading_of(message) for message in source.acknowledged}

    def counted(name: str, within: Callable[[int], bool]) -> dict[str, Any]:
        ours = {one for one in by_bridge if within(one[1])}
        theirs = {one for one in by_source if within(one[1])}
        return {
            "drill": "network",
            "fault": name,
            "acknowledged_by_bridge": len(ours),
            "lost": len(ours - held.keys()),
            "acknowledged_to_publisher": len(theirs),
            "lost_to_publisher": len(theirs - held.keys()),
            "stored_twice": sum(count - 1 for one, count in held.items() if within(one[1])),
        }

    lines = []
    for name, parts in spans.items():
        one = counted(name, lambda number, parts=parts: any(low <= number < high for low, high in parts))  # type: ignore[misc]
        one |= {"times": len(parts), "published": sum(high - low for low, high in parts)}
        lines.append({**one, "connections": connections[name], "recovered_within": round(max(took[name]), 2)})
    whole = counted("all", lambda number: True)
    whole |= {"times": sum(map(len, spans.values())), "published": source.sent, "connections": line.connections}
    whole |= {"broker": "mosquitto" if foreign else "embedded", "version": version, "in_log": len(held)}
    lines.append({**whole, "never_recovered": stuck, "metrics": metrics})
    return lines


def main(
    times: Annotated[int, typer.Option(help="How often each fault is brought about.")] = 5,
    rate: Annotated[float, typer.Option(help="Readings a second.")] = 2000.0,
    seed: Annotated[int, typer.Option(help="How long the faults last.")] = 1,
    broker: Annotated[str, typer.Option(help="embedded or mosquitto.")] = "embedded",
    version: Annotated[str, typer.Option(help="3.1.1 or 5.")] = "3.1.1",
) -> None:
    """Run the drill and print what was counted."""
    with tempfile.TemporaryDirectory() as name, Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("unplugging", total=6 * times)
        lines = drill(times, rate, seed, Path(name), broker == "mosquitto", version, lambda: progress.advance(task, 1))
    for one in lines:
        print(json.dumps(one))
    whole = lines[-1]
    if whole["lost"] or whole["lost_to_publisher"] or whole["never_recovered"] or not whole["acknowledged_by_bridge"]:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
