"""Listen to Foreshock's dispatch events over MQTT: write down, acknowledge, drop repeats.

    python listener.py inbox.sqlite 127.0.0.1 1883 UNIT

The session is kept by the broker under this client's id, so what comes while this is away is delivered afterwards; the
broker has its acknowledgement only once the event is on disk here.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
from inbox import Inbox, act, keep_working
from paho.mqtt.enums import CallbackAPIVersion

log = logging.getLogger(__name__)

MOST = 1_000_000  # bytes of an event


class Listener:
    """Take the events of one unit into an inbox. `refused` counts what was no event."""

    def __init__(self, inbox: Inbox, host: str, port: int, unit: str, *, prefix: str = "foreshock") -> None:
        self.inbox, self.wake, self.refused = inbox, threading.Event(), 0
        self.listening = threading.Event()
        self._topic = f"{prefix}/dispatches/{unit}"
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"receiver-{unit}", clean_session=False, manual_ack=True
        )
        self._client.on_connect = lambda client, *_: client.subscribe(self._topic, qos=1)
        self._client.on_subscribe = lambda *_: self.listening.set()
        self._client.on_message = self._take
        self._client.reconnect_delay_set(1, 30)
        self._client.connect_async(host, port, keepalive=30)
        self._client.loop_start()

    def _take(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        event = self._read(message.payload)
        if event is None:
            self.refused += 1  # acknowledged all the same: it will not be better the next time
        elif self._keep(event):
            self.wake.set()
        client.ack(message.mid, message.qos)

    def _keep(self, event: dict[str, Any]) -> bool:
        """Take an event in; where the disk does not let that be, wait: unacknowledged, it stays the broker's."""
        while True:
            try:
                return self.inbox.take(event["id"], event)
            except sqlite3.OperationalError as error:
                log.warning("cannot write: %s", error)
                time.sleep(1.0)

    @staticmethod
    def _read(payload: bytes) -> dict[str, Any] | None:
        if len(payload) > MOST:
            return None
        try:
            event = json.loads(payload)
        except (ValueError, RecursionError):
            return None
        return event if isinstance(event, dict) and isinstance(event.get("id"), str) else None

    def close(self) -> None:
        """Disconnect; the broker keeps what comes from now on."""
        self._client.disconnect()
        self._client.loop_stop()


def main() -> None:
    """Listen until interrupted."""
    if len(sys.argv) != 5 or not sys.argv[3].isdecimal():
        sys.exit(f"usage: {sys.argv[0]} INBOX.sqlite HOST PORT UNIT")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    inbox = Inbox(sys.argv[1])
    listener = Listener(inbox, sys.argv[2], int(sys.argv[3]), sys.argv[4])
    try:
        keep_working(inbox, act, listener.wake)
    except KeyboardInterrupt:
        listener.close()
        log.info("%d repeats were dropped", inbox.repeats)


if __name__ == "__main__":
    main()
