"""`foreshock migrate`: a site from the embedded set-up to the distributed one, and back."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from scripts.commands.migrate_words import WORDS
from scripts.commands.terminal import JsonOption, done, err, fail, out, plain, warn, who
from scripts.commands.words import LanguageOption, Words
from streams.settings import SettingsError

_From = Annotated[
    Path | None,
    typer.Option(
        "--from", help="A data folder, or a file of settings.", show_default="the settings of the environment"
    ),
]
_To = Annotated[Path, typer.Option("--to", help="A file of settings (NAME=VALUE a line), or a data folder.")]


def migrate(
    to: _To,
    source: _From = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Copy while it runs; without, what would be done is printed.")
    ] = False,
    switch: Annotated[
        bool, typer.Option("--switch", help="Copy, stop what runs on the source, copy the rest, and hand over.")
    ] = False,
    give_up: Annotated[
        bool, typer.Option("--give-up", help="Let the source be run on again after a hand-over that did not end.")
    ] = False,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move a site between a log in a file and one in Kafka, with journal, accounts, files and history, and compare all.

    Says what it would do, unless --yes: that copies while the site runs, and may be called again and again.
    --switch stops the site, copies the rest and hands over at one offset; then start `foreshock run` with the new
    settings. Cut off anywhere, it goes on where it was when it is called again.

    foreshock migrate --from /var/lib/foreshock --to cluster.env

    foreshock migrate --from cluster.env --to /srv/foreshock --switch

    Exit code 0 when it is done, 1 when it cannot be, 2 when something is left to be done.
    """
    from sqlalchemy.exc import SQLAlchemyError  # here, and below: help need not wait for all that is moved

    from streams.embedded.schema import LogError
    from streams.migration import ends
    from streams.migration.moving import Move
    from streams.migration.report import MigrationError
    from streams.supervisor import StartError

    word = Words(language or "en", "UTC", WORDS)
    try:
        before, after = ends.read(source), ends.read(to)
        if language is None and (site := ends.site_of(before.data_folder)) is not None:
            word = Words(site.language, site.zone, WORDS)
        chosen = "FORESHOCK_SITE" in os.environ or ends.names_site(to)
        with _bars(word, quiet=as_json or not (yes or switch)) as told:
            move = Move(before, after, chosen=chosen, told=told, actor=who())
            if give_up:
                given = move.give_up()
                told("", 0, None)
                done(word("given_up" if given else "not_marked", source=ends.named(before)))
                return
            plan = move.plan()
            made = move.run(switch=switch) if yes or switch else None
    except (MigrationError, LogError, SettingsError, StartError) as error:
        fail(error.said(word.language) if isinstance(error, MigrationError) else str(error))
    except SQLAlchemyError as error:
        fail(word("database", said=str(getattr(error, "orig", None) or error).splitlines()[0][:300]))
    except OSError as error:
        fail(f"{error.filename or to}: {error.strerror or error}")
    if as_json:
        print(msgspec.json.encode({"plan": plan, "done": made is not None, "report": made}).decode())
    elif made is None:
        out.print(plain(word("site", site=plan.site, source=plan.source, target=plan.target)))
        for part in plan.parts:
            said = word(part.kind, name=part.name, records=part.records, megabytes=part.bytes / 1e6)
            out.print(f"  {plain(said)}")
        out.print(plain(word("runs" if plan.runs else "rest", runs=plan.runs)))
        for note in plan.notes:
            warn(word(note))
        out.print(plain(word("ahead" if yes else "todo")))
    else:
        for one in made.topics:
            name = f"{one.topic}:{one.partition}"
            out.print(plain(word("same", name=name, records=one.records, hash=one.target[:16])))
        for table in made.tables:
            name = f"{table.store}.{table.name}"
            out.print(plain(word("same", name=name, records=table.rows, hash=table.target[:16])))
        if made.files is not None:
            files = made.files
            out.print(plain(word("same", name="files", records=files.count, hash=files.target[:16])))
        for tier in made.history:
            name = f"history.{tier.tier}"
            out.print(plain(word("same", name=name, records=tier.rows, hash=tier.target[:16])))
        for place, offset in made.offsets.items():
            out.print(plain(word("offset", name=place, offset=offset)))
        out.print(plain(word("report", file=after.data_folder / "migrations")))
        done(word("moved", site=made.site, target=made.target, seconds=made.stopped_seconds))
    raise typer.Exit(0 if made is not None else 2)


class _Bars:
    """A bar for each thing at hand."""

    def __init__(self, progress: Progress, word: Words) -> None:
        self._progress, self._word = progress, word
        self._tasks: dict[str, int] = {}

    def __call__(self, what: str, count: int, total: int | None) -> None:
        """Move what is at hand on by a count."""
        if not what:
            return
        if what not in self._tasks:
            kind, _, name = what.partition(" ")
            shown = self._word(kind, name=name) if kind in ("verify", "stop", "handed") else what
            self._tasks[what] = self._progress.add_task(plain(shown), total=total)
        elif total is not None:
            done_before = self._progress.tasks[self._tasks[what]].completed
            self._progress.update(self._tasks[what], total=done_before + total)  # type: ignore[arg-type]
        self._progress.update(self._tasks[what], advance=count)  # type: ignore[arg-type]


@contextlib.contextmanager
def _bars(word: Words, *, quiet: bool) -> Iterator[_Bars]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet) as progress:
        yield _Bars(progress, word)
