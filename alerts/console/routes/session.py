"""Logging in and out, and who one is."""

from __future__ import annotations

import time
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response

from alerts.console import schema
from alerts.console.accounts import (
    address_of,
    ask_second,
    begin_session,
    check_password,
    check_second,
    claim_first,
    confirm_second,
    end_session,
    find_session,
    record_audit,
    remove_second,
)
from alerts.console.console import Console
from alerts.console.errors import Problem, admit
from alerts.console.identity import Identity, allow, check_origin

router = APIRouter(prefix="/api/v1", tags=["session"])

FRESH = 600.0
"""Seconds for which who has just signed in by a provider needs not do so again."""


@router.post("/session", response_model=schema.Me)
async def log_in(request: Request, response: Response, body: schema.LogIn) -> dict[str, Any]:
    """Log in with a name, a password and, where the account has one, the code of its second step.

    Without the code the answer is 401 `code_needed`; only one that is right sets the session's cookie.
    """
    console: Console = request.app.state.console
    check_origin(request)
    address = address_of_request(request)
    admit(console.throttle.attempt(body.name, address))

    def check() -> Any:
        user = check_password(console.accounts, body.name, body.password)
        if user is None:
            record_audit(console.accounts, f"address:{address}", "session.refused", body.name[:64])
        elif user.second and not body.code:
            raise Problem(401, "code_needed", field="code")
        elif user.second and not check_second(console.accounts, user.name, body.code):
            record_audit(console.accounts, f"address:{address}", "session.refused", user.name, second_step=True)
            raise Problem(401, "wrong_code", field="code")
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


@router.post("/me/mute", status_code=204)
def mute(
    request: Request, body: schema.Reasoned, identity: Annotated[Identity, Depends(allow("account.read"))]
) -> None:
    """Note why one's page is silent for two minutes; it falls silent by itself."""
    record_audit(request.app.state.console.accounts, identity.actor, "sound.mute", reason=body.reason)


@router.post("/me/second-step", response_model=schema.SecondStep)
async def ask_second_step(
    request: Request, body: schema.Confirm, identity: Annotated[Identity, Depends(allow("account.read"))]
) -> dict[str, Any]:
    """Make the secret of a second step for oneself, once the password is given again. It is shown this once.

    Who signs in by a provider gives no password, and has just done so.
    """
    console: Console = request.app.state.console

    def ask() -> str:
        return ask_second(console.accounts, identity.name)

    await _know_again(request, identity, body.password)
    secret = await to_thread.run_sync(ask)
    address = address_of(secret, identity.name, f"Foreshock {console.config.site.id}")
    import segno  # here: few ever need a picture

    picture = segno.make(address, error="m").svg_data_uri(scale=4, border=2, light="white")
    return {"secret": secret, "address": address, "picture": picture}


@router.put("/me/second-step", status_code=204)
def confirm_second_step(
    request: Request, body: schema.Code, identity: Annotated[Identity, Depends(allow("account.read"))]
) -> None:
    """Put the second step in force with a code of it; all other sessions of the account end."""
    console: Console = request.app.state.console
    session = _session_of(identity)
    admit(console.throttle.attempt(identity.name, address_of_request(request)))
    confirm_second(console.accounts, identity.name, body.code, actor=identity.actor, keep=session)
    console.throttle.succeeded(identity.name, address_of_request(request))


@router.post("/me/second-step/code", status_code=204)
def give_second_step(
    request: Request, body: schema.Code, identity: Annotated[Identity, Depends(allow("account.read"))]
) -> None:
    """Give the code of one's second step in a session that a provider began."""
    console: Console = request.app.state.console
    session, address = _session_of(identity), address_of_request(request)
    admit(console.throttle.attempt(identity.name, address))
    if not check_second(console.accounts, identity.name, body.code, session=session):
        record_audit(console.accounts, identity.actor, "session.refused", identity.name, second_step=True)
        raise Problem(422, "wrong_code", field="code")
    console.throttle.succeeded(identity.name, address)


@router.post("/me/second-step/remove", status_code=204)
async def remove_second_step(
    request: Request, body: schema.Confirm, identity: Annotated[Identity, Depends(allow("account.read"))]
) -> None:
    """Take one's own second step away, once the password is given again; 409 where the site asks for one."""
    console: Console = request.app.state.console
    if console.gate.asks_second(identity.roles):
        raise Problem(409, "second_kept")
    if identity.second_needed:
        raise Problem(403, "code_needed")

    def remove() -> None:
        remove_second(console.accounts, identity.name, actor=identity.actor)

    await _know_again(request, identity, body.password)
    await to_thread.run_sync(remove)


async def _know_again(request: Request, identity: Identity, password: str) -> None:
    """Ask whoever is logged in for their password once more. Raise `Problem` 422 when it is not theirs.

    Who has none is known again by a session that has just begun.
    """
    console: Console = request.app.state.console
    id = _session_of(identity)
    if identity.external:
        session = find_session(console.accounts, id)
        if session is None or time.time() - session.created > FRESH:
            raise Problem(422, "sign_in_again", field="password")
        return
    address = address_of_request(request)
    admit(console.throttle.attempt(identity.name, address))

    def check() -> bool:
        return check_password(console.accounts, identity.name, password) is not None

    if not await to_thread.run_sync(check, limiter=console.hashing):
        raise Problem(422, "wrong_password", field="password")
    console.throttle.succeeded(identity.name, address)


def _session_of(identity: Identity) -> str:
    if identity.session is None:
        raise Problem(400, "session_needed")
    return identity.session


@router.post("/first-administrator", response_model=schema.Me)
async def first_administrator(request: Request, response: Response, body: schema.FirstAdministrator) -> dict[str, Any]:
    """Make the first administrator with the one-time link, and log in as it."""
    console: Console = request.app.state.console
    check_origin(request)
    address = address_of_request(request)
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
        "second": identity.second,
        "second_needed": identity.second_needed,
        "second_kept": identity.session is not None and console.gate.asks_second(identity.roles),
        "external": identity.external,
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
    return describe(console, console.gate.person(user, session, given=False))


def address_of_request(request: Request) -> str:
    """Name the address that a request comes from."""
    return request.client.host if request.client else ""
