"""One replay in a process of its own: of the lowest priority, bounded in memory and time, ended with who asked.

Reads what is asked from standard input, as JSON, and writes lines of JSON to standard output: {"done", "total"} as it
goes on, and at last {"result"}, {"problems"} or {"failed"}.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

from alerts.precision import cases
from alerts.queries import JournalMissing, Reader
from rules.rule import Rule
from rules.variants import VariantError
from sensors.document import DocumentError
from sensors.site import Site
from streams import bundle, drafting, publication, replaying, shelf
from streams.archive import choosing
from streams.archive.place import Place
from streams.archive.recorded import Recorded
from streams.comparing import as_plain, compared
from streams.course import merged
from streams.embedded.schema import LogError
from streams.processes.child import follow_parent
from streams.readable import Opened as Log
from streams.replay import ReplayError
from streams.replaying import Task
from streams.stretch import Stretch, stretch
from streams.sweep import suggested, sweep
from streams.topics import GROUP, OBSERVATIONS

MOST_PROBLEMS = 200
NICE = 10
"""As all that steps back behind what is live; somebody waits for it, so it must end on a busy machine too."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be replayed. Rules are text (YAML) or those of a version; `against` "" is what was published.

    `keep`: rules in force that these do not name stay; else they are all there is.
    """

    data: str
    log_file: str  # empty where the log is no file: the archive is read
    place: Place | None = None  # of the archive
    text: str = ""
    keep: bool = False
    version: str = ""
    against: str = ""
    begin: float | None = None
    end: float | None = None
    scores: float = 0.0  # bytes of them that are kept
    memory: int = 0  # bytes; 0 is without bound
    seconds: int = 0  # likewise
    sweep: bool = False  # vary the text's one rule instead, against what incidents were closed as
    journal: str = ""  # where that is found


class _RefusedError(ValueError):
    """Raised when what is asked cannot be done, with the reason."""


def main() -> None:
    """Replay what standard input asks for."""
    follow_parent()
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Asked)
    os.nice(NICE)
    if asked.memory:
        resource.setrlimit(resource.RLIMIT_DATA, (asked.memory, asked.memory))
    if asked.seconds:
        signal.alarm(asked.seconds)  # ends the process, should who asked no longer do so
    try:
        answer = run(asked)
    except DocumentError as error:
        answer = {"problems": msgspec.to_builtins(error.problems[:MOST_PROBLEMS])}
    except (LogError, ReplayError, _RefusedError) as error:
        answer = {"failed": str(error)}
    except MemoryError:
        answer = {"failed": "the replay needs more memory than it may take: choose a shorter time"}
    say(answer)


def say(what: dict[str, Any]) -> None:
    """Write one line."""
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


def run(asked: Asked) -> dict[str, Any]:
    """Replay, and return the comparison. Raise `DocumentError`, `LogError`, `ReplayError` or `ValueError`."""
    data = Path(asked.data)
    content = bundle.unpack(publication.read(data))
    site = content.site
    if asked.sweep:
        return _swept(asked, site)
    after = drafting.read(asked.text, site) if asked.text else _of(data, asked.version)
    if asked.keep:
        after = drafting.laid_among(content.rules, after)
    before = _of(data, asked.against) if asked.against else None
    source = _source(asked)
    with source.open() as log:
        stretches = _stretches(log, asked)
        total = sum(where.stop - log.start(OBSERVATIONS, where.partition) for where in stretches) * 2
    done = told = 0

    def advance(count: int) -> None:
        nonlocal done, told
        done += count
        if done - told >= max(1, total // 200):
            told = done
            say({"done": done, "total": total})

    say({"done": 0, "total": total})
    sides = [None if rules is None else replaying.pack(rules) for rules in (before, after)]
    tasks = [Task(where, rules) for where in stretches for rules in sides]
    courses = replaying.replay(source, tasks, 1, advance, asked.scores)
    old, new = courses[::2], courses[1::2]
    found = compared(old, new, asked.begin, asked.end, site)
    return {"result": as_plain(found, new, merged(old) if before is None else None, asked.begin, asked.end)}


def _swept(asked: Asked, site: Site) -> dict[str, Any]:
    """Vary the threshold and the delay of the one rule that the text has."""
    rules = drafting.read(asked.text, site)
    if len(rules) != 1:
        raise _RefusedError("a sweep varies one rule")
    since = asked.begin or 0.0
    try:
        judged = cases(Reader(asked.journal).engine, since)
    except JournalMissing as error:
        raise _RefusedError(str(error)) from error
    with _source(asked).open() as log:
        try:
            found = sweep(log, rules[0], site, judged, since, advance=lambda done, total: say(_at(done, total)))
        except VariantError as error:
            raise _RefusedError(str(error)) from error
    pick = suggested(found)
    plain = msgspec.to_builtins(found)
    tries = [{**one, "suggested": each is pick} for one, each in zip(plain, found, strict=True)]
    return {"result": {"rule": rules[0].id, "judged": len(judged), "sweep": tries}}


def _at(done: int, total: int) -> dict[str, int]:
    return {"done": done, "total": total}


def _source(asked: Asked) -> Recorded:
    log = Path(asked.log_file) if asked.log_file else None
    return choosing.chosen(log, asked.place, Path(asked.data), asked.begin)


def _stretches(log: Log, asked: Asked) -> list[Stretch]:
    found = []
    for partition in range(log.topics().get(OBSERVATIONS, 0)):
        stop = log.committed(GROUP, OBSERVATIONS, partition) or 0
        found.append(stretch(log, partition, stop, asked.begin, asked.end))
    return found


def _of(data: Path, version: str) -> tuple[Rule, ...]:
    packed = shelf.take(data, version)
    if packed is None:
        raise _RefusedError(f"there is no publication {version}, or several that begin so")
    return bundle.unpack(packed).rules


if __name__ == "__main__":
    main()
