"""`foreshock quarantine`: find what was refused, look at its bytes, and take it in after a mend."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from alerts import messages
from alerts.console.accounts import open_accounts, record_audit
from scripts.commands.moment import moment
from scripts.commands.spoken import heads, language, near, said
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    aside,
    configured,
    done,
    fail,
    local,
    out,
    plain,
    require_run,
    tell,
    who,
)
from sensors.quarantine import BusyError, Query
from streams import bundle, publication
from streams.bundle import Bundle
from streams.embedded.schema import LogError
from streams.hub import HubClient, HubError
from streams.quarantine.alone import alone
from streams.quarantine.refusals import REASONS, Item, Refusals
from streams.quarantine.replay import Record, Replay, Tally
from streams.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="What was refused: find it, look at its bytes, take it in after the site was mended.",
)
WAIT = 10.0
"""Seconds that the running worker may take to write what a part of a replay brings."""

PART = 2_000
"""Messages that are replayed between two words to the terminal."""

MOST = 10_000
ALL = 1_000_000
"""Records that are counted at most, which takes 20 s: 500 MB of messages hold about as many."""

WORDS = {
    "accepted": "taken in",
    "refused": "refused still",
    "taken_before": "taken in before",
    "cut": "cut: not kept whole, so they cannot be decoded",
    "no_message": "no message: a summary, or a record of the log",
    "state_only": "only told a state of then",
}

SourceOption = Annotated[str | None, typer.Option("--source", help="Who refused it: bridge, http, engine.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why: unknown_point, malformed, future and so on.")]
TopicOption = Annotated[str | None, typer.Option("--topic", help="A text that the topic contains.")]
FromOption = Annotated[
    str | None, typer.Option("--from", help="Not before: 2026-05-03 14:00, 14:00, or how long ago (2 h).")
]
ToOption = Annotated[str | None, typer.Option("--to", help="Not after, written as --from is.")]


@contextmanager
def _open(data: Path | None) -> Iterator[tuple[Settings, Bundle, Refusals]]:
    """Open what ran on a data folder; end with a sentence when nothing did or it cannot be read."""
    found = configured(data=data)
    folder = found.data_folder
    require_run(folder / publication.FILE)
    if found.kafka is None:
        require_run(found.log_file)
    try:
        content = bundle.unpack(publication.read(folder))
        yield found, content, Refusals(found.log, {point.index: point.id for point in content.site.points})
    except (LogError, OSError, ValueError) as error:
        fail(f"cannot read {folder}: {error}; `foreshock doctor` may say more")


def _query(
    zone: str, source: str | None, reason: str | None, topic: str | None, since: str | None, until: str | None
) -> Query:
    if reason is not None and reason not in REASONS:
        fail(said(f"--reason {reason}: there is none; the reasons are {', '.join(REASONS)}") + near(reason, REASONS))
    times: dict[str, float | None] = {"--from": None, "--to": None}
    for name, text in (("--from", since), ("--to", until)):
        if text is not None:
            try:
                times[name] = moment(text, time.time(), zone)
            except ValueError as error:
                fail(f"{name}: {error}")
    return Query(source=source, reason=reason, topic=topic, since=times["--from"], until=times["--to"])


@app.command("list")
def list_refused(
    source: SourceOption = None,
    reason: ReasonOption = None,
    topic: TopicOption = None,
    since: FromOption = None,
    until: ToOption = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many.")] = 50,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what was refused, the newest first.

    foreshock quarantine list --reason unknown_point --from "2 h"

    foreshock quarantine list --topic slope-01 --json
    """
    with _open(data) as (_, content, refusals):
        query = _query(content.site.zone, source, reason, topic, since, until)
        items: list[Item] = []
        cursor: str | None = None
        while len(items) < limit:
            found, cursor = refusals.page(query, limit - len(items), cursor)
            items += found
            if cursor is None:
                break
    if as_json:
        print(msgspec.json.encode([one.as_map() for one in items]).decode())
        return
    table = Table(*heads("arrived", "source", "reason", "topic", "what", "bytes", "replayed"))
    table.add_column(said("id"), no_wrap=True)  # whole, to be copied
    for one in items:
        row = (
            one.source,
            one.reason,
            one.topic,
            one.detail or messages.text(f"refused.{_bare(one.reason)}", language()),
        )
        size = str(one.size) if one.whole else said(f"{one.size}, cut")
        again = local(one.replayed, content.site.zone)
        table.add_row(local(one.time, content.site.zone), *map(plain, row), size, again, one.id)
    out.print(table if items else said("nothing of this was refused, or it is no longer kept"))


