"""`foreshock topics`: what Kafka has to hold for a site."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
import typer

from scripts.commands.spoken import said
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    SiteOption,
    configured,
    done,
    fail,
    out,
    plain,
    tell,
    wrong,
)
from sensors.document import DocumentError
from sensors.registry import load_site
from streams.embedded.schema import LogError
from streams.kafka.topics import Change, Topics
from streams.settings import Settings
from streams.topics_held import topic_specs

app = typer.Typer(
    help="Make the topics that a site needs in Kafka, and keep them as they should be.", no_args_is_help=True
)
app.callback()(lambda: None)

MARKS = {"create": "[green]+[/green]", "configure": "[yellow]~[/yellow]", "refused": "[red]✗[/red]"}

Yes = Annotated[bool, typer.Option("--yes", help="Do it; without, what would be done is only printed.")]


@app.command("apply")
def apply(site: SiteOption = None, data: DataOption = None, yes: Yes = False, as_json: JsonOption = False) -> None:
    """Create the topics that are missing and set right the settings that differ. Says what it would do, unless --yes.

    Partitions are the site's, retention and the number of copies are settings. Nothing is ever deleted, and the number
    of partitions of a topic is never changed: areas would move away from their history.

    FORESHOCK_BROKER=kafka://broker.example:9092/my-site foreshock topics apply --site my-site

    Exit code 0 when all is as it should be, 1 when something is refused, 2 when something is left to be done.
    """
    found = configured(site=site, data=data)
    topics = _topics(found)
    try:
        changes = asyncio.run(_apply(topics, yes))
    except LogError as error:
        fail(str(error))
    refused = [one for one in changes if one.action == "refused"]
    left = bool(changes) and not yes
    if as_json:
        print(msgspec.json.encode({"done": yes, "changes": changes}).decode())
    else:
        for one in changes:
            out.print(f"{MARKS[one.action]} {plain(one.topic)}: {said(one.action)}, {plain(said(one.detail))}")
        _say(topics, changes, left, len(refused))
    if refused:
        raise typer.Exit(1)
    raise typer.Exit(2 if left else 0)


def _topics(found: Settings) -> Topics:
    if found.kafka is None:
        fail("the log is a file, which makes its topics itself; set FORESHOCK_BROKER=kafka://HOST:PORT for Kafka")
    try:
        partitions = load_site(found.site_folder).partitions
    except DocumentError as error:
        fail(f"{found.site_folder}: {error.problems[0]}")
    return Topics(found.kafka, topic_specs(found, partitions), found.kafka_replication)


async def _apply(topics: Topics, yes: bool) -> list[Change]:
    changes = await topics.plan()
    if yes:
        await topics.apply(changes)
    return changes


def _say(topics: Topics, changes: list[Change], left: bool, refused: int) -> None:
    if refused:
        wrong(f"{refused} of it cannot be done by this command")
    elif left:
        tell(f"{len(changes)} to be done; `foreshock topics apply --yes` does it")
    elif changes:
        done(f"{len(changes)} done")
    else:
        done(f"all {len(topics.specs)} topics are as they should be")
