"""How far a move has come, kept in the target's data folder: so that it may be killed anywhere and called again."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from streams.durable import replace
from streams.migration.report import MigrationError, Report

FILE = "migration.json"


class State(msgspec.Struct, kw_only=True):
    """What is done of a move from one log to another, both by their identity.

    `base` is by `topic:partition` at which offset each began, in the source and in the target; `at` the next offset to
    be copied, and where the target ended then.
    """

    source: str
    target: str
    site: str
    base: dict[str, tuple[int, int]] = {}
    at: dict[str, tuple[int, int]] = {}
    stores: list[str] = []  # databases that were empty when they were begun: what they hold is of this move
    history: dict[str, int] = {}  # by tier, how many rows were copied of a history that is whole
    stopped: float = 0.0  # when the source was stopped, unix s
    report: Report | None = None  # all is done, but that the target may be run on


class Kept:
    """The file of a state; each change is on the disk before anything goes by it."""

    def __init__(self, data: Path) -> None:
        self._file = data / FILE

    def read(self) -> State | None:
        """Read it; None where no move is under way. Raise `MigrationError`."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=State)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError as error:
            raise MigrationError(
                f"{self._file} cannot be read ({error}): begin again with an empty target",
                f"{self._file} 无法读取（{error}）：请用空的目标端重新开始",
            ) from error

    def write(self, state: State) -> None:
        """Keep it. Raise `OSError`."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        replace(self._file, msgspec.json.encode(state))

    def forget(self) -> None:
        """Remove it."""
        with contextlib.suppress(FileNotFoundError):
            self._file.unlink()
