"""Check an ID token (OpenID Connect Core 1.0, 3.1.3.7): its signature, and what it says of whom, by whom, for whom."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from joserfc import jwk, jwt
from joserfc.errors import JoseError

from alerts.console.oidc.file import Provider

LONGEST = 32 * 1024
"""Characters of a token."""

LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
_MOST_KEYS = 64
_LEAST_RSA = 2048  # bits
_KINDS = ("RSA", "EC", "OKP")
_OLDEST = 600.0  # seconds since it was made: it was made for this very sign-in


class TokenError(ValueError):
    """Raised for a token that is not believed; says why, without anything of the token."""


class UnknownKey(TokenError):
    """Raised when a token names a key that is not among those at hand: the provider may have changed its keys."""


def read_keys(document: Any) -> jwk.KeySet:
    """Read a JWKS; leave out what cannot sign tokens: shared keys, keys for encryption, short ones, unknown kinds.

    Raise `TokenError` where it is none, or no key is left.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise TokenError("the provider's keys are no JWKS")
    kept: list[Any] = []
    for one in listed:
        if not isinstance(one, dict) or one.get("kty") not in _KINDS or one.get("use", "sig") != "sig":
            continue
        try:
            key = jwk.import_key({name: value for name, value in one.items() if name not in ("d", "p", "q")})
            if isinstance(key, jwk.RSAKey) and key.public_key.key_size < _LEAST_RSA:
                continue
        except Exception:  # noqa: S112  # one key that is not sound costs that key; the library raises of all kinds
            continue
        kept.append(key)
    if not kept:
        raise TokenError("none of the provider's keys can be used")
    return jwk.KeySet(kept)


def check(text: Any, provider: Provider, keys: jwk.KeySet, nonce: str, now: float) -> dict[str, Any]:
    """Return the claims of a token that was made by this provider, for us, for this sign-in, and is in force at `now`.

    Raise `TokenError`; `UnknownKey` when other keys may help.
    """
    claims = _signed(text, provider, keys, now, "nonce")
    _particular(claims, provider, nonce, now)
    return claims


def check_logout(text: Any, provider: Provider, keys: jwk.KeySet, now: float) -> tuple[str, str]:
    """Return whose sessions end by a logout token, and the token's id (OpenID Connect Back-Channel Logout 1.0, 2.6).

    One that names a session alone is refused: which of ours it is nobody has told us. Raise `TokenError`; `UnknownKey`
    when other keys may help.
    """
    claims = _signed(text, provider, keys, now, "jti")
    events, jti = claims.get("events"), claims["jti"]
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT), dict) or "nonce" in claims:
        raise TokenError("it is no logout token")
    if claims["iat"] < now - _OLDEST - provider.leeway:
        raise TokenError("it was made long ago")
    if not isinstance(jti, str) or not 0 < len(jti) <= 255 or not 0 < len(claims["sub"]) <= 255:
        raise TokenError("it does not say of whom it is, or which it is")
    return claims["sub"], jti


def _signed(text: Any, provider: Provider, keys: jwk.KeySet, now: float, *essential: str) -> dict[str, Any]:
    """Return the claims of a token that was made by this provider, for us, and is in force at `now`."""
    if not isinstance(text, str) or len(text) > LONGEST or text.count(".") != 2:
        raise TokenError("there is no token")
    try:
        token = jwt.decode(text, keys, algorithms=list(provider.algorithms))
    except JoseError as error:
        unknown = error.error == "invalid_key_id"
        raise (UnknownKey if unknown else TokenError)(f"its signature: {error.error}") from error
    except Exception as error:  # the library raises of all kinds on what is no token
        raise TokenError(f"its form: {type(error).__name__}") from error
    there: dict[str, Any] = {name: {"essential": True} for name in ("sub", "exp", "iat", *essential)}
    registry = jwt.JWTClaimsRegistry(
        now=int(now),
        leeway=provider.leeway,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client},
        **there,
    )
    try:
        registry.validate(token.claims)
    except JoseError as error:
        raise TokenError(f"{error.error}: {error.description}"[:120]) from error
    return token.claims


def _particular(claims: Mapping[str, Any], provider: Provider, nonce: str, now: float) -> None:
    """Check what only OpenID Connect asks for."""
    if not isinstance(claims["nonce"], str) or not hmac.compare_digest(claims["nonce"].encode(), nonce.encode()):
        raise TokenError("it was made for another sign-in")
    if claims["iat"] < now - _OLDEST - provider.leeway:
        raise TokenError("it was made long ago")
    party, audience = claims.get("azp"), claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and party is None:
        raise TokenError("it is for several, and does not say who asked for it")
    if party is not None and party != provider.client:
        raise TokenError("another client asked for it")
    if not 0 < len(claims["sub"]) <= 255:
        raise TokenError("it does not say of whom it is")
