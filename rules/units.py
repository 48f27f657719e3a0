"""Units behind numbers: `1.2 m`, `8 mm/h`, `20 %LEL`, `3 1/h`. Blanked out before Python's grammar sees a condition."""

from __future__ import annotations

import re

from sensors.measure import SITE_UNITS, is_unit

_PER = ("s", "min", "h", "d")
_LETTER = "A-Za-zµμΩ"
_PIECE = rf"[{_LETTER}]+(?:\^-?[1-9]|[23²³])?"
_TOKEN = re.compile(
    r"(?P<text>'[^']*'|\"[^\"]*\")|(?P<word>[^\W\d]\w*)"
    r"|(?P<number>(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
    r"[ ]*(?P<unit>(?<= )1/(?:s|min|h|d)\b"
    rf"|(?!(?:and|or|not|if|else|in|is)\b)(?:[%‰°](?:{_PIECE})?|{_PIECE})(?:[/·*]{_PIECE})*)?"
)
_SUPERSCRIPT = str.maketrans({"²": "^2", "³": "^3", "μ": "µ"})


def take_units(text: str) -> tuple[str, dict[int, str]]:
    """Blank out the units behind numbers; return the text (same length) and unit by the number's place."""
    units: dict[int, str] = {}
    out = list(text)
    for token in _TOKEN.finditer(text):
        written = token["unit"]
        if not written:
            continue
        end = token.end("unit")
        unit = _plain_unit(written)
        while "*" in written and not is_unit(unit):
            written = written.rpartition("*")[0]
            end, unit = token.start("unit") + len(written), _plain_unit(written)
        units[token.start("number")] = unit
        out[token.start("unit") : end] = " " * (end - token.start("unit"))
    return "".join(out), units


def measures(unit: str) -> bool:
    """Tell whether a text is a unit, or the rate of one: also of those that pint cannot write a rate of (%LEL/h)."""
    base, _, per = unit.rpartition("/")
    if unit in SITE_UNITS or (base in SITE_UNITS and per in _PER):
        return True  # known without importing pint
    return is_unit(unit) or (per in _PER and is_unit(base))


def _plain_unit(written: str) -> str:
    unit = written.translate(_SUPERSCRIPT)
    return re.sub(rf"([{_LETTER}])([23])", r"\1^\2", unit)
