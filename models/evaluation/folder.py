"""What a folder of recordings may hold beside them, and what is said of one that holds nothing to evaluate."""

from __future__ import annotations

WINDOWS = ("windows.json", "combined_windows.json", "labels/combined_windows.json")
"""Where the windows of anomalies may stand, under the folder."""


class FolderError(ValueError):
    """Raised when a folder holds nothing to evaluate; says what would."""
