"""A worker process for the kill and stop tests: each observation's value becomes one outcome of the same partition."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from streams.hub import HubServer
from streams.lean import Batch, create_app
from tests.streams.contract.conftest import SESSION, TOPICS


async def main(url: str, hub_path: str, mode: str) -> None:
    distributed = {"session_seconds": SESSION, "instance": "one"} if url.startswith("kafka://") else {}
    app = create_app("worker", broker_url=url, topics=TOPICS, log_options=distributed)

    @app.batch_agent("observations")
    async def engine(batch: Batch) -> None:
        if mode == "stuck":
            Path(hub_path + ".stuck").touch()  # noqa: ASYNC240
            await asyncio.sleep(1000)
        batch.done([("outcomes", batch.partition, None, value) for _, _, value in batch.records])

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await app.start()
    hub = HubServer(hub_path, app.produce_many)
    await hub.start()
    await stop.wait()
    await hub.stop()
    await app.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
