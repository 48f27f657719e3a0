"""`foreshock plans`: the prepared responses of a site, and sheets of them to print."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from alerts.plans import checklist, place_of
from scripts.commands.spoken import heads, near, said, speak_as
from scripts.commands.terminal import (
    LEVEL_STYLE,
    DataOption,
    JsonOption,
    SiteOption,
    configured,
    done,
    fail,
    out,
    plain,
    require_journal,
    site_in_force,
)
from scripts.commands.words import LanguageOption
from sensors.document import DocumentError
from sensors.registry import load_site
from sensors.site import Plan, Site

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Plans (预案): which there are, what each says, and sheets of them as PDF.",
)


def _loaded(site: Path | None) -> tuple[Site, str]:
    found = configured(site=site)
    try:
        loaded = load_site(found.site_folder)
    except DocumentError as error:
        fail(f"{error.problems[0]}; `foreshock check` names all mistakes")
    speak_as(loaded.language)
    return loaded, found.pdf_font


def _one(site: Site, id: str) -> Plan:
    found = next((plan for plan in site.plans if plan.id == id), None)
    if found is None:
        known = [plan.id for plan in site.plans]
        fail(said(f"there is no plan {id}; there are: {', '.join(known) or said('none')}") + near(id, known))
    return found


@app.command("list")
def list_plans(site: SiteOption = None, as_json: JsonOption = False) -> None:
    """List a site's plans: for which kinds of area or areas, from which level on, how many steps.

    foreshock plans list --site examples/district
    """
    loaded, _ = _loaded(site)
    if as_json:
        print(msgspec.json.encode(loaded.plans).decode())
        return
    table = Table(*heads("plan", "version", "from", "for", "steps", "contacts", "messages", "name"))
    for plan in loaded.plans:
        places = ", ".join((*plan.types, *plan.areas))
        row = (places, len(plan.steps), len(plan.contacts), len(plan.drafts), f"{plan.name.zh} {plan.name.en}")
        table.add_row(
            plain(plan.id), plan.version, f"[{LEVEL_STYLE[plan.level]}] {said(plan.level)} [/]", *map(plain, row)
        )
    out.print(table if loaded.plans else said("the site has no plans: write them in plans/*.yaml"))


@app.command("show")
def show(
    id: Annotated[str, typer.Argument(help="The plan's id.")], site: SiteOption = None, as_json: JsonOption = False
) -> None:
    """Show one plan: steps with who does them, contacts, messages to the public.

    foreshock plans show slope
    """
    loaded, _ = _loaded(site)
    plan = _one(loaded, id)
    if as_json:
        print(msgspec.json.encode(plan).decode())
        return
    level = said(f"from {said(plan.level)}")
    out.print(plain(f"{plan.name.zh} {plan.name.en}  {plan.id}@{plan.version}, {level}"))
    for number, step in enumerate(checklist(msgspec.to_builtins(plan), {}, "red"), 1):
        who = f" ({step['role']['zh']} {step['role']['en']})" if step["role"] else ""
        since = "" if step["level"] == "blue" else f" [{said('from ' + said(step['level']))}]"
        out.print(plain(f"{number:>2}. {step['text']['zh']} {step['text']['en']}{who}{since}"))
    for contact in plan.contacts:
        out.print(plain(f"    {contact.phone}  {contact.name.zh} {contact.name.en}"))
    for draft in plan.drafts:
        out.print(plain(f"    {draft.name.zh} {draft.name.en}: {draft.text.zh} {draft.text.en}"))


@app.command("print")
def print_sheet(
    id: Annotated[str, typer.Argument(help="The plan's id; with --incident the incident's.")],
    file: Annotated[Path, typer.Option("--out", help="The PDF to write.")],
    incident: Annotated[
        bool, typer.Option("--incident", help="Print the plan that an incident keeps to, with what is ticked.")
    ] = False,
    language: LanguageOption = None,
    site: SiteOption = None,
    data: DataOption = None,
) -> None:
    """Write a plan as PDF: its checklist with boxes to tick, contacts, messages.

    foreshock plans print slope --out slope.pdf

    foreshock plans print i-8f09f8525909502bc3a8 --incident --out case.pdf
    """
    from alerts import paper  # here: printing takes what nothing else needs
    from alerts.plan_sheet import plan_pdf

    try:
        if incident:
            body = _of_incident(id, language, data)
        else:
            loaded, font = _loaded(site)
            found = msgspec.to_builtins(_one(loaded, id))
            with paper.printing():
                tongue = language or loaded.language
                body = plan_pdf(found, loaded, tongue, time.time(), font=paper.find_font(font))
        file.write_bytes(body)
    except paper.NoFont as error:
        fail(str(error))
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}")
    done(f"{file} is written")


def _of_incident(id: str, language: str | None, data: Path | None) -> bytes:
    from alerts import paper
    from alerts.plan_sheet import plan_pdf
    from alerts.queries import JournalMissing, Reader

    found = configured(data=data)
    require_journal(found)
    site = site_in_force(found)
    try:
        row = Reader(found.journal_url).incident(id)
    except JournalMissing as error:
        fail(str(error))
    if row is None or row["plan"] is None:
        fail(f"there is no incident {id}" if row is None else f"the incident {id} has no plan")
    area = next((one for one in site.areas if one.id == row["area"]), None)
    name = {"zh": area.name.zh, "en": area.name.en} if area is not None else {"zh": row["area"], "en": row["area"]}
    where = {"area": name, "place": place_of(area, site)}
    font = paper.find_font(found.pdf_font)
    return plan_pdf(row["plan"], site, language or site.language, time.time(), incident=row, where=where, font=font)
