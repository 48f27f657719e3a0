"""What messages say by names of their own: records of SenML packs, and entities that announce themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import UNSET

from sensors.dialects import discovery
from sensors.dialects.discovery import DiscoveryError, Entity
from sensors.dialects.senml import is_name
from sensors.dialects.senml_pack import READERS
from sensors.dialects.senml_units import unit_of

_CONFIG = re.compile(r"[^/]+/([a-z_]+)/((?:[^/]+/)?[^/]+)/config\Z")
_FIELD = re.compile(r"\{\{\s*value_json((?:\.[A-Za-z_]\w*)+)\s*(?:\|[^}]*)?\}\}\Z")


class Value(NamedTuple):
    """One record of a pack: its full name, what it says, and its unit as the site writes units; empty without one."""

    name: str
    value: float
    unit: str


def senml(payload: bytes, base: str = "") -> list[Value]:
    """Read the numbers of a SenML pack, JSON or CBOR; nothing of what is none. `base` is what names begin with."""
    try:
        records = READERS["auto"](payload)
    except (ValueError, RecursionError):
        return []
    found: list[Value] = []
    base_unit, base_value = "", 0.0
    for record in records:
        base = base if record.bn is UNSET else record.bn
        base_unit = base_unit if record.bu is UNSET else record.bu
        base_value = base_value if record.bv is UNSET else float(record.bv)
        name = base + record.n
        if not is_name(name):
            continue
        if record.vb is not UNSET:
            found.append(Value(name, float(record.vb), ""))
        elif record.v is not UNSET:
            unit = record.u or base_unit
            found.append(Value(name, base_value + record.v, (unit_of(unit) or "") if unit else ""))
    return found


def is_config(topic: str) -> bool:
    """Tell whether a topic is one on which entities announce themselves."""
    return _CONFIG.match(topic) is not None


def announced(topic: str, payload: bytes) -> list[Entity]:
    """Read the entities of a discovery message; nothing of what is none."""
    config = _CONFIG.match(topic)
    if config is None or not payload:
        return []
    try:
        return discovery.entities(config[1], config[2], payload)[0]
    except DiscoveryError:
        return []


def path_of(entity: Entity) -> str | None:
    """Name the field of its state that an entity takes, as a mapping's path; None where its template is more."""
    if not entity.template:
        return ""
    field = _FIELD.match(entity.template.strip())
    return field[1][1:] if field is not None else None


def words_of(entity: Entity) -> Iterable[str]:
    """Give what an entity says of what it measures."""
    return (entity.topic, entity.title, entity.name, entity.device_class)
