"""What was refused: searched, shown whole, counted, and decoded again after a mend."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Request

from alerts import messages
from alerts.console import schema
from alerts.console.accounts import record_audit
from alerts.console.console import console_of
from alerts.console.errors import Problem
from alerts.console.identity import Identity, allow
from sensors import quarantine

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api/v1/quarantine", tags=["quarantine"])


def asked(
    reason: Annotated[str | None, Query(max_length=100)] = None,
    source: Annotated[str | None, Query(max_length=200)] = None,
    topic: Annotated[str | None, Query(max_length=1024)] = None,
    since: Annotated[float | None, Query(alias="from", ge=0, le=1e11, allow_inf_nan=False)] = None,
    until: Annotated[float | None, Query(alias="to", ge=0, le=1e11, allow_inf_nan=False)] = None,
) -> quarantine.Query:
    """Read what is asked for from a request."""
    return quarantine.Query(reason=reason or None, source=source or None, topic=topic or None, since=since, until=until)


Asked = Annotated[quarantine.Query, Depends(asked)]


@router.get("", response_model=schema.Quarantine)
def listed(
    request: Request,
    identity: Annotated[Identity, Depends(allow("quarantine.read"))],
    query: Asked,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=6000)] = None,
) -> dict[str, Any]:
    """List refused inputs, the newest first. `cursor` of an answer, if there is one, goes on from there."""
    try:
        items, following = console_of(request).config.quarantine.page(query, limit, cursor or None)
    except ValueError:
        raise Problem(422, "bad_cursor", field="cursor") from None
    return {"items": [_readable(item) for item in items], "cursor": following}


@router.get("/statistics", response_model=schema.QuarantineStatistics)
def statistics(
    request: Request, identity: Annotated[Identity, Depends(allow("quarantine.read"))], query: Asked
) -> dict[str, Any]:
    """Count what is kept, by reason, source and topic."""
    return dict(console_of(request).config.quarantine.statistics(query))


@router.get("/{id}", response_model=schema.Refused)
def one(
    request: Request,
    id: Annotated[str, Path(max_length=60)],
    identity: Annotated[Identity, Depends(allow("quarantine.read"))],
) -> dict[str, Any]:
    """Show one refused input with all bytes that are kept of it."""
    found = console_of(request).config.quarantine.one(id)
    if found is None:
        raise Problem(404, "not_found")
    return _readable(found)


@router.post("/replay", response_model=schema.QuarantineReplayed)
async def replay(
    request: Request,
    body: schema.QuarantineReplay,
    identity: Annotated[Identity, Depends(allow("quarantine.replay"))],
) -> dict[str, Any]:
    """Decode refused messages again with the site in force, and take what is accepted now, once, as history.

    At most 500 messages a request; while the answer has `following`, there are more: ask again with it as `start`.
    """
    console = console_of(request)
    query = quarantine.Query(
        reason=body.reason, source=body.source, topic=body.topic, since=body.since, until=body.until
    )
    detail = {name: value for name, value in body.model_dump(by_alias=True).items() if value is not None}
    if not body.dry_run:
        await to_thread.run_sync(
            lambda: record_audit(console.accounts, identity.actor, "quarantine.replay", "", **detail)
        )
    try:
        return dict(
            await console.config.quarantine.replay(query, identity.actor, dry_run=body.dry_run, start=body.start)
        )
    except quarantine.BusyError as error:
        raise Problem(409, "replay_busy") from error
    except TimeoutError as error:
        raise Problem(504, "no_answer") from error
    except OSError as error:
        log.warning("the engine took no replay: %s", error)
        raise Problem(503, "no_engine", headers={"Retry-After": "1"}) from error


def _readable(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, "text": messages.both(f"refused.{str(item['reason']).partition(':')[0]}")}
