"""`foreshock mode`: put the site or a part of it into a mode such as maintenance, end it, and list what lasts."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Annotated

import typer

from alerts import messages
from scripts.commands.listing import Row, left, listing
from scripts.commands.ordering import Opened, instruct, opened
from scripts.commands.speaking import hint, span
from scripts.commands.terminal import DataOption, JsonOption, done, fail, local, who
from scripts.commands.words import LanguageOption, Words
from sensors.observation import SiteMode

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Modes of the site, such as maintenance: alarms of rules that give way to one (`suppress`) are suppressed by "
    "design while it lasts, and listed.",
)

ModeArgument = Annotated[str, typer.Argument(help="The mode, as site.yaml names it: maintenance, exercise.")]
AreaOption = Annotated[list[str] | None, typer.Option("--area", help="An area; again for more. Without: everywhere.")]


@app.command("begin")
def begin(
    mode: ModeArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why: it stands at each alarm that it suppresses.")],
    how_long: Annotated[str, typer.Option("--for", help="For how long: 30 min, 2 h. It ends by itself.")],
    area: AreaOption = None,
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """Put areas, or the whole site, into a mode for a time; again to prolong or shorten it.

    What stands gives way as well, if its rule says so. What is worse than a rule lets a mode suppress rings all the
    same.

    foreshock mode begin maintenance --area underpass-01 --for "2 h" --reason "pumps are exchanged"
    """
    run = opened(data, language)
    words = run.words
    if not reason.strip():
        fail(words("why_silent"))
    length = span(how_long, words)
    known = {one.id: one for one in run.content.site.modes}
    if mode not in known:
        names = words("joined").join(known) or words("nothing")
        fail(words("no_mode", mode=mode, near=hint(mode, known, words), known=names))
    if not 0 < length <= known[mode].longest:
        fail(words("mode_longest", mode=mode, longest=words.duration(known[mode].longest)))
    areas = _areas(run, area)
    _order(run, mode, areas, time.time() + length, reason.strip())
    done(words("mode_begun", mode=mode, where=_where(areas, words), span=how_long))


@app.command("end")
def end(
    mode: ModeArgument,
    area: AreaOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Why before its time, if there is something to say.")] = "",
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """End a mode before its time, where it was begun: what still holds then rings.

    foreshock mode end maintenance --area underpass-01
    """
    run = opened(data, language)
    areas = _areas(run, area)
    _order(run, mode, areas, 0.0, reason.strip())
    done(run.words("mode_ended", mode=mode, where=_where(areas, run.words)))


@app.command("list")
def list_modes(
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    data: DataOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the modes that last, with the time left, who began them and why.

    foreshock mode list --all
    """
    run = opened(data, language)
    words = run.words

    def cells(row: Row) -> Sequence[object]:
        over = left(row["until"]) if row["state"] == "on" else ""
        times = local(row["since"], words.zone), local(row["until"] or None, words.zone), over
        place, state = row["area"] or words("everywhere"), words(f"row_{row['state']}")
        return row["mode"], place, state, *times, row["by"], messages.text(row["reason"], words.language)

    columns = ("mode", "area", "state", "since", "until", "left", "by", "reason")
    listing(run.queries.modes(only_on=not every), columns, cells, words("no_mode_on"), as_json, words)


def _areas(run: Opened, named: list[str] | None) -> tuple[str, ...]:
    known = [area.id for area in run.content.site.areas]
    for name in named or ():
        if name not in known:
            fail(run.words("no_area", area=name, near=hint(name, known, run.words)))
    return tuple(named or ())


def _where(areas: tuple[str, ...], words: Words) -> str:
    return words("in_areas", areas=words("joined").join(areas)) if areas else words("everywhere")


def _order(run: Opened, mode: str, areas: tuple[str, ...], until: float, reason: str) -> None:
    what = SiteMode(
        id=uuid.uuid4().hex, mode=mode, until=until, actor=who(), reason=reason, time=time.time(), areas=areas
    )
    action = "mode.begin" if until else "mode.end"
    instruct(run, what, action, mode, areas=list(areas), until=until, reason=reason)
