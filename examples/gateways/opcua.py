"""An OPC UA gateway: subscribe to nodes of a server, push their changes as readings.

GATEWAY_TOKEN=… python examples/gateways/opcua.py examples/gateways/opcua.yaml
"""

from __future__ import annotations

import asyncio
import logging
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
        point = self._points[node.nodeid.to_string()]
        told = data.monitored_item.Value
        if not isinstance(value, int | float):
            log.warning("%s is %s, not a number", point["point"], type(value).__name__)
            return
        status = told.StatusCode or ua.StatusCode(0)
        quality = "good" if status.is_good() else "uncertain" if status.is_uncertain() else "bad"
        moment = told.SourceTimestamp or told.ServerTimestamp
        scaled = float(value) * point.get("scale", 1.0) + point.get("offset", 0.0)
        self._pusher.add(point["point"], scaled, moment.timestamp() if moment else None, quality)


async def follow(config: dict[str, Any], pusher: Pusher) -> None:
    """Follow the server, and connect again when it was away."""
    points = {one["node"]: one for one in config["points"]}
    while True:
        try:
            async with Client(config["server"], timeout=5) as client:
                subscription = await client.create_subscription(
                    config.get("every", 1.0) * 1000, Changes(pusher, points)
                )
                await subscription.subscribe_data_change([client.get_node(node) for node in points])
                log.info("following %d nodes of %s", len(points), config["server"])
                while True:
                    await asyncio.sleep(5)
                    await client.check_connection()
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
