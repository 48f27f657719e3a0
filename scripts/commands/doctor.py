"""`foreshock doctor`: is this machine, and this data folder, fit for work?"""

from __future__ import annotations

import msgspec
import typer

from scripts.commands.spoken import said
from scripts.commands.terminal import DataOption, JsonOption, SiteOption, configured, out, plain
from streams import running
from streams.doctor import examine


def doctor(site: SiteOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Look at the machine, the site and the data folder, and say what to do about what is wrong.

    Without `--site` the site is the one that runs, or ran last, on the data folder.

    Exit code 0 when all is well, 1 when not. Changes nothing.
    """
    found = configured(data=data)
    found = configured(site=site or running.site_of(found.data_folder), data=data)
    findings = list(examine(found))
    if as_json:
        print(msgspec.json.encode(findings).decode())
    else:
        for one in findings:
            mark = "[green]✓[/green]" if one.well else "[red]✗[/red]"
            out.print(f"{mark} {plain(said(one.what))}: {plain(said(one.said))}")
    raise typer.Exit(0 if all(one.well for one in findings) else 1)
