"""Answers of people who were told: a link or a code that works once, and callbacks of gateways that bring codes.

Nobody logs in here. A code is what its holder may do, and only that: acknowledge one incident, or accept one dispatch
for the unit that it was sent to. What is done is done in the name of whom the code was sent to.
"""

from __future__ import annotations

import hashlib
import html
import time
from typing import Annotated, Any

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Path, Request, Response
from starlette.responses import HTMLResponse

from alerts.console import messages, schema
from alerts.console.accounts import read_key
from alerts.console.console import Console
from alerts.console.errors import Problem, admit, language_of
from alerts.console.identity import Identity, check_origin
from alerts.notifiers.replies import Replies, Reply, codes_in, normal
from alerts.notifiers.signature import verify

router = APIRouter(tags=["replies"])

Code = Annotated[str, Path(min_length=1, max_length=64)]


class Callback(msgspec.Struct, frozen=True):
    """What a gateway brings: the text that somebody wrote, and from where."""

    text: str
    sender: str = msgspec.field(default="", name="from")


_callback = msgspec.json.Decoder(Callback)


@router.get("/reply/{code}", response_class=HTMLResponse)
def ask(request: Request, code: Code) -> Response:
    """Show what a code would do, with a button: a mail scanner that opens the link must do nothing."""
    console: Console = request.app.state.console
    admit(console.throttle.reply(_address(request)))
    language = _language(request)
    try:
        found = _usable(console, code)
    except Problem as problem:
        return _page(language, messages.text(problem.code, language), status=problem.status)
    title = found.title.get("zh" if language.startswith("zh") else "en", "")
    return _page(language, title, button=messages.text(f"reply.{found.kind}", language))


@router.post("/reply/{code}", response_class=HTMLResponse)
async def press(request: Request, code: Code) -> Response:
    """Do what the page's button says."""
    check_origin(request)
    language = _language(request)
    try:
        found = await _do(request, code, _address(request))
    except Problem as problem:
        said = problem.message or messages.text(problem.code, language, **problem.values)
        return _page(language, said, status=problem.status)
    return _page(language, messages.text(f"reply.{found.kind}.done", language))


@router.post("/api/v1/replies", response_model=schema.Replied)
async def reply(request: Request, body: schema.ReplyCode) -> dict[str, Any]:
    """Do what a code is for, once: acknowledge the incident, or accept the dispatch, that was told of."""
    found = await _do(request, body.code, _address(request))
    return {"ok": True, "kind": found.kind, "target": found.object}


@router.post("/api/v1/callbacks/{target}", response_model=schema.Replied)
async def callback(request: Request, target: Annotated[str, Path(min_length=1, max_length=64)]) -> dict[str, Any]:
    """Take {"text", "from"} that a gateway got, signed as Standard Webhooks has it; do what the code in it is for."""
    console: Console = request.app.state.console
    secret = console.config.callbacks.get(target)
    body = await request.body()
    headers = {name: request.headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    if secret is None or not verify(secret, headers, body, time.time()):
        admit(console.throttle.reply(_address(request)))
        raise Problem(401, "bad_signature")
    try:
        brought = _callback.decode(body)
    except msgspec.DecodeError:
        raise Problem(422, "not_json") from None
    codes = codes_in(brought.text)
    if not codes:
        raise Problem(422, "no_code", field="text")
    found = await _do(request, codes[0], f"{target} {brought.sender[:64]}", of=target)
    return {"ok": True, "kind": found.kind, "target": found.object}


async def _do(request: Request, code: str, who: str, of: str | None = None) -> Reply:
    """Use a code up and give its command; with `of` only one that was sent to that target."""
    console: Console = request.app.state.console
    admit(console.throttle.reply(who))
    found = await to_thread.run_sync(_usable, console, code, of)
    if found.kind == "accept":
        row = await console.journal.answer(lambda reader: reader.dispatch(found.object))
        if row is None or row["unit"] != found.unit:
            raise Problem(409, "other_unit")
    what: Any = "dispatch" if found.kind == "accept" else "incident"
    area = await console.journal.area(what, found.object)
    if area is None:
        raise Problem(404, "not_found")
    actor = f"reply:{found.target}"[:128]
    identity = Identity(actor=actor, name=actor, display=actor, roles=(), unit=None, language=None)
    key = hashlib.sha256(normal(code).encode()).hexdigest()
    settled, at = False, time.time()
    try:
        if not await to_thread.run_sync(_use, console, code, at):
            raise Problem(410, "bad_code")
        args = {} if found.seen is None else {"sequence": found.seen}
        await console.commander.do(request, identity, found.kind, found.object, area, args, key=key)
        settled = True
    except Problem as problem:
        settled = problem.status not in (503, 504)
        if problem.code == "worse":
            raise Problem(409, "told_less") from problem
        raise
    finally:
        if not settled:  # given again under the same id, it is done once
            await to_thread.run_sync(_give_back, console, code, at)
    console.throttle.replied(who)
    return found


def _replies(console: Console) -> Replies:
    place = console.config.outbox
    if not isinstance(place, str) and not place.exists():
        raise Problem(410, "bad_code")
    return Replies(place, read_key(console.config.data))


def _usable(console: Console, code: str, of: str | None = None) -> Reply:
    """Find what a code is for. Raise `Problem` 410 alike for one that is wrong, used, over or another target's."""
    replies = _replies(console)
    try:
        found = replies.find(code)
    finally:
        replies.close()
    if found is None or found.used is not None or found.expires <= time.time():
        raise Problem(410, "bad_code")
    if of is not None and found.target.partition(":")[0] != of:
        raise Problem(410, "bad_code")
    return found


def _use(console: Console, code: str, at: float) -> bool:
    replies = _replies(console)
    try:
        return replies.use(code, at)
    finally:
        replies.close()


def _give_back(console: Console, code: str, at: float) -> None:
    replies = _replies(console)
    try:
        replies.give_back(code, at)
    finally:
        replies.close()


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _language(request: Request) -> str:
    return language_of(request)


def _page(language: str, said: str, *, button: str = "", status: int = 200) -> Response:
    form = f'<form method="post"><button type="submit">{html.escape(button)}</button></form>' if button else ""
    return HTMLResponse(
        f'<!doctype html><html lang="{"zh-CN" if language.startswith("zh") else "en"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<title>Foreshock</title></head><body><h1>Foreshock</h1><p>{html.escape(said)}</p>{form}</body></html>",
        status,
        headers={"Referrer-Policy": "no-referrer"},
    )
