"""The script of a drill, as people write it: what happens when, who takes part, how fast each leg is to be."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Literal

import msgspec

from alerts.exercise import LEGS, MOST_ACTS, OBJECTIVES
from sensors.document import Document, Path, convert, read_document
from sensors.findings import Findings
from sensors.problem import DocumentError
from sensors.site import Site, Text

MAX_BYTES = 256 * 1024
LONGEST = 86400.0

Duration = float | str


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Common settings of what people write."""


class Event(Written, frozen=True):
    """A camera sees something."""

    camera: str
    kind: str


class Reported(Written, frozen=True):
    """Somebody reports something."""

    area: str
    category: str
    text: str = ""


class Act(Written, frozen=True):
    """A part that the script plays, on all incidents of the drill."""

    do: Literal["acknowledge", "dispatch", "tick", "accept", "refuse", "on_scene", "resolve", "close_dispatch", "close"]
    unit: str = ""  # whom to send, or whose order; empty is any
    step: str = ""  # of the plan


class Step(Written, frozen=True):
    """What happens at a time from the beginning on."""

    at: Duration
    say: Text | None = None
    event: Event | None = None
    report: Reported | None = None
    act: Act | None = None


class Script(Written, frozen=True):
    """A drill. `objectives` say how long after an incident's opening each leg is to be reached."""

    title: Text
    areas: tuple[str, ...]
    units: tuple[str, ...] = ()
    lasts: Duration = 3600.0
    objectives: dict[str, Duration] = {}
    steps: tuple[Step, ...] = ()

    @property
    def lasting(self) -> float:
        """How many seconds it lasts."""
        return _seconds(self.lasts)

    def seconds(self) -> dict[str, float]:
        """Give the objectives in seconds."""
        return {leg: _seconds(value) for leg, value in self.objectives.items()} or dict(OBJECTIVES)

    def ordered(self) -> list[tuple[float, Step]]:
        """List the steps by their time."""
        return sorted(((_seconds(step.at), step) for step in self.steps), key=lambda one: one[0])


def read_script(file: FilePath, site: Site) -> Script:
    """Read a drill and check it against the site. Raise `DocumentError` with every mistake."""
    document = read_document(file, max_bytes=MAX_BYTES)
    script = convert(document, Script)
    findings = Findings()
    areas = {area.id for area in site.areas}
    for i, area in enumerate(script.areas):
        findings.reference("area", area, areas, document, ("areas", i))
    if not script.areas:
        findings.add(document, ("areas",), "name the areas that it is in")
    units = {unit.id for unit in site.units}
    for i, unit in enumerate(script.units):
        findings.reference("unit", unit, units, document, ("units", i))
    findings.duration(script.lasts, document, ("lasts",), most=LONGEST)
    for leg, value in script.objectives.items():
        findings.reference("leg", leg, LEGS, document, ("objectives", leg))
        findings.duration(value, document, ("objectives", leg), most=LONGEST)
    if len(script.steps) > MOST_ACTS:
        findings.add(document, ("steps",), f"a drill has at most {MOST_ACTS} steps")
    for i, step in enumerate(script.steps):
        _check(document, ("steps", i), step, script, site, findings)
    if findings.problems:
        raise DocumentError(findings.problems)
    return script


def _check(document: Document, at: Path, step: Step, script: Script, site: Site, findings: Findings) -> None:
    if step.at not in (0, 0.0, "0", "0 s"):
        findings.duration(step.at, document, (*at, "at"), most=LONGEST)
    if step.event is not None:
        cameras = {camera.id: camera for camera in site.cameras}
        where = (*at, "event", "camera")
        if findings.reference("camera", step.event.camera, cameras, document, where):
            home = cameras[step.event.camera].areas[0]
            if home not in script.areas:
                findings.add(document, where, f"it looks at {home}, which is no area of this drill")
    if step.report is not None and step.report.area not in script.areas:
        findings.add(document, (*at, "report", "area"), f"'{step.report.area}' is no area of this drill")
    if step.act is not None:
        if step.act.unit and step.act.unit not in script.units:
            findings.add(document, (*at, "act", "unit"), f"'{step.act.unit}' takes no part in this drill")
        if step.act.do == "dispatch" and not step.act.unit:
            findings.add(document, (*at, "act", "unit"), "say whom to send")
        if step.act.do == "tick" and not step.act.step:
            findings.add(document, (*at, "act", "step"), "say which step of the plan")


def _seconds(value: Duration) -> float:
    from sensors.duration import seconds

    return seconds(value) if value != "0" else 0.0
