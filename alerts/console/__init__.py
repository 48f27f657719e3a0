"""The web: API, live stream, accounts and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alerts.console.config import ConsoleConfig


def serve(config: ConsoleConfig) -> None:
    """Serve the console until SIGTERM or SIGINT; `config.started` is called once it answers.

    Raise `SystemExit` when the address cannot be taken.
    """
    from alerts.console.server import run  # so that the command line need not load a web server for the accounts

    run(config)
