"""`foreshock score`: score a recorded series reading by reading, as the live engine would."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from scripts.commands.terminal import done, err, fail
from scripts.score import ScoreError, score_file


def score(
    file: Annotated[Path, typer.Argument(help="CSV file with a header line.")],
    time: Annotated[str, typer.Option(help="Column of times: ISO 8601, or unix seconds or milliseconds.")],
    value: Annotated[list[str], typer.Option(help="Column of values; several with --train-rows are scored together.")],
    out_file: Annotated[Path, typer.Option("--out", help="Where to write time, value, score, alarm.")] = Path(
        "scores.csv"
    ),
    zone: Annotated[str, typer.Option(help="Zone of times that name none.")] = "UTC",
    train_rows: Annotated[
        int, typer.Option(min=0, help="Rows to learn how the columns go together from, before scoring begins.")
    ] = 0,
) -> None:
    """Score any series: how surprising each reading was when it came, and where an early alarm would have been.

    Writes the columns time, value, score, alarm. Nothing looks ahead: a row's score depends on the rows above it only.
    Rows that cannot be read are counted and named.

    foreshock score river.csv --time datetime --value level --out scores.csv --zone Asia/Shanghai

    Several columns are scored together by a model of the first rows: a row's score is how unlike those it is in all,
    alarm is 1 for every row judged anomalous, and top names the column that contributes most.

    foreshock score pump.csv --time t --value pressure --value current --value flow --train-rows 400
    """
    if not file.is_file():
        fail(f"there is no file {file}")
    if train_rows or len(value) > 1:
        from scripts.commands.score_area import together

        together(file, time, value, train_rows, out_file, zone)
        return
    with Progress(
        TextColumn("scoring"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=err, transient=True
    ) as progress:
        task = progress.add_task("score", total=file.stat().st_size)
        try:
            found = score_file(
                file,
                time,
                value[0],
                out_file,
                zone=zone,
                progress=lambda read, _: progress.update(task, completed=read),
            )
        except ScoreError as error:
            fail(str(error))
    done(f"{found.scored} readings scored, {found.alarms} alarms, written to {out_file}")
    for problem in found.problems[:10]:
        err.print(f"{file}:{problem.line}: {problem.message}", markup=False)
    if found.bad:
        err.print(f"{found.bad} rows could not be used")
