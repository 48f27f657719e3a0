"""Files put with alarms: a photo from the scene, a permit, a report."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import FileResponse

from alerts.console import attachments, schema
from alerts.console.accounts import record_audit
from alerts.console.console import Console
from alerts.console.errors import Problem, admit
from alerts.console.identity import Identity, allow
from alerts.console.routes.incidents import Id
from alerts.console.routes.inputs import MOST_PHOTOS

router = APIRouter(prefix="/api/v1", tags=["alarms"])

Sha = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@router.post("/attachments", response_model=schema.Attached)
async def attach(
    request: Request, body: schema.NewAttachment, identity: Annotated[Identity, Depends(allow("alarms.attach"))]
) -> dict[str, Any]:
    """Put a file with an alarm: a photo (JPEG, PNG) or a PDF, by its content. What cannot be taken is counted."""
    console: Console = request.app.state.console
    admit(console.throttle.report(identity.actor), "too_many_reports")
    area = await console.journal.area("alarm", body.alarm)
    if area is None or not console.scope(identity).sees(area):
        raise Problem(404, "not_found")
    if console.photographing.statistics().tasks_waiting >= MOST_PHOTOS:
        raise Problem(503, "too_many_photos", headers={"Retry-After": "10"})

    def take() -> dict[str, Any]:
        type, data = attachments.take(body.file)
        sha = attachments.keep(console.config.attachments, type, data)
        return {"sha": sha, "type": type, "name": attachments.clean_name(body.name, type), "bytes": len(data)}

    try:
        file = await to_thread.run_sync(take, limiter=console.photographing)
    except attachments.UnfitError as error:
        console.metrics.refuse(error.reason)
        raise Problem(422, "bad_attachment", field="file", reason=error.said) from error
    order = {**file, "text": body.text, **({} if body.sequence is None else {"sequence": body.sequence})}
    done = await console.commander.do(request, identity, "attach", body.alarm, area, order)
    return {**done, "attachment": {"alarm": body.alarm, **file}}


@router.get(
    "/alarms/{id}/attachments/{sha}",
    response_class=FileResponse,
    responses={200: {"content": {"image/jpeg": {}, "application/pdf": {}}, "description": "The file"}},
)
def attachment(
    request: Request, id: Id, sha: Sha, identity: Annotated[Identity, Depends(allow(attachments.READ))]
) -> FileResponse:
    """Give a file of an alarm. Each look is audited; a PDF is downloaded, never shown as a page of the console."""
    console: Console = request.app.state.console
    row = console.journal.ask(lambda reader: reader.attachment(id, sha))
    about = console.journal.ask(lambda reader: reader.about({id}))
    if id not in about or not console.scope(identity).sees(about[id]["area"]):
        raise Problem(404, "not_found")
    path = None if row is None else attachments.file_of(console.config.attachments, sha, row["type"])
    if row is None or path is None or path.is_symlink() or not path.is_file():
        raise Problem(404, "not_found")
    record_audit(console.accounts, identity.actor, "alarm.attachment", id, sha=sha)
    return FileResponse(
        path,
        media_type=row["type"],
        filename=row["name"],
        content_disposition_type="inline" if row["type"] == "image/jpeg" else "attachment",
        headers={"Cache-Control": "private, no-store"},
    )
