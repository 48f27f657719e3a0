"""A prefix of its own on the tests' broker."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from streams.embedded.schema import TopicSpec
from streams.kafka.address import Address, parse
from streams.kafka.topics import Topics

TOPICS = {
    "observations": TopicSpec(4),
    "outcomes": TopicSpec(4, derived=True),
    "snapshots": TopicSpec(4, compact=True, derived=True),
}


@pytest.fixture
def address(kafka: str) -> Address:
    made = parse(f"kafka://{kafka}/k{uuid4().hex[:8]}")

    async def create() -> None:
        topics = Topics(made, TOPICS)
        await topics.apply(await topics.plan())

    asyncio.run(create())
    return made
