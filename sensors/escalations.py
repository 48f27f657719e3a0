"""Check the escalation chains of a site and fill in their durations."""

from __future__ import annotations

from collections.abc import Collection
from typing import get_args

from sensors.document import Document, Path
from sensors.findings import Findings
from sensors.site import Escalation, EscalationStep, UnitKind
from sensors.site_files import EscalationEntry, StepEntry

MAX_CHAINS = 64
MAX_STEPS = 32
MAX_REPEAT = 20
MAX_NOTIFIED = 16
LONGEST_WAIT = 7 * 86400.0


def escalations(
    document: Document,
    entries: tuple[EscalationEntry, ...],
    area_types: Collection[str] | None,
    units: Collection[str] | None,
    findings: Findings,
) -> tuple[Escalation, ...]:
    """Check the chains and return them; `area_types` and `units` are None when not all of the site's are known."""
    if len(entries) > MAX_CHAINS:
        findings.add(document, ("escalation",), f"a site has at most {MAX_CHAINS} escalation chains")
        return ()
    found = []
    for i, entry in enumerate(entries):
        path: Path = ("escalation", i)
        for n, level in enumerate(entry.levels):
            findings.level(level, document, (*path, "levels", n))
        for n, kind in enumerate(entry.types):
            findings.reference("area type", kind, area_types, document, (*path, "types", n))
        if not 1 <= len(entry.steps) <= MAX_STEPS:
            findings.add(document, (*path, "steps"), f"a chain has 1 to {MAX_STEPS} steps")
            continue
        steps = tuple(_step(one, document, (*path, "steps", n), units, findings) for n, one in enumerate(entry.steps))
        found.append(Escalation(levels=entry.levels, types=entry.types, steps=steps))
    return tuple(found)


def _step(
    entry: StepEntry, document: Document, path: Path, units: Collection[str] | None, findings: Findings
) -> EscalationStep:
    wait = 0.0
    if entry.wait:  # none at all is at once
        wait = findings.duration(entry.wait, document, (*path, "wait"), most=LONGEST_WAIT)
    if not 1 <= entry.repeat <= MAX_REPEAT:
        findings.add(document, (*path, "repeat"), f"a step is done 1 to {MAX_REPEAT} times")
    elif entry.repeat > 1 and wait < 1.0:
        findings.add(document, (*path, "wait"), "a step that is repeated waits at least a second before each time")
    if (entry.do == "notify") != bool(entry.notify):
        findings.add(document, (*path, "notify"), "name whom to notify with `do: notify`, and only there")
    if len(entry.notify) > MAX_NOTIFIED:
        findings.add(document, (*path, "notify"), f"a step notifies at most {MAX_NOTIFIED}")
    for n, name in enumerate(entry.notify):
        if name not in get_args(UnitKind):
            findings.reference("unit", name, units, document, (*path, "notify", n))
    return EscalationStep(wait=wait, do=entry.do, notify=entry.notify, repeat=entry.repeat)
