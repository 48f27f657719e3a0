"""`foreshock replay`: does the log say the same again?"""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from scripts.commands.terminal import DataOption, JsonOption, configured, done, err, fail, out, wrong
from streams.embedded.schema import LogError
from streams.embedded.store import Log
from streams.replay import ReplayError, compare
from streams.topics import GROUP, OBSERVATIONS


def replay(
    data: DataOption = None,
    as_json: JsonOption = False,
    show: Annotated[int, typer.Option(help="How many differing ids to name.")] = 10,
) -> None:
    """Run the recorded observations through a fresh engine and compare every alarm transition with the live run's.

    Works beside a running Foreshock and on a data folder at rest. Exit code 0 when both agree, 1 when not.

    foreshock replay --data data
    """
    chosen = configured(data=data)
    try:
        log = Log.open_readonly(chosen.log_file)
    except LogError as error:
        fail(str(error))
    with (
        log,
        Progress(
            TextColumn("replaying"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeRemainingColumn(),
            console=err,
            transient=True,
        ) as progress,
    ):
        committed = {p: log.committed(GROUP, OBSERVATIONS, p) or 0 for p in range(log.topics().get(OBSERVATIONS, 0))}
        task = progress.add_task("replay", total=sum(committed.values()))
        try:
            found = compare(log, committed.__getitem__, lambda count: progress.advance(task, count))
        except ReplayError as error:
            fail(str(error))
    if as_json:
        print(msgspec.json.encode({**msgspec.to_builtins(found), "agrees": found.agrees}).decode())
    elif found.agrees:
        done(
            f"{found.observations} observations ({found.readings} readings) replayed: all "
            f"{found.recorded} outcomes are the same, {found.transitions} of them alarm transitions"
        )
    else:
        for name, ids in (("missing", found.missing), ("added", found.added), ("changed", found.changed)):
            if ids:
                wrong(f"{len(ids)} {name}: {', '.join(ids[:show])}{' …' if len(ids) > show else ''}")
    if found.load is not None and not as_json:
        load = found.load
        out.print(
            f"load of the desk: {load.rings} alarms rang, at most {load.peak} in ten minutes; "
            f"{load.floods} floods, {load.flood_minutes} min of them"
        )
    raise typer.Exit(0 if found.agrees else 1)
