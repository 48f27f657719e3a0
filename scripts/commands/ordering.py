"""Orders from the terminal: handed to the running worker, and answered by the journal."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from alerts import messages
from alerts.queries import JournalMissing, Reader
from scripts.commands import reload as reloading
from scripts.commands.speaking import in_force, require_journal, sentence
from scripts.commands.terminal import configured, fail, who
from scripts.commands.words import Language, Words
from sensors import observation
from sensors.lookup import Registry
from sensors.observation import Command, Silence, SiteMode
from streams.bundle import Bundle
from streams.hub import HubClient
from streams.settings import Settings
from streams.topics import OBSERVATIONS

WAIT = 10.0
"""Seconds for the log to take a command and the journal to have its answer."""


class Opened(NamedTuple):
    """What a run keeps, for a command that looks into it and gives orders."""

    found: Settings
    content: Bundle
    queries: Reader
    words: Words


def opened(data: Path | None, language: Language | None) -> Opened:
    """Open what a run keeps: its settings, the site in force and the journal; end with a sentence where it cannot.

    `language` is that of the sentences, None for the site's.
    """
    found = configured(data=data)
    require_journal(found, language)
    content, words = in_force(found.data_folder, language)
    try:
        return Opened(found, content, Reader(found.journal_url), words)
    except JournalMissing as error:
        fail(words("unreadable", folder=found.data_folder, error=sentence(error, words)))


def give(run: Opened, kind: str, target: str, area: str, args: dict[str, Any]) -> dict[str, Any]:
    """Give a command in the name of whoever sits at the terminal; end with a sentence when it is not done."""
    words = run.words
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
        partition = Registry(run.content.site).partition(area)
    except KeyError:
        fail(words("area_gone", area=area))
    answer = _answer(run, command, [partition])
    _require_done(answer, words)
    return answer


def instruct(run: Opened, what: SiteMode | Silence, action: str, subject: str, **facts: Any) -> None:
    """Have all partitions do something, and the audit know; end with a sentence when it is not done."""
    answer = _answer(run, what, range(run.content.site.partitions))
    refused = {} if answer["ok"] else {"refused": answer["reason"]}
    reloading.note(run.found, what.actor, action, subject, **facts, **refused)
    _require_done(answer, run.words)


def _answer(run: Opened, what: Command | SiteMode | Silence, partitions: Iterable[int]) -> dict[str, Any]:
    try:
        return asyncio.run(order(run.found, run.queries, what, partitions, WAIT))
    except (OSError, TimeoutError) as error:
        said = sentence(error, run.words) or run.words("time_out")
        fail(run.words("no_answer", folder=run.found.data_folder, error=said))


def _require_done(answer: dict[str, Any], words: Words) -> None:
    if not answer["ok"]:
        fail(words("refused", why=messages.text(answer["reason"], words.language)))


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
