"""The MQTT brokers of a run: the main one from the settings, further ones from a list, a bridge for each."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from sensors.document import DocumentError, convert, parse_document
from sensors.site import Signals
from sensors.tls import Tls, TlsError, context
from streams.settings import PREFIX, Settings, SettingsError

MAIN = "main"
MOST = 32
NATIVE = "native"
DIALECTS = tuple(field.name for field in msgspec.structs.fields(Signals) if field.name != NATIVE)
ORDERED = ("sparkplug", "homeassistant", "frigate", "onvif", "gb28181")
"""Dialects that know a device by all that it has said, in order, or by what the broker keeps of it: that a camera is
back would come to one bridge, and that it has gone to another."""

LIST = f"{PREFIX}MQTT_BROKERS"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class Broker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One broker to listen to. Empty `dialects` are all that the site has."""

    name: str
    host: str
    port: int = 0  # 1883, or 8883 with TLS
    version: Literal["3.1.1", "5", 5] = "3.1.1"
    tls: bool = False  # any of the three files asks for it too
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    username: str = ""
    password_file: str = ""
    qos: Literal[0, 1, 2] = 1
    client_id: str = ""
    share: str = ""
    keepalive: int = 30
    receive_maximum: int = 20_000
    status: bool = True
    dialects: tuple[str, ...] = ()

    @property
    def process(self) -> str:
        """The name of its bridge's process, and of the source in the quarantine."""
        return "bridge" if self.name == MAIN else f"bridge-{self.name}"

    @property
    def component(self) -> str:
        """What an alarm on its absence names."""
        return f"mqtt:{self.name}"

    @property
    def encrypted(self) -> Tls | None:
        """The files for TLS; None without it."""
        if self.tls or self.ca_file or self.cert_file or self.key_file:
            return Tls(ca_file=self.ca_file, cert_file=self.cert_file, key_file=self.key_file)
        return None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or (8883 if self.encrypted else 1883)

    def password(self, found: Settings) -> str | None:
        """Read the password; None when there is none. Raise `SettingsError` when its file cannot be read."""
        if self.name == MAIN:
            return found.mqtt_password or None
        if not self.password_file:
            return None
        try:
            return Path(self.password_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise SettingsError(f"{LIST}: {self.name}: cannot read {self.password_file}: {reason}") from error


def brokers(found: Settings) -> list[Broker]:
    """List the brokers, the main one first. Raise `SettingsError` naming what cannot be used."""
    main = Broker(
        name=MAIN,
        host=found.mqtt_host or "127.0.0.1",
        port=found.mqtt_port,
        version="5" if found.mqtt_version == "5" else "3.1.1",
        tls=found.mqtt_tls,
        ca_file=found.mqtt_ca_file,
        cert_file=found.mqtt_cert_file,
        key_file=found.mqtt_key_file,
        username=found.mqtt_username,
        qos=2 if found.mqtt_qos == 2 else 1 if found.mqtt_qos else 0,
        client_id=found.mqtt_client_id,
        share=found.mqtt_share,
        keepalive=found.mqtt_keepalive,
        receive_maximum=found.mqtt_receive_maximum,
        status=found.mqtt_status,
        dialects=tuple(name for part in found.mqtt_dialects.split(",") if (name := part.strip())),
    )
    _require(main, PREFIX + "MQTT_*")
    further = _further(found.mqtt_brokers) if found.mqtt_brokers.strip() else ()
    names = [MAIN]
    for one in further:
        _require(one, f"{LIST}: {one.name[:40]}")
        if one.name in names:
            raise SettingsError(
                f"{LIST}: there are two brokers of the name {one.name} ({MAIN} is that of the settings)"
            )
        names.append(one.name)
    return [main, *further]


def _further(text: str) -> Sequence[Broker]:
    try:
        listed = convert(parse_document(text, LIST), tuple[Broker, ...])
    except DocumentError as error:
        raise SettingsError(str(error.problems[0])) from error
    if len(listed) > MOST:
        raise SettingsError(f"{LIST}: {len(listed)} brokers; at most {MOST}")
    return listed


def _require(one: Broker, where: str) -> None:
    """Raise `SettingsError` for what cannot be."""
    wrong = ""
    if not _NAME.fullmatch(one.name):
        wrong = "a name is of a to z, 0 to 9 and -, at most 32 characters"
    elif not one.host or len(one.host) > 253:
        wrong = "host: must name a machine"
    elif not 0 <= one.port <= 65535:
        wrong = f"port {one.port}: a port is 1 to 65535"
    elif bool(one.cert_file) != bool(one.key_file):
        wrong = "a client certificate needs both cert_file and key_file"
    elif set(one.share) & set("/+#\0") or len(one.share) > 64:
        wrong = f"share {one.share[:64]!r}: the name of a group has no /, + or #, and at most 64 characters"
    elif len(one.client_id) > 128 or "\0" in one.client_id or set(one.client_id) & set("/+#"):
        wrong = "client_id: at most 128 characters, without /, + and #"
    elif not 5 <= one.keepalive <= 3600:
        wrong = f"keepalive {one.keepalive}: must be 5 to 3600 seconds"
    elif not 1 <= one.receive_maximum <= 65535:
        wrong = f"receive_maximum {one.receive_maximum}: must be 1 to 65535"
    else:
        unknown = [name for name in one.dialects if name != NATIVE and name not in DIALECTS]
        wrong = (
            f"dialects: there is no {unknown[0][:40]}; there are {', '.join((NATIVE, *DIALECTS))}" if unknown else ""
        )
    if wrong:
        raise SettingsError(f"{where}: {wrong}")


def require_usable(found: Settings, signals: Signals | None = None) -> list[Broker]:
    """List the brokers that a run would listen to. Raise `SettingsError` for whatever would keep it from starting.

    What depends on the site's dialects is looked at where its `signals` are given. Connects to nothing.
    """
    listed = brokers(found)
    for one in listed:
        one.password(found)
        if one.encrypted:
            try:
                context(one.encrypted)
            except TlsError as error:
                raise SettingsError(str(error)) from error
    if not found.mqtt_host and (listed[0].encrypted or listed[0].share):
        raise SettingsError(
            f"{PREFIX}MQTT_HOST (or --mqtt-host) must name a broker: the embedded one has no TLS and no other bridges"
        )
    if signals is not None:
        require_shareable(listed, signals)
    return listed


def require_shareable(listed: Iterable[Broker], signals: Signals) -> None:
    """Raise `SettingsError` when a subscription is to be shared that must not be."""
    for one in listed:
        here = msgspec.structs.asdict(chosen(signals, one.dialects))
        for name in ORDERED:
            if one.share and here.get(name):
                raise SettingsError(
                    f"{PREFIX}MQTT_SHARE ({one.name}): {name} cannot be shared, one bridge must see all that a device "
                    f"says; name the other dialects for this broker"
                )


def chosen(signals: Signals, dialects: Iterable[str]) -> Signals:
    """Leave of a site's signals those of some dialects; of none means of all."""
    wanted = set(dialects)
    if not wanted:
        return signals
    left = {name: getattr(signals, name) if name in wanted else () for name in DIALECTS}
    return msgspec.structs.replace(signals, native=signals.native if NATIVE in wanted else "", **left)


def identity(folder: Path) -> str:
    """Return the word by which brokers tell this data folder's bridges from others'; made once, kept in the folder."""
    file = folder / "mqtt-client"
    try:
        kept = file.read_text(encoding="ascii").strip()
        if re.fullmatch(r"[0-9a-f]{8}", kept):
            return kept
    except (FileNotFoundError, UnicodeDecodeError):
        pass
    made = secrets.token_hex(4)
    fresh = file.with_suffix(f".{made}")
    fresh.write_text(made + "\n", encoding="ascii")
    fresh.replace(file)
    return made
