"""Write proposals as YAML that a person reads, mends and puts into the site: each line with how sure it is and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from sensors.adoption.proposal import Proposal, Proposals
from sensors.site_files import Template

HEAD = """\
# Proposed by `foreshock adopt`: guesses from topics, fields and values. Read every line before you take it.
#   1. the entries of `signals.mapped` go into the list of that name in site.yaml
#   2. `points` goes into a file of its own beside the others, as areas/adopted.yaml
#   3. `foreshock check`, then `foreshock reload`; `foreshock quarantine replay` takes in what was refused until then
# What is commented out lacks what its last line says. sure > likely > guess; look at each line that says `check` before
# you take its point: it is a mere guess, or says what speaks against it.
"""


def patch(proposals: Proposals, quantities: Mapping[str, Template]) -> str:
    """Write the patch: what may be taken as it stands, what lacks something as comments, what was left and why."""
    lines = [HEAD, "signals:", "  mapped:"]
    ready = [one for one in proposals.points if not one.lacks]
    waiting = [one for one in proposals.points if one.lacks]
    mappings = list(_mappings(ready))
    lines += mappings or ["    []"]
    lines += ["", "points:"]
    lines += [line for one in ready for line in _point(one, quantities)] or ["  []"]
    for one in waiting:
        lines.append("")
        lines += [f"# {line}" for line in (*_mappings([one]), *_point(one, quantities))]
        lines.append(f"#   lacks {comment(' and '.join(one.lacks))}")
    if proposals.left:
        lines += ["", "# Nothing can be proposed for"]
        lines += [f"#   {comment(topic)}: {comment(why)}" for topic, why in proposals.left[:200]]
        if len(proposals.left) > 200:
            lines.append(f"#   and {len(proposals.left) - 200} more topics")
    if proposals.unwatched:
        lines.append(f"# {proposals.unwatched} messages of further topics were not looked at: watch fewer at a time")
    return "\n".join(lines) + "\n"


def comment(text: str) -> str:
    """Make text from outside fit for a comment of one line."""
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text[:300])


def quoted(text: str) -> str:
    """Write a text as YAML does, in double quotes."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _mappings(proposals: list[Proposal]) -> Iterator[str]:
    written: dict[tuple[str, str], int] = {}
    for one in proposals:
        if one.topic:
            written[one.topic, one.template] = written.get((one.topic, one.template), 0) + 1
    done: set[tuple[str, str]] = set()
    for one in proposals:
        key = (one.topic, one.template)
        if not one.topic or key in done:
            continue
        done.add(key)
        count = written[key]
        yield f"    - topic: {quoted(one.topic)}" + (f"  # {count} topics" if count > 1 else "")
        yield f"      point: {quoted(one.template)}"
        yield f"      value: {quoted(one.guess.path)}"
        if one.time is not None:
            yield f"      time: {quoted(one.time)}"
            yield f"      time_unit: {one.time_unit}"
        if one.guess.scale != 1.0:
            yield f"      scale: {one.guess.scale!r}  # from {comment(one.guess.unit)}"
        if one.guess.offset != 0.0:
            yield f"      offset: {one.guess.offset!r}"


def _point(one: Proposal, quantities: Mapping[str, Template]) -> Iterator[str]:
    sketch, guess = one.sketch, one.guess
    often = f"about every {sketch.interval:g} s" if sketch.interval else "too seldom to tell how often"
    span = sketch.numbers[guess.path]
    yield f"  # {comment(sketch.topic)}: {sketch.count} messages, {often}, {span.low:g} to {span.high:g}"
    yield f"  - id: {quoted(one.id)}"
    if guess.quantity is None:
        yield "    quantity: ?"
    else:
        close = f"; or {', '.join(guess.others)}" if guess.others else ""
        check = "check: " if guess.sure == "guess" else ""
        why = comment(", ".join(guess.reasons))
        yield f"    quantity: {quoted(guess.quantity)}  # {check}{guess.sure}: {why}{close}"
        yield from (f"    # check: {comment(one)}" for one in guess.doubts)
        unit = quantities[guess.quantity].unit
        if not guess.unit:
            yield f"    # nothing says the unit: taken for {comment(str(unit))}, the site's own of this quantity"
        elif not one.topic and not one.source and (guess.scale != 1.0 or guess.offset != 0.0):
            yield f"    source_unit: {quoted(guess.unit)}"
    if one.area is None:
        yield "    areas: [?]"
    else:
        check = "check: " if one.area_sure == "guess" else ""
        yield f"    areas: [{quoted(one.area)}]  # {check}{one.area_sure}: {comment(one.area_why)}"
    if one.source:
        yield f"    sources: [{quoted(one.source)}]"
    if sketch.interval:
        yield f"    interval: {sketch.interval:g}"
    if sketch.stored:
        yield "    # all that came were the broker's stored copies: it may no longer be sent"
    if one.topic and one.time is None:
        yield "    # no time in the payload: readings are stamped on arrival"
    for other in one.others[:8]:
        seen = sketch.numbers[other.path]
        what = f", {other.quantity}?" if other.quantity else ""
        yield f"    # not taken: {comment(other.path) or 'the payload'} ({seen.low:g} to {seen.high:g}{what})"
