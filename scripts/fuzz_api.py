"""Ask the console's API whatever its own OpenAPI document allows, and what it does not: nothing may answer 500 or hang.

Each operation is asked by Schemathesis, half with what the document says, half with what it forbids, with the token
of each role, or in a session of it (administrators three times of four). Ids in the address are mostly those of an
alarm, an incident, an order and all else that is there, so that operations are reached and not only looked for. The
console is that of the tests, with a journal and an engine's desk behind it (so this runs in a source tree). Prints a
JSON line; exit code 1 when something was found, with the request and how to ask it again.

python -m scripts.fuzz_api                      twenty inputs for each operation
python -m scripts.fuzz_api --changed 6100       and each of these changed in many ways, a million in all
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import hypothesis
import schemathesis
import typer
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from rich.console import Console
from rich.progress import Progress
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.schemas import OpenApiSchema

from alerts.console.accounts import begin_session
from alerts.console.config import ConsoleConfig
from alerts.console.identity import COOKIE, CSRF
from alerts.console.oidc.client import Client
from alerts.console.oidc.file import Grant, Provider
from alerts.console.permissions import ROLES
from scripts.fuzz import asking
from scripts.fuzz.asking import Request, Requests
from sensors.site import Text

ENDLESS = {"/api/v1/changes", "/api/v1/cameras/{id}/live.mjpeg"}
"""What is read for as long as somebody listens; both have tests of their own."""

MOST_SECONDS = 5.0
"""Of CPU, which a busy machine does not lengthen; what hangs without any is given up by the console itself."""

MOST_BY_CLOCK = 120.0
"""Of what is asked many at once, of which none can be told its CPU: far beyond what even a busy machine needs."""

ALLOWED = (503, 504)
"""Answers above 500 that say what they mean: not ready, the engine has not answered in time."""

ADMINISTRATOR = "administrator"

AT_ONCE = 20
"""Requests under way at a time: some wait until the engine has answered."""

TURN = 200
"""Requests after which there is an open alarm again, and people are signed in."""


@dataclass
class Found:
    """What a run came to: answers by status code, and operations that answered other than 401, 403, 404 and 429."""

    answers: Counter[int] = field(default_factory=Counter)
    operations: int = 0
    reached: set[str] = field(default_factory=set)
    slowest: float = 0.0  # seconds

    def note(self, operation: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self.slowest = max(self.slowest, seconds)
        self.answers[status] += 1
        if status not in (401, 403, 404, 429):
            self.reached.add(operation)


class Broken(AssertionError):
    """Say which request broke the API."""


class Bench:
    """A console with something in it, and who asks it."""

    def __init__(self, folder: Path) -> None:
        world = importlib.import_module("tests.alerts.console.conftest")  # only where the tests are
        site, journal = world.make_site(), f"sqlite:///{folder / 'journal.sqlite'}"
        self.engine = world.Engine(site, journal)
        self.desktop = world.Desktop(
            ConsoleConfig(
                data=folder, site=site, journal=journal, feed=self.engine, hasher=world.CHEAP, static=folder / "static",
                pulse_seconds=0.5, command_wait=0.2, font="/no/font", provider=away(),
            )
        )  # fmt: skip
        self.client = self.desktop.client()
        self._named = itertools.count()
        self.renew()

    def renew(self, *, people: bool = True) -> None:
        """Have an open alarm, its incident and order; with `people` sign in anew: what was tried may undo that."""
        if people:
            self._sessions: dict[str, dict[str, str]] = {}
            self.desktop._tokens.clear()
        self.engine.condition(level=0)
        self.engine.condition(level=3)
        incidents, orders = self.engine.journal.incidents().items, self.engine.journal.dispatches().items
        made = [incidents[0]["id"], incidents[0]["alarms"][0], f"{incidents[0]['id']}.1"] if incidents else []
        made += [orders[0]["id"]] if orders else []  # a silence that was tried may keep both away
        self.ids = (*made, "slope-1", "p0", "cam", "team", "slope", "creep", "1", "0" * 64)

    def session(self, role: str) -> dict[str, str]:
        """Give the headers of a browser in which a person of this role is signed in."""
        if role not in self._sessions:
            console = self.desktop.console
            name = self.desktop.user(role, name=f"{role}-{next(self._named)}")
            id = begin_session(console.accounts, name)
            cookie = f"{COOKIE}={console.gate._signer.dumps(id)}"
            self._sessions[role] = {"Cookie": cookie, CSRF: console.gate.csrf(id), "Accept-Language": "en"}
        return self._sessions[role]

    def headers(self, role: str, *, by_session: bool) -> dict[str, str]:
        """Give the headers of a role, by a token or in a session."""
        return self.session(role) if by_session else self.desktop.token(role)

    def ask(self, role: str, case: Any, by_session: bool) -> Any:
        """Ask as a role, by a token or in a session."""
        known = self.headers(role, by_session=by_session)
        headers = {name: str(value) for name, value in (case.headers or {}).items()} | known
        sent: dict[str, Any] = {}
        if not isinstance(case.body, schemathesis.core.NotSet):
            sent = {"content": json.dumps(None) if case.body is None else _body(case.body)}
            if not isinstance(case.body, bytes):
                headers["Content-Type"] = "application/json"
        return self.client.request(case.method, case.formatted_path, params=case.query, headers=headers, **sent)


def away() -> Client:
    """Make a provider of sign-ins that nobody answers for."""
    rules = Provider(
        name=Text(zh="统一认证", en="Sign-in"),
        issuer="http://127.0.0.1:9",
        client="foreshock",
        grants=(Grant(group="g", roles=("viewer",)),),
        allow_private=True,
    )
    return Client(rules, "secret", "http://127.0.0.1:8700/api/v1/oidc/callback", "http://127.0.0.1:8700")


def fuzz(
    folder: Path, inputs: int, seed: int = 1, every: int = 1, changed: int = 0, tick: Callable[[], object] = bool
) -> Found:
    """Ask every so manieth operation `inputs` times, and `changed` requests made of these.

    `tick` is called after each operation. Raise `Broken` at the first that answers 500 or takes too long.
    """
    bench = Bench(folder)
    counted = Found()
    with bench.client:
        schema = schemathesis.openapi.from_dict(bench.desktop.app.openapi())
        listed = operations(schema)[seed % every :: every]
        counted.operations = len(listed)
        for operation in listed:
            bench.renew()
            good = _ask_one(bench, operation, inputs, seed, counted)
            if changed:
                _ask_changed(bench, operation.label, Requests(good, bench.ids, seed), changed, counted)
            tick()
    bench.engine.journal.close()
    return counted


def _ask_changed(bench: Bench, label: str, requests: Requests, count: int, counted: Found) -> None:
    """Ask an operation so many requests made of good ones, in the console's own loop, in turns of `TURN`."""
    pick = random.Random(count)
    roles = [ADMINISTRATOR] * 3 * (len(ROLES) - 1) + list(ROLES)

    async def one(request: Request, role: str, headers: dict[str, str]) -> None:
        answer = await asking.ask(bench.desktop.app, request, headers, MOST_BY_CLOCK)
        counted.note(label, answer.status, answer.seconds)
        if _broken(answer.status):
            told = f"{answer.status} in {answer.seconds:.1f} s\n{request}\n{answer.body!r}"
            raise Broken(f"{label} as {role}: {told}")

    async def turn(asked: list[tuple[Request, str, dict[str, str]]]) -> None:
        for at in range(0, len(asked), AT_ONCE):
            await asyncio.gather(*(one(*what) for what in asked[at : at + AT_ONCE]))

    for start in range(0, count, TURN):
        bench.renew(people=start % (10 * TURN) == 0)
        asked = []
        for _ in range(min(TURN, count - start)):
            role = pick.choice(roles)
            asked.append((requests.next(), role, bench.headers(role, by_session=pick.random() < 0.5)))
        bench.client.portal.call(turn, asked)


