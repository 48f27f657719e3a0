"""How the commands about rules find the language to speak, and say in it what parts below them say in English."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from alerts.console.rule_words import meant
from scripts.commands import error_words
from scripts.commands.terminal import configured, fail, plain, wrong
from scripts.commands.words import WORDS, Language, Words, of_locale
from sensors.document import DocumentError, read_document
from sensors.duration import seconds
from sensors.problem import Problem, suggest
from sensors.site import Site
from streams import bundle, publication
from streams.bundle import Bundle
from streams.settings import Settings

MOST_SHOWN = 50


def in_force(folder: Path, language: Language | None) -> tuple[Bundle, Words]:
    """Read what is in force on a data folder, or was last, and speak its language unless told otherwise.

    End the command with a sentence, and exit code 3 where nothing has run there.
    """
    words = Words(language or of_locale(), "UTC")  # no site says which
    try:
        content = bundle.unpack(publication.read(folder))
    except FileNotFoundError:
        fail(words("nothing_ran", folder=folder), 3)
    except (OSError, ValueError) as error:
        fail(words("unreadable", folder=folder, error=error))
    return content, Words(language or content.site.language, content.site.zone)


def at_site(
    data: Path | None, language: Language | None, catalogue: Mapping[str, tuple[str, str]]
) -> tuple[Settings, Site, Words]:
    """Read the settings and the site in force, and say what a catalogue has in its language; end as `in_force` does."""
    found = configured(data=data)
    content, words = in_force(found.data_folder, language)
    return found, content.site, Words(words.language, words.zone, catalogue)


def at_folder(folder: Path, language: Language | None, catalogue: Mapping[str, tuple[str, str]] = WORDS) -> Words:
    """Speak the language of the site on a data folder unless told otherwise; the locale's where none has run."""
    try:
        site = bundle.unpack(publication.read(folder)).site
    except (OSError, ValueError):
        return Words(language or of_locale(), "UTC", catalogue)
    return Words(language or site.language, site.zone, catalogue)


def at_site_folder(folder: Path, language: Language | None) -> Words:
    """Speak the language of a site's folder unless told otherwise; the locale's where site.yaml cannot be read."""
    given: Language = language or of_locale()
    if language is None:
        with contextlib.suppress(DocumentError):
            main = read_document(folder / "site.yaml").data
            given = "en" if isinstance(main, dict) and main.get("language") == "en" else "zh-CN"
    return Words(given, "UTC")


def require_journal(found: Settings, language: Language | None) -> None:
    """End the command with a sentence unless a run made a journal, or it is in a database elsewhere."""
    if found.journal_file is not None and not found.journal_file.exists():
        fail(Words(language or of_locale(), "UTC")("nothing_ran", folder=found.data_folder))


def sentence(error: Exception, words: Words) -> str:
    """Say what an error says, in the language of a command as far as it is known in that."""
    said = str(error)
    if isinstance(error, OSError) and error.strerror:  # else numbers and quotes stand around it
        said = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return error_words.said(said, words.language)


def hint(word: str, known: Iterable[str], words: Words) -> str:
    """Ask whether the nearest known name was meant; nothing when none is near."""
    return meant(suggest(word, known), words.language)


def span(written: str, words: Words) -> float:
    """Read an option `--for` as seconds; end the command with a sentence when it is no duration."""
    try:
        return seconds(written)
    except ValueError as error:
        fail(f"--for: {sentence(error, words)}")


def named(problem: Problem, words: Words) -> str:
    """Say a mistake with its place, in the language of a command as far as it is known in that."""
    return str(msgspec.structs.replace(problem, message=error_words.said(problem.message, words.language)))


def name_problems(
    problems: Sequence[Problem], words: Words, say: Callable[[str], None] = wrong, more: str = "more_problems"
) -> None:
    """Name the first mistakes, or doubts, and how many more there are; `more` is the key of what says so."""
    for problem in problems[:MOST_SHOWN]:
        say(named(problem, words))
    if problems[MOST_SHOWN:]:
        say(words(more, count=len(problems) - MOST_SHOWN))


def reasoned(author: str, reason: str, words: Words) -> str:
    """Say why something was published: the program's own reason in the reader's language, a person's as it is."""
    return error_words.said(reason, words.language) if author == "foreshock run" else reason


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Lay rows out in columns as wide as they must be; the first `left` columns lean left, numbers right.

    What stands in the rows is plain text, what comes back is markup.
    """
    from rich.cells import cell_len  # here: few commands lay anything out

    wide = [max(cell_len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]

    def pad(text: str, place: int) -> str:
        space = " " * (wide[place] - cell_len(text))
        return plain(text) + space if place < left else space + plain(text)

    return ["  ".join(pad(text, place) for place, text in enumerate(row)).rstrip() for row in (heads, *rows)]
