"""Guess what a topic measures, in which unit and where, and say how sure the guess is and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sensors import measure
from sensors.adoption.watch import Sketch, Span
from sensors.adoption.words import QUANTITIES, UNITS, chinese, tokens
from sensors.site import Area, Text
from sensors.site_files import Template

Sure = Literal["sure", "likely", "guess", "unknown"]

LEAST = 0.4
"""Weight below which a guess is none: a unit that fits and values within range are not enough without a word."""

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


def best_field(sketch: Sketch, quantities: Mapping[str, Template]) -> tuple[Guess | None, list[Guess]]:
    """Guess every field of a topic and choose the one to take; give it and the others, the likeliest first."""
    guesses = [quantity_of(sketch, path, span, quantities) for path, span in sketch.numbers.items()]
    guesses.sort(key=lambda one: (-one.weight, one.path.rpartition(".")[2].lower() not in _VALUE_NAMES, one.path))
    return (guesses[0], guesses[1:]) if guesses else (None, [])


def quantity_of(sketch: Sketch, path: str, span: Span, quantities: Mapping[str, Template]) -> Guess:
    """Weigh the site's quantities by words, unit and values."""
    said = unit_of(sketch, path)
    near = tokens(path), chinese(path)
    far = tokens(sketch.topic), chinese(sketch.topic)
    weighed = []
    for name, template in quantities.items():
        weight, reasons = _words(name, template, near, far)
        unit = template.unit if isinstance(template.unit, str) else ""
        if said and unit:
            fits = _same(said, unit)
            weight += 0.25 if fits else -0.5
            reasons.append(f"its unit {said} {'fits' if fits else 'does not fit'}")
        if isinstance(template.range, tuple) and weight > 0:
            scale, offset = _conversion(said, unit)
            low, high = template.range
            ends = sorted((span.low * scale + offset, span.high * scale + offset))
            inside = low <= ends[0] and ends[1] <= high
            weight += 0.1 if inside else -0.3
            reasons.append(
                f"{span.low:g} to {span.high:g} {'lie within' if inside else 'leave'} its range {low:g} to {high:g}"
            )
        weighed.append((weight, name, reasons))
    weighed.sort(key=lambda one: (-one[0], one[1]))
    guess = Guess(path, unit=said)
    if not weighed or weighed[0][0] < LEAST:
        guess.others = [name for weight, name, _ in weighed[:3] if weight > 0.1]
        return guess
    weight, name, guess.reasons = weighed[0]
    guess.quantity, guess.weight = name, weight
    guess.others = [other for less, other, _ in weighed[1:4] if less >= LEAST]
    apart = weight - (weighed[1][0] if len(weighed) > 1 else 0.0)
    guess.sure = "sure" if weight >= 0.8 and apart >= 0.2 else "likely" if weight >= 0.6 and apart >= 0.1 else "guess"
    wanted = quantities[name].unit
    guess.scale, guess.offset = _conversion(said, wanted if isinstance(wanted, str) else "")
    return guess


def unit_of(sketch: Sketch, path: str) -> str:
    """Find the unit that the payload, the field's name or the topic's last level says; empty when none does."""
    parent = path.rpartition(".")[0]
    written = sketch.units.get(parent) or sketch.units.get("")
    if written:
        return known_unit(written)
    for text in (path.rpartition(".")[2], sketch.topic.rpartition("/")[2]):
        parts = text.replace("(", "_").replace(")", "").replace("（", "_").replace("）", "").split("_")
        if len(parts) > 1 and (found := known_unit(parts[-1])):
            return found
    return ""


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


def _words(
    name: str, template: Template, near: tuple[list[str], list[str]], far: tuple[list[str], list[str]]
) -> tuple[float, list[str]]:
    known = {name, *QUANTITIES.get(name, ())}
    if isinstance(template.name, Text):
        known |= {template.name.zh, template.name.en.lower().replace(" ", "")}
    for where, (words, runs), weight in (("field", near, 0.65), ("topic", far, 0.55)):
        word = next((one for one in words if one in known), None)
        if word is not None:
            return weight, [f"the {where} says {word}"]
        run = next((one for run in runs for one in known if len(one) > 1 and one in run), None)
        if run is not None:
            return weight + len(run) / 100, [f"the {where} says {run}"]
    return 0.0, []


def _names(name: str, runs: list[str]) -> bool:
    """Tell whether Chinese text of a topic names a place, or a good part of its name."""
    return any(len(run) > 2 and (run in name or (len(name) > 2 and name in run)) for run in runs)


def _same(one: str, other: str) -> bool:
    try:
        return measure.same_dimension(one, other)
    except measure.UnitError:
        return False


def _conversion(source: str, target: str) -> tuple[float, float]:
    """Give scale and offset from one unit to another; those of no change where they do not measure the same."""
    if not source or not target or source == target:
        return 1.0, 0.0
    try:
        zero = measure.convert_value(0.0, source, target)
        return float(f"{measure.convert_value(1.0, source, target) - zero:.12g}"), float(f"{zero:.12g}")
    except (measure.UnitError, ArithmeticError, ValueError):
        return 1.0, 0.0


def _bare(text: str) -> str:
    return "".join(one for one in text if one.isalnum())
