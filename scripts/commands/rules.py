"""`foreshock rules`: an analyst's way from a rule that annoys to one that is proven: test, break, explain, compare."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rules.breaking import Noticed, breaks, failures, name_of, notice
from rules.changes import RuleChange, changes
from rules.explanation import Standing
from rules.rule import Rule
from rules.vectors import Bench
from rules.why import standing
from scripts.commands import rules_files, rules_force, rules_shadow, rules_tune
from scripts.commands.moment import moment
from scripts.commands.rules_files import RuleOption, SiteArgument, chosen
from scripts.commands.speaking import hint, in_force, sentence
from scripts.commands.terminal import (
    LEVEL_STYLE,
    DataOption,
    JsonOption,
    configured,
    done,
    err,
    fail,
    local,
    out,
    plain,
    wrong,
)
from scripts.commands.terms import shown
from scripts.commands.words import LanguageOption, Words
from sensors.lookup import Registry
from streams.bundle import Bundle

HELP = "Rules: check, test and break them, explain, compare, measure, lay out, exchange, put in force and back."
app = typer.Typer(no_args_is_help=True, help=HELP)

BARS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


@app.callback()
def _rules() -> None:
    """Rules: check, test and break them, explain, compare, measure, lay out, exchange, put in force and back."""


for _name, _command in (
    ("check", rules_files.check),
    ("list", rules_files.list_rules),
    ("format", rules_files.format_rules),
    ("import", rules_files.import_rules),
    ("export", rules_files.export_rules),
    ("publish", rules_force.publish),
    ("rollback", rules_force.rollback),
    ("history", rules_force.history),
    ("cost", rules_force.cost),
    ("shadow", rules_shadow.shadow_rules),
    ("promote", rules_shadow.promote),
    ("drop", rules_shadow.drop),
    ("approve", rules_shadow.approve),
    ("reject", rules_shadow.reject),
    ("tune", rules_tune.tune),
):
    app.command(_name)(_command)


@app.command()
def test(
    site: SiteArgument = Path("examples/district"),
    rule: RuleOption = "*",
    break_: Annotated[
        bool, typer.Option("--break", help="Also move each limit by a quarter and each delay, and see who notices.")
    ] = False,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the rules' own tests; with --break, find the limits and delays that no test watches over.

    Each number that something is compared with is moved down and up by a quarter, each limit of the registry likewise,
    each delay made nothing and twice as long. What no test of the rule notices could be wrong, and nobody would know.
    Exit code 1 when a test fails, or with --break when something goes unnoticed.

    foreshock rules test my-site

    foreshock rules test my-site --rule 'gas-*' --break
    """
    known, meant = chosen(site, rule, language)
    words = Words(language or known.language, known.zone)
    if not all(one.tests for one in meant):
        for one in meant:
            if not one.tests:
                wrong(words("no_tests", rule=one.id))
    bench = Bench(known)
    failed = {
        f"{one.id}: {name_of(test)}": said
        for one in meant
        for test in one.tests
        if (said := failures(one, test, bench))
    }
    found: list[tuple[Rule, Noticed]] = []
    if break_ and not failed:
        broken = [(one, way) for one in meant for way in breaks(one, bench)]
        with Progress(*BARS, console=err, transient=True) as progress:
            task = progress.add_task(words("breaking"), total=len(broken))
            for one, way in broken:
                progress.update(task, description=one.id)
                found.append((one, notice(way)))
                progress.advance(task)
    unnoticed = [(one, way) for one, way in found if not way.test]
    count = sum(len(one.tests) for one in meant)
    if as_json:
        _print(
            {
                "rules": len(meant),
                "tests": count,
                "failed": failed,
                "broken": [{"rule": one.id, **msgspec.structs.asdict(way)} for one, way in found],
                "unnoticed": len(unnoticed),
            }
        )
    else:
        for name, said in failed.items():
            wrong(f"{name}: {'; '.join(said)}")
        for one, way in unnoticed:
            level = f"levels.{way.level}." if way.level else ""
            change = f"{level}{way.part}: {way.before} → {way.after}"
            wrong(words("unnoticed", rule=one.id, change=change))
        if not failed:
            done(words("pass", tests=count, rules=len(meant)))
        if found:
            out.print(f"  {words('noticed', noticed=len(found) - len(unnoticed), broken=len(found))}")
    raise typer.Exit(1 if failed or unnoticed or not all(one.tests for one in meant) else 0)


