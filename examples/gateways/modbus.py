"""A Modbus TCP gateway: read registers of a PLC, push them as readings.

GATEWAY_TOKEN=… python examples/gateways/modbus.py examples/gateways/modbus.yaml
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from pushing import Pusher, asked
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

log = logging.getLogger(__name__)


async def read(client: AsyncModbusTcpClient, point: dict[str, Any]) -> float:
    """Read one point's registers, in its `unit` after `scale` and `offset`. Raise `ModbusException` when refused."""
    kind = client.DATATYPE[point.get("type", "INT16")]
    take = client.read_input_registers if point.get("table") == "input" else client.read_holding_registers
    answer = await take(point["address"], count=kind.value[1], device_id=point.get("device", 1))
    if answer.isError():
        raise ModbusException(str(answer))
    raw = client.convert_from_registers(answer.registers, kind, word_order=point.get("words", "big"))
    return float(raw) * point.get("scale", 1.0) + point.get("offset", 0.0)


async def poll(config: dict[str, Any], pusher: Pusher) -> None:
    """Read all points every `every` seconds; one that cannot be read is passed over: its silence raises an alarm."""
    client = AsyncModbusTcpClient(config["host"], port=config.get("port", 502), timeout=3, reconnect_delay=1)
    try:
        while True:
            if not client.connected and not await client.connect():
                log.warning("the PLC at %s cannot be reached", config["host"])
            for point in config["points"] if client.connected else ():
                try:
                    pusher.add(point["point"], await read(client, point), unit=point.get("unit"))
                except ModbusException as error:
                    log.warning("%s cannot be read: %s", point["point"], error)
            await asyncio.sleep(config.get("every", 10))
    finally:
        client.close()


async def main(config: dict[str, Any], token: str) -> None:
    """Poll and push until stopped."""
    pusher = Pusher(config["foreshock"], token)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(poll(config, pusher))
        tasks.create_task(pusher.run())


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(*asked()))
