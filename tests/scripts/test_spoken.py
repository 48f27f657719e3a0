"""Every sentence that a command says in English is known in Chinese, and is said in the language of the site."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import commands
from scripts.commands import error_words, spoken
from tests.scripts.test_cli import run

FILES = sorted(Path(commands.__file__).parent.glob("*.py"))
SPEAKING = {"fail", "done", "wrong", "warn", "tell", "aside", "said", "heads", "StartError"}
PRINTING = {"print", "echo", "Table", "add_column", "add_task", "TextColumn"}
NAMES = (
    r"`[^`]*`|--?[a-z-]+|[\w./:]*[A-Z_*][\w./:*{}]*|https?\S*|\w*/[\w./]*|\w+\.\w+|\[/?[a-z1 ]*\]|age1|pg_dump|worker|"
    r"\b(ms|min|site|cv2)\b|readings、minutes、hours|camera、area 或 supplier|http\(s\)"
)
"""What stays as it is: commands, options, variables, files, marks."""


def texts(node: ast.expr) -> Iterator[str]:
    """Give what an expression may come to, with 7 for what is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield from map("".join, itertools.product(*map(list, map(texts, parts))))
        case ast.FormattedValue(value=inner):
            yield from texts(inner) if isinstance(inner, ast.IfExp) else ("7",)
        case ast.IfExp(body=one, orelse=other):
            yield from (*texts(one), *texts(other))
        case ast.BinOp(left=one, op=ast.Add(), right=other):
            yield from map("".join, itertools.product(texts(one), texts(other)))
        case _:
            yield "7"


def calls(file: Path, names: set[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in names:
                for argument in node.args[: None if called in ("heads", "Table", "print") else 1]:
                    yield from ((node.lineno, text) for text in texts(argument))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_all_that_a_command_says_is_known_in_chinese(file: Path) -> None:
    for line, text in calls(file, SPEAKING):
        left = re.sub(NAMES, "", error_words.said(text, "zh-CN"))
        assert not re.search(r"[A-Za-z]{2,}", left), f"{file.name}:{line}: {text!r} is said as {left!r}"
    for line, text in calls(file, PRINTING):
        left = re.sub(NAMES + r"|\{[^}]*\}|foreshock|opencv|utf-8|^score$|^replay$", "", text)
        bare = not re.search(r"[\u4e00-\u9fff]", text) and re.search(r"[a-z]{2,}", left)
        assert file.stem == "run" or not bare, f"{file.name}:{line}: {text!r} is not given to what speaks"


def test_a_command_speaks_the_language_that_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    assert "no folder" in run("backup", tmp_path / "file", "--keep", "2", "--data", tmp_path).stderr
    shown = run("backup", tmp_path / "file", "--keep", "2", "--data", tmp_path, "--language", "zh-CN").stderr
    assert "不是文件夹；--keep 需要文件夹" in shown
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "不是文件夹" in run("backup", tmp_path / "file", "--keep", "2", "--data", tmp_path).stderr, (
        "no site says which"
    )
    assert spoken.language() == "zh-CN"
