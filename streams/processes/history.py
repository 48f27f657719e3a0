"""The history process: what the log tells goes to InfluxDB, or into the data folder. It holds up nobody."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from typing import TYPE_CHECKING

from streams import settings
from streams.embedded.schema import LogError
from streams.figures import keep_writing
from streams.processes import child
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.bundle import Bundle
    from streams.history.keeping import Keeping
    from streams.history.writing import Writing
    from streams.vitals import Vitals

logger = logging.getLogger(__name__)

NICE = 10
"""How far what is kept in the data folder steps back: it may use one core, when nobody else needs it."""

FIRST = 120.0
"""Seconds after a start in which the data folder's history is left alone: others have more urgent work then."""


async def _run(found: Settings) -> None:
    child.await_site()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    child.ready()  # nobody waits for what it does
    if not found.influx_url:
        alive = asyncio.create_task(child.parent().keep_alive())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST):
                await stop.wait()
        alive.cancel()
    if stop.is_set():
        return
    from streams.processes.holder import HISTORY, in_turn  # here, as all that takes long to load: it may wait

    await in_turn(found, HISTORY, "history", stop, lambda ended: _serve(found, ended))


async def _serve(found: Settings, stop: asyncio.Event) -> None:
    """Write until `stop`."""
    from streams import bundle, publication
    from streams.bundle import version_of
    from streams.following import Following
    from streams.vitals import Vitals

    packed = publication.read(found.data_folder)
    vitals = Vitals(found.hub_path)
    alive = asyncio.create_task(child.parent().keep_alive())
    work = None
    while work is None and not stop.is_set():
        try:
            work = await asyncio.to_thread(_made, found, bundle.unpack(packed), vitals)
        except LogError:  # the worker has not made it yet, or Kafka is away
            await asyncio.sleep(0.2)
    alive.cancel()
    if work is None:
        return
    adopted = work
    following = Following(found.data_folder, version_of(packed), lambda content: adopted.adopt(content.site))
    following.start()
    work.start()
    figures = keep_writing(
        found.data_folder,
        "history",
        lambda: {**adopted.figures(), "following": following.version},
        lambda: child.parent().alive() if adopted.is_alive else None,
    )
    task = asyncio.create_task(figures)
    try:
        await stop.wait()
    finally:
        following.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(work.stop)
        await asyncio.to_thread(vitals.close)


def _made(found: Settings, content: Bundle, vitals: Vitals) -> Keeping | Writing:
    """Make what does the work. Raise `LogError` where there is no log yet."""
    if found.influx_url:
        from streams.history.writing import Writing

        return Writing(found, content.site, vitals)
    import pyarrow as pa

    from streams.history.keeping import Keeping

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    return Keeping(found, content.site, vitals)


def main() -> None:
    """Run until SIGTERM."""
    found = settings.load()
    child.begin("history", found)
    if not found.influx_url:
        os.nice(NICE)  # here: it is of this thread, and of those that it starts
    asyncio.run(_run(found))


if __name__ == "__main__":
    main()
