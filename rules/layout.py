"""Lay a file of rules out the same way every time: the order of fields, what stands on one line; comments are kept."""

from __future__ import annotations

import io
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from rules.rule import (
    Body,
    Corroboration,
    EventStep,
    Flapping,
    Level,
    Levels,
    ModeStep,
    Parameter,
    Rationale,
    Rule,
    RuleFile,
    RuleTest,
    Schedule,
    Series,
    Suppress,
    Template,
    Use,
    Where,
)
from sensors.document import DocumentError, Problem, parse_document

WIDEST = 150
"""Characters of a mapping or list on one line, its indentation included; a longer one takes a line for each entry."""


def laid_out(source: str, file: str) -> str:
    """Return a file of rules with its fields in the published order and its layout made regular.

    A mapping between whose fields comments stand on lines of their own keeps its order. Raise `DocumentError` when the
    text is no YAML that a site may hold, or when what it says would not stay the same.
    """
    before = parse_document(source, file).data  # its limits on size and depth hold here as well
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000  # lines are broken by what stands on them, not by a column
    yaml.indent(mapping=2, sequence=4, offset=2)
    try:
        tree = yaml.load(source)
        _arrange(tree, RuleFile, 0, source.split("\n"))
        written = io.StringIO()
        yaml.dump(tree, written)
    except (YAMLError, RecursionError, ValueError, TypeError) as error:
        raise DocumentError([Problem(file, 0, "", f"cannot be laid out: {error}"[:400])]) from error
    text = "\n".join(line.rstrip() for line in written.getvalue().split("\n"))
    if parse_document(text, file).data != before or _comments(text) != _comments(source):
        raise DocumentError(
            [Problem(file, 0, "", "cannot be laid out without changing what it says; it stays as it is")]
        )
    return text


class _Parameters:
    """Stand for the mapping of a template's parameters by name."""


class _Others:
    """Stand for the mapping of a test's other points by id."""


_EACH: dict[type, type] = {_Parameters: Parameter, _Others: Series}

_PARTS: dict[type, dict[str, type]] = {
    RuleFile: {"rules": Rule, "templates": Template},
    Template: {"parameters": _Parameters, "for": Use, "rule": Body},
    **{
        kind: {
            "where": Where,
            "levels": Levels,
            "schedule": Schedule,
            "with": Corroboration,
            "suppress": Suppress,
            "flapping": Flapping,
            "rationale": Rationale,
            "tests": RuleTest,
        }
        for kind in (Rule, Body)
    },
    Levels: dict.fromkeys(("blue", "yellow", "orange", "red"), Level),
    RuleTest: {"point": Series, "others": _Others, "events": EventStep, "modes": ModeStep},
}
"""The kinds of mappings within each other: those of a list are as their list's."""

_FIRST = {
    Where: ("types", "areas", "quantity"),
    RuleTest: ("name", "step", "point", "camera", "others", "events", "modes"),
}
"""Fields that people look for first, where the published order is another."""


def _arrange(node: Any, kind: type | None, indent: int, lines: list[str]) -> None:
    if isinstance(node, CommentedSeq):
        for item in node:
            _arrange(item, kind, indent + 4, lines)
            _break_up(item, indent)
    elif isinstance(node, CommentedMap):
        if kind is not None and issubclass(kind, msgspec.Struct) and not _commented_between(node, lines):
            fields = [field.encode_name for field in msgspec.structs.fields(kind)]
            known = list(dict.fromkeys((*_FIRST.get(kind, ()), *fields)))
            for key in sorted(node, key=lambda key: known.index(key) if key in known else len(known)):
                node.move_to_end(key)
        parts = _PARTS.get(kind, {}) if kind is not None else {}
        for key, value in node.items():
            inner = _EACH.get(kind, parts.get(key)) if kind is not None else None
            _arrange(value, inner, indent + 2, lines)
            _break_up(value, indent + len(str(key)) + 2)


def _break_up(node: Any, indent: int) -> None:
    """Give each entry a line where one line for all would be too long."""
    if isinstance(node, CommentedMap | CommentedSeq) and node.fa.flow_style() and indent + _length(node) > WIDEST:
        node.fa.set_block_style()


def _length(node: Any) -> int:
    """Tell how long a node is on one line."""
    if isinstance(node, CommentedMap):
        return 2 + sum(len(str(key)) + 2 + _length(value) + 2 for key, value in node.items())
    if isinstance(node, CommentedSeq):
        return 2 + sum(_length(item) + 2 for item in node)
    return len(str(node)) + 2


def _commented_between(node: CommentedMap, lines: list[str]) -> bool:
    """Tell whether a comment on a line of its own stands right above a field that is not the first on its line."""
    for key in list(node)[1:]:
        line = node.lc.key(key)[0] - 1
        while line >= 0 and not lines[line].strip():
            line -= 1
        if line >= 0 and lines[line].lstrip().startswith("#"):
            return True
    return False


def _comments(text: str) -> list[str]:
    """List the comments, as far as lines tell: what stands after the first ' #' or at a line's beginning."""
    found = []
    for line in text.split("\n"):
        head, sign, comment = (" " + line).partition(" #")
        if sign and head.count('"') % 2 == 0 and head.count("'") % 2 == 0:
            found.append(comment.strip())
    return sorted(found)
