"""A bridge of a cluster looks after the others' sessions: what the broker keeps for one that is gone is read here."""

from __future__ import annotations

import logging
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from sensors import tls
from sensors.bridge import BridgeSettings
from sensors.draining import drain
from sensors.flights import Sink
from sensors.site import Site
from streams.processes.lock import Lock

logger = logging.getLogger(__name__)

GONE = 10.0
"""Seconds after which a bridge that is not there is not waited for: a restart takes two."""

LOOK = 1.0
MOST = 256
"""Bridges that are watched at most."""


class StandingIn(threading.Thread):
    """Watch where each bridge retains whether it is there, and drain the session of one that is away for `GONE`.

    One of the cluster does it at a time, by a lock in its database; `site` gives the site in force.
    """

    def __init__(
        self, settings: BridgeSettings, sink: Sink, site: Callable[[], Site], database: str, gone: float = GONE
    ) -> None:
        super().__init__(name="standing in", daemon=True)
        self._settings, self._sink, self._site, self._database, self._gone = settings, sink, site, database, gone
        self._level = settings.status_topic.rpartition("/")[0]
        self._away: dict[str, float] = {}  # client: since when, monotonic
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, f"{settings.client_id}-watch")
        self._client.on_connect = lambda client, *_: client.subscribe(f"{self._level}/+", 1)
        self._client.on_message = self._told
        if settings.username is not None:
            self._client.username_pw_set(settings.username, settings.password)
        if settings.tls is not None:
            self._client.tls_set_context(tls.context(settings.tls))
        self.drained = 0

    def stop(self) -> None:
        """Ask the thread to end."""
        self._ended.set()

    def run(self) -> None:
        """Watch until asked to end."""
        self._client.connect_async(self._settings.host, self._settings.port, self._settings.keepalive)
        self._client.loop_start()
        while not self._ended.wait(LOOK):
            try:
                for name in self._due(time.monotonic()):
                    self._stand_in(name)
            except Exception:  # the next look tries again
                logger.exception("a session of another bridge cannot be looked after")
        self._client.disconnect()
        self._client.loop_stop()

    def _told(self, _client: Any, _data: Any, message: Any) -> None:
        name = message.topic.rpartition("/")[2]
        with self._lock:
            if message.payload != b"offline" or name == self._settings.client_id:
                self._away.pop(name, None)
            elif len(self._away) < MOST:
                self._away.setdefault(name, time.monotonic())

    def _due(self, now: float) -> list[str]:
        with self._lock:
            return [name for name, since in self._away.items() if now - since >= self._gone]

    def _stand_in(self, name: str) -> None:
        with Lock(self._database, zlib.crc32(name.encode())) as lock:
            if not lock.take():
                return  # another does
            count = drain(self._site(), self._sink, msgspec.structs.replace(self._settings, client_id=name))
            if count is None:
                return
            self.drained += count
            logger.warning("read %d messages that the MQTT broker kept for %s, which is gone", count, name)
            with self._lock:
                self._away.pop(name, None)
            self._client.publish(f"{self._level}/{name}", b"", 1, retain=True)
