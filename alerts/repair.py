"""Orders that send maintenance: one for each sensor, camera or gateway in trouble, apart from those for dangers.

Where the site names a level (`maintenance`), an alarm of data quality about a device that reaches it sends the next
maintenance unit, once for as long as the trouble lasts. A sensor is in trouble when it is silent (also because all that
it sends is refused), stands still, parts from its neighbours, or sends what cannot be: whatever the site's rules of
data quality say of it. While a gateway is gone the sensors behind it are symptoms, and it alone is mended.

An order is taken back when its device is well again before anybody was on the way; that of a sensor also while
somebody is. Who has arrived reports what was found.
"""

from __future__ import annotations

from typing import Literal

from alerts.alarm import Alarm
from alerts.casebook import Casebook
from alerts.dispatch import WORKING, Dispatch, Leg, raise_level, set_deadline
from alerts.identity import dispatch_id
from alerts.incident import Incident, may_close_by_itself
from alerts.outcome import AnyOutcome
from alerts.sending import ENGINE, issue
from sensors.site import GATEWAY_RULE, RANK

Device = Literal["sensor", "camera", "gateway"]

_TAKEN_BACK: dict[str, tuple[Leg, ...]] = {"sensor": ("issued", "accepted")}
"""The legs at which an order for a kind of device is taken back; the others only while nobody has taken it up."""


def follow(book: Casebook, incident: Incident, clock: float, out: list[AnyOutcome], device: str = "") -> None:
    """Take back the orders for devices that are well, and send somebody for those that are in trouble.

    With a `device` only that is looked at: of thousands in one incident a change of one must not ask all the others.
    """
    if not (book.site.maintenance or incident.mending or incident.dispatches):
        return
    if incident.calm:
        for dispatch in [book.cases.dispatches[id] for id in incident.dispatches]:
            if dispatch.repair and not dispatch.device:  # of an older version: one for all that was wrong
                _take_back(book, incident, dispatch, clock, out)
    if device:
        _see_to(book, incident, device, clock, out)
        return
    for one in dict.fromkeys([*incident.mending, *(book.cases.alarms[id].scope for id in incident.members)]):
        _see_to(book, incident, one, clock, out)


def _see_to(book: Casebook, incident: Incident, device: str, clock: float, out: list[AnyOutcome]) -> None:
    """Bring the order for one device to where its alarms are."""
    members = incident.members
    sick = [alarm for alarm in book.alarms_of(device) if alarm.id in members and members[alarm.id].rank]
    order = book.cases.dispatches.get(incident.mending.get(device, ""))
    if not sick:
        if incident.mending.pop(device, None) is not None and order is not None and order.incident == incident.id:
            _take_back(book, incident, order, clock, out)
    elif device not in incident.mending:
        _order(book, incident, sick, clock, out)
    elif order is not None and order.leg in WORKING:
        worst = max(alarm.level for alarm in sick)
        if order.level < worst:
            raise_level(order, book.site.deadlines, worst, clock)
            out.append(book.dispatch_record(order, "raised", clock, actor=ENGINE, reason="dispatch.level_raised"))


def kind_of(book: Casebook, alarm: Alarm) -> Device | None:
    """Say what an alarm's scope is, where maintenance is sent to it; None for an area or a source."""
    if alarm.rule == GATEWAY_RULE:
        return "gateway"
    if alarm.scope in book.router.cameras:
        return "camera"
    return "sensor" if alarm.scope in book.points else None


def _in_hand(book: Casebook, incident: Incident) -> bool:
    """Tell whether people have sent somebody themselves, or an older version sent one for all that is wrong."""
    others = {*incident.dispatches, *incident.visits}.difference(incident.mending.values())
    return any(not book.cases.dispatches[id].device for id in others)


def _order(book: Casebook, incident: Incident, sick: list[Alarm], clock: float, out: list[AnyOutcome]) -> None:
    """Send maintenance to a device one of whose alarms has reached the site's level, unless people have sent some."""
    wanted = RANK.get(book.site.maintenance, 0)
    alarm = max(sick, key=lambda one: 0 if one.silence else one.level)
    kind = kind_of(book, alarm)
    if not wanted or kind is None or alarm.silence or alarm.level < wanted or _in_hand(book, incident):
        return
    incident.dispatched = True
    incident.mending[alarm.scope] = _running(book, alarm)
    if incident.mending[alarm.scope]:
        return
    units = book.router.menders(alarm.area, at=clock, load=book.burden.of(incident.simulated))
    if units:
        incident.mending[alarm.scope] = dispatch_id(incident.id, incident.issued + 1)
        issue(
            book,
            incident,
            units[0],
            clock,
            out,
            actor=ENGINE,
            reason="dispatch.repair_sensor" if kind == "sensor" else "dispatch.repair",
            repair={"kind": kind, "device": alarm.scope},
            area=alarm.area,
            level=alarm.level,
        )


def _running(book: Casebook, alarm: Alarm) -> str:
    """Name the order of whoever has been sent to a device and is still there, as after trouble that came back."""
    sent = (one for one in book.cases.dispatches.values() if one.device == alarm.scope and one.leg in WORKING)
    return next((one.id for one in sent if (one.simulated, one.exercise) == (alarm.simulated, alarm.exercise)), "")


def _take_back(book: Casebook, incident: Incident, dispatch: Dispatch, clock: float, out: list[AnyOutcome]) -> None:
    if dispatch.leg not in _TAKEN_BACK.get(dispatch.device_kind, ("issued",)):
        return
    dispatch.leg = "closed"
    set_deadline(dispatch, book.site.deadlines, clock)
    why = _why(book, dispatch)
    out.append(book.dispatch_record(dispatch, "closed", clock, actor=ENGINE, reason=why, recalled=True))
    incident.withdrawn += 1
    state = incident.state
    book.finish_dispatch(dispatch)
    if not incident.dispatches:
        incident.dispatched = False  # the next trouble sends again
    if incident.state != state:
        args = {"dispatch": dispatch.id}
        out.append(book.incident_record(incident, "recalled", clock, actor=ENGINE, args=args))
    if may_close_by_itself(incident) and incident.calm_since is not None:
        book.wake_at(incident.calm_since + book.settings.close_after_calm)


def _why(book: Casebook, dispatch: Dispatch) -> str:
    """Say why an order is taken back: its device is well, or what it was sent for was set aside meanwhile."""
    for alarm in book.alarms_of(dispatch.device):
        if alarm.kind == "data_quality" and alarm.shelf is not None:
            return "gateway.gone" if alarm.shelf.gateway else "dispatch.aside"
    return "dispatch.well_again"
