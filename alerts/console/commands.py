"""Operators' commands: put into the log, and answered once the journal has the engine's result."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from anyio import to_thread
from fastapi import Request

from alerts import messages
from alerts.console.accounts import Accounts, record_audit
from alerts.console.config import Feed, Outgoing
from alerts.console.errors import Problem, language_of
from alerts.console.identity import Identity
from alerts.console.journal import Row
from alerts.console.live import Live
from sensors.lookup import Registry
from sensors.observation import Command, encode

log = logging.getLogger(__name__)

OBSERVATIONS = "observations"
_KEYED = 24  # digits of an id that are the key's; the rest is of what the command says
_KEY = re.compile(r"[\x21-\x7e]{8,128}")


async def hand_over(feed: Feed, records: Sequence[Outgoing], wait: float | None = None) -> None:
    """Put records into the log, within `wait` seconds if given. Raise `Problem` 504 or 503 when it takes none."""
    try:
        async with asyncio.timeout(wait):
            await feed.produce(records)
    except TimeoutError as error:
        raise Problem(504, "no_answer") from error
    except Exception as error:
        log.warning("the log took nothing: %s", error)
        raise Problem(503, "no_engine", headers={"Retry-After": "1"}) from error


async def ask(feed: Feed, live: Live, id: str, records: Sequence[Outgoing], wait: float, taken: float) -> Row | None:
    """Put an order into the log, within `taken` seconds, and wait so long for its answer; None when none comes."""
    with live.expect(id) as answer:
        await hand_over(feed, records, taken)
        return await live.answer(answer, wait) or await live.journal.answer(lambda reader: reader.result(id))


def settled(request: Request, id: str, result: Row | None) -> dict[str, Any]:
    """Say what came of an order. Raise `Problem` 504 when no answer came, 409 when it was refused."""
    if result is None:
        raise Problem(504, "no_answer")
    if not result["ok"]:
        reason = str(result["reason"])
        raise Problem(409, reason or "refused", message=messages.text(reason, language_of(request)))
    return {"ok": True, "id": id, "result": result}


class Commander:
    """Give commands to the engine and wait for its answers."""

    def __init__(self, registry: Registry, feed: Feed, live: Live, accounts: Accounts, *, wait: float) -> None:
        self._registry = registry
        self._feed, self._live, self._accounts, self._wait = feed, live, accounts, wait
        self._notes: set[asyncio.Task[None]] = set()

    def adopt(self, registry: Registry) -> None:
        """Send by another version of the site."""
        self._registry = registry

    async def do(
        self,
        request: Request,
        identity: Identity,
        kind: str,
        target: str,
        area: str,
        args: dict[str, Any],
        *,
        unit: str | None = None,
        key: str | None = None,
    ) -> dict[str, Any]:
        """Do one command, in the name of `unit` if given, and return {ok, id, result}.

        The same Idempotency-Key (or `key`) on the same target is the same command: it is done once, and answered each
        time; with another body it is a mistake, and nothing is done. Raise `Problem` 422 then, 409 when the engine
        refuses, 503 when there is none, 504 when it does not answer in time.
        """
        key = request.headers.get("idempotency-key") if key is None else key
        id, result = await named(self._live, key, identity.actor, kind, target, args)
        if result is None:
            command = Command(
                id=id,
                kind=kind,
                target=target,
                area=area,
                actor=identity.actor if unit is None else f"unit:{unit}",
                time=time.time(),
                args=args,
            )
            result = await self._give(identity, command, repeated=key is not None)
        return settled(request, id, result)

    async def _known(self, id: str) -> Row | None:
        return await self._live.journal.answer(lambda reader: reader.result(id))

    async def _give(self, identity: Identity, command: Command, *, repeated: bool) -> Row:
        try:
            partition = self._registry.partition(command.area)
        except KeyError:
            raise Problem(404, "not_found") from None
        self._note(identity, command)
        with self._live.expect(command.id) as answer:
            await hand_over(self._feed, [(OBSERVATIONS, partition, None, encode(command))], self._wait)
            # the engine does a repeated command once, and its answer may have come before this one was expected
            result = await self._known(command.id) if repeated else None
            if result is None:
                result = await self._live.answer(answer, self._wait) or await self._known(command.id)
        if result is None:
            raise Problem(504, "no_answer")
        return result

    def _note(self, identity: Identity, command: Command) -> None:
        """Put the command into the audit beside it, not before: an officer's order does not wait for it."""

        def write() -> None:
            record_audit(self._accounts, identity.actor, f"command.{command.kind}", command.target, command=command.id)

        async def note() -> None:
            try:
                await to_thread.run_sync(write)
            except Exception:
                log.exception("cannot write the audit of command %s", command.id)

        task = asyncio.create_task(note())
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def close(self) -> None:
        """Wait until the audit has what was given."""
        if self._notes:
            await asyncio.wait(self._notes, timeout=2)


async def named(
    live: Live, key: str | None, actor: str, kind: str, target: str, args: Mapping[str, Any]
) -> tuple[str, Row | None]:
    """Name an order as `command_id` does, and give the answer that it has got already, None without one.

    Raise `Problem` 422 on a bad key, and on one that was used for what said something else.
    """
    id = command_id(key, actor, kind, target, args)
    if key is None:
        return id, None
    answer = await live.journal.answer(lambda reader: reader.result(id))
    if answer is None:
        done = await live.journal.answer(lambda reader: reader.command_of(id[:_KEYED]))
        if done not in (None, id):
            raise Problem(422, "key_used", field="Idempotency-Key")
    return id, answer


def command_id(key: str | None, actor: str, kind: str, target: str, args: Mapping[str, Any]) -> str:
    """Name a command: by chance, or by the client's key within its name and target, and by what it says.

    Raise `Problem` on a bad key.
    """
    if key is None:
        return uuid.uuid4().hex
    if not _KEY.fullmatch(key):
        raise Problem(422, "bad_key", field="Idempotency-Key")
    keyed = hashlib.sha256("\0".join((actor, kind, target, key)).encode()).hexdigest()[:_KEYED]
    said = json.dumps(args, sort_keys=True, default=str).encode()
    return keyed + hashlib.sha256(said).hexdigest()[: 32 - _KEYED]
