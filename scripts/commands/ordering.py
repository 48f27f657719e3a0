"""Orders from the terminal: handed to the running worker, and answered by the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from alerts.queries import JournalMissing, Reader
from scripts.commands.terminal import fail
from sensors import observation
from sensors.observation import Command, SiteMode
from streams.hub import HubClient
from streams.settings import Settings
from streams.topics import OBSERVATIONS


def reader(found: Settings) -> Reader:
    """Open the journal; end the command with a sentence where there is none."""
    try:
        return Reader(found.journal_url)
    except JournalMissing as error:
        fail(str(error))


async def order(
    found: Settings, queries: Reader, what: Command | SiteMode, partitions: Iterable[int], wait: float
) -> dict[str, Any]:
    """Hand an order to the running worker, in some partitions, and wait for the journal's answer.

    Raise OSError where nothing runs, TimeoutError after `wait` seconds.
    """
    record = observation.encode(what)
    async with asyncio.timeout(wait):
        client = HubClient(found.hub_path)
        try:
            await client.produce([(OBSERVATIONS, partition, None, record) for partition in partitions])
            while (answer := queries.result(what.id)) is None:  # noqa: ASYNC110 - the journal is a file
                await asyncio.sleep(0.05)
        finally:
            await client.close()
    return dict(answer)
