"""A plan (预案) on paper: its checklist, as it stands in an incident or empty, contacts and messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from alerts import messages
from alerts.paper import Paper
from alerts.plans import LEVEL_NAMES, blank, checklist, filled
from sensors.site import Site

Row = Mapping[str, Any]


def plan_pdf(
    plan: Row,
    site: Site,
    language: str,
    now: float,
    *,
    incident: Row | None = None,
    where: Mapping[str, Mapping[str, str]] | None = None,
    font: Path | None = None,
) -> bytes:
    """Print a plan as plain data, with `ticks` and `incident` (title, level, opened, simulated) where it is in use.

    `where` names the `area` and `place` that are filled into messages. Times are unix seconds. Raise `paper.NoFont`.
    """
    tongue = "en" if language.startswith("en") else "zh"

    def say(key: str, **values: str) -> str:
        return messages.text(key, tongue, **values)

    def at(time: float) -> str:
        return datetime.fromtimestamp(time, ZoneInfo(site.zone)).strftime("%Y-%m-%d %H:%M")

    level = incident["level"] if incident is not None else "red"
    mark = ""
    if incident is not None and incident["simulated"]:
        mark = say("exercise" if incident.get("exercise") else "simulation")
    paper = Paper(
        plan["name"][tongue],
        head=site.name.en if tongue == "en" else site.name.zh,
        foot=say("sheet.printed", time=at(now)),
        mark=mark,
        font=font,
    )
    facts = [(say("sheet.plan.version"), f"{plan['id']} · {plan['version']}")]
    if incident is not None:
        title = (incident.get("title") or {}).get(tongue, "")
        facts += [
            (say("sheet.incident"), f"{title} ({incident['id']})"),
            (say("sheet.opened"), at(incident["opened"])),
            (say("sheet.level"), LEVEL_NAMES[level][tongue]),
        ]
    if where is not None:
        facts.append((say("sheet.place"), where["place"][tongue]))
    facts.append((say("sheet.plan.from"), LEVEL_NAMES[plan.get("level", "blue")][tongue]))
    paper.facts(facts)
    paper.heading(say("sheet.plan.steps"))
    paper.checks([_step(step, tongue, say, at) for step in checklist(plan, plan.get("ticks", {}), level)])
    if plan["contacts"]:
        paper.heading(say("sheet.plan.contacts"))
        roles = plan.get("roles", {})
        rows = [
            (one["name"][tongue], roles.get(one["role"], {}).get(tongue, ""), one["phone"]) for one in plan["contacts"]
        ]
        paper.table([say("sheet.name"), say("sheet.plan.role"), say("sheet.phone")], rows, (3, 2, 2))
    if plan["drafts"]:
        paper.heading(say("sheet.plan.drafts"))
        for draft in plan["drafts"]:
            paper.paragraph(draft["name"][tongue], quiet=True)
            said = filled(draft["text"], level=level, **where) if where else blank(draft["text"])
            paper.paragraph(said["zh"])
            paper.paragraph(said["en"])
    if plan["overlays"]:
        paper.heading(say("sheet.plan.overlays"))
        files = [(one["name"][tongue], one["file"]) for one in plan["overlays"]]
        paper.table([say("sheet.name"), say("sheet.file")], files, (3, 2))
    return paper.bytes()


def _step(step: Mapping[str, Any], tongue: str, say: Any, at: Any) -> tuple[str, str, bool]:
    notes = [step["role"][tongue]] if step["role"] else []
    if step["level"] != "blue":
        notes.append(say("sheet.plan.from_level", level=LEVEL_NAMES[step["level"]][tongue]))
    tick = step["ticked"]
    if tick is not None:
        notes.append(say("sheet.plan.ticked", who=tick["by"].partition(":")[2] or tick["by"], time=at(tick["time"])))
        if tick["note"]:
            notes.append(tick["note"])
    return step["text"][tongue], " · ".join(notes), tick is not None
