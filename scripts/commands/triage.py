"""`foreshock models triage`: learn from verdicts how likely an alarm is to be real, and tell it of open ones."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from alerts import triage
from alerts.queries import JournalMissing, Reader
from alerts.triage_folder import TriageStoreError, promoted
from models.triage.drift import FEWEST, Since, said
from models.triage.fitting import Figures, TriageError
from models.triage.store import Facts, Stored, encode
from scripts.commands import error_words
from scripts.commands.models_promotion import announce
from scripts.commands.models_words import WORDS
from scripts.commands.speaking import at_folder, at_site, require_journal, sentence
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    configured,
    done,
    fail,
    local,
    out,
    plain,
    who,
    wrong,
)
from scripts.commands.words import LanguageOption, Words
from sensors.site import Site
from streams import promoting, triage_models
from streams.difference import TRIAGE
from streams.model_shelf import ModelsError
from streams.models_known import TriageVersion
from streams.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="How likely open alarms are to be real, learnt from the verdicts on closed ones. It hides no alarm.",
)


@app.command()
def train(data: DataOption = None, language: LanguageOption = None, as_json: JsonOption = False) -> None:
    """Learn a model from how incidents were closed (real or nuisance), and show how it foretells the later ones.

    Nothing changes until it is promoted. It needs 60 verdicts, 15 of each kind; what was simulated, a test or a
    duplicate teaches nothing.

    foreshock models triage train
    """
    from models.triage.fitting import fit

    found, site, words = at_site(data, language, WORDS)
    require_journal(found, words.language)
    try:
        with contextlib.closing(Reader(found.journal_url)) as reader:
            verdicts = triage.verdicts(reader, {area.id: area.type for area in site.areas})
        fitted = fit(verdicts)
    except (JournalMissing, TriageError) as error:
        fail(sentence(error, words))
    opened = [verdict.case.opened for verdict in verdicts]
    facts = Facts(
        begin=min(opened),
        end=max(opened),
        code=metadata.version("foreshock"),
        trained=time.time(),
        figures=fitted.figures,
    )
    stored = triage_models.keep(found.data_folder, encode(fitted.model, facts))
    if as_json:
        print(msgspec.json.encode(_plain(stored, in_force=False)).decode())
        return
    _show(fitted.figures, words)
    done(words("triage_learnt", version=stored.version, verdicts=fitted.figures.verdicts))


@app.command("list")
def list_models(data: DataOption = None, language: LanguageOption = None, as_json: JsonOption = False) -> None:
    """List the triage models, the latest first; a dot marks the one in force. Brier: 0 is best, lower than constant."""
    folder = configured(data=data).data_folder
    words = at_folder(folder, language, WORDS)
    try:
        stored, problems = triage_models.listed(folder)
        current = [one.version for one in promoted(folder)[-1:]]
    except TriageStoreError as error:
        fail(sentence(error, words))
    if as_json:
        print(msgspec.json.encode([_plain(one, in_force=one.version in current) for one in stored]).decode())
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    for key in ("version", "verdicts", "real", "brier", "constant", "ordered", "from", "to", "code"):
        table.add_column(words(key))
    for one in stored:
        figures, facts = one.facts.figures, one.facts
        table.add_row(
            "[green]●[/green]" if one.version in current else "",
            one.version,
            str(figures.verdicts),
            str(figures.real),
            f"{figures.brier:.3f}",
            f"{figures.brier_constant:.3f}",
            f"{figures.order:.2f}",
            local(facts.begin, words.zone),
            local(facts.end, words.zone),
            plain(facts.code),
        )
    out.print(table)
    for problem in problems:
        wrong(error_words.said(problem, words.language))


@app.command()
def show(
    version: Annotated[str, typer.Argument(help="The version, or its beginning; by default the one in force.")] = "",
    data: DataOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how a model foretold the verdicts that came after those it learnt from: its calibration, bin by bin."""
    folder = configured(data=data).data_folder
    words = at_folder(folder, language, WORDS)
    try:
        current = [one.version for one in promoted(folder)[-1:]]
        if not version and not current:
            fail(words("no_triage"))
        stored = triage_models.take(folder, version or current[0])
    except (TriageStoreError, ModelsError) as error:
        fail(sentence(error, words))
    if as_json:
        print(msgspec.json.encode(_plain(stored, in_force=stored.version in current)).decode())
        return
    _show(stored.facts.figures, words)


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="The model's version, or the beginning of it.")],
    data: DataOption = None,
    language: LanguageOption = None,
    reason: Annotated[str, typer.Option(help="Why, for those who read the list of publications later.")] = "",
) -> None:
    """Tell the odds of open alarms by this model from now on; refused where it is no better than a constant.

    It is a publication in the log, as that of an area's model: `foreshock models promote` does the same.
    """
    found, site, words = at_site(data, language, WORDS)
    try:
        stored = triage_models.take(found.data_folder, version)
    except ModelsError as error:
        fail(sentence(error, words))
    folder = found.data_folder
    announce(
        found, "models.promote", stored.version, reason,
        lambda: promoting.promote(folder, site, stored.version, who(), reason, time.time()), words,
    )  # fmt: skip


