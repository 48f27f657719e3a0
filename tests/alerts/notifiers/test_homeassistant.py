"""Areas as devices of Home Assistant, against real brokers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from alerts.notifiers.homeassistant import HomeAssistantSender
from alerts.notifiers.notice import Notice, Unavailable
from alerts.notifiers.notifier import Notifier
from alerts.notifiers.targets import HomeAssistantTarget
from sensors.dialects import discovery
from sensors.dialects.template import Payload, parse
from tests.alerts.cases import SITE, change
from tests.alerts.notifiers.test_mqtt import Start, broker, town  # noqa: F401
from tests.alerts.notifiers.world import Town
from tests.waiting import reached

pytestmark = pytest.mark.server

NOTICE = Notice(
    id="n",
    kind="area",
    area="slope-1",
    unit="",
    simulated=False,
    time=0.0,
    payload={"area": "slope-1", "level": None, "count": 0, "open": [], "returned": [], "simulated": False},
)
AREAS = {area.id: area.name.zh for area in SITE.areas}


class HomeAssistant:
    """Stand in for Home Assistant: keep the latest of every topic, and how often it came."""

    def __init__(self, port: int) -> None:
        self.latest: dict[str, bytes] = {}
        self.times: dict[str, int] = {}
        ready = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"house-{id(self)}")
        self.client.on_connect = lambda c, *_: c.subscribe([("homeassistant/#", 1), ("foreshock/#", 1)])
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert ready.wait(5)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.latest[message.topic] = message.payload
        self.times[message.topic] = self.times.get(message.topic, 0) + 1

    def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def device(self, area: str) -> dict[str, Any]:
        return json.loads(self.latest.get(config(area)) or b"{}")

    def entity(self, area: str, name: str) -> tuple[str, dict[str, Any]] | None:
        """Work out an entity's state as Home Assistant does: by its own announcement."""
        device = self.device(area)
        state = self.latest.get(device.get("state_topic", ""))
        if not state:
            return None
        document = json.loads(state)
        template = device["components"][name]["value_template"]
        return parse(template)(Payload(state.decode(), document)), document[name]["attributes"]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def config(area: str) -> str:
    return f"homeassistant/device/foreshock-test/{area}/config"


def target(port: int, **changes: Any) -> HomeAssistantTarget:
    chosen = {"site": "test", "title": "测试", "areas": AREAS, "language": "zh-CN", "retry_first": 0.05, **changes}
    return HomeAssistantTarget(name="homeassistant", port=port, timeout=5.0, **chosen)


def notifier_of(folder: Path, port: int, **changes: Any) -> Notifier:
    return Notifier(folder / "journal.sqlite", folder / "outbox.sqlite", [target(port, **changes)])


