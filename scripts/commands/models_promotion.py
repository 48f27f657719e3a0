"""What the commands say when a model is put in force, or the one before it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from scripts.commands.terminal import done, fail, who
from streams import housekeeping
from streams.difference import TRIAGE
from streams.promoting import Done, PromotionError
from streams.settings import Settings

Action = Literal["models.promote", "models.rollback"]


def announce(found: Settings, action: Action, target: str, reason: str, promotion: Callable[[], Done]) -> None:
    """Do it, note in the audit who asked for it, and say what became of it.

    As on the page, what was refused is noted too. Ends the command with a sentence where it is refused.
    """
    try:
        told = promotion()
    except PromotionError as error:
        housekeeping.note(found, who(), action, target, reason=reason, refused=str(error))
        fail(str(error))
    noted = {name: getattr(told, name) for name in ("of", "version", "before", "publication", "waiting")}
    housekeeping.note(found, who(), action, target, reason=reason, **noted)
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
