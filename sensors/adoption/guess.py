"""Guess what a topic measures, in which unit and where, and say how sure the guess is and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sensors import measure
from sensors.adoption.units import choose
from sensors.adoption.watch import Sketch, Span
from sensors.adoption.words import FURTHER, QUANTITIES, UNITS, chinese, tokens
from sensors.site import Area, Text
from sensors.site_files import Template

Sure = Literal["sure", "likely", "guess", "unknown"]

LEAST = 0.4
"""Weight below which a guess is none: a unit that fits and values within range are not enough without a word."""

_NO_UNITS = frozenset(("count", "min", "h", "d", "s", "t", "in", "g", "1"))
"""Ends of names that are units as well, but seldom mean them: `people_count`, `level_min`, `flow_in`."""

_VALUE_NAMES = ("value", "val", "v", "data", "reading", "measurement", "值", "数值", "测值")


@dataclass(slots=True)
class Guess:
    """Say what one field of a topic may be. `scale` and `offset` bring it into the unit of the site's quantity."""

    path: str
    quantity: str | None = None
    sure: Sure = "unknown"
    weight: float = 0.0
    unit: str = ""  # as the source seems to send it; empty where nothing says
    scale: float = 1.0
    offset: float = 0.0
    reasons: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # quantities that came close
    doubts: list[str] = field(default_factory=list)  # what a person should look at before taking it


def best_field(sketch: Sketch, quantities: Mapping[str, Template]) -> tuple[Guess | None, list[Guess]]:
    """Guess every field of a topic and choose the one to take; give it and the others, the likeliest first."""
    guesses = [quantity_of(sketch, path, span, quantities) for path, span in sketch.numbers.items()]
    guesses.sort(key=lambda one: (-one.weight, one.path.rpartition(".")[2].lower() not in _VALUE_NAMES, one.path))
    return (guesses[0], guesses[1:]) if guesses else (None, [])


def quantity_of(sketch: Sketch, path: str, span: Span, quantities: Mapping[str, Template]) -> Guess:
    """Weigh the site's quantities, and what sources send beside them, by words, unit and values."""
    said, surely = unit_of(sketch, path)
    near = tokens(path), chinese(path)
    far = tokens(sketch.topic), chinese(sketch.topic)
    weighed: list[_Weighed] = []
    met: set[str] = set()
    for name, template in quantities.items():
        known = _known(name, template)
        met |= known
        weighed.append(_weigh(name, template, _words(known, near, far), said if surely else "", span))
        if said and not surely and _same(said, _unit(template)):  # a letter that may be a unit, and is one of this
            weighed[-1] = _weigh(name, template, _words(known, near, far), said, span)
    for name, (unit, words) in FURTHER.items():
        if met.isdisjoint((name, *words)):
            weight, reasons = _words({name, *words}, near, far)
            fits = 0.25 if weight and said and unit and _same(said, unit) else 0.0
            weighed.append(_Weighed(weight and weight + fits + 0.1, name, reasons, said or unit))
    weighed.sort(key=lambda one: (-one.weight, one.name))
    guess = Guess(path, unit=said if surely else "")
    best = weighed[0] if weighed else None
    named = [one for one in weighed if one.by_word and one.name in quantities]
    if best is None or best.weight < LEAST:
        others = [one for one in weighed if one.weight > 0.1 and one not in named]
        guess.others = [one.name for one in [*named, *others][:3]]
        if named and said and not _same(said, _unit(quantities[named[0].name])):
            unit = _unit(quantities[named[0].name])
            guess.doubts = [f"it sends {said}, which cannot become the {unit} of {named[0].name}"]
        return guess
    if best.name not in quantities:
        unit = f" in {best.unit}" if best.unit else ""
        guess.others = [one.name for one in named[:2] if one.weight >= LEAST]
        guess.doubts = [f"it seems to be {best.name}{unit}, for which types.yaml has no quantity"]
        return guess
    guess.quantity, guess.weight, guess.reasons = best.name, best.weight, best.reasons
    rivals = [one for one in weighed[1:] if one.weight >= LEAST]
    guess.others = [one.name for one in rivals[:3] if one.name in quantities]
    guess.unit, guess.doubts = best.unit, list(best.doubts)
    apart = best.weight - (weighed[1].weight if len(weighed) > 1 else 0.0)
    guess.sure = _sure(best, apart)
    if "smoke" in _known(best.name, quantities[best.name]) and span.low in (0.0, 1.0) and span.high in (0.0, 1.0):
        guess.doubts.append("only 0 and 1 were seen: is it a contact rather than a measured value?")
    if guess.doubts:
        guess.sure = "guess"
    guess.scale, guess.offset = _conversion(best.unit, _unit(quantities[best.name]))
    return guess


@dataclass(slots=True)
class _Weighed:
    """How well one quantity goes with a field."""

    weight: float
    name: str
    reasons: list[str]
    unit: str = ""  # in which it seems to be sent
    by_word: bool = False
    doubts: tuple[str, ...] = ()


