"""`foreshock rules publish`, `rollback`, `history` and `cost`: rules in force."""

from __future__ import annotations

import contextlib
import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from alerts.console.rule_words import differing
from alerts.rule_costs import Measured, keep
from rules.changes import RuleChange, changes
from rules.metering import Cost
from rules.rule import Rule
from scripts.commands import reload as reloading
from scripts.commands.rules_files import RuleOption
from scripts.commands.rules_shadow import waiting
from scripts.commands.speaking import in_force, reasoned, sentence, table
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    configured,
    done,
    err,
    fail,
    local,
    out,
    plain,
)
from scripts.commands.words import LanguageOption, Words
from sensors.duration import seconds
from streams import bundle, publication, shelf
from streams.bundle import Bundle

BARS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
MOST_MEASURED = 200
"""Rules that are measured in one go: each is evaluated by itself."""


def publish(
    site: Annotated[Path | None, typer.Argument(help="Folder of the site.", show_default="as it was started")] = None,
    reason: Annotated[str, typer.Option(help="Why; it stands in the history.")] = "",
    data: DataOption = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what would change.")] = False,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put the rules of a site folder in force in the Foreshock that runs, with the reason why.

    The same as `foreshock reload`: site and rules take force together, at one place of the log, and a rule that did not
    change keeps its state. Exit code 3 when nothing runs.

    foreshock rules publish my-site --reason "creep: 6 mm/h, two nuisances this week"
    """
    if not reason.strip() and not check:
        fail(in_force(configured(data=data).data_folder, language)[1]("say_why"))
    reloading.reload(site=site, data=data, version="", reason=reason, check=check, language=language, as_json=as_json)


def rollback(
    version: Annotated[str, typer.Argument(help="The publication.", show_default="the one before")] = "",
    reason: Annotated[str, typer.Option(help="Why; it stands in the history.")] = "",
    data: DataOption = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what would change.")] = False,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put an earlier publication in force again: the one before, or the one that is named; with the reason why.

    The one before is never one that was itself rolled back: name that to have it again.

    Exit code 3 when nothing runs. `foreshock rules history` lists them.

    foreshock rules rollback --reason "the night shift gets no peace"
    """
    folder = configured(data=data).data_folder
    words = in_force(folder, language)[1]
    if not reason.strip() and not check:
        fail(words("say_why"))
    version = version or shelf.before(shelf.listed(folder), publication.version(folder))
    if not version:
        fail(words("none_before"))
    reloading.reload(
        site=None, data=data, version=version, reason=reason, check=check, language=language, as_json=as_json
    )


def history(
    rule: RuleOption = "*",
    data: DataOption = None,
    fields: Annotated[bool, typer.Option("--fields", help="Also say which fields changed, and how.")] = False,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """List publications, the latest first: who, when, why, and which rules were added, removed or changed.

    foreshock rules history --rule slope-creep --fields
    """
    folder = configured(data=data).data_folder
    words = in_force(folder, language)[1]
    kept = shelf.listed(folder)
    present = shelf.latest(kept, publication.version(folder))
    told = []
    newer: tuple[shelf.Kept, tuple[Rule, ...]] | None = None
    for one in [*kept, None]:
        content = _unpacked(folder, one.version) if one is not None else None
        rules = content.rules if content is not None else ()
        if newer is not None:
            found = [change for change in changes(rules, newer[1]) if fnmatchcase(change.rule, rule)]
            if one is None:
                found = []  # nothing is known of what was before the oldest
            if found or rule == "*":
                told.append((newer[0], found))
        if one is not None and content is not None:
            newer = one, rules
    proposals = waiting(configured(data=data))
    if as_json:
        answer = [
            {
                "version": one.version,
                "proposal": next((each for each in proposals if each["version"] == one.version), None),
                "time": one.time,
                "author": one.author,
                "reason": one.reason,
                "in_force": one is present,
                "rules": [msgspec.structs.asdict(change) for change in found],
            }
            for one, found in told
        ]
        listed = {one.version for one, _ in told}
        answer = [
            *(
                {
                    "version": each["version"],
                    "proposal": each,
                    "time": each["proposed"],
                    "author": each["author"],
                    "reason": each["why"],
                    "in_force": False,
                    "rules": [],
                }
                for each in proposals
                if rule == "*" and each["version"] not in listed
            ),
            *answer,
        ]
        print(msgspec.json.encode(answer).decode())
        return
    for waits in proposals if rule == "*" else ():
        state, said = words(f"state_{waits['state']}"), ""
        if waits["state"] != "waiting":
            said = f" {waits['by']}: {waits['reason']}".rstrip(": ")
        head = f"[yellow]{waits['number']}[/yellow] {waits['version']}  {state}{plain(said)}"
        out.print(f"  {head}  {local(waits['proposed'], words.zone)}  {plain(waits['author'])}: {plain(waits['why'])}")
        for line in waits["difference"] if waits["state"] == "waiting" else ():
            out.print(f"      {plain(differing(line, words.language))}")
    for one, found in told:
        mark = "[green]●[/green]" if one is present else " "
        reason = reasoned(one.author, one.reason, words)
        why = f": {reason}" if reason else ""
        out.print(f"{mark} {one.version}  {local(one.time, words.zone)}  {plain(one.author)}{plain(why)}")
        for change in found:
            _show(change, fields, words)


def cost(
    rule: RuleOption = "*",
    last: Annotated[str, typer.Option(help="How much of the record is measured over.")] = "10 min",
    top: Annotated[int, typer.Option(min=1, help="How many rules to show.")] = 10,
    data: DataOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure what each rule costs: CPU time and memory, over the last of what was recorded; the dearest first.

    The recorded observations go through the engine as they did, and beside it each rule by itself is given the same
    and timed; what any rules at all cost is taken off. A window that several rules share counts in full for each, so
    the sum is more than what they cost together. At most 200 rules are measured in one go: choose with --rule. What was
    measured is kept in the data folder: the console's list of rules shows it. A rule that a publication changed is
    measured from there on.

    foreshock rules cost --last '1 h'
    """
    from streams.cost import costs, latest  # here: the other commands need no engine
    from streams.embedded.schema import LogError
    from streams.embedded.store import Log
    from streams.replay import ReplayError
    from streams.topics import GROUP, OBSERVATIONS

    found = configured(data=data)
    content, words = in_force(found.data_folder, language)
    try:
        span = seconds(last)
    except ValueError as error:
        fail(sentence(error, words))
    meant = [one for one in content.rules if fnmatchcase(one.id, rule)]
    if not meant:
        fail(words("no_such_rule", rule=rule))
    asked = {one.id for one in meant[:MOST_MEASURED]}
    sums: dict[str, Cost] = {}
    try:
        with Log.open_readonly(found.log_file) as log, Progress(*BARS, console=err, transient=True) as progress:
            task = progress.add_task(words("measuring"), total=None)
            for partition in range(log.topics().get(OBSERVATIONS, 0)):
                stop = log.committed(GROUP, OBSERVATIONS, partition) or 0
                since = latest(log, partition, stop) - span
                for one in costs(
                    log,
                    partition,
                    stop,
                    since,
                    asked,
                    lambda read, total: progress.update(task, completed=read, total=total),
                ):
                    sums[one.rule] = _sum(sums[one.rule], one) if one.rule in sums else one
    except (LogError, ReplayError) as error:
        fail(sentence(error, words))
    dearest = sorted(sums.values(), key=lambda one: (-one.cpu, one.rule))
    versions = {one.id: one.version for one in meant}
    measured = {one.rule: Measured(versions[one.rule], time.time(), one) for one in dearest if one.readings}
    with contextlib.suppress(OSError):  # the folder is somebody else's: they are shown here all the same
        keep(found.data_folder, measured)
    if as_json:
        print(msgspec.json.encode(dearest[:top]).decode())
        return
    readings = max((one.readings for one in dearest), default=0)
    if not readings:
        fail(words("not_recorded", last=last))
    heads = [words(name) for name in ("rule", "ns_a_reading", "cpu", "memory", "places")]
    for line in table(heads, [_row(one) for one in dearest[:top]]):
        out.print(line)
    more = words("not_measured", count=len(meant) - len(asked)) if len(meant) > len(asked) else ""
    done(words("measured", rules=len(dearest), readings=readings) + more)


def _row(one: Cost) -> list[str]:
    each = one.cpu / one.readings * 1e9 if one.readings else 0.0
    return [one.rule, f"{each:.0f}", f"{one.cpu * 1000:.1f} ms", f"{one.bytes / 1000:.1f} kB", str(one.places)]


def _sum(one: Cost, other: Cost) -> Cost:
    return Cost(
        rule=one.rule,
        cpu=one.cpu + other.cpu,
        bytes=one.bytes + other.bytes,
        places=one.places + other.places,
        readings=one.readings + other.readings,
    )


def _unpacked(folder: Path, version: str) -> Bundle | None:
    packed = shelf.take(folder, version)
    try:
        return bundle.unpack(packed) if packed is not None else None
    except ValueError:
        return None


def _show(change: RuleChange, fields: bool, words: Words) -> None:
    note = words("texts_only") if change.how == "changed" and not change.decides else ""
    out.print(f"    {plain(change.rule)} {words(f'rule_{change.how}')}{note}")
    if fields:
        for field, before, after in change.fields:
            out.print(f"      {plain(field)}: {plain(before) or '–'} → {plain(after) or '–'}")
