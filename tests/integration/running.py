"""The real product as a newcomer starts it: a subprocess of the `foreshock` command, watched from outside."""

from __future__ import annotations

import base64
import hmac
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from typer.testing import CliRunner

from scripts.cli import application
from scripts.ports import free_port
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PASSWORD = "a long enough password 7"


def environment(**extra: str) -> dict[str, str]:
    """Copy this process's environment without settings of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FORESHOCK_")}
    return {**kept, **extra}


def foreshock(
    *arguments: str | Path, given: str = "", under: Sequence[str] = (), **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; `under` another command, if one is given."""
    if arguments[:1] == ("run",):  # whatever else runs on this machine
        extra.setdefault("FORESHOCK_MQTT_PORT", str(free_port()))
    return subprocess.run(
        [*under, sys.executable, "-m", "scripts.cli", *map(str, arguments)],
        cwd=ROOT,
        env=environment(**extra),
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
    )


def alive(pid: int) -> bool:
    """Tell whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Running:
    """`foreshock run --no-sim` on a data folder."""

    def __init__(self, data: Path, *arguments: str, **extra: str) -> None:
        self.data, self.port, self.mqtt_port = data, free_port(), free_port()
        self.lines: list[str] = []
        self.begun, self.started = time.monotonic(), time.time()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "scripts.cli", "run", "--no-sim", "--data", str(data)),
                *("--port", str(self.port), "--mqtt-port", str(self.mqtt_port), *arguments),
            ],
            cwd=ROOT,
            env=environment(**extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def said(self) -> str:
        """All it printed so far."""
        return "\n".join(self.lines)

    @property
    def address(self) -> str:
        """The console's address."""
        return f"http://127.0.0.1:{self.port}"

    def wait_ready(self, seconds: float = 40.0) -> Running:
        """Wait until it says that it is ready, the console's line included."""
        until(lambda: "Console" in self.said or self.process.poll() is not None, seconds, "the console's line")
        if self.process.poll() is not None:
            raise AssertionError(f"it ended: {self.said}")
        return self

    def children(self) -> dict[str, int]:
        """Name its processes."""
        found: dict[str, int] = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                command = (entry / "cmdline").read_bytes().decode().split("\0")
            except (OSError, IndexError):
                continue
            if parent == self.process.pid and alive(int(entry.name)):
                name = next((part for part in command if part.startswith("streams.processes.")), "")
                found[name.removeprefix("streams.processes.")] = int(entry.name)
        return found

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command on this data folder, in this process: that takes a tenth of a process of its own."""
        words = [*arguments, "--data", str(self.data)]
        given = {name: None for name in os.environ if name.startswith("FORESHOCK_")}
        result = CliRunner().invoke(
            application(words[0]), words, env={**given, "FORESHOCK_MQTT_PORT": str(self.mqtt_port)}
        )
        if result.exc_info is not None and not isinstance(result.exception, SystemExit | None):
            traceback.print_exception(*result.exc_info)
            raise AssertionError(f"{' '.join(words)} raised {result.exception!r}")
        return subprocess.CompletedProcess(words, result.exit_code, result.stdout, result.stderr)

    def token(self, *roles: str, unit: str = "") -> httpx.Client:
        """Make a token and return a client that uses it."""
        roles_given = [part for role in roles for part in ("--role", role)]
        made = self.command("tokens", "add", f"test-{'-'.join(roles)}", *roles_given, *(["--unit", unit] * bool(unit)))
        assert made.returncode == 0, made.stderr
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        return httpx.Client(base_url=f"{self.address}/api/v1", headers=headers, timeout=20)

    def stop(self) -> float:
        """Stop it by SIGTERM; return the seconds that took."""
        begun = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(15)
        self._reader.join(5)
        return time.monotonic() - begun


@contextmanager
def running(data: Path, *arguments: str, **extra: str) -> Iterator[Running]:
    """Run the product; at the end leave no process behind, whatever happened."""
    product = Running(data, *arguments, **extra)
    try:
        yield product.wait_ready()
    except BaseException:
        print(product.said)
        raise
    finally:
        left = product.children()
        if product.process.poll() is None:
            try:
                product.stop()
            except subprocess.TimeoutExpired:
                product.process.kill()
                product.process.wait(5)
        for pid in left.values():
            if alive(pid):
                os.kill(pid, signal.SIGKILL)


class Mqtt:
    """A client of a real broker: publishes with QoS 1, keeps what it hears."""

    def __init__(self, port: int, *topics: str) -> None:
        self.heard: list[paho.MQTTMessage] = []
        self._up = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda _client, _data, message: self.heard.append(message)
        self.client.on_connect = lambda client, *_: [client.subscribe(topic, 1) for topic in topics]
        self.client.on_subscribe = lambda *_: self._up.set()
        self.client.reconnect_delay_set(0.1, 0.5)  # type: ignore[arg-type]
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        if topics:
            assert self._up.wait(10)

    def publish(self, topic: str, payload: Any) -> None:
        """Publish and wait until the log has it; what is neither bytes nor text goes as JSON."""
        if not isinstance(payload, bytes | str):
            payload = json.dumps(payload)
        sent = self.client.publish(topic, payload, qos=1)
        sent.wait_for_publish(60)
        assert sent.is_published(), f"the broker did not acknowledge what was published on {topic}"

    def overload(self, point: str = "village-01-charging-1", amperes: float = 55) -> None:
        """Have a charging point carry 55 A for two minutes, seven minutes ago: orange by the district's rule."""
        now = time.time()
        for ago in (540, 500, 460, 420):
            reading = {"value": amperes, "time": (now - ago) * 1000}
            self.publish(f"foreshock/readings/{point.rsplit('-', 2)[0]}/{point}", reading)

    def calm(self, point: str = "village-01-charging-1") -> None:
        """Have it carry 12 A from six and a half minutes ago until now."""
        now = time.time()
        for ago in range(390, -1, -30):
            reading = {"value": 12, "time": (now - ago) * 1000}
            self.publish(f"foreshock/readings/{point.rsplit('-', 2)[0]}/{point}", reading)

    def on(self, topic: str) -> list[Any]:
        """Give the JSON that came on a topic."""
        return [json.loads(message.payload) for message in self.heard if message.topic == topic]

    def close(self) -> None:
        """Disconnect."""
        self.client.disconnect()
        self.client.loop_stop()


