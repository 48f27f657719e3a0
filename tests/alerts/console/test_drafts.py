"""Drafts of rules over the API: kept for each person, told of to others, checked, tried in the shadow, put in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from alerts.console import schema
from alerts.console.accounts import list_audit
from alerts.console.throttle import CHECKS
from rules.schema import json_schema
from sensors.document import DocumentError, Problem
from tests.alerts.console.conftest import Configure, Desktop

URL = "/api/v1/rules"
BROKEN = DocumentError([Problem("draft.yaml", 4, "rules[0].levels.red.when", "unknown name 'vale'")])
CHECKED: dict[str, Any] = {"problems": [], "more": 0, "tests": [], "rules": []}


MADE_FROM = {"id": "slow", "file": "rules/slow.yaml", "line": 3}


class MovedError(ValueError):
    moved = True


class Desk:
    """Know one rule in force; what is said with `broken` in it is broken."""

    def __init__(self) -> None:
        self.base = "aa"
        self.published: list[tuple[str, ...]] = []

    def opened(self, id: str) -> dict[str, Any] | None:
        known = {"id": id, "text": "rules: [1]\n", "base": self.base, "in_folder": True, "template": MADE_FROM}
        return known if id == "creep" else None

    def history(self, id: str) -> list[dict[str, Any]]:
        return []

    def words(self) -> dict[str, list[str]]:
        return {name: [name] for name in schema.RuleWords.model_fields}

    def check(self, text: str) -> dict[str, Any]:
        if "slow" in text:
            raise RuntimeError("it took too long")
        return CHECKED

    def shadow(self, id: str, text: str, author: str, reason: str) -> tuple[str, Sequence[Any]]:
        if "broken" in text:
            raise BROKEN
        return "s-1", [("observations", 0, None, b"set")]

    def publish(self, id: str, text: str, base: str, author: str, reason: str) -> dict[str, Any]:
        if "broken" in text:
            raise BROKEN
        if base != self.base:
            raise MovedError("moved")
        self.base = "bb"
        self.published.append((id, text, author, reason))
        told = {"version": "1" * 12, "before": "0" * 12, "changed": True, "waiting": False}
        return {**told, "folder": "written", "base": self.base}


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def drafts(configure: Configure, desk: Desk) -> Desktop:
    return Desktop(configure(draft_desk=desk))


def test_a_draft_is_kept_for_its_author_and_others_are_told(drafts: Desktop) -> None:
    with drafts.client() as client:
        mine, theirs = drafts.token("analyst"), drafts.token("administrator")
        path = f"{URL}/creep/draft"
        first = schema.RuleOpened.model_validate(client.get(path, headers=mine).json())
        assert (first.text, first.base, first.draft, first.others) == ("rules: [1]\n", "aa", None, [])
        assert first.template is not None and first.template.model_dump() == MADE_FROM
        for text in ("a: [", "rules: [2]"):  # broken YAML is kept as well: it is a draft
            assert client.put(path, json={"text": text, "base": "aa"}, headers=mine).status_code == 200
        again = schema.RuleOpened.model_validate(client.get(path, headers=mine).json())
        assert again.draft is not None and again.draft.text == "rules: [2]" and not again.moved
        later = client.get(path, headers=theirs).json()
        assert later["draft"] is None and [one["actor"] for one in later["others"]] == [analyst_of(drafts)]
        saved = client.put(path, json={"text": "rules: [3]"}, headers=theirs).json()
        assert [one["actor"] for one in saved["others"]] == [analyst_of(drafts)]
        assert [one["text"] for one in client.get(f"{URL}/drafts", headers=mine).json()["items"]] == ["rules: [2]"]
        assert client.delete(path, headers=mine).status_code == 204
        assert client.delete(path, headers=mine).status_code == 404
        assert client.get(path, headers=theirs).json()["others"] == []
        noted = [(one.action, one.target) for one in list_audit(drafts.console.accounts) if "draft" in one.action]
        assert sorted(noted) == [("rules.draft", "creep"), ("rules.draft", "creep"), ("rules.draft.drop", "creep")]


def analyst_of(drafts: Desktop) -> str:
    """Name the analyst's token as an actor."""
    [first] = {one.actor for one in list_audit(drafts.console.accounts) if one.actor.startswith("token:analyst")}
    return first


