"""`foreshock evaluate counts`: how the count model does on recorded events, and on surges that are put on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer

from models.evaluation import tally
from models.evaluation.folder import FolderError
from models.evaluation.plot import Panel
from scripts.commands.evaluating import (
    PlotOption,
    bar,
    draw,
    print_json,
    ratio_words,
    require_page,
    say_drawn,
    spoken,
    table,
)
from scripts.commands.speaking import sentence
from scripts.commands.terminal import JsonOption, fail, out, plain
from scripts.commands.words import LocaleOption, Words
from sensors import duration


def counts(
    source: Annotated[
        Path, typer.Argument(help="A CSV file with a row for each event and a column of times, or a folder of them.")
    ],
    json_: JsonOption = False,
    window: Annotated[str, typer.Option(help="Length of the windows in which events are counted.")] = "15 min",
    times: Annotated[
        float, typer.Option(min=1.1, max=100.0, help="How many times what is expected a surge brings that is put on.")
    ] = 3.0,
    each: Annotated[int, typer.Option(min=0, max=200, help="Surges put on each stream; 0 for none.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Where surges are put, and their chance; the same the same.")] = 1,
    level: Annotated[
        float, typer.Option(min=0.9, max=0.99999, help="Score from which a window is an alarm, as the rule asks for.")
    ] = tally.ALARM,
    plot: PlotOption = None,
    language: LocaleOption = None,
) -> None:
    """Hold the scores of counts of events against what they name, and find surges that are put on quiet stretches.

    Columns `area`, `camera`, `zone`, `place` and `kind` tell streams apart, `count` says how many a row stands for, and
    windows.json names what did happen (file → [[begin, end], …]). Of each stream: how often 0.99 and the level of an
    alarm came over how often they should, false alarms a week (windows that follow each other are one), what was found
    of what happened, and of surges of three hours how many were found, after how long.

    foreshock evaluate counts events.csv --window '15 min' --plot counts.html
    """
    words = spoken(language)
    require_page(plot, words)
    try:
        seconds = duration.seconds(window)
    except ValueError as error:
        fail(sentence(error, words))
    if not 60.0 <= seconds <= 7 * 86400.0:
        fail(words("no_window", window=window))
    if not source.exists():
        fail(words("no_source", source=source))
    try:
        streams = tally.read(source, seconds)
    except FolderError as error:
        fail(sentence(error, words))
    told: list[tally.Told] = []
    panels: list[Panel] = []
    total = sum(len(one.counts) for one in streams) * (2 if each else 1)
    with bar(words("scoring")) as progress:
        done = 0
        for stream in streams:
            judged = tally.judge(stream, seconds, partial(_further, progress, done, total))
            done += len(stream.counts)
            surges: list[tally.Surge] = []
            if each:
                further = partial(_further, progress, done, total)
                surges = tally.put_on(stream, seconds, times, each, seed, further, level)
                done += len(stream.counts)
            told.append(tally.told(stream, judged, seconds, surges, level))
            panels += list(tally.panels(stream, judged, seconds, surges, level)) if plot is not None else []
    weeks = sum(one.weeks for one in told)
    per_week = sum(one.false for one in told) / weeks if weeks > 0.0 else 0.0
    tried, hit = sum(one.put_on for one in told), sum(one.put_on_found for one in told)
    note = words("counts_words", rate=per_week, tried=tried, hit=hit)
    draw(plot, panels, words("counts_title"), note, words)
    if json_:
        answer = {
            "window": seconds,
            "times": times,
            "level": level,
            "false_per_week": per_week,
            "put_on": tried,
            "put_on_found": hit,
        }
        print_json({**answer, "streams": [msgspec.structs.asdict(one) for one in told]})
        return
    _show(told, level, words)
    out.print(note)
    say_drawn(plot, words)


def _further(progress: Callable[[int, int], None], done: int, total: int, at: int) -> None:
    progress(done + at, total)


def _show(told: list[tally.Told], level: float, words: Words) -> None:
    shown = table(
        *map(words, ("stream", "windows", "a_window")),
        f"{tally.OFTEN:g}",
        f"{level:g}",
        *map(words, ("false_a_week", "happened", "surges", "after")),
    )
    for one in told:
        judged = one.windows > 0
        shown.add_row(
            plain(one.stream),
            str(one.windows),
            f"{one.per_window:.2f}",
            ratio_words(one.often) if judged else words("learning"),
            ratio_words(one.seldom) if judged and not np.isclose(one.per_window, 0.0) else "–",
            f"{one.false / one.weeks:.2f}" if judged else "–",
            words("of", count=one.found, of=one.happened) if one.happened else "–",
            words("of", count=one.put_on_found, of=one.put_on) if one.put_on else "–",
            "–" if one.median_after is None else words("minutes", minutes=one.median_after / 60.0),
        )
    out.print(shown)
