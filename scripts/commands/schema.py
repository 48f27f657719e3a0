"""`foreshock schema`: the rules' JSON Schema, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from rules.schema import json_schema
from scripts.commands.terminal import done, fail


def schema(
    out: Annotated[Path | None, typer.Option(help="File to write; without it the schema is printed.")] = None,
) -> None:
    """Give the JSON Schema of a file of rules: with it an editor completes fields and marks mistakes while you type.

    It knows fields and their types; what a condition means, and whether its units fit, `foreshock check` knows.

    foreshock schema --out my-site/rules.schema.json
    """
    text = msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode() + "\n"
    if out is None:
        print(text, end="")
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}")
    done(f"{out} is written: name it in the first line of a file of rules, as docs/reference/rules.md shows")
