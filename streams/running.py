"""What a run noted of itself, for commands that come to it later."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from streams.brokers import Broker
from streams.durable import replace

_SITE = "site"
_BROKERS = "brokers.json"
_PORT = "mqtt-port"


def note_site(data: Path, site: Path) -> None:
    """Note the site folder that a run was started with."""
    replace(data / "run" / _SITE, str(site.resolve()).encode())


def site_of(data: Path) -> Path | None:
    """Read the site folder that the latest run was started with; None when it did not say."""
    try:
        return Path((data / "run" / _SITE).read_bytes().decode(errors="replace"))
    except FileNotFoundError:
        return None


def note_port(data: Path, port: int) -> None:
    """Note the port of a run's own MQTT broker."""
    replace(data / "run" / _PORT, str(port).encode())


def port_of(data: Path) -> int | None:
    """Read the port of the latest run's own MQTT broker; None when it did not say."""
    try:
        return int((data / "run" / _PORT).read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def note_brokers(data: Path, listed: Iterable[Broker]) -> None:
    """Note the brokers that a run listens to; what is secret of them is in files that they name."""
    replace(data / "run" / _BROKERS, msgspec.json.encode(list(listed)))


def brokers_of(data: Path) -> list[Broker]:
    """Read the brokers that the latest run listens to; none when it did not say."""
    try:
        return msgspec.json.decode((data / "run" / _BROKERS).read_bytes(), type=list[Broker])
    except (FileNotFoundError, msgspec.MsgspecError):
        return []
