"""Load rules from files: every mistake at once, each with its file, line, field and, in conditions, its column."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rules.clauses import DAYS, corroborates, quantity_of, samples_of, scheduled
from rules.compiler import CompileError, misfits
from rules.contradiction import Contradictions
from rules.doubts import Doubts
from rules.expression import MAX_LENGTH, MAX_WINDOW, MOMENT, ExpressionError, parse
from rules.nonsense import lookback, nonsense
from rules.rule import Level, Rule, RuleFile, Schedule, encode_rules
from rules.templates import make
from rules.vectors import Bench, VectorError
from sensors.document import Document, DocumentError, Problem, convert, read_document, suggest
from sensors.document import Path as FieldPath
from sensors.duration import seconds
from sensors.garbage import collector_resting
from sensors.site import LEVELS, Site, Text

MAX_FILES = 2000
MAX_RULES = 100_000
MAX_VERSION = 999_999_999
MAX_RULE_BYTES = 256 * 1024
MAX_PLAN = 100
MAX_TESTS = 200
MAX_CORROBORATED = 20
MAX_RINGS = 100
LONGEST_TITLE = 400
ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}\Z")
"""What a rule may be called."""


_CALLED = {"types": "area type", "areas": "area", "without_areas": "area", "quantity": "quantity of this site"}

Mistake = tuple[FieldPath, str]


def load(
    paths: Sequence[Path],
    site: Site,
    base: Path | None = None,
    kept: float = math.inf,
    doubts: list[Problem] | None = None,
) -> tuple[Rule, ...]:
    """Load, check against the site, run the rules' tests. Raise `DocumentError` with every problem found.

    To `doubts` is added what is no mistake, but hardly meant.
    """
    with collector_resting():
        return _load(paths, site, base, kept, doubts)


def _load(
    paths: Sequence[Path], site: Site, base: Path | None, kept: float, doubts: list[Problem] | None
) -> tuple[Rule, ...]:
    problems: list[Problem] = []
    loaded: list[tuple[Rule, Document, FieldPath]] = []
    for one in _read(paths, site, base, problems):
        loaded.append(one)
        if len(loaded) > MAX_RULES:  # asked here, as 2000 files may have templates of 10 000 rules each
            raise DocumentError([*problems, Problem(str(paths[0]), 0, "", f"more than {MAX_RULES:,} rules")])
    first: dict[str, Problem] = {}
    known = _Known(site, kept)
    sound: list[tuple[Rule, Document, FieldPath]] = []
    for rule, document, path in loaded:
        mistakes = list(known.mistakes(rule))
        if rule.id in first:
            other = first[rule.id]
            mistakes.append((("id",), f"'{rule.id}' is already the rule at {other.file}:{other.line}"))
        first.setdefault(rule.id, document.problem((*path, "id"), ""))
        problems += [document.problem(path + where, _of(rule) + message) for where, message in mistakes]
        if not mistakes:
            sound.append((rule, document, path))
    places = {rule.id: (document, path) for rule, document, path in sound}
    rules = {rule.id: rule for rule, _, _ in sound}
    errors = misfits([rule for rule, _, _ in sound], site, site.points)
    for misfit in errors:
        document, path = places[misfit.rule]
        where, message = _misfit(rules[misfit.rule], misfit)
        problems.append(document.problem(path + where, _of(rules[misfit.rule]) + message))
    broken = {error.rule for error in errors}
    bench = Bench(site)
    tested = [one for one in sound if one[0].id not in broken]
    shut = Contradictions(site, bench)
    for rule, document, path in tested:
        problems += [document.problem(path + where, _of(rule) + said) for where, said in shut.of(rule)]
    if doubts is not None:
        asked = Doubts(site, (rule for rule, _, _ in loaded))
        found_of = (
            document.problem(path + where, said)
            for rule, document, path in tested
            for where, said in (*asked.of(rule), *shut.hidden(rule))
        )
        doubts += sorted(set(found_of))
    results = bench.run_many([(rule, rule.tests) for rule, _, _ in tested])
    for (rule, document, path), result in zip(tested, results, strict=True):
        problems += [document.problem(path + where, _of(rule) + said) for where, said in _differing(rule, result)]
    if problems:
        raise DocumentError(sorted(set(problems), key=_place))
    return tuple(rule for rule, _, _ in loaded)


def _read(
    paths: Sequence[Path], site: Site, base: Path | None, problems: list[Problem]
) -> Iterator[tuple[Rule, Document, FieldPath]]:
    """Read rules, and make those of templates, one after the other; mistakes are added to `problems`."""
    for file in _files(paths, problems):
        try:
            inside = base is not None and file.is_relative_to(base)
            document = read_document(file, name=str(file.relative_to(base)) if base and inside else None)
            found = convert(document, RuleFile)
        except DocumentError as error:
            problems += error.problems
            continue
        yield from ((rule, document, ("rules", place)) for place, rule in enumerate(found.rules))
        for place, template in enumerate(found.templates):
            for rule, mistakes in make(template, site):
                problems += [document.problem(("templates", place, *where), said) for where, said in mistakes]
                if rule is not None:
                    yield rule, document, ("templates", place, "rule")


def _place(problem: Problem) -> tuple[str, int]:
    return problem.file, problem.line


def _misfit(rule: Rule, misfit: CompileError) -> Mistake:
    """Say where what does not fit stands in the rule: a condition, or a clause that is joined to it."""
    if misfit.part == "deadband":
        rank = LEVELS.index(misfit.level) + 1
        return _said_at(rule, dict(rule.ranked())[rank], rank, misfit.part), misfit.message
    if misfit.part == "with":
        return ("with", 0) if len(rule.corroborated) == 1 else ("with",), misfit.message
    if misfit.part == "schedule":
        return ("schedule",), misfit.message
    return ("levels", misfit.level, misfit.part), f"column {misfit.column}: {misfit.message}"


def _of(rule: Rule) -> str:
    """Name the rule that a template made; one that stands there itself needs no name."""
    return f"{rule.id}: " if rule.template else ""


def _files(paths: Sequence[Path], problems: list[Problem]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(file for file in path.rglob("*.yaml") if not file.name.startswith("."))
        else:
            files.append(path)
    if len(files) > MAX_FILES:
        problems.append(Problem(str(paths[0]), 0, "", f"more than {MAX_FILES} files of rules"))
    return files[:MAX_FILES]


class _Known:
    """What a site has, for checking what a rule speaks of. `kept` is for how many seconds its log is."""

    def __init__(self, site: Site, kept: float) -> None:
        self.kept = kept
        self.types = {kind.id for kind in site.area_types}
        self.areas = {area.id for area in site.areas}
        self.quantities = {point.quantity for point in site.points}
        self.modes = {mode.id for mode in site.modes}

    def mistakes(self, rule: Rule) -> Iterator[Mistake]:
        """Find what is wrong with a rule apart from its conditions and its tests."""
        if not ID.match(rule.id):
            yield ("id",), f"'{rule.id[:80]}' is no id: small letters, digits, '-', '_', '.', at most 64"
        if rule.template and not rule.id.startswith(f"{rule.template}."):
            yield ("template",), "is said by the template that makes a rule: leave it out"
        if not 1 <= rule.version <= MAX_VERSION:
            yield ("version",), f"versions count from 1, to {MAX_VERSION} at most"
        if not rule.ranked():
            yield ("levels",), "a rule has at least one level: blue, yellow, orange, red"
        yield from self._where(rule)
        for name in ("hold", "clear_after"):
            yield from _duration(("for" if name == "hold" else name,), getattr(rule, name))
        for name in ("blue", "yellow", "orange", "red"):
            level = getattr(rule.levels, name)
            if level is not None:
                yield from _duration(("levels", name, "for"), level.hold)
                yield from _duration(("levels", name, "clear_after"), level.clear_after)
        yield from _clauses(rule)
        yield from _nonsense(rule, self.kept)
        yield from _size(rule)
        yield from self._suppress(rule)
        yield from _flapping(rule)
        why = rule.rationale
        for name in ("cause", "consequence", "response", "owner"):
            text = getattr(why, name)
            if not (text.zh.strip() and text.en.strip() if isinstance(text, Text) else text.strip()):
                yield ("rationale", name), "is empty: say it, or the rule cannot be judged"
        yield from _duration(("rationale", "time_to_respond"), why.time_to_respond)
        try:
            datetime.date.fromisoformat(why.review)
        except ValueError:
            yield ("rationale", "review"), f"'{why.review[:40]}' is no date; write 2027-06-30"

    def _suppress(self, rule: Rule) -> Iterator[Mistake]:
        if rule.suppress is None:
            return
        if not rule.suppress.modes:
            yield ("suppress", "modes"), "names no mode of the site"
        for place, name in enumerate(rule.suppress.modes):
            if name not in self.modes:
                known = f"{suggest(name, self.modes)}: {', '.join(sorted(self.modes)) or 'it has none'}"
                yield ("suppress", "modes", place), f"'{name[:40]}' is no mode of this site{known}"

    def _where(self, rule: Rule) -> Iterator[Mistake]:
        where = rule.where
        for field, names, known in (
            ("types", where.types, self.types),
            ("areas", where.areas, self.areas),
            ("without_areas", where.without_areas, self.areas),
            ("quantity", where.quantities, self.quantities),
        ):
            for place, name in enumerate(names):
                if name not in known:
                    step = (field,) if isinstance(where.quantity, str) and field == "quantity" else (field, place)
                    what = _CALLED[field]
                    yield ("where", *step), f"'{name}' is no {what}{suggest(name, known)}"
        for field, patterns in (("points", where.points), ("cameras", where.cameras)):
            for place, pattern in enumerate(patterns):
                if len(pattern) > 128 or pattern.count("*") > 4 or "[" in pattern:
                    yield ("where", field, place), "a pattern is at most 128 long, with at most four * and no ["
        if rule.scope == "area" and (where.quantity or where.points):
            yield ("where",), "a rule on areas chooses by types, areas and tags; name the quantity in area.max(…)"
        if rule.scope == "camera" and (where.quantity or where.points):
            yield ("where",), "a rule on cameras chooses by cameras, types, areas and tags"
        if rule.scope != "camera" and where.cameras:
            yield ("where", "cameras"), "only a rule with scope: camera chooses by cameras"


def _nonsense(rule: Rule, kept: float) -> Iterator[Mistake]:
    """Find conditions that cannot mean what they say, or look back too far; what is no condition the compiler tells."""
    for rank, level in rule.ranked():
        for part, text in (("when", level.when), ("clear", level.clear)):
            if text is None:
                continue
            try:
                node = parse(text)
            except ExpressionError:
                continue
            for found in (nonsense(node), lookback(node, kept)):
                if found is not None:
                    yield ("levels", LEVELS[rank - 1], part), f"column {found.column}: {found.message}"
    for place, one in enumerate(rule.corroborated):
        try:
            found = lookback(parse(corroborates(one, rule)), kept)
        except ValueError:  # which is told as a mistake of its own
            continue
        if found is not None:
            yield ("with", place, "within"), found.message


def _size(rule: Rule) -> Iterator[Mistake]:
    """Find what nobody can read: alarms carry a rule's texts, and every process holds them."""
    for language in ("zh", "en"):
        if len(getattr(rule.title, language)) > LONGEST_TITLE:
            yield ("title", language), f"is longer than {LONGEST_TITLE} characters"
    if len(rule.plan) > MAX_PLAN:
        yield ("plan",), f"has more than {MAX_PLAN} steps"
    if len(rule.corroborated) > MAX_CORROBORATED:
        yield ("with",), f"names more than {MAX_CORROBORATED}"
    if len(rule.tests) > MAX_TESTS:
        yield ("tests",), f"has more than {MAX_TESTS} tests"
    try:
        size = len(encode_rules((rule,)))
    except OverflowError:  # a number that is told of under its own field
        return
    conditions = [text for _, level in rule.ranked() for text in (level.when, level.clear) if text is not None]
    if size > MAX_RULE_BYTES and max(map(len, conditions), default=0) <= MAX_LENGTH:  # else the compiler says which
        yield (), f"the rule is {size:,} bytes long; {MAX_RULE_BYTES:,} are the most"


