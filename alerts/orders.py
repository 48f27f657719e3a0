"""Commands of operators, units and cameras: each one done, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast, get_args

from alerts import dispatch as legs
from alerts.alarm import Alarm, Edge, Refusal, step
from alerts.casebook import Casebook, bound
from alerts.dispatch import Dispatch, set_deadline
from alerts.grouping import note_member, settle, standing, take_edge
from alerts.incident import DISPOSITIONS, Incident
from alerts.outcome import AnyOutcome, CommandResult
from alerts.sending import attend, finish, issue, pass_to_next
from alerts.shelve import ENDS, Way, bring_back, set_aside
from sensors.observation import Command

Case = Alarm | Incident | Dispatch


def answer(book: Casebook, command: Command, clock: float) -> list[AnyOutcome]:
    """Do a command or refuse it; the last outcome is its result. A repeated id changes nothing and gives nothing."""
    if command.id in book.cases.answered:
        return []
    bound(book.cases.answered, book.settings.remember)
    book.cases.answered[command.id] = True
    out: list[AnyOutcome] = []
    try:
        _do(book, command, clock, out)
    except Refusal as refusal:
        # every order checks before it changes anything, so that a refusal leaves no trace but its answer
        result = CommandResult(id=command.id, ok=False, target=command.target, reason=refusal.key, time=clock)
        return [result]
    out.append(CommandResult(id=command.id, ok=True, target=command.target, time=clock))
    return out


def _do(book: Casebook, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    case = _find(book, command.target)
    handler = _HANDLERS.get((type(case), command.kind))
    if handler is None:
        raise Refusal("unknown_command")
    expected = command.args.get("sequence")
    if expected is not None and expected != case.sequence:
        raise Refusal("stale")
    handler(book, case, command, clock, out)


def _find(book: Casebook, target: str) -> Case:
    cases = book.cases
    found: Case | None = cases.alarms.get(target) or cases.incidents.get(target) or cases.dispatches.get(target)
    if found is None:
        raise Refusal(cases.gone.get(target, "unknown_target"))
    return found


# Alarms


def _acknowledge_alarm(book: Casebook, alarm: Alarm, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    after = step(alarm.state, "acknowledge")
    reason = _text(book, command, "text", "reason")
    incident = book.cases.incidents.get(alarm.incident)
    was = standing(incident) if incident is not None else None
    out.append(book.alarm_record(alarm, "acknowledge", after, clock, actor=command.actor, reason=reason))
    if incident is not None and was is not None:
        note_member(incident, alarm)
        attend(incident)
        settle(book, incident, was, clock, out, actor=command.actor, reason=reason)
    if alarm.state == "NORM":
        book.finish_alarm(alarm, "alarm.already_acknowledged")


def _reset_alarm(book: Casebook, alarm: Alarm, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    """End an alarm that only its latch holds; who does so has acknowledged it before."""
    if not alarm.latch:
        raise Refusal("alarm.not_latched")
    if alarm.state != "ACKED":
        raise Refusal("alarm.acknowledge_first" if alarm.state == "UNACK" else "alarm.not_latched")
    if alarm.process:
        raise Refusal("alarm.still_active")
    reason = _text(book, command, "reason") or "alarm.reset"
    take_edge(book, alarm, "return", 0, clock, out, actor=command.actor, reason=reason)


def _incident_of(book: Casebook, alarm: Alarm) -> Incident:
    incident = book.cases.incidents.get(alarm.incident)
    if incident is None:
        raise Refusal("incident.closed")
    return incident


def _comment_alarm(book: Casebook, alarm: Alarm, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    text = _text(book, command, "text")
    if not text:
        raise Refusal("text_needed")
    out.append(book.alarm_record(alarm, "comment", alarm.state, clock, actor=command.actor, reason=text))
    incident = book.cases.incidents.get(alarm.incident)
    if incident is not None:
        _comment(book, incident, command, clock, out)


def _assign_alarm(book: Casebook, alarm: Alarm, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    to = command.args.get("to", command.actor)
    if not isinstance(to, str) or len(to) > 128:
        raise Refusal("bad_argument")
    reason = _text(book, command, "reason")
    if to.strip() == alarm.assignee:
        raise Refusal("alarm.already_assigned")
    alarm.assignee = to.strip()
    out.append(book.alarm_record(alarm, "assign", alarm.state, clock, actor=command.actor, reason=reason))


def _set_aside(book: Casebook, alarm: Alarm, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    reason, way = _text(book, command, "reason"), cast(Way, command.kind)
    seconds = command.args.get("seconds")
    set_aside(book, alarm, way, seconds, clock, out, actor=command.actor, reason=reason)


def _bring_back(book: Casebook, alarm: Alarm, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    reason, edge = _text(book, command, "reason"), cast(Edge, command.kind)
    bring_back(book, alarm, edge, clock, out, actor=command.actor, reason=reason)


def _snapshot_alarm(book: Casebook, alarm: Alarm, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    _snapshot(book, _incident_of(book, alarm), command, clock, out)


# Incidents


def _acknowledge(book: Casebook, incident: Incident, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    if incident.acknowledged:
        raise Refusal("incident.already_acknowledged")
    reason = _text(book, command, "text", "reason")
    was = standing(incident)
    attend(incident)
    _acknowledge_all(book, incident, command.actor, reason, clock, out)
    settle(book, incident, was, clock, out, actor=command.actor, edge="acknowledged", reason=reason)


def _acknowledge_all(
    book: Casebook, incident: Incident, actor: str, reason: str, clock: float, out: list[AnyOutcome]
) -> None:
    for id in [id for id, member in incident.members.items() if not member.acknowledged]:
        alarm = book.cases.alarms[id]
        after = step(alarm.state, "acknowledge")
        out.append(book.alarm_record(alarm, "acknowledge", after, clock, actor=actor, reason=reason))
        note_member(incident, alarm)
        if alarm.state == "NORM":
            book.finish_alarm(alarm, "alarm.already_acknowledged")


def _dispatch(book: Casebook, incident: Incident, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    note = _text(book, command, "note")
    unit = command.args.get("unit")
    on_it = {book.cases.dispatches[id].unit for id in incident.dispatches}
    if unit is None or unit == "":
        suggested = book.router.suggest(incident.area, incident.kind, on_it)
        if not suggested:
            raise Refusal("dispatch.no_unit")
        unit = suggested[0]
    if not isinstance(unit, str) or unit not in book.router.units:
        raise Refusal("unknown_unit")
    if unit in on_it:
        raise Refusal("dispatch.already_sent")
    issue(book, incident, unit, clock, out, actor=command.actor, note=note)


def _comment(book: Casebook, incident: Incident, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    text = _text(book, command, "text")
    if not text:
        raise Refusal("text_needed")
    attend(incident)
    out.append(
        book.incident_record(incident, "commented", clock, actor=command.actor, reason=text, args={"text": text})
    )


def _snapshot(book: Casebook, incident: Incident, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    camera, sha, time = (command.args.get(name) for name in ("camera", "sha", "time"))
    if not (isinstance(camera, str) and 0 < len(camera) <= 128 and _is_sha(sha)):
        raise Refusal("bad_argument")
    if isinstance(time, bool) or not isinstance(time, int | float):
        raise Refusal("bad_argument")
    picture = f"{camera}/{sha}"
    if picture in incident.snapshots:
        raise Refusal("dispatch.already_done")
    if len(incident.snapshots) >= book.settings.most_snapshots:
        raise Refusal("too_many")
    incident.snapshots.append(picture)
    args = {"camera": camera, "sha": sha, "time": float(time)}
    out.append(book.incident_record(incident, "snapshot", clock, actor=command.actor, args=args))


def _close(book: Casebook, incident: Incident, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    disposition = command.args.get("disposition")
    reason = _text(book, command, "reason")
    if disposition not in DISPOSITIONS:
        raise Refusal("unknown_disposition")
    if incident.dispatches:
        raise Refusal("incident.dispatch_open")
    if disposition == "real" and not incident.calm:
        raise Refusal("incident.active")
    # who says what it was has seen it: closing acknowledges; alarms still active stay so, outside any incident
    _acknowledge_all(book, incident, command.actor, reason, clock, out)
    close(book, incident, clock, out, actor=command.actor, reason=reason, disposition=disposition)


def close(
    book: Casebook,
    incident: Incident,
    clock: float,
    out: list[AnyOutcome],
    *,
    actor: str,
    reason: str,
    disposition: str = "",
) -> None:
    """Close an incident."""
    incident.state = "closed"
    book.finish_incident(incident)
    out.append(book.incident_record(incident, "closed", clock, actor=actor, reason=reason, disposition=disposition))


# Dispatches


def _leg(book: Casebook, dispatch: Dispatch, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    who, _, name = command.actor.partition(":")
    if who == "unit" and name != dispatch.unit:
        raise Refusal("dispatch.other_unit")
    if who == "unit" and command.kind == "close" and dispatch.leg != "resolved":
        # a recall is the desk's: a unit that cannot go refuses, which sends the next one
        raise Refusal("dispatch.not_resolved")
    reason = _text(book, command, "reason") or _text(book, command, "note")
    order: Any = command.kind
    dispatch.leg = legs.step(dispatch.leg, order, reason)
    set_deadline(dispatch, book.site.deadlines, clock)
    out.append(book.dispatch_record(dispatch, dispatch.leg, clock, actor=command.actor, reason=reason))
    if dispatch.leg == "refused":
        pass_to_next(book, dispatch, clock, out)
    elif dispatch.leg == "closed":
        finish(book, dispatch, clock, out, actor=command.actor, reason=reason or "dispatch.closed")


# Arguments


def _text(book: Casebook, command: Command, *names: str) -> str:
    """Return the first text given under one of these names, empty when there is none."""
    for name in names:
        value = command.args.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise Refusal("bad_argument")
        if len(value) > book.settings.longest_text:
            raise Refusal("too_long")
        if value.strip():
            return value.strip()
    return ""


def _is_sha(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and all(digit in "0123456789abcdef" for digit in value)


_HANDLERS: dict[tuple[type, str], Callable[..., None]] = {
    (Alarm, "acknowledge"): _acknowledge_alarm,
    (Alarm, "comment"): _comment_alarm,
    (Alarm, "snapshot"): _snapshot_alarm,
    (Alarm, "reset"): _reset_alarm,
    (Alarm, "assign"): _assign_alarm,
    **{(Alarm, way): _set_aside for way in get_args(Way)},
    **{(Alarm, edge): _bring_back for edge in ENDS.values()},
    (Incident, "acknowledge"): _acknowledge,
    (Incident, "dispatch"): _dispatch,
    (Incident, "comment"): _comment,
    (Incident, "snapshot"): _snapshot,
    (Incident, "close"): _close,
    (Dispatch, "accept"): _leg,
    (Dispatch, "refuse"): _leg,
    (Dispatch, "on_scene"): _leg,
    (Dispatch, "resolve"): _leg,
    (Dispatch, "close"): _leg,
}
