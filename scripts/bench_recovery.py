"""How long a worker takes to have a partition's state from its snapshot in Kafka: one JSON line a size."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated

import numpy as np
import typer

from scripts.backing import backing
from scripts.bench_engine import rules
from scripts.load import bench_site
from sensors import frame, observation
from sensors.observation import Publication
from streams import bundle, settings
from streams.bundle import Bundle
from streams.kafka.log import KafkaLog
from streams.station import Station
from streams.topics import GROUP, OBSERVATIONS
from streams.topics_held import topic_specs

EACH = 5000
"""Readings of a frame."""

ROUNDS = 5
BAR = 5.0
"""Seconds that 100 000 points may take."""


def observations(points: int) -> list[bytes]:
    """Make what such a site has seen: its publication, and a few readings of each point."""
    content = Bundle(site=bench_site(points, areas=600, partitions=1), rules=rules(100, everywhere=False))
    packed, now, chance = bundle.pack(content), time.time() - 600, np.random.default_rng(1)
    version = bundle.version_of(packed)
    found = [observation.encode(Publication(version=version, bundle=packed, author="bench", reason="bench", time=now))]
    for turn in range(ROUNDS):
        for start in range(0, points, EACH):
            count = min(EACH, points - start)
            found.append(
                frame.encode(
                    np.arange(start, start + count, dtype=np.uint32),
                    np.full(count, now + 10.0 * turn),
                    chance.normal(50.0, 1.0, count),
                    np.zeros(count, np.uint8),
                    registry=content.site.version,
                    received=now + 10.0 * turn,
                )
            )
    return found


def measure(points: int) -> dict[str, object]:
    """Write a partition's observations and its snapshot to a Kafka, and time how it is taken up again."""
    site = bench_site(1, partitions=1)
    with backing(site, distributed=True) as on:
        found = settings.load({}, **on.given)
        assert found.kafka is not None
        log = KafkaLog(found.kafka, topic_specs(found, 1), GROUP)
        place = (OBSERVATIONS, 0)

        async def fill() -> int:
            await log.open()
            records = observations(points)
            for record in records:
                await log.produce([(OBSERVATIONS, 0, None, record)])
            await log.take_over([place], [place], 0)
            await log.produce([("outcomes", 0, None, b"")], commits=[(GROUP, OBSERVATIONS, 0, len(records))])
            return len(records)

        try:
            committed = asyncio.run(fill())
            first = Station(0, log, committed)
            first.engine.offset -= 1  # as if one observation were not in the snapshot: what is committed is ahead of it
            frozen = first.freeze(committed)
            assert frozen is not None
            chunks = list(frozen.records())
            for start in range(0, len(chunks), 4):
                asyncio.run(log.produce(chunks[start : start + 4]))
            begun, used = time.perf_counter(), time.process_time()
            again = Station(0, log, committed)
            took, used = time.perf_counter() - begun, time.process_time() - used
            assert len(again.engine.points) == points and again.engine.offset == committed - 1
        finally:
            log.close()
    size = sum(len(value) for *_, value in chunks)
    return {
        "bench": "recovery",
        "points": points,
        "seconds": round(took, 2),
        "cpu_seconds": round(used, 2),
        "snapshot_mb": round(size / 1e6, 1),
        "bar": BAR,
        "met": took <= BAR,
    }


def main(points: Annotated[int, typer.Option(help="Points of the partition.")] = 100_000) -> None:
    """Print the figure."""
    print(json.dumps(measure(points)))


if __name__ == "__main__":
    typer.run(main)
