"""Home Assistant outputs: every area is a device there, announced by MQTT discovery, with its alarms as entities.

Announcements are retained at `<discovery>/device/foreshock-<site>/<area>/config`, states at
`<prefix>/homeassistant/areas/<area>`; `<prefix>/homeassistant/status` is `online`, and by last will `offline`. All of
it is told anew on every connection and whenever Home Assistant says that it has begun; what stands there of areas that
the site no longer has is taken away. Telling the same again changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec
import paho.mqtt.client as paho

from alerts.messages import text
from alerts.notifiers.mqtt import MqttSender
from alerts.notifiers.notice import Notice, Unavailable
from alerts.notifiers.targets import HOMEASSISTANT, HomeAssistantTarget
from sensors.dialects.discovery import ORIGIN
from sensors.site import LEVELS

logger = logging.getLogger(__name__)

_AT_ONCE = 50
"""Messages published before their acknowledgements are waited for: a broker may bound what is in flight."""

_TITLES = 20
"""Alarms named in an area's attributes; Home Assistant keeps at most 16 KiB of them."""

_LONGEST = 64
"""Characters of an area's id: what is announced under a longer one is not ours to take away."""


class HomeAssistantSender(MqttSender):
    """Keep Home Assistant's picture of the site: devices for its areas, and how each stands."""

    def __init__(self, target: HomeAssistantTarget, changed: Callable[[], None] = lambda: None) -> None:
        super().__init__(target, changed)
        self.areas = tuple(target.areas)
        self._site = target
        self._root = f"{target.prefix}/{HOMEASSISTANT}"
        self._own = f"{target.discovery}/device/{_node(target)}/"
        self._announced = False
        self._left: set[str] = set()  # areas that are still announced and that the site no longer has
        self._announcing = asyncio.Lock()
        self._client.will_set(f"{self._root}/status", b"offline", qos=1, retain=True)
        self._client.on_message = self._on_message

    def wants(self, kind: str, simulated: bool) -> bool:
        """Take areas: what is simulated is an entity of its own."""
        return kind == "area"

    async def send(self, notice: Notice) -> None:
        """Tell how an area stands; announce all of them first, where that is not done yet."""
        if not self._announced:
            await self._announce()
        if self._left:
            await self._take_away()
        if notice.area in self._site.areas:
            await self.publish([(self._state(notice.area), msgspec.json.encode(self.standing(notice)))], retain=True)

    def follow(self, target: HomeAssistantTarget) -> None:
        """Go by another version of the site from now on, on the same connection; all is told anew."""
        self._left = (self._left | set(self.areas)) - target.areas.keys()
        self._site = target
        self.areas = tuple(target.areas)
        self._begin_anew()

    async def close(self) -> None:
        """Say that nobody tells any more, and disconnect."""
        if self._connected:
            try:
                await self.publish([(f"{self._root}/status", b"offline")], retain=True)
            except Unavailable as error:
                logger.info("Home Assistant was not told of the end, error=%s", error)
        await super().close()

    async def _announce(self) -> None:
        messages = [(f"{self._own}{area}/config", msgspec.json.encode(self.device(area))) for area in self.areas]
        messages.append((f"{self._root}/status", b"online"))
        self._announced = True  # what begins anew meanwhile is announced once more
        try:
            for start in range(0, len(messages), _AT_ONCE):
                await self.publish(messages[start : start + _AT_ONCE], retain=True)
        except BaseException:
            self._announced = False
            raise

    async def _take_away(self) -> None:
        while self._left:
            area = min(self._left)
            await self.publish([(f"{self._own}{area}/config", b""), (self._state(area), b"")], retain=True)
            self._left.discard(area)
            logger.info("an area has left Home Assistant, target=%s area=%s", self.target.name, area)

    def _state(self, area: str) -> str:
        return f"{self._root}/areas/{area}"

    def device(self, area: str) -> dict[str, Any]:
        """Make an area's announcement."""
        site, id = self._site, f"{_node(self._site)}-{area}"
        device: dict[str, Any] = {
            "identifiers": [id],
            "name": site.areas[area],
            "manufacturer": ORIGIN,
            "model": site.title or site.site,
        }
        if site.console.startswith(("http://", "https://")):
            device["configuration_url"] = site.console
        parts: dict[str, dict[str, Any]] = {
            "safety": {"platform": "binary_sensor", "device_class": "safety"},
            "level": {"platform": "sensor", "device_class": "enum", "options": ["none", *LEVELS]},
            "problem": {"platform": "binary_sensor", "device_class": "problem", "entity_category": "diagnostic"},
            "simulation": {"platform": "binary_sensor", "entity_category": "diagnostic"},
        }
        for name, part in parts.items():
            part |= {
                "unique_id": f"{id}-{name}",
                "name": text(f"entity.{name}", site.language),
                "value_template": f"{{{{ value_json.{name}.state }}}}",
                "json_attributes_topic": self._state(area),
                "json_attributes_template": f"{{{{ value_json.{name}.attributes | tojson }}}}",
            }
        return {
            "device": device,
            "origin": {"name": ORIGIN},
            "availability_topic": f"{self._root}/status",
            "state_topic": self._state(area),
            "qos": 1,
            "components": parts,
        }

    def standing(self, notice: Notice) -> dict[str, Any]:
        """Sum an area up, entity by entity. A simulation shows as one and moves no other."""
        summary = notice.payload
        shown: list[dict[str, Any]] = summary["open"]
        real = [alarm for alarm in shown if not alarm["simulated"]]
        risks = [alarm for alarm in real if alarm["kind"] == "risk"]
        others = [alarm for alarm in real if alarm["kind"] != "risk"]
        simulated = [alarm for alarm in shown if alarm["simulated"]]
        level = risks[0]["level"] if risks else "none"
        found = {
            name: {"state": "ON" if alarms else "OFF", "attributes": self._attributes(alarms)}
            for name, alarms in (("safety", risks), ("problem", others), ("simulation", simulated))
        }
        return found | {"level": {"state": level, "attributes": self._attributes(risks)}}

    def _attributes(self, alarms: list[dict[str, Any]]) -> dict[str, Any]:
        language = "en" if self._site.language.startswith("en") else "zh"
        level = alarms[0]["level"] if alarms else "none"
        return {
            "level": level,
            "text": text(f"level.{level}", language),
            "count": len(alarms),
            "alarms": [alarm["title"].get(language, alarm["rule"]) for alarm in alarms[:_TITLES]],
            "incidents": list(dict.fromkeys(alarm["incident"] for alarm in alarms[:_TITLES] if alarm["incident"])),
        }

    # paho's thread

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if message.topic == f"{self._site.discovery}/status":
            if message.payload == b"online" and not message.retain:  # a stored one tells nothing new: we have just come
                self._call(self._begin_anew)
        elif message.retain and message.payload:
            area = message.topic.removeprefix(self._own).removesuffix("/config")
            if area not in self._site.areas and "/" not in area and len(area) <= _LONGEST:
                self._call(self._find_left, area)

    # the event loop's

    def _come_up(self) -> None:
        self._announced = False
        self._client.subscribe([(f"{self._site.discovery}/status", 0), (f"{self._own}+/config", 0)])
        super()._come_up()

    def _begin_anew(self) -> None:
        self._announced = False
        self._stale = True
        self._changed()

    def _find_left(self, area: str) -> None:
        if area in self._site.areas:  # since it was found
            return
        self._left.add(area)
        self._stale = True
        self._changed()


def _node(target: HomeAssistantTarget) -> str:
    return f"foreshock-{target.site}"
