"""From sketches of topics to proposals: a point for each, and as few mappings as take them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sensors.adoption import named
from sensors.adoption.guess import Guess, Sure, area_of, best_field
from sensors.adoption.watch import Sketch, Watch
from sensors.dialects import mapped, senml
from sensors.findings import MAX_ID
from sensors.lookup import Registry
from sensors.site_files import Template
from sensors.topics import REFUSED, Topics
from sensors.trie import matches

_NOT_ID = re.compile(r"[^a-z0-9_-]+")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")
_WILD = re.compile(r"[+#{}]")


@dataclass(slots=True)
class Proposal:
    """Propose a point for a topic. `lacks` says in words what a person has to add before it can be taken.

    `topic` and `template` are what the mapping takes and the point id it makes; both are empty where the site's own
    dialects already bring the topic to a point of this id, or of this `source`.
    """

    sketch: Sketch
    id: str
    guess: Guess
    others: list[Guess]
    area: str | None
    area_sure: Sure
    area_why: str
    topic: str = ""
    template: str = ""
    time: str | None = None
    time_unit: str = "ms"
    source: str = ""  # the name by which its dialect brings it, as senml:urn:dev:ow:10e2
    lacks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Proposals:
    """Hold what is proposed, and the topics of which nothing can be made, with why."""

    points: list[Proposal] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    unwatched: int = 0


def propose(
    watch: Watch, registry: Registry, quantities: Mapping[str, Template], *, area: str | None = None
) -> Proposals:
    """Propose points for the topics that the site refuses or does not know; `area` is for those that name none."""
    topics = Topics(registry)
    found = Proposals(unwatched=watch.unwatched)
    taken = set(registry.points)
    states = {entity.topic for entity in watch.entities.values()}
    for name in sorted(watch.sketches):
        sketch = watch.sketches[name]
        if topics[name.encode()] != REFUSED or sketch.kind == "senml" or name in states or named.is_config(name):
            continue  # what has names of its own is proposed by these
        why = _unusable(sketch)
        if why:
            found.left.append((name, why))
            continue
        proposal = _proposal(sketch, registry, quantities, area)
        if proposal is None:
            found.left.append((name, "the site's own dialects would refuse a point of this name: correct the topic"))
            continue
        if proposal.topic:
            proposal.id = _free(proposal.id, taken)
            proposal.template = proposal.id
        elif proposal.id in taken:
            found.left.append((name, f"the site has the point {proposal.id}, but not in the area that the topic names"))
            continue
        taken.add(proposal.id)
        found.points.append(proposal)
    _propose_named(found, watch, registry, quantities, area, taken)
    _join(found.points, set(registry.points))
    return found


def _propose_named(
    found: Proposals,
    watch: Watch,
    registry: Registry,
    quantities: Mapping[str, Template],
    area: str | None,
    taken: set[str],
) -> None:
    """Propose points for what SenML and Home Assistant name and the site does not know."""
    signals = registry.site.signals
    for name in sorted(watch.records):
        sketch = watch.records[name]
        if registry.source("senml", name) is not None:
            continue
        said = replace(sketch, topic=f"{sketch.topic} {name}")
        made = _named(f"senml:{name}", name, said, registry, quantities, area, taken)
        if made is None:
            continue
        if not any(matches(one, sketch.topic) for config in signals.senml for one in senml.topics(config)):
            made.lacks.append(f"an entry of `signals.senml` for {sketch.topic}")
        found.points.append(made)
    for name in sorted(watch.entities):
        entity = watch.entities[name]
        if registry.source("homeassistant", name) is not None:
            continue
        path, state = named.path_of(entity), watch.sketches.get(entity.topic)
        span = state.numbers.get(path) if state is not None and path is not None else None
        if state is None or span is None:
            why = f"no number was seen of it: give its point a source `homeassistant:{name}`"
            found.left.append((f"{entity.topic} ({entity.title})", why))
            continue
        words = " ".join(named.words_of(entity))
        said = replace(state, topic=words, numbers={"": span}, units={"": entity.unit} if entity.unit else {})
        made = _named(f"homeassistant:{name}", name, said, registry, quantities, area, taken)
        if made is None:
            continue
        if not signals.homeassistant:
            made.lacks.append("an entry of `signals.homeassistant`")
        found.points.append(made)


def _named(
    source: str,
    name: str,
    sketch: Sketch,
    registry: Registry,
    quantities: Mapping[str, Template],
    area: str | None,
    taken: set[str],
) -> Proposal | None:
    """Propose a point for what a dialect brings by a name."""
    made = _proposal(sketch, registry, quantities, area)
    if made is not None:
        made.id, made.topic, made.source, made.time = _free(slug(name), taken), "", source, None
        taken.add(made.id)
    return made


def _unusable(sketch: Sketch) -> str:
    match sketch.kind:
        case "sparkplug":
            return "Sparkplug B: no mapping needed, give the point a source `sparkplug:<name>`"
        case "empty":
            return "it carries no payload"
        case "large":
            return "its payload is too large to look into"
        case "state":
            return "it says on or off in words: a mapping takes 1 and 0, or true and false; let its gateway send these"
        case "text" | "binary":
            return f"its payload is {sketch.kind}, neither a number nor JSON"
    if not sketch.numbers:
        return "its JSON holds no number"
    if _WILD.search(sketch.topic) or not sketch.topic.isprintable():
        return "its name holds characters that a mapping cannot"
    return ""


def _proposal(
    sketch: Sketch, registry: Registry, quantities: Mapping[str, Template], area: str | None
) -> Proposal | None:
    best, others = best_field(sketch, quantities)
    assert best is not None
    site = registry.site
    where, sure, why = area_of(sketch.topic, site.areas)
    if area is not None and sure in ("unknown", "guess"):
        where, sure, why = area, "guess", "given on the command line"
    time, unit = _time(sketch, best.path)
    made = Proposal(sketch, slug(sketch.topic), best, others, where, sure, why, sketch.topic, "", time, unit)
    native = f"{site.signals.native}/" if site.signals.native else ""
    known = next((id for one in site.signals.mapped if (id := mapped.point_id(sketch.topic, one)) is not None), None)
    if native and sketch.topic.startswith(f"{native}readings/"):
        levels = sketch.topic[len(native) :].split("/")
        if len(levels) != 3 or levels[1] not in registry.areas or not _usable(levels[2]):
            return None
        made.id, made.topic = levels[2], ""
        made.area, made.area_sure, made.area_why = levels[1], "sure", "the topic names it"
    elif native and sketch.topic.startswith(f"{native}frames/"):
        return None
    elif known is not None:
        if not _usable(known):
            return None
        made.id, made.topic = known, ""
    if best.quantity is None:
        said = [f"{', '.join(best.others)}?"] if best.others else []
        near = f" ({'; '.join([*said, *best.doubts])})" if said or best.doubts else ""
        made.lacks.append(f"a quantity{near}")
    if made.area is None:
        made.lacks.append("an area")
    return made


def _time(sketch: Sketch, path: str) -> tuple[str | None, str]:
    """Choose the time that belongs to a field: the one beside it, else the first."""
    parent = path.rpartition(".")[0]
    beside = sorted(sketch.times, key=lambda one: (one.rpartition(".")[0] != parent, len(one), one))
    return (beside[0], sketch.times[beside[0]]) if beside else (None, "ms")


def _join(points: list[Proposal], taken: set[str]) -> None:
    """Take topics that differ in one level by one mapping, where the ids that it makes are free and can be ids."""
    groups: dict[object, list[Proposal]] = {}
    for one in points:
        if not one.topic or one.lacks:
            continue
        levels = one.topic.split("/")
        for place in range(len(levels)):
            rest = (*levels[:place], None, *levels[place + 1 :])
            scale = (one.guess.path, one.guess.scale, one.guess.offset, one.time, one.time_unit)
            groups.setdefault((rest, scale), []).append(one)
    done: set[int] = set()
    for members in sorted(groups.values(), key=lambda group: (-len(group), group[0].topic)):
        members = [one for one in members if id(one) not in done]
        if len(members) < 2:
            continue
        split = [one.topic.split("/") for one in members]
        place = next(k for k in range(len(split[0])) if split[0][k] != split[1][k])
        levels = [slug(level) if k != place else "{point}" for k, level in enumerate(split[0])]
        template = "-".join(level for level in levels if level)
        ids = [template.replace("{point}", parts[place]) for parts in split]
        mine = {one.id for one in members}
        others = taken | {one.id for one in points if one.id not in mine}
        if len(set(ids)) < len(ids) or any(not _usable(new) or new in others for new in ids):
            continue
        topic = "/".join("{point}" if k == place else level for k, level in enumerate(split[0]))
        for one, new in zip(members, ids, strict=True):
            one.id, one.topic, one.template = new, topic, template
            done.add(id(one))


def slug(text: str) -> str:
    """Make an id of a topic; one that holds nothing usable is `point`."""
    made = _NOT_ID.sub("-", text.lower()).strip("-_")
    return (made[-MAX_ID:].strip("-_") if len(made) > MAX_ID else made) or "point"


def _usable(id: str) -> bool:
    return len(id) <= MAX_ID and _ID.match(id) is not None


def _free(id: str, taken: Iterable[str]) -> str:
    known, number, made = set(taken), 2, id
    while made in known:
        end = f"-{number}"
        made, number = id[: MAX_ID - len(end)] + end, number + 1
    return made
