"""Structs that hold secrets and show none: not in a log, not in a traceback."""

from __future__ import annotations

from typing import Any

import msgspec

HIDDEN = "…"


class Discreet(msgspec.Struct, frozen=True, kw_only=True):
    """Show all fields, but of those that `hides` names only whether they are set."""

    @classmethod
    def hides(cls, name: str) -> bool:
        """Tell whether a field is a secret."""
        return name == "secret"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """List what is shown of each field."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return [(name, HIDDEN if value and self.hides(name) else value) for name, value in values]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"
