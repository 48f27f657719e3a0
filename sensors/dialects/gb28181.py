"""The GB/T 28181 dialect: alarms and notifications of devices, which a gateway republishes on MQTT as XML or JSON.

An alarm's `AlarmMethod` and `AlarmType` say what it is: an event (`KINDS`), or what is wrong with a camera's picture
(`FAULTS`). Who it is of is `ChannelID` where a gateway adds that, else `DeviceID`: a camera's name, or a point's, which
reads 1 and, when the alarm is over, 0. `AlarmPriority` 1 to 4 is the level red to blue, the description is kept.
`AlarmTime` is local time of the site.

An alarm is over with `EventType` 2 (left the area), a gateway's `AlarmStatus` of 0, or the order `ResetAlarm`. The
standard has no end of its own for a lost picture: that is over when the catalog tells of the camera that it is `ON`.

`Keepalive`, `Catalog` and `DeviceStatus` say of cameras and points that are known whether they are there. All else is
counted as ignored.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from paho.mqtt.client import topic_matches_sub

from sensors.dialects import cameras, presence, values
from sensors.dialects.dialect import MISSING, Decoded, Lane, Left, Refusal, Refused, Route, nothing, put_readings
from sensors.dialects.manscdp import Tree, read
from sensors.lookup import Registry
from sensors.measure import UnitError
from sensors.observation import Said
from sensors.site import LEVELS, Camera, Gb28181

PHONE, DEVICE, MESSAGE, POSITION, VIDEO, FAULT, OTHER = range(1, 8)
"""What `AlarmMethod` says."""

FAULTS = {(DEVICE, 1): "loss", (DEVICE, 2): "shift"}
"""What is wrong with the picture, by method and type: no video; tampered with (防拆), so that it may look elsewhere."""

KINDS = {
    (PHONE, 0): "phone_alarm",
    (DEVICE, 0): "device_alarm",
    (DEVICE, 3): "disk_full",
    (DEVICE, 4): "device_hot",
    (DEVICE, 5): "device_cold",
    (MESSAGE, 0): "message_alarm",
    (POSITION, 0): "position_alarm",
    (VIDEO, 0): "video_alarm",
    (VIDEO, 1): "manual",
    (VIDEO, 2): "motion",
    (VIDEO, 3): "left_object",
    (VIDEO, 4): "removed_object",
    (VIDEO, 5): "crossing",
    (VIDEO, 6): "intrusion",
    (VIDEO, 7): "wrong_way",
    (VIDEO, 8): "loitering",
    (VIDEO, 9): "flow",
    (VIDEO, 10): "density",
    (VIDEO, 11): "video_abnormal",
    (VIDEO, 12): "rapid_move",
    (FAULT, 0): "device_fault",
    (FAULT, 1): "disk_failure",
    (FAULT, 2): "fan_failure",
    (OTHER, 0): "other_alarm",
}
"""Kinds of event by method and type; 0 where the type is not told or not known."""

_OVER = frozenset({"0", "off", "end", "ended", "stop", "reset", "clear", "cleared", "restored", "normal", "false"})
_THERE = {"on": True, "online": True, "off": False, "offline": False}


class Alarm(NamedTuple):
    """What an alarm or its reset says, apart from whom it is of; `time` is unix seconds, NaN when not told."""

    what: tuple[int, int]
    is_over: bool
    time: float
    number: str = ""
    level: str = ""
    detail: str = ""


class Heard(NamedTuple):
    """What one message says: observations, and readings as (registry index, time, value)."""

    said: list[Said]
    readings: list[tuple[int, float, float]]


def topics(config: Gb28181) -> tuple[str, ...]:
    """List the filter of the gateway's messages."""
    return (config.topic,)


def resolve(topic: str, config: Gb28181, registry: Registry) -> Route | Refusal | None:
    """Say that a topic carries the gateway's messages."""
    return Route("event") if topic and topic_matches_sub(config.topic, topic) else None


