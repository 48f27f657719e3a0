"""Two weeks of a small site through the desk: a slope that slides, a river's nuisances, a sensor that is out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from msgspec.structs import replace as changed

from alerts.desk import Desk
from alerts.outcome import DispatchChange, Explanation, IncidentChange, Record, Term
from alerts.situation import span_of
from sensors.site import Camera, Point, Site
from tests.alerts.cases import SITE, change, command, name

DAY = 86400.0
MONDAY = span_of("week", date(2026, 11, 16), SITE.zone).begin
LIMIT = 60.0
AT_LIMIT = Explanation(
    clause="beyond('red')", terms=(Term(name="value", value=61.0, op=">=", threshold=LIMIT, unit="mm", holds=True),)
)


def watched() -> Site:
    """Give the site points and a camera."""
    points = tuple(
        Point(id=id, name=name(id), areas=(area,), quantity="tilt", unit="mm", index=n, interval=60.0, limit=limit)
        for n, (id, area, limit) in enumerate((("p1", "slope-1", LIMIT), ("p7", "river-1", None)))
    )
    return changed(SITE, points=points, cameras=(Camera(id="k1", name=name("k1"), areas=("slope-1",)),))


def nuisance(desk: Desk, at: float, n: int) -> Iterator[Sequence[Any]]:
    """Raise an alarm at the river that is closed as a nuisance after ten minutes."""
    raised = desk.condition(change(2, rule="level", area="river-1", scope="p7", time=at), at)
    yield raised
    incident = next(one.incident for one in raised if isinstance(one, IncidentChange))
    yield desk.condition(change(0, rule="level", area="river-1", scope="p7", time=at + 60), at + 60)
    yield desk.command(command("acknowledge", incident, f"n{n}-a"), at + 120)
    yield desk.command(command("close", incident, f"n{n}-c", disposition="nuisance", reason="foam"), at + 600)


def slide(desk: Desk, at: float, word: str = "s", accept: float = 240.0) -> Iterator[Sequence[Any]]:
    """Warn in yellow, reach the limit in red 40 minutes on, send a team that is late, step down, close as real."""
    yield desk.condition(change(2, rule="creep", time=at), at)
    risen = desk.condition(replace(change(4, rule="creep", time=at + 2400), why=AT_LIMIT), at + 2400)
    yield risen
    sent = next(one for one in risen if isinstance(one, DispatchChange))
    yield desk.command(command("acknowledge", sent.incident, f"{word}1"), at + 2430)
    yield desk.command(command("accept", sent.dispatch, f"{word}2"), at + 2400 + accept)
    yield desk.command(command("on_scene", sent.dispatch, f"{word}3"), at + 3600)
    yield desk.command(command("resolve", sent.dispatch, f"{word}4"), at + 5400)
    yield desk.command(command("close", sent.dispatch, f"{word}5"), at + 5500)
    yield desk.condition(change(1, rule="creep", time=at + 5600), at + 5600)
    yield desk.condition(change(0, rule="creep", time=at + 5700), at + 5700)
    yield desk.command(command("close", sent.incident, f"{word}6", disposition="real", reason="slid"), at + 7200)


def outage(desk: Desk, at: float, level: int) -> Sequence[Any]:
    """Begin or end (level 0) the silence of the river's sensor."""
    return desk.condition(change(level, rule="no-data", scope="p7", area="river-1", kind="data_quality", time=at), at)


def weeks() -> list[Record]:
    """Play the week of 9 November, with one nuisance and a short outage, and that of the 16th, with all the rest."""
    desk = Desk(watched())
    steps: list[Sequence[Any]] = [*nuisance(desk, MONDAY - 7 * DAY + 600, 0)]
    steps += [outage(desk, MONDAY - 5 * DAY, 1), outage(desk, MONDAY - 4.5 * DAY, 0), outage(desk, MONDAY + DAY, 1)]
    for n in range(6):
        steps += nuisance(desk, MONDAY + 2 * DAY + n * 7200, n + 1)
    steps += [outage(desk, MONDAY + 3 * DAY, 0)]
    steps += slide(desk, MONDAY + 3.5 * DAY, accept=400.0)
    steps += [desk.condition(change(2, rule="creep", time=MONDAY + 5 * DAY, simulated=True), MONDAY + 5 * DAY)]
    return [Record(0, offset, tuple(outcomes)) for offset, outcomes in enumerate(steps) if outcomes]
