"""What the commands of `foreshock evaluate` share: progress, tables, ratios, JSON, and the page of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from models.evaluation.plot import Panel, pages
from scripts.commands import error_words
from scripts.commands.evaluate_words import WORDS
from scripts.commands.picture_words import in_language
from scripts.commands.terminal import done, err, fail
from scripts.commands.words import Language, Words, of_locale

PlotOption = Annotated[
    Path | None, typer.Option("--plot", help="Draw every miss and every false alarm into this HTML file.")
]


def spoken(language: Language | None) -> Words:
    """Speak a language, that of the terminal's locale where none is asked for."""
    return Words(language or of_locale(), "UTC", WORDS)


def require_page(plot: Path | None, words: Words) -> None:
    """End the command with a sentence when pictures cannot be written under this name."""
    if plot is not None and plot.suffix.lower() not in (".html", ".htm"):
        fail(words("no_html", file=plot))
    require_place(plot, words)


def require_place(plot: Path | None, words: Words) -> None:
    """End the command with a sentence when there is no folder for the pictures: before the scoring, not after."""
    if plot is not None and not plot.parent.is_dir():
        fail(words("no_place", file=plot, folder=plot.parent))


def draw(plot: Path | None, panels: Iterable[Panel], title: str, note: str, words: Words) -> None:
    """Draw panels into one page, where one is asked for."""
    if plot is not None:
        try:
            pages(plot, in_language(panels, words.language), title, note, words.language)
        except OSError as error:
            fail(words("cannot_write", file=plot, error=error_words.said(str(error.strerror), words.language)))


def say_drawn(plot: Path | None, words: Words) -> None:
    """Say where pictures were drawn."""
    if plot is not None:
        done(words("drawn", file=plot))


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress, and give what moves it: done, in all."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def table(*headings: str, left: Sequence[str] = ()) -> Table:
    """Make a table with its numbers to the right; the first column, and those `left`, are words."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for place, heading in enumerate(headings):
        made.add_column(heading, justify="left" if place == 0 or heading in left else "right")
    return made


def ratio_words(ratio: float) -> str:
    """Write a ratio of observed over nominal; what is not fair stands out."""
    return f"{ratio:.2f}" if 0.5 <= ratio <= 2.0 else f"[yellow]{ratio:.2f}[/yellow]"


def print_json(answer: dict[str, object]) -> None:
    """Print an answer as JSON."""
    print(msgspec.json.format(msgspec.json.encode(answer)).decode())
