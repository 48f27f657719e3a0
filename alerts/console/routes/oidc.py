"""Signing in by a provider: there and back, and out again. Browsers come here by links, so answers lead on."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from alerts.console import schema
from alerts.console.accounts import (
    AccountError,
    begin_session,
    enter_external,
    leave_external,
    record_audit,
    sign_out_external,
    use_state,
)
from alerts.console.console import Console, console_of
from alerts.console.errors import Problem, admit
from alerts.console.routes.session import address_of_request

if TYPE_CHECKING:
    from alerts.console.accounts import User
    from alerts.console.oidc.client import Client

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api/v1", tags=["session"])

HOME = "/#/login"
"""The page leads on from there: to where somebody wanted to go before."""
PROBLEM = "/#/login?problem="

Given = Annotated[str | None, Query(max_length=4096)]


@router.get("/sign-in", response_model=schema.SignInBy)
def ways(request: Request) -> dict[str, Any]:
    """Say by what one may sign in beside a password."""
    client = console_of(request).config.provider
    name = client.provider.name if client is not None else None
    return {"provider": name and {"zh": name.zh, "en": name.en}}


@router.get("/oidc/begin", status_code=303, response_class=RedirectResponse)
async def begin(request: Request) -> Response:
    """Go to the provider to sign in; to the sign-in page, with a problem, when it is away."""
    from alerts.console.oidc.client import ProviderAway  # here: few sites have a provider

    console, client = console_of(request), _client(request)
    admit(console.throttle.sign_in(address_of_request(request)))
    try:
        there, flow = await client.begin()
    except ProviderAway as error:
        log.warning("the provider of sign-ins is away, error=%s", error)
        return _led(PROBLEM + "away")
    response = _led(there)
    console.gate.set_flow(request, response, flow)
    return response


@router.get("/oidc/callback", status_code=303, response_class=RedirectResponse)
async def callback(
    request: Request, state: Given = None, code: Given = None, error: Given = None, iss: Given = None
) -> Response:
    """Come back from the provider: begin a session, or say on the sign-in page what is wrong."""
    from alerts.console.oidc.client import ProviderAway, ProviderRefused  # here: few sites have a provider

    console, client = console_of(request), _client(request)
    address = address_of_request(request)
    admit(console.throttle.sign_in(address))
    response = _led(HOME)
    try:
        flow = console.gate.flow(request)
        if flow is None or state is None or not hmac.compare_digest(state.encode(), flow.state.encode()):
            raise ProviderRefused("state", "no sign-in of this browser is under way by this state")
        if not await to_thread.run_sync(use_state, console.accounts, flow.state):
            raise ProviderRefused("state", "it has come back before")
        if error is not None or code is None:
            raise ProviderRefused("denied", "the provider says no")
        claims = await client.finish(flow, code, iss)
        await to_thread.run_sync(_enter, console, client, request, response, claims)
    except ProviderRefused as problem:
        log.info("a sign-in was refused, address=%s error=%s", address, problem)
        await to_thread.run_sync(_audit(console, address, problem.code, str(problem)))
        response = _led(PROBLEM + problem.code)
    except ProviderAway as problem:
        log.warning("the provider of sign-ins is away, error=%s", problem)
        response = _led(PROBLEM + "away")
    console.gate.drop_flow(request, response)
    return response


@router.get("/oidc/end", status_code=303, response_class=RedirectResponse)
async def end(request: Request) -> Response:
    """Go to the provider to sign out there too; to the sign-in page where that cannot be."""
    admit(console_of(request).throttle.sign_in(address_of_request(request)))
    return _led(await _client(request).leave() or "/#/login")


_FORM = {"type": "object", "properties": {"logout_token": {"type": "string"}}, "required": ["logout_token"]}


@router.post(
    "/oidc/logout",
    openapi_extra={"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": _FORM}}}},
)
async def logged_out(request: Request) -> Response:
    """Hear of the provider that somebody has signed out there: their sessions end (Back-Channel Logout 1.0)."""
    from alerts.console.oidc.client import ProviderAway, ProviderRefused  # here: few sites have a provider

    console, client = console_of(request), _client(request)
    address, provider = address_of_request(request), client.provider
    admit(console.throttle.sign_out(address))

    def leave(subject: str, token: str) -> bool:
        actor = f"provider:{provider.client}"
        return sign_out_external(console.accounts, provider.issuer, subject, token, actor=actor)

    try:
        given = parse_qs((await request.body()).decode("latin-1"), max_num_fields=20).get("logout_token", [""])
        subject, id = await client.logged_out(given[0])
        if not await to_thread.run_sync(leave, subject, id):
            raise ProviderRefused("token", "it has come before")
    except (ProviderRefused, ProviderAway, ValueError) as problem:
        log.info("a sign-out by the provider was refused, address=%s error=%s", address, problem)
        return Response(status_code=400, headers={"Cache-Control": "no-store"})
    console.throttle.signed_out(address)
    return Response(headers={"Cache-Control": "no-store"})


def _enter(console: Console, client: Client, request: Request, response: Response, claims: dict[str, Any]) -> None:
    """Begin the session of whoever the claims are about. Raise `ProviderRefused`."""
    from alerts.console.oidc.client import ProviderRefused  # here: few sites have a provider
    from alerts.console.oidc.granting import external, second_step

    provider = client.provider
    actor = f"provider:{provider.client}"
    known = external(claims, provider)
    if known is None:
        leave_external(console.accounts, provider.issuer, claims["sub"], actor=actor)
        raise ProviderRefused("group", "none of their groups is granted anything")
    try:
        user: User = enter_external(
            console.accounts,
            known,
            first=provider.first,
            units=set(console.router.units),
            places={*console.registry.places, *console.registry.areas},
            actor=actor,
        )
    except AccountError as error:
        code = "account" if error.code in ("not_admitted", "name_taken", "bad_name") else "group"
        raise ProviderRefused(code, f"{error.code}: {error}") from error
    if user.disabled:
        raise ProviderRefused("disabled", f"the account {user.name} is disabled")
    seconds = min(provider.hours * 3600.0, console.config.session_absolute)
    session = begin_session(
        console.accounts,
        user.name,
        address=address_of_request(request),
        agent=request.headers.get("user-agent", ""),
        absolute=seconds,
        second=second_step(claims, provider),
        provider=provider.issuer,
    )
    console.gate.set_cookie(request, response, session, seconds)


def _audit(console: Console, address: str, code: str, why: str) -> Callable[[], None]:
    def note() -> None:
        record_audit(console.accounts, f"address:{address}", "session.refused", provider=code, why=why[:200])

    return note


def _led(where: str) -> Response:
    return RedirectResponse(where, 303)


def _client(request: Request) -> Client:
    client = console_of(request).config.provider
    if client is None:
        raise Problem(404, "not_found")
    return client
