"""Begin, promote and end shadow rules of a running product."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from rules.changes import changes
from rules.rule import Rule
from sensors import observation
from sensors.observation import Shadow
from streams import bundle, publication, reload
from streams.bundle import Bundle
from streams.durable import replace
from streams.reload import ReloadError
from streams.shadow import ShadowError, pack, unpack
from streams.topics import OBSERVATIONS

FOLDER = "shadow"
KEPT = 5
"""Sets that are kept on disk to be promoted."""

BASE = ".base"
"""How the file ends that keeps what was in force when a set began."""

Records = list[tuple[str, int, bytes | None, bytes]]


def begin(folder: Path, data: Path, author: str, reason: str, now: float | None = None) -> tuple[str, Records]:
    """Check the rules of a site folder and make the records that have them run in the shadow; return their id too.

    Raise `sensors.document.DocumentError` with every mistake, `ReloadError` when more than rules differs or none does.
    """
    prepared = reload.prepare(folder, data)
    others = sorted(set(prepared.difference) - {"rules"})
    if others:
        raise ReloadError(
            f"shadow rules run on the site that is in force, and {folder} differs in {', '.join(others)}: publish that "
            "first, or take it out"
        )
    if "rules" not in prepared.difference:
        raise ReloadError(f"the rules of {folder} are those in force: there is nothing to compare")
    return _begun(prepared, data, author, reason, now)


def begin_rules(
    data: Path, rules: Sequence[Rule], author: str, reason: str, now: float | None = None
) -> tuple[str, Records]:
    """Make the records that have a whole set of rules run in the shadow, on the site in force; return their id too.

    Raise `ReloadError` when they are those in force, `sensors.document.DocumentError` when they do not fit the site.
    """
    prepared = reload.with_rules(data, rules)
    if "rules" not in prepared.difference:
        raise ReloadError("these rules are those in force: there is nothing to compare")
    return _begun(prepared, data, author, reason, now)


def _begun(prepared: reload.Prepared, data: Path, author: str, reason: str, now: float | None) -> tuple[str, Records]:
    now = time.time() if now is None else now
    id = f"s-{prepared.version}-{int(now)}"
    packed = pack(prepared.content.rules)
    _keep(data, id, packed, pack(bundle.unpack(publication.read(data)).rules))
    return id, _records(prepared.content, Shadow(id=id, rules=packed, author=author, reason=reason, time=now))


def end(data: Path, author: str, reason: str, now: float | None = None) -> Records:
    """Make the records that end what runs in the shadow."""
    now = time.time() if now is None else now
    content = bundle.unpack(publication.read(data))
    return _records(content, Shadow(id="", rules=b"", author=author, reason=reason, time=now))


def rules_of(data: Path, id: str) -> tuple[Rule, ...]:
    """Read the rules of a set, to promote it. Raise `ReloadError` when they are not there."""
    try:
        return unpack((data / FOLDER / f"{id}.rules").read_bytes())
    except (OSError, ShadowError) as error:
        raise ReloadError(f"the shadow rules {id} are not in {data / FOLDER}: publish their folder instead") from error


def promote(data: Path, id: str, author: str, reason: str) -> tuple[reload.Prepared, reload.Taken | None]:
    """Put a set in force: its windows and delays go on, and so does what it has in common with the rules before.

    Raise `ReloadError` where the rules in force are others than when it began: that would take back what somebody
    published meanwhile.
    """
    rules = rules_of(data, id)

    def unmoved(content: Bundle) -> tuple[Rule, ...]:
        moved = [change.rule for change in changes(_base(data, id, content.rules), content.rules)]
        if moved and content.rules != rules:
            raise ReloadError(
                f"what is in force has changed since {id} began, and promoting it would take that back: "
                f"{', '.join(moved[:5])}; run a set in the shadow that has both, or publish that"
            )
        return rules

    return reload.reload(Path(), data, author, reason, rules=unmoved)


def _base(data: Path, id: str, known: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Read the rules that were in force when a set began; those `known` for a set of before they were kept."""
    try:
        return unpack((data / FOLDER / f"{id}{BASE}").read_bytes())
    except FileNotFoundError:
        return known
    except (OSError, ShadowError) as error:
        raise ReloadError(f"the shadow rules {id} are not in {data / FOLDER}: publish their folder instead") from error


def _records(content: Bundle, what: Shadow) -> Records:
    encoded = observation.encode(what)
    return [(OBSERVATIONS, partition, None, encoded) for partition in range(content.site.partitions)]


def _keep(data: Path, id: str, packed: bytes, base: bytes) -> None:
    folder = data / FOLDER
    folder.mkdir(exist_ok=True)
    replace(folder / f"{id}{BASE}", base)
    replace(folder / f"{id}.rules", packed)
    kept: Sequence[Path] = sorted(folder.glob("*.rules"), key=lambda file: file.stat().st_mtime)
    for old in kept[:-KEPT]:
        old.unlink(missing_ok=True)
        old.with_name(f"{old.name.removesuffix('.rules')}{BASE}").unlink(missing_ok=True)
