"""Begin a revision of the journal's layout: what `alerts.tables` has, and the revisions so far do not, as a step.

    python -m scripts.new_revision "Say who leads"

Look through what it wrote, set HEAD in `alerts/stamp.py` to its number, and let tests/alerts/test_layout.py judge.
"""

from __future__ import annotations

import re
import tempfile
from typing import Annotated

import typer

from alerts import layout
from alerts.stamp import HEAD


def main(what: Annotated[str, typer.Argument(help="What the step does, in a few words.")]) -> None:
    """Write the step beside the others."""
    from alembic import command

    number = f"{int(HEAD) + 1:04}"
    word = re.sub(r"[^a-z0-9]+", "_", what.lower()).strip("_")[:40]
    with tempfile.TemporaryDirectory() as folder, layout.changing(f"{folder}/journal.sqlite") as connection:
        layout.migrate(connection, HEAD)
        config = layout.config(connection)
        config.set_main_option("file_template", f"r{number}_{word}")
        command.revision(config, what, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    typer.run(main)
