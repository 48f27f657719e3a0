"""`foreshock rules check`, `list`, `format`, `import` and `export`: files of rules."""

from __future__ import annotations

import datetime
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer
from sqlalchemy.exc import SQLAlchemyError

from alerts.precision import Precision, cases, precision
from alerts.queries import JournalMissing, Reader
from rules.exchange import write
from rules.layout import laid_out
from rules.rule import Rule, covered_points, load_rules
from scripts.commands.speaking import MOST_SHOWN, at_site_folder, name_problems, sentence
from scripts.commands.terminal import DataOption, JsonOption, configured, done, fail, out, plain, warn, wrong
from scripts.commands.words import Language, LanguageOption, Words
from sensors.document import DocumentError, Problem
from sensors.registry import load_site
from sensors.site import Site
from streams.durable import replace

SiteArgument = Annotated[Path, typer.Argument(help="Folder of the site.")]
RuleOption = Annotated[str, typer.Option("--rule", help="Only rules with this id; * and ? stand for others.")]
IMPORTED = "rules/imported.yaml"


def chosen(folder: Path, pattern: str, language: Language | None) -> tuple[Site, list[Rule]]:
    """Load a site and those of its rules that are meant; end the command with every mistake when it is not sound."""
    try:
        site = load_site(folder)
        rules = load_rules(folder / "rules", site, folder, kept=configured().kept)
    except DocumentError as error:
        words = at_site_folder(folder, language)
        name_problems(error.problems, words)
        fail(words("problems", count=len(error.problems), site=folder))
    found = [rule for rule in rules if fnmatchcase(rule.id, pattern)]
    if not found:
        fail(Words(language or site.language, site.zone)("no_rule_called", site=folder, rule=pattern))
    return site, found


def check(
    site: SiteArgument = Path("examples/district"), language: LanguageOption = None, as_json: JsonOption = False
) -> None:
    """Check the rules of a site: fields, conditions, units, coverage, and each rule's own tests.

    Every mistake is named with file, line, field and, in a condition, the column. What is no mistake but can hardly be
    meant is warned of: a rule that covers nothing on this site, events and reports of kinds that nobody is known to
    tell of, a rule without tests, a review date that has passed. Exit code 0 when all are sound, 1 when not.
    `foreshock check` checks the rest of the site as well.

    foreshock rules check my-site
    """
    words = at_site_folder(site, language)
    problems: list[Problem] = []
    rules: tuple[Rule, ...] = ()
    late: list[Rule] = []
    doubts: list[Problem] = []
    try:
        loaded = load_site(site)
        rules = load_rules(site / "rules", loaded, site, kept=configured().kept, doubts=doubts)
        late = [rule for rule in rules if overdue(rule, today(loaded.zone))]
    except DocumentError as error:
        problems = error.problems
    tests = sum(len(rule.tests) for rule in rules)
    if as_json:
        told = {"rules": len(rules), "tests": tests, "problems": msgspec.to_builtins(problems)}
        _print(told | {"doubts": msgspec.to_builtins(doubts), "review_overdue": [rule.id for rule in late]})
    elif problems:
        name_problems(problems, words)
        fail(words("problems", count=len(problems), site=site))
    else:
        done(words("sound", rules=len(rules), site=site, tests=tests))
        name_problems(doubts, words, warn)
        if doubts:
            warn(words("doubts", count=len(doubts)))
        for rule in late[:MOST_SHOWN]:
            warn(words("review", rule=rule.id, date=rule.rationale.review))
        if late[MOST_SHOWN:]:
            warn(words("more_reviews", count=len(late) - MOST_SHOWN))
    raise typer.Exit(1 if problems else 0)


