"""What the console says, refusals above all, is there in Chinese and English, whoever finds the fault."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_core._pydantic_core import list_all_errors
from starlette.testclient import TestClient

from alerts import messages as engines
from alerts.console import attachments, errors, messages
from sensors.quarantine import REASONS
from tests.alerts.console.conftest import Desktop, Engine

CONSOLE = Path(messages.__file__).parent
PLACES = re.compile(r"\{(\w+)\}")
FOREIGN = re.compile(r"[A-Za-z]{2,}")
OURS = {"JSON", "PDF", "NUL", "JPEG", "PNG", "true", "false", "text", "version", "from", "to", "Idempotency", "Key"}
"""What stands in a Chinese text as it is: names of formats and of the API's own fields."""


def latin(text: str) -> set[str]:
    return set(FOREIGN.findall(PLACES.sub("", text))) - OURS


@pytest.mark.parametrize("code", messages.TEXTS)
def test_both_languages_are_there_with_the_same_places(code: str) -> None:
    zh, en = messages.TEXTS[code]
    assert re.search(r"[\u4e00-\u9fff]", zh) and not re.search(r"[\u4e00-\u9fff]", en) and en
    assert sorted(PLACES.findall(zh)) == sorted(PLACES.findall(en))
    assert latin(zh) <= {"FORESHOCK", "BACKUP", "FOLDER"}, "a half-English text"


@pytest.mark.parametrize("error", list_all_errors(), ids=lambda error: error["type"])
def test_no_fault_that_pydantic_can_find_is_told_in_its_english(error: dict[str, Any]) -> None:
    context = error.get("example_context") or {}
    part = messages.wrong(error["type"], context)
    said = {language: messages.text(part.code, language, **part.values) for language in messages.LANGUAGES}
    assert latin(said["zh-CN"]) <= set(re.findall(r"\w+", str(context.get("expected", ""))))
    assert re.search(r"[\u4e00-\u9fff]", said["zh-CN"]) and not re.search(r"[\u4e00-\u9fff]", said["en"])


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield where a name is called in the console, and how."""
    for path in CONSOLE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield f"{path.relative_to(CONSOLE)}:{node.lineno}", node


def codes(name: str, place: int) -> dict[str, str]:
    """List the codes that calls of a name are given as they stand, and where."""
    found = {}
    for where, call in calls(name):
        if len(call.args) > place and isinstance(code := call.args[place], ast.Constant):
            found[str(code.value)] = where
    return found


def test_every_code_in_the_source_has_its_texts() -> None:
    given = codes("Problem", 1) | codes("AccountError", 0) | codes("admit", 1) | codes("Part", 0)
    given |= dict.fromkeys((f"wrong.{one}" for one in codes("PydanticCustomError", 0)), "pydantic")
    assert len(given) > 60
    known = messages.TEXTS.keys() | engines.MESSAGES.keys()
    assert not {code: where for code, where in given.items() if code not in known}
    assert {f"file.{reason}" for reason in ("malformed", "oversized", "image_type", "image_bomb")} <= known
    assert "malformed" in REASONS


def test_no_refusal_hands_on_what_an_exception_says_in_english() -> None:
    for where, call in calls("Problem"):
        words = [one.value for one in call.keywords if one.arg not in ("field", "headers", "message")]
        raw = [one for one in words if isinstance(one, ast.JoinedStr) or (isinstance(one, ast.Call) and _is_str(one))]
        assert not raw, f"{where}: say it by a Part"


def _is_str(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in ("str", "repr")


BAD: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/api/v1/alarms/{alarm}/shelve", {"seconds": "long", "reason": "x"}),
    ("/api/v1/alarms/{alarm}/shelve", {"seconds": -1, "reason": "x"}),
    ("/api/v1/alarms/{alarm}/shelve", {"seconds": 60, "reason": " "}),
    ("/api/v1/alarms/{alarm}/shelve", {"seconds": 60}),
    ("/api/v1/alarms/{alarm}/assign", {"to": ""}),
    ("/api/v1/alarms/{alarm}/assign", {"to": "nobody-at-all"}),
    ("/api/v1/alarms/{alarm}/comment", {"text": "x" * 4001}),
    ("/api/v1/alarms/{alarm}/comment", {"text": "a\0b"}),
    ("/api/v1/alarms/{alarm}/acknowledge", {"sequence": 10**9}),
    ("/api/v1/alarms/{alarm}/acknowledge", {"why": "no such field"}),
    ("/api/v1/incidents/{incident}/close", {"disposition": "maybe"}),
    ("/api/v1/incidents/{incident}/close", {"disposition": "real"}),
    ("/api/v1/incidents/{incident}/merge", {"incidents": []}),
    ("/api/v1/attachments", {"alarm": "{alarm}", "name": "f", "file": "R0lGODlh"}),
    ("/api/v1/attachments", {"alarm": "{alarm}", "name": "f", "file": "JVBERi0xLjcK"}),
    ("/api/v1/reports", {"area": "slope-1", "category": "other", "photo": "R0lGODlh"}),
    ("/api/v1/reports", {"area": "nowhere-at-all", "category": "other"}),
)


def test_what_a_browser_in_chinese_is_refused_is_refused_in_chinese(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.condition()
    incident = engine.open_incident()
    names = {"alarm": incident["alarms"][0], "incident": incident["id"]}
    headers = desktop.token("duty") | {"Accept-Language": "zh-CN"}
    for path, body in BAD:
        given = {key: value.format(**names) if isinstance(value, str) else value for key, value in body.items()}
        answer = client.post(path.format(**names), json=given, headers=headers)
        error = answer.json()["error"]
        assert answer.status_code in (409, 422), (path, answer.text)
        said = error["message"].replace(error.get("field", "-"), "")
        wanted = {"real", "nuisance", "test", "duplicate"} if body.get("disposition") == "maybe" else set()
        assert latin(said) <= wanted and re.search(r"[\u4e00-\u9fff]", said), (path, error)


def test_a_body_that_is_wrong_as_a_whole_says_what_is_wrong(client: TestClient, desktop: Desktop) -> None:
    assert errors._first([{"type": "missing", "loc": ("body",), "msg": "Field required"}]) == (
        "",
        messages.Part("wrong.missing", {}),
    )
    headers = desktop.token("duty")
    answer = client.post("/api/v1/alarms/none/comment", json=["a list"], headers=headers)
    assert answer.json()["error"]["message"] == "the request is not valid: it must be a JSON object"


@pytest.mark.parametrize("reason", ["type", "active", "hidden", "locked", "malformed", "of a later time"])
def test_every_reason_for_which_a_file_is_refused_is_said_in_both(reason: str) -> None:
    said = attachments.UnfitError(reason, "Launch").said
    assert said.code in messages.TEXTS
    assert messages.text("bad_attachment", "zh-CN", reason=said) != messages.text("bad_attachment", "en", reason=said)
