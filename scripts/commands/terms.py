"""How the comparisons of a rule's conditions stand, at the terminal: with a mark for what holds and what does not."""

from __future__ import annotations

from rules.explanation import Term
from scripts.commands.terminal import plain
from scripts.commands.words import Words

_MARKS = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "[yellow]?[/yellow]"}


def shown(term: Term, words: Words) -> str:
    """Write a comparison with its value, as markup: whether it holds, and how far it is from that."""
    mark = _MARKS[term.holds]
    value = words("unknown") if term.value is None else f"{term.value:.6g}"
    if not term.op:
        return f"{mark} {plain(term.name)}"
    limit = words("unknown") if term.threshold is None else f"{term.threshold:.6g} {term.unit}".strip()
    text = f"{mark} {plain(term.name)} {term.op} {plain(limit)}{words('it_is', value=value)}"
    if term.holds is False and term.value is not None and term.threshold is not None:
        text += words("away", gap=f"{abs(term.threshold - term.value):.4g}")
    return text
