"""What the loader of rules says, in Chinese: real mistakes, as somebody makes them in the editor; and the doctor."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from alerts.console import letter_words, rule_words, work_words
from alerts.console.rule_words import differing, in_words, said, told
from rules.expression import ExpressionError, parse
from sensors.document import DocumentError, parse_document
from sensors.problem import Problem
from streams.difference import PARTS, Change, lines

ROOT = Path(__file__).parents[3]
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("", "为空"),
        ("valu > 3", "是否想写 value"),
        ("value", "不是条件"),
        ("value > 3 mmm", "“mmm”"),
        ("value + (value > 3) > 2", "数值"),
        ("mean > 3", "时长"),
        ("mean('0m') > 3", "大于 0"),
        ("value & score > 1", "and"),
        ("abs(value, score) > 1", "“abs”"),
        ("flagged('spke')", "请写成 flagged('jump', '10m')"),
        ("eta > 3", "eta('limit')"),
        ("value > > 3", "这不是条件"),
        ("(value > 3", "括号"),
        ("value = 3", "请写 =="),
        ("value if score else 2", "没有“if”"),
        ("area.maxx(value) > 3", "未知"),
    ],
)
def test_a_mistake_in_a_condition_is_said_in_chinese(written: str, word: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(written)
    message = raised.value.message
    assert word in said(message, "zh-CN"), message
    assert said(f"column 3: {message}", "zh-CN").startswith("第 3 列：")
    assert said(message, "en") == message


@pytest.mark.parametrize("words", [rule_words, work_words, letter_words], ids=["rules", "work", "letters"])
def test_what_is_not_known_stays_and_each_sentence_keeps_the_words_of_the_file(words: Any) -> None:
    assert words.said("nobody ever said this", "zh-CN") == "nobody ever said this"
    for english, chinese in words._SAID:
        assert HAN.search(chinese) and not HAN.search(english)
        assert english.count("{}") == chinese.count("{}"), english
        holes = [f"w{n}" for n in range(english.count("{}"))]
        shown = words.said(english.format(*holes), "zh-CN")
        assert HAN.search(shown) and all(hole in shown for hole in holes), (english, shown)
        assert words.said(english, "en") == english


def test_a_mistake_is_told_with_its_place_and_in_both_languages() -> None:
    (row,) = told([Problem("rules.yaml", 3, "levels", "the file is empty")], "zh-CN")
    assert (row["message"], row["said"], row["line"]) == ("the file is empty", "文件为空", 3)


def test_a_choice_a_kind_of_value_and_the_rule_of_a_template_are_said_in_chinese() -> None:
    assert said("'urgent' is none of high, normal, low", "zh-CN") == "“urgent”不在可用值之内：high, normal, low"
    assert said("'hgih' is none of high, low (did you mean 'high'?)", "zh-CN").endswith("high, low（是否想写 high？）")
    assert said("expected a list, got nothing", "zh-CN") == "应为列表，实为空值"
    assert said("expected a number or nothing, got the text 'x'", "zh-CN") == "应为数值或空值，实为文字 'x'"
    assert said("expected true or false, got a list of 2", "zh-CN") == "应为true 或 false，实为2 项的列表"
    assert said("dep.slope: column 9: the number is too large", "zh-CN") == "dep.slope：第 9 列：数值过大"
    assert said("dep.slope: has no tests: nothing like it", "zh-CN") == "dep.slope: has no tests: nothing like it"


def test_a_test_that_fails_and_a_file_that_is_no_list_of_rules_are_said_in_chinese_alone() -> None:
    failed = "the rule's test '涨水' fails: at 3.5 min the level is blue, expected yellow"
    assert said(failed, "zh-CN") == "规则的测试“涨水”未通过：3.5 min 时等级为 blue，应为 yellow"
    more = said(f"{failed}, and differs at 2 more", "zh-CN")
    assert more.endswith("应为 yellow，另有 2 处不符")
    named_twice = failed.replace("'涨水'", "'it's rising' (“涨水”)")
    assert said(named_twice, "zh-CN") == said(failed, "zh-CN")
    assert said(named_twice, "en") == failed.replace("涨水", "it's rising")
    assert said(failed, "en") == failed
    assert said("unknown field (did you mean 'rules'?)", "zh-CN") == "未知字段（是否想写 rules？）"
    assert said("the field 'rationale' is missing", "zh-CN") == "缺少字段“rationale”"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: b: c\n", "不是 YAML（第 5 列）：此处不能再写“键: 值”（缩进不对，或文字中的冒号须加引号）"),
        ("a:\n  b: 1\n c: 2\n", "不是 YAML（第 2 列）：自第 1 行起的键值表中，此处应为键"),
        ("a: [1, 2\nb: 3\n", "不是 YAML（第 2 列）：自第 1 行起的方括号列表中，缺少“,”或“]”"),
        ("{a: 1", "不是 YAML：花括号表中，缺少“,”或“}”"),
        ("a: 'x\n", "不是 YAML：带引号的文字中，文本到此中断"),
        ("- a\nb: 1\n", "此处应为以“- ”开头的列表项"),
        ("a: @x\n", "文字不能以此字符开头（请加引号）"),
        ('a: "\\q"\n', "双引号内有不认识的转义字符"),
        ("a: ]\n", "此处缺少内容"),
        ("%YAML 3\na: 1\n", "不是 YAML（第 8 列），解析器原文：did not find expected digit or '.' character, while"),
    ],
)
def test_why_a_text_is_no_yaml_is_said_in_chinese(text: str, told: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(text, "draft.yaml")
    (problem,) = caught.value.problems
    assert told in said(problem.message, "zh")
    assert said(problem.message, "en") == problem.message


@pytest.mark.parametrize(
    "module", ["streams/reload.py", "streams/shadowing.py", "streams/promoting.py"], ids=lambda path: path.split("/")[1]
)
def test_why_what_is_sound_cannot_take_force_is_said_in_chinese(module: str) -> None:
    sentences = raised_in(module, "Error")
    assert len(sentences) >= 4
    for line, sentence in sentences:
        assert HAN.search(said(sentence, "zh-CN")), f"{module}:{line}: {sentence}"


@pytest.mark.parametrize("module", ["address", "webhook", "mail", "chat", "mqtt", "signature"])
def test_why_a_notice_was_not_taken_is_said_in_chinese(module: str) -> None:
    found = raised_in(f"alerts/notifiers/{module}.py", "Failed", "failure", "Rejected", "Unavailable", "TargetError")
    assert found
    for line, sentence in found:
        assert HAN.search(letter_words.said(sentence, "zh-CN")), f"{module}:{line}: {sentence}"


@pytest.mark.parametrize("module", ["across", "binding", "exchange", "series", "vectors"])
def test_what_is_wrong_with_a_rule_is_said_in_chinese(module: str) -> None:
    found = raised_in(f"rules/{module}.py", "Error")
    assert found
    for line, sentence in found:
        message = re.sub(r"^(expect|events|camera|step|point\.(values|unit))(?=\S)", "", sentence)  # the field
        message = re.sub(r"(?<=')w$", "", message)  # what may have been meant
        assert HAN.search(said(message, "zh-CN")), f"{module}:{line}: {message}"


def raised_in(module: str, *names: str) -> list[tuple[int, str]]:
    """List each sentence that is raised there, with words in its places, as it stands in the source."""
    calls = [node for node in ast.walk(ast.parse((ROOT / module).read_text())) if isinstance(node, ast.Call)]
    named = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id.endswith(names)]
    told = [(node.lineno, "".join(spoken(part) for part in node.args)) for node in named]
    return [(line, said) for line, said in told if " " in said.replace("w: w", "")]  # else it hands on another's words


def spoken(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    if isinstance(part, ast.JoinedStr):
        return "".join(spoken(one) for one in part.values)
    return "w" if isinstance(part, ast.FormattedValue) and not isinstance(part.value, ast.IfExp) else ""


def test_what_a_publication_changes_is_said_part_by_part() -> None:
    (line,) = lines({"rules": Change(changed=tuple(f"r{n}" for n in range(14)))})
    assert differing(line, "zh-CN").startswith("规则修改 14 个（r0、r1、") and "，另有 2 个）" in differing(
        line, "zh-CN"
    )
    assert in_words({"version": "v", "difference": [line]}, "en") == {"version": "v", "difference": [line]}
    for part in (*PARTS, "models", "site"):
        every = Change(added=("a",), removed=("b",), changed=("c",), renamed={"d": "e"}, unraised=("c",))
        for said_of in lines({part: every}):
            assert HAN.search(differing(said_of, "zh-CN")) and differing(said_of, "zh-CN") != said_of
    assert differing("nothing of the kind", "zh-CN") == "nothing of the kind"