def test_areas_are_devices_and_alarms_their_entities(
    broker: tuple[int, Start], town: Town, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    port, start = broker

    async def scenario() -> None:
        house = HomeAssistant(port)
        notifier = notifier_of(tmp_path, port)
        await notifier.start()
        await reached(lambda: all(house.entity(area, "safety") for area in AREAS))
        assert house.latest["foreshock/homeassistant/status"] == b"online"
        device = house.device("slope-1")
        assert device["device"] == {
            "identifiers": ["foreshock-test-slope-1"], "name": AREAS["slope-1"], "manufacturer": "Foreshock",
            "model": "测试",
        }  # fmt: skip
        assert device["origin"] == {"name": "Foreshock"}
        assert device["availability_topic"] == "foreshock/homeassistant/status"
        parts = device["components"]
        assert {name: (part["platform"], part.get("device_class")) for name, part in parts.items()} == {
            "safety": ("binary_sensor", "safety"),
            "level": ("sensor", "enum"),
            "problem": ("binary_sensor", "problem"),
            "simulation": ("binary_sensor", None),
        }
        assert parts["safety"]["name"] == "风险报警"
        assert parts["level"]["options"] == ["none", "blue", "yellow", "orange", "red"]
        assert len({part["unique_id"] for area in AREAS for part in house.device(area)["components"].values()}) == 12
        assert house.entity("slope-1", "safety")[0] == "OFF"  # type: ignore[index]
        assert house.entity("slope-1", "level")[0] == "none"  # type: ignore[index]

        town.dispatch()
        await notifier.notify()
        await reached(lambda: house.entity("slope-1", "safety")[0] == "ON")  # type: ignore[index]
        level, attributes = house.entity("slope-1", "level") or ("", {})
        assert (level, attributes["count"], attributes["text"], len(attributes["alarms"])) == ("red", 1, "红色", 1)
        assert house.entity("river-1", "safety")[0] == "OFF"  # type: ignore[index]

        late = HomeAssistant(port)  # all of it is retained
        await reached(lambda: late.entity("slope-1", "level") == (level, attributes))
        late.close()
        town.calm()
        await notifier.notify()
        await reached(lambda: house.entity("slope-1", "level")[0] == "none")  # type: ignore[index]
        await notifier.stop()
        await reached(lambda: house.latest["foreshock/homeassistant/status"] == b"offline")
        house.close()

    with start():
        asyncio.run(scenario())


def test_what_is_simulated_or_no_risk_is_an_entity_of_its_own(
    broker: tuple[int, Start], town: Town, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    port, start = broker

    async def scenario() -> None:
        house = HomeAssistant(port)
        notifier = notifier_of(tmp_path, port, language="en")
        await notifier.start()
        town.dispatch(simulated=True)
        town.record(town.desk.condition(change(1, rule="dead", kind="data_quality", time=town.now), town.now))
        await notifier.notify()
        await reached(lambda: (house.entity("slope-1", "simulation") or ("",))[0] == "ON")
        await reached(lambda: house.entity("slope-1", "problem")[0] == "ON")  # type: ignore[index]
        simulated = house.entity("slope-1", "simulation")
        assert simulated is not None and simulated[1]["level"] == "red" and simulated[1]["text"] == "red"
        assert house.entity("slope-1", "safety")[0] == "OFF"  # type: ignore[index]
        assert house.entity("slope-1", "level")[0] == "none"  # type: ignore[index]
        assert house.device("slope-1")["components"]["simulation"]["name"] == "Simulated alarm"
        await notifier.stop()
        house.close()

    with start():
        asyncio.run(scenario())


def test_a_home_assistant_that_begins_is_told_all_again_and_nothing_else(
    broker: tuple[int, Start], town: Town, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    port, start = broker

    async def scenario() -> None:
        house = HomeAssistant(port)
        notifier = notifier_of(tmp_path, port)
        await notifier.start()
        await reached(lambda: all(house.entity(area, "safety") for area in AREAS))
        before = dict(house.latest)
        house.say("homeassistant/status", "offline")
        house.say("homeassistant/status", "online")
        again = [config(area) for area in AREAS] + [f"foreshock/homeassistant/areas/{area}" for area in AREAS]
        await reached(lambda: all(house.times[topic] == 2 for topic in again))
        house.latest.pop("homeassistant/status")
        assert house.latest == before, "to tell it again changes nothing"
        await notifier.stop()
        house.close()

    with start():
        asyncio.run(scenario())


def test_an_area_that_has_left_the_site_leaves_home_assistant(
    broker: tuple[int, Start], town: Town, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    port, start = broker

    async def scenario() -> None:
        house = HomeAssistant(port)
        foreign = "homeassistant/device/foreshock-other/slope-1/config"
        house.say(foreign, "{}", retain=True)
        first = notifier_of(tmp_path, port)
        await first.start()
        await reached(lambda: all(house.entity(area, "safety") for area in AREAS))
        await first.stop()
        second = notifier_of(tmp_path, port, areas={"slope-1": "坡"})
        await second.start()
        for area in ("river-1", "nowhere"):
            await reached(lambda area=area: house.latest[config(area)] == b"")  # type: ignore[misc]
            await reached(
                lambda area=area: house.latest[f"foreshock/homeassistant/areas/{area}"] == b""  # type: ignore[misc]
            )
        await reached(lambda: house.device("slope-1")["device"]["name"] == "坡")
        assert house.latest[foreign] == b"{}"
        town.dispatch("level", area="river-1")
        town.dispatch()
        await second.notify()
        await reached(lambda: house.entity("slope-1", "safety")[0] == "ON")  # type: ignore[index]
        assert house.latest["foreshock/homeassistant/areas/river-1"] == b""
        await second.stop()
        house.close()

    with start():
        asyncio.run(scenario())


def test_another_version_of_the_site_is_shown_without_a_new_connection(
    broker: tuple[int, Start], town: Town, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    port, start = broker

    async def scenario() -> None:
        house = HomeAssistant(port)
        notifier = notifier_of(tmp_path, port, areas={"river-1": "河", "slope-2": "坡"})
        await notifier.start()
        await reached(lambda: all(house.entity(area, "safety") for area in ("river-1", "slope-2")))
        town.dispatch()
        await notifier.notify()  # an alarm of the new area that is heard of before the area is
        await reached(lambda: notifier.figures()["homeassistant"].waiting == 0)
        notifier.follow(
            [target(port, areas={"river-1": "河流", "slope-1": "新坡"}, console="https://desk.example.org")]
        )
        await reached(lambda: (house.entity("slope-1", "safety") or ("",))[0] == "ON")
        await reached(lambda: house.device("river-1")["device"]["name"] == "河流")
        assert house.device("slope-1")["device"]["configuration_url"] == "https://desk.example.org"
        await reached(lambda: house.latest[config("slope-2")] == b"")
        await reached(lambda: house.latest["foreshock/homeassistant/areas/slope-2"] == b"")
        notifier.follow([target(port, areas={"slope-2": "坡"})])
        await reached(lambda: (house.entity("slope-2", "safety") or ("",))[0] == "OFF")
        await reached(lambda: house.latest[config("slope-1")] == house.latest[config("river-1")] == b"")
        assert house.times["foreshock/homeassistant/status"] >= 3
        await notifier.stop()
        house.close()

    with start():
        asyncio.run(scenario())


def test_what_changes_while_all_is_announced_is_announced_once_more() -> None:
    sender = HomeAssistantSender(target(1, areas={"slope-2": "坡"}))
    told: list[str] = []

    async def publish(messages: Sequence[tuple[str, bytes]], *, retain: bool) -> None:
        if not told:
            sender.follow(target(1, areas={"slope-1": "坡"}))
        told.extend(topic for topic, body in messages if body)

    sender.publish = publish  # type: ignore[method-assign]
    asyncio.run(sender.send(NOTICE))
    asyncio.run(sender.send(NOTICE))
    assert config("slope-1") in told
    assert sender.take_stale()
    sender._find_left("slope-1")
    assert not sender._left


def test_a_notifier_that_dies_is_unavailable(broker: tuple[int, Start]) -> None:  # noqa: F811
    port, start = broker

    async def scenario() -> None:
        house = HomeAssistant(port)
        sender = HomeAssistantSender(target(port))
        await sender.open()
        await reached(lambda: sender.take_stale())
        await sender.send(NOTICE)
        await reached(lambda: house.latest.get("foreshock/homeassistant/status") == b"online")
        sock = sender._client.socket()
        assert sock is not None
        sender._client.reconnect_delay_set(30, 30)
        sock.shutdown(2)  # as when it is killed: without a good-bye
        await reached(lambda: house.latest["foreshock/homeassistant/status"] == b"offline")
        with pytest.raises(Unavailable):
            await sender.send(NOTICE)
        await sender.close()
        house.close()

    with start():
        asyncio.run(scenario())


def test_our_own_announcements_never_come_in_again() -> None:
    sender = HomeAssistantSender(target(1, console="https://desk.example.org"))
    message = sender.device("slope-1")
    assert message["device"]["configuration_url"] == "https://desk.example.org"
    assert discovery.entities("device", "foreshock-test/slope-1", json.dumps(message).encode()) == ([], [])
    other = json.dumps(message | {"origin": {"name": "other"}}).encode()
    found, faults = discovery.entities("device", "foreshock-test/slope-1", other)
    assert len(found) == 4 and not faults, "they are well-formed, as another reader sees them"
