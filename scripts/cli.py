"""The `foreshock` command."""

from __future__ import annotations

import importlib
import os
import sys

import typer

from scripts.commands.spoken import spoken
from streams.settings import SettingsError

HELP = """Foreshock watches a district's sensors and cameras and sends people out before it is too late.

Start with **foreshock run**: it sets up the example district, plays a landslide into it and prints the address of the
console. Then look around: **foreshock status**, **foreshock alarms list**, **foreshock doctor**."""

COMMANDS = {
    "run": "run.run",
    "simulate": "simulate.simulate",
    "reload": "reload.reload",
    "publications": "reload.publications",
    "status": "status.status",
    "doctor": "doctor.doctor",
    "check": "check.check",
    "import": "tables.import_table",
    "export": "tables.export_table",
    "schema": "schema.schema",
    "rules": "rules.app",
    "plans": "plans.app",
    "roster": "handover.roster",
    "handover": "handover.handover",
    "exercise": "exercise.app",
    "report": "report.app",
    "alarms": "alarms.app",
    "incidents": "incidents.app",
    "mode": "mode.app",
    "silence": "silence.app",
    "quality": "quality.quality",
    "outbox": "outbox.app",
    "journal": "journal.app",
    "backup": "backup.backup",
    "restore": "backup.put_back",
    "backup-key": "backup.new_key",
    "migrate": "migrate.migrate",
    "notify": "notify.app",
    "archive": "archive.app",
    "quarantine": "quarantine.app",
    "listen": "listen.listen",
    "adopt": "adopt.adopt",
    "users": "accounts.users",
    "tokens": "accounts.tokens",
    "score": "score.score",
    "models": "models.app",
    "camera": "camera.app",
    "evaluate": "evaluate.app",
    "replay": "replay.replay",
    "topics": "topics.app",
    "history": "history.app",
    "settings": "settings.print_settings",
    "version": "version.version",
}
"""Where in `scripts.commands` each command stands: a function, or a Typer with commands of its own."""


def application(only: str | None = None) -> typer.Typer:
    """Make the command line; with `only` that command alone, so that none waits for what another imports."""
    app = typer.Typer(
        name="foreshock",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        add_completion=False,
        pretty_exceptions_show_locals=False,
        help=HELP,
    )
    app.callback()(lambda: None)  # a command stays a command where there is only one
    for name, place in COMMANDS.items():
        if only is None or name == only:
            module, _, attribute = place.partition(".")
            command = getattr(importlib.import_module(f"scripts.commands.{module}"), attribute)
            if isinstance(command, typer.Typer):
                _have_speak(command)
                app.add_typer(command, name=name)
            else:
                app.command(name)(spoken(command))
    return app


def _have_speak(app: typer.Typer) -> None:
    """Have all commands of a group begin by the language that they are to speak."""
    for command in app.registered_commands:
        if command.callback is not None and not hasattr(command.callback, "spoken"):
            command.callback = spoken(command.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _have_speak(group.typer_instance)


def main() -> None:
    """Run the command line; what it and its children write is for the owner only."""
    os.umask(0o077)
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        application(asked if asked in COMMANDS else None)()
    except SettingsError as error:  # what works on the embedded log only says so where it opens it
        print(f"✗ {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
