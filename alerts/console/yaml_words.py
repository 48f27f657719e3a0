"""What the YAML parser says of a text that it cannot read, in Chinese."""

from __future__ import annotations

import re

_UNPARSED = re.compile(r"not YAML: (.+?)(, while .+?)?( that begins on line \d+)?( \(column \d+\))?", re.DOTALL)
_PARSER = {  # what libyaml says, and what somebody who meets it may have meant
    "mapping values are not allowed in this context": "此处不能再写“键: 值”（缩进不对，或文字中的冒号须加引号）",
    "block sequence entries are not allowed in this context": "此处不能以“- ”开始列表（请另起一行）",
    "could not find expected ':'": "缺少冒号“:”",
    "did not find expected key": "此处应为键（缩进不对，或引号、括号之后有多余的字）",
    "did not find expected '-' indicator": "此处应为以“- ”开头的列表项",
    "did not find expected ',' or ']'": "缺少“,”或“]”",
    "did not find expected ',' or '}'": "缺少“,”或“}”",
    "did not find expected node content": "此处缺少内容",
    "did not find expected comment or line break": "此处应换行",
    "found unexpected end of stream": "文本到此中断（引号没有闭合）",
    "found character that cannot start any token": "文字不能以此字符开头（请加引号）",
    "found unknown escape character": "双引号内有不认识的转义字符（请改用单引号）",
    "did not find expected hexdecimal number": "转义字符后应为十六进制数",
    "found an indentation indicator equal to 0": "缩进不能为 0",
    "did not find expected alphabetic or numeric character": "此处应为字母或数字",
}
_PARSED = {
    "simple key": "键", "block mapping": "键值表", "block collection": "列表", "flow sequence": "方括号列表",
    "flow mapping": "花括号表", "quoted scalar": "带引号的文字", "block scalar": "多行文字", "anchor": "锚",
    "flow node": "值", "block node": "值",
}  # fmt: skip


def unparsed(message: str) -> str | None:
    """Say in Chinese why a text is no YAML, from what `sensors.document` says; None where it says something else.

    What the parser seldom says stays in its own words, after the place.
    """
    found = _UNPARSED.fullmatch(message)
    if found is None:
        return None
    problem, context, since, column = found.groups()
    head = f"不是 YAML（第 {column[9:-1]} 列）" if column else "不是 YAML"
    known = _PARSER.get(problem)
    if known is None:
        return f"{head}，解析器原文：{problem}{context or ''}{since or ''}"
    part = next((chinese for name, chinese in _PARSED.items() if context and context.endswith(f" {name}")), "")
    line = f"自第 {since.rsplit(' ', 1)[1]} 行起的" if since else ""
    return f"{head}：{f'{line}{part}中，' if part else ''}{known}"