@app.command("show")
def show_refused(
    id: Annotated[str, typer.Argument(help="Its id, as the list says it.")],
    as_hex: Annotated[bool, typer.Option("--hex", help="Show the bytes in hexadecimal.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Write the bytes themselves, to be piped.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one refused message: why, and all bytes that are kept of it.

    foreshock quarantine show q-41

    foreshock quarantine show q-41 --raw > payload.json
    """
    with _open(data) as (_, content, refusals):
        one = refusals.one(id)
    if one is None:
        fail(f"there is no {id} in the quarantine, or no longer; `foreshock quarantine list` names what is kept")
    if as_json:
        print(msgspec.json.encode(one.as_map(None)).decode())
        return
    if raw:
        sys.stdout.buffer.write(one.raw)
        sys.stdout.buffer.flush()
        return
    why = messages.text(f"refused.{_bare(one.reason)}", language())
    out.print(plain(f"{one.id}  {local(one.time, content.site.zone)}  {one.source}"))
    stored = said("(the broker's stored copy)") if one.retained else ""
    _line("topic", f"{one.topic}  {stored}".rstrip())
    _line("why", f"{one.reason}  {why}")
    if one.detail:
        _line("detail", one.detail)
    kept = "" if one.whole else said(f", of which {len(one.raw)} are kept: too few to replay it")
    _line("size", said(f"{one.size} bytes") + kept + said(f"; readings refused: {one.readings}"))
    if one.replayed is not None:
        _line("taken", f"{local(one.replayed, content.site.zone)}  {one.replayed_by}")
    out.print(_hex(one.raw) if as_hex else plain(one.raw.decode("utf-8", "backslashreplace")))


@app.command("stats")
def statistics(
    source: SourceOption = None,
    reason: ReasonOption = None,
    topic: TopicOption = None,
    since: FromOption = None,
    until: ToOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count what is kept of what was refused: by reason, source and topic.

    foreshock quarantine stats --from "1 d"
    """
    with _open(data) as (found, content, refusals):
        counts = refusals.statistics(_query(content.site.zone, source, reason, topic, since, until), ALL)
    if as_json:
        print(msgspec.json.encode(counts).decode())
        return
    if not counts.messages:
        tell("nothing of this was refused, or it is no longer kept")
        return
    zone = content.site.zone
    tell(
        f"{counts.messages} messages, {counts.readings} readings, {counts.replayed} messages replayed, "
        f"{local(counts.oldest, zone)} to {local(counts.newest, zone)}"
    )
    for title, rows in (("reason", counts.by_reason), ("source", counts.by_source)):
        table = Table(*heads(title, "messages", "readings"))
        for name, row in sorted(rows.items(), key=lambda pair: -pair[1]["messages"]):
            table.add_row(plain(name), str(row["messages"]), str(row["readings"]))
        out.print(table)
    table = Table(*heads("topic", "messages"))
    for name, count in counts.by_topic.items():
        table.add_row(plain(name), str(count))
    out.print(table)
    tell(f"kept for {found.quarantine_days:g} days, at most {found.quarantine_megabytes:g} MB")
    if not counts.complete:
        tell("older ones were not counted: narrow the time with --from and --to")


@app.command("replay")
def replay(
    source: SourceOption = None,
    reason: ReasonOption = None,
    topic: TopicOption = None,
    since: FromOption = None,
    until: ToOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be taken in.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decode refused messages again with the site that runs now, and take in what is accepted, once.

    What is taken in is history: it fills charts and baselines and raises nothing as if it were now. What is refused
    still stays, and can be replayed after the next mend. To replay twice does nothing twice.

    foreshock quarantine replay --reason unknown_point --dry-run

    foreshock quarantine replay --topic slope-01 --from "2026-05-03 14:00"
    """
    with _open(data) as (found, content, _):
        query = _query(content.site.zone, source, reason, topic, since, until)
        try:
            tally = asyncio.run(_replay(found, content, query, dry_run, quiet=as_json))
        except BusyError as error:
            fail(str(error))
        except (HubError, ConnectionError, TimeoutError) as error:
            why = str(error) or said("time-out")
            fail(f"no running Foreshock answers on {found.data_folder}: {why}; replay again to go on")
    if as_json:
        print(msgspec.json.encode(tally).decode())
        return
    for name, count in tally.outcomes.items():
        out.print(f"{count:8d}  {plain(said(WORDS[name]))}")
    for name, count in sorted(tally.refused.items(), key=lambda pair: -pair[1]):
        out.print(plain(f"          {count} {name}"))
    for line in tally.details:
        out.print(plain(f"          {line}"))
    if dry_run:
        done(f"would be taken in: {tally.readings} readings and {tally.events} events of {tally.messages} messages")
    else:
        done(f"taken in: {tally.readings} readings and {tally.events} events of {tally.messages} messages")


async def _replay(found: Settings, content: Bundle, query: Query, dry_run: bool, *, quiet: bool) -> Tally:
    """Replay all that is asked for, part by part, through the running worker."""
    client = HubClient(found.hub_path)

    async def produce(records: Sequence[Record]) -> list[int]:
        answer = client.hand_over(records)
        while True:
            try:
                async with asyncio.timeout(WAIT):
                    return await asyncio.shield(answer)
            except TimeoutError:
                if not client.connected:
                    raise  # nothing of it is with a worker, and it ends with this process
            aside(f"no answer for {WAIT:g} s; waiting on, since what was sent may be taken in still")

    actor = who()
    whole, start = Tally(dry_run=dry_run), 0
    run = Replay(found.log, content.site, produce, actor)
    try:
        if dry_run:
            while True:
                whole.add(await run.run(query, dry_run=True, start=start, most=PART))
                if whole.following is None:
                    return whole
                start = whole.following
        with alone(found.data_folder):
            _note(found, actor, query)
            while True:
                whole.add(await run.run(query, start=start, most=PART))
                if whole.following is None:
                    return whole
                start = whole.following
                if not quiet:
                    aside(f"{whole.messages} messages so far, {whole.readings} readings taken in")
    finally:
        await client.close()


def _note(found: Settings, actor: str, query: Query) -> None:
    """Put the replay into the audit beside the log."""
    accounts = open_accounts(found.accounts_at)
    try:
        asked = {name: value for name, value in msgspec.structs.asdict(query).items() if value is not None}
        record_audit(accounts, actor, "quarantine.replay", "", **asked)
    finally:
        accounts.close()


def _line(name: str, text: str) -> None:
    out.print(plain(f"{said(name)}: {text}"))


def _bare(reason: str) -> str:
    return reason.partition(":")[0]


def _hex(raw: bytes) -> str:
    """Write bytes as offset, hexadecimal and what can be read of them, sixteen a line."""
    lines = []
    for at in range(0, len(raw), 16):
        part = raw[at : at + 16]
        text = "".join(chr(one) if 32 <= one < 127 else "." for one in part)
        lines.append(plain(f"{at:08x}  {part.hex(' '):<47}  {text}"))
    return "\n".join(lines)