def _broken(status: int) -> bool:
    return status == 0 or (status >= 500 and status not in ALLOWED)


def _ask_one(bench: Bench, operation: Any, inputs: int, seed: int, counted: Found) -> list[Request]:
    """Ask one operation, and count what it answers; return what was asked."""
    asked: list[Request] = []
    modes = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    cases = modes.flatmap(lambda mode: operation.as_strategy(generation_mode=mode))
    roles = st.sampled_from([ADMINISTRATOR] * 3 * (len(ROLES) - 1) + list(ROLES))

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(cases, roles, st.booleans(), st.data())
    def ask(case: Any, role: str, by_session: bool, data: st.DataObject) -> None:
        for name in case.path_parameters or {}:
            if data.draw(st.integers(0, 9)):
                case.path_parameters[name] = data.draw(st.sampled_from(bench.ids))
        begun = time.process_time()
        answer = bench.ask(role, case, by_session)
        took = time.process_time() - begun
        asked.append(_request(case))
        counted.note(operation.label, answer.status_code, took)
        if _broken(answer.status_code) or took > MOST_SECONDS:
            raise Broken(
                f"{operation.label} as {role}: {answer.status_code} in {took:.1f} s\n"
                f"{case.formatted_path} {case.query} {case.headers} {case.body!r}\n{answer.text[:500]}"
            )

    ask()
    return asked


def _request(case: Any) -> Request:
    """Take a case of Schemathesis' down as what goes over the wire."""
    query = [
        (str(name).encode("utf-8", "replace"), str(one).encode("utf-8", "replace"))
        for name, value in (case.query or {}).items()
        for one in (value if isinstance(value, list) else [value])
    ]
    gaps = {name: str(value).encode("utf-8", "replace") for name, value in (case.path_parameters or {}).items()}
    return Request(case.method, case.path, gaps, query, _body(case.body))


def _body(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes | schemathesis.core.NotSet):
        return body if isinstance(body, bytes) else None
    return json.dumps(body).encode("utf-8", "surrogatepass")


def operations(schema: OpenApiSchema) -> list[Any]:
    """List what the document describes and what ends."""
    found = [result.ok() for result in schema.get_all_operations()]
    return [one for one in found if one.path not in ENDLESS]


def main(
    inputs: Annotated[int, typer.Option(help="For each operation.", min=1)] = 20,
    changed: Annotated[int, typer.Option(help="More for each operation: the inputs, changed.", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="Another one asks other things.")] = 1,
) -> None:
    """Run it and print what came of it."""
    with tempfile.TemporaryDirectory() as folder, Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("operations", total=None)
        try:
            found = fuzz(Path(folder), inputs, seed, changed=changed, tick=lambda: progress.advance(task))
        except Broken as error:
            print(error)
            raise typer.Exit(1) from None
    print(
        json.dumps(
            {
                "fuzz": "api",
                "inputs": found.answers.total(),
                "operations": found.operations,
                "reached": len(found.reached),
                "answers": {str(code): count for code, count in sorted(found.answers.items())},
                "slowest_ms": round(1000 * found.slowest),
            }
        )
    )


if __name__ == "__main__":
    typer.run(main)
