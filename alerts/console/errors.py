"""Errors as the API says them: {"error": {code, message, field?}}, in the reader's language, without a stack trace."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from alerts.console import messages
from alerts.console.accounts import AccountError
from alerts.console.rule_words import said
from alerts.queries import JournalMissing

log = logging.getLogger(__name__)

_BY_STATUS = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
_MISSING = {"unknown_user", "unknown_token", "unknown_session"}
_CONFLICT = {"ambiguous_token", "name_taken", "last_administrator", "second_there", "external"}


class Problem(Exception):
    """Answer a request with an error. `code` is a key of `alerts.console.messages`, `values` fill its text."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        field: str | None = None,
        message: str | None = None,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.field, self.message = status, code, field, message
        self.headers, self.values = headers, values


def admit(seconds: float | None, code: str = "locked") -> None:
    """Raise `Problem` 429 when `alerts.console.throttle` says that it takes so many seconds until the next may come."""
    if seconds is not None:
        wait = int(seconds + 0.999)
        raise Problem(429, code, headers={"Retry-After": str(wait)}, seconds=wait)


def language_of(request: Request) -> str:
    """Name the language to answer in: the account's own, else the browser's, else the site's."""
    chosen: str | None = getattr(request.state, "language", None)
    if chosen:
        return chosen
    return messages.preferred(request.headers.get("accept-language"), request.app.state.console.config.site.language)


def not_publishable(request: Request, error: ValueError) -> Problem:
    """Say, in the reader's language, why what is sound cannot take force."""
    return Problem(409, "not_publishable", reason=said(str(error), language_of(request)))


def answer(
    request: Request,
    status: int,
    code: str,
    *,
    field: str | None = None,
    message: str | None = None,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> Response:
    """Make the response of one error."""
    said = message or messages.text(code, language_of(request), field=field, **values)
    error: dict[str, Any] = {"code": code, "message": said}
    if field is not None:
        error["field"] = field
    return JSONResponse({"error": error}, status, headers=headers)


def install(app: FastAPI) -> None:
    """Have the app answer every error in this one shape."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return answer(
            request,
            error.status,
            error.code,
            field=error.field,
            message=error.message,
            headers=error.headers,
            **error.values,
        )

    @app.exception_handler(AccountError)
    async def account(request: Request, error: AccountError) -> Response:
        status = 404 if error.code in _MISSING else 409 if error.code in _CONFLICT else 422
        return answer(request, status, error.code, field=error.field)

    @app.exception_handler(JournalMissing)
    async def journal(request: Request, error: JournalMissing) -> Response:
        return answer(request, 503, "no_journal", headers={"Retry-After": "1"})

    @app.exception_handler(DBAPIError)
    async def storage(request: Request, error: DBAPIError) -> Response:
        elsewhere = type(error.orig).__module__.partition(".")[0] != "sqlite3"  # all that is on the disk is SQLite's
        what = "the journal's database cannot be used" if elsewhere else "the data folder cannot be written or read"
        log.error("%s: %s", what, error.orig)
        return answer(request, 503, "database" if elsewhere else "storage", headers={"Retry-After": "5"})

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        code = _BY_STATUS.get(error.status_code, "bad_request")
        return answer(request, error.status_code, code, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if error.errors()[0]["type"] == "json_invalid":
            return answer(request, 422, "not_json")
        field, detail = _first(error.errors())
        if field:
            return answer(request, 422, "invalid", field=field, detail=detail)
        said = messages.text("invalid_whole", language_of(request), detail=detail)
        return answer(request, 422, "bad_request", message=said)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return answer(request, 500, "internal")


def _first(errors: Sequence[Any]) -> tuple[str, messages.Part]:
    """Name the first field at fault, as a dotted path, and what is wrong with it. The input itself is not repeated."""
    first = errors[0]
    field = ".".join(str(part) for part in first["loc"][1:])[:100]
    return field, messages.wrong(first["type"], first.get("ctx") or {})
