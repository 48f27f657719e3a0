"""The part of `foreshock score` that scores several columns together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from scripts.commands import error_words
from scripts.commands.model_names import MODELS, called
from scripts.commands.speaking import sentence
from scripts.commands.terminal import done, err, fail, plain
from scripts.commands.words import Words
from scripts.recording import BadRow, ScoreError
from scripts.score_area import score_area


def together(
    file: Path, time: str, values: list[str], train_rows: int, out_file: Path, zone: str, words: Words
) -> None:
    """Score columns together and say what came of it; end the command with a sentence where that cannot be."""
    if len(set(values)) < len(values):
        fail(words("twice"))
    if not train_rows:
        fail(words("train_rows"))
    bars = (TextColumn(words("scoring")), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*bars, console=err, transient=True) as progress:
        task = progress.add_task("score", total=file.stat().st_size)
        try:
            found = score_area(
                file, time, values, out_file, train_rows=train_rows, zone=zone,
                progress=lambda read, _: progress.update(task, completed=read),
            )  # fmt: skip
        except ScoreError as error:
            fail(sentence(error, words))
    counts = {name: getattr(found, name) for name in ("rows", "trained", "span", "anomalous", "events")}
    done(words("judged", **counts, kind=called(found.kind, words.language, MODELS), file=out_file))
    if found.partial:
        err.print(words("partial", count=found.partial))
    say_late(found.late, "late_judged", words)
    say_wild(found.wild, words)
    say_unused(file, found.problems, found.bad, words, "unused_values")


def say_unused(file: Path, first: Sequence[BadRow], count: int, words: Words, key: str) -> None:
    """Say what of a file could not be used: the first ten with their line, and how many."""
    for problem in first[:10]:
        err.print(plain(f"{file}:{problem.line}: {error_words.said(problem.message, words.language)}"))
    if count:
        err.print(words(key, count=count))


def say_wild(count: int, words: Words) -> None:
    """Say how many values of the rows to learn from were no measurements."""
    if count:
        err.print(words("wild", count=count))


def say_late(count: int, key: str, words: Words) -> None:
    """Say how many rows were left as they were, since they were not later than the one before."""
    if count:
        err.print(words(key, count=count))
