"""Notifications: how the targets stand, another try for what they have not taken, and a test of one."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Request

from alerts.console import schema
from alerts.console.accounts import record_audit
from alerts.console.console import Console
from alerts.console.errors import Problem, language_of
from alerts.console.identity import Identity, allow
from alerts.console.letter_words import said
from alerts.notifiers import trying
from alerts.notifiers.deliveries import Deliveries

router = APIRouter(prefix="/api/v1", tags=["notifications"])

Name = Annotated[str, Path(min_length=1, max_length=300)]
_LETTERS = 200
_WAIT = 10.0  # seconds that the answer of a test is waited for


@contextmanager
def _opened(console: Console) -> Iterator[Deliveries]:
    """Open the notifier's memory beside it. Raise `Problem` 503 while there is none."""
    file = console.config.outbox
    if not isinstance(file, str) and not file.exists():
        raise Problem(503, "no_notifier", headers={"Retry-After": "5"})
    deliveries = Deliveries(file)
    try:
        yield deliveries
    finally:
        deliveries.close()


@router.get("/notifications", response_model=schema.Notifications)
def notifications(
    request: Request, identity: Annotated[Identity, Depends(allow("notifications.read"))]
) -> dict[str, Any]:
    """List the targets with the notices that they have not taken: at most 200 dead and 200 waiting of each."""
    language = language_of(request)
    with _opened(request.app.state.console) as deliveries:
        known = deliveries.known()
        items = []
        for name in dict.fromkeys([*known, *deliveries.targets()]):
            kind, _, error = known.get(name, ("", 0.0, ""))
            waiting, dead = deliveries.counts(name)
            letters = [
                {
                    "id": one.notice.id,
                    "unit": one.notice.unit,
                    "area": one.notice.area,
                    "attempts": one.attempts,
                    "due": one.due,
                    "dead": one.dead,
                    "error": said(one.error, language),
                }
                for one in (*deliveries.dead(name, _LETTERS), *deliveries.waiting(name, _LETTERS))
            ]
            held = sum(deliveries.count_held(name))
            items.append(
                {"name": name, "kind": kind, "waiting": waiting, "held": held, "dead": dead}
                | {"error": said(error, language), "letters": letters}
            )
    return {"items": items}


@router.post("/notifications/{target}/retry", response_model=schema.Retried)
def retry(
    request: Request,
    target: Name,
    body: schema.Retry,
    identity: Annotated[Identity, Depends(allow("notifications.write"))],
) -> dict[str, Any]:
    """Have dead letters tried again with the same ids: one, or all of the target's."""
    console: Console = request.app.state.console
    with _opened(console) as deliveries:
        ids = deliveries.dead_ids(target)
        if body.id is not None:
            ids &= {body.id}
        if not ids:
            raise Problem(404, "not_found")
        record_audit(console.accounts, identity.actor, "notification.retry", target, count=len(ids))
        return {"count": sum(deliveries.revive(target, id) for id in sorted(ids))}


@router.post("/notifications/{target}/test", response_model=schema.Tested)
async def test(
    request: Request, target: Name, identity: Annotated[Identity, Depends(allow("notifications.write"))]
) -> dict[str, Any]:
    """Send a target one notice that says it is a test, and tell within ten seconds what came of it."""
    console: Console = request.app.state.console
    id = f"test-{uuid.uuid4().hex[:16]}"

    def begin() -> None:
        with _opened(console) as deliveries:
            try:
                trying.ask(deliveries, target, id, console.config.site.id, identity.actor, time.time())
            except trying.UnknownTarget:
                raise Problem(404, "not_found") from None
        record_audit(console.accounts, identity.actor, "notification.test", target)

    def look() -> str | None:
        with _opened(console) as deliveries:
            return deliveries.test_result(id)

    await to_thread.run_sync(begin)
    end = time.monotonic() + min(_WAIT, console.config.test_wait)
    while (found := await to_thread.run_sync(look)) is None and time.monotonic() < end:  # noqa: ASYNC110 - a file
        await asyncio.sleep(0.2)
    return {"id": id, "done": found is not None, "error": said(found or "", language_of(request))}
