"""The MQTT broker process, embedded runs only."""

from __future__ import annotations

import sys
import threading
import time

from alerts.notifiers.targets import KINDS
from sensors.site import Site
from streams import bundle, publication, settings
from streams.embedded import broker
from streams.embedded.mqtt.limits import BrokerSettings
from streams.processes import child
from streams.settings import STATUS, Settings


def _ready_when_answering(port: int) -> None:
    while not broker.answers(port):
        time.sleep(0.02)
    child.ready()


def unheld(found: Settings, site: Site) -> tuple[str, ...]:
    """Name the topics that the product itself publishes to."""
    topics = [f"{site.signals.native}/{kind}/#" for kind in (*KINDS, STATUS)]
    if found.homeassistant_prefix:
        topics.append(f"{found.homeassistant_prefix}/device/foreshock-{site.id}/+/config")
    return tuple(topics)


def main() -> int:
    """Be the broker until ended."""
    found = settings.load()
    child.begin("broker", found)
    child.await_site()
    site = bundle.unpack(publication.read(found.data_folder)).site
    threading.Thread(target=_ready_when_answering, args=(found.mqtt_port,), daemon=True).start()
    # All topics are held until the bridge has a session: which of them it takes is the site's to say.
    wanted = BrokerSettings(
        ports=(found.mqtt_port,),
        data=found.data_folder,
        username=found.mqtt_username,
        password=found.mqtt_password,
        held=("#",),
        # Its own alarms and orders no bridge takes: they must reach who listens while there is none, and behind
        # one that is held the notifier's next ones would wait.
        unheld=unheld(found, site),
    )
    try:
        broker.serve(wanted, child.parent().alive)
    except broker.BrokerError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
