"""Orders from the terminal: handed to the running worker, and answered by the journal."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alerts import messages
from alerts.queries import JournalMissing, Reader
from scripts.commands import reload as reloading
from scripts.commands.speaking import in_force, require_journal, sentence
from scripts.commands.terminal import configured, fail, who
from scripts.commands.words import Language, Words
from sensors import observation
from sensors.lookup import Registry
from sensors.observation import Command, Silence, SiteMode
from sensors.site import Site
from streams.bundle import Bundle
from streams.hub import HubClient
from streams.settings import Settings
from streams.topics import OBSERVATIONS

WAIT = 10.0
"""Seconds for the log to take a command and the journal to have its answer."""


def opened(data: Path | None, language: Language | None = "en") -> tuple[Settings, Bundle, Reader]:
    """Open what a run keeps: its settings, the site in force and the journal; end with a sentence where it cannot.

    `language` is that of the sentence, None for the site's.
    """
    found = configured(data=data)
    require_journal(found, language)
    content, words = in_force(found.data_folder, language)
    try:
        return found, content, Reader(found.journal_url)
    except JournalMissing as error:
        fail(words("unreadable", folder=found.data_folder, error=sentence(error, words)))


def give(
    found: Settings,
    site: Site,
    queries: Reader,
    kind: str,
    target: str,
    area: str,
    args: dict[str, Any],
    words: Words | None = None,
) -> dict[str, Any]:
    """Give a command in the name of whoever sits at the terminal; end with a sentence when it is not done.

    The sentence is English without `words`.
    """
    words = words or Words("en", site.zone)
    command = Command(
        id=uuid.uuid4().hex,
        kind=kind,
        target=target,
        area=area,
        actor=who(),
        time=time.time(),
        args=args,
    )
    try:
        partition = Registry(site).partition(area)
    except KeyError:
        fail(words("area_gone", area=area))
    try:
        answer = asyncio.run(order(found, queries, command, [partition], WAIT))
    except (OSError, TimeoutError) as error:
        fail(words("no_answer", folder=found.data_folder, error=sentence(error, words) or words("time_out")))
    if not answer["ok"]:
        fail(words("refused", why=messages.text(answer["reason"], words.language)))
    return answer


def instruct(
    found: Settings,
    site: Site,
    queries: Reader,
    what: SiteMode | Silence,
    action: str,
    subject: str,
    **facts: Any,
) -> None:
    """Have all partitions do something, and the audit know; end with a sentence when it is not done."""
    try:
        answer = asyncio.run(order(found, queries, what, range(site.partitions), WAIT))
    except (OSError, TimeoutError) as error:
        fail(f"no running Foreshock answers on {found.data_folder}: {str(error) or 'time-out'}")
    refused = {} if answer["ok"] else {"refused": answer["reason"]}
    reloading.note(found, what.actor, action, subject, **facts, **refused)
    if not answer["ok"]:
        fail(f"refused: {messages.text(answer['reason'], 'en')}")


def reader(found: Settings) -> Reader:
    """Open the journal; end the command with a sentence where there is none."""
    try:
        return Reader(found.journal_url)
    except JournalMissing as error:
        fail(str(error))


async def order(
    found: Settings, queries: Reader, what: Command | SiteMode | Silence, partitions: Iterable[int], wait: float
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
