"""A bridge process: one MQTT broker in, frames to the hub."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from sensors.bridge import Bridge, BridgeSettings
from sensors.site import Site
from streams import brokers, bundle, publication, settings
from streams.brokers import MAIN, Broker
from streams.bundle import version_of
from streams.figures import FiguresWriter
from streams.following import Following
from streams.hub import HubProducer
from streams.processes import child
from streams.settings import STATUS, Settings
from streams.vitals import Vitals

if TYPE_CHECKING:
    from streams.kafka.sink import KafkaSink
    from streams.processes.lock import Lock

logger = logging.getLogger(__name__)

AWAY = 10.0
"""Seconds without its broker after which a bridge asks for an alarm: a restart of the broker is none."""

STAND_BY = 0.5
"""Seconds between two looks at the lock of those who listen to a broker."""

CHANGE_SECONDS = 5.0
"""Seconds after which it is said that the loop has not changed to another version of the site yet: it may be waiting
for a broker."""


def main(arguments: Sequence[str] = ()) -> None:
    """Run the bridge of a broker (by name, the main one by default) until SIGTERM."""
    found = settings.load()
    name = arguments[0] if arguments else MAIN
    broker = next(one for one in brokers.brokers(found) if one.name == name)
    child.begin(broker.process, found)
    child.await_site()
    packed = publication.read(found.data_folder)
    site = bundle.unpack(packed).site
    producer = sink(found)
    prefix = site.signals.native
    held = None
    if found.cluster and not broker.share:
        held = stand_by(found, broker)

    def heard(site: Site) -> Site:
        return msgspec.structs.replace(site, signals=brokers.chosen(site.signals, broker.dialects))

    listening = bridge_settings(broker, found, prefix)
    bridge = Bridge(heard(site), producer, listening)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: bridge.stop())
    vitals = Vitals(found.hub_path)
    watch = Watch(bridge, vitals, broker.component, needed=name == MAIN)
    threading.Thread(target=watch.run, daemon=True).start()
    following = Following(found.data_folder, version_of(packed), lambda content: change(bridge, heard(content.site)))
    following.start()
    if found.cluster and broker.share and listening.status_topic:
        from streams.processes.standing_in import StandingIn  # here: it takes the database's driver along

        def in_force() -> Site:
            return heard(bundle.unpack(publication.read(found.data_folder)).site)

        StandingIn(listening, producer, in_force, found.journal_url).start()
    if held is not None:
        threading.Thread(target=_keep, args=(held, bridge), daemon=True).start()
    figures = FiguresWriter(
        found.data_folder,
        broker.process,
        lambda: {**bridge.figures(), "following": following.version},
        _alive(bridge),
    )
    figures.start()
    try:
        bridge.run()
    finally:
        figures.stop()
        vitals.close()
        producer.close()


def stand_by(found: Settings, broker: Broker) -> Lock:
    """Wait until this run is the one of its cluster that listens to a broker whose subscription is not shared."""
    from streams.processes.lock import Lock  # here: it takes the database's driver along

    child.ready()
    waiting = FiguresWriter(
        found.data_folder, broker.process, lambda: {"holder": False, "connected": False}, child.parent().alive
    )
    waiting.start()
    lock = Lock(found.journal_url, zlib.crc32(f"bridge {broker.name}".encode()))
    while not lock.take():
        time.sleep(STAND_BY)
    waiting.stop()
    logger.info("this run listens to the MQTT broker %s from now on", broker.name)
    return lock


def _keep(lock: Lock, bridge: Bridge) -> None:
    """Stop the bridge when the lock may be another's; the parent starts it again, to stand by."""
    while lock.is_ours():
        time.sleep(STAND_BY)
    logger.error("the connection that holds the lock is gone: another run may listen to the MQTT broker")
    bridge.stop()


def sink(found: Settings) -> HubProducer | KafkaSink:
    """Make the way to the log: through the worker, which owns the file, or to Kafka, worker or not."""
    where = found.kafka
    if where is None:
        return HubProducer(found.hub_path)
    from streams.kafka.sink import KafkaSink  # here: its clients are not needed for a file

    return KafkaSink(where)


def change(bridge: Bridge, site: Site) -> None:
    """Change to another version of the site; return once the bridge goes by it, however long that takes."""
    if not bridge.adopt(site, CHANGE_SECONDS):
        logger.warning("version %s of the site is not gone by yet: the loop is busy or waits", site.version)
        bridge.adopted()


def bridge_settings(one: Broker, found: Settings, prefix: str) -> BridgeSettings:
    """Make the settings of a broker's bridge. `prefix` is the native dialect's. Raise `SettingsError`."""
    host, port = one.address
    own = brokers.identity(found.data_folder)
    if found.cluster and not one.share:  # whichever run listens has the session of the one before
        own = f"{zlib.crc32(found.cluster_key.encode()):08x}"
    client_id = one.client_id or f"foreshock-{one.process}-{own}"
    return BridgeSettings(
        host=host,
        port=port,
        client_id=client_id,
        username=one.username or None,
        password=one.password(found),
        tls=one.encrypted,
        version=5 if str(one.version) == "5" else 4,
        qos=one.qos,
        share=one.share,
        keepalive=one.keepalive,
        receive_maximum=one.receive_maximum,
        status_topic=f"{prefix or 'foreshock'}/{STATUS}/{client_id}" if one.status else "",
        source=one.process,
        floor=found.frame_floor_ms / 1000,
    )


class Watch:
    """Tell the parent when the bridge is ready, and the engine when its broker is away.

    A run is ready without its further brokers: what one of them lacks must not keep the others' signals out.
    """

    def __init__(self, bridge: Bridge, vitals: Vitals, component: str, *, needed: bool) -> None:
        self._bridge, self._vitals, self._component = bridge, vitals, component
        self._needed = needed
        self._down: bool | None = None  # not said yet: an earlier run may have left either
        self._since: float | None = None  # monotonic; when the present absence began

    def look(self, now: float) -> None:
        """Say what has changed by `now` (seconds, never set back)."""
        if self._bridge.connected:
            self._since = None
            if self._down is not False:
                self._vitals.back(self._component)
                self._down = False
        else:
            self._since = now if self._since is None else self._since
            if not self._down and now - self._since >= AWAY:
                self._vitals.down(self._component, self._bridge.trouble or "no connection")
                self._down = True
        if self._bridge.connected or (not self._needed and self._bridge.turns):
            child.ready()

    def run(self) -> None:
        """Look for as long as the process lives."""
        while True:
            self.look(time.monotonic())
            time.sleep(0.01 if self._down is None else 0.2)


def _alive(bridge: Bridge) -> Callable[[], None]:
    """Tell the parent that the loop turns; to look a broker's name up may take it as long as it likes."""
    seen = -1

    def alive() -> None:
        nonlocal seen
        if bridge.turns != seen or not bridge.connected:
            seen = bridge.turns
            child.parent().alive()

    return alive


if __name__ == "__main__":
    main(sys.argv[1:])
