"""Inhibition: a gateway that is gone is one trouble, and the silence of its points a symptom of it.

While it is gone, alarms on the silence of its points are suppressed by design (DSUPR): listed and counted with its
incident, and they ring for nobody. Once it is back they have time to be heard of again; each that is silent still then
rings for itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from alerts import grouping
from alerts.alarm import Alarm
from alerts.casebook import Casebook
from alerts.grouping import give_way, take_edge
from alerts.itself import SystemChange, SystemRule
from alerts.mode import Down
from alerts.outcome import AnyOutcome, Explanation
from alerts.sending import ENGINE
from sensors.site import GATEWAY_RULE, RANK

NAMED = 8
"""Points that the reason of a gateway's alarm names."""

RULE = SystemRule(
    id=GATEWAY_RULE,
    title={"zh": "网关失联", "en": "A gateway is gone"},
    kind="data_quality",
    rationale={
        "cause": {"zh": "网关断电、断网或故障", "en": "The gateway has no power or no network, or has failed"},
        "consequence": {
            "zh": "所带测点全部失去监测，沉默不等于安全",
            "en": "None of its points is watched: silence is not safety",
        },
        "response": {
            "zh": "派维护检查网关的供电与网络，期间加密人工巡查",
            "en": "Send maintenance to its power and network, patrol meanwhile",
        },
        "time_to_respond": "2 h",
        "owner": {"zh": "设备维护单位", "en": "Maintenance contractor"},
        "review": "2027-11-30",
    },
)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine found of a gateway in its partition."""

    gateway: str
    area: str
    points: Sequence[str]  # those that it carries
    source: str = ""  # what says of itself that it has gone; empty where all points are silent
    simulated: bool = False
    owned: bool = True  # its alarm is raised here; of a gateway in several partitions, in one of them alone


class GatewayChange(SystemChange, frozen=True, kw_only=True):
    """A change of a gateway's condition. `within` tells its alarms in several partitions apart."""

    within: str


def gone(book: Casebook, said: Said, clock: float, out: list[AnyOutcome]) -> None:
    """Raise the alarm of a gateway, and suppress those on the silence of its points."""
    known = book.cases.gateways.get(said.gateway)
    if known is not None and known.until is None:
        return
    down = Down(gateway=said.gateway, since=clock, simulated=said.simulated)
    book.cases.gateways[said.gateway] = down
    count = len(said.points)
    why = Explanation(
        clause=f"{count} of {count} points silent" if not said.source else f"{said.source} offline",
        clear="a reading of one of its points",
        points=tuple(said.points[:NAMED]),
        gone=said.source,
    )
    if said.owned:
        try:
            grouping.apply(book, _change(book, said, RANK["yellow"], clock, why), clock, out)
        except Exception:
            del book.cases.gateways[said.gateway]  # no symptom of what nobody is told of; the next look tries again
            raise
    for alarm in list(book.cases.alarms.values()):
        if alarm.state not in ("UNACK", "ACKED"):
            continue
        spell = book.inhibited_by(alarm)
        if spell is not None:
            give_way(book, alarm, spell, alarm.level, clock, out, actor=ENGINE, hidden=0)


def back(book: Casebook, said: Said, clock: float, out: list[AnyOutcome], grace: float) -> None:
    """End the alarm of a gateway; what it inhibits has `grace` seconds to be heard of."""
    known = book.cases.gateways.get(said.gateway)
    if known is None or known.until is not None:
        return
    known.until = clock + grace
    book.wake_at(known.until)
    # an alarm that was raised here ends here, whoever it would be raised by now
    why = Explanation(clause="it is heard of again", points=tuple(said.points[:NAMED]))
    try:
        grouping.apply(book, _change(book, said, 0, clock, why), clock, out)
    except Exception:
        known.until = None  # its alarm stands: the next look tries again, nothing else would ever end it
        raise


def lapse(book: Casebook, clock: float, out: list[AnyOutcome]) -> None:
    """Let alarms stand for themselves once their gateway has been back for long enough."""
    for down in [one for one in book.cases.gateways.values() if one.until is not None and one.until <= clock]:
        del book.cases.gateways[down.gateway]
        for alarm in list(book.cases.alarms.values()):
            if alarm.shelf is not None and alarm.shelf.gateway == down.gateway:
                _release(book, alarm, clock, out)


def next_due(book: Casebook) -> float:
    """Return when the clock next has something to say of a gateway; infinite when never."""
    return min((one.until for one in book.cases.gateways.values() if one.until is not None), default=math.inf)


def _release(book: Casebook, alarm: Alarm, clock: float, out: list[AnyOutcome]) -> None:
    assert alarm.shelf is not None
    other = book.yields_to(alarm, alarm.level)
    if other is None:
        take_edge(book, alarm, "unsuppress", alarm.asked, clock, out, actor=ENGINE, reason="gateway.back")
        return
    alarm.shelf.gateway, alarm.shelf.mode = other.gateway, other.mode
    alarm.shelf.by, alarm.shelf.reason, alarm.shelf.until = other.by, other.reason, other.until
    book.wake_at(book.alarm_due(alarm))


def _change(book: Casebook, said: Said, rank: int, clock: float, why: Explanation) -> GatewayChange:
    gateway = book.gateways.get(said.gateway)
    title = RULE.title
    if gateway is not None:
        title = {"zh": f"网关失联：{gateway.name.zh}", "en": f"A gateway is gone: {gateway.name.en}"}
    return GatewayChange(
        rule=msgspec.structs.replace(RULE, title=title),
        scope=said.gateway,
        area=said.area,
        within=said.area,
        before=0 if rank else RANK["yellow"],
        after=rank,
        onset=clock,
        time=clock,
        why=why,
        simulated=said.simulated and rank > 0,
    )
