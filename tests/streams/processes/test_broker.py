"""The broker process: the product's own orders pass at once, readings wait for a bridge, and it gives signs of life."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from scripts.commands.run import common_children
from scripts.ports import free_port
from streams import bundle, publication, settings
from streams.bundle import Bundle
from streams.supervisor import Supervisor
from tests.streams.embedded.mqtt.peers import Bare, fresh_name
from tests.streams.small_site import rules, site
from tests.waiting import reached

pytestmark = pytest.mark.server


def test_orders_pass_while_there_is_no_bridge_and_readings_wait(tmp_path: Path) -> None:
    found = settings.load({}, data=str(tmp_path), mqtt_port=free_port(), homeassistant_prefix="house")
    (tmp_path / "run").mkdir()
    publication.write(tmp_path, bundle.pack(Bundle(site=site(), rules=rules())))
    broker, *_ = common_children(found)

    def talk() -> None:
        pub, unit = Bare(found.mqtt_port, fresh_name()), Bare(found.mqtt_port, fresh_name())
        unit.subscribe("foreshock/dispatches/team")
        pub.publish("foreshock/readings/a0/p0", b"1", 1, 1)
        assert pub.silent()
        other = Bare(found.mqtt_port, fresh_name())  # answers to one publisher come in order
        other.publish("foreshock/dispatches/team", b"go", 1, 2)
        assert other.next() == (0x40, b"\0\2")
        assert unit.next()[1].endswith(b"go")
        other.publish("foreshock/alarms/a0", b"{}", 1, 3, 1)
        assert other.next() == (0x40, b"\0\3")
        other.publish("foreshock/undispatched/a0", b"{}", 1, 4)
        assert other.next() == (0x40, b"\0\4"), "a notice that nobody is on it would hold up every order behind it"
        other.publish(f"house/device/foreshock-{site().id}/a0/config", b"{}", 1, 5, 1)
        assert other.next() == (0x40, b"\0\5")
        other.publish("foreshock/homeassistant/areas/a0", b"{}", 1, 6, 1)
        assert other.next() == (0x40, b"\0\6")

    async def scenario() -> None:
        assert broker.name == "broker"
        keeper = Supervisor([broker])
        await keeper.start()
        try:
            await asyncio.to_thread(talk)
            await reached(lambda: broker.silent is not None, what="a sign of life")
        finally:
            await keeper.stop()

    asyncio.run(scenario())
