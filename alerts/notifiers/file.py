"""`notify.yaml`: whom a site tells beyond its broker, and in which words; every mistake with its line and field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import getaddresses, parseaddr
from pathlib import Path as FilePath
from typing import Any

import msgspec

from alerts.notifiers import scheduled
from alerts.notifiers.pacing import read_quiet
from alerts.notifiers.scheduled import ReportPlan
from alerts.notifiers.targets import TOLD, FileTarget, MailTarget, PeopleTarget, WebhookTarget
from alerts.notifiers.wording import LANGUAGES, Templates, Voice, mistakes
from sensors.document import Document, DocumentError, Path, Problem, convert, read_document
from sensors.site import Site

MOST, MOST_RECIPIENTS = 100, 50
RESERVED = ("mqtt", "homeassistant", "webhook")
"""Names of the targets that settings make."""

EDGES = (*TOLD, "accepted", "on_scene", "resolved", "fed_back", "follow_up", "closed")

_NAMED = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_NAMES = "a name is of a to z, 0 to 9 and -, at most 32 characters"
_HOST = re.compile(r"[A-Za-z0-9.:-]{1,253}")
_MAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,190}")
_MAX_BYTES = 256 * 1024


class Listed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as it stands."""

    targets: tuple[FileTarget, ...] = ()
    reports: tuple[ReportPlan, ...] = ()
    templates: Templates = Templates()


def read(path: FilePath, site: Site | None = None) -> Listed:
    """Read a file of targets; areas and units are looked up where the `site` is given.

    Secrets are not looked at: they may be on another machine. Raise `DocumentError` with all mistakes.
    """
    document = read_document(path, max_bytes=_MAX_BYTES, name=path.name)
    listed = convert(document, Listed)
    problems = list(_problems(document, listed, site))
    if problems:
        raise DocumentError(problems)
    return listed


def expanded(listed: Listed) -> tuple[FileTarget, ...]:
    """Give each recipient of mail a target of its own: each has its codes, its limits and its letters."""
    targets: list[FileTarget] = []
    for target in listed.targets:
        if isinstance(target, MailTarget):
            targets += [
                msgspec.structs.replace(target, name=f"{target.name}:{parseaddr(one)[1].lower()}", to=(one,))
                for one in target.to
            ]
        else:
            targets.append(target)
    return tuple(targets)


def voice_of(site: Site, templates: Templates) -> Voice:
    """Say how a site's people are told."""
    return Voice(
        site=site.id,
        name={"zh": site.name.zh, "en": site.name.en},
        zone=site.zone,
        language=site.language,
        console=site.console,
        areas={area.id: {"zh": area.name.zh, "en": area.name.en} for area in site.areas},
        templates=templates,
    )


def _problems(document: Document, listed: Listed, site: Site | None) -> Iterator[Problem]:
    if len(listed.targets) > MOST:
        yield document.problem(("targets",), f"{len(listed.targets)} targets; at most {MOST}")
    names: set[str] = set()
    for place, target in enumerate(listed.targets):
        at: Path = ("targets", place)
        if not _NAMED.fullmatch(target.name):
            yield document.problem((*at, "name"), _NAMES)
        elif target.name in RESERVED:
            yield document.problem((*at, "name"), f"{target.name} is the name of a target that the settings make")
        elif target.name in names:
            yield document.problem((*at, "name"), f"two targets are named {target.name}")
        names.add(target.name)
        for field, message in (*_numbers(target), *_of_kind(target), *_of_people(target, site)):
            yield document.problem((*at, field), message)
    if len(listed.reports) > scheduled.MOST:
        yield document.problem(("reports",), f"{len(listed.reports)} reports; at most {scheduled.MOST}")
    plans: set[str] = set()
    for place, plan in enumerate(listed.reports):
        if not _NAMED.fullmatch(plan.name):
            yield document.problem(
                ("reports", place, "name"), "a name is of a to z, 0 to 9 and -, at most 32 characters"
            )
        elif plan.name in plans:
            yield document.problem(("reports", place, "name"), f"two reports are named {plan.name}")
        plans.add(plan.name)
        for field, message in scheduled.mistakes(plan, names, site):
            yield document.problem(("reports", place, field), message)
    for language in LANGUAGES:
        for field, message in mistakes(getattr(listed.templates, language)):
            yield document.problem(("templates", language, field), message)


