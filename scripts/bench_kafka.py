"""What a frame costs one worker on Kafka, against the embedded log, in pairs of one run.

A backlog of frames of 1000 readings is drained by a batch agent that brings one output a frame, committed with the
offsets: by a worker, whose engine scores them with 100 rules, and without the engine, which shows the transport alone.
Prints one JSON line a round and transport, then the ratio of the medians: frames a second, and CPU microseconds of the
worker's process a frame. Bar: a worker takes 0.7 of the embedded log's frames a second.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.progress import track

from scripts.bench_engine import engine_with, records, rules
from scripts.kafka_broker import broker
from streams.engine import Engine
from streams.kafka.address import parse
from streams.kafka.topics import Topics
from streams.lean import Batch, TopicSpec, create_app

PARTITIONS = 4
TOPICS = {"observations": TopicSpec(PARTITIONS), "outcomes": TopicSpec(PARTITIONS, derived=True)}
AT_ONCE = 64
OUTPUT_BYTES = 400


def cpu() -> float:
    """Return the seconds of CPU that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def fill(url: str, frames: list[bytes]) -> None:
    """Write the backlog, the same to each partition."""
    app = create_app("filling", broker_url=url, topics=TOPICS)
    await app.start()
    for begin in range(0, len(frames), AT_ONCE):
        some = frames[begin : begin + AT_ONCE]
        await app.produce_many([("observations", p, None, frame) for p in range(PARTITIONS) for frame in some])
    await app.stop()


async def drain(url: str, frames: int, engines: list[Engine]) -> tuple[float, float]:
    """Work the backlog off; return seconds and CPU seconds from the first batch to the last commit."""
    app = create_app("worker", broker_url=url, topics=TOPICS)
    begun: list[tuple[float, float]] = []
    left, done = frames, asyncio.Event()
    output = bytes(OUTPUT_BYTES)

    @app.batch_agent("observations")
    async def work(batch: Batch) -> None:
        if not begun:
            begun.append((time.perf_counter(), cpu()))
        for begin in range(0, len(batch.records) if engines else 0, AT_ONCE):
            engine = engines[batch.partition]
            some = batch.records[begin : begin + AT_ONCE]
            engine.apply([(engine.offset + 1 + k, value) for k, (_, _, value) in enumerate(some)])
            await asyncio.sleep(0)
        written = batch.done([("outcomes", batch.partition, None, output)] * len(batch.records))
        written.add_done_callback(partial(counted, len(batch.records)))

    def counted(count: int, _: Any) -> None:
        nonlocal left
        left -= count
        if not left:
            done.set()

    await app.start()
    await done.wait()
    took = time.perf_counter() - begun[0][0], cpu() - begun[0][1]
    await app.stop()
    return took


def figures(url: str, frames: list[bytes], engine: bool) -> dict[str, Any]:
    """Measure one transport once."""
    asyncio.run(fill(url, frames))
    engines = [engine_with(rules(100, everywhere=False)) for _ in range(PARTITIONS * engine)]
    count = len(frames) * PARTITIONS
    seconds, used = asyncio.run(drain(url, count, engines))
    return {"frames_per_second": round(count / seconds), "cpu_us_per_frame": round(used / count * 1e6, 1)}


async def _make(url: str) -> None:
    topics = Topics(parse(url), TOPICS)
    await topics.apply(await topics.plan())


def main(
    frames: Annotated[int, typer.Option(help="Frames of a partition and round.")] = 500,
    rounds: Annotated[int, typer.Option(help="Pairs.")] = 5,
) -> None:
    """Measure both transports in turns."""
    made = records(frames, 1000)
    with broker() as kafka, tempfile.TemporaryDirectory() as folder:
        for engine in (False, True):
            compare(kafka.servers, Path(folder), made, rounds, engine)


def compare(servers: str, folder: Path, frames: list[bytes], rounds: int, engine: bool) -> None:
    """Measure pairs, and print how they compare."""
    found: dict[str, list[dict[str, Any]]] = {"sqlite": [], "kafka": []}
    for number in track(range(rounds), description="worker" if engine else "transport alone"):
        url = f"kafka://{servers}/b{uuid4().hex[:8]}"
        asyncio.run(_make(url))
        for name, place in (("sqlite", f"sqlite:///{folder / f'{engine}-{number}.sqlite'}"), ("kafka", url)):
            found[name].append(figures(place, frames, engine))
            print(json.dumps({"transport": name, "engine": engine, **found[name][-1]}))
    medians = {
        name: {key: statistics.median(one[key] for one in several) for key in several[0]}
        for name, several in found.items()
    }
    ratio = medians["kafka"]["frames_per_second"] / medians["sqlite"]["frames_per_second"]
    bar = {"bar": 0.7, "met": ratio >= 0.7} if engine else {}
    print(json.dumps({"engine": engine, **medians, "kafka_of_sqlite": round(ratio, 2), **bar}))


if __name__ == "__main__":
    typer.run(main)
