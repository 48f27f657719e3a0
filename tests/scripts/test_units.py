"""What the drill counts of orders on the wire: an order again, an order altered, one order under two ids."""

from __future__ import annotations

import json

import httpx
import pytest

from scripts.units import Heard, Telephone


@pytest.mark.parametrize(
    ("events", "repeats", "altered"),
    [
        ([("d-1.1", "issued"), ("d-1.2", "accepted")], 0, 0),
        ([("d-1.1", "issued"), ("d-1.1", "issued")], 1, 0),
        ([("d-1.1", "issued"), ("d-1.1", "accepted")], 1, 1),
        ([("d-1.1", "issued"), ("d-2.1", "issued")], 0, 1),
    ],
)
def test_repeats_are_told_from_what_must_not_be(events: list[tuple[str, str]], repeats: int, altered: int) -> None:
    heard = Heard()
    for id, type in events:
        heard.note(json.dumps({"id": id, "type": type}).encode())
    assert (heard.repeats, heard.altered) == (repeats, altered)


@pytest.mark.server
def test_a_telephone_takes_what_is_posted() -> None:
    telephone = Telephone()
    try:
        assert httpx.post(telephone.url, json={"id": "d-1.1"}, trust_env=False).status_code == 204
        assert telephone.ids == ["d-1.1"]
    finally:
        telephone.close()