def _flapping(rule: Rule) -> Iterator[Mistake]:
    found = rule.flapping
    if found is None:
        return
    if not 2 <= found.rings <= MAX_RINGS:
        yield ("flapping", "rings"), f"an alarm chatters from 2 to {MAX_RINGS} rings on"
    yield from _duration(("flapping", "within"), found.within)
    if _seconds(found.within) <= 0:
        yield ("flapping", "within"), "is the time within which it rings so often: write 10 min"


def _clauses(rule: Rule) -> Iterator[Mistake]:
    """Find what is wrong with a rule's samples, deadbands, schedule and corroboration."""
    for rank, level in rule.ranked():
        at = ("levels", LEVELS[rank - 1])
        samples, deadband = rule.samples_of(level), rule.deadband_of(level)
        at_samples, at_deadband = _said_at(rule, level, rank, "samples"), _said_at(rule, level, rank, "deadband")
        try:
            samples_of(samples)
        except ValueError as error:
            yield at_samples, str(error)
        if samples and rule.scope != "point":
            yield at_samples, "only points have readings to count: use `for`"
        if level.deadband is not None and level.clear is not None:
            yield (*at, "deadband"), "a level with its own `clear` needs no deadband: write one of the two"
        if deadband and rule.scope != "point":
            yield at_deadband, "only a rule on points has a deadband"
        if deadband:
            yield from _number(at_deadband, deadband, least=0.0)
        longest = max((_seconds(one.within) for one in rule.corroborated), default=math.inf)
        if longest < _seconds(rule.hold if level.hold is None else level.hold):
            at_hold = _said_at(rule, level, rank, "hold")
            yield at_hold, "is longer than what corroborates it may be ago: it could never be raised"
    if rule.schedule is not None:
        days = rule.schedule.days
        for place, day in enumerate(days):
            if day not in DAYS:
                yield ("schedule", "days", place), f"'{day[:40]}' is no day{suggest(day, DAYS)}: {', '.join(DAYS)}"
        if not (days or rule.schedule.begin or rule.schedule.end):
            yield ("schedule",), "says neither hours (from, to) nor days"
        hours = list(_hours(rule.schedule))
        yield from hours
        if (days or rule.schedule.begin) and not hours and all(day in DAYS for day in days):
            yield from _condition(("schedule",), scheduled(rule.schedule))
    for place, one in enumerate(rule.corroborated):
        path: FieldPath = ("with", place)
        if sum(map(bool, (one.event, one.report, one.quantity))) != 1:
            yield path, "names one of event, report and quantity"
        elif (one.above is None) + (one.below is None) != (1 if one.quantity else 2):
            yield path, "a quantity, and nothing else, is `above` or `below` a number"
        elif not 0 < _seconds(one.within) <= MAX_WINDOW:
            yield (*path, "within"), "is a duration of more than 0 and at most 32 days, such as 10 min"
        else:
            limits = ((field, getattr(one, field)) for field in ("above", "below"))
            wrong = [each for field, limit in limits if limit is not None for each in _number((*path, field), limit)]
            yield from wrong or _condition(path, corroborates(one, rule))


