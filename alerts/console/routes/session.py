"""Logging in and out, and who one is."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response

from alerts.console import schema
from alerts.console.accounts import (
    begin_session,
    check_password,
    claim_first,
    end_session,
    record_audit,
)
from alerts.console.console import Console
from alerts.console.errors import Problem, admit
from alerts.console.identity import Identity, allow, check_origin

router = APIRouter(prefix="/api/v1", tags=["session"])


@router.post("/session", response_model=schema.Me)
async def log_in(request: Request, response: Response, body: schema.LogIn) -> dict[str, Any]:
    """Log in with a name and a password; the answer sets the session's cookie."""
    console: Console = request.app.state.console
    check_origin(request)
    address = _address(request)
    admit(console.throttle.attempt(body.name, address))

    def check() -> Any:
        user = check_password(console.accounts, body.name, body.password)
        if user is None:
            record_audit(console.accounts, f"address:{address}", "session.refused", body.name[:64])
        return user

    user = await to_thread.run_sync(check, limiter=console.hashing)
    if user is None:
        raise Problem(401, "wrong_password")
    console.throttle.succeeded(body.name, address)
    agent = request.headers.get("user-agent", "")
    return await to_thread.run_sync(_begin, console, request, response, user, address, agent)


@router.delete("/session", status_code=204)
def log_out(
    request: Request, response: Response, identity: Annotated[Identity, Depends(allow("account.read"))]
) -> None:
    """End this session."""
    console: Console = request.app.state.console
    if identity.session is None:
        raise Problem(400, "bad_request")
    end_session(console.accounts, identity.session, actor=identity.actor)
    console.gate.drop_cookie(request, response)


@router.get("/me", response_model=schema.Me)
def me(request: Request, identity: Annotated[Identity, Depends(allow("account.read"))]) -> dict[str, Any]:
    """Say who is asking, and where."""
    console: Console = request.app.state.console
    return describe(console, identity)


@router.post("/first-administrator", response_model=schema.Me)
async def first_administrator(request: Request, response: Response, body: schema.FirstAdministrator) -> dict[str, Any]:
    """Make the first administrator with the one-time link, and log in as it."""
    console: Console = request.app.state.console
    check_origin(request)
    address = _address(request)
    admit(console.throttle.attempt("first administrator", address))
    language = getattr(request.state, "language", None)

    def claim() -> Any:
        return claim_first(console.accounts, body.token, body.name, body.password, language=language)

    user = await to_thread.run_sync(claim, limiter=console.hashing)
    agent = request.headers.get("user-agent", "")
    return await to_thread.run_sync(_begin, console, request, response, user, address, agent)


def describe(console: Console, identity: Identity) -> dict[str, Any]:
    """Describe an identity as /me does."""
    site = console.config.site
    return {
        "name": identity.name,
        "display": identity.display,
        "roles": identity.roles,
        "unit": identity.unit,
        "places": identity.places,
        "language": identity.language,
        "csrf": console.gate.csrf(identity.session) if identity.session else "",
        "zone": site.zone,
        "site": {"id": site.id, "name": {"zh": site.name.zh, "en": site.name.en}},
    }


def _begin(
    console: Console, request: Request, response: Response, user: Any, address: str, agent: str
) -> dict[str, Any]:
    seconds = console.config.session_absolute
    session = begin_session(console.accounts, user.name, address=address, agent=agent, absolute=seconds)
    console.gate.set_cookie(request, response, session, seconds)
    identity = Identity(
        actor=f"user:{user.name}",
        name=user.name,
        display=user.display,
        roles=user.roles,
        unit=user.unit,
        language=user.language,
        places=user.places,
        session=session,
    )
    return describe(console, identity)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
