"""The ONVIF dialect: a camera's own events, as ONVIF devices publish them over MQTT.

Topics are `<prefix>/onvif-ej/<LocalTopic>[/&<source>/…]`: `cam-7/onvif-ej/RuleEngine/LineDetector/Crossed/&1/2/Fence`
(namespaces are left out; older firmware writes `/&Source/Key`). The body is `{"UtcTime": "…Z", "Source": {…}, "Key":
{…}, "Data": {…}}`, its values quoted or bare, also in the longer form with `SimpleItem`. A property tells by a boolean
in `Data` that something begins (true) or is over; a message of no bytes deletes it, which ends it too.

The camera is what `{camera}` stands for in the prefix, else the whole prefix, or either with `/<VideoSource>` for a
device with several lenses. What a topic means:

- bound to a point by its `sources`: a reading. The name is the topic without `onvif-ej` and `&`, followed by `.<item>`
  where one of several values in `Data` is meant: `onvif:cam-7/Device/Trigger/DigitalInput/DI1`;
- one of `FAULTS`: what is wrong with the camera's picture, each topic a source of its own;
- else an event: its kind is from `KINDS`, else the topic's last level in small letters; the rule's name is its zone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import msgspec
import numpy as np
import numpy.typing as npt

from sensors.dialects import cameras, presence, values
from sensors.dialects.dialect import Decoded, Lane, Left, Refusal, Refused, Route, decode_each, nothing, put_readings
from sensors.lookup import Registry, Source
from sensors.measure import UnitError
from sensors.observation import CameraHealth, Said
from sensors.site import Camera, Onvif

BRANCH = "onvif-ej"
MOST_ITEMS = 64

KINDS = {
    "RuleEngine/LineDetector": "crossing",
    "RuleEngine/FieldDetector": "intrusion",
    "RuleEngine/FieldDetector/Loitering": "loitering",
    "RuleEngine/FieldDetector/ObjectIsLoitering": "loitering",
    "RuleEngine/DeclarativeMotionDetector": "motion",
    "RuleEngine/MotionRegionDetector": "motion",
    "RuleEngine/CellMotionDetector": "motion",
    "VideoAnalytics/Motion": "motion",
    "VideoSource/MotionAlarm": "motion",
    "RuleEngine/LoiteringDetector": "loitering",
    "RuleEngine/LoiteringDetector/ObjectIsStopped": "left_object",
    "RuleEngine/LoiteringDetector/ObjectIsRemoved": "removed_object",
    "RuleEngine/CountAggregation": "count",
    "RuleEngine/FireDetector": "fire",
    "RuleEngine/FireDetector/Smoke": "smoke",
    "RuleEngine/SmokeDetector": "smoke",
    "RuleEngine/Recognition/Face": "face",
    "RuleEngine/Recognition/LicensePlate": "plate",
    "AudioAnalytics/Audio": "sound",
    "AudioSource": "sound",
    "Device/Trigger/DigitalInput": "digital_input",
    "Device/Trigger/Relay": "relay",
    "Device/HardwareFailure/StorageFailure": "disk_failure",
    "Device/HardwareFailure/FanFailure": "fan_failure",
    "Device/HardwareFailure/PowerSupplyFailure": "power_failure",
    "Device/HardwareFailure/TemperatureCritical": "device_hot",
}
"""Kinds by local topic, or by what it begins with: the longest counts."""

FAULTS = {
    "RuleEngine/TamperDetector": "cover",
    "VideoSource/GlobalSceneChange": "shift",
    "VideoSource/ImageTooDark": "black",
    "VideoSource/ImageTooBright": "overexposed",
    "VideoSource/ImageTooBlurry": "blur",
    "VideoSource/SignalLoss": "loss",
}
"""What is wrong with a picture, by what the local topic begins with."""

_HOLDER = "{camera}"
_TRUTH = {"true": True, "active": True, "false": False, "inactive": False}
_STATES = ("State", "Status", "LogicalState", "Logicalstate", "Motion")
"""Names of what is a boolean, also as 1 and 0, beside those that begin with `Is`."""
_WAYS = ("Direction", "CrossDirection", "CrossingDirection")
"""Names of the way in which a line was crossed: each way is a zone of its own beside the line."""
LONGEST_WAY = 16
_LENSES = ("VideoSource", "VideoSourceConfigurationToken", "VideoSourceToken", "Source")


class Subject(NamedTuple):
    """What a topic says: the camera's (or device's) name, the local topic, and the values of its source."""

    name: str
    local: str
    tokens: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Name the topic as the `sources` of a point do."""
        return "/".join((self.name, self.local, *self.tokens))


class Message(msgspec.Struct, gc=False, rename="pascal"):
    """One event's body; what is not named here is left."""

    utc_time: str | None = None
    property_operation: str | None = None
    source: dict[str, Any] | None = None
    key: dict[str, Any] | None = None
    data: dict[str, Any] | None = None


_known: WeakKeyDictionary[Registry, frozenset[str]] = WeakKeyDictionary()

_message = msgspec.json.Decoder(Message).decode