def _said_at(rule: Rule, level: Level, rank: int, name: str) -> FieldPath:
    """Say where a clause of a level stands: with the level, or with the rule where that is its default."""
    field = "for" if name == "hold" else name
    return (field,) if getattr(level, name) is None and getattr(rule, name) else ("levels", LEVELS[rank - 1], field)


def _hours(schedule: Schedule) -> Iterator[Mistake]:
    begin, end = schedule.begin, schedule.end
    if not (begin or end):
        return
    for field, moment in (("from", begin), ("to", end)):
        if not moment:
            yield ("schedule",), f"`{field}` is missing: write from and to, such as 22:00 and 06:00"
        elif not MOMENT.match(moment):
            yield ("schedule", field), f"'{moment[:40]}' is no time of the day: write 06:30, from 00:00 to 24:00"
    if begin == "24:00":
        yield ("schedule", "from"), "24:00 is when a day ends: write 00:00"
    elif begin == end:
        yield ("schedule", "to"), f"is {begin}, as `from` is: that lasts no time; for all day write 00:00 and 24:00"


def _number(path: FieldPath, written: float | str, least: float = -math.inf) -> Iterator[Mistake]:
    try:
        if quantity_of(written).value < least:
            yield path, "is less than 0"
    except ExpressionError:
        yield path, f"'{str(written)[:40]}' is no number with a unit, such as 0.2 m"


