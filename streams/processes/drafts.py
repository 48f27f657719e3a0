"""Check drafts of rules in a process of its own, so that one that takes too long can be ended and nobody else waits.

Reads a line of JSON from standard input for each draft, {"text"}, and answers with one line, `streams.drafting.check`
or {"failed"}; a first line, {}, says that it is ready. The first argument is the data folder, the second how many bytes
of memory it may take.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import msgspec

from streams import bundle, drafting, publication
from streams.bundle import Bundle, BundleError
from streams.processes.child import follow_parent

NICE = 5


def main() -> None:
    """Answer until standard input ends."""
    follow_parent()
    data, memory = Path(sys.argv[1]), int(sys.argv[2])
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    known: tuple[int, Bundle] | None = None
    _say({})
    for line in sys.stdin.buffer:
        answer: dict[str, object]
        try:
            known = _present(data, known)
            answer = drafting.check(msgspec.json.decode(line)["text"], known[1])
        except (OSError, BundleError) as error:
            answer = {"failed": str(error)}
        except MemoryError:
            answer = {"failed": "the draft needs more memory than it may take"}
        _say(answer)


def _say(what: dict[str, object]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


def _present(data: Path, known: tuple[int, Bundle] | None) -> tuple[int, Bundle]:
    """Read what is in force, unless it is what was read last."""
    stamp = (data / publication.FILE).stat().st_mtime_ns
    if known is not None and known[0] == stamp:
        return known
    return stamp, bundle.unpack(publication.read(data))


if __name__ == "__main__":
    main()
