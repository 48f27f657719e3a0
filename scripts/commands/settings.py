"""`foreshock settings`: every setting there is."""

from __future__ import annotations

from streams import settings


def print_settings() -> None:
    """Print every setting with its environment variable, default and meaning, as Markdown."""
    print(settings.reference(), end="")
