"""How surprising a reading is, and how soon a limit will be crossed.

In a notebook `import models` has `read_csv` and `score`: see `sensors.history` and `models.notebook`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.notebook import score as score
    from sensors.history import read_csv as read_csv


def __getattr__(name: str) -> Any:
    """Load what notebooks use when it is first asked for: the program itself needs none of it."""
    if name == "score":
        from models.notebook import score

        return score
    if name == "read_csv":
        from sensors.history import read_csv

        return read_csv
    raise AttributeError(f"module 'models' has no attribute '{name}'")
