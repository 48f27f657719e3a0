"""The worker process."""

from __future__ import annotations

import asyncio
import gc
import signal

from streams import bundle, publication, settings
from streams.processes import child
from streams.worker import Worker


async def _run(found: settings.Settings) -> None:
    child.await_site()
    if not found.cluster:  # where all runs go by what the log has
        publication.finish(found.data_folder)
    packed = publication.read(found.data_folder)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    worker = Worker(found, packed, bundle.unpack(packed).site.partitions)
    parent = child.parent()
    # what stays for as long as a site is in force need not be walked through at each search for garbage
    await worker.run(stop.wait(), child.ready, parent.progress, parent.alive, gc.freeze)


def main() -> None:
    """Run the worker until SIGTERM."""
    found = settings.load()
    child.begin("worker", found)
    asyncio.run(_run(found))


if __name__ == "__main__":
    main()
