"""The part of `foreshock score` that scores several columns together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from scripts.commands.terminal import done, err, fail
from scripts.recording import BadRow, ScoreError
from scripts.score_area import score_area


def together(file: Path, time: str, values: list[str], train_rows: int, out_file: Path, zone: str) -> None:
    """Score columns together and say what came of it; end the command with a sentence where that cannot be."""
    if len(set(values)) < len(values):
        fail("a column was named twice: name each --value once")
    if not train_rows:
        fail("several columns are scored together by a model of the first rows: say how many with --train-rows")
    bars = (TextColumn("scoring"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*bars, console=err, transient=True) as progress:
        task = progress.add_task("score", total=file.stat().st_size)
        try:
            found = score_area(
                file, time, values, out_file, train_rows=train_rows, zone=zone,
                progress=lambda read, _: progress.update(task, completed=read),
            )  # fmt: skip
        except ScoreError as error:
            fail(str(error))
    done(
        f"{found.rows} rows, {found.trained} learnt from ({found.kind}, smoothed over {found.span}), "
        f"{found.anomalous} anomalous in {found.events} events, written to {out_file}"
    )
    if found.partial:
        err.print(f"{found.partial} rows were judged without a column that had no value for long")
    say_late(found.late, "judged")
    say_wild(found.wild)
    say_unused(file, found.problems, found.bad, "rows or values")


def say_unused(file: Path, first: Sequence[BadRow], count: int, what: str = "rows") -> None:
    """Say what of a file could not be used: the first ten with their line, and how many."""
    for problem in first[:10]:
        err.print(f"{file}:{problem.line}: {problem.message}", markup=False)
    if count:
        err.print(f"{count} {what} could not be used")


def say_wild(count: int) -> None:
    """Say how many values of the rows to learn from were no measurements."""
    if count:
        err.print(f"{count} values of the rows learnt from are too far off to be measurements and were left out")


def say_late(count: int, how: str) -> None:
    """Say how many rows were left as they were, since they were not later than the one before."""
    if count:
        err.print(f"{count} rows were not later than the one before, and were not {how}: is the file in order of time,")
        err.print("and if a day and its time are two columns, are both named, as in --time date+time?")
