"""Publish to an MQTT broker through paho, never more at once than the broker keeps up with, and outlive its absence."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from functools import partial

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

FLIGHT = 200
"""Messages under way to the broker before whoever publishes waits for its acknowledgement."""

PATIENCE = 30.0
"""Seconds without any acknowledgement from a connected broker after which something is wrong with it."""


class BrokerError(RuntimeError):
    """Raised when the broker cannot be reached, with its address and the reason."""


class Publisher:
    """A paho client that never has more than FLIGHT messages unacknowledged, and outlives the broker's absence.

    Set `stop` to end every wait at once. `tell` is given a sentence when the connection is lost, and when it is back.
    """

    def __init__(
        self,
        host: str,
        port: int,
        username: str = "",
        password: str = "",
        name: str = "simulator",
        stop: threading.Event | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._address = f"{host}:{port}"
        self._stop, self._tell = stop or threading.Event(), tell
        self._moved = threading.Condition()
        self._sent = self._acknowledged = 0
        self._connected = False
        self._refused = ""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"foreshock-{name}-{time.time_ns()}")
        client.max_inflight_messages_set(FLIGHT)
        client.reconnect_delay_set(1, 5)
        if username:
            client.username_pw_set(username, password)
        if context is not None:
            client.tls_set_context(context)
        client.on_connect, client.on_disconnect, client.on_publish = self._on_connect, self._on_disconnect, self._on_ack
        self._client = client
        try:
            client.connect(host, port, keepalive=30)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise BrokerError(f"no MQTT broker at {self._address}: {reason}") from error
        client.loop_start()
        self._wait(lambda: self._connected or bool(self._refused), 10.0)
        if not self._connected and not self._stop.is_set():
            client.loop_stop()
            raise BrokerError(f"the MQTT broker at {self._address} refused: {self._refused or 'no answer in 10 s'}")

    def send(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1; wait while too much is under way, for as long as the broker is away.

        Raise `BrokerError` when a connected broker acknowledges nothing for 30 s.
        """
        while self._sent - self._acknowledged >= FLIGHT and not self._stop.is_set():
            before = self._acknowledged + 1
            if not self._wait(partial(self._has_acknowledged, before), PATIENCE) and self._connected:
                raise BrokerError(f"the MQTT broker at {self._address} has not acknowledged anything for 30 s")
        if not self._stop.is_set():
            self._sent += 1
            self._client.publish(topic, payload, qos=1)

    def flush(self, seconds: float = 30.0) -> bool:
        """Wait until everything sent is acknowledged, or `seconds` have passed; tell which."""
        return self._wait(partial(self._has_acknowledged, self._sent), seconds)

    def close(self) -> None:
        """Disconnect; what is under way gets a moment."""
        with self._moved:
            if self._connected:
                self._moved.wait_for(partial(self._has_acknowledged, self._sent), 0.3)
            self._stop.set()
        self._client.disconnect()
        with self._moved:  # paho's thread may sleep for a second between two attempts: it ends by itself
            self._moved.wait_for(lambda: not self._connected, 0.2)

    def _has_acknowledged(self, count: int) -> bool:
        return self._acknowledged >= count

    def _wait(self, reached: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is reached, the time is over, or a stop is asked for."""
        deadline = time.monotonic() + seconds
        with self._moved:
            while not reached() and not self._stop.is_set() and (left := deadline - time.monotonic()) > 0:
                self._moved.wait(min(left, 0.2))  # a stop comes from a signal handler, which cannot notify
            return reached()

    def _on_connect(self, _client: object, _data: object, _flags: object, reason: object, _properties: object) -> None:
        with self._moved:
            again = self._sent > 0
            self._connected = str(reason) == "Success"
            self._refused = "" if self._connected else str(reason)
            self._moved.notify_all()
        if again and self._connected:
            self._tell(f"the MQTT broker at {self._address} is back")

    def _on_disconnect(self, _client: object, _data: object, _flags: object, reason: object, _more: object) -> None:
        with self._moved:
            lost, self._connected = self._connected, False
            self._moved.notify_all()
        if lost and not self._stop.is_set():
            self._tell(f"lost the MQTT broker at {self._address} ({reason}); publishing goes on when it is back")

    def _on_ack(self, _client: object, _data: object, _mid: int, _reason: object, _properties: object) -> None:
        with self._moved:
            self._acknowledged += 1
            self._moved.notify_all()
