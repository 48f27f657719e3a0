"""Drafts of rules: read as a site's rules are, checked with their own tests, laid among those in force, published."""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from rules.changes import changes, unraised
from rules.expression import NAMES
from rules.rule import Rule, RuleFile, encode_rules, load_rules
from sensors.document import Document, DocumentError, Problem, convert, parse_document
from sensors.site import Site, Text
from streams import bundle, publication, reload, rule_source, settings, shelf
from streams.bundle import Bundle, BundleError
from streams.durable import replace
from streams.reload import ReloadError

FILE = "draft.yaml"
MOST_PROBLEMS = 200
MOST_HISTORY = 20
WORDINGS = "wordings"
"""Where rules are kept as somebody wrote them: a way back brings their comments and their layout along."""

MOST_WORDINGS = 500
_SEEN = re.compile(r"(?:seen|count|surge)\('([a-z][a-z0-9-]*)'")


class MovedError(ReloadError):
    """Raised when a draft was begun from another version of its rule than the one in force."""

    moved = True


def read(text: str, site: Site) -> tuple[Rule, ...]:
    """Read rules from YAML text and run their tests, held against what a folder's are. Raise `DocumentError`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / FILE
        file.write_text(text, encoding="utf-8", errors="replace")
        return load_rules(file, site, Path(folder), kept=settings.load().kept)


def laid_among(rules: Iterable[Rule], drafted: Sequence[Rule]) -> tuple[Rule, ...]:
    """Give rules with drafted ones in the place of those of the same id; new ones come last."""
    fresh = {rule.id: rule for rule in drafted}
    kept = [fresh.pop(rule.id, rule) for rule in rules]
    return (*kept, *fresh.values())


def base_of(rule: Rule | None) -> str:
    """Name a rule by its content (12 hexadecimal digits), so that a draft knows what it was begun from; "" of none."""
    return "" if rule is None else hashlib.blake2b(encode_rules((rule,)), digest_size=6).hexdigest()


def check(text: str, content: Bundle) -> dict[str, Any]:
    """Say what is wrong with a draft, how each of its own tests went, and what it changes of the rules in force.

    A test's `state` is passed, failed, or not_run where the rule has other mistakes first.
    """
    problems: list[Problem] = []
    rules: tuple[Rule, ...] = ()
    try:
        rules = read(text, content.site)
    except DocumentError as error:
        problems = error.problems
    return {
        "problems": [_placed(one) for one in problems[:MOST_PROBLEMS]],
        "more": max(len(problems) - MOST_PROBLEMS, 0),
        "tests": _tests(text, problems),
        "rules": _differing(rules, content.rules),
    }


def _placed(problem: Problem) -> dict[str, Any]:
    """Give a problem; one of the whole text, which is of no line, at the first: an editor shows it somewhere."""
    return {**msgspec.to_builtins(problem), "line": max(problem.line, 1)}


def _differing(drafted: Sequence[Rule], present: Sequence[Rule]) -> list[dict[str, Any]]:
    """Say of each drafted rule how it differs from the one in force, and whether its version should be raised."""
    known = {rule.id: rule for rule in present}
    found = []
    for rule in drafted:
        before = known.get(rule.id)
        differs = changes([before] if before else [], [_plain(rule)])
        found.append(
            {
                "id": rule.id,
                "how": differs[0].how if differs else "same",
                "fields": [list(one) for one in differs[0].fields] if differs else [],
                "version": rule.version,
                "raise_version": before is not None and unraised(before, rule),
            }
        )
    return found


def _plain(rule: Rule) -> Rule:
    """Give a rule without the template that it was made from: a draft stands for itself."""
    return msgspec.structs.replace(rule, template="")


def _tests(text: str, problems: Sequence[Problem]) -> list[dict[str, Any]]:
    try:
        document = parse_document(text, FILE)
        file = convert(document, RuleFile)
    except DocumentError:
        return []
    found = []
    for place, rule in enumerate(file.rules):
        mine = [one for one in problems if one.field.startswith(f"rules[{place}]")]
        first = [one for one in mine if not one.field.startswith(f"rules[{place}].tests[")]
        for number, test in enumerate(rule.tests):
            at = f"rules[{place}].tests[{number}]"
            said = [one.message for one in mine if one.field.startswith(f"{at}.") or one.field == at]
            name = {"zh": test.name, "en": test.name} if isinstance(test.name, str) else _both(test.name)
            state = "failed" if said else "not_run" if first else "passed"
            found.append(
                {
                    "rule": rule.id,
                    "name": name,
                    "line": _line(document, place, number),
                    "state": state,
                    "said": " ".join(said),
                }
            )
    return found


def _both(name: Text) -> dict[str, str]:
    return {"zh": name.zh, "en": name.en}


def _line(document: Document, rule: int, test: int) -> int:
    return document.line(("rules", rule, "tests", test))


def opened(folder: Path, data: Path, id: str) -> dict[str, Any] | None:
    """Give a rule that is in force as text, as the site folder has it where it is the same there; None without one."""
    rule = _rule(bundle.unpack(publication.read(data)), id)
    if rule is None:
        return None
    source = rule_source.find(folder, rule)
    text = source.text if source is not None else _wording(data, rule)
    return {
        "id": id,
        "text": text,
        "base": base_of(rule),
        "in_folder": source is not None,
        "template": _made_from(folder, id),
    }


def only(text: str, id: str, site: Site) -> Rule:
    """Read the one rule of a draft. Raise `DocumentError` with its mistakes, or when it holds another or more."""
    rules = read(text, site)
    if [rule.id for rule in rules] != [id]:
        held = ", ".join(rule.id for rule in rules[:5]) or "nothing"
        raise DocumentError([Problem(FILE, 1, "rules", f"the draft of {id} holds that rule alone; this holds {held}")])
    return _plain(rules[0])


def publish(folder: Path, data: Path, id: str, text: str, base: str, author: str, reason: str) -> dict[str, Any]:
    """Put one drafted rule in force, or propose it where that takes two persons; the other rules stay as they are.

    Where the site folder said the rule as it was, it says the draft afterwards (`folder`: written), so that the next
    start and the next publication of the folder keep it; `template` is where the folder has the template that makes it,
    which would take the draft back. Raise `DocumentError`, `MovedError` or `ReloadError`.
    """
    current = bundle.unpack(publication.read(data))
    rule, before = only(text, id, current.site), _rule(current, id)
    source = rule_source.find(folder, before) if before is not None else None

    def changed(content: Bundle) -> tuple[Rule, ...]:
        if base_of(_rule(content, id)) != base:
            raise MovedError(f"another version of {id} is in force than the one that this draft was begun from")
        return laid_among(content.rules, [rule])

    prepared, taken = reload.reload(folder, data, author, reason, rules=changed, processes=())
    waiting = taken is not None and taken.waiting
    if source is not None and before is not None:
        _keep_wording(data, before, source.text)
    _keep_wording(data, rule, text)
    said = "differs"
    if not waiting and before is not None and source is not None:
        try:
            said = "written" if rule_source.write(source, before, rule, text) else "differs"
        except OSError:
            said = "differs"
    return {
        "version": prepared.version,
        "before": prepared.before,
        "changed": prepared.version != prepared.before,
        "waiting": waiting,
        "folder": said if prepared.version != prepared.before else "written" if source else "differs",
        "base": base_of(before if waiting else rule),
        "template": _made_from(folder, id),
    }


def _made_from(folder: Path, id: str) -> dict[str, Any] | None:
    found = rule_source.made_from(folder, id)
    return None if found is None else found._asdict()


def _keep_wording(data: Path, rule: Rule, text: str) -> None:
    """Keep how somebody wrote a rule; the oldest go. What cannot be kept is written out anew."""
    folder = data / WORDINGS
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        replace(folder / f"{base_of(_plain(rule))}.yaml", text.encode())
        kept = sorted(folder.glob("*.yaml"), key=lambda file: file.stat().st_mtime)
        for old in kept[:-MOST_WORDINGS]:
            old.unlink(missing_ok=True)


def _wording(data: Path, rule: Rule) -> str:
    """Give a rule as somebody wrote it where that is kept and still says it, else written out."""
    from rules.exchange import as_yaml  # here: few ask, and all would wait for it at the start

    plain = _plain(rule)
    with contextlib.suppress(OSError, DocumentError):
        text = (data / WORDINGS / f"{base_of(plain)}.yaml").read_text(encoding="utf-8")
        if convert(parse_document(text, FILE), RuleFile).rules == (plain,):
            return text
    return as_yaml([plain])


def history(data: Path, id: str) -> list[dict[str, Any]]:
    """List the publications that changed a rule, the latest first: who, when, why, which fields, and its text then."""
    kept = shelf.listed(data)
    present = shelf.latest(kept, publication.version(data))
    found: list[dict[str, Any]] = []
    contents: dict[str, Rule | None] = {}
    for one in kept:
        if one.version not in contents:
            contents[one.version] = _kept(data, one.version, id)
    for place, one in enumerate(kept):
        mine = contents[one.version]
        first = place + 1 == len(kept)
        before = None if first else contents[kept[place + 1].version]
        if mine is None or (mine == before and not first):
            continue
        differs = changes([before] if before else [], [mine])
        found.append(
            {
                "version": one.version,
                "time": one.time,
                "author": one.author,
                "reason": one.reason,
                "in_force": False,
                "fields": [] if first else [list(field) for change in differs for field in change.fields],
                "text": _wording(data, mine),
                "base": base_of(mine),
            }
        )
        if len(found) == MOST_HISTORY:
            break
    now = None if present is None else base_of(contents.get(present.version))
    for entry in found:
        if entry["base"] == now:
            entry["in_force"] = True
            break
    return found


def words(content: Bundle) -> dict[str, list[str]]:
    """List what a site's rules may name, by kind, beside what a page knows of the site: for completion."""
    site, rules = content.site, content.rules
    seen = {match for rule in rules for _, level in rule.ranked() for match in _SEEN.findall(level.when)}
    return {
        "names": list(NAMES),
        "quantities": sorted({point.quantity for point in site.points} | {one.id for one in site.quantities}),
        "tags": sorted({tag for point in site.points for tag in point.tags}),
        "modes": [mode.id for mode in site.modes],
        "events": sorted(seen),
        "reports": [one.category for one in site.reports],
        "plans": [plan.id for plan in site.plans],
        "templates": sorted({rule.template for rule in rules if rule.template}),
        "rules": sorted(rule.id for rule in rules),
    }


def _kept(data: Path, version: str, id: str) -> Rule | None:
    packed = shelf.take(data, version)
    try:
        return None if packed is None else _rule(bundle.unpack(packed), id)
    except BundleError:
        return None


def _rule(content: Bundle, id: str) -> Rule | None:
    return next((rule for rule in content.rules if rule.id == id), None)
