"""`foreshock models compare`: two models side by side on the same history, which neither was learnt from."""

from __future__ import annotations

import time as clock
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from models.area.comparison import Found, judge
from models.area.store import Stored
from scripts.commands.model_names import MODELS, called
from scripts.commands.models_history import Own, area_named, when
from scripts.commands.models_words import WORDS
from scripts.commands.speaking import at_site, sentence
from scripts.commands.terminal import DataOption, JsonOption, fail, local, out, plain, warn
from scripts.commands.words import LanguageOption, Words
from sensors.lookup import Registry
from sensors.site import Site
from streams import area_models
from streams.history.area import troubles
from streams.model_shelf import ModelsError


def compare(
    first: Annotated[str, typer.Argument(help="A model's version, or the beginning of it.")],
    second: Annotated[str, typer.Argument(help="Another one's, of the same area.")],
    since: Annotated[
        str, typer.Option("--from", help="Begin of the history.", show_default="where both had learnt enough")
    ] = "",
    until: Annotated[str, typer.Option("--to", help="End of it.", show_default="now")] = "",
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="A rule whose alarms are no known trouble, as one on `area.score`; again for each."),
    ] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Count simulated readings and alarms as well.")
    ] = False,
    data: DataOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold two models of an area against the same stretch of the site's own history, which neither was learnt from.

    Each judges rows as far apart as those that it was learnt from, as it does live.

    `false` is the share of rows judged anomalous while no alarm stood, `false a day` how often that began. `found` is
    of the area's alarms of risk (those that overlap are one), each by an anomalous row in it or shortly before.
    `outside` is how many quiet rows are as unusual as a tenth of the rows learnt from: 10 % is no drift. Below is which
    point anomalous rows are laid to.

    foreshock models compare 3f2a 91c0
    """
    found, site, words = at_site(data, language, WORDS)
    try:
        pair = [area_models.take(found.data_folder, version) for version in (first, second)]
    except ModelsError as error:
        fail(sentence(error, words))
    areas = {area_named(site, one.area, words).id for one in pair}
    if len(areas) > 1:
        fail(
            words(
                "different_areas",
                first=pair[0].version,
                second=pair[1].version,
                areas=words("joined").join(sorted(areas)),
            )
        )
    for one in pair:
        gone = area_models.missing(one, site)
        if gone:
            fail(words("other_site", version=one.version, points=words("joined").join(gone)))
    learnt = max(one.facts.end for one in pair)
    begin, end = when(since, site, learnt + 1.0, words), when(until, site, clock.time(), words)
    if end <= begin:
        fail(words("no_later"))
    held_out = begin > learnt
    own = Own(found, site, area_named(site, pair[0].area, words), words, ignore or (), simulated)
    figures = [_judged(one, own, begin, end) for one in pair]
    if as_json:
        answer: dict[str, Any] = {"area": areas.pop(), "from": begin, "to": end, "held_out": held_out}
        answer["models"] = [
            {"version": one.version, "kind": one.model.kind, **msgspec.to_builtins(each)}
            for one, each in zip(pair, figures, strict=True)
        ]
        print(msgspec.json.format(msgspec.json.encode(answer)).decode())
        return
    _show(pair, figures, site, begin, end, words)
    if not held_out:
        warn(words("part_learnt"))


def _judged(one: Stored, own: Own, begin: float, end: float) -> Found:
    registry = Registry(own.site)
    points = [point for name in one.model.names if (point := registry.point(name)) is not None]
    rows = own.rows(points, begin, end, one.model.interval)
    known = troubles(own.spells(begin, end, "risk"))
    if not rows.usable.any():
        fail(own.words("no_usable"))
    return judge(one.model, rows.time, rows.values, rows.usable, rows.clean, known)


def _show(pair: list[Stored], figures: list[Found], site: Site, begin: float, end: float, words: Words) -> None:
    span = {"begin": local(begin, site.zone)[:16], "end": local(end, site.zone)[:16]}
    out.print(plain(words("compared", area=pair[0].area, **span)))
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    for one in pair:
        table.add_column(one.version, justify="right")
    for name, values in (
        ("kind", [called(one.model.kind, words.language, MODELS) for one in pair]),
        ("rows_judged", [str(one.rows) for one in figures]),
        ("quiet_rows", [str(one.quiet) for one in figures]),
        ("false", [f"{one.false:.2%}" for one in figures]),
        ("false_a_day", [f"{one.false_per_day:.2f}" for one in figures]),
        ("outside", [f"{one.outside:.0%}" for one in figures]),
        ("found", [words("of", count=one.found, of=one.known) if one.known else "–" for one in figures]),
        ("found_after", [_after(one.median_after, words) for one in figures]),
    ):
        table.add_row(words(name), *values)
    for point in dict.fromkeys(name for one in pair for name in one.model.names):
        table.add_row(plain(point), *(f"{one.points[point]:.0%}" if point in one.points else "–" for one in figures))
    out.print(table)


def _after(seconds: float | None, words: Words) -> str:
    return "–" if seconds is None else words("minutes", minutes=seconds / 60.0)
