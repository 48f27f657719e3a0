"""Home Assistant's discovery messages → entities: what a device says of its own sensors, and where they publish.

Either one message an entity, `<prefix>/<component>/[<node_id>/]<object_id>/config`, or one a device,
`<prefix>/device/…/config` with `components`. Keys may be abbreviated (`stat_t`), and `~` at either end of a topic
stands for the message's `~`. Only what a reading needs is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from sensors.dialects.template import LONGEST

COMPONENTS = ("sensor", "binary_sensor", "number")
"""The kinds of entity that have a value to read."""

DEVICE = "device"
"""Stands in the place of the component where one message tells of a whole device."""

MOST_COMPONENTS = 256
MOST_TOPICS = 8
"""Availability topics of one entity."""

ORIGIN = "Foreshock"
"""What our own discovery messages name as their origin: they must not come in again."""

_KEYS = {
    "avty": "availability",
    "avty_mode": "availability_mode",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "cmp": "components",
    "cmps": "components",
    "dev": "device",
    "dev_cla": "device_class",
    "o": "origin",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_t": "state_topic",
    "t": "topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
_SHARED = (
    "availability",
    "availability_mode",
    "availability_topic",
    "availability_template",
    "payload_available",
    "payload_not_available",
    "state_topic",
)
"""What a device may say once for all of its components."""

_Topic = Annotated[str, msgspec.Meta(max_length=512)]
_Name = Annotated[str, msgspec.Meta(max_length=256)]
_Template = Annotated[str, msgspec.Meta(max_length=LONGEST)]
_Payload = Annotated[str, msgspec.Meta(max_length=256)] | bool | int | float


class DiscoveryError(ValueError):
    """Say why a discovery message tells of nothing."""


class Availability(msgspec.Struct, frozen=True):
    """A topic on which an entity, or the gateway before it, says whether it is there."""

    topic: str
    available: str = "online"
    unavailable: str = "offline"
    template: str = ""


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that has a value. `name` is its unique id, or where it has none its place in the config topic."""

    name: str
    component: str
    topic: str
    template: str = ""
    on: str = "ON"
    off: str = "OFF"
    device_class: str = ""
    unit: str = ""
    title: str = ""  # for people: the device's name and its own
    availability: tuple[Availability, ...] = ()
    mode: Literal["all", "any", "latest"] = "latest"


class Proposal(NamedTuple):
    """Say what point an entity could be. `unit` is as a site writes it; quantity and unit may be empty."""

    source: str
    title: str
    quantity: str
    unit: str
    kind: str


class _Where(msgspec.Struct):
    topic: _Topic
    payload_available: _Payload = "online"
    payload_not_available: _Payload = "offline"
    value_template: _Template | None = None


class _Config(msgspec.Struct):
    state_topic: _Topic
    unique_id: _Name | None = None
    name: _Name | None = None
    value_template: _Template | None = None
    payload_on: _Payload = "ON"
    payload_off: _Payload = "OFF"
    device_class: _Name | None = None
    unit_of_measurement: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    availability: Annotated[list[_Where], msgspec.Meta(max_length=MOST_TOPICS)] | None = None
    availability_topic: _Topic | None = None
    availability_template: _Template | None = None
    availability_mode: Literal["all", "any", "latest"] = "latest"
    payload_available: _Payload = "online"
    payload_not_available: _Payload = "offline"


_json = msgspec.json.Decoder().decode


