"""Whom to tell: targets as plain data. Secrets never stand in it; it names an environment variable or a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import msgspec

Level = Literal["blue", "yellow", "orange", "red"]

TOLD = (
    *("issued", "reassigned", "referred", "moved", "lead", "refused", "raised", "overdue", "undispatched", "reminded"),
    *("recalled", "silence_ends", "mode_ends"),
)
"""The changes of dispatches and incidents that people are told of unless a target says otherwise."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """Common settings of targets: what happens after a failure is the same for all. Times are seconds."""

    name: str
    exercise: bool = False  # also told of simulations and exercises
    attempts: int = 20  # then it is a dead letter
    retry_first: float = 1.0
    retry_cap: float = 300.0
    timeout: float = 10.0  # of one attempt, all in all
    per_minute: int = 0  # notices; more wait, and people get them as one digest a minute. 0 is no limit


class WebhookTarget(Struct, tag="webhook", frozen=True):
    """POST every dispatch event as a signed CloudEvent."""

    url: str
    secret_env: str = ""
    secret_file: str = ""
    allow_private: bool = False  # may the address be in a private, loopback or link-local range?
    max_bytes: int = 262144


class PeopleTarget(Struct, frozen=True, kw_only=True):
    """What targets that people read have in common: whom they concern, when they may ring, how they answer."""

    per_minute: int = 3
    level: Level = "blue"  # told of this level and above
    areas: tuple[str, ...] = ()  # empty is all
    units: tuple[str, ...] = ()  # empty is all; what is about no unit is told in any case
    edges: tuple[str, ...] = TOLD
    on_duty: tuple[str, ...] = ()  # told while one of these accounts is on duty, or nobody is; empty is always
    quiet: str = ""  # HH:MM-HH:MM in the site's zone: all but red waits until it is over
    reply: bool = True  # an acknowledgement is asked for, by a code that works once
    reply_hours: float = 8.0
    callback_env: str = ""  # secret of signed callbacks that bring answers
    callback_file: str = ""


class MailTarget(PeopleTarget, tag="mail", frozen=True, kw_only=True):
    """Send mail to one or several people, each by itself. With `tls: none` a password is not sent."""

    host: str
    port: int = 0  # 587, 465 with implicit TLS, 25 with none
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    ca_file: str = ""
    username: str = ""
    password_env: str = ""
    password_file: str = ""
    sender: str
    to: tuple[str, ...]
    allow_private: bool = False


class ChatTarget(PeopleTarget, tag="chat", frozen=True, kw_only=True):
    """Tell a chat group or a gateway of short messages through an address of Apprise, which is a secret."""

    url_env: str = ""
    url_file: str = ""
    allow_private: bool = False


class MqttTarget(Struct, tag="mqtt", frozen=True):
    """Publish area summaries (retained) and dispatch events (QoS 1)."""

    host: str = "127.0.0.1"
    port: int = 1883
    prefix: str = "foreshock"
    username: str = ""
    password_env: str = ""
    password_file: str = ""
    tls: bool = False
    ca_file: str = ""
    cert_file: str = ""  # our own certificate, with key_file
    key_file: str = ""
    client_id: str = ""  # by default one made at random: two clients of one id would push each other off


class HomeAssistantTarget(MqttTarget, tag="homeassistant", frozen=True):
    """Show every area as a device of Home Assistant. `discovery` is its prefix for announcements, `prefix` ours."""

    discovery: str = "homeassistant"
    site: str = ""  # id: devices of several sites stand side by side
    title: str = ""  # the site's name
    areas: dict[str, str] = {}  # id → name
    language: str = "zh-CN"
    console: str = ""  # address that a device links to


Target = WebhookTarget | MqttTarget | HomeAssistantTarget | MailTarget | ChatTarget
FileTarget = WebhookTarget | MailTarget | ChatTarget
"""What a site's file of targets may name."""


ALARMS, DISPATCHES, HOMEASSISTANT = "alarms", "dispatches", "homeassistant"
UNDISPATCHED, REMINDED = "undispatched", "reminded"
REMINDING = (REMINDED, "silence_ends", "mode_ends")
"""Changes that are published under `REMINDED`."""
ASKING = ("overdue", UNDISPATCHED, REMINDED)
"""Changes that are said again until somebody acts; whatever else a change says, it says once."""

SENDING = ("issued", "reassigned", "referred", "moved", "lead", "raised", "overdue")
"""Changes of an order upon which somebody sets out, or hurries."""

KINDS = (ALARMS, DISPATCHES, UNDISPATCHED, REMINDED, HOMEASSISTANT)
"""The levels under an `MqttTarget`'s prefix that are published to. No broker may hold any of them back."""


class TargetError(ValueError):
    """Say what is wrong with a target."""


def read_targets(data: Any) -> tuple[Target, ...]:
    """Turn a list of plain mappings into targets. Raise `TargetError` naming the field at fault."""
    try:
        found = msgspec.convert(data, tuple[Target, ...])
    except msgspec.ValidationError as error:
        raise TargetError(str(error)) from error
    names = [target.name for target in found]
    for name in names:
        if names.count(name) > 1:
            raise TargetError(f"two targets are named {name!r}: names keep their deliveries apart")
    return found


def read_secret(env: str, file: str) -> str:
    """Read a secret from an environment variable or a file; empty when neither is named.

    Raise `TargetError` when the one named does not hold one.
    """
    if env:
        value = os.environ.get(env, "")
        if not value:
            raise TargetError(f"environment variable {env} is not set")
        return value
    if file:
        try:
            value = Path(file).read_text().strip()
        except OSError as error:
            raise TargetError(f"cannot read the secret in {file}: {error.strerror}") from error
        if not value:
            raise TargetError(f"the secret file {file} is empty")
        return value
    return ""
