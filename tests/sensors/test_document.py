"""Documents: what is read, what is refused, and that every refusal names its file, line and field."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors import document as documents
from sensors.document import (
    Document,
    DocumentError,
    Problem,
    convert,
    field_name,
    parse_document,
    read_document,
    suggest,
)
from sensors.site import Text


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    when: str
    hold: float = 0.0


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    name: Text
    levels: dict[str, Level] = {}
    tags: tuple[str, ...] = ()
    limit: float | None = None
    range: tuple[float, float] | None = None
    points: dict[str, int | Level] = {}


class Positive(msgspec.Struct, frozen=True):
    value: float

    def __post_init__(self) -> None:
        if self.value <= 0:
            raise ValueError("must be positive")


def problem(source: bytes | str) -> Problem:
    with pytest.raises(DocumentError) as caught:
        parse_document(source, "rules.yaml")
    (found,) = caught.value.problems
    return found


def problems(source: str, type: object) -> list[tuple[int, str, str]]:
    document = parse_document(source, "rules.yaml")
    with pytest.raises(DocumentError) as caught:
        convert(document, type)  # type: ignore[arg-type]
    assert all(found.file == "rules.yaml" for found in caught.value.problems)
    return [(found.line, found.field, found.message) for found in caught.value.problems]


def test_plain_values_follow_yaml_1_2() -> None:
    source = "a: 1\nb: -2.5e3\nc: no\nd: 20:00\ne: 2026-11-23\nf: true\ng: ~\nh: '5'\ni: 0x1f\nj: 1_000\nk:\nl: 010\n"
    assert parse_document(source, "x").data == {
        "a": 1,
        "b": -2500.0,
        "c": "no",
        "d": "20:00",
        "e": "2026-11-23",
        "f": True,
        "g": None,
        "h": "5",
        "i": 31,
        "j": "1_000",
        "k": None,
        "l": 10,
    }


def test_nested_data_and_its_lines() -> None:
    document = parse_document("# who\na:\n  - b: 1\n    c: [x,\n        y]\n  - d\ne: {f: 2}\n", "x")
    assert document.data == {"a": [{"b": 1, "c": ["x", "y"]}, "d"], "e": {"f": 2}}
    lines = {path: document.line(path) for path in [("a",), ("a", 0), ("a", 0, "c"), ("a", 0, "c", 1), ("a", 1)]}
    assert lines == {("a",): 2, ("a", 0): 3, ("a", 0, "c"): 4, ("a", 0, "c", 1): 5, ("a", 1): 6}
    assert document.line(("e", "f")) == 7
    assert document.line() == 2


def test_a_path_that_does_not_exist_has_the_line_of_what_is_above_it() -> None:
    document = parse_document("a:\n  b: 1\n", "x")
    assert document.line(("a", "missing", 3)) == 1
    assert document.line(("a", "b", "c")) == 2
    assert document.line((7,)) == 1


def test_aliases_share_what_they_stand_for() -> None:
    assert parse_document("a: &x {b: [1]}\nc: *x\nd: &y 5\ne: [*y, *y]\n", "x").data == {
        "a": {"b": [1]},
        "c": {"b": [1]},
        "d": 5,
        "e": [5, 5],
    }


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse_document("\ufeffa: 1\n".encode(), "x").data == {"a": 1}


@pytest.mark.parametrize("source", ["", "  \n", "# only a comment\n", b"\xef\xbb\xbf", "---\n", "--- \n...\n"])
def test_an_empty_file_is_refused(source: bytes | str) -> None:
    assert problem(source) == Problem("rules.yaml", 0, "", "the file is empty")


@pytest.mark.parametrize(
    ("source", "line", "field", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a", "'a' is already given on line 1"),
        ("a:\n  x: 1\n  x: 2\n", 3, "x", "already given on line 2"),
        ("a:\n\tb: 1\n", 2, "", "a tab stands where only spaces may"),
        ("a: 1\n\tb: 1\n", 2, "", "a tab"),
        (b"a: 1\nb: \xff\n", 2, "", "byte 0xff is not UTF-8 text"),
        ("a: 燃气\n".encode("gb18030"), 1, "", "save the file as UTF-8"),
        ("a: 1\nb: x\x07y\n", 2, "", "character U+0007 is not allowed"),
        ("燃气: 1\nb: \x00\n", 2, "", "character U+0000 is not allowed"),
        ("a: [1,\n", 1, "", "not YAML"),
        ("a: b: c\n", 1, "", "mapping values are not allowed"),
        ("a: 'x\n\n\n", 3, "", "that begins on line 1"),
        ("a: 1\n---\nb: 2\n", 2, "", "a second document begins here"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", 2, "b", "is not allowed"),
        ("a: !mine {}\n", 1, "a", "tag '!mine' is not allowed"),
        ("!!python/name:os.system : 1\n", 1, "", "is not allowed"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "", "merge keys"),
        ("a: .nan\n", 1, "a", ".nan is not a finite number"),
        ("a: -.inf\n", 1, "a", "not a finite number"),
        ("a:\n  - b: 1\n  - {c: [1, .nan]}\n", 3, "a[1].c[1]", "not a finite number"),
        ("a: 1e999\n", 1, "a", "not a finite number"),
        ("a: " + "9" * 41, 1, "a", "the number is too long"),
        ("a:\n  ? [1, 2]\n  : 3\n", 2, "", "a key must be a word"),
        ("a: 1\nb: *x\n", 2, "b", "alias '*x' stands for nothing before it"),
        ("a: &x [*x]\n", 1, "a[0]", "stands for nothing before it"),
        ("[" * 40 + "]" * 40, 1, "", "nested more than 32 levels deep"),
        ("[" * 200_000, 1, "", "nested more than 32 levels deep"),
        ("\ud800", 0, "", "not Unicode text"),
    ],
)
def test_bad_input_is_refused_with_its_line(source: bytes | str, line: int, field: str, words: str) -> None:
    found = problem(source)
    assert (found.line, found.field) == (line, field)
    assert words in found.message


def test_an_alias_bomb_is_refused() -> None:
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
    bomb += "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
    found = problem(bomb)
    assert "aliases counted out" in found.message
    assert found.line > 1


def test_depth_counts_through_aliases() -> None:
    chain = "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 60))
    assert "through alias" in problem(chain).message


def test_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_NODES", 100)
    assert problem("[" + "1," * 200 + "]").message.startswith("more than 100 values")


def test_files_are_read_with_a_size_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n", encoding="utf-8")
    assert read_document(path).data == {"a": 1}
    assert read_document(path).file == str(path)
    with pytest.raises(DocumentError, match=r"^areas/a\.yaml: the file is larger than 4 bytes$"):
        read_document(path, max_bytes=4, name="areas/a.yaml")
    with pytest.raises(DocumentError, match=r"b\.yaml: there is no such file"):
        read_document(tmp_path / "b.yaml")
    with pytest.raises(DocumentError, match="directory"):
        read_document(tmp_path)


def test_convert_gives_the_type() -> None:
    document = parse_document(
        "rules:\n  - id: a\n    name: {zh: 甲, en: A}\n    levels: {red: {when: x, hold: 5}}\n", "x"
    )
    assert convert(document, Rule, ("rules", 0)) == Rule("a", Text(zh="甲", en="A"), {"red": Level("x", 5.0)})


def test_convert_finds_every_mistake_with_its_line_and_field() -> None:
    source = (
        "id: 5\n"
        "name: {zh: 甲}\n"
        "levels:\n"
        "  red: {when: x, hld: 5}\n"
        "  blue: {hold: many}\n"
        "tags: [a, 1]\n"
        "limti: 3\n"
        "range: [1, 2, 3]\n"
        "points:\n"
        "  a: 1.5\n"
        "  b: {hold: []}\n"
    )
    assert problems(source, Rule) == [
        (1, "id", "expected text, got 5"),
        (2, "name", "the field 'en' is missing"),
        (4, "levels.red.hld", "unknown field (did you mean 'hold'?)"),
        (5, "levels.blue.hold", "expected a number, got the text 'many'"),
        (5, "levels.blue", "the field 'when' is missing"),
        (6, "tags[1]", "expected text, got 1"),
        (7, "limti", "unknown field (did you mean 'limit'?)"),
        (8, "range", "expected a list of 2, got 3"),
        (10, "points.a", "expected a whole number or a mapping of fields, got 1.5"),
        (11, "points.b.hold", "expected a number, got a list of 0"),
        (11, "points.b", "the field 'when' is missing"),
    ]


def test_convert_places_mistakes_below_a_path() -> None:
    document = parse_document(
        "rules:\n  - id: a\n    name: {zh: 甲, en: A}\n  - id: 7\n    name: {zh: 乙, en: B}\n", "x"
    )
    with pytest.raises(DocumentError) as caught:
        convert(document, Rule, ("rules", 1))
    assert str(caught.value) == "x:4: rules[1].id: expected text, got 7"


def test_convert_keeps_what_a_struct_itself_refuses() -> None:
    assert problems("- value: 3\n- value: -1\n", list[Positive]) == [(2, "[1]", "must be positive")]


def test_convert_stops_after_many_mistakes() -> None:
    assert len(problems("\n".join(["- x"] * 5_000), list[int])) == 200


def test_problems_read_as_sentences() -> None:
    assert str(Problem("areas.yaml", 12, "areas[3].type", "unknown")) == "areas.yaml:12: areas[3].type: unknown"
    assert str(Problem("areas.yaml", 0, "", "the file is empty")) == "areas.yaml: the file is empty"
    assert field_name(("areas", 3, "type")) == "areas[3].type"
    assert field_name(()) == ""


def test_a_near_word_is_suggested_and_a_far_one_is_not() -> None:
    assert suggest("slop", ["slope", "river"]) == " (did you mean 'slope'?)"
    assert suggest("xyz", ["slope", "river"]) == ""
    assert suggest("point-12345x", (f"point-{i}" for i in range(100_000))) != ""


scalars = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=20).filter(str.isprintable)
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdefgh", min_size=1, max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(trees.filter(lambda tree: isinstance(tree, list | dict)))
def test_json_is_read_as_what_it_says(tree: object) -> None:
    assert parse_document(json.dumps(tree, ensure_ascii=False), "x").data == tree


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_input_gives_a_document_or_problems(source: bytes | str) -> None:
    try:
        document = parse_document(source, "x")
    except DocumentError as error:
        assert error.problems
        assert all(found.file == "x" and found.line >= 0 for found in error.problems)
    else:
        assert isinstance(document, Document)


@given(st.text("ab:-[]{}&*!|>'\"#%@,? \n\t.0159~<", max_size=60))
def test_any_yaml_like_text_gives_a_document_or_problems(source: str) -> None:
    try:
        document = parse_document(source, "x")
    except DocumentError as error:
        assert error.problems
        return
    try:
        convert(document, Rule)
    except DocumentError as error:
        assert error.problems
