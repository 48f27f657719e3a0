"""`sign-in.yaml`: the provider by which people sign in, and what its groups may do; mistakes with line and field."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from alerts.console.accounts.store import AccountError
from alerts.console.accounts.users import check_places, check_unit, checked_roles
from sensors.document import Document, DocumentError, Problem, convert, read_document
from sensors.site import Site, Text

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""The signatures that may be allowed: none by a shared key, and never `none`."""

MOST_GRANTS = 200
_MAX_BYTES = 64 * 1024
_CALLBACK = "/api/v1/oidc/callback"


class Grant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What who is in a group may do: roles, confined to places if any are named, for a unit if one is."""

    group: str
    roles: tuple[str, ...]
    places: tuple[str, ...] = ()
    unit: str = ""


class Second(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What in a token says that the provider asked for a second step: methods (`amr`, RFC 8176) or classes (`acr`)."""

    amr: tuple[str, ...] = ()
    acr: tuple[str, ...] = ()


class Provider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as it stands. `first` says what becomes of who comes for the first time."""

    name: Text
    issuer: str
    client: str
    grants: tuple[Grant, ...]
    secret_env: str = ""
    secret_file: str = ""
    ca_file: str = ""
    scopes: tuple[str, ...] = ("profile",)
    groups: str = "groups"  # the claim that lists them; dots lead into it
    account: str = "preferred_username"  # the claim that an account is named after
    first: Literal["make", "approve", "refuse"] = "make"
    second: Second = Second()
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256")
    leeway: int = 60  # seconds by which the clocks may differ
    hours: float = 12.0  # a session lasts, after which the provider is asked again
    allow_private: bool = False  # may its addresses be private ones, and plain HTTP on this machine?


def callback(console: str) -> str:
    """Name the one address to which the provider sends people back."""
    return console.rstrip("/") + _CALLBACK


def read(path: FilePath, site: Site | None = None) -> Provider:
    """Read a provider's file; places and units are looked up where the `site` is given.

    The secret is not looked at. Raise `DocumentError` with all mistakes.
    """
    document = read_document(path, max_bytes=_MAX_BYTES, name=path.name)
    provider = convert(document, Provider)
    problems = list(_problems(document, provider, site))
    if problems:
        raise DocumentError(problems)
    return provider


def wrong_address(address: str, allow_private: bool) -> str:
    """Say what is wrong with an address of a provider; empty when nothing is."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return "not an address"
    if (
        not parts.hostname
        or "@" in parts.netloc
        or parts.fragment
        or not address.isascii()
        or not address.isprintable()
    ):
        return "not an address"
    if parts.scheme == "https" or (parts.scheme == "http" and allow_private and _is_loopback(parts.hostname)):
        return ""
    return "must begin with https:// (http:// is for a provider on this machine, with allow_private)"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _problems(document: Document, provider: Provider, site: Site | None) -> Iterator[Problem]:
    if wrong := wrong_address(provider.issuer, provider.allow_private):
        yield document.problem(("issuer",), wrong)
    elif "?" in provider.issuer:
        yield document.problem(("issuer",), "an issuer has no query")
    for field in ("client", "groups", "account"):
        if not 0 < len(getattr(provider, field)) <= 200:
            yield document.problem((field,), "1 to 200 characters")
    if provider.secret_env and provider.secret_file:
        yield document.problem(("secret_file",), "name secret_env or secret_file, not both")
    if not provider.algorithms or (bad := set(provider.algorithms) - set(ALGORITHMS)):
        named = f"{min(bad)[:20]} is not allowed; " if provider.algorithms else ""
        yield document.problem(("algorithms",), f"{named}choose of {', '.join(ALGORITHMS)}")
    if not 0 <= provider.leeway <= 300:
        yield document.problem(("leeway",), f"{provider.leeway} is not from 0 to 300")
    if not 0.25 <= provider.hours <= 168:
        yield document.problem(("hours",), f"{provider.hours:g} is not from 0.25 to 168")
    if not all(scope and scope.isascii() and scope.isprintable() and " " not in scope for scope in provider.scopes):
        yield document.problem(("scopes",), "a scope is a word")
    if not 0 < len(provider.grants) <= MOST_GRANTS:
        yield document.problem(("grants",), f"1 to {MOST_GRANTS} grants")
    groups: set[str] = set()
    for place, grant in enumerate(provider.grants):
        if not grant.group or grant.group in groups:
            yield document.problem(("grants", place, "group"), "each group stands once, by its name")
        groups.add(grant.group)
        try:
            checked_roles(grant.roles)
            check_unit(grant.roles, grant.unit or None, None if site is None else {unit.id for unit in site.units})
            known = None if site is None else {*(one.id for one in site.places), *(one.id for one in site.areas)}
            check_places(grant.roles, grant.places, known)
        except AccountError as error:
            yield document.problem(("grants", place, error.field or "group"), str(error))
    if site is not None and not site.console:
        message = "the site has no address to come back to: name `console` in site.yaml"
        yield document.problem((), message)
