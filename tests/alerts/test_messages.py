"""Texts: both languages complete, and every key that the code gives is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from alerts import alarm, dispatch, incident, messages
from sensors.site import LEVELS


@pytest.mark.parametrize("key", messages.MESSAGES)
def test_both_languages_are_there(key: str) -> None:
    zh, en = messages.MESSAGES[key]
    assert re.search(r"[\u4e00-\u9fff：（]", zh)
    assert en and not re.search(r"[\u4e00-\u9fff]", en)
    places = re.compile(r"\{(\w+)\}")
    assert sorted(places.findall(zh)) == sorted(places.findall(en))


def test_every_word_of_the_engine_has_a_text() -> None:
    keys = {f"level.{level}" for level in LEVELS}
    keys |= {f"state.{state}" for state in alarm.STATES}
    keys |= {f"edge.{edge}" for edge in get_args(alarm.Edge)}
    keys |= {f"incident.state.{state}" for state in get_args(incident.IncidentState)}
    keys |= {f"leg.{leg}" for leg in dispatch.LEGS}
    keys |= {f"disposition.{word}" for word in incident.DISPOSITIONS}
    assert keys <= messages.MESSAGES.keys()


def test_every_refusal_and_reason_in_the_source_has_a_text() -> None:
    given = set()
    for path in Path(alarm.__file__).parent.glob("*.py"):
        text = path.read_text()
        given |= set(re.findall(r'Refusal\("([a-z_.]+)"\)', text))
        given |= set(re.findall(r'reason="([a-z_]+\.[a-z_]+)"', text))
        given |= set(re.findall(r'finish_alarm\(alarm, "([a-z_.]+)"\)', text))
    assert len(given) > 15
    assert given <= messages.MESSAGES.keys()


def test_a_language_tag_chooses() -> None:
    assert messages.text("stale", "en-GB") == messages.text("stale", "en") == messages.both("stale")["en"]
    assert messages.text("stale", "zh-CN") == messages.text("stale") == messages.both("stale")["zh"]
    assert messages.text("not.a.key") == "not.a.key"