def entities(component: str, place: str, payload: bytes) -> tuple[list[Entity], list[str]]:
    """Read a config message of `component`, whose node and object ids are `place` (`node/object` or `object`).

    Give the entities that have a value, and what is wrong with those that cannot be read. Components without a value,
    and what we ourselves announced, give nothing. Raise `DiscoveryError` when the message as a whole is none.
    """
    try:
        message = _json(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise DiscoveryError(str(error)[:200]) from error
    if not isinstance(message, dict):
        raise DiscoveryError(f"a discovery message is an object, not {type(message).__name__}")
    whole = _spelt_out(message)
    if _text(whole.get("origin"), "name") == ORIGIN:
        return [], []
    found: list[Entity] = []
    faults: list[str] = []
    for name, kind, body in _parts(component, place, whole):
        if kind not in COMPONENTS:
            continue
        try:
            found.append(_entity(name, kind, body, _text(whole.get("device"), "name")))
        except (msgspec.ValidationError, DiscoveryError) as error:
            faults.append(f"{name}: {error}"[:200])
    return found, faults


def _parts(component: str, place: str, whole: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Take a message apart into (name, component, body)."""
    if component != DEVICE:
        yield place, component, whole
        return
    components = whole.get("components")
    if not isinstance(components, dict):
        raise DiscoveryError("a device's message has its 'components'")
    if len(components) > MOST_COMPONENTS:
        raise DiscoveryError(f"a device has at most {MOST_COMPONENTS} components, not {len(components)}")
    shared = {key: whole[key] for key in ("~", *_SHARED) if key in whole}
    for id, written in components.items():
        if isinstance(written, dict):
            part = _spelt_out(written)
            kind = str(part.get("platform"))
            if len(part) > 1:  # a component with nothing but its platform is one that was removed
                own = {key for key in part if key.startswith("availability")}
                common = {key: one for key, one in shared.items() if not (own and key.startswith("availability"))}
                yield f"{place}/{id}"[:256], kind, common | part


def _entity(name: str, component: str, body: dict[str, Any], device: str) -> Entity:
    config = msgspec.convert(_expanded(body), _Config)
    where = config.availability or []
    if config.availability_topic:
        where = [
            _Where(
                config.availability_topic,
                config.payload_available,
                config.payload_not_available,
                config.availability_template,
            )
        ]
    topics = [config.state_topic, *(one.topic for one in where)]
    for topic in topics:
        if not topic or any(character in topic for character in "+#\0") or topic.startswith("$"):
            raise DiscoveryError(f"{topic[:80]!r} is no topic to publish to")
    unique = config.unique_id or name
    return Entity(
        name=unique,
        component=component,
        topic=config.state_topic,
        template=config.value_template or "",
        on=str(config.payload_on),
        off=str(config.payload_off),
        device_class=config.device_class or "",
        unit=config.unit_of_measurement or "",
        title=" ".join(part for part in (device[:256], config.name or "") if part) or unique,
        availability=tuple(
            Availability(
                one.topic, str(one.payload_available), str(one.payload_not_available), one.value_template or ""
            )
            for one in where
        ),
        mode=config.availability_mode,
    )


def _spelt_out(written: Mapping[str, Any]) -> dict[str, Any]:
    return {_KEYS.get(key, key): value for key, value in written.items()}


def _expanded(body: dict[str, Any]) -> dict[str, Any]:
    """Put the base topic in the place of `~`, and make a list of what may be one."""
    base = body.get("~")
    full = dict(body)
    availability = body.get("availability")
    if isinstance(availability, dict):
        availability = [availability]
    if isinstance(availability, list):
        availability = [_spelt_out(one) if isinstance(one, dict) else one for one in availability[: MOST_TOPICS + 1]]
        full["availability"] = availability
    if isinstance(base, str) and len(base) <= 512:
        _put_base(full, base)
        for one in availability if isinstance(availability, list) else ():
            if isinstance(one, dict):
                _put_base(one, base)
    return full


def _put_base(body: dict[str, Any], base: str) -> None:
    for key in ("state_topic", "availability_topic", "topic"):
        topic = body.get(key)
        if isinstance(topic, str) and topic:
            if topic[0] == "~":
                topic = base + topic[1:]
            if topic[-1:] == "~":
                topic = topic[:-1] + base
            body[key] = topic


def _text(mapping: Any, key: str) -> str:
    value = mapping.get(key) if isinstance(mapping, dict) else None
    return value if isinstance(value, str) else ""


# ── what a point made of it would be ──

_UNITS = {"°F": "degF", "gal": "gallon"}
_SUPERSCRIPTS = str.maketrans({"²": "^2", "³": "^3", "μ": "µ"})

_QUANTITIES = {
    "atmospheric_pressure": "pressure",
    "carbon_monoxide": "co",
    "moisture": "soil",
    "precipitation_intensity": "rain",
    "volume_flow_rate": "flow",
    "wind_speed": "wind",
}
"""Device class of a sensor → quantity, where the two have other names."""


def units(entity: Entity) -> tuple[str, ...]:
    """Write the unit that an entity sends in as a site does: one, or those that it may mean; empty when it has none."""
    if not entity.unit:
        return ()
    plain = _UNITS.get(entity.unit, entity.unit.translate(_SUPERSCRIPTS))
    if plain == "%" and entity.device_class == "humidity":
        return "%RH", "%"
    return (plain,)


def propose(entity: Entity) -> Proposal:
    """Say what point an entity could be, by its device class and unit."""
    source = f"homeassistant:{entity.name}"
    if entity.component == "binary_sensor":
        return Proposal(source, entity.title, entity.device_class, "1", "switch")
    quantity = _QUANTITIES.get(entity.device_class, entity.device_class)
    return Proposal(source, entity.title, quantity, next(iter(units(entity)), ""), "gauge")