def _weigh(name: str, template: Template, words: tuple[float, list[str]], said: str, span: Span) -> _Weighed:
    weight, reasons = words
    made = _Weighed(weight, name, reasons, said, bool(weight))
    unit = _unit(template)
    if said and unit:
        fits = _same(said, unit)
        made.weight += 0.25 if fits else -0.5
        reasons.append(f"its unit {said} {'fits' if fits else 'does not fit'}")
    if isinstance(template.range, tuple) and made.weight > 0:
        low, high = template.range
        if said:
            scale, offset = _conversion(said, unit)
            ends = sorted((span.low * scale + offset, span.high * scale + offset))
            inside = low <= ends[0] and ends[1] <= high
        else:
            made.unit, inside, made.doubts = choose(span, template)
        made.weight += 0.1 if inside else -0.3
        as_sent = f" {made.unit}" if made.unit else ""
        verb = "lie within" if inside else "leave"
        reasons.append(f"{span.low:g} to {span.high:g}{as_sent} {verb} its range {low:g} to {high:g}")
    return made


def _sure(best: _Weighed, apart: float) -> Sure:
    if best.weight >= 0.8 and apart >= 0.2:
        return "sure"
    return "likely" if best.weight >= 0.6 and apart >= 0.1 else "guess"


def _unit(template: Template) -> str:
    return template.unit if isinstance(template.unit, str) else ""


def unit_of(sketch: Sketch, path: str) -> tuple[str, bool]:
    """Find the unit that the payload, the field's name or the topic's last level says; empty when none does.

    The second is false for a single letter at the end of a name, which may as well number a device.
    """
    parent = path.rpartition(".")[0]
    written = sketch.units.get(parent) or sketch.units.get("")
    if written:
        return known_unit(written), True
    for text in (path.rpartition(".")[2], sketch.topic.rpartition("/")[2]):
        parts = text.replace("(", "_").replace(")", "").replace("（", "_").replace("）", "").split("_")
        if len(parts) > 1 and parts[-1].lower() not in _NO_UNITS and (found := known_unit(parts[-1])):
            return found, len(parts[-1]) > 1
    return "", True


def known_unit(text: str) -> str:
    """Write a unit as a site does; empty when it is none that is known."""
    text = text.strip()[:24]
    if text in measure.SITE_UNITS:
        return text
    return UNITS.get(text.lower(), "")


def area_of(topic: str, areas: tuple[Area, ...]) -> tuple[str | None, Sure, str]:
    """Guess the area that a topic belongs to: by its id, by its name in Chinese, by words of its name in English."""
    levels = topic.lower().split("/")
    bare = {_bare(level): level for level in levels}
    words, runs = set(tokens(topic)), chinese(topic)
    found: tuple[float, str, str] = (0.0, "", "")
    for area in areas:
        if area.id in levels:
            weight, why = 1.0, f"the topic names {area.id}"
        elif _bare(area.id) in bare:
            weight, why = 0.9, f"the topic names {bare[_bare(area.id)]}"
        elif area.id in topic.lower():
            weight, why = 0.8 + len(area.id) / 1000, f"{area.id} stands in the topic"
        elif _names(area.name.zh, runs):
            weight, why = 0.7, f"the topic says {area.name.zh}"
        else:
            shared = words & {one for one in tokens(area.name.en) if len(one) > 3}
            weight, why = min(0.5, 0.2 * len(shared)), f"words in common: {', '.join(sorted(shared))}"
        if weight > found[0]:
            found = (weight, area.id, why)
    if found[0] < 0.4:
        return None, "unknown", "no area's id or name stands in the topic"
    return found[1], "sure" if found[0] >= 0.9 else "likely" if found[0] >= 0.7 else "guess", found[2]


def _known(name: str, template: Template) -> set[str]:
    """List the words for a quantity of a site: its own names, and those of what they mean."""
    known = {name, name.replace("_", "")}
    if isinstance(template.name, Text):
        known |= {template.name.zh, template.name.en.lower().replace(" ", "")}
    for usual, words in (*QUANTITIES.items(), *((name, words) for name, (_, words) in FURTHER.items())):
        if not known.isdisjoint((usual, *words)):
            return known | {usual, *words}
    return known


def _words(
    known: set[str], near: tuple[list[str], list[str]], far: tuple[list[str], list[str]]
) -> tuple[float, list[str]]:
    """Weigh words: those of the field more than those of the topic, and compounds and later ones a little more."""
    for where, (words, runs), weight in (("field", near, 0.65), ("topic", far, 0.55)):
        met = [place for place, one in enumerate(words) if one in known]
        if met:
            word = words[met[-1]]
            made_up = any(one != word and len(one) > 1 and word.endswith(one) for one in words)
            return weight + 0.03 * (met[-1] + 1) / len(words) + 0.1 * made_up, [f"the {where} says {word}"]
        run = max((one for run in runs for one in known if len(one) > 1 and one in run), key=len, default=None)
        if run is not None:
            return weight + len(run) / 100, [f"the {where} says {run}"]
    return 0.0, []


def _names(name: str, runs: list[str]) -> bool:
    """Tell whether Chinese text of a topic names a place, or a good part of its name."""
    return any(len(run) > 2 and (run in name or (len(name) > 2 and name in run)) for run in runs)


def _same(one: str, other: str) -> bool:
    """Tell whether what is sent in one unit can be had in another."""
    try:
        measure.linear(one, other)
    except measure.UnitError:
        return False
    return True


def _conversion(source: str, target: str) -> tuple[float, float]:
    """Give scale and offset from one unit to another; those of no change where there is no line between them."""
    try:
        return measure.linear(source, target) if source and target else (1.0, 0.0)
    except measure.UnitError:
        return 1.0, 0.0


def _bare(text: str) -> str:
    return "".join(one for one in text if one.isalnum())
