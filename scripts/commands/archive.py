"""`foreshock archive`: what is archived, whether it is as it was written, and what is too old."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from scripts.commands.spoken import heads, said
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    aside,
    configured,
    done,
    err,
    fail,
    local,
    out,
    tell,
    warn,
    who,
    wrong,
)
from streams import bundle, housekeeping, logs, publication
from streams.archive import witness
from streams.archive.archiver import Archiver, archive_all, cuts, prune
from streams.archive.chain import Link
from streams.archive.place import Place
from streams.archive.store import Store
from streams.archive.survey import Survey, chains, survey
from streams.embedded.schema import LogError
from streams.moments import FOLDER
from streams.processes.archiver import limits
from streams.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Every observation beyond the log: what is kept, whether it is as it was written, what is too old.",
)
app.callback()(lambda: None)


class Day(msgspec.Struct, kw_only=True):
    """What one partition has of one day (UTC). Times are of writing, unix seconds."""

    day: str
    partition: int
    segments: int = 0
    observations: int = 0
    outcomes: int = 0
    states: int = 0
    lost: int = 0
    bytes: int = 0
    since: float = 0.0
    until: float = 0.0

    def add(self, link: Link) -> None:
        """Take in a segment."""
        head = link.head
        self.since = self.since or head.since
        self.until = head.until
        self.segments += 1
        self.observations += head.observations
        self.outcomes += head.outcomes
        self.states += len(head.states)
        self.lost += head.lost
        self.bytes += link.bytes + sum(state.bytes for state in head.states)


@app.command("list")
def show(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List what is archived, by day and partition, and how far it goes.

    foreshock archive list
    """
    found, place = _configured(data=data)
    days: dict[tuple[str, int], Day] = {}
    try:
        for chain in chains(place):
            for link in chain.links():
                key = link.name.split("/")[1], chain.partition
                days.setdefault(key, Day(day=key[0], partition=key[1])).add(link)
    except LogError as error:
        fail(str(error))
    listed = [days[key] for key in sorted(days)]
    if as_json:
        print(msgspec.json.encode(listed).decode())
        return
    if not listed:
        tell(f"nothing is archived in {place.where} yet")
        return
    zone = _zone(found)
    columns = ("day (UTC)", "partition", "segments", "observations", "outcomes", "states", "MB", f"from ({zone})", "to")
    table = Table(*heads(*columns))
    for one in listed:
        counts = (one.partition, one.segments, one.observations, one.outcomes, one.states)
        times = (local(one.since, zone), local(one.until, zone))
        table.add_row(one.day, *map(str, counts), f"{one.bytes / 1e6:.2f}", *times)
    out.print(table)
    lost = sum(one.lost for one in listed)
    if lost:
        warn(f"{lost} observations were gone from the log before they were archived")
    done(f"{sum(one.observations for one in listed)} observations, {sum(one.bytes for one in listed) / 1e6:.1f} MB")


@app.command("verify")
def verify(
    quick: Annotated[
        bool, typer.Option("--quick", help="Follow the indexes only, as `foreshock doctor` does.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read everything that is archived and see that it is as it was written: each hash, each link, each observation.

    Exit code 0 when all is well, 1 when not. Changes nothing.

    foreshock archive verify
    """
    found, place = _configured(data=data)
    columns = (TextColumn(said("reading")), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=err, transient=True, disable=as_json) as progress:
            task = progress.add_task("", total=None)
            seen = survey(
                place,
                found.data_folder,
                whole=not quick,
                told=lambda count, total: progress.update(task, completed=count, total=total),
            )
    except LogError as error:
        fail(str(error))
    if as_json:
        print(msgspec.json.encode(seen).decode())
    elif seen is None:
        tell(f"nothing is archived in {place.where} yet")
    else:
        _say(found, seen, quick)
    raise typer.Exit(1 if seen is not None and seen.faults else 0)


def _say(found: Settings, seen: Survey, quick: bool) -> None:
    for fault in seen.faults[:50]:
        wrong(f"{fault.name}: {fault.said}")
    if len(seen.faults) > 50:
        aside(f"… and {len(seen.faults) - 50} more; --json names them all")
    if seen.lost:
        warn(f"{seen.lost} observations were gone from the log before they were archived")
    if not seen.faults:
        how = said("the indexes follow each other" if quick else "all are as they were written")
        until = local(seen.until, _zone(found))
        mb = f"{seen.bytes / 1e6:.1f}"
        done(f"{seen.segments} segments, {seen.observations} observations, {mb} MB, to {until}: {how}")


@app.command("prune")
def cut(
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, what would go is only printed.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove what the policy no longer keeps: FORESHOCK_ARCHIVE_DAYS, FORESHOCK_ARCHIVE_GIGABYTES. A run does it daily.

    Always from the oldest on, so that what stays is one chain; it begins with a state of the engine, so that all of it
    can be replayed: a day more may stay for that.

    foreshock archive prune --yes
    """
    found, place = _configured(data=data)
    try:
        opened = chains(place)
        going = cuts(opened, *limits(found, time.time()))
        size = 0
        if yes:
            size = prune(opened, *limits(found, time.time()))
            housekeeping.note(found, who(), "archive.pruned", place.where, bytes=size)
    except LogError as error:
        fail(str(error))
    count = sum(going.values())
    if as_json:
        print(msgspec.json.encode({"done": yes, "segments": going, "bytes": size}).decode())
    elif yes:
        done(f"{count} segments removed, {size / 1e6:.1f} MB")
    else:
        tell(f"{count} segments would go" + ("; `foreshock archive prune --yes` removes them" if count else ""))


@app.command("take")
def take(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Archive all that the log has now, without waiting for the hour to end; beside a run, or of a log at rest.

    foreshock archive take
    """
    found, place = _configured(data=data)
    taken: dict[str, int] = defaultdict(int)

    def told(link: Link) -> None:
        taken["segments"] += 1
        taken["observations"] += link.head.observations
        taken["bytes"] += link.bytes
        witness.note(found.data_folder, place.where, {link.head.partition: link})

    try:
        archiver = Archiver(Store(place), found.archive_minutes * 60, found.log_folder / FOLDER)
        with logs.reader(found.log) as log:
            archive_all(archiver, log, time.time(), told)
    except (LogError, OSError) as error:  # the second: the data folder takes no note of it
        fail(str(error))
    if as_json:
        print(msgspec.json.encode(taken).decode())
        return
    done(f"{taken['observations']} observations archived, {taken['segments']} segments, {taken['bytes'] / 1e6:.1f} MB")


def _configured(**overrides: object) -> tuple[Settings, Place]:
    found = configured(**overrides)
    if found.archive_place is None:
        fail("no archive is kept: set FORESHOCK_ARCHIVE to a folder, or to s3://BUCKET/PREFIX")
    return found, found.archive_place


def _zone(found: Settings) -> str:
    try:
        return bundle.unpack(publication.read(found.data_folder)).site.zone
    except (OSError, ValueError):
        return "UTC"
