"""`foreshock models triage`: learn from verdicts how likely an alarm is to be real, and tell it of open ones."""

from __future__ import annotations

import contextlib
import time
from importlib import metadata
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from alerts import triage
from alerts.queries import JournalMissing, Reader
from models.triage.fitting import Figures, TriageError
from models.triage.store import Facts, Stored, encode
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    configured,
    done,
    fail,
    local,
    out,
    plain,
    require_run,
    site_in_force,
    wrong,
)
from streams import triage_models
from streams.model_shelf import ModelsError

app = typer.Typer(
    no_args_is_help=True,
    help="How likely open alarms are to be real, learnt from the verdicts on closed ones. It hides no alarm.",
)

NO_MODEL = "no triage model is in force; `foreshock models triage train` learns one, `promote` puts it in force"


@app.command()
def train(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Learn a model from how incidents were closed (real or nuisance), and show how it foretells the later ones.

    Nothing changes until it is promoted. It needs 60 verdicts, 15 of each kind; what was simulated, a test or a
    duplicate teaches nothing.

    foreshock models triage train
    """
    from models.triage.fitting import fit

    found = configured(data=data)
    require_run(found.data_folder / "journal.sqlite")
    site = site_in_force(found)
    try:
        with contextlib.closing(Reader(found.journal_url)) as reader:
            verdicts = triage.verdicts(reader, {area.id: area.type for area in site.areas})
        fitted = fit(verdicts)
    except (JournalMissing, TriageError) as error:
        fail(str(error))
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
    _show(fitted.figures)
    done(f"{stored.version}: learnt from {fitted.figures.verdicts} verdicts; not in force yet")


@app.command("list")
def list_models(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the triage models, the latest first; a dot marks the one in force. Brier: 0 is best, lower than constant."""
    folder = configured(data=data).data_folder
    try:
        stored, problems = triage_models.listed(folder)
        current = triage.promoted(folder)[-1:]
    except triage.TriageStoreError as error:
        fail(str(error))
    if as_json:
        print(msgspec.json.encode([_plain(one, in_force=one.version in current) for one in stored]).decode())
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("", "version", "verdicts", "real", "Brier", "constant", "order", "from", "to", "code"):
        table.add_column(heading)
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
            local(facts.begin, "UTC"),
            local(facts.end, "UTC"),
            plain(facts.code),
        )
    out.print(table)
    for problem in problems:
        wrong(problem)


@app.command()
def show(
    version: Annotated[str, typer.Argument(help="The version, or its beginning; by default the one in force.")] = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how a model foretold the verdicts that came after those it learnt from: its calibration, bin by bin."""
    folder = configured(data=data).data_folder
    try:
        current = triage.promoted(folder)[-1:]
        if not version and not current:
            fail(NO_MODEL)
        stored = triage_models.take(folder, version or current[0])
    except (triage.TriageStoreError, ModelsError) as error:
        fail(str(error))
    if as_json:
        print(msgspec.json.encode(_plain(stored, in_force=stored.version in current)).decode())
        return
    _show(stored.facts.figures)


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="The model's version, or the beginning of it.")],
    data: DataOption = None,
) -> None:
    """Tell the odds of open alarms by this model from now on; refused where it is no better than a constant."""
    folder = configured(data=data).data_folder
    try:
        stored = triage_models.take(folder, version)
        order = triage.promoted(folder)
    except (triage.TriageStoreError, ModelsError) as error:
        fail(str(error))
    figures = stored.facts.figures
    if not figures.helps:
        fail(
            f"{stored.version} foretells no better than always telling the same odds "
            f"(Brier {figures.brier:.3f}, constant {figures.brier_constant:.3f}): let more verdicts come in"
        )
    if order[-1:] == [stored.version]:
        done(f"{stored.version} is in force already")
        return
    triage_models.set_promoted(folder, [*order, stored.version])
    done(f"{stored.version} is in force: open alarms carry its odds")


@app.command()
def rollback(data: DataOption = None) -> None:
    """Go back to the model that was in force before; none when it was the first."""
    folder = configured(data=data).data_folder
    try:
        order = triage.promoted(folder)
    except triage.TriageStoreError as error:
        fail(str(error))
    if not order:
        fail(NO_MODEL)
    triage_models.set_promoted(folder, order[:-1])
    done(f"back from {order[-1]}: " + (f"{order[-2]} is in force" if len(order) > 1 else "no odds are told"))


def _show(figures: Figures) -> None:
    out.print(
        f"  {figures.verdicts} verdicts, {figures.real} real; the later {figures.tested} foretold from the earlier: "
        f"Brier {figures.brier:.3f}, of a constant {figures.brier_constant:.3f}; "
        f"a real one comes before a nuisance in {figures.order:.0%}"
    )
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("alarms", "odds told", "were real"):
        table.add_column(heading, justify="right")
    for one in figures.bins:
        table.add_row(str(one.count), f"{one.told:.0%}", f"{one.real:.0%}")
    out.print(table)


def _plain(one: Stored, *, in_force: bool) -> dict[str, object]:
    figures = msgspec.to_builtins(one.facts.figures)
    bins = [{"count": each.count, "told": each.told, "real": each.real} for each in one.facts.figures.bins]
    facts = {name: getattr(one.facts, name) for name in ("begin", "end", "code", "trained")}
    return {"version": one.version, "in_force": in_force, **facts, **figures, "bins": bins}