def _numbers(target: FileTarget) -> Iterator[tuple[str, str]]:
    limits: dict[str, tuple[float, float]] = {
        "attempts": (1, 1000),
        "retry_first": (0.1, 3600),
        "retry_cap": (1, 86400),
        "timeout": (1, 60),
        "per_minute": (0, 6000),
        "reply_hours": (0.1, 168),
        "port": (0, 65535),
        "max_bytes": (1024, 16 << 20),
    }
    for field, (least, most) in limits.items():
        value = getattr(target, field, least)
        if not least <= value <= most:
            yield field, f"{value:g} is not from {least:g} to {most:g}"


def _secret(target: Any, name: str, what: str, needed: bool) -> Iterator[tuple[str, str]]:
    env, file = getattr(target, f"{name}_env"), getattr(target, f"{name}_file")
    if env and file:
        yield f"{name}_file", f"name {name}_env or {name}_file, not both"
    elif needed and not env and not file:
        yield "kind", f"{what} needs {name}_file (or {name}_env): secrets do not stand in this file"


def _of_kind(target: FileTarget) -> Iterator[tuple[str, str]]:
    if isinstance(target, WebhookTarget):
        from alerts.notifiers.webhook import wrong_url

        if wrong := wrong_url(target.url):
            yield "url", wrong
        yield from _secret(target, "secret", "a webhook", True)
    elif isinstance(target, MailTarget):
        if not _HOST.fullmatch(target.host):
            yield "host", "must name a machine"
        if not _MAIL.fullmatch(parseaddr(target.sender)[1]) or not target.sender.isprintable():
            yield "sender", "must be an address of mail"
        if not 1 <= len(target.to) <= MOST_RECIPIENTS:
            yield "to", f"names 1 to {MOST_RECIPIENTS} people"
        seen: set[str] = set()
        for one in target.to:
            address = parseaddr(one)[1].lower()
            if not _MAIL.fullmatch(address) or not one.isprintable() or len(getaddresses([one])) != 1:
                yield "to", f"{one[:80]!r} is no address of mail"
            elif address in seen:
                yield "to", f"{address} stands there twice"
            seen.add(address)
        yield from _secret(target, "password", "a username", bool(target.username))
        if target.tls == "none" and (target.username or target.password_env or target.password_file):
            yield "tls", "a password is sent over TLS only: say starttls or implicit"
        if target.tls == "none" and target.ca_file:
            yield "ca_file", "is of no use without TLS"
    else:
        yield from _secret(target, "url", "a chat", True)


def _of_people(target: FileTarget, site: Site | None) -> Iterator[tuple[str, str]]:
    if not isinstance(target, PeopleTarget):
        return
    try:
        read_quiet(target.quiet, "UTC")
    except ValueError as error:
        yield "quiet", str(error)
    yield from _secret(target, "callback", "a callback", False)
    known = (
        ("edges", target.edges, set(EDGES)),
        ("areas", target.areas, None if site is None else {area.id for area in site.areas}),
        ("on_duty", target.on_duty, None if site is None else _accounts(site)),
        ("units", target.units, None if site is None else {unit.id for unit in site.units}),
    )
    for field, named, there in known:
        unknown = [one for one in named if there is not None and one not in there]
        if unknown:
            yield (
                field,
                f"there is no {unknown[0][:80]}" + (f"; there are {', '.join(EDGES)}" if field == "edges" else ""),
            )


def _accounts(site: Site) -> set[str]:
    """Name the accounts that the roster puts on duty at some time."""
    return {who for shift in site.shifts for who in shift.staff.values()} | {duty.account for duty in site.duties}


__all__ = ["Listed", "expanded", "read", "voice_of"]
