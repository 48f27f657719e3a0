"""Units as UCUM's case-sensitive codes write them (`Cel`, `[degF]`, `m[H2O]`, `m3/h`, `kW.h`), in pint's words."""

from __future__ import annotations

import re

ATOMS = {
    "Cel": "degC",
    "[degF]": "degF",
    "m[H2O]": "meter_H2O",
    "m[Hg]": "meter_Hg",
    "[in_i'H2O]": "inch_H2O",
    "[in_i'Hg]": "inch_Hg",
    "[psi]": "psi",
    "[in_i]": "inch",
    "[ft_i]": "foot",
    "[yd_i]": "yard",
    "[mi_i]": "mile",
    "[nmi_i]": "nautical_mile",
    "[kn_i]": "knot",
    "[lb_av]": "pound",
    "[gal_us]": "gallon",
    "[acr_us]": "acre",
    "har": "hectare",
    "[pH]": "pH_value",
    "[ppth]": "permille",
    "[ppm]": "ppm",
    "[ppb]": "ppb",
    "Ohm": "ohm",
    "gon": "gradian",
    "'": "arcminute",
    "''": "arcsecond",
    "wk": "week",
    "mo": "month",
    "{NTU}": "NTU",
}
"""UCUM's own names → pint's. Those that both write alike (mm, kPa, mg) are left to pint."""

TENS = {power: f"ten_{'minus' if power < 0 else 'plus'}_{abs(power)}" for power in (*range(-12, 0), *range(1, 13))}
"""Powers of ten (UCUM's `10*-6`, `10^3`) as units of their own, which is what they are there."""

MAX_LENGTH = 40
_PREFIXES = {"h": "hecto", "d": "deci", "c": "centi", "m": "milli", "u": "micro", "k": "kilo", "M": "mega"}
_PREFIXED = ("m[H2O]", "m[Hg]", "Ohm", "[psi]")
_NOTE = r"\{[\w .-]{1,20}\}"
_TEN = re.compile(r"10[*^](-?\d{1,2})\Z")
_TERM = re.compile(rf"(?P<atom>{_NOTE}|[A-Za-z%']*(?:\[[A-Za-z_'0-9]{{1,12}}\])?)(?P<power>-?[1-9])?(?:{_NOTE})?\Z")


def expression(text: str) -> str | None:
    """Write a UCUM code as an expression of pint's; None when it is none. Whether pint knows what is plain is open."""
    if len(text) > MAX_LENGTH or not text:
        return None
    out = ""
    for place, part in enumerate(re.split(r"([./])", text)):
        if place % 2:
            out += "*" if part == "." else "/"
            continue
        if place == 0 and not part and text.startswith("/"):
            out = "count"  # `/min`: so many a minute
            continue
        ten = _TEN.match(part)
        if ten:
            if int(ten[1]) not in TENS:
                return None
            out += TENS[int(ten[1])]
            continue
        term = _TERM.match(part)
        name = _atom(term["atom"]) if term else None
        if term is None or name is None:
            return None
        out += f"{name}**{term['power']}" if term["power"] else name
    return out


def _atom(atom: str) -> str | None:
    if atom in ATOMS:
        return ATOMS[atom]
    if atom.startswith("{"):
        return "count"  # an annotation alone is a number of things
    for base in _PREFIXED:
        prefix = _PREFIXES.get(atom.removesuffix(base)) if atom.endswith(base) else None
        if prefix:
            return prefix + ATOMS[base]
    return atom if atom.isascii() and atom.isalpha() else "percent" if atom == "%" else None
