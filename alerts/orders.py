"""Commands of operators, units and cameras: each one done, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast, get_args

import msgspec

from alerts import candidate, drill, plans, regrouping, signing
from alerts import dispatch as legs
from alerts.alarm import Alarm, Edge, Refusal, step
from alerts.casebook import Casebook, bound
from alerts.dispatch import Dispatch, set_deadline
from alerts.exercise import ENDED
from alerts.grouping import note_member, rings_key, settle, standing, take_edge
from alerts.incident import DISPOSITIONS, Candidate, Incident
from alerts.outcome import AnyOutcome, Attachment, CommandResult
from alerts.sending import attend, await_visit, finish, hand_lead_over, note_refusal, pass_on, pass_to_next, send
from alerts.shelve import ENDS, Way, bring_back, set_aside
from sensors.observation import Command, Exercise

Case = Alarm | Incident | Dispatch | Candidate

MOST_UNITS = 16
"""Units that one order sends."""

MOST_LISTED = 200
"""Alarms, orders or incidents that one order lists."""

ATTACHED = ("image/jpeg", "application/pdf")
"""What may be put with an alarm."""

LONGEST_NAME = 160
"""Characters of the name of a file."""

LATEST_VISIT = 366 * 86400.0
"""Seconds within which a follow-up visit is due at the latest."""


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
    if command.kind == "sign_handover":
        signing.take_over(book, command, clock, out, _text(book, command, "comment"))
        return
    case = _find(book, command.target)
    handler = _HANDLERS.get((type(case), command.kind))
    if handler is None:
        raise Refusal("unknown_command")
    if command.args.get("sequence") is not None:
        _check_seen(case, command.kind, command.args["sequence"])
    handler(book, case, command, clock, out)


def _check_seen(case: Case, kind: str, seen: Any) -> None:
    """Raise `Refusal` for who orders by what has changed since: a verdict holds as long as nothing got worse.

    A comment, a picture or a unit on its way must not keep anybody from acknowledging.
    """
    verdict = kind in ("acknowledge", "close") and isinstance(seen, int) and seen <= case.sequence
    if verdict and isinstance(case, Alarm | Incident):
        if seen < case.worsened:
            raise Refusal("worse")
    elif seen != case.sequence:
        raise Refusal("stale")


def _find(book: Casebook, target: str) -> Case:
    cases = book.cases
    held: tuple[dict[str, Any], ...] = (cases.alarms, cases.incidents, cases.dispatches, cases.candidates)
    found: Case | None = next((kind[target] for kind in held if target in kind), None)
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
        note_member(book, incident, alarm)
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
        _comment(book, incident, command, clock, out, alarm=alarm.id)


def _attach(book: Casebook, alarm: Alarm, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    """Put a file with an alarm, and note it with its incident. What the file holds was looked at before."""
    sha, type, name, size = (command.args.get(one) for one in ("sha", "type", "name", "bytes"))
    if not (isinstance(sha, str) and _is_sha(sha)) or type not in ATTACHED or not isinstance(name, str):
        raise Refusal("bad_argument")
    if len(name) > LONGEST_NAME or isinstance(size, bool) or not isinstance(size, int) or size <= 0:
        raise Refusal("bad_argument")
    if sha in alarm.attached:
        raise Refusal("alarm.already_attached")
    if len(alarm.attached) >= book.settings.most_attachments:
        raise Refusal("too_many")
    file, reason = Attachment(sha=sha, type=type, name=name, bytes=size), _text(book, command, "text", "reason")
    alarm.attached.append(sha)
    out.append(
        book.alarm_record(alarm, "attach", alarm.state, clock, actor=command.actor, reason=reason, attachment=file)
    )
    incident = book.cases.incidents.get(alarm.incident)
    if incident is not None:
        attend(incident)
        args = {"alarm": alarm.id, "attachment": msgspec.to_builtins(file)}
        out.append(book.incident_record(incident, "attached", clock, actor=command.actor, reason=reason, args=args))


def _assign_alarm(book: Casebook, alarm: Alarm, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    to = command.args.get("to", command.actor)
    if not isinstance(to, str) or len(to) > 128:
        raise Refusal("bad_argument")
    to, reason = to.strip(), _text(book, command, "reason")
    if not to:
        raise Refusal("alarm.assignee_needed")
    if to == alarm.assignee:
        raise Refusal("alarm.already_assigned")
    alarm.assignee = to
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
        note_member(book, incident, alarm)
        if alarm.state == "NORM":
            book.finish_alarm(alarm, "alarm.already_acknowledged")


def _dispatch(book: Casebook, incident: Incident, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    note = _text(book, command, "note")
    working = book.working(incident)
    on_it = {dispatch.unit for dispatch in working}
    leading = book.together(incident)
    place = _place(incident, command)
    units = _units(book, incident, command, on_it)
    if not units:
        units = book.suggest(incident, clock, on_it, place)[:1]
    if not units:
        raise Refusal("dispatch.no_unit")
    lead = command.args.get("lead") or (leading[0].lead or leading[0].unit if leading else units[0])
    if lead not in (*units, *on_it):
        raise Refusal("dispatch.lead_not_sent")
    send(book, incident, units, lead, note, clock, out, actor=command.actor, area=place)


def _place(incident: Incident, command: Command) -> str:
    """Read to which area of an incident an order sends: where none is named, to that of its cause."""
    place = command.args.get("area") or incident.at or incident.area
    if place not in incident.areas:
        raise Refusal("incident.not_its_area")
    return str(place)


def _units(book: Casebook, incident: Incident, command: Command, on_it: set[str]) -> list[str]:
    """Read the units that an order names. Raise `Refusal` on one that is none, or is on it already."""
    named, one = command.args.get("units"), command.args.get("unit")
    if named is not None and (one or not isinstance(named, list | tuple)):
        raise Refusal("bad_argument")
    asked = named or ([one] if one else [])
    if not all(isinstance(unit, str) for unit in asked):
        raise Refusal("unknown_unit")
    units = list(dict.fromkeys(asked))
    if len(units) > MOST_UNITS:
        raise Refusal("too_many")
    for unit in units:
        if unit not in book.router.units:
            raise Refusal("unknown_unit")
        if not book.takes_part(incident, unit):
            raise Refusal("exercise.other_unit")
        if unit in on_it:
            raise Refusal("dispatch.already_sent")
    return units


def _comment(
    book: Casebook, incident: Incident, command: Command, clock: float, out: list[AnyOutcome], *, alarm: str = ""
) -> None:
    """Note something on an incident, or on an `alarm` of it: who may not see that one does not read the note."""
    text = _text(book, command, "text")
    if not text:
        raise Refusal("text_needed")
    attend(incident)
    args = {"text": text, "alarm": alarm} if alarm else {"text": text}
    out.append(book.incident_record(incident, "commented", clock, actor=command.actor, reason=text, args=args))


def _tick(book: Casebook, incident: Incident, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    """Tick a step of the incident's plan, or take the tick back."""
    plan, step = book.plan_of(incident), command.args.get("step")
    note = _text(book, command, "note", "reason")
    if command.kind == "tick":
        done, edge = plans.tick(plan, incident.ticks, step, command.actor, clock, note), "ticked"
        attend(incident)
    else:
        done, edge = plans.untick(plan, incident.ticks, step, note), "unticked"
    args = {"plan": incident.plan, "step": done}
    out.append(book.incident_record(incident, edge, clock, actor=command.actor, reason=note, args=args))


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


