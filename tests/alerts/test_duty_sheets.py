"""The handover on paper: it is called a simulation where all that it hands over was played, and only there."""

from __future__ import annotations

from typing import Any

import pypdfium2
import pytest

from alerts.duty_sheets import handover_pdf

from .cases import SITE


def sheet(*played: bool) -> dict[str, Any]:
    lines = [
        {"id": "i", "opened": 0.0, "title": {"en": "Slope"}, "state": "open", "acknowledged_by": None}
        | {"simulated": one}
        for one in played
    ]
    load = {"rings": 0, "peak": 0, "floods": 0, "flood_minutes": 0}
    return {"time": 60.0, "since": 0.0, "closed": 0, "load": load, "open": {"items": lines, "more": 0}}


@pytest.mark.parametrize(
    ("played", "marked"), [((True, True), True), ((True, False), False), ((False,), False), ((), False)]
)
def test_a_handover_is_marked_where_all_of_it_was_played(played: tuple[bool, ...], marked: bool) -> None:
    handover = {"shift": "", "begin": 0.0, "people": {}, "sheet": sheet(*played)}
    pages = pypdfium2.PdfDocument(handover_pdf(handover, SITE, "en", 60.0))
    said = pages[0].get_textpage().get_text_range()
    assert ("not real" in said) is marked
    assert said.count("[Simulation]") == sum(played)
