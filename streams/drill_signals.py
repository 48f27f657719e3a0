"""What a drill has its cameras see: published at the run's own broker, as the cameras' analytics would."""

from __future__ import annotations

import time

import msgspec

from sensors import tls
from sensors.publisher import Publisher
from sensors.site import Site
from streams.brokers import brokers
from streams.running import port_of
from streams.settings import Settings


class Signals:
    """Publish camera events at QoS 1. Connects at the first one; raises `BrokerError` where no broker answers."""

    def __init__(self, found: Settings, site: Site) -> None:
        self._found = found
        self._prefix = site.signals.frigate[0].prefix if site.signals.frigate else ""
        self._names = {camera.id: camera.source or camera.id for camera in site.cameras}
        self._publisher: Publisher | None = None

    def see(self, id: str, camera: str, kind: str) -> bool:
        """Publish that a camera sees something; False where the site takes no camera events from a broker."""
        if not self._prefix:
            return False
        if self._publisher is None:
            self._publisher = self._connect()
        event = simulated_event(id, self._names[camera], kind, 0.9, time.time())
        self._publisher.send(f"{self._prefix}/events", msgspec.json.encode(event))
        return self._publisher.flush(10.0)

    def close(self) -> None:
        """Disconnect."""
        if self._publisher is not None:
            self._publisher.close()

    def _connect(self) -> Publisher:
        found = self._found
        encrypted = brokers(found)[0].encrypted
        own = port_of(found.data_folder) if not found.mqtt_host else None
        return Publisher(
            found.mqtt_host or "127.0.0.1",
            own or found.mqtt_port,
            found.mqtt_username,
            found.mqtt_password,
            name="drill",
            context=tls.context(encrypted) if encrypted else None,
        )


def simulated_event(id: str, camera: str, label: str, score: float, at: float) -> dict[str, object]:
    """Make what a camera's analytics publish when they see something (Frigate), marked as simulated."""
    after = {
        "id": id,
        "camera": camera,
        "frame_time": at,
        "label": label,
        "sub_label": None,
        "top_score": score,
        "score": score,
        "false_positive": False,
        "start_time": at,
        "end_time": None,
        "box": [312, 180, 420, 266],
        "area": 9288,
        "ratio": 1.26,
        "current_zones": ["slope"],
        "entered_zones": ["slope"],
        "has_snapshot": True,
        "has_clip": False,
        "active": True,
        "stationary": False,
        "simulated": True,
    }
    return {"type": "new", "before": {**after, "score": 0.0}, "after": after}
