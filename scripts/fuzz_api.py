"""Ask the console's API whatever its own OpenAPI document allows, and what it does not: nothing may answer 500 or hang.

Each operation is asked by Schemathesis, half with what the document says, half with what it forbids, with the token
of each role, or in a session of it (administrators three times of four). Ids in the address are mostly those of an
alarm, an incident, an order and all else that is there, so that operations are reached and not only looked for. The
console is that of the tests, with a journal and an engine's desk behind it (so this runs in a source tree). Prints a
JSON line; exit code 1 when something was found, with the request and how to ask it again.

python -m scripts.fuzz_api                      twenty inputs for each operation
python -m scripts.fuzz_api --inputs 6000        a million in all, for a night
"""

from __future__ import annotations

import importlib
import itertools
import json
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import hypothesis
import schemathesis
import typer
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.schemas import OpenApiSchema

from alerts.console.accounts import begin_session
from alerts.console.config import ConsoleConfig
from alerts.console.identity import COOKIE, CSRF
from alerts.console.oidc.client import Client
from alerts.console.oidc.file import Grant, Provider
from alerts.console.permissions import ROLES
from sensors.site import Text

ENDLESS = {"/api/v1/changes", "/api/v1/cameras/{id}/live.mjpeg"}
"""What is read for as long as somebody listens; both have tests of their own."""

MOST_SECONDS = 5.0
"""Of CPU, which a busy machine does not lengthen; what hangs without any is given up by the console itself."""

ALLOWED = (503, 504)
"""Answers above 500 that say what they mean: not ready, the engine has not answered in time."""

ADMINISTRATOR = "administrator"


@dataclass
class Found:
    """What a run came to: answers by status code, and operations that answered other than 401, 403, 404 and 429."""

    answers: Counter[int] = field(default_factory=Counter)
    operations: int = 0
    reached: set[str] = field(default_factory=set)
    slowest: float = 0.0  # seconds


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
                pulse_seconds=0.5, command_wait=2.0, font="/no/font", provider=away(),
            )
        )  # fmt: skip
        self.client = self.desktop.client()
        self._named = itertools.count()
        self.renew()

    def renew(self) -> None:
        """Have an alarm, its incident and an order that are open."""
        self._sessions: dict[str, dict[str, str]] = {}  # what was tried may have ended them
        self.engine.condition(level=0)
        self.engine.condition(level=3)
        incident = self.engine.open_incident()
        self.ids = (incident["id"], incident["alarms"][0], self.engine.open_dispatch()["id"])
        self.ids += ("slope-1", "p0", "cam", "team", "slope", "creep", "1", f"{incident['id']}.1", "0" * 64)

    def session(self, role: str) -> dict[str, str]:
        """Give the headers of a browser in which a person of this role is signed in."""
        if role not in self._sessions:
            console = self.desktop.console
            name = self.desktop.user(role, name=f"{role}-{next(self._named)}")
            id = begin_session(console.accounts, name)
            cookie = f"{COOKIE}={console.gate._signer.dumps(id)}"
            self._sessions[role] = {"Cookie": cookie, CSRF: console.gate.csrf(id), "Accept-Language": "en"}
        return self._sessions[role]

    def ask(self, role: str, case: Any, by_session: bool) -> Any:
        """Ask as a role, by a token or in a session."""
        known = self.session(role) if by_session else self.desktop.token(role)
        headers = {name: str(value) for name, value in (case.headers or {}).items()} | known
        body = case.body
        sent: dict[str, Any] = {}
        if isinstance(body, bytes):
            sent = {"content": body}
        elif not isinstance(body, schemathesis.core.NotSet):
            sent = {"content": json.dumps(body).encode("utf-8", "surrogatepass")}
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


def fuzz(folder: Path, inputs: int, seed: int = 1, every: int = 1) -> Found:
    """Ask every so manieth operation `inputs` times. Raise `Broken` at the first that answers 500 or takes too long."""
    bench = Bench(folder)
    counted = Found()
    with bench.client:
        schema = schemathesis.openapi.from_dict(bench.desktop.app.openapi())
        listed = operations(schema)[seed % every :: every]
        counted.operations = len(listed)
        for operation in listed:
            bench.renew()
            _ask_one(bench, operation, inputs, seed, counted)
    bench.engine.journal.close()
    return counted


def _ask_one(bench: Bench, operation: Any, inputs: int, seed: int, counted: Found) -> None:
    """Ask one operation, and count what it answers."""
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
        counted.slowest = max(counted.slowest, took)
        counted.answers[answer.status_code] += 1
        if answer.status_code not in (401, 403, 404, 429):
            counted.reached.add(operation.label)
        if (answer.status_code >= 500 and answer.status_code not in ALLOWED) or took > MOST_SECONDS:
            raise Broken(
                f"{operation.label} as {role}: {answer.status_code} in {took:.1f} s\n"
                f"{case.formatted_path} {case.query} {case.headers} {case.body!r}\n{answer.text[:500]}"
            )

    ask()


def operations(schema: OpenApiSchema) -> list[Any]:
    """List what the document describes and what ends."""
    found = [result.ok() for result in schema.get_all_operations()]
    return [one for one in found if one.path not in ENDLESS]


def main(
    inputs: Annotated[int, typer.Option(help="For each operation.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Another one asks other things.")] = 1,
) -> None:
    """Run it and print what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = fuzz(Path(folder), inputs, seed)
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