@app.command()
def diff(
    site: SiteArgument = Path("examples/district"),
    against: Annotated[
        Path | None, typer.Option(help="Another folder of a site to compare with.", show_default="the rules in force")
    ] = None,
    language: LanguageOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how a folder's rules differ from those in force, field by field.

    A level whose conditions or delays differ begins anew when it is published: its open alarms end. Those at a level
    that is the same go on, where the rule still looks.

    foreshock rules diff my-site
    """
    if against is not None:
        before: Sequence[Rule] = chosen(against, "*", language)[1]
    else:
        before = in_force(configured(data=data).data_folder, language)[0].rules
    content, after = chosen(site, "*", language)
    words = Words(language or content.language, content.zone)
    found = changes(before, after)
    if as_json:
        _print([msgspec.structs.asdict(one) for one in found])
        return
    for one in found:
        _show_change(one, words)
    if not found:
        done(words("no_difference"))


@app.command()
def explain(
    rule: Annotated[str, typer.Argument(help="Id of the rule.")],
    scope: Annotated[str, typer.Argument(help="The point, area or camera.")],
    at: Annotated[
        str, typer.Option(help="When: 2026-05-03 14:00, 14:00, or how long ago (20 min).", show_default="now")
    ] = "",
    data: DataOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say where a rule stands at a point, area or camera, now or then: each clause, its values, and what is missing.

    The recorded observations are run through the engine up to that moment, beside a running Foreshock or at rest.

    foreshock rules explain slope-creep slope-01-tilt-1 --at '20 min'
    """
    from streams.embedded.schema import LogError  # here: the other commands need no log
    from streams.embedded.store import Log
    from streams.past import engine_at
    from streams.replay import ReplayError
    from streams.topics import GROUP, OBSERVATIONS

    found = configured(data=data)
    content, words = in_force(found.data_folder, language)
    now = time.time()
    try:
        then = moment(at, now, words.zone) if at else None
    except ValueError as error:
        fail(sentence(error, words))
    if then is not None and then > now:
        fail(words("not_yet", at=at, when=local(then, words.zone)))
    partition = _partition(content, rule, scope, words)
    try:
        with (
            Log.open_readonly(found.log_file) as log,
            Progress(*BARS, console=err, transient=True) as progress,
        ):
            task = progress.add_task(words("reading_log"), total=None)
            stop = log.committed(GROUP, OBSERVATIONS, partition) or 0
            engine = engine_at(
                log, partition, stop, then, lambda read, total: progress.update(task, completed=read, total=total)
            )
    except (LogError, ReplayError) as error:
        fail(sentence(error, words))
    stands = standing(engine.evaluator, rule, scope) if engine.evaluator is not None else None
    if stands is None:
        fail(words("not_in_force_then", rule=rule, scope=scope))
    if as_json:
        plain_standing = msgspec.to_builtins(stands)
        plain_standing["rule"] = rule
        _print(plain_standing)
        return
    _show_standing(stands, words)


def _partition(content: Bundle, rule: str, scope: str, words: Words) -> int:
    """Find the partition in which a rule looks at a scope; end the command when there is none."""
    registry = Registry(content.site)
    if rule not in {one.id for one in content.rules}:
        fail(words("no_such_rule", rule=rule) + hint(rule, (one.id for one in content.rules), words))
    one = next(one for one in content.rules if one.id == rule)
    known = {each.id: each for each in content.site.areas}
    areas: list[str] = []
    if one.scope == "point" and scope in registry.points:
        areas = [area for area in registry.points[scope].areas if one.where.takes_area(known[area])]
    elif one.scope == "camera" and scope in registry.cameras:
        areas = list(registry.cameras[scope].areas[:1])
    elif one.scope == "area" and scope in known:
        areas = [scope]
    if not areas:
        fail(words("looks_at", rule=rule, scope=words(f"scope_{one.scope}"), id=scope))
    return registry.partition(areas[0])


def _show_change(change: RuleChange, words: Words) -> None:
    note = "" if change.how != "changed" or change.decides else words("texts_only")
    out.print(f"[bold]{plain(change.rule)}[/bold] {words(f'rule_{change.how}')}{note}")
    for field, before, after in change.fields:
        out.print(f"    {plain(field)}: {plain(before) or '–'} → {plain(after) or '–'}")


def _show_standing(stands: Standing, words: Words) -> None:
    title = stands.rule.title.zh if words.language == "zh-CN" else stands.rule.title.en
    level = f"[{LEVEL_STYLE[stands.level]}] {words(stands.level)} [/]" if stands.level else words("not_raised")
    out.print(f"[bold]{plain(stands.rule.id)}[/bold] {plain(title)} · {plain(stands.scope)} · {level}")
    # a scope that nobody had heard of by then has no time of its own
    when = local(stands.time, words.zone) if math.isfinite(stands.time) else words("nothing_read")
    out.print(f"  {words('of_version', when=when, version=stands.rule.version)}")
    for one in stands.levels:
        held = "" if one.held is None else words("has_held", held=f"{one.held:.0f}", hold=f"{one.why.hold:.0f}")
        out.print(f"  [bold]{words(one.level)}[/bold] {words('raised_when', clause=plain(one.why.clause))}{held}")
        for term in one.why.terms:
            out.print(f"      {shown(term, words)}")
        if one.level == stands.level:
            after = f"{one.why.clear_after:.0f}"
            out.print(f"    {words('clears_when', clause=plain(one.why.clear), after=after)}")
            for term in one.why.clear_terms:
                out.print(f"      {shown(term, words)}")


def _print(answer: Any) -> None:
    print(msgspec.json.encode(answer).decode())
