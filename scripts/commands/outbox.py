"""`foreshock outbox`: orders that a target has not taken yet, and another try for those that are tried no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from alerts.notifiers.deliveries import Deliveries
from alerts.notifiers.memory import ERRORS
from scripts.commands.spoken import heads, said
from scripts.commands.terminal import DataOption, JsonOption, configured, done, fail, local, out, plain, require_run

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Orders on their way out: list what was not delivered and why, try it again.",
)
FILE = "outbox.sqlite"
MOST = 1000
"""Letters of a target that are listed or revived at once."""

TargetOption = Annotated[str | None, typer.Option("--target", help="Only this target, such as mqtt or webhook.")]


@contextmanager
def opened(data: Path | None) -> Iterator[Deliveries]:
    """Open the notifier's memory beside it; end with a sentence when there is none."""
    found = configured(data=data)
    file = found.outbox_at
    if isinstance(file, Path):
        require_run(file)
    file = found.data_folder / FILE if isinstance(file, Path) else said("the cluster's database")
    try:
        deliveries = Deliveries(found.outbox_at)
    except ERRORS as error:
        fail(f"cannot read {file}: {error}; `foreshock doctor` may say more")
    try:
        yield deliveries
    except ERRORS as error:
        fail(f"cannot use {file}: {error}; `foreshock doctor` may say more")
    finally:
        deliveries.close()


@app.command("list")
def list_letters(target: TargetOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the orders that a target has not taken: those tried again by themselves, and those tried no more.

    foreshock outbox list

    foreshock outbox list --target webhook --json
    """
    with opened(data) as deliveries:
        names = [name for name in deliveries.targets() if target in (None, name)]
        found = [
            (name, one) for name in names for one in (*deliveries.dead(name, MOST), *deliveries.waiting(name, MOST))
        ]
    if as_json:
        print(msgspec.json.encode([{"target": name, **msgspec.to_builtins(one)} for name, one in found]).decode())
        return
    table = Table(*heads("target", "unit", "attempts", "next try", "error"))
    table.add_column(said("id"), no_wrap=True)  # whole, to be copied
    for name, one in found:
        due = f"[red]{said('never')}[/red]" if one.dead else local(one.due, "UTC") + " UTC"
        row = map(plain, (one.error, one.notice.id))
        table.add_row(plain(name), plain(one.notice.unit), str(one.attempts), due, *row)
    out.print(table if found else said("every order was delivered"))


@app.command("retry")
def retry(
    id: Annotated[str | None, typer.Argument(help="The order's id; without it, all.")] = None,
    target: TargetOption = None,
    data: DataOption = None,
) -> None:
    """Have orders that are tried no more tried again, with the same ids; a running notifier does so within seconds.

    foreshock outbox retry

    foreshock outbox retry d-8f09f8525909502bc3a8.1 --target webhook
    """
    with opened(data) as deliveries:
        names = [name for name in deliveries.targets() if target in (None, name)]
        wanted = [(name, id) for name in names] if id is not None else []
        if id is None:
            wanted = [(name, one.notice.id) for name in names for one in deliveries.dead(name, MOST)]
        count = sum(deliveries.revive(name, one) for name, one in wanted)
        if not count:
            fail("there is no such order; `foreshock outbox list` shows those that are tried no more")
        done(f"{count} order(s) will be tried again")