def _merge(book: Casebook, incident: Incident, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    reason, others = _text(book, command, "reason"), _list(command, "incidents")
    regrouping.merge(book, incident, others, clock, out, actor=command.actor, reason=reason)
    candidate.tidy(book, clock, out)


def _accept(book: Casebook, one: Candidate, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    """Merge what rose together, into the worst."""
    reason = _text(book, command, "reason")
    into = candidate.worst(book, one)
    others = [id for id in one.incidents if id != into.id]
    most = len(others)  # what the desk itself has put together is merged whole
    regrouping.merge(book, into, others, clock, out, actor=command.actor, reason=reason, most=most)
    candidate.accept(book, one, clock, out, actor=command.actor, reason=reason)
    candidate.tidy(book, clock, out)


def _drop(book: Casebook, one: Candidate, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    if one.dropped:
        raise Refusal("candidate.dropped")
    candidate.drop(book, one, clock, out, actor=command.actor, reason=_text(book, command, "reason"))


def _split(book: Casebook, incident: Incident, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    reason = _text(book, command, "reason")
    alarms, dispatches = _list(command, "alarms"), _list(command, "dispatches")
    regrouping.split(book, incident, alarms, dispatches, clock, out, actor=command.actor, reason=reason)


def _close(book: Casebook, incident: Incident, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    disposition = command.args.get("disposition")
    reason = _text(book, command, "reason")
    if disposition not in DISPOSITIONS:
        raise Refusal("unknown_disposition")
    if not reason and book.asks_for_verdict(incident):
        raise Refusal("reason_needed")
    if incident.dispatches:
        raise Refusal("incident.dispatch_open")
    members = [(book.cases.alarms[id], member.rank > 0) for id, member in incident.members.items()]
    happened = [alarm for alarm, active in members if alarm.sort or (active and alarm.of_events)]
    if disposition == "real" and any(active and alarm not in happened for alarm, active in members):
        raise Refusal("incident.active")
    # who says what it was has seen it: closing acknowledges; alarms still active stay so, outside any incident
    _acknowledge_all(book, incident, command.actor, reason, clock, out)
    for alarm in happened:  # what people told of, and what only happened, ends with its case: it is no standing danger
        if alarm.of_events:
            _note_settled(book, alarm)
        _end(book, alarm, clock, out, actor=command.actor, reason=reason)
    close(book, incident, clock, out, actor=command.actor, reason=reason, disposition=disposition)


def _note_settled(book: Casebook, alarm: Alarm) -> None:
    """Remember of an alarm that is to end that its condition may hold on; what people told of has none."""
    if alarm.process and not alarm.sort:
        book.cases.settled[rings_key(alarm)] = alarm.incident


def _end(book: Casebook, alarm: Alarm, clock: float, out: list[AnyOutcome], *, actor: str, reason: str) -> None:
    """Bring an alarm that was acknowledged or set aside to its end, whatever its condition says."""
    if alarm.state != "NORM":
        take_edge(book, alarm, ENDS.get(alarm.state, "return"), 0, clock, out, actor=actor, reason=reason)


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
    candidate.tidy(book, clock, out)


# Drills


def exercise(book: Casebook, what: Exercise, clock: float) -> list[AnyOutcome]:
    """Begin or end a drill. At its end whoever is under way is called back, and its incidents are closed as tests.

    Its alarms end too, though what was played may hold on: one that rose later would open a case of a drill that is
    over, in which nobody takes part and which nobody would ever close. What falls level by level after it is settled.
    """
    out: list[AnyOutcome] = []
    if what.edge == "begin":
        drill.begin(book, what, clock, out)
        return out
    if book.cases.drills.pop(what.id, None) is None:
        return out
    for order in [one for one in book.cases.dispatches.values() if one.exercise == what.id]:  # visits to come as well
        recalled = order.leg in legs.WORKING
        order.leg, order.deadline, order.remind_at = "closed", None, None
        out.append(book.dispatch_record(order, "closed", clock, actor=what.actor, reason=ENDED, recalled=recalled))
        book.finish_dispatch(order)
    incidents = [one for one in book.cases.incidents.values() if one.exercise == what.id]
    for incident in incidents:
        for id in incident.members:  # nobody is sent to mend what ends with the next steps
            incident.mending.setdefault(book.cases.alarms[id].scope, "")
        _acknowledge_all(book, incident, what.actor, ENDED, clock, out)
    for alarm in [one for one in book.cases.alarms.values() if one.exercise == what.id]:
        if alarm.state in ("UNACK", "RTNUN"):  # its incident was closed before
            after = step(alarm.state, "acknowledge")
            out.append(book.alarm_record(alarm, "acknowledge", after, clock, actor=what.actor, reason=ENDED))
        alarm.latch = False
        _note_settled(book, alarm)
        if alarm.state == "NORM":
            book.finish_alarm(alarm, "alarm.normal")
        _end(book, alarm, clock, out, actor=what.actor, reason=ENDED)
    for incident in incidents:
        close(book, incident, clock, out, actor=what.actor, reason=ENDED, disposition="test")
    out.append(drill.record(what, clock))
    return out


# Dispatches


def _leg(book: Casebook, dispatch: Dispatch, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    _own(dispatch, command)
    if command.actor.startswith("unit:") and command.kind == "close" and dispatch.leg in legs.WORKING:
        # a recall is the desk's: a unit that cannot go refuses, which sends the next one
        raise Refusal("dispatch.not_resolved")
    reason = _text(book, command, "reason") or _text(book, command, "note")
    order: Any = command.kind
    needs = book.needs(dispatch)
    after = legs.step(dispatch.leg, order, reason, needs)
    seconds = _seconds(command, LATEST_VISIT) if order == "follow_up" else None
    recalled = after == "closed" and dispatch.leg in legs.WORKING
    dispatch.leg = after
    set_deadline(dispatch, book.site.deadlines, clock, needs, seconds)
    out.append(book.dispatch_record(dispatch, after, clock, actor=command.actor, reason=reason, recalled=recalled))
    note_refusal(book, dispatch)
    if dispatch.leg == "refused":
        pass_to_next(book, dispatch, clock, out)
    elif dispatch.leg == "resolved":
        hand_lead_over(book, dispatch, clock, out)
    elif dispatch.leg == "follow_up":
        await_visit(book, dispatch, clock, out, actor=command.actor)
    elif dispatch.leg == "closed":
        finish(book, dispatch, clock, out, actor=command.actor, reason=reason or "dispatch.closed")


def _own(dispatch: Dispatch, command: Command) -> None:
    """Raise `Refusal` when a unit orders of what is another's."""
    who, _, name = command.actor.partition(":")
    if who == "unit" and name != dispatch.unit:
        raise Refusal("dispatch.other_unit")


def _refer(book: Casebook, dispatch: Dispatch, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    """Hand a dispatch over to another body (mediation, a tribunal, psychological support): its trail goes on."""
    _own(dispatch, command)
    if dispatch.leg == "follow_up":
        raise Refusal("dispatch.visit_only")
    reason = _text(book, command, "reason")
    if not reason:
        raise Refusal("reason_needed")
    to, incident = command.args.get("to"), book.cases.incidents.get(dispatch.incident)
    if not isinstance(to, str) or to not in book.router.units:
        raise Refusal("unknown_unit")
    if not book.takes_part(dispatch, to):
        raise Refusal("exercise.other_unit")
    if to == dispatch.unit or (incident is not None and to in {one.unit for one in book.working(incident)}):
        raise Refusal("dispatch.already_sent")
    pass_on(book, dispatch, to, clock, out, reason=reason, actor=command.actor, edge="referred")


def _call(book: Casebook, dispatch: Dispatch, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    """Call other units to a scene: the one whose dispatch it is whistles, and leads unless another does."""
    _own(dispatch, command)
    if dispatch.leg not in legs.WORKING:
        raise Refusal("dispatch.already_done")
    incident = book.cases.incidents.get(dispatch.incident)
    if incident is None:
        raise Refusal("incident.closed")
    note = _text(book, command, "note")
    units = _units(book, incident, command, {one.unit for one in book.working(incident)})
    if not units:
        raise Refusal("unknown_unit")
    lead = dispatch.lead or dispatch.unit
    if dispatch.device:  # who mends one device leads nobody
        working = book.together(incident)
        lead = working[0].lead or working[0].unit if working else units[0]
    send(book, incident, units, lead, note, clock, out, actor=command.actor, area=dispatch.area)


def _tick_dispatched(book: Casebook, dispatch: Dispatch, command: Command, clock: float, out: list[AnyOutcome]) -> None:
    """Tick a step from a dispatch: whoever was sent works on the incident's one checklist."""
    _own(dispatch, command)
    incident = book.cases.incidents.get(dispatch.incident)
    if incident is None:
        raise Refusal("incident.closed")
    _tick(book, incident, command, clock, out)


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
        told = value.replace("\0", "").strip()  # PostgreSQL takes no NUL
        if told:
            return told
    return ""


def _list(command: Command, name: str) -> list[str]:
    """Return the ids that a command lists under a name. Raise `Refusal` on anything else, or on too many."""
    found = command.args.get(name) or []
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
        raise Refusal("bad_argument")
    if len(found) > MOST_LISTED:
        raise Refusal("too_many")
    return list(found)


def _seconds(command: Command, most: float) -> float | None:
    """Return the seconds that a command gives, None when it gives none. Raise `Refusal` beyond 0 to `most`."""
    seconds = command.args.get("seconds")
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= most:
        raise Refusal("bad_argument")
    return float(seconds)


def _is_sha(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and all(digit in "0123456789abcdef" for digit in value)


_HANDLERS: dict[tuple[type, str], Callable[..., None]] = {
    (Alarm, "acknowledge"): _acknowledge_alarm,
    (Alarm, "comment"): _comment_alarm,
    (Alarm, "snapshot"): _snapshot_alarm,
    (Alarm, "reset"): _reset_alarm,
    (Alarm, "assign"): _assign_alarm,
    (Alarm, "attach"): _attach,
    **{(Alarm, way): _set_aside for way in get_args(Way)},
    **{(Alarm, edge): _bring_back for edge in ENDS.values()},
    (Incident, "acknowledge"): _acknowledge,
    (Incident, "dispatch"): _dispatch,
    (Incident, "comment"): _comment,
    (Incident, "snapshot"): _snapshot,
    (Incident, "close"): _close,
    (Incident, "merge"): _merge,
    (Candidate, "merge"): _accept,
    (Candidate, "drop"): _drop,
    (Incident, "split"): _split,
    (Incident, "tick"): _tick,
    (Incident, "untick"): _tick,
    (Dispatch, "tick"): _tick_dispatched,
    (Dispatch, "untick"): _tick_dispatched,
    (Dispatch, "accept"): _leg,
    (Dispatch, "refuse"): _leg,
    (Dispatch, "on_scene"): _leg,
    (Dispatch, "resolve"): _leg,
    (Dispatch, "feed_back"): _leg,
    (Dispatch, "follow_up"): _leg,
    (Dispatch, "close"): _leg,
    (Dispatch, "refer"): _refer,
    (Dispatch, "call"): _call,
}
