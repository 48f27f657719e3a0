"""What all commands share at the terminal: consoles, failing with a sentence, options that repeat."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

out = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
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


def fail(sentence: str, code: int = 1) -> NoReturn:
    """End the command with a sentence on standard error and an exit code."""
    err.print(f"[red]✗[/red] {sentence}", markup=True)
    raise typer.Exit(code)


def local(time: float | None, zone: str) -> str:
    """Write a unix time in the site's zone."""
    return "" if time is None else datetime.fromtimestamp(time, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
