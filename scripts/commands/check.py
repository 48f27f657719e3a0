"""`foreshock check`: is this site sound?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from alerts.notifiers import file as notify
from rules.rule import load_rules
from scripts.commands.speaking import at_site_folder, named, sentence
from scripts.commands.terminal import JsonOption, done, err, fail, out, plain, warn, wrong
from scripts.commands.words import LanguageOption
from sensors.document import DocumentError, Problem, read_document
from sensors.lookup import Registry
from sensors.mapped_checks import idle_templates
from sensors.registry import counts, load_site
from sensors.site import Site
from sensors.topics import Topics
from streams import settings
from streams.settings import SettingsError


def rule_mistakes(folder: Path, site: Site) -> list[Problem]:
    """List what is wrong with the rules in a site's folder, their own tests included."""
    try:
        load_rules(folder / "rules", site, folder, kept=settings.load().kept)
    except DocumentError as error:
        return error.problems
    return []


def check(
    site: Annotated[Path, typer.Argument(help="Folder of the site.")] = Path("examples/district"),
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a site: places, areas, points, cameras, units, rules, each rule's tests, notify.yaml and sign-in.yaml.

    Every mistake is named with its file (in the site's folder), line and field; --json gives each as an object with
    file, line, field and message. Exit code 0 when the site is sound, 1 when not. Templates of `signals.mapped`
    that can never match, and what is doubtful of rules (`foreshock rules check`), are named as well; they are no
    mistake. At the end stand the MQTT topics that the site
    listens to: the broker's access list must let Foreshock read them.

    foreshock check examples/district

    foreshock check my-site --json
    """
    words = at_site_folder(site, language)
    problems: list[Problem] = []
    notes: list[Problem] = []
    figures: dict[str, int] = {}
    topics: list[str] = []
    try:
        loaded = load_site(site)
        figures = counts(loaded)
        registry = Registry(loaded)
        topics = Topics(registry).filters()
        notes = idle_templates(read_document(site / "site.yaml", name="site.yaml"), registry)
        found = settings.load(site=str(site))
        figures["rules"] = len(load_rules(site / "rules", loaded, site, kept=found.kept, doubts=notes))
        targets = found.notify_file
        if targets is not None:
            figures["targets"] = len(notify.expanded(notify.read(targets, loaded)))
        if found.sign_in_file is not None:
            from alerts.console.oidc import file as sign_in  # here: most sites have none

            figures["grants"] = len(sign_in.read(found.sign_in_file, loaded).grants)
    except DocumentError as error:
        problems = error.problems
    except SettingsError as error:
        fail(sentence(error, words))
    if as_json:
        print(
            msgspec.json.encode(
                {
                    **figures,
                    "topics": topics,
                    "problems": msgspec.to_builtins(problems),
                    "notes": msgspec.to_builtins(notes),
                }
            ).decode()
        )
    else:
        for problem in problems:
            wrong(named(problem, words))
        for note in notes:
            warn(named(note, words))
        if problems:
            key = "check_problem" if len(problems) == 1 else "check_problems"
            err.print(plain(words(key, count=len(problems), site=site)))
        else:
            counted = words("joined").join(words(f"check_{name}", count=count) for name, count in figures.items())
            done(words("check_sound", site=site, figures=counted))
            out.print(plain(words("listens", topics=" ".join(topics))))
    raise typer.Exit(1 if problems else 0)
