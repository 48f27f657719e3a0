"""The MQTT broker process, embedded runs only."""

from __future__ import annotations

import sys
import threading
import time

from streams import settings
from streams.embedded import broker
from streams.processes import child


def _ready_when_answering(port: int) -> None:
    while not broker.answers(port):
        time.sleep(0.02)
    child.ready()


def main() -> int:
    """Be the broker until ended."""
    found = settings.load()
    child.follow_parent()
    threading.Thread(target=_ready_when_answering, args=(found.mqtt_port,), daemon=True).start()
    return broker.main(["--port", str(found.mqtt_port), "--data", str(found.data_folder)])


if __name__ == "__main__":
    sys.exit(main())
