"""A look at what a broker carries: a client of its own that takes no part, keeps little and falls behind no one."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from sensors import tls
from sensors.tls import Tls

CONNECT = 5.0
"""Seconds that a broker may take to accept the client and its subscriptions."""

KEPT = 10_000
"""Messages that wait to be looked at, at most; what comes beyond them is counted."""

KEPT_BYTES = 32 << 20


class TapError(RuntimeError):
    """Raised when the broker cannot be listened to; says why in a sentence."""


class Message(NamedTuple):
    """A message as it arrived. `time` is unix seconds."""

    time: float
    topic: str
    payload: bytes
    retained: bool


class Tap:
    """Listen to filters at a broker, as a context. `take` gives what came; `lost` counts what nobody looked at."""

    def __init__(
        self,
        filters: Sequence[str],
        *,
        host: str = "127.0.0.1",
        port: int = 1883,
        username: str = "",
        password: str = "",
        encrypted: Tls | None = None,
    ) -> None:
        self.lost = 0
        self._filters, self._host, self._port = list(dict.fromkeys(filters)), host, port
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._ready = False
        self._trouble = ""
        name = f"foreshock-tap-{secrets.token_hex(6)}"
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=True)
        self._client.connect_timeout = CONNECT
        self._encrypted = encrypted
        if username:
            self._client.username_pw_set(username, password or None)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        where = f"{self._host}:{self._port}"
        try:
            if self._encrypted is not None:
                self._client.tls_set_context(tls.context(self._encrypted))
            self._client.connect(self._host, self._port, keepalive=30)
        except (OSError, ValueError) as error:
            raise TapError(f"no MQTT broker answers at {where}: {tls.sentence(error)}") from error
        self._client.loop_start()
        with self._changed:
            done = self._changed.wait_for(lambda: self._ready or bool(self._trouble), CONNECT)
        if self._trouble or not done:
            trouble = self._trouble or f"the MQTT broker at {where} accepts the connection and says nothing"
            self.__exit__()
            raise TapError(trouble)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def take(self, seconds: float) -> list[Message]:
        """Wait at most `seconds` for messages and give all that have come. Raise `TapError` when the broker is lost."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._trouble, max(0.0, seconds))
            messages, self._bytes = list(self._messages), 0
            self._messages.clear()
        if self._trouble and not messages:
            raise TapError(self._trouble)
        return messages

    def _say(self, trouble: str) -> None:
        with self._changed:
            self._trouble = trouble
            self._changed.notify_all()

    def _on_connect(self, client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._say(f"the MQTT broker refuses the connection: {reason}")
            return
        try:
            result, _ = client.subscribe([(one, 0) for one in self._filters])
        except ValueError:
            self._say(
                f"{', '.join(self._filters)[:200]!r} is no topic filter: '+' stands for a level, '#' for the rest"
            )
            return
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._say("the MQTT broker went away before it could be asked")

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any) -> None:
        refused = [topic for topic, one in zip(self._filters, reasons, strict=False) if one.is_failure]
        if refused:
            self._say(f"the MQTT broker does not let this user listen to {', '.join(refused)[:200]}")
            return
        with self._changed:
            self._ready = True
            self._changed.notify_all()

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if not self._trouble:
            where = f"{self._host}:{self._port}"
            self._say(f"lost the MQTT broker: {reason}" if self._ready else f"no MQTT broker at {where}: {tls.HUNG_UP}")

    def _on_message(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        payload = bytes(message.payload)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "\ufffd"
        with self._changed:
            if len(self._messages) >= KEPT or self._bytes + len(payload) > KEPT_BYTES:
                self.lost += 1
                return
            self._messages.append(Message(time.time(), topic, payload, bool(message.retain)))
            self._bytes += len(payload)
            self._changed.notify_all()
