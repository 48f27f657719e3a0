"""Candidates: incidents of several areas of one subdistrict that rise together and may be one matter.

The desk only says so. A person merges them, or drops the thought; it comes again only when another area joins.
"""

from __future__ import annotations

from typing import Any, Literal

from alerts.casebook import Casebook
from alerts.identity import candidate_id
from alerts.incident import Candidate, Incident
from alerts.outcome import AnyOutcome, CandidateChange
from alerts.sending import ENGINE

Row = dict[str, Any]
Edge = Literal["suggested", "joined", "dropped", "merged", "over"]


def look(book: Casebook, incident: Incident, clock: float, out: list[AnyOutcome]) -> None:
    """Say so when an incident that has just risen makes enough areas of its subdistrict within the window."""
    if incident.kind != "risk" or incident.sort:
        return
    place = book.router.subdistrict(incident.area)
    if not place:
        return
    since = clock - book.settings.candidate_window
    near = [one for one in book.cases.incidents.values() if one.rose >= since and _alike(book, one, incident, place)]
    areas = {area for one in near for area in (one.area, *one.also)}
    if len(near) < 2 or len(areas) < book.settings.candidate_areas:
        return
    ids = [one.id for one in near]
    known = next((one for one in book.cases.candidates.values() if set(one.incidents) & set(ids)), None)
    if known is None:
        named = candidate_id(place, incident.id, incident.sequence)
        known = Candidate(id=named, place=place, incidents=ids, since=clock)
        known.simulated, known.exercise = incident.simulated, incident.exercise
        book.cases.candidates[named] = known
        _tell(book, known, "suggested", clock, out)
    elif not set(ids) <= set(known.incidents):
        known.incidents = list(dict.fromkeys([*known.incidents, *ids]))
        known.dropped = False
        _tell(book, known, "joined", clock, out)


def drop(book: Casebook, one: Candidate, clock: float, out: list[AnyOutcome], *, actor: str, reason: str) -> None:
    """Note that they are different matters."""
    one.dropped = True
    _tell(book, one, "dropped", clock, out, actor=actor, reason=reason)


def accept(book: Casebook, one: Candidate, clock: float, out: list[AnyOutcome], *, actor: str, reason: str) -> None:
    """Note that a person merges them: the candidate ends."""
    book.finish_candidate(one, "candidate.merged")
    _tell(book, one, "merged", clock, out, actor=actor, reason=reason)


def tidy(book: Casebook, clock: float, out: list[AnyOutcome]) -> None:
    """End the candidates of which fewer than two incidents are open."""
    for one in list(book.cases.candidates.values()):
        left = [id for id in one.incidents if id in book.cases.incidents]
        if len(left) < 2:
            book.finish_candidate(one, "candidate.over")
            _tell(book, one, "over", clock, out)
        one.incidents = left or one.incidents


def worst(book: Casebook, one: Candidate) -> Incident:
    """Return the incident that the others are merged into: the highest, of these the first."""
    return max((book.cases.incidents[id] for id in one.incidents), key=lambda found: (found.peak, -found.opened))


def fold_candidate(row: Row | None, change: CandidateChange) -> Row:
    """Bring the journal's row of a candidate up to date with a change."""
    state = {"suggested": "open", "joined": "open"}.get(change.edge, change.edge)
    return {
        "id": change.candidate,
        "partition": change.partition,
        "state": state,
        "place": change.place,
        "incidents": list(change.incidents),
        "areas": list(change.areas) or (row["areas"] if row is not None else []),  # whom it concerned
        "since": row["since"] if row is not None else change.time,
        "time": change.time,
        "by": change.actor,
        "reason": change.reason,
        "simulated": change.simulated,
    }


def _alike(book: Casebook, one: Incident, other: Incident, place: str) -> bool:
    """Tell whether two incidents could be one, and the first is active in a subdistrict."""
    same = (one.kind, one.sort, one.simulated, one.exercise) == (other.kind, "", other.simulated, other.exercise)
    if not same or not any(one.tally.loud):
        return False
    if other.apart and one is not other and not set(other.apart).isdisjoint(one.areas):  # split off by a person
        return False
    return book.router.subdistrict(one.area) == place


def _tell(
    book: Casebook,
    one: Candidate,
    edge: Edge,
    clock: float,
    out: list[AnyOutcome],
    *,
    actor: str = ENGINE,
    reason: str = "",
) -> None:
    one.sequence += 1
    found = [book.cases.incidents[id] for id in one.incidents if id in book.cases.incidents]
    out.append(
        CandidateChange(
            id=f"{one.id}.{one.sequence}",
            candidate=one.id,
            partition=book.partition,
            sequence=one.sequence,
            edge=edge,
            place=one.place,
            incidents=tuple(one.incidents),
            areas=tuple(dict.fromkeys(area for incident in found for area in (incident.area, *incident.also))),
            time=clock,
            actor=actor,
            reason=reason,
            simulated=one.simulated,
        )
    )
