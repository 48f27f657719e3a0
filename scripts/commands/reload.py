"""`foreshock reload` and `foreshock publications`: change the site of a running product, and go back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from alerts.console.rule_words import differing
from scripts.commands.speaking import in_force, name_problems, reasoned, sentence
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    configured,
    done,
    fail,
    local,
    out,
    plain,
    warn,
    who,
    wrong,
)
from scripts.commands.words import LanguageOption, Words
from sensors.document import DocumentError
from streams import publication, running, shelf
from streams import reload as reloading
from streams.difference import Difference, as_plain, lines, unraised_in
from streams.settings import Settings
from streams.supervisor import holder

MOST_NAMED = 12


def reload(
    site: Annotated[
        Path | None, typer.Option("--site", help="Folder of the site.", show_default="the one that it was started with")
    ] = None,
    data: DataOption = None,
    version: Annotated[str, typer.Option(help="Put this earlier publication in force instead of the folder.")] = "",
    reason: Annotated[str, typer.Option(help="Why, for those who read the list of publications later.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Only say what would change.")] = False,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a changed site folder in force in the Foreshock that runs, without a restart.

    The folder is checked first: if anything in it is wrong, all of it is refused and what is in force stays. What was
    open stays open, and a point that did not change keeps what it has learnt. Exit code 3 when nothing runs.

    foreshock reload --check

    foreshock reload --reason "two new tilt sensors on the north slope"

    foreshock reload --version 5f1c02ab9d3e
    """
    found = configured(site=site, data=data)
    folder = found.data_folder
    words = in_force(folder, language)[1]
    if holder(folder) is None:
        fail(words("at_next_run", folder=folder), 3)
    source = site or running.site_of(folder) or found.site_folder
    author = who()
    taken = None
    try:
        if check:
            prepared = reloading.earlier(version, folder) if version else reloading.prepare(source, folder)
        else:
            prepared, taken = reloading.reload(source, folder, author, reason, version)
    except DocumentError as error:
        _note(found, author, version, reason, problems=len(error.problems))
        if as_json:
            _print({"version": None, "problems": msgspec.to_builtins(error.problems)})
        else:
            name_problems(error.problems, words)
        fail(words("kept_as_is", count=len(error.problems), site=source))
    except (ValueError, publication.IndicesError) as error:
        _note(found, author, version, reason, refused=str(error))
        fail(sentence(error, words))
    except OSError as error:
        fail(words("cannot_use", folder=folder, error=error.strerror or error))
    if taken is not None:
        what = {"proposed" if taken.waiting else "published": taken.version}
        _note(found, author, version, reason, before=prepared.before, **what)
    if as_json:
        _print(
            {
                "version": prepared.version,
                "before": prepared.before,
                "changed": prepared.version != prepared.before,
                "difference": as_plain(prepared.difference),
                "taken": None if taken is None else msgspec.to_builtins(taken),
            }
        )
        return
    for line in lines(prepared.difference):
        out.print(f"  {plain(differing(line, words.language))}")
    if prepared.version == prepared.before:
        done(words("no_change", version=prepared.version))
    elif taken is None:
        done(words("would_publish", version=prepared.version, before=prepared.before))
    elif taken.waiting:
        done(words("awaits", version=taken.version))
    else:
        done(words("published", version=taken.version, ms=taken.in_force * 1000))
        for name in taken.behind:
            wrong(words("behind", name=name))
        if version:
            out.print(f"  {words('folder_differs')}")
    warn_of_unraised(prepared.difference, words)
    if taken is not None and taken.behind:
        raise typer.Exit(1)


def warn_of_unraised(found: Difference, words: Words) -> None:
    """Ask for the rise of each rule's version that decides otherwise under the same."""
    ids = unraised_in(found)
    if ids:
        more = " …" if ids[MOST_NAMED:] else ""
        warn(words("unraised", count=len(ids), rules=words("joined").join(ids[:MOST_NAMED]) + more))


def publications(data: DataOption = None, language: LanguageOption = None, as_json: JsonOption = False) -> None:
    """List the versions of the site that were in force, the latest first; `foreshock reload --version` takes one back.

    foreshock publications
    """
    folder = configured(data=data).data_folder
    words = in_force(folder, language)[1]
    kept = shelf.listed(folder)
    present = shelf.latest(kept, publication.version(folder))
    if as_json:
        _print([{**msgspec.to_builtins(one), "in_force": one is present} for one in kept])
        return
    for one in kept:
        mark = "[green]●[/green]" if one is present else " "
        reason = reasoned(one.author, one.reason, words)
        why = f": {reason}" if reason else ""
        out.print(f"{mark} {one.version}  {local(one.time, words.zone)}  {plain(one.author)}{plain(why)}")
        for line in one.difference:
            out.print(f"    {plain(differing(line, words.language))}")


def note(found: Settings, author: str, action: str, target: str, **detail: Any) -> None:
    """Put it into the audit, if this folder has accounts."""
    if not (found.data_folder / "accounts.sqlite").exists():
        return
    from streams import housekeeping  # here: it takes as long to load as the rest

    housekeeping.note(found, author, action, target, **detail)


def _note(found: Settings, author: str, version: str, reason: str, **detail: Any) -> None:
    note(found, author, "site.publish", version or "folder", reason=reason, **detail)


def _print(answer: Any) -> None:
    print(msgspec.json.encode(answer).decode())
