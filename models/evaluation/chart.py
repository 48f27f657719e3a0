"""A plot of scores against what is known, as SVG: the score of every run, where it was right, late, and wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from models.evaluation.skab import TRAIN, Bools, Floats, Scored

_WIDTH, _HEIGHT, _LEFT, _GAP = 900, 46, 90, 10
_FLOOR = 1e-6  # the smallest p-value shown


def skab_chart(scored: Sequence[Scored], rate: float, legend: str, named: Callable[[str], str] = str) -> str:
    """Return an SVG: one strip a run, the score as a p-value on a logarithmic scale.

    Grey ground: anomalous by the labels. Below: green found, red false, orange missed. `legend` tells that, `named` the
    kind of a model, in the reader's language.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 10}" '
        f'height="{24 + len(scored) * (_HEIGHT + _GAP)}" font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{_LEFT}" y="14">{escape(legend)}</text>',
    ]
    for number, one in enumerate(scored):
        parts.append(_strip(one, rate, named(one.kind), 24 + number * (_HEIGHT + _GAP)))
    return "\n".join([*parts, "</svg>", ""])


def _strip(one: Scored, rate: float, kind: str, top: int) -> str:
    rows = len(one.score)
    x = _LEFT + _WIDTH * np.arange(rows + 1) / rows
    high = _HEIGHT - 8

    def y(rarity: float) -> float:
        return float(top + high * (1.0 + np.log10(max(rarity, _FLOOR)) / 6.0))

    told = one.score >= 1.0 - rate
    truth = one.run.anomalous
    found = [f'<text x="4" y="{top + 14}">{escape(one.run.name)}</text>']
    found += [f'<text x="4" y="{top + 28}" fill="#777">{escape(kind)}</text>']
    found += _bands(truth, x, top, high, "#ddd")
    for which, colour in ((told & truth, "#2a2"), (told & ~truth, "#d33"), (~told & truth, "#f90")):
        found += _bands(which, x, top + high + 1, 6, colour)
    line = " ".join(f"{x[at]:.1f},{y(1.0 - one.score[at]):.1f}" for at in range(TRAIN, rows, 2))
    found.append(f'<polyline points="{line}" fill="none" stroke="#247" stroke-width="1"/>')
    limit = y(rate)
    found.append(
        f'<line x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{limit:.1f}" y2="{limit:.1f}" stroke="#999" '
        'stroke-dasharray="3 3"/>'
    )
    return "\n".join(found)


def _bands(which: Bools, x: Floats, top: int, height: int, colour: str) -> list[str]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], which.astype(np.int8), [0]))))
    return [
        f'<rect x="{x[begin]:.1f}" y="{top}" width="{x[end] - x[begin]:.1f}" height="{height}" fill="{colour}"/>'
        for begin, end in edges.reshape(-1, 2).tolist()
    ]
