"""`foreshock notify`: who is told, what was not taken, and whether a target can be reached at all."""

from __future__ import annotations

import time
import uuid
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from alerts.notifiers import trying
from scripts.commands import outbox
from scripts.commands.spoken import heads, said
from scripts.commands.terminal import DataOption, JsonOption, configured, done, fail, out, plain, site_in_force, who
from streams.supervisor import holder

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Notifications: the targets, what they have not taken and why, another try, and a test of one.",
)
app.command("list")(outbox.list_letters)
app.command("retry")(outbox.retry)


@app.command("targets")
def targets(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the targets that are served: what waits for another try, for a digest, what is dead, what is wrong.

    foreshock notify targets
    """
    with outbox.opened(data) as deliveries:
        found = [
            {
                "target": name,
                "kind": kind,
                "error": error,
                **dict(zip(("waiting", "dead"), deliveries.counts(name), strict=True)),
                "held": sum(deliveries.count_held(name)),
            }
            for name, (kind, _, error) in deliveries.known().items()
        ]
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    table = Table(*heads("target", "kind", "waiting", "for a digest", "dead", "error"))
    for one in found:
        table.add_row(*(plain(one[name]) for name in ("target", "kind", "waiting", "held", "dead", "error")))
    out.print(table if found else said("no target is served yet"))


@app.command("test")
def test(
    target: Annotated[str, typer.Argument(help="The target's name, as `foreshock notify targets` lists it.")],
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=120, help="How long to wait for the answer.")] = 30,
    data: DataOption = None,
) -> None:
    """Have the notifier that runs send a target one notice that says it is a test, and tell what came of it.

    foreshock notify test duty-mail:li@example.org

    foreshock notify test duty-group
    """
    found = configured(data=data)
    if holder(found.data_folder) is None:
        fail(f"no notifier runs on {found.data_folder}; start with `foreshock run`")
    site = site_in_force(found).id
    id = f"test-{uuid.uuid4().hex[:16]}"
    with outbox.opened(data) as deliveries:
        try:
            trying.ask(deliveries, target, id, site, who(), time.time())
        except trying.UnknownTarget:
            names = ", ".join(deliveries.known()) or said("none")
            fail(f"there is no target {target}; there are: {names}")
        end = time.monotonic() + seconds
        while (answer := deliveries.test_result(id)) is None:
            if time.monotonic() > end:
                fail(f"the notifier has not tried {target} within {seconds:g} s; it may do so yet")
            time.sleep(0.1)
    if answer:
        fail(f"{target} did not take it: {answer}")
    done(f"{target} took it")
