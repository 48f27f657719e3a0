"""Who is asking: the session cookie or the bearer token of a request, and whether the role allows what it asks."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from fastapi import Request, Response
from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer

from alerts.console.accounts import Accounts, User, find_session, find_token, touch_session
from alerts.console.errors import Problem
from alerts.console.permissions import CONFINED, allowed, own_unit_only

if TYPE_CHECKING:
    from alerts.console.oidc.client import Flow

COOKIE = "foreshock_session"
FLOW = "foreshock_sign_in"
FLOW_PATH = "/api/v1/oidc"
FLOW_SECONDS = 600
"""For how long somebody may be at the provider."""

CSRF = "X-Foreshock-CSRF"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_TOUCH = 60.0  # seconds between notes that a session is in use


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking. `session` is None for a token."""

    actor: str  # user:<name> | token:<name>#<id>, as names of tokens may repeat
    name: str
    display: str
    roles: tuple[str, ...]
    unit: str | None
    language: str | None
    places: tuple[str, ...] = ()  # what the account is confined to; of none it is the whole site
    session: str | None = None
    token: str | None = None
    second: bool = False  # a person who gives a code beside the password
    second_needed: bool = False  # a person who has to, and has not: they do that and nothing else
    external: bool = False  # a person who signs in by a provider

    def own_unit(self, action: str) -> str | None:
        """Name the only unit with whose dispatches `action` may be taken; None when it may with all."""
        return (self.unit or "") if own_unit_only(action, self.roles) else None


