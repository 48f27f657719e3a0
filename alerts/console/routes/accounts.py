"""Accounts, API tokens and the audit, for administrators."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Request

from alerts.console import persons, schema
from alerts.console.accounts import (
    add_token,
    add_user,
    audit_break,
    change_user,
    checked_password,
    list_audit,
    list_sessions,
    list_tokens,
    list_users,
    remove_second,
    revoke_session,
    revoke_token,
    session_id,
    set_password,
)
from alerts.console.console import Console, console_of
from alerts.console.identity import Identity, allow
from alerts.console.routes.incidents import Before, Limit

router = APIRouter(prefix="/api/v1", tags=["accounts"])

Name = Annotated[str, Path(max_length=200)]


@router.get("/users", response_model=schema.Users)
def users(request: Request, identity: Annotated[Identity, Depends(allow("users.manage"))]) -> dict[str, Any]:
    """List all accounts."""
    return {"items": [msgspec.structs.asdict(user) for user in list_users(console_of(request).accounts)]}


@router.post("/users", response_model=schema.User, status_code=201)
async def new_user(
    request: Request, body: schema.NewUser, identity: Annotated[Identity, Depends(allow("users.manage"))]
) -> dict[str, Any]:
    """Add an account."""
    console = console_of(request)

    def add() -> dict[str, Any]:
        return msgspec.structs.asdict(
            add_user(
                console.accounts,
                body.name,
                body.password,
                body.roles,
                display=body.display,
                unit=body.unit or None,
                language=body.language,
                places=body.places,
                units=_units(console),
                known=_places(console),
                actor=identity.actor,
            )
        )

    return await to_thread.run_sync(add, limiter=console.hashing)


@router.patch("/users/{name}", response_model=schema.User)
async def changed_user(
    request: Request,
    name: Name,
    body: schema.UserChange,
    identity: Annotated[Identity, Depends(allow("users.manage"))],
) -> dict[str, Any]:
    """Change an account; what the body leaves out stays. A new password ends the account's sessions."""
    console = console_of(request)
    given = body.model_fields_set

    def change() -> dict[str, Any]:
        if body.password is not None:
            checked_password(body.password, name)  # first: all of it is changed, or nothing
        user = change_user(
            console.accounts,
            name,
            roles=body.roles,
            display=body.display,
            unit=(body.unit or None) if "unit" in given else msgspec.UNSET,
            language=body.language if "language" in given else msgspec.UNSET,
            places=body.places,
            disabled=body.disabled,
            known=_places(console) if body.places is not None else None,
            units=_units(console) if {"unit", "roles"} & given else None,
            actor=identity.actor,
        )
        if body.password is not None:
            set_password(console.accounts, name, body.password, actor=identity.actor)
        return msgspec.structs.asdict(user)

    return await to_thread.run_sync(change, limiter=console.hashing)


@router.post("/users/{name}/export", response_model=schema.Personal)
def personal(
    request: Request, name: Name, identity: Annotated[Identity, Depends(allow("users.manage"))]
) -> dict[str, Any]:
    """Give all that accounts and journal hold of a person, for that person; it is audited."""
    console = console_of(request)
    return persons.give(console.accounts, console.config.journal, name, actor=identity.actor)


@router.post("/users/{name}/erase", response_model=schema.ErasedUser)
def erased(
    request: Request, name: Name, identity: Annotated[Identity, Depends(allow("users.manage"))]
) -> dict[str, Any]:
    """Take away all that is kept of a person but the audit, at their request; it cannot be undone.

    What the journal says of them in cases that are open is counted as `left`: ask again once they are over.
    """
    console = console_of(request)
    user, done = persons.take_away(console.accounts, console.config.journal, name, actor=identity.actor)
    return {**msgspec.structs.asdict(user), **msgspec.structs.asdict(done)}


@router.post("/subjects/export", response_model=schema.AboutSubject)
def about(
    request: Request, body: schema.Subject, identity: Annotated[Identity, Depends(allow("users.manage"))]
) -> dict[str, Any]:
    """Give the reports about somebody, by what they were called in them; it is audited."""
    console = console_of(request)
    subject = persons.pseudonym(console.subject_key, body.subject)
    found = persons.give_about(console.accounts, console.config.journal, subject, actor=identity.actor)
    return {"subject": subject, "items": found}


