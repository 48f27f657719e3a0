"""The bridge process: MQTT in, frames to the hub."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

from sensors.bridge import Bridge, BridgeSettings
from streams import bundle, publication, settings
from streams.bundle import version_of
from streams.figures import FiguresWriter
from streams.following import Following
from streams.hub import HubProducer
from streams.processes import child

CHANGE_SECONDS = 5.0
"""Seconds in which the loop comes to change to another version of the site: it may be waiting for a broker."""


def main() -> None:
    """Run the bridge until SIGTERM."""
    found = settings.load()
    child.begin("bridge", found)
    child.await_site()
    packed = publication.read(found.data_folder)
    site = bundle.unpack(packed).site
    producer = HubProducer(found.hub_path)
    bridge = Bridge(
        site,
        producer,
        BridgeSettings(
            host=found.mqtt_host or "127.0.0.1",
            port=found.mqtt_port,
            username=found.mqtt_username or None,
            password=found.mqtt_password or None,
            floor=found.frame_floor_ms / 1000,
        ),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: bridge.stop())
    threading.Thread(target=_ready_when_connected, args=(bridge,), daemon=True).start()
    following = Following(
        found.data_folder, version_of(packed), lambda content: bridge.adopt(content.site, CHANGE_SECONDS)
    )
    following.start()
    figures = FiguresWriter(
        found.data_folder, "bridge", lambda: {**bridge.figures(), "following": following.version}, _alive(bridge)
    )
    figures.start()
    try:
        bridge.run()
    finally:
        figures.stop()
        producer.close()


def _alive(bridge: Bridge) -> Callable[[], None]:
    """Tell the parent that the loop turns; to look a broker's name up may take it as long as it likes."""
    seen = -1

    def alive() -> None:
        nonlocal seen
        if bridge.turns != seen or not bridge.connected:
            seen = bridge.turns
            child.parent().alive()

    return alive


def _ready_when_connected(bridge: Bridge) -> None:
    while not bridge.connected:
        time.sleep(0.01)
    child.ready()


if __name__ == "__main__":
    main()
