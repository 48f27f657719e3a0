"""One way for an operator's order to become a command, whatever it is about."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import Request

from alerts.console import schema
from alerts.console.console import Console
from alerts.console.errors import Problem
from alerts.console.identity import Identity


async def give(
    request: Request,
    identity: Identity,
    what: Literal["alarm", "incident", "dispatch"],
    kind: str,
    id: str,
    body: schema.Order,
    *,
    unit: str | None = None,
) -> dict[str, Any]:
    """Have the engine do `kind` to the alarm, incident or dispatch (`what`) of this id; return {ok, id, result}.

    Raise `Problem` 404 where there is none that the account may see, and as `Commander.do` does.
    """
    console: Console = request.app.state.console
    area = await console.journal.area(what, id)
    scope = console.scope(identity)
    if area is None or not scope.sees(area):
        raise Problem(404, "not_found")
    if what == "incident" and scope.areas is not None:
        areas = await console.journal.answer(lambda reader: reader.areas_of(id))
        if not scope.sees_all(areas):  # alarms of other places were merged into it
            raise Problem(403, "whole_site")
    args = body.model_dump(exclude_none=True)
    return await console.commander.do(request, identity, kind, id, area, args, unit=unit)