def test_who_began_from_a_rule_that_moved_on_is_told_and_does_not_overwrite_it(drafts: Desktop, desk: Desk) -> None:
    with drafts.client() as client:
        mine, theirs = drafts.token("analyst"), drafts.token("administrator")
        for who in (mine, theirs):
            client.put(f"{URL}/creep/draft", json={"text": "rules: [2]", "base": "aa"}, headers=who)
        body = {"text": "rules: [2]", "base": "aa", "reason": "calmer"}
        done = client.post(f"{URL}/creep/publish", json=body, headers=mine)
        assert done.status_code == 200 and done.json()["folder"] == "written"
        assert client.get(f"{URL}/creep/draft", headers=mine).json()["draft"] is None  # it is in force
        assert client.get(f"{URL}/creep/draft", headers=theirs).json()["moved"]
        late = client.post(f"{URL}/creep/publish", json=body, headers=theirs)
        assert (late.status_code, late.json()["error"]["code"]) == (409, "rule_moved")
        assert len(desk.published) == 1
        entries = list_audit(drafts.console.accounts, action="rules.publish")
        assert {one.detail.get("version", one.detail.get("refused")) for one in entries} == {"1" * 12, "moved"}
        assert all(one.detail["reason"] == "calmer" for one in entries)


@pytest.mark.parametrize("step", ["shadow", "publish"])
def test_a_broken_draft_is_refused_with_line_and_field_and_none_goes_without_a_reason(
    drafts: Desktop, desk: Desk, step: str
) -> None:
    with drafts.client() as client:
        headers = drafts.token("analyst")
        answer = client.post(f"{URL}/creep/{step}", json={"text": "broken", "reason": "x"}, headers=headers)
        assert answer.status_code == 422 and schema.Broken.model_validate(answer.json()).problems[0].line == 4
        assert answer.json()["error"]["message"] == "the draft has 1 problem(s)"
        for reason in ("", " "):
            bare = client.post(f"{URL}/creep/{step}", json={"text": "x", "reason": reason}, headers=headers)
            assert bare.json()["error"]["field"] == "reason"
        assert not desk.published


def test_a_draft_in_the_shadow_goes_into_the_log(drafts: Desktop, engine: Any) -> None:
    with drafts.client() as client:
        headers = drafts.token("analyst")
        body = {"text": "rules: [2]", "reason": "is it calmer?"}
        assert client.post(f"{URL}/creep/shadow", json=body, headers=headers).json() == {"id": "s-1"}
        assert engine.others == [("observations", b"set")]
        [entry] = list_audit(drafts.console.accounts, action="rules.shadow")
        assert entry.detail == {"reason": "is it calmer?", "rule": "creep"}


def test_checks_are_bounded_in_length_time_and_number_before_a_publication_too(drafts: Desktop, desk: Desk) -> None:
    with drafts.client() as client:
        headers = drafts.token("analyst")
        assert client.post(f"{URL}/check", json={"text": "rules: []"}, headers=headers).json() == CHECKED
        told = {"text": "slow", "reason": "calmer"}
        for way, body in (
            ("check", {"text": "slow"}),
            ("creep/publish", told | {"base": "aa"}),
            ("creep/shadow", told),
        ):
            slow = client.post(f"{URL}/{way}", json=body, headers=headers)
            assert (slow.status_code, slow.json()["error"]["code"]) == (503, "draft_slow"), way
        assert not desk.published
        long = client.post(f"{URL}/check", json={"text": "x" * 40_001}, headers=headers)
        assert long.json()["error"]["field"] == "text"
        actor = noted_analyst(drafts)
        while drafts.console.throttle.check(actor) is None:
            pass
        refused = client.post(f"{URL}/check", json={"text": "rules: []"}, headers=headers)
        assert refused.status_code == 429 and int(refused.headers["retry-after"]) <= 60 and CHECKS <= 600


def noted_analyst(drafts: Desktop) -> str:
    """Name the actor of the analyst's token, which the audit has once something was noted."""
    with drafts.client() as client:
        client.put(f"{URL}/creep/draft", json={"text": ""}, headers=drafts.token("analyst"))
    return analyst_of(drafts)


@pytest.mark.parametrize("id", ["..", "A", "x" * 65, "%2e%2e%2fetc"])
def test_what_is_no_name_of_a_rule_is_no_path(drafts: Desktop, id: str) -> None:
    with drafts.client() as client:
        answer = client.put(f"{URL}/{id}/draft", json={"text": ""}, headers=drafts.token("analyst"))
        assert answer.status_code in (404, 405, 422)


def test_the_schema_is_the_published_one(drafts: Desktop) -> None:
    with drafts.client() as client:
        headers = drafts.token("duty")
        assert client.get(f"{URL}/schema", headers=headers).content == msgspec.json.encode(json_schema())
        assert client.get(f"{URL}/words", headers=headers).json()["names"] == ["names"]
