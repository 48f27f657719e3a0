"""`foreshock silence`: have alarms call nobody for a time, end that, and list what is silent."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from alerts import messages
from scripts.commands.listing import Row, left, listing
from scripts.commands.ordering import Opened, instruct, opened
from scripts.commands.speaking import hint, span
from scripts.commands.terminal import DataOption, JsonOption, done, fail, local, who
from scripts.commands.words import LanguageOption
from sensors.observation import Silence

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Silences: alarms of areas, points or rules are listed as ever, and call nobody for a time.",
)
LEVELS = ("blue", "yellow", "orange")

ForOption = Annotated[str, typer.Option("--for", help="For how long, from now: 30 min, 2 h; at most a day.")]
WhyOption = Annotated[str, typer.Option("--reason", help="Why: it stands in the history of each alarm.")]
Names = Annotated[list[str] | None, typer.Option("--area", help="An area; again for more.")]


@app.command("begin")
def begin(
    reason: WhyOption,
    how_long: ForOption = "1 h",
    level: Annotated[str, typer.Option("--level", help="The worst that is silent: blue, yellow, orange.")] = "yellow",
    area: Names = None,
    point: Annotated[list[str] | None, typer.Option("--point", help="A point or camera; again for more.")] = None,
    rule: Annotated[list[str] | None, typer.Option("--rule", help="A rule; again for more.")] = None,
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """Silence alarms in your own name: nobody is sent, reminded or called up the ladder; they return as ever.

    What several options name must all fit. An alarm that rises above the level at which it fell silent calls at once,
    red always does. It is said ten minutes before the end, and what is active then calls.

    foreshock silence begin --area slope-01 --for "2 h" --reason "blasting in the quarry"
    """
    run = opened(data, language)
    content, words = run.content, run.words
    if level not in LEVELS:
        fail(words("silent_level", level=level, known=words("joined").join(LEVELS)))
    if not (area or point or rule):
        fail(words("silent_what"))
    known = {
        "--area": (area, [one.id for one in content.site.areas]),
        "--point": (point, [one.id for one in (*content.site.points, *content.site.cameras, *content.site.areas)]),
        "--rule": (rule, [one.id for one in content.rules]),
    }
    for option, (named, there) in known.items():
        for name in named or ():
            if name not in there:
                fail(words("none_named", option=option, name=name, near=hint(name, there, words)))
    facts = {"areas": tuple(area or ()), "scopes": tuple(point or ()), "rules": tuple(rule or ()), "level": level}
    id = _order(run, "silence.begin", span(how_long, words), reason, **facts)
    done(words("silent", span=how_long, id=id))


@app.command("prolong")
def prolong(
    id: Annotated[str, typer.Argument(help="The silence's id.")],
    reason: WhyOption,
    how_long: ForOption = "1 h",
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """Have a silence end at another time, counted from now; also sooner.

    foreshock silence prolong 4b1f0c9a2d --for "1 h" --reason "the crane is late"
    """
    run = opened(data, language)
    _order(run, "silence.prolong", span(how_long, run.words), reason, of=id)
    done(run.words("silent_longer", id=id, span=how_long))


@app.command("end")
def end(
    id: Annotated[str, typer.Argument(help="The silence's id.")],
    reason: Annotated[str, typer.Option("--reason", help="Why before its time, if there is something to say.")] = "",
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """End a silence before its time: what is still active calls.

    foreshock silence end 4b1f0c9a2d
    """
    run = opened(data, language)
    _order(run, "silence.end", 0.0, reason, of=id)
    done(run.words("silence_ended", id=id))


@app.command("list")
def list_silences(
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    data: DataOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is silent, with the time left, who silenced it and why; what ends first leads.

    foreshock silence list
    """
    run = opened(data, language)
    words = run.words

    def cells(row: Row) -> Sequence[object]:
        covers = "; ".join(", ".join(row[name]) for name in ("areas", "scopes", "rules") if row[name])
        until = local(row["until"] or None, words.zone), left(row["until"]) if row["state"] == "on" else ""
        level, state = words(row["level"]), words(f"row_{row['state']}")
        return covers, level, state, *until, row["by"], messages.text(row["reason"], words.language), row["id"]

    columns = ("covers", "up_to", "state", "until", "left", "by", "reason", "id")
    listing(run.queries.silences(only_on=not every), columns, cells, words("none_silent"), as_json, words)


def _order(run: Opened, action: str, length: float, reason: str, **facts: Any) -> str:
    """Give an order and wait for its answer; return the silence's id. End with a sentence when it is not done.

    `length` (s) is from now; 0 ends it.
    """
    if action != "silence.end" and not reason.strip():
        fail(run.words("why_silent"))
    of = facts.get("of", "")
    if of and of not in {one["id"] for one in run.queries.silences()}:
        fail(run.words("no_silence", id=of))
    now = time.time()
    until = now + length if action != "silence.end" else 0.0
    what = Silence(id=uuid.uuid4().hex, until=until, actor=who(), reason=reason.strip(), time=now, **facts)
    instruct(run, what, action, of or what.id, until=until, reason=reason)
    return of or what.id