class Gate:
    """Recognise who is asking, by keys made from the data folder's secret.

    `secure` says that the console is served over TLS, whatever a request from the proxy in front of it looks like.
    `second_step` asks administrators for a code beside their password; tokens have none.
    """

    def __init__(
        self, accounts: Accounts, key: bytes, *, idle: float, secure: bool = False, second_step: bool = False
    ) -> None:
        self.accounts = accounts
        self._second_step = second_step
        self._secure = secure
        self._key = hmac.digest(key, b"foreshock csrf", "sha256")
        self._idle = idle
        digest = {"digest_method": hashlib.sha256}
        self._signer = URLSafeSerializer(key, salt="foreshock session", signer_kwargs=digest)
        self._flows = URLSafeTimedSerializer(key, salt="foreshock sign-in", signer_kwargs=digest)

    def asks_second(self, roles: Iterable[str]) -> bool:
        """Say whether who has these roles must give a code beside the password."""
        return self._second_step and "administrator" in roles

    def lacks_second(self, user: User, given: bool) -> bool:
        """Say whether a person has yet to set up a second step, or to give its code.

        With a password the code is given before there is a session; by a provider it is `given` to that, or in it.
        """
        if user.external:
            return (user.second or self.asks_second(user.roles)) and not given
        return self.asks_second(user.roles) and not user.second

    def person(self, user: User, session: str, given: bool) -> Identity:
        """Say who a person is in a session, in which a second step was `given` or not."""
        return Identity(
            actor=f"user:{user.name}",
            name=user.name,
            display=user.display,
            roles=user.roles,
            unit=user.unit,
            language=user.language,
            places=user.places,
            session=session,
            second=user.second,
            second_needed=self.lacks_second(user, given),
            external=user.external,
        )

    def csrf(self, session: str) -> str:
        """Return the CSRF token that belongs to a session."""
        return hmac.new(self._key, session.encode(), "sha256").hexdigest()

    def set_cookie(self, request: Request, response: Response, session: str, seconds: float) -> None:
        """Give the browser its session, for this site only and out of the page's reach."""
        response.set_cookie(
            COOKIE,
            str(self._signer.dumps(session)),
            max_age=int(seconds),
            path="/",
            secure=self._over_tls(request),
            httponly=True,
            samesite="strict",
        )

    def drop_cookie(self, request: Request, response: Response) -> None:
        """Have the browser forget its session."""
        response.delete_cookie(COOKIE, path="/", secure=self._over_tls(request), httponly=True, samesite="strict")

    def set_flow(self, request: Request, response: Response, flow: Flow) -> None:
        """Give the browser what it must bring back from a provider. It comes back from another site: hence `lax`."""
        response.set_cookie(
            FLOW,
            str(self._flows.dumps([flow.state, flow.nonce, flow.verifier])),
            max_age=FLOW_SECONDS,
            path=FLOW_PATH,
            secure=self._over_tls(request),
            httponly=True,
            samesite="lax",
        )

    def flow(self, request: Request) -> Flow | None:
        """Read what this browser was given when it went to the provider; None when it was not, or long ago."""
        from alerts.console.oidc.client import Flow  # here: few sites have a provider

        try:
            return Flow(*self._flows.loads(request.cookies.get(FLOW, "")[:1000], max_age=FLOW_SECONDS))
        except BadSignature:
            return None

    def drop_flow(self, request: Request, response: Response) -> None:
        """Have the browser forget it."""
        response.delete_cookie(FLOW, path=FLOW_PATH, secure=self._over_tls(request), httponly=True, samesite="lax")

    def _over_tls(self, request: Request) -> bool:
        return self._secure or request.url.scheme == "https"

    def identify(self, request: Request) -> Identity | None:
        """Find who is asking, or None. Raise `Problem` on a write by cookie that another site may have sent."""
        authorization = request.headers.get("authorization")
        if authorization is not None:
            return self._by_token(authorization)
        cookie = request.cookies.get(COOKIE)
        if cookie is None or len(cookie) > 400:
            return None
        try:
            session = self._signer.loads(cookie)
        except BadSignature:
            return None
        now = time.time()
        found = find_session(self.accounts, str(session), idle=self._idle, now=now)
        if found is None:
            return None
        if request.method not in SAFE:
            check_origin(request)
            if not hmac.compare_digest(request.headers.get(CSRF, "").encode(), self.csrf(found.id).encode()):
                raise Problem(403, "csrf")
        if now - found.seen > _TOUCH:
            touch_session(self.accounts, found.id, now=now)
        return self.person(found.user, found.id, found.second)

    def still(self, identity: Identity, action: str) -> bool:
        """Say whether someone recognised before may still do `action`, as the same unit and in the same places."""
        now = time.time()
        if identity.session is not None:
            session = find_session(self.accounts, identity.session, idle=self._idle, now=now)
            if session is None:
                return False
            touch_session(self.accounts, identity.session, now=now)  # who watches is not idle
            roles, unit, places = session.user.roles, session.user.unit, session.user.places
            if self.lacks_second(session.user, session.second):
                return False
        else:
            token = find_token(self.accounts, identity.token or "", now=now)
            if token is None:
                return False
            roles, unit, places = token.roles, token.unit, token.places
        if (unit, places) != (identity.unit, identity.places):
            return False
        return allowed(action, roles) and own_unit_only(action, roles) == own_unit_only(action, identity.roles)

    def _by_token(self, authorization: str) -> Identity | None:
        scheme, _, secret = authorization.partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret or len(secret) > 200:
            return None
        token = find_token(self.accounts, secret)
        if token is None:
            return None
        return Identity(
            actor=f"token:{token.name}#{token.id}",
            name=token.name,
            display=token.name,
            roles=token.roles,
            unit=token.unit,
            language=None,
            places=token.places,
            token=secret,
        )


def check_origin(request: Request) -> None:
    """Raise `Problem` when the browser says that another site sent this request."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise Problem(403, "csrf")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Problem(403, "csrf")


OWN_ACCOUNT = "account.read"
"""What one may do who has yet to set up a second step: look at oneself, set it up, log out."""


@cache
def allow(action: str) -> Callable[[Request], Identity]:
    """Make the dependency of a route that asks for the right to `action`.

    It runs in a thread. It raises `Problem` 401 for strangers and 403 where no role allows it.
    """

    def check(request: Request) -> Identity:
        identity: Identity | None = request.app.state.gate.identify(request)
        if identity is None:
            raise Problem(401, "unauthenticated", headers={"WWW-Authenticate": "Bearer"})
        request.state.identity = identity
        if identity.language is not None:
            request.state.language = identity.language
        if not allowed(action, identity.roles):
            raise Problem(403, "forbidden")
        if identity.second_needed and action != OWN_ACCOUNT:
            raise Problem(403, "second_needed")
        if identity.places and action not in CONFINED:
            raise Problem(403, "whole_site")
        return identity

    check.__dict__["action"] = action
    return check
