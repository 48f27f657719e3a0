"""What a unit hears: the orders that come out of the product, over MQTT and at a webhook, as they stand on the wire."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import paho.mqtt.client as paho


class Heard:
    """Events by the order in which they came; safe from any thread."""

    def __init__(self) -> None:
        self._events: list[dict[str, Any]] = []

    def note(self, body: bytes) -> None:
        """Keep an event."""
        self._events.append(json.loads(body))

    @property
    def ids(self) -> list[str]:
        """The events' ids, repeats included."""
        return [str(one["id"]) for one in list(self._events)]

    @property
    def repeats(self) -> int:
        """Count the events that came more than once, under the id that they had: who hears them drops them."""
        return len(self.ids) - len(set(self.ids))

    @property
    def altered(self) -> int:
        """Count the ids under which not always the same came, and the orders that came under several ids."""
        by_id: dict[str, set[str]] = {}
        by_order: dict[str, set[str]] = {}
        for one in list(self._events):
            order = json.dumps({name: value for name, value in one.items() if name != "id"}, sort_keys=True)
            by_id.setdefault(one["id"], set()).add(order)
            by_order.setdefault(order, set()).add(one["id"])
        return sum(len(found) > 1 for found in (*by_id.values(), *by_order.values()))


class Radio(Heard):
    """A client that subscribes to all orders, and is back within a moment when the broker is."""

    def __init__(self, port: int, prefix: str = "foreshock") -> None:
        super().__init__()
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="unit")
        client.on_connect = lambda it, *_: it.subscribe(f"{prefix}/dispatches/#", 1)
        client.on_message = lambda _client, _data, message: self.note(message.payload)
        client.reconnect_delay_set(0.05, 0.05)  # type: ignore[arg-type]
        client.connect("127.0.0.1", port)
        client.loop_start()
        self._client = client

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


class Telephone(Heard):
    """A webhook's receiver that takes everything."""

    def __init__(self) -> None:
        super().__init__()
        heard = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Take an event."""
                heard.note(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/orders"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Hang up."""
        self._server.shutdown()
        self._server.server_close()
