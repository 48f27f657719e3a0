"""Write the page of a site's rules that an engineer signs: by area type, each limit, whose it is, its tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rules.breaking import name_of, registered
from rules.clauses import corroborates, scheduled
from rules.expression import parse
from rules.rule import Level, Rule, load_rules
from rules.vectors import Bench
from sensors.registry import load_site
from sensors.site import LEVELS, Site, Text

INTRODUCTION = """# The rules of this site

Written from the rules and the registry by `python -m scripts.reference`; a test holds it current. For each kind of
area: what raises a level, where the limit comes from, which limits are **examples that the owner has yet to set**, how
long there is to respond, and the tests that would fail if the limit were another. `foreshock rules test --break` moves
every limit by a quarter and every delay to nothing and to twice as long, and finds a named test that notices each.

Limits called `beyond('red')` are the registry's (`types.yaml`, or the point's own); those of the kind of area stand
under the rule. All areas, points and limits of this folder are illustrative until their owner has signed for them.
"""


def page(folder: Path) -> str:
    """Return the page of a site folder. Raise `DocumentError` when the site is not sound."""
    site = load_site(folder)
    rules = load_rules(folder / "rules", site, folder)
    bench = Bench(site)
    lines = [INTRODUCTION]
    fields = {field.id: field.name for field in site.fields}
    for kind in site.area_types:
        mine = [rule for rule in rules if kind.id in _types(rule, site)]
        areas = sum(area.type == kind.id for area in site.areas)
        lines.append(f"## {kind.name.zh} {kind.name.en}\n")
        field = fields[kind.field]
        lines.append(f"{field.zh} {field.en} · {areas} area{'s' if areas > 1 else ''} · {len(mine)} rules of its own\n")
        for rule in mine:
            lines += _rule(rule, kind.id, bench)
        lines.append("Signed for the limits above (name, office, date): ______________________\n")
    lines.append("## 各类区域通用 Every kind of area\n")
    for rule in rules:
        if not _types(rule, site):
            lines += _rule(rule, "", bench)
    return "\n".join(lines).rstrip("\n") + "\n"


def _types(rule: Rule, site: Site) -> list[str]:
    """List the area types that a rule names, itself or by its areas."""
    kind_of = {area.id: area.type for area in site.areas}
    return list(dict.fromkeys((*rule.where.types, *(kind_of[area] for area in rule.where.areas))))


def _rule(rule: Rule, kind: str, bench: Bench) -> Iterator[str]:
    why = rule.rationale
    yield f"### {rule.title.zh} {rule.title.en} (`{rule.id}`)\n"
    yield "| level | raised when | for | left when | after |"
    yield "|---|---|---|---|---|"
    for rank, level in reversed(rule.ranked()):
        yield "| " + " | ".join(_level(rule, LEVELS[rank - 1], level)) + " |"
    yield ""
    limits = list(_limits(rule, kind, bench))
    if limits:
        yield "- Registry: " + "; ".join(limits)
    yield from _clauses(rule)
    if why.source:
        yield f"- Source: {_both(why.source)}"
    if why.placeholder:
        yield f"- **To be set by the owner:** {_both(why.placeholder)}"
    yield f"- Owner: {_both(why.owner)}; to be looked at again by {why.review}"
    yield f"- Respond within {why.time_to_respond}: {_both(why.response)}"
    if rule.plan:
        yield "- Plan: " + " → ".join(_both(step) for step in rule.plan)
    yield "- Tests: " + "; ".join(name_of(test) for test in rule.tests)
    yield ""


def _clauses(rule: Rule) -> Iterator[str]:
    """Say what besides its conditions decides when a rule rings."""
    if rule.corroborated:
        yield "- Only with " + " or ".join(f"`{corroborates(one, rule)}`" for one in rule.corroborated)
    if rule.schedule is not None:
        yield f"- Only when `{scheduled(rule.schedule)}`"
    if rule.suppress is not None:
        yield f"- Gives way in the mode {', '.join(rule.suppress.modes)}, up to {rule.suppress.up_to}"
    if rule.latch:
        yield "- Stays until a person resets it"


def _level(rule: Rule, name: str, level: Level) -> Sequence[str]:
    clear = f"`{_cell(level.clear)}`" if level.clear is not None else "it no longer holds"
    return (
        name,
        f"`{_cell(level.when)}`",
        f"{rule.hold_of(level):g} s",
        clear,
        f"{rule.clear_after_of(level):g} s",
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _limits(rule: Rule, kind: str, bench: Bench) -> Iterator[str]:
    """Say what the registry's limits are that a rule asks for, of each quantity."""
    asked: dict[str, set[str]] = {}
    for _, level in rule.ranked():
        for text in (level.when, level.clear or level.when):
            for limit, quantity in registered(parse(text), rule.where.quantities):
                asked.setdefault(quantity, set()).add(limit)
    for quantity, names in sorted(asked.items()):
        like = bench.like(quantity, kind)
        known = {} if like is None else like.levels | ({} if like.limit is None else {"limit": like.limit})
        shown = ", ".join(f"{name} {known[name]:g}" for name in (*LEVELS, "limit") if name in names and name in known)
        if like is not None and shown:
            yield f"{quantity} ({like.unit}{', bad below' if like.limit_below else ''}): {shown}"


def _both(text: Text | str) -> str:
    return f"{text.zh} · {text.en}" if isinstance(text, Text) else text