@app.command()
def rollback(
    data: DataOption = None,
    language: LanguageOption = None,
    reason: Annotated[str, typer.Option(help="Why, for those who read the list of publications later.")] = "",
) -> None:
    """Go back to the model that was in force before; none when it was the first."""
    found, site, words = at_site(data, language, WORDS)
    folder = found.data_folder
    announce(
        found, "models.rollback", TRIAGE, reason,
        lambda: promoting.rollback(folder, site, TRIAGE, who(), reason), words,
    )  # fmt: skip


def since_learnt(found: Settings, site: Site, versions: Sequence[str]) -> dict[str, Since]:
    """Hold models against the verdicts that came after what each learnt from; none where there is no journal."""
    told: dict[str, Since] = {}
    types = {area.id: area.type for area in site.areas}
    with contextlib.suppress(JournalMissing, ModelsError), contextlib.closing(Reader(found.journal_url)) as reader:
        for version in versions:
            told[version] = triage.come_true(reader, types, triage_models.take(found.data_folder, version))
    return told


def row(one: TriageVersion, since: Since | None, now: float, words: Words) -> list[str]:
    """Write a model as a row of the table of all models."""
    by = one.promoted
    drift = "" if since is None else f"[yellow]{words('in_drift')}[/yellow]" if since.drifted else words("no_drift")
    if since is not None and since.verdicts < FEWEST:
        drift = words("counting")
    return [
        "[green]●[/green]" if one.in_force else "",
        one.version,
        words("triage"),
        "logistic",
        "",
        str(one.figures.verdicts),
        local(one.begin, words.zone)[:16],
        local(one.end, words.zone)[:16],
        words("days", days=(now - one.end) / 86400.0),
        "",
        "",
        ""
        if by is None
        else plain(f"{by.by or words('unknown')} {local(by.time, words.zone)[:16] if by.time else ''}"),
        drift,
    ]


def listed(one: TriageVersion, since: Since | None) -> dict[str, object]:
    """Write a model as an entry of the list of all models; `drift` is since what it learnt from."""
    plain_: dict[str, object] = msgspec.to_builtins(one)
    warning = {} if since is None else said(since, one.version)
    more = {"area": "", "kind": TRIAGE, "drift": msgspec.to_builtins(since), "warning": warning}
    return {**plain_, **more}


def _show(figures: Figures, words: Words) -> None:
    names = ("verdicts", "real", "tested", "brier", "brier_constant", "order")
    out.print(f"  {words('figures', **{name: getattr(figures, name) for name in names})}")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for key in ("alarms", "odds_told", "were_real"):
        table.add_column(words(key), justify="right")
    for one in figures.bins:
        table.add_row(str(one.count), f"{one.told:.0%}", f"{one.real:.0%}")
    out.print(table)


def _plain(one: Stored, *, in_force: bool) -> dict[str, object]:
    figures = msgspec.to_builtins(one.facts.figures)
    bins = [{"count": each.count, "told": each.told, "real": each.real} for each in one.facts.figures.bins]
    facts = {name: getattr(one.facts, name) for name in ("begin", "end", "code", "trained")}
    return {"version": one.version, "in_force": in_force, **facts, **figures, "bins": bins}
