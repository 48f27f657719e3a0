"""What people write in a condition that its language does not have: full-width characters, signs of other languages."""

from __future__ import annotations

import re
from typing import NamedTuple

_WIDE = 0xFEE0
"""How far a full-width character (U+FF01 to U+FF5E) lies from the plain one."""

_SIGNS = {
    "&&": "and",
    "||": "or",
    "!": "not",
    "≥": ">=",
    "≧": ">=",
    "≤": "<=",
    "≦": "<=",
    "≠": "!=",
    "×": "*",
    "÷": "/",
    "−": "-",
    "–": "-",
    "—": "-",
    "、": ",",
    "。": ".",
    "“": "'",
    "”": "'",
    "‘": "'",
    "’": "'",
    "℃": "°C",
}
_WORDS = {
    **dict.fromkeys(("且", "并且", "而且", "和", "与", "同时"), "and"),
    **dict.fromkeys(("或", "或者"), "or"),
    **dict.fromkeys(("非", "不", "不是"), "not"),
    **dict.fromkeys(("大于", "超过", "高于"), ">"),
    **dict.fromkeys(("小于", "低于"), "<"),
    "大于等于": ">=",
    "小于等于": "<=",
    "不小于": ">=",
    "不大于": "<=",
    "等于": "==",
    "不等于": "!=",
}
_UNITS = {
    "微米": "µm", "毫米": "mm", "厘米": "cm", "分米": "dm", "米": "m", "公里": "km", "千米": "km",
    "立方米": "m^3", "平方米": "m^2", "升": "L", "毫升": "mL",
    "毫秒": "ms", "秒": "s", "秒钟": "s", "分": "min", "分钟": "min", "时": "h", "小时": "h", "天": "d", "日": "d",
    "克": "g", "毫克": "mg", "微克": "µg", "千克": "kg", "公斤": "kg", "吨": "t",
    "帕": "Pa", "百帕": "hPa", "千帕": "kPa", "兆帕": "MPa", "巴": "bar", "牛": "N", "千牛": "kN",
    "伏": "V", "千伏": "kV", "毫伏": "mV", "安": "A", "毫安": "mA", "瓦": "W", "千瓦": "kW", "赫兹": "Hz", "赫": "Hz",
    "度": "°", "摄氏度": "°C", "分贝": "dB",
}  # fmt: skip

_HAN = "\u4e00-\u9fff"
_STRANGE = re.compile(
    r"(?P<text>'[^']*'|\"[^\"]*\")"
    rf"|(?P<word>[{_HAN}]+(?:/[{_HAN}]+)*)"
    r"|(?P<sign>&&|\|\||!(?!=)|[^\x00-\x7f])"
)


class Strange(NamedTuple):
    """A character or word that stands for nothing: what to write instead, and its `column` (from 1)."""

    message: str
    column: int


def strange(text: str) -> Strange | None:
    """Find the first thing in a text that is no condition which the language does not have; None where there is none.

    `text` is a condition in which units are blanked out: what is left of them is none of the language's.
    """
    for found in _STRANGE.finditer(text):
        if found["text"] is not None:
            continue
        if found["word"] is not None:
            return Strange(_of_word(found["word"]), found.start() + 1)
        sign, after = found["sign"], text[found.end() : found.end() + 1]
        return Strange(_of_sign(sign, after), found.start() + 1)
    return None


def _of_word(word: str) -> str:
    parts = [_UNITS.get(part) for part in word.split("/")]
    if all(parts):
        return f"'{word}' is no unit here: write {'/'.join(filter(None, parts))}"
    if word in _WORDS:
        return f"'{word}' is not part of the rule language: write {_WORDS[word]}"
    return f"'{word[:40]}' is not part of the rule language: units and names are of Latin letters, as in 3 mm"


def _of_sign(sign: str, after: str) -> str:
    if sign == "\u3000":
        return "a full-width space (U+3000) stands here: write a plain one"
    if not 0xFF01 <= ord(sign[0]) <= 0xFF5E:
        known = _SIGNS.get(sign)
        more = f": write {known}" if known else f" (U+{ord(sign[0]):04X})"
        return f"'{sign}' is not part of the rule language{more}"
    plain = chr(ord(sign) - _WIDE)
    if after in ("=", "＝") and plain in "<>!=":
        return f"'{sign}{after}' is of full-width characters: write {plain}="
    instead = {"=": "==", "!": "not", "&": "and", "|": "or"}.get(plain, plain)
    return f"'{sign}' is a full-width character: write {instead}"
