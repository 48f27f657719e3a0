"""What all commands share at the terminal: consoles, failing with a sentence, options that repeat."""

from __future__ import annotations

import getpass
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape

from scripts.commands.spoken import said, speak_as_on
from scripts.commands.words import Words, of_locale
from sensors.site import Site
from streams import settings
from streams.settings import Settings, SettingsError

WIDE = 240
"""Columns of a table that goes to a file or another program, where nothing is to be cut."""

out = Console(highlight=False, soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True)

SiteOption = Annotated[
    Path | None, typer.Option("--site", help="Folder of the site.", show_default="examples/district")
]
DataOption = Annotated[Path | None, typer.Option("--data", help="Folder of this run's data.", show_default="./data")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

LEVEL_STYLE = {
    "red": "bold white on red",
    "orange": "bold black on orange1",
    "yellow": "black on yellow",
    "blue": "white on blue",
}


def who() -> str:
    """Name whoever sits at the terminal, as the log, the journal and the audit do."""
    return f"user:{getpass.getuser()}@terminal"


def plain(text: object) -> str:
    """Make text from outside safe to print: its brackets are no markup, its control characters are shown."""
    shown = (one if one.isprintable() or one == "\n" else f"\\x{ord(one):02x}" for one in str(text))
    return escape("".join(shown))


def fail(sentence: str, code: int = 1) -> NoReturn:
    """End the command with a sentence (plain text) on standard error and an exit code.

    This and what follows says an English sentence in the language that is spoken.
    """
    wrong(sentence)
    raise typer.Exit(code)


def wrong(sentence: str) -> None:
    """Print a sentence (plain text) on standard error with a cross before it."""
    err.print(f"[red]✗[/red] {plain(said(sentence))}")


def warn(sentence: str) -> None:
    """Print a sentence (plain text) on standard error with an exclamation mark before it."""
    err.print(f"[yellow]![/yellow] {plain(said(sentence))}")


def done(sentence: str) -> None:
    """Print a sentence (plain text) with a tick before it."""
    out.print(f"[green]✓[/green] {plain(said(sentence))}")


def tell(sentence: str, before: str = "") -> None:
    """Print a sentence (plain text); what stands `before` it is markup."""
    out.print(f"{before}{plain(said(sentence))}")


def aside(sentence: str) -> None:
    """Print a sentence (plain text) on standard error, beside what is asked for."""
    err.print(plain(said(sentence)))


def configured(**overrides: Any) -> Settings:
    """Read the settings; end the command with a sentence when one cannot be used. Paths may be given as such."""
    try:
        found = settings.load(None, **{name: str(v) if isinstance(v, Path) else v for name, v in overrides.items()})
    except SettingsError as error:
        from scripts.commands import error_words  # here: only what is wrong has to be said

        fail(error_words.said(str(error), of_locale()))
    speak_as_on(found.data_folder)
    return found


def require_run(file: Path, code: int = 1) -> None:
    """End the command with a sentence unless a run left this file in its data folder."""
    if not file.exists():
        fail(Words(of_locale(), "UTC")("nothing_ran", folder=file.parent), code)


def require_journal(found: Settings) -> None:
    """End the command with a sentence unless a run made a journal, or it is in a database elsewhere."""
    if found.journal_file is not None:
        require_run(found.journal_file)


def site_in_force(found: Settings) -> Site:
    """Read the site that runs, or ran last, on the data folder; end the command with a sentence when there is none."""
    from streams import bundle, publication  # here: most commands, and all help, need neither

    folder = found.data_folder
    require_run(folder / publication.FILE, 3)
    try:
        return bundle.unpack(publication.read(folder)).site
    except (OSError, ValueError) as error:
        fail(Words(of_locale(), "UTC")("unreadable", folder=folder, error=error))


def local(time: float | None, zone: str) -> str:
    """Write a unix time in the site's zone."""
    return "" if time is None else datetime.fromtimestamp(time, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
