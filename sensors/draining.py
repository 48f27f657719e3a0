"""Read what a broker still holds for a bridge that is gone, and end its session there.

A shared subscription goes on giving its part of the messages to a session that is kept, whether anybody is there or
not.
"""

from __future__ import annotations

import logging
import ssl
import time
from contextlib import suppress
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.client import ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sensors import tls
from sensors.bridge import Bridge, BridgeSettings
from sensors.flights import Sink
from sensors.site import Site

log = logging.getLogger(__name__)

IDLE = 2.0
"""Seconds without a message after which nothing more is waited for."""

PATIENCE = 60.0
"""Seconds for one try to come to a connection, and to its end without a message."""


class Draining(Bridge):
    """A bridge in the place of another: it takes no new messages, and what was kept for the other it carries."""

    def __init__(self, site: Site, sink: Sink, settings: BridgeSettings) -> None:
        super().__init__(site, sink, msgspec.structs.replace(settings, status_topic=""))
        self._unwanted, self._filters = self._filters, []
        self._heard = time.monotonic()
        self._messages = 0
        self.connects = 0
        self.done = False
        """Whether nothing is left: False when the other came back, or the broker went away."""

    def _on_connect(
        self, client: Any, userdata: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        super()._on_connect(client, userdata, flags, reason, properties)
        self.connects += 1
        self._heard = time.monotonic()

    def _on_disconnect(
        self, client: Any, userdata: Any, flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        super()._on_disconnect(client, userdata, flags, reason, properties)
        if self.connects:  # who it stands in for may be there again: to connect anew would put that one out
            self.stop()

    def _settle(self, now: float) -> None:
        super()._settle(now)
        if self._counts["messages"] != self._messages:
            self._messages, self._heard = self._counts["messages"], now
        quiet = now - self._heard
        if self.connects and quiet > IDLE and not self._flights:
            self.done = True
            self.stop()
        elif quiet > PATIENCE:
            self.stop()


def drain(site: Site, sink: Sink, settings: BridgeSettings) -> int | None:
    """Carry what is kept for the client of `settings`, then end its session; return how many messages that was.

    None when it came back meanwhile, or the broker could not be reached: nothing was ended then.
    """
    draining = Draining(site, sink, settings)
    draining.run()
    if not draining.done:
        return None
    with suppress(OSError, ssl.SSLError):
        _end(settings)
    return int(draining.figures()["messages"])


def _end(settings: BridgeSettings) -> None:
    """Have the broker forget a session."""
    five = settings.version == 5
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        settings.client_id,
        clean_session=None if five else True,
        protocol=mqtt.MQTTv5 if five else mqtt.MQTTv311,
    )
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password)
    if settings.tls is not None:
        client.tls_set_context(tls.context(settings.tls))
    with suppress(ValueError):
        client.connect(settings.host, settings.port, 10, clean_start=True if five else mqtt.MQTT_CLEAN_START_FIRST_ONLY)
    until = time.monotonic() + 5.0
    while not client.is_connected() and time.monotonic() < until:
        client.loop(0.1)
    client.disconnect()
    client.loop(0.1)
