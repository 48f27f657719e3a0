"""The language of a command without a catalogue of its own: the site's, unless `--language` says another.

Such a command says its sentences in English, and `said` says them as `error_words` has them in Chinese.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from scripts.commands.words import Language, LanguageOption, LocaleOption, of_locale
from sensors.problem import suggest


class _Spoken:
    """What is known of the language of the command that runs."""

    given: Language | None = None
    folder: Path | None = None  # where what is in force is looked for
    known: Language | None = None


_spoken = _Spoken()


def speak(given: Language | None) -> None:
    """Begin a command: speak a language, or for None the site's once its folder is known, the locale's until then."""
    _spoken.given, _spoken.folder, _spoken.known = given, None, None


def speak_as_on(folder: Path) -> None:
    """Speak the language of what is in force on a data folder, or was last, unless told otherwise."""
    _spoken.folder, _spoken.known = folder, None


def speak_as(site: str) -> None:
    """Speak a site's language unless told otherwise."""
    _spoken.known = "en" if site == "en" else "zh-CN"


def language() -> Language:
    """Tell which language is spoken. The site is read when it is first asked for: most commands never fail."""
    if _spoken.given is not None:
        return _spoken.given
    if _spoken.known is None:
        _spoken.known = of_locale() if _spoken.folder is None else _of(_spoken.folder)
    return _spoken.known


def said(sentence: str) -> str:
    """Say an English sentence in the language that is spoken; one that is not known in it stays."""
    if language() == "en":
        return sentence
    from scripts.commands import error_words  # here: it need not be loaded to speak English

    return error_words.said(sentence, language())


def heads(*names: str) -> list[str]:
    """Say what the columns of a table are called."""
    return [said(name) for name in names]


def near(word: str, known: Iterable[str]) -> str:
    """Ask whether the nearest known name was meant; nothing when none is near."""
    from alerts.console.rule_words import meant

    return meant(suggest(word, known), language())


def spoken(command: Callable[..., Any]) -> Callable[..., Any]:
    """Have a command begin by its `--language`, which it gets where it has none."""
    signature = inspect.signature(command, eval_str=True)
    own = signature.parameters.get("language")
    mine = own is None or own.annotation in (LanguageOption, LocaleOption)  # else of what is written, or of an account

    @functools.wraps(command)
    def begun(*args: Any, **values: Any) -> Any:
        given = values.get("language") if own is not None else values.pop("language", None)
        speak(given if mine else None)
        return command(*args, **values)

    begun.__dict__["spoken"] = True
    if own is None:
        more = inspect.Parameter("language", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=LanguageOption)
        begun.__dict__["__signature__"] = signature.replace(parameters=[*signature.parameters.values(), more])
        begun.__annotations__ = {**command.__annotations__, "language": LanguageOption}
    return begun


def _of(folder: Path) -> Language:
    from streams import bundle, publication  # here: most commands, and all help, need neither

    try:
        return bundle.unpack(publication.read(folder)).site.language
    except (OSError, ValueError):
        return of_locale()
