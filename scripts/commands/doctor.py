"""`foreshock doctor`: is this machine, and this data folder, fit for work?"""

from __future__ import annotations

import msgspec
import typer

from scripts.commands.terminal import DataOption, JsonOption, SiteOption, configured, out, plain
from streams.doctor import examine


def doctor(site: SiteOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Look at the machine, the site and the data folder, and say what to do about what is wrong.

    Exit code 0 when all is well, 1 when not. Changes nothing.
    """
    found = configured(site=site, data=data)
    findings = list(examine(found))
    if as_json:
        print(msgspec.json.encode(findings).decode())
    else:
        for one in findings:
            mark = "[green]✓[/green]" if one.well else "[red]✗[/red]"
            out.print(f"{mark} {one.what}: {plain(one.said)}")
    raise typer.Exit(0 if all(one.well for one in findings) else 1)