def list_rules(
    site: SiteArgument = Path("examples/district"),
    rule: RuleOption = "*",
    data: DataOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a site's rules: levels, what each covers, its tests and template, owner, review date, and how it fared.

    How it fared is known where incidents of the data folder were closed with a disposition; `foreshock rules tune` says
    more.

    foreshock rules list my-site --rule 'gas-*'
    """
    known, found = chosen(site, rule, language)
    areas = {area.id: area for area in known.areas}
    told = []
    fared = _fared(known, data)
    for one in found:
        if one.scope == "point":
            places = len(covered_points(one, known.points, areas))
        elif one.scope == "area":
            places = sum(one.where.takes_tagged_area(area) for area in known.areas)
        else:
            places = sum(
                one.where.takes_camera(camera, areas[camera.areas[0]]) for camera in known.cameras if camera.areas
            )
        levels = [level for level in ("blue", "yellow", "orange", "red") if getattr(one.levels, level) is not None]
        told.append(
            {
                "rule": one.id,
                "title": msgspec.to_builtins(one.title),
                "scope": one.scope,
                "levels": levels,
                "places": places,
                "tests": len(one.tests),
                "version": one.version,
                "template": one.template,
                "owner": msgspec.to_builtins(one.rationale.owner),
                "review": str(one.rationale.review),
                "review_overdue": overdue(one, today(known.zone)),
                "fared": fared.get(one.id),
            }
        )
    if as_json:
        _print(told)
        return
    words = Words(language or known.language, known.zone)
    for one, line in zip(found, told, strict=True):
        _list(one, line, words)


def _list(rule: Rule, line: dict[str, Any], words: Words) -> None:
    """Print a rule, and what is told of it."""
    tongue = "zh" if words.language == "zh-CN" else "en"
    levels = " ".join(words(level) for level in line["levels"])
    named = {name: line[name] for name in ("places", "tests", "version")}
    said = words("listed_as", levels=levels, scope=words(f"scope_{rule.scope}"), **named)
    if rule.template:
        said += words("from_template", template=rule.template)
    owner = line["owner"][tongue] if isinstance(line["owner"], dict) else line["owner"]
    due = f"[yellow]{words('past_due')}[/yellow]" if line["review_overdue"] else ""
    out.print(f"[bold]{plain(rule.id)}[/bold]  {plain(getattr(rule.title, tongue))}")
    out.print(f"    {plain(said)}")
    fared = plain(_said(line["fared"], words))
    out.print(f"    {plain(words('owned', owner=owner, review=line['review']))}{due}{fared}")


def today(zone: str) -> datetime.date:
    """Return the day that the site's clock shows."""
    return datetime.datetime.now(ZoneInfo(zone)).date()


def overdue(rule: Rule, day: datetime.date) -> bool:
    """Tell whether the day by which a rule's owner was to look at it again has passed."""
    return datetime.date.fromisoformat(rule.rationale.review) < day


def _fared(site: Site, data: Path | None) -> dict[str, Precision]:
    """Work out how rules fared, by rule; empty where there is no journal."""
    found = configured(data=data)
    try:
        return {one.rule: one for one in precision(cases(Reader(found.journal_url).engine), site.zone)}
    except (JournalMissing, SQLAlchemyError):
        return {}


def _said(fared: Precision | None, words: Words) -> str:
    if fared is None or fared.precision.value is None:
        return ""
    share = fared.precision
    return words("fared", share=share.value, of=share.of, nuisances=fared.counts["nuisance"])


def format_rules(
    site: SiteArgument = Path("examples/district"),
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 when a file would change.")
    ] = False,
    language: LanguageOption = None,
) -> None:
    """Lay the files of rules out the same way: the order of fields, what stands on one line. Comments are kept.

    What a file says never changes; one that cannot be laid out without that is named and stays. A mapping between whose
    fields comments stand on lines of their own keeps its order.

    foreshock rules format my-site --check
    """
    words = at_site_folder(site, language)
    folder = site / "rules" if (site / "rules").is_dir() else site
    files = sorted(folder.rglob("*.yaml")) if folder.is_dir() else [folder]
    changed, refused = [], 0
    for file in files:
        try:
            before = file.read_text(encoding="utf-8")
            after = laid_out(before, str(file))
            if after != before:
                changed.append(file)
                if not check:
                    replace(file, after.encode())
        except (OSError, UnicodeDecodeError) as error:
            wrong(f"{file}: {error}")
            refused += 1
        except DocumentError as error:
            name_problems(error.problems, words)
            refused += 1
    for file in changed:
        out.print(f"  {plain(words('would_change' if check else 'laid_out', file=file))}")
    if refused:
        fail(words("stay", count=refused, files=len(files)))
    if check and changed:
        fail(words("not_laid_out", count=len(changed), files=len(files), site=site))
    done(words("all_laid_out", files=len(files)))


def export_rules(
    file: Annotated[Path, typer.Argument(help="The .json or .yaml file to write.")],
    site: Annotated[Path, typer.Option("--site", help="Folder of the site.")] = Path("examples/district"),
    rule: RuleOption = "*",
    language: LanguageOption = None,
) -> None:
    """Write a site's rules as one file, which `foreshock rules import` takes into another site.

    Rules made from a template are written out. What is as it is by default is left out.

    foreshock rules export gas.yaml --site my-site --rule 'gas-*'
    """
    words = at_site_folder(site, language)
    found = chosen(site, rule, language)[1]
    try:
        write(file, [msgspec.structs.replace(one, template="") for one in found])
    except ValueError as error:
        fail(sentence(error, words))
    except OSError as error:
        fail(words("cannot_write", file=file, error=error.strerror or error))
    done(words("exported", count=len(found), file=file))


def import_rules(
    file: Annotated[Path, typer.Argument(help="The .json or .yaml file of rules.")],
    site: Annotated[Path, typer.Option("--site", help="Folder of the site.")],
    target: Annotated[
        str, typer.Option("--out", help="File of the site to write.", show_default="imported.yaml of the rules")
    ] = IMPORTED,
    replace_: Annotated[bool, typer.Option("--replace", help="Write over that file if it exists.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be taken.")] = False,
    language: LanguageOption = None,
) -> None:
    """Take rules from one file into a site, in a file of their own.

    They are checked together with the rules that the site has, their own tests included: if anything is wrong, such as
    an id that the site has already, everything is named and nothing is written.

    foreshock rules import gas.yaml --site my-site --dry-run
    """
    words, place = at_site_folder(site, language), site / target
    rules_folder = (site / "rules").resolve()
    if not place.resolve().is_relative_to(rules_folder) or place.suffix != ".yaml":
        fail(words("outside", file=target))
    if place.exists() and not replace_:
        fail(words("exists", file=place))
    try:
        known = load_site(site)
        others = [one for one in sorted(rules_folder.rglob("*.yaml")) if one.resolve() != place.resolve()]
        taken = load_rules(file, known)
        load_rules([*others, file], known)  # by what was given: so mistakes have the file and lines that somebody knows
        with tempfile.TemporaryDirectory() as made:
            copy = Path(made) / f"{file.stem}.yaml"
            write(copy, taken)
            if not dry_run:
                place.parent.mkdir(parents=True, exist_ok=True)
                replace(place, copy.read_bytes())
    except DocumentError as error:
        name_problems(error.problems, words)
        fail(words("not_written", count=len(error.problems)))
    except OSError as error:
        fail(words("cannot_write", file=site, error=error.strerror or error))
    done(words("would_import" if dry_run else "imported", count=len(taken), file=place))


def _print(answer: object) -> None:
    print(msgspec.json.encode(answer).decode())
