"""`foreshock evaluate nab | budget | injected`: what the models of single points find on recorded series."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from models.evaluation import benchmark, injection, pictures
from models.evaluation.folder import FolderError
from models.evaluation.nab import Series
from models.evaluation.run import run_bank
from scripts.commands.evaluating import PlotOption, spoken
from scripts.commands.evaluating import bar as _bar
from scripts.commands.evaluating import draw as _draw
from scripts.commands.evaluating import print_json as _print_json
from scripts.commands.evaluating import ratio_words as _ratio
from scripts.commands.evaluating import require_page as _require_page
from scripts.commands.evaluating import say_drawn as _say_drawn
from scripts.commands.evaluating import table as _table
from scripts.commands.model_names import called
from scripts.commands.speaking import sentence
from scripts.commands.terminal import JsonOption, fail, out, plain
from scripts.commands.words import LocaleOption, Words
from scripts.recorded_folder import read_folder

FolderArgument = Annotated[
    Path,
    typer.Argument(
        help="A folder of series: as NAB's, with windows.json, or files that foreshock score reads (.csv, .tsv, .txt)."
    ),
]
ZoneOption = Annotated[str, typer.Option(help="Zone of times that name none.")]


def nab(
    folder: FolderArgument, json_: JsonOption = False, plot: PlotOption = None, language: LocaleOption = None
) -> None:
    """Score the models on the Numenta Anomaly Benchmark with its official arithmetic.

    One set of parameters for all series, nothing looks ahead. The threshold of `score` is the best one for all series
    together; `held out` is what each half of the series scores with the threshold of the other. 0 is a detector that
    says nothing, 100 a perfect one.

    foreshock evaluate nab ../shared/data/nab --plot nab.html
    """
    words = spoken(language)
    _require_page(plot, words)
    series = _read(folder, "UTC", words)
    if not any(one.windows for one in series):
        fail(words("no_windows", folder=folder))
    with _bar(words("scoring")) as progress:
        scores, alarms = run_bank(series, progress=progress)
    told = benchmark.profiles(series, scores)
    load = benchmark.load(benchmark.rates(series, scores, alarms))
    standard = told[0]
    note = words("nab_words", **{name: getattr(standard, name) for name in ("score", "hits", "windows", "false")})
    _draw(plot, pictures.nab_panels(series, scores, standard.threshold), f"NAB, {standard.profile}", note, words)
    if json_:
        _print_json(
            {
                "series": len(series),
                "profiles": [msgspec.structs.asdict(one) for one in told],
                "alarms_per_day": load.alarms_per_day,
            }
        )
        return
    table = _table(*map(words, ("profile", "score", "threshold", "found", "false", "held_out")))
    for one in told:
        held = " / ".join(f"{score:.1f}" for score in one.held_out)
        found = words("of", count=one.hits, of=one.windows)
        table.add_row(one.profile, f"{one.score:.1f}", f"{one.threshold:.5f}", found, str(one.false), held)
    out.print(table)
    out.print(words("nab_load", series=len(series), rate=load.alarms_per_day))
    _say_drawn(plot, words)


def budget(
    folder: FolderArgument,
    json_: JsonOption = False,
    zone: ZoneOption = "UTC",
    plot: PlotOption = None,
    language: LocaleOption = None,
) -> None:
    """Hold scores and alarms of quiet series against what they name.

    `0.99` and `0.999` are how many readings scored as high, over how many should: 1 is right, half to twice is asked
    for on nine series of ten. Readings in a labelled window are left out, and so is a series that never moves.

    foreshock evaluate budget ../shared/data/nab --plot budget.html
    """
    words = spoken(language)
    _require_page(plot, words)
    series = _read(folder, zone, words)
    with _bar(words("scoring")) as progress:
        scores, alarms = run_bank(series, progress=progress)
    told = benchmark.rates(series, scores, alarms)
    load = benchmark.load(told)
    note = words("budget_words", rate=load.alarms_per_day)
    _draw(plot, pictures.budget_panels(series, scores, alarms, told), words("budget_title"), note, words)
    if json_:
        _print_json({"rates": [msgspec.structs.asdict(one) for one in told], **msgspec.structs.asdict(load)})
        return
    table = _table(*map(words, ("series", "readings", "days")), "0.99", "0.999", words("alarms"))
    for one in told:
        ratios = [_ratio(ratio) if one.varies else "–" for ratio in (one.often, one.seldom)]
        table.add_row(plain(one.series), str(one.readings), _days(one.days), *ratios, str(one.alarms))
    out.print(table)
    shares = words("joined").join(words("at_level", share=share, level=level) for level, share in load.within.items())
    out.print(words("within", shares=shares, series=load.series))
    out.print(words("budget_load", rate=load.alarms_per_day))
    _say_drawn(plot, words)


def injected(
    folder: FolderArgument,
    json_: JsonOption = False,
    seed: Annotated[int, typer.Option(help="Where the faults are put, and their chance; the same gives the same.")] = 1,
    each: Annotated[int, typer.Option(min=1, max=50, help="Stretches of each series.")] = 2,
    size: Annotated[
        float, typer.Option(min=0.01, max=100.0, help="How large faults are, in ranges of what came before.")
    ] = injection.SIZE,
    zone: ZoneOption = "UTC",
    plot: PlotOption = None,
    language: LocaleOption = None,
) -> None:
    """Put faults on quiet stretches of real series: which are found, and called by their names.

    Ramp, freeze, dropout, level shift and growing noise, each for 200 readings after up to 3,000 as they were. A level
    shifts by `--size` ranges of those, a ramp reaches 1.5 times as far, noise grows to that standard deviation. `as it
    was` is the same stretch without a fault: what is found there is false.

    foreshock evaluate injected ../shared/data/nab --plot injected.html
    """
    words = spoken(language)
    _require_page(plot, words)
    stretches = list(injection.stretches(_read(folder, zone, words), seed, each, size))
    if not stretches:
        fail(words("no_stretch", folder=folder, count=injection.LEAST + injection.LENGTH))
    with _bar(words("putting_on")) as progress:
        trials = injection.trials(stretches, progress)
    summary = injection.summary(trials)
    note = words("injected_words", count=len(trials))
    _draw(plot, pictures.injected_panels(stretches, trials), words("injected_title"), note, words)
    if json_:
        _print_json({"faults": [msgspec.structs.asdict(one) for one in summary], "trials": msgspec.to_builtins(trials)})
        return
    table = _table(
        *map(words, ("fault", "put_on", "found", "named", "median_time", "called_instead")),
        left=(words("called_instead"),),
    )
    for one in summary:
        others = (
            words("joined").join(
                words("counted", name=called(name, words.language), count=count) for name, count in one.others.items()
            )
            or "–"
        )
        after = "–" if one.median_after is None else words("minutes", minutes=one.median_after / 60.0)
        named = f"{one.named / one.trials:.0%}" if one.fault else "–"
        table.add_row(
            called(one.fault, words.language) or words("as_it_was"),
            str(one.trials),
            f"{one.found / one.trials:.0%}",
            named,
            after,
            others,
        )
    out.print(table)
    faults = [one for one in summary if one.fault]
    total = sum(one.trials for one in faults)
    found, named = (sum(getattr(one, which) for one in faults) / total for which in ("found", "named"))
    out.print(words("injected_total", total=total, found=found, named=named))
    _say_drawn(plot, words)


def _days(days: float) -> str:
    return f"{days:.1f}" if days >= 1.0 else f"{days:.2g}"  # a recording of seconds lasts minutes


def _read(folder: Path, zone: str, words: Words) -> Sequence[Series]:
    try:
        return read_folder(folder, zone)
    except FolderError as error:
        fail(sentence(error, words))
