"""`foreshock journal`: bring the journal up to date, keep it to the site's policy, make it anew from the log."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy.exc import DatabaseError

from alerts import layout, retention
from alerts.journal import Journal
from alerts.policy import Policy
from alerts.queries import JournalMissing, Reader
from alerts.stamp import JournalNewer
from scripts.commands.spoken import said
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    configured,
    done,
    err,
    fail,
    out,
    plain,
    require_journal,
    require_run,
    who,
)
from streams import housekeeping, publication, rebuilding, supervisor
from streams.embedded.schema import LogError
from streams.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="The journal: bring it up to date, keep it to the policy, make it anew from the log.",
)

ApplyOption = Annotated[bool, typer.Option("--apply", help="Do it; without, only say what would be done.")]
DaysOption = Annotated[
    float | None, typer.Option(min=1, help="Days to keep; if not given, what the settings say.", show_default=False)
]


@app.command("migrate")
def migrate(apply: ApplyOption = False, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Say which steps bring an older journal to the layout of this version, having tried them; take them on `--apply`.

    A start of Foreshock takes them by itself. To try them takes as long as to take them, and changes nothing.

    foreshock journal migrate

    foreshock journal migrate --apply
    """
    with _journal(data) as found:
        steps = layout.bring_up(found.journal_url, quietly=True) if apply else layout.rehearse(found.journal_url)
    if as_json:
        print(msgspec.json.encode({"steps": steps, "applied": apply}).decode())
        return
    for step in steps:
        out.print(plain(f"{step.revision}  {step.says}"))
    if not steps:
        done("the journal is up to date")
    elif apply:
        done(f"{len(steps)} step(s) were taken")
    else:
        done(f"{len(steps)} step(s) would be taken, and succeed; take them with --apply")


@app.command("prune")
def prune(
    days: DaysOption = None, apply: ApplyOption = False, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Remove cases that are over for longer than the policy keeps them, with all that belongs to them.

    FORESHOCK_JOURNAL_DAYS is the policy; a running Foreshock keeps to it by itself. The audit notes what was removed.

    foreshock journal prune

    foreshock journal prune --days 365 --apply
    """
    with _journal(data) as found:
        policy = Policy(cases=found.journal_days if days is None else days)
        if not policy.cases:
            fail("cases are kept for good; say --days, or set FORESHOCK_JOURNAL_DAYS")
        kept = _keep(found, policy, apply, "cases")
    if as_json:
        print(msgspec.json.encode({"cases": kept.cases, "applied": apply}).decode())
    else:
        would = f"{kept.cases} case(s) would be removed; do it with --apply"
        done(f"{kept.cases} case(s) were removed" if apply else would)


@app.command("redact")
def redact(
    days: DaysOption = None, apply: ApplyOption = False, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Take names of persons, and what they wrote, out of cases that are over for longer than the policy allows.

    What happened, when, where and the verdict stay. FORESHOCK_PERSONAL_DAYS is the policy; a running Foreshock keeps to
    it by itself. The audit notes that it was done, and is itself not redacted. It cannot be taken back.

    foreshock journal redact

    foreshock journal redact --days 90 --apply
    """
    with _journal(data) as found:
        policy = Policy(personal=found.personal_days if days is None else days)
        if not policy.personal:
            fail("personal fields are kept; say --days, or set FORESHOCK_PERSONAL_DAYS")
        kept = _keep(found, policy, apply, "rows")
    if as_json:
        print(msgspec.json.encode({"redacted": kept.redacted, "applied": apply}).decode())
    else:
        would = f"{kept.redacted} incident(s) would be redacted, with all of theirs; do it with --apply"
        done(f"{kept.redacted} row(s) were redacted" if apply else would)


@app.command("rebuild")
def rebuild(
    drop_older: Annotated[
        bool, typer.Option("--drop-older", help="Also when the log no longer holds all that the journal has.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the journal anew from the log, and keep the one there was as journal.sqlite.before.

    For a journal that is damaged, or that `foreshock replay` finds to differ from the log. Stop Foreshock first. The
    policy is kept to: what was redacted or removed does not come back.

    foreshock journal rebuild
    """
    found = configured(data=data)
    require_run(found.data_folder / publication.FILE if found.kafka else found.log_file)
    if (process := supervisor.holder(found.data_folder)) is not None:
        fail(f"process {process} runs on {found.data_folder}; stop it first")
    try:
        with _bar("records", quiet=as_json) as told:
            made = rebuilding.rebuild(found, time.time(), actor=who(), drop=drop_older, told=told)
    except rebuilding.WouldLose as error:
        fail(f"{error}; they would be gone: to do it all the same, say --drop-older")
    except (OSError, LogError, DatabaseError) as error:
        fail(f"the journal cannot be rebuilt: {error}; `foreshock doctor` may say more")
    if as_json:
        print(msgspec.json.encode(made).decode())
        return
    if made.before:
        damaged = "" if made.lost is not None else said(", which is damaged")
        out.print(plain(said(f"the one before is {made.before}") + damaged))
    done(f"{made.changes} changes of {made.records} records of the log are in the journal")


@contextlib.contextmanager
def _journal(data: object) -> Iterator[Settings]:
    """Give the settings of a data folder with a journal; end with a sentence when that cannot be used."""
    found = configured(data=data)
    require_journal(found)
    try:
        yield found
    except (JournalNewer, JournalMissing) as error:
        fail(str(error))
    except DatabaseError as error:
        fail(f"cannot use the journal: {error.orig}; `foreshock doctor` may say more")


def _keep(found: Settings, policy: Policy, apply: bool, unit: str) -> retention.Kept:
    if not apply:
        with contextlib.closing(Reader(found.journal_url)) as reader:
            return retention.look(reader.engine, policy, time.time())
    with contextlib.closing(Journal(found.journal_url)) as journal, _bar(unit) as told:
        return housekeeping.keep_to_policy(
            found, journal.engine, time.time(), policy=policy, actor=who(), told=lambda _, count: told(count, 0)
        )


@contextlib.contextmanager
def _bar(unit: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn(said(unit)), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet) as progress:
        task = progress.add_task(unit, total=None)
        yield lambda count, total: progress.update(task, completed=count, total=total or None)
