"""For those who run the product: metrics, and whether the console lives and works."""

from __future__ import annotations

import ipaddress
import shutil

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from alerts.console.accounts import Accounts
from alerts.console.console import Console
from alerts.console.identity import allow
from alerts.console.metrics import CONTENT_TYPE
from alerts.queries import JournalMissing

router = APIRouter(tags=["operations"])


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request) -> Response:
    """Give the figures for Prometheus: to this machine freely, to others with a token that may read them."""
    console: Console = request.app.state.console
    if not _local(request):
        allow("metrics.read")(request)
    return Response(console.metrics.text(), media_type=CONTENT_TYPE)


@router.get("/healthz", responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}})
def health() -> JSONResponse:
    """Say that this process answers."""
    return JSONResponse({"ok": True})


@router.get("/readyz", responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}})
def ready(request: Request) -> JSONResponse:
    """Say whether the work can be done: accounts and journal readable, engine heard, disk not full. 503 when not."""
    console: Console = request.app.state.console
    checks = {
        "accounts": _readable(console.accounts),
        "journal": _has_journal(console),
        "feed": console.connected(),
        "disk": _has_room(console),
    }
    good = all(checks.values())
    return JSONResponse({"ok": good, "checks": checks}, 200 if good else 503)


def _readable(accounts: Accounts) -> bool:
    try:
        with accounts.reading() as connection:
            connection.exec_driver_sql("SELECT 1 FROM users LIMIT 1").close()
    except Exception:
        return False
    return True


def _has_journal(console: Console) -> bool:
    try:
        console.journal.ask(lambda reader: reader.position())
    except JournalMissing:
        return False
    except Exception:
        return False
    return True


def _has_room(console: Console) -> bool:
    try:
        return shutil.disk_usage(console.config.data).free >= console.config.least_free
    except OSError:
        return False


def _local(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