def topics(config: Onvif) -> tuple[str, ...]:
    """List the filter of the devices' events."""
    levels = ["+" if _HOLDER in level else level for level in config.prefix.split("/")]
    return ("/".join([*levels, BRANCH, "#"]),)


def resolve(topic: str, config: Onvif, registry: Registry) -> Route | Refusal | None:
    """Say of which device and topic an event is."""
    match = _pattern(config.prefix).fullmatch(topic)
    if match is None:
        return None
    local, tokens = _parts(match["rest"].split("/"))
    if not local:
        return Refusal("unknown_topic", "no ONVIF topic behind onvif-ej")
    name = match.groupdict().get("camera") or match["prefix"]
    if registry.camera_named("onvif", name) is None and name not in _devices(registry):
        return Refusal("unknown_camera", f"no camera or point of {name[:128]!r}")
    return Route("event", subject=Subject(name, local, tokens))


def decode(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    """Decode events, each of its subject."""
    decoded = nothing()
    readings: list[tuple[int, int, float, float]] = []
    items, errors = decode_each(_message, payloads)
    for place, item in enumerate(items):
        subject: Subject = lane.subjects[points[place]]
        try:
            if payloads[place] == b"":
                decoded.events += [(place, said) for said in _deleted(lane, subject, received)]
                continue
            if item is None:
                raise errors.get(place) or ValueError("not an event")
            parts = [_flat(part) for part in (item.source, item.key, item.data)]
            time = _time(item.utc_time)
            bound = list(_readings(lane.registry, subject, parts[2]))
            if bound:
                readings += [(place, point, time, value) for point, value in bound]
            else:
                decoded.events += [(place, said) for said in _said(lane, subject, item, parts, time, received)]
        except Left as left:
            decoded.refused.append(Refused(place, left.reason, left.detail))
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            decoded.refused.append(Refused(place, values.reason_of(payloads[place], error), str(error)[:200]))
    put_readings(decoded, readings)
    return decoded


def _said(
    lane: Lane, subject: Subject, message: Message, parts: list[dict[str, Any]], time: float, received: float
) -> Sequence[Said]:
    source, key, data = parts
    config: Onvif = lane.config
    camera = _camera(lane.registry, subject, _text(source, *_LENSES))
    state = False if message.property_operation == "Deleted" else _state(data)
    fault = _fault(config, subject)
    if fault is not None:
        if state is None:
            raise Left("malformed", "it does not say whether the fault is there")
        return [_health(camera, subject, fault, state is not False, received)]
    told = _text({**key, **data}, "ObjectId")
    rule = _text(source, "Rule", "RuleName")
    way = _text({**key, **data}, *_WAYS).strip().lower()[:LONGEST_WAY]
    likely = values.number(_text(data, "Likelihood", "Confidence").encode())
    return cameras.seen(
        camera,
        kind=_kind(config, subject),
        event=_event_id(subject, told),
        time=time,
        received=received,
        phase="end" if state is False else "new",
        confidence=likely,
        zones=((rule, f"{rule}:{way}") if way else (rule,)) if rule else (),
    )


def _deleted(lane: Lane, subject: Subject, received: float) -> Sequence[Said]:
    """Say what ends with a property: a fault, an event, or what is known of a point."""
    source = _source(lane.registry, subject.address)
    if source is not None:
        name = f"onvif:{subject.address}"
        return presence.of_points(lane.registry, [source.point], name, "offline", received)
    camera = _camera(lane.registry, subject, "")
    fault = _fault(lane.config, subject)
    if fault is not None:
        return [_health(camera, subject, fault, False, received)]
    kind, event = _kind(lane.config, subject), _event_id(subject, "")
    return cameras.seen(camera, kind=kind, event=event, time=math.nan, received=received, phase="end")


def _health(camera: Camera, subject: Subject, fault: str, is_there: bool, received: float) -> CameraHealth:
    faults = {fault: 1.0} if is_there else {}
    return cameras.health(camera, f"onvif:{subject.local}", faults, received)


def _event_id(subject: Subject, told: str) -> str:
    """Name a property, or an object in it, in the same way when it begins and when it ends."""
    name = "/".join((subject.local, *subject.tokens))
    return f"{name}#{told}" if told else name


def _devices(registry: Registry) -> frozenset[str]:
    """List what the names that the site has for ONVIF begin with: cameras by lens, points by topic."""
    known = _known.get(registry)
    if known is None:
        of_cameras = [name for camera in registry.site.cameras for name in camera.sources]
        of_points = [name for point in registry.site.points for name in point.sources]
        mine = [name[len("onvif:") :] for name in (*of_cameras, *of_points) if name.startswith("onvif:")]
        parts = [name.split("/") for name in mine]
        known = frozenset("/".join(levels[:most]) for levels in parts for most in range(1, len(levels)))
        _known[registry] = known
    return known


def _camera(registry: Registry, subject: Subject, lens: str) -> Camera:
    """Find the camera: by device and lens (its video source), which the topic may tell too, else by device."""
    for end in dict.fromkeys((lens, *subject.tokens[:1])):
        camera = registry.camera_named("onvif", f"{subject.name}/{end}") if end else None
        if camera is not None:
            return camera
    camera = registry.camera_named("onvif", subject.name)
    if camera is None:
        raise Left("unknown_camera", f"no camera {subject.name[:128]!r}")
    return camera


def _readings(registry: Registry, subject: Subject, data: Mapping[str, Any]) -> Iterator[tuple[int, float]]:
    """Find the points that an event's values are bound to: (registry index, value in the point's unit)."""
    address = subject.address
    for name, value in data.items():
        source = _source(registry, f"{address}.{name}")
        if source is not None:
            yield source.point, _number(name, value) * source.scale + source.offset
    source = _source(registry, address)
    if source is not None:
        found = [(name, value) for name, value in data.items() if _is_number(name, value)]
        if not found:
            raise ValueError("no number in Data")
        yield source.point, _number(*found[0]) * source.scale + source.offset


def _source(registry: Registry, name: str) -> Source | None:
    try:
        return registry.source("onvif", name)
    except UnitError as error:
        raise ValueError(str(error)) from error


def _fault(config: Onvif, subject: Subject) -> str | None:
    return None if subject.local in config.kinds else _longest(FAULTS, subject.local)


def _kind(config: Onvif, subject: Subject) -> str:
    """Name the kind of a topic's events, as the site wants to have it."""
    kind = _longest(KINDS, subject.local) or subject.local.rpartition("/")[2].lower()
    kind = config.kinds.get(subject.local, config.kinds.get(kind, kind))
    if not kind:
        raise Left("ignored", subject.local[:128])
    return kind


def _longest(table: Mapping[str, str], local: str) -> str | None:
    while local:
        if local in table:
            return table[local]
        local = local.rpartition("/")[0]
    return None


def _time(text: str | None) -> float:
    """Read a time, UTC where it has no offset; NaN for none."""
    if text is None:
        return math.nan
    try:
        return values.iso(text, "UTC")
    except ValueError as error:
        raise Left("malformed", f"UtcTime {text[:40]!r} is not ISO 8601") from error


def _state(data: Mapping[str, Any]) -> bool | None:
    """Tell whether a property begins or ends; None when the event is no property."""
    for name, value in data.items():
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower() if isinstance(value, str | int) else ""
        if word in _TRUTH:
            return _TRUTH[word]
        if word in ("1", "0") and (name in _STATES or name.startswith("Is")):
            return word == "1"
    return None


def _is_number(name: str, value: Any) -> bool:
    try:
        _number(name, value)
    except ValueError:
        return False
    return True


def _number(name: str, value: Any) -> float:
    if isinstance(value, str):
        word = value.strip().lower()
        number = float(_TRUTH[word]) if word in _TRUTH else values.number(value.encode())
        if number is not None:
            return number
    elif isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    raise ValueError(f"{name[:40]!r} is no number")


def _text(items: Mapping[str, Any], *names: str) -> str:
    """Take the first of some items that is there, as text."""
    for name in names:
        value = items.get(name)
        if isinstance(value, str | int | float):
            return str(value)[: cameras.LONGEST_ID]
    return ""


def _flat(section: dict[str, Any] | None) -> dict[str, Any]:
    """Turn a section into name → value; the longer form lists `{"Name": …, "Value": …}` under `SimpleItem`."""
    if not section:
        return {}
    listed = section.get("SimpleItem", ())
    found = {name: value for name, value in section.items() if name != "SimpleItem"}
    for one in listed if isinstance(listed, list) else (listed,):
        if isinstance(one, dict) and isinstance(one.get("Name"), str):
            found[one["Name"]] = one.get("Value")
    if len(found) > MOST_ITEMS:
        raise ValueError(f"more than {MOST_ITEMS} items in one section")
    return found


def _parts(levels: list[str]) -> tuple[str, tuple[str, ...]]:
    """Split what follows `onvif-ej` into the local topic, without namespaces, and the values of its source."""
    for place, level in enumerate(levels):
        if level.startswith("&") or level.endswith("&"):
            before, after = ("", level[1:]) if level.startswith("&") else (level[:-1], "")
            local = [*levels[:place], *([before] if before else [])]
            return _without_namespaces(local), tuple(token for token in (after, *levels[place + 1 :]) if token)
    return _without_namespaces(levels), ()


def _without_namespaces(levels: list[str]) -> str:
    return "/".join(level.rpartition(":")[2] for level in levels).strip("/")


@lru_cache(maxsize=1024)
def _pattern(prefix: str) -> re.Pattern[str]:
    """Compile a prefix in which `+` stands for a level and `{camera}` for a level or part of one."""
    levels = []
    for level in prefix.split("/"):
        parts = [re.escape(part) for part in level.split(_HOLDER)]
        levels.append("[^/]+" if level == "+" else "(?P<camera>[^/]+)".join(parts))
    return re.compile(f"(?P<prefix>{'/'.join(levels)})/{BRANCH}/(?P<rest>.+)", re.DOTALL)
