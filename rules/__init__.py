"""What deserves a person's attention: the rule language, its compiler and its evaluation over time.

In a notebook `import rules` has `load`, `variant` and `run`: see `rules.notebook`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rules.notebook import Run as Run
    from rules.notebook import load as load
    from rules.notebook import run as run
    from rules.notebook import variant as variant

NOTEBOOK = ("Run", "load", "run", "variant")


def __getattr__(name: str) -> Any:
    """Load what notebooks use when it is first asked for: the program itself needs none of it."""
    if name in NOTEBOOK:
        from rules import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module 'rules' has no attribute '{name}'")
