"""Versions of the site: which were in force, and putting a changed or an earlier one in force without a restart."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from alerts.console import messages, schema
from alerts.console.accounts import record_audit
from alerts.console.config import Publish
from alerts.console.console import Console
from alerts.console.errors import Problem, language_of, not_publishable
from alerts.console.identity import Identity, allow
from alerts.console.rule_words import in_words, told
from sensors.document import DocumentError

router = APIRouter(prefix="/api/v1", tags=["site"])

MOST_PROBLEMS = 200


@router.get("/publications", response_model=schema.Publications)
def publications(
    request: Request, identity: Annotated[Identity, Depends(allow("publications.read"))]
) -> dict[str, Any]:
    """List the versions of the site that were in force, the latest first."""
    console: Console = request.app.state.console
    return {"items": [in_words(one, language_of(request)) for one in console.config.publications()]}


@router.post(
    "/publications",
    response_model=schema.Published,
    responses={422: {"model": schema.Broken, "description": "The site folder is broken; what is in force stays"}},
)
async def publish(
    request: Request,
    body: schema.Publish,
    identity: Annotated[Identity, Depends(allow("publications.write"))],
) -> Response:
    """Put the changed site folder in force, or the earlier publication `version`; with `check` only say what differs.

    All or nothing: 422 lists every problem of a broken folder, or says that a reason is needed; 409 says why a sound
    one needs a restart.
    """
    console: Console = request.app.state.console
    publish = console.config.publish
    if publish is None:
        raise Problem(503, "no_engine")
    if not body.check and not body.reason.strip():
        raise Problem(422, "reason_needed", field="reason")
    asked = Publish(identity.actor, body.reason, body.version, body.check)
    try:
        done = await to_thread.run_sync(publish, asked)
    except DocumentError as error:
        await _note(console, identity, asked, problems=len(error.problems))
        said = messages.text("site_broken", language_of(request), count=len(error.problems))
        answer = {
            "error": {"code": "site_broken", "message": said},
            "problems": told(error.problems[:MOST_PROBLEMS], language_of(request)),
        }
        return JSONResponse(answer, 422)
    except ValueError as error:
        await _note(console, identity, asked, refused=str(error))
        raise not_publishable(request, error) from error
    await _note(console, identity, asked, published=done["version"], before=done["before"])
    return JSONResponse(msgspec.to_builtins(done))


async def _note(console: Console, identity: Identity, asked: Publish, **detail: Any) -> None:
    """Put what was asked, and what became of it, into the audit; to only look changes nothing and is not noted."""
    if asked.check:
        return

    def note() -> None:
        record_audit(
            console.accounts, identity.actor, "site.publish", asked.version or "folder", reason=asked.reason, **detail
        )

    await to_thread.run_sync(note)
