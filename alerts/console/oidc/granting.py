"""What a token's claims grant: the account's name, its roles, places and unit, by the provider's file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts.console.accounts import External
from alerts.console.oidc.file import Grant, Provider

_MOST_GROUPS = 2000


def external(claims: Mapping[str, Any], provider: Provider) -> External | None:
    """Say who comes and what they may do; None when no group of theirs is named in the file.

    Of several grants the first in the file holds, and no other: roles of two would share the places of both.
    """
    grant = _granted(groups_of(claims, provider.groups), provider)
    if grant is None:
        return None
    display = claims.get("name")
    name = claims.get(provider.account)
    return External(
        issuer=provider.issuer,
        subject=claims["sub"],
        name=name if isinstance(name, str) else "",
        display=display[:100] if isinstance(display, str) else "",
        roles=grant.roles,
        places=grant.places,
        unit=grant.unit or None,
    )


def groups_of(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """Read a claim's groups: a list of texts, or one. The whole path may be one claim's name, as an address is."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for step in path.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    listed = found if isinstance(found, list) else [found]
    return frozenset(one for one in listed[:_MOST_GROUPS] if isinstance(one, str))


def second_step(claims: Mapping[str, Any], provider: Provider) -> bool:
    """Tell whether the provider says that it asked for a second step, in words that the file takes for that."""
    methods = claims.get("amr")
    said = {one for one in methods if isinstance(one, str)} if isinstance(methods, list) else set()
    return not said.isdisjoint(provider.second.amr) or claims.get("acr") in provider.second.acr


def _granted(groups: frozenset[str], provider: Provider) -> Grant | None:
    return next((grant for grant in provider.grants if grant.group in groups), None)
