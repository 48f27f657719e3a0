"""Orders that send maintenance: one for each sensor, camera or gateway in trouble, apart from those for dangers.

Where the site names a level (`maintenance`), an alarm of data quality about a device that reaches it sends the next
maintenance unit, once for as long as the trouble lasts. A sensor is in trouble when it is silent (also because all that
it sends is refused), stands still, parts from its neighbours, or sends what cannot be: whatever the site's rules of
data quality say of it. While a gateway is gone the sensors behind it are symptoms, and it alone is mended.

An order is taken back when its device is well again before anybody was on the way; that of a sensor also while
somebody is. Who has arrived reports what was found.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from alerts.alarm import Alarm
from alerts.casebook import Casebook
from alerts.dispatch import WORKING, Dispatch, Leg, raise_level, set_deadline
from alerts.incident import Incident, may_close_by_itself
from alerts.outcome import AnyOutcome
from alerts.sending import ENGINE, issue
from sensors.site import GATEWAY_RULE, RANK

Device = Literal["sensor", "camera", "gateway"]

_TAKEN_BACK: dict[str, tuple[Leg, ...]] = {"sensor": ("issued", "accepted")}
"""The legs at which an order for a kind of device is taken back; the others only while nobody has taken it up."""


def follow(book: Casebook, incident: Incident, clock: float, out: list[AnyOutcome]) -> None:
    """Take back the orders for devices that are well, and send somebody for those that are in trouble."""
    alarms = [book.cases.alarms[id] for id, member in incident.members.items() if member.rank]
    sick: dict[str, int] = {}  # device → the worst that is wrong with it
    for alarm in alarms:
        sick[alarm.scope] = max(alarm.level, sick.get(alarm.scope, 0))
    for id in list(incident.dispatches):
        dispatch = book.cases.dispatches[id]
        if dispatch.repair and (dispatch.device not in sick if dispatch.device else incident.calm):
            _take_back(book, incident, dispatch, clock, out)
        elif dispatch.leg in WORKING and dispatch.level < sick.get(dispatch.device, 0):
            raise_level(dispatch, book.site.deadlines, sick[dispatch.device], clock)
            out.append(book.dispatch_record(dispatch, "raised", clock, actor=ENGINE, reason="dispatch.level_raised"))
    incident.mending = [device for device in incident.mending if device in sick]
    wanted = RANK.get(book.site.maintenance, 0)
    if wanted and not incident.calm and not _in_hand(book, incident):
        _order(book, incident, alarms, wanted, clock, out)


def kind_of(book: Casebook, alarm: Alarm) -> Device | None:
    """Say what an alarm's scope is, where maintenance is sent to it; None for an area or a source."""
    if alarm.rule == GATEWAY_RULE:
        return "gateway"
    if alarm.scope in book.router.cameras:
        return "camera"
    return "sensor" if alarm.scope in book.points else None


def _in_hand(book: Casebook, incident: Incident) -> bool:
    """Tell whether people have sent somebody themselves, or an older version sent one for all that is wrong."""
    orders = [book.cases.dispatches[id] for id in (*incident.dispatches, *incident.visits)]
    return any(not order.repair or not order.device for order in orders)


def _order(
    book: Casebook, incident: Incident, alarms: Iterable[Alarm], wanted: int, clock: float, out: list[AnyOutcome]
) -> None:
    for alarm in alarms:
        kind = kind_of(book, alarm)
        if kind is None or alarm.level < wanted or alarm.silence or alarm.scope in incident.mending:
            continue
        incident.mending.append(alarm.scope)
        incident.dispatched = True
        units = book.router.menders(alarm.area, load=book.burden.of(incident.simulated))
        if units:
            reason = "dispatch.repair_sensor" if kind == "sensor" else "dispatch.repair"
            repair, area = {"kind": kind, "device": alarm.scope}, alarm.area
            issue(
                book,
                incident,
                units[0],
                clock,
                out,
                actor=ENGINE,
                reason=reason,
                repair=repair,
                area=area,
                level=alarm.level,
            )


def _take_back(book: Casebook, incident: Incident, dispatch: Dispatch, clock: float, out: list[AnyOutcome]) -> None:
    if dispatch.leg not in _TAKEN_BACK.get(dispatch.device_kind, ("issued",)):
        return
    dispatch.leg = "closed"
    set_deadline(dispatch, book.site.deadlines, clock)
    out.append(book.dispatch_record(dispatch, "closed", clock, actor=ENGINE, reason=_why(book, dispatch)))
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
    for alarm in book.cases.alarms.values():
        if alarm.scope == dispatch.device and alarm.kind == "data_quality" and alarm.shelf is not None:
            return "gateway.gone" if alarm.shelf.gateway else "dispatch.aside"
    return "dispatch.well_again"
