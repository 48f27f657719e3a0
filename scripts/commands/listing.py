"""How commands list what they found: as a table with whole ids, as JSON for programs, or a sentence for nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from rich.table import Table

from scripts.commands.terminal import LEVEL_STYLE, out, plain
from scripts.commands.words import Words

Row = dict[str, Any]

SIMULATED = "模拟 SIM"
"""The mark of what comes of simulated readings, as on the console."""


def listing(
    rows: Sequence[Row],
    columns: Sequence[str],
    cells: Callable[[Row], Sequence[object]],
    nothing: str,
    as_json: bool,
    words: Words,
) -> None:
    """Print rows; `cells` gives those of a row, in the order of `columns`. A column `id` is never cut, to be copied.

    Columns are headed by what `words` say of `column_…`, and levels have their names.
    """
    if as_json:
        print(msgspec.json.encode(rows).decode())
        return
    table = Table()
    for column in columns:
        table.add_column(words(f"column_{column}"), no_wrap=column == "id")
    for row in rows:
        found = zip(columns, cells(row), strict=True)
        table.add_row(*(_level(str(cell), words) if column == "level" else plain(cell) for column, cell in found))
    out.print(table if rows else nothing)


def left(until: float) -> str:
    """Write the time that is left until a moment: hours, minutes, seconds."""
    minutes, seconds = divmod(max(0, round(until - time.time())), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def mark(row: Row) -> str:
    """Mark what is simulated."""
    return SIMULATED if row["simulated"] else ""


def titled(row: Row, words: Words) -> str:
    """Give a row's title in the language that is spoken."""
    return str(row["title"].get("en" if words.language == "en" else "zh", ""))


def _level(level: str, words: Words) -> str:
    return f"[{LEVEL_STYLE[level]}] {words(level)} [/]"
