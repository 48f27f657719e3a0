"""A journal with something to tell, a webhook receiver and an MQTT listener: real servers on the loopback."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from alerts import cloudevent
from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import AnyOutcome, DispatchChange, Record
from tests.alerts.cases import SITE, change


class Town:
    """Raise alarms and journal them."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.desk = Desk(SITE)
        self.offset = 0
        self.now = time.time()

    def record(self, outcomes: list[AnyOutcome]) -> None:
        self.journal.record([Record(0, self.offset, tuple(outcomes))])
        self.offset += 1

    def dispatch(self, rule: str = "creep", *, simulated: bool = False, area: str = "slope-1") -> str:
        """Bring one dispatch about; return the id of its event."""
        out = self.desk.condition(change(4, rule=rule, area=area, time=self.now, simulated=simulated), self.now)
        self.record(out)
        return out[-1].id

    def event(self, number: int) -> str:
        """Journal the event of some dispatch change."""
        id = f"d-{number}.1"
        event = cloudevent.dispatch_event(
            id=id, site="test", edge="issued", incident="i-1", time=self.now, data={"number": number}, simulated=False
        )
        self.record(
            [
                DispatchChange(
                    id=id, dispatch=f"d-{number}", sequence=1, incident="i-1", area="slope-1", unit="u-c1",
                    edge="issued", leg="issued", level="red", deadline=None, time=self.now, event=event,
                )
            ]
        )  # fmt: skip
        return id

    def calm(self, rule: str = "creep", area: str = "slope-1") -> None:
        self.record(self.desk.condition(change(0, rule=rule, area=area, time=self.now), self.now))


@dataclass
class Request:
    headers: dict[str, str]
    body: bytes
    path: str


@dataclass
class Receiver:
    """A webhook receiver. `answers` are given in order, then 204; a callable one is called with the handler."""

    answers: list[int | Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?x=1"


@contextlib.contextmanager
def receiver(port: int = 0) -> Iterator[Receiver]:
    it = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            it.requests.append(Request({k.lower(): v for k, v in self.headers.items()}, body, self.path))
            answer = it.answers.pop(0) if it.answers else 204
            if callable(answer):
                answer(self)
                return
            self.send_response(answer)
            for name, value in it.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    it.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield it
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Listener:
    """An MQTT client that keeps what comes under a prefix."""

    def __init__(self, port: int, prefix: str = "foreshock") -> None:
        self.messages: list[tuple[str, dict[str, Any], bool, float]] = []
        self.ready = threading.Event()
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"listener-{port}-{id(self)}")
        client.on_connect = lambda c, *_: c.subscribe(f"{prefix}/#", qos=1)
        client.on_subscribe = lambda *_: self.ready.set()
        client.on_message = lambda _c, _d, m: self.messages.append(
            (m.topic, json.loads(m.payload), m.retain, time.perf_counter())
        )
        client.connect("127.0.0.1", port)
        client.loop_start()
        self.client = client
        assert self.ready.wait(5)

    def on(self, topic: str) -> list[dict[str, Any]]:
        return [body for name, body, _, _ in self.messages if name == topic]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
