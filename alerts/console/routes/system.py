"""For administrators: what the doctor and the check of the site say, and backups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request

from alerts.console import schema
from alerts.console.accounts import record_audit
from alerts.console.config import System
from alerts.console.console import console_of
from alerts.console.errors import Problem, language_of
from alerts.console.identity import Identity, allow
from alerts.console.rule_words import said as said_of_file
from alerts.console.work_words import said

router = APIRouter(prefix="/api/v1/system", tags=["system"])


@router.get("/checks", response_model=schema.SystemChecks)
def checks(request: Request, identity: Annotated[Identity, Depends(allow("system.read"))]) -> dict[str, Any]:
    """Say what the last look at the system found, as `foreshock doctor` and `foreshock check` do."""
    return _told(request, _desk(request).checks())


@router.post("/checks", response_model=schema.SystemChecks, status_code=202)
def check(request: Request, identity: Annotated[Identity, Depends(allow("system.write"))]) -> dict[str, Any]:
    """Begin to look; the answer of a GET has what was found once it does not run any more."""
    desk = _desk(request)
    try:
        desk.check()
    except RuntimeError:
        raise Problem(409, "already_runs") from None
    record_audit(console_of(request).accounts, identity.actor, "system.check")
    return _told(request, desk.checks())


@router.get("/backups", response_model=schema.Backups)
def backups(request: Request, identity: Annotated[Identity, Depends(allow("system.read"))]) -> dict[str, Any]:
    """List the backups in the folder that the settings name, the latest first."""
    return _told(request, _desk(request).backups())


@router.post("/backups", response_model=schema.Backups, status_code=202)
async def back_up(request: Request, identity: Annotated[Identity, Depends(allow("system.write"))]) -> dict[str, Any]:
    """Begin to take a backup; it goes into the folder that the settings name, and cannot be had from here."""
    desk = _desk(request)

    def begin() -> dict[str, Any]:
        try:
            desk.back_up(identity.actor)
        except RuntimeError:
            raise Problem(409, "already_runs") from None
        except ValueError:
            raise Problem(409, "no_backup_folder") from None
        record_audit(console_of(request).accounts, identity.actor, "system.backup")
        return _told(request, desk.backups())

    return await to_thread.run_sync(begin)


def _told(request: Request, work: Mapping[str, Any]) -> dict[str, Any]:
    """Give what some work said as the API does, with `told` for each sentence of it in the reader's language."""
    language = language_of(request)
    answer = {**work, "error": said(work["error"], language)}
    if "findings" in work:
        answer["findings"] = [{**one, "told": said(one["said"], language)} for one in work["findings"]]
        answer["problems"] = [{**one, "told": said_of_file(one["message"], language)} for one in work["problems"]]
    return answer


def _desk(request: Request) -> System:
    found = console_of(request).config.system
    if found is None:
        raise Problem(503, "no_system")
    return found
