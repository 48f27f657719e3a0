"""An OPC UA gateway: subscribe to nodes of a server, push their changes as readings.

GATEWAY_TOKEN=… python examples/gateways/opcua.py examples/gateways/opcua.yaml
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Any

from asyncua import Client, Node, ua
from pushing import Pusher, asked

log = logging.getLogger(__name__)


class Changes:
    """Turn a subscription's notifications into readings, with the source's own times and its word on quality."""

    def __init__(self, pusher: Pusher, points: dict[str, dict[str, Any]]) -> None:
        self._pusher, self._points = pusher, points

    def datachange_notification(self, node: Node, value: Any, data: Any) -> None:
        """Take one change."""
        told = data.monitored_item.Value
        self._take(node, told, told.SourceTimestamp or told.ServerTimestamp)

    async def read(self, nodes: list[Node]) -> None:
        """Read all nodes as they are now: a server tells of changes only, and what is steady is no silence.

        What is read has the source's time, so that a dead device's last value is not taken for a new one; of a `steady`
        point, whose server leaves that time at the last change and vouches for the value by its status, it has ours.
        """
        for node in nodes:
            told = await node.read_data_value(raise_on_bad_status=False)
            if told.Value is None or told.Value.Value is None:
                continue  # that it failed was told when it did
            steady = self._points[node.nodeid.to_string()].get("steady", False)
            self._take(node, told, None if steady else told.SourceTimestamp or told.ServerTimestamp)

    def _take(self, node: Node, told: ua.DataValue, moment: datetime | None) -> None:
        point = self._points[node.nodeid.to_string()]
        value = None if told.Value is None else told.Value.Value
        status = told.StatusCode or ua.StatusCode(0)
        quality = "good" if status.is_good() else "uncertain" if status.is_uncertain() else "bad"
        scaled = None  # a node that has failed has a status and no value: that is told as well
        if isinstance(value, int | float):
            scaled = float(value) * point.get("scale", 1.0) + point.get("offset", 0.0)
        else:
            log.warning("%s is %s, not a number (%s)", point["point"], type(value).__name__, status.name)
        at = None if moment is None else moment.timestamp()
        self._pusher.add(point["point"], scaled, at, quality, point.get("unit"))


async def follow(config: dict[str, Any], pusher: Pusher) -> None:
    """Follow the server, and connect again when it was away."""
    points = {one["node"]: one for one in config["points"]}
    while True:
        try:
            async with Client(config["server"], timeout=5) as client:
                changes = Changes(pusher, points)
                subscription = await client.create_subscription(config.get("every", 1.0) * 1000, changes)
                nodes = [client.get_node(node) for node in points]
                await subscription.subscribe_data_change(nodes)
                log.info("following %d nodes of %s", len(points), config["server"])
                while True:
                    await asyncio.sleep(config.get("read", 30))
                    await changes.read(nodes)
        except (OSError, TimeoutError, ua.UaError) as error:
            log.warning("the OPC UA server is away (%s); again in 5 s", error)
            await asyncio.sleep(5)


async def main(config: dict[str, Any], token: str) -> None:
    """Follow and push until stopped."""
    pusher = Pusher(config["foreshock"], token)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follow(config, pusher))
        tasks.create_task(pusher.run())


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(*asked()))