class Receiver:
    """A webhook's receiver: keeps requests and checks their signatures by the standard's own words."""

    def __init__(self, secret: bytes) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.secret = secret
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def genuine(self, headers: dict[str, str], body: bytes) -> bool:
        """Check a signature."""
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        mac = base64.b64encode(hmac.digest(self.secret, signed, "sha256")).decode()
        return headers["webhook-signature"] == f"v1,{mac}"

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


class Stream:
    """The live stream of changes, read in a thread."""

    def __init__(self, client: httpx.Client) -> None:
        self.changes: list[dict[str, Any]] = []
        self.pulses = 0
        self._queue: queue.Queue[None] = queue.Queue()
        self._client = httpx.Client(base_url=client.base_url, headers=client.headers, timeout=None)
        self._open = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert self._open.wait(10)

    def _read(self) -> None:
        event = ""
        try:
            with self._client.stream("GET", "/changes") as response:
                assert response.status_code == 200
                for line in response.iter_lines():
                    self._open.set()
                    if line.startswith("event: "):
                        event = line[7:]
                    elif line.startswith("data: "):
                        if event == "change":
                            self.changes.append(json.loads(line[6:]))
                        elif event == "pulse":
                            self.pulses += 1
        except (httpx.HTTPError, RuntimeError, OSError):
            return

    def edges(self, kind: str, id: str) -> list[str]:
        """List the edges of one alarm, incident or dispatch that came live."""
        return [one["record"]["edge"] for one in self.changes if one["kind"] == kind and one["id"] == id]

    def close(self) -> None:
        """Hang up."""
        self._client.close()