def decode(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    """Decode messages."""
    decoded = nothing()
    readings: list[tuple[int, int, float, float]] = []
    for place, payload in enumerate(payloads):
        try:
            heard = _message(lane, payload, received)
        except Left as left:
            decoded.refused.append(Refused(place, left.reason, left.detail))
        except (ValueError, RecursionError) as error:
            decoded.refused.append(Refused(place, "malformed", str(error)[:200]))
        else:
            decoded.events += [(place, said) for said in heard.said]
            readings += [(place, *reading) for reading in heard.readings]
    put_readings(decoded, readings)
    return decoded


def _message(lane: Lane, payload: bytes, received: float) -> Heard:
    envelope, tree = read(payload)
    command = _text(tree, "cmdtype", "cmd").lower()
    if envelope == "query":
        raise Left("ignored", "a query")
    if command == "alarm" or (not command and any(name.startswith("alarm") for name in tree)):
        if envelope == "response":
            raise Left("ignored", "an answer to an alarm")
        return _alarms(lane, tree, [_alarm(lane, tree)], received)
    if command == "devicecontrol" and _text(tree, "alarmcmd").lower() in ("resetalarm", "0"):
        return _alarms(lane, tree, list(_resets(tree)), received)
    if command == "keepalive":
        heard = _keepalive(lane.registry, tree, received)
    elif command == "catalog":
        heard = _catalog(lane, tree, received)
    elif command == "devicestatus":
        heard = _whether_there(lane.registry, _id(tree), _text(tree, "online") or _text(tree, "status"), received)
    elif not command:
        raise ValueError("no CmdType, and no alarm")
    else:
        raise Left("ignored", command[:64])
    if not heard.said:
        raise Left("ignored", f"{command} of nothing that the site has")
    return heard


# Alarms


def _alarm(lane: Lane, tree: Tree) -> Alarm:
    info = _inner(tree, "info")
    method = _code(_text(tree, "alarmmethod"))
    type_, event = _text(info, "alarmtype") or _text(tree, "alarmtype"), _event_type(tree, info)
    what = (method or OTHER, _code(type_))
    is_over = _text(tree, "alarmstatus", "alarmstate").lower() in _OVER
    is_over = is_over or (what == (VIDEO, 6) and event == "2")
    detail = _text(tree, "alarmdescription", "description")
    if what not in KINDS and what not in FAULTS:
        told = f"AlarmMethod {_text(tree, 'alarmmethod')[:16]}, AlarmType {type_[:16]}"
        detail, what = f"{detail} ({told})" if detail else told, (what[0] if (what[0], 0) in KINDS else OTHER, 0)
    priority = _code(_text(tree, "alarmpriority"))
    level = LEVELS[-priority] if 1 <= priority <= len(LEVELS) else ""
    return Alarm(what, is_over, _time(lane, _text(tree, "alarmtime")), _text(tree, "sn"), level, detail)


def _resets(tree: Tree) -> Iterator[Alarm]:
    """List what an order to reset alarms ends: those of some methods (`2/5/7`, 0 or none: all), or of one type."""
    info = _inner(tree, "info")
    methods = {_code(one) for one in _text(info, "alarmmethod").split("/")} - {0}
    type_ = _code(_text(info, "alarmtype"))
    for what in (*FAULTS, *KINDS):
        if (not methods or what[0] in methods) and (not type_ or what[1] == type_):
            yield Alarm(what, True, math.nan, _text(tree, "sn"))


def _alarms(lane: Lane, tree: Tree, alarms: Iterable[Alarm], received: float) -> Heard:
    """Say alarms of a camera as events and faults, those of a point as its readings."""
    config: Gb28181 = lane.config
    point, camera = _whose(lane.registry, tree)
    heard = Heard([], [])
    kinds = set()
    for alarm in alarms:
        if camera is None:
            heard.readings.append((point, alarm.time, 0.0 if alarm.is_over else 1.0))
            break
        fault = FAULTS.get(alarm.what)
        if fault is not None:
            heard.said.append(_health(camera, fault, not alarm.is_over, received))
            continue
        kind = KINDS[alarm.what]
        kind = config.kinds.get(kind, kind)
        if not kind:
            continue
        kinds.add(kind)
        heard.said.extend(
            cameras.seen(
                camera,
                kind=kind,
                event=f"{_id(tree)}#{alarm.number}" if alarm.number else _id(tree),
                time=alarm.time,
                received=received,
                phase="end" if alarm.is_over else "new",
                level=alarm.level,
                detail=alarm.detail,
            )
        )
    if not heard.said and not heard.readings:
        raise Left("ignored", "a kind that the site leaves out")
    return heard


def _whose(registry: Registry, tree: Tree) -> tuple[int, Camera | None]:
    """Find whose an alarm is: a point (registry index) or a camera."""
    for name in (_text(tree, "channelid"), _text(tree, "deviceid")):
        if name:
            point, camera = _known(registry, name)
            if point != MISSING or camera is not None:
                return point, camera
    raise Left("unknown_camera", f"no camera or point {_id(tree)[:128]!r}")


def _known(registry: Registry, name: str) -> tuple[int, Camera | None]:
    try:
        source = registry.source("gb28181", name) if name else None
    except UnitError as error:
        raise ValueError(str(error)) from error
    if source is not None:
        return source.point, None
    return MISSING, registry.camera_named("gb28181", name) if name else None


def _health(camera: Camera, fault: str, is_there: bool, received: float) -> Said:
    return cameras.health(camera, f"gb28181:{fault}", {fault: 1.0} if is_there else {}, received)


# Whether a device is there


def _keepalive(registry: Registry, tree: Tree, received: float) -> Heard:
    """A device's sign of life, with the ids of those behind it that are out of order."""
    heard = _whether_there(registry, _id(tree), "online", received)
    if _text(tree, "status").lower() not in ("ok", ""):
        heard.said.extend(_faulty(registry, _id(tree), received))
    for id in _listed(_inner(tree, "info").get("deviceid")):
        if isinstance(id, str):
            heard.said.extend(_faulty(registry, id, received))
    return heard


def _catalog(lane: Lane, tree: Tree, received: float) -> Heard:
    heard = Heard([], [])
    for item in _listed(_inner(tree, "devicelist").get("item", tree.get("devicelist"))):
        if not isinstance(item, dict):
            continue
        id, event = _id(item), _text(item, "event").lower()
        camera = _known(lane.registry, id)[1]
        if event == "vlost" and camera is not None:
            heard.said.append(_health(camera, "loss", True, received))
        elif event == "defect":
            heard.said.extend(_faulty(lane.registry, id, received))
        else:
            status = event if event in _THERE else _text(item, "status")
            heard.said.extend(_whether_there(lane.registry, id, status, received).said)
            if event == "on" and camera is not None:
                heard.said.append(_health(camera, "loss", False, received))
    return heard


def _whether_there(registry: Registry, name: str, status: str, received: float) -> Heard:
    """Say of a camera or point that it is online or offline; nothing of an unknown one, or of another status."""
    is_there = _THERE.get(status.lower())
    point, camera = _known(registry, name)
    if is_there is None:
        return Heard([], [])
    state: presence.State = "online" if is_there else "offline"
    source = f"gb28181:{name}"
    said: list[Said] = []
    if point != MISSING:
        said += presence.of_points(registry, [point], source, state, received)
    if camera is not None:
        said += presence.of_cameras([camera], source, state, received)
    return Heard(said, [])


def _faulty(registry: Registry, name: str, received: float) -> list[Said]:
    camera = _known(registry, name)[1]
    if camera is None:
        return []
    return [*cameras.seen(camera, kind="device_fault", event=name, time=math.nan, received=received)]


# Fields


def _id(tree: Tree) -> str:
    return _text(tree, "channelid") or _text(tree, "deviceid")


def _text(tree: Mapping[str, Any], *names: str) -> str:
    """Take the first of some fields that is there, "" when none is."""
    for name in names:
        value = tree.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def _inner(tree: Tree, name: str) -> Tree:
    value = tree.get(name)
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _event_type(tree: Tree, info: Tree) -> str:
    return _text(_inner(info, "alarmtypeparam"), "eventtype") or _text(info, "eventtype") or _text(tree, "eventtype")


def _code(text: str) -> int:
    """Read a small code; 0 when it is none."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 3 else 0


def _time(lane: Lane, text: str) -> float:
    """Read an alarm's time: ISO 8601, of the site where it has no offset; a gateway may write unix (milli)seconds."""
    if not text:
        return math.nan
    number = values.number(text.encode())
    if number is not None and len(text) >= 10 and "-" not in text:
        return number / 1000.0 if number > values.MILLISECONDS_ABOVE else number
    return values.iso(text, lane.registry.site.zone)