@router.post("/subjects/erase", response_model=schema.ErasedSubject)
def erased_about(
    request: Request, body: schema.Subject, identity: Annotated[Identity, Depends(allow("users.manage"))]
) -> dict[str, Any]:
    """Remove the reports about somebody, and what alarms that are over quote of them; it cannot be undone.

    Those where something is open are counted as `left`: ask again once it is over.
    """
    console, config = console_of(request), console_of(request).config
    subject = persons.pseudonym(console.subject_key, body.subject)
    done = persons.take_away_about(console.accounts, config.journal, config.photos, subject, actor=identity.actor)
    return {"subject": subject, **msgspec.structs.asdict(done)}


@router.delete("/users/{name}/second-step", status_code=204)
def no_second(request: Request, name: Name, identity: Annotated[Identity, Depends(allow("users.manage"))]) -> None:
    """Take the second step of somebody away who cannot give codes any more."""
    remove_second(console_of(request).accounts, name, actor=identity.actor)


@router.get("/sessions", response_model=schema.Sessions)
def sessions(request: Request, identity: Annotated[Identity, Depends(allow("sessions.manage"))]) -> dict[str, Any]:
    """List the sessions that are open, the one that was used last first."""
    console = console_of(request)
    mine = session_id(identity.session) if identity.session else ""
    found = list_sessions(console.accounts, idle=console.config.session_idle)
    return {"items": [{**msgspec.structs.asdict(one), "mine": one.id == mine} for one in found]}


@router.delete("/sessions/{id}", status_code=204)
def revoked_session(
    request: Request, id: Name, identity: Annotated[Identity, Depends(allow("sessions.manage"))]
) -> None:
    """End a session: whoever has it is logged out at once."""
    revoke_session(console_of(request).accounts, id, actor=identity.actor)


@router.get("/tokens", response_model=schema.Tokens)
def tokens(request: Request, identity: Annotated[Identity, Depends(allow("tokens.manage"))]) -> dict[str, Any]:
    """List all API tokens."""
    return {"items": [msgspec.structs.asdict(token) for token in list_tokens(console_of(request).accounts)]}


@router.post("/tokens", response_model=schema.MadeToken, status_code=201)
def new_token(
    request: Request, body: schema.NewToken, identity: Annotated[Identity, Depends(allow("tokens.manage"))]
) -> dict[str, Any]:
    """Make an API token. Its secret is in this answer and nowhere else."""
    console = console_of(request)
    token, secret = add_token(
        console.accounts,
        body.name,
        body.roles,
        days=body.days,
        unit=body.unit or None,
        places=body.places,
        units=_units(console),
        known=_places(console),
        actor=identity.actor,
    )
    return {**msgspec.structs.asdict(token), "secret": secret}


@router.delete("/tokens/{id}", response_model=schema.Token)
def revoked_token(
    request: Request, id: Name, identity: Annotated[Identity, Depends(allow("tokens.manage"))]
) -> dict[str, Any]:
    """Revoke an API token, by its id or by a name that one token in force has."""
    return msgspec.structs.asdict(revoke_token(console_of(request).accounts, id, actor=identity.actor))


@router.get("/audit", response_model=schema.Audit)
def audit(
    request: Request,
    identity: Annotated[Identity, Depends(allow("audit.read"))],
    actor: Annotated[str | None, Query(max_length=200)] = None,
    action: Annotated[str | None, Query(max_length=100)] = None,
    target: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 50,
    before: Before = None,
) -> dict[str, Any]:
    """List who did what, the newest first; the first page says whether anything was changed or taken out since."""
    accounts = console_of(request).accounts
    found = list_audit(accounts, actor=actor, action=action, target=target, limit=limit + 1, before=before)
    first = before is None
    return {
        "items": [msgspec.structs.asdict(entry) for entry in found[:limit]],
        "next": found[limit - 1].sequence if len(found) > limit else None,
        "checked": first,
        "broken": audit_break(accounts) if first else None,
    }


def _units(console: Console) -> set[str]:
    return set(console.router.units)


def _places(console: Console) -> set[str]:
    return {*console.registry.places, *console.registry.areas}
