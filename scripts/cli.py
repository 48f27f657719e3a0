"""The `foreshock` command."""

from __future__ import annotations

import os
from importlib import metadata

import typer

from scripts.commands import accounts, alarms, check, doctor, replay, run, score, simulate, status
from scripts.commands.terminal import out
from streams import settings

app = typer.Typer(
    name="foreshock",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="""Foreshock watches a district's sensors and cameras and sends people out before it is too late.

Start with **foreshock run**: it sets up the example district, plays a landslide into it and prints the address of the
console. Then look around: **foreshock status**, **foreshock alarms list**, **foreshock doctor**.""",
)
app.command("run")(run.run)
app.command("simulate")(simulate.simulate)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.command("check")(check.check)
app.add_typer(alarms.app, name="alarms")
app.add_typer(accounts.users, name="users")
app.add_typer(accounts.tokens, name="tokens")
app.command("score")(score.score)
app.command("replay")(replay.replay)


@app.command("settings")
def print_settings() -> None:
    """Print every setting with its environment variable, default and meaning, as Markdown."""
    print(settings.reference(), end="")


@app.command()
def version() -> None:
    """Print the version of Foreshock and of what it stands on."""
    out.print(f"foreshock {metadata.version('foreshock')}")
    for name in (
        "faust-streaming",
        "aiokafka",
        "paho-mqtt",
        "numpy",
        "scikit-learn",
        "msgspec",
        "sqlalchemy",
    ):
        out.print(f"  {name} {metadata.version(name)}")
    build = next((n for n in ("opencv-python", "opencv-python-headless") if _installed(n)), None)
    out.print(f"  {build} {metadata.version(build)}" if build else "  opencv: not installed")


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def main() -> None:
    """Run the command line; what it and its children write is for the owner only."""
    os.umask(0o077)
    app()


if __name__ == "__main__":
    main()
