"""What other workers of a cluster write is heard from now on, and only what is committed."""

from __future__ import annotations

import asyncio

import pytest

from streams.kafka.address import Address
from streams.kafka.log import KafkaLog
from streams.kafka.relay import Relay
from tests.waiting import reached

from .conftest import TOPICS

pytestmark = pytest.mark.server


def test_what_another_worker_writes_is_heard(address: Address) -> None:
    heard: list[tuple[str, int, bytes]] = []

    async def main() -> None:
        log = KafkaLog(address, TOPICS, "worker")
        await log.open()
        places = [("observations", 1)]
        await log.take_over(places, places, 0)
        relay = Relay(address, ["outcomes"], lambda topic, number, _, value: heard.append((topic, number, value)))
        sent = 0

        async def write() -> bool:
            nonlocal sent
            sent += 1
            await log.produce([("outcomes", 1, None, b"%d" % sent)], commits=[("worker", "observations", 1, sent)])
            return bool(heard)

        async with asyncio.timeout(20):
            while not await write():  # it follows from its own beginning on
                await asyncio.sleep(0.05)
        await reached(lambda: heard and heard[-1][2] == b"%d" % sent)
        numbers = [int(value) for _, _, value in heard]
        assert numbers == list(range(numbers[0], sent + 1)), "each once, in order"
        assert {(topic, number) for topic, number, _ in heard} == {("outcomes", 1)}
        await asyncio.to_thread(relay.close)
        await asyncio.to_thread(log.close)

    asyncio.run(main())
