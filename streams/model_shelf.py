"""A folder of learnt models: each a file named by its content, put in, listed and found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from models.area.store import StoreError
from streams.durable import replace


class ModelsError(ValueError):
    """Raised when a model cannot be had: says which, and what would help."""


class Facts(Protocol):
    """What the shelf asks of where a model comes from."""

    @property
    def trained(self) -> float:
        """Tell when it was learnt, unix seconds."""
        ...


class Stored(Protocol):
    """What the shelf asks of a model."""

    @property
    def version(self) -> str:
        """Name it by its content."""
        ...

    @property
    def facts(self) -> Facts:
        """Tell where it comes from."""
        ...


Model = TypeVar("Model", bound=Stored)


class Shelf(Generic[Model]):
    """Keep the models of one kind, called `what`, in `folder` of a data folder; `command` lists them.

    `decode` reads one of at most `largest` bytes, and raises `StoreError`.
    """

    def __init__(self, folder: Path, decode: Callable[[bytes], Model], largest: int, what: str, command: str) -> None:
        self._folder, self._decode, self._largest = folder, decode, largest
        self._what, self._command = what, command

    def file(self, data: Path, version: str) -> Path:
        """Say where a model is."""
        return data / self._folder / f"{version}.model"

    def keep(self, data: Path, packed: bytes) -> Model:
        """Put a model into the folder."""
        stored = self._decode(packed)
        (data / self._folder).mkdir(parents=True, exist_ok=True)
        replace(self.file(data, stored.version), packed)
        return stored

    def listed(self, data: Path) -> tuple[list[Model], list[str]]:
        """List the folder's models, the latest learnt first, and say what is wrong with files that are none."""
        found, wrong = [], []
        for file in sorted((data / self._folder).glob("*.model")):
            try:
                stored = self._decode(self.read(file))
                if file.stem != stored.version:
                    wrong.append(f"{file.name}: it is damaged, or was renamed: its content is that of {stored.version}")
                else:
                    found.append(stored)
            except ModelsError as error:
                wrong.append(str(error))
            except StoreError as error:
                wrong.append(f"{file.name}: {error}")
        return sorted(found, key=lambda one: (-one.facts.trained, one.version)), wrong

    def take(self, data: Path, version: str) -> Model:
        """Find one model by its version or the beginning of it. Raise `ModelsError`."""
        found = [one for one in self.listed(data)[0] if version and one.version.startswith(version)]
        if len(found) != 1:
            said = f"no {self._what}" if not found else f"{len(found)} {self._what}s"
            raise ModelsError(f"{said} of version {version!r}; `{self._command}` lists those there are")
        return found[0]

    def read(self, file: Path) -> bytes:
        """Read a model's file. Raise `ModelsError`."""
        try:
            if file.stat().st_size > self._largest:
                raise ModelsError(f"{file} is larger than a model may be")
            return file.read_bytes()
        except OSError as error:
            raise ModelsError(f"{file} cannot be read: {error.strerror}") from error
