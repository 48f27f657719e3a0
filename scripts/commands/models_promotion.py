"""What the commands say when a model is put in force, or the one before it again."""

from __future__ import annotations

from collections.abc import Callable

from scripts.commands.terminal import done, fail
from streams.difference import TRIAGE
from streams.promoting import Done, PromotionError


def announce(promotion: Callable[[], Done]) -> None:
    """Do it and say what became of it; end the command with a sentence where it is refused."""
    try:
        told = promotion()
    except PromotionError as error:
        fail(str(error))
    of = "triage" if told.of == TRIAGE else told.of
    what = f"{told.version} is in force for {of}" if told.version else f"no model is in force for {of} any more"
    if not told.changed:
        done(f"{told.version} is in force for {of} already")
    elif told.waiting:
        done(f"it waits for a second person to approve it: {told.version or 'no model'} for {of}")
    elif not told.publication:
        done(f"nothing runs: from the next `foreshock run` on {what}")
    else:
        done(f"{what}, as of publication {told.publication}")
