"""What the commands say when a model is put in force, or the one before it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from scripts.commands.speaking import sentence
from scripts.commands.terminal import done, fail, who
from scripts.commands.words import Words
from streams import housekeeping
from streams.difference import TRIAGE
from streams.promoting import Done, PromotionError
from streams.settings import Settings

Action = Literal["models.promote", "models.rollback"]


def announce(
    found: Settings, action: Action, target: str, reason: str, promotion: Callable[[], Done], words: Words
) -> None:
    """Do it, note in the audit who asked for it, and say what became of it.

    As on the page, what was refused is noted too. Ends the command with a sentence where it is refused.
    """
    try:
        told = promotion()
    except PromotionError as error:
        housekeeping.note(found, who(), action, target, reason=reason, refused=str(error))
        fail(sentence(error, words))
    noted = {name: getattr(told, name) for name in ("of", "version", "before", "publication", "waiting")}
    housekeeping.note(found, who(), action, target, reason=reason, **noted)
    of = words("triage") if told.of == TRIAGE else told.of
    what = words("is_in_force", version=told.version, of=of) if told.version else words("none_in_force", of=of)
    if not told.changed:
        done(words("already", version=told.version, of=of))
    elif told.waiting:
        done(words("waits", version=told.version or words("no_model"), of=of))
    elif not told.publication:
        done(words("next_run", what=what))
    else:
        done(words("as_of", what=what, publication=told.publication))