def _condition(path: FieldPath, text: str) -> Iterator[Mistake]:
    try:
        parse(text)
    except ExpressionError as error:
        yield path, error.message


def _seconds(duration: float | str) -> float:
    try:
        return seconds(duration)
    except ValueError:
        return 0.0


def _duration(path: FieldPath, duration: float | str | None) -> Iterator[Mistake]:
    if duration is None:
        return
    try:
        if not 0 <= seconds(duration) <= 32 * 86400:
            yield path, "a duration here is at least 0 and at most 32 days"
    except ValueError as error:
        yield path, str(error)


def _differing(rule: Rule, results: list[list[str] | VectorError] | CompileError) -> Iterator[Mistake]:
    if isinstance(results, CompileError):
        yield ("tests",), f"the rule does not fit its tests' points: {results.message}"
        return
    for place, (test, result) in enumerate(zip(rule.tests, results, strict=True)):
        if isinstance(result, VectorError):
            yield ("tests", place, *result.field.split(".")), result.message
            continue
        if result:
            more = f", and differs at {len(result) - 1} more" if len(result) > 1 else ""
            yield ("tests", place, "expect"), f"the rule's test {_called(test.name)} fails: {result[0]}{more}"


def _called(name: Text | str) -> str:
    """Quote the name of a test; in both languages where they differ, so that who reads it is told it in theirs."""
    if isinstance(name, str):
        return f"'{name}'"
    return f"'{name.en}'" if name.zh == name.en else f"'{name.en}' (“{name.zh}”)"
