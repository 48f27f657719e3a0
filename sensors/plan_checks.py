"""Check prepared responses (预案): `plans/*.yaml` of a site."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from pathlib import Path as FilePath

import msgspec

from sensors.document import Document, Path
from sensors.drawings import geojson_trouble
from sensors.findings import Findings
from sensors.site import Plan, Text
from sensors.site_files import PlansFile

MOST = {"steps": 60, "contacts": 60, "drafts": 20, "overlays": 20, "roles": 30}
"""How many of each a plan may have: more than fits on the sheet that somebody holds in their hand helps nobody."""

MAX_TEXT = 1000
FILLED = ("area", "level", "place")
"""What is filled into a message to the public."""

_FILLED = re.compile(r"\{([^{}]*)\}")
_PHONE = re.compile(r"[0-9+*#() -]{2,40}\Z")
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\.geojson\Z")


def versioned(plan: Plan) -> Plan:
    """Name a plan's version by its content: twelve hexadecimal digits."""
    bare = msgspec.msgpack.encode(msgspec.structs.replace(plan, version=""), order="deterministic")
    return msgspec.structs.replace(plan, version=hashlib.blake2b(bare, digest_size=6).hexdigest())


def check_plans(
    document: Document,
    file: PlansFile,
    folder: FilePath,
    areas: Collection[str] | Mapping[str, object] | None,
    area_types: set[str] | None,
    findings: Findings,
) -> None:
    """Check one file of plans; overlays lie in `folder`, `areas` and `area_types` are None where not all are known."""
    for i, plan in enumerate(file.plans):
        at: Path = ("plans", i)
        findings.id("plan", plan.id, document, (*at, "id"))
        if plan.version:
            findings.add(document, (*at, "version"), "the version is worked out from the content: leave it out")
        if findings.level(plan.level, document, (*at, "level")):
            _check_place(document, plan, at, findings)
        for name, known in (("areas", areas), ("types", area_types)):
            for n, id in enumerate(getattr(plan, name)):
                findings.reference("area" if name == "areas" else "area type", id, known, document, (*at, name, n))
        for name, most in MOST.items():
            if len(getattr(plan, name)) > most:
                findings.add(document, (*at, name), f"a plan has at most {most} {name}")
        if not plan.steps:
            findings.add(document, (*at, "steps"), "a plan has at least one step")
        _text(document, plan.name, (*at, "name"), findings)
        for role, text in plan.roles.items():
            _text(document, text, (*at, "roles", role), findings)
        _check_steps(document, plan, at, findings)
        _check_contacts(document, plan, at, findings)
        _check_drafts(document, plan, at, findings)
        _check_overlays(document, plan, at, folder, findings)


def _check_place(document: Document, plan: Plan, at: Path, findings: Findings) -> None:
    """Two plans for the same kind or area from the same level on: nobody could say which holds."""
    if not plan.types and not plan.areas:
        findings.add(document, at, "name the area types it is for (`types`), or areas")
    for name in ("types", "areas"):
        for n, id in enumerate(getattr(plan, name)):
            findings.unique(f"plan from {plan.level} for {name[:-1]}", id, document, (*at, name, n))


def _check_steps(document: Document, plan: Plan, at: Path, findings: Findings) -> None:
    taken: set[str] = set()
    for n, step in enumerate(plan.steps):
        where: Path = (*at, "steps", n)
        if not step.id or len(step.id) > 64 or step.id in taken:
            why = "is already given in this plan" if step.id in taken else "must be 1 to 64 characters"
            findings.add(document, (*where, "id"), f"the step's id '{step.id[:64]}' {why}")
        taken.add(step.id)
        findings.level(step.level, document, (*where, "level"))
        _text(document, step.text, (*where, "text"), findings)
        if step.role:
            findings.reference("role", step.role, plan.roles, document, (*where, "role"))


def _check_contacts(document: Document, plan: Plan, at: Path, findings: Findings) -> None:
    for n, contact in enumerate(plan.contacts):
        where: Path = (*at, "contacts", n)
        _text(document, contact.name, (*where, "name"), findings)
        if not _PHONE.match(contact.phone):
            message = f'\'{contact.phone[:40]}\' is no phone number; quote it, as "110" or "0755-2999 0000"'
            findings.add(document, (*where, "phone"), message)
        if contact.role:
            findings.reference("role", contact.role, plan.roles, document, (*where, "role"))


def _check_drafts(document: Document, plan: Plan, at: Path, findings: Findings) -> None:
    taken: set[str] = set()
    for n, draft in enumerate(plan.drafts):
        where: Path = (*at, "drafts", n)
        if not draft.id or len(draft.id) > 64 or draft.id in taken:
            findings.add(document, (*where, "id"), f"'{draft.id[:64]}' is empty, too long, or already given")
        taken.add(draft.id)
        _text(document, draft.name, (*where, "name"), findings)
        _text(document, draft.text, (*where, "text"), findings)
        for language in ("zh", "en"):
            for name in _FILLED.findall(getattr(draft.text, language)):
                if name not in FILLED:
                    known = ", ".join(f"{{{one}}}" for one in FILLED)
                    findings.add(document, (*where, "text", language), f"{{{name[:40]}}} is not filled in; {known} are")


def _check_overlays(document: Document, plan: Plan, at: Path, folder: FilePath, findings: Findings) -> None:
    for n, overlay in enumerate(plan.overlays):
        where: Path = (*at, "overlays", n, "file")
        _text(document, overlay.name, (*at, "overlays", n, "name"), findings)
        if not _FILE.match(overlay.file):
            findings.add(document, where, f"'{overlay.file[:100]}' is no name of a .geojson file in plans/")
        elif trouble := geojson_trouble(folder / overlay.file, f"plans/{overlay.file}"):
            findings.add(document, where, trouble)


def _text(document: Document, text: Text, at: Path, findings: Findings) -> None:
    for language in ("zh", "en"):
        said = getattr(text, language)
        if not said.strip() or len(said) > MAX_TEXT:
            findings.add(document, (*at, language), f"must be 1 to {MAX_TEXT} characters long")
