"""Whom to tell: targets as plain data. Secrets never stand in it; it names an environment variable or a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec


class Struct(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """Common settings of targets: what happens after a failure is the same for all. Times are seconds."""

    name: str
    exercise: bool = False  # also told of simulations and exercises
    attempts: int = 20  # then it is a dead letter
    retry_first: float = 1.0
    retry_cap: float = 300.0
    timeout: float = 10.0  # of one attempt, all in all


class WebhookTarget(Struct, tag="webhook", frozen=True):
    """POST every dispatch event as a signed CloudEvent."""

    url: str
    secret_env: str = ""
    secret_file: str = ""
    allow_private: bool = False  # may the address be in a private, loopback or link-local range?
    max_bytes: int = 262144


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


Target = WebhookTarget | MqttTarget | HomeAssistantTarget


ALARMS, DISPATCHES, HOMEASSISTANT = "alarms", "dispatches", "homeassistant"
UNDISPATCHED, REMINDED = "undispatched", "reminded"
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
