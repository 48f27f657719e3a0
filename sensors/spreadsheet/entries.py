"""Turn the rows of a table into entries of a site's files, check the site that comes of them, and write it."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from sensors import one_a_line
from sensors.document import MAX_BYTES, DocumentError, Problem, convert, read_document
from sensors.mistakes import mistakes
from sensors.registry import check_site
from sensors.site import LEVELS, Site, Text, Unit
from sensors.site_files import AreaEntry, CameraAlone, PointEntry, TypesFile
from sensors.spreadsheet.columns import FIELDS, NEEDED, OF, CellError, Kind, fields_of, kind_of
from sensors.spreadsheet.export import cells_of
from sensors.spreadsheet.table import Row, Table

DEFAULT_OUT = "imported.yaml"
FOLDER: dict[Kind, str] = {"areas": "areas", "points": "areas", "cameras": "areas", "units": "units"}
_NEVER = ("range", "normal")
_ENDS = tuple(f"{pair}_{end}" for pair in _NEVER for end in ("low", "high"))
_BY_QUANTITY = ("unit", "source_unit", "limit", "limit_below", *LEVELS, *_ENDS)
_ENTRIES: dict[Kind, type] = {"areas": AreaEntry, "points": PointEntry, "cameras": CameraAlone, "units": Unit}
_FIELD = re.compile(r"(\w+)\[(\d+)\](?:\.(\w+))?")


Further = Callable[[Path, Site], list[Problem]]
"""What else is to be checked of a site: its folder, and what it holds → mistakes."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would write: the file, its text, and the ids by what becomes of them."""

    kind: Kind
    out: Path
    text: str
    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    ignored: tuple[str, ...]  # columns that are no field


def plan(
    table: Table,
    site: Path,
    kind: Kind | None = None,
    mapped: Mapping[str, str] | None = None,
    out: str = "",
    further: Further = lambda folder, site: [],
) -> Plan:
    """Work out what an import changes in a site folder, and check the whole site as it would be then.

    What is imported stands in a file of its own, which the import owns whole: files written by hand, with their
    comments, are never touched. `further` checks what is beyond the registry, such as the rules.

    Raise `DocumentError` with file, row and column of every mistake, those of the cells together with those of the site
    that would come of the rest; `ValueError` when the file as such cannot be imported.
    """
    fields = fields_of(table, mapped or {})
    kind = kind or kind_of(fields)
    if kind is None:
        raise ValueError(f"cannot tell what {table.file} holds: say --kind points, cameras, areas or units")
    missing = [field for field in NEEDED[kind] if field not in fields.values()]
    if missing:
        wanted = "; ".join(f"{field} ({', '.join(FIELDS[field][1][:4])})" for field in missing)
        raise ValueError(f"{table.file} has no column for {wanted}: name it, or say --map COLUMN=FIELD")
    used = {place: field for place, field in fields.items() if field in OF[kind]}
    ignored = tuple(name for place, name in enumerate(table.header) if name and place not in used)
    target = _target(site, kind, out)
    before, problems = check_site(site)
    if before is None:
        raise DocumentError(problems)
    content = _content(target)
    own = {entry["id"]: entry for entry in content.get(kind, ())}
    called = _quantities(site)
    read, problems = _read(table, kind, used, before, called)
    there = {part.id: part for part in getattr(before, kind)}
    added: list[str] = []
    updated: list[str] = []
    unchanged: list[str] = []
    rows: dict[str, Row] = {}
    for row, entry in read:
        id = entry["id"]
        rows[id] = row
        if id in own:
            (unchanged if own[id] == entry else updated).append(id)
            own[id] = entry
        elif id in there:
            differing = _differing(table, kind, used, row, there[id], called)
            unchanged.append(id)
            problems += [
                Problem(table.file, row.number, column, f"'{id}' is written by hand in the site; change it there")
                for column in differing
            ]
        else:
            added.append(id)
            own[id] = entry
    content[kind] = list(own.values())
    text = one_a_line.document(content, f"foreshock import wrote this file, last from {table.file}.")
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(f"{target.name} would be larger than {MAX_BYTES:,} bytes: import a part with another --out")
    ids = [entry["id"] for entry in content[kind]]
    problems += _check(site, target, text, table, kind, used, ids, rows, further)
    if problems or table.problems:
        raise DocumentError(sorted({*problems, *table.problems}))
    return Plan(
        kind=kind,
        out=target,
        text=text,
        added=tuple(added),
        updated=tuple(updated),
        unchanged=tuple(unchanged),
        ignored=ignored,
    )


def write(plan: Plan) -> None:
    """Write what was planned, in one step; nothing where nothing changes."""
    if not (plan.added or plan.updated):
        return
    plan.out.parent.mkdir(exist_ok=True)
    fresh = plan.out.with_suffix(".new")
    fresh.write_text(plan.text, encoding="utf-8")
    fresh.replace(plan.out)


def _target(site: Path, kind: Kind, out: str) -> Path:
    name = out or f"{FOLDER[kind]}/{DEFAULT_OUT}"
    target = site / name
    if target.suffix != ".yaml" or target.parent != site / FOLDER[kind] or ".." in Path(name).parts:
        raise ValueError(f"{kind} are read from {FOLDER[kind]}/*.yaml of the site: choose such a file with --out")
    return target


def _content(target: Path) -> dict[str, Any]:
    """Read what an earlier import wrote. Raise `ValueError` for a file that a person wrote."""
    if not target.exists():
        return {}
    with target.open(encoding="utf-8", errors="replace") as stream:
        if not stream.readline().startswith(one_a_line.MARK):
            raise ValueError(f"{target.name} is written by hand: choose another file with --out")
    content: dict[str, Any] = read_document(target, name=target.name).data
    return content


def _read(
    table: Table, kind: Kind, used: Mapping[int, str], site: Site, called: Mapping[str, str]
) -> tuple[list[tuple[Row, dict[str, Any]]], list[Problem]]:
    """Make an entry of each row, and list what is wrong with its cells.

    What is wrong is left out of the entry, and what every entry needs put in, so that the rest can be checked as well.
    """
    problems: list[Problem] = []
    found: list[tuple[Row, dict[str, Any]]] = []
    first: dict[str, int] = {}
    columns = {field: table.header[place] for place, field in used.items()}
    for row in table.rows:
        noted: list[tuple[str, str]] = []  # column, message
        values: dict[str, Any] = {}
        for place, field in used.items():
            cell = row.cells[place]
            if cell:
                try:
                    values[field] = FIELDS[field][0](cell)
                except CellError as error:
                    noted.append((table.header[place], str(error)))
            elif field in NEEDED[kind] and place not in row.unread:
                noted.append((table.header[place], "the cell is empty: every row needs one"))
        if "quantity" in values:
            values["quantity"] = called.get(values["quantity"].casefold(), values["quantity"])
        id = values.get("id")
        if id in first:
            noted.append(
                (
                    columns["id"],
                    f"'{id}' stands in row {first[id]} already: give it another id, or leave one of them out",
                )
            )
            del values["id"]
        elif id is not None:
            first[id] = row.number
        lacking = [field for field in NEEDED[kind] if field not in values]
        for field in lacking:
            values[field] = _stand_in(kind, field, row, site)
        if "quantity" in lacking:  # it is what these are checked by
            values = {field: value for field, value in values.items() if field not in _BY_QUANTITY}
        entry, wrong = _entry(kind, values)
        noted += wrong
        noted += [(columns.get(field, field), message) for field, message in _mistyped(kind, entry)]
        problems += [Problem(table.file, row.number, column, message) for column, message in noted]
        found.append((row, entry))
    return found, problems


def _quantities(site: Path) -> dict[str, str]:
    """Say which quantity is called what, in Chinese and English, where that is one only."""
    types = convert(read_document(site / "types.yaml"), TypesFile)
    called: dict[str, set[str]] = {}
    for id, settings in types.quantities.items():
        name = settings.name
        if isinstance(name, Text):
            for word in (name.zh, name.en):
                called.setdefault(word.casefold(), set()).add(id)
    one = {word: next(iter(ids)) for word, ids in called.items() if len(ids) == 1}
    return one | {id: id for id in types.quantities}


def _stand_in(kind: Kind, field: str, row: Row, site: Site) -> Any:
    """Give what is checked in place of a value that a row lacks: one that raises no further question."""
    match field:
        case "id":
            return f"row-{row.number}"
        case "areas":
            return [one.id for one in site.areas[:1]]
        case "quantity":
            return next((one.quantity for one in site.points), "")
        case "type":
            return next((one.type for one in site.areas), "")
        case "place":
            return next((one.place for one in site.areas), "")
    return "community"  # the kind of a unit


def _mistyped(kind: Kind, entry: dict[str, Any]) -> list[tuple[str, str]]:
    """Take out of an entry what cannot be what its field holds, and say why."""
    try:
        msgspec.convert(entry, _ENTRIES[kind])
    except msgspec.ValidationError as error:
        found = [(str(path[0]) if path else "", said) for path, said in mistakes(entry, _ENTRIES[kind], str(error))]
        for field, _ in found:
            if field in NEEDED[kind]:
                entry[field] = "community"
            else:
                entry.pop(field, None)
        return found
    return []


def _entry(kind: Kind, values: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Put a row's values into the shape of the site's files; say what it lacks for that, as (no column, message)."""
    entry: dict[str, Any] = {"id": values["id"]}
    wrong: list[tuple[str, str]] = []
    plain, zh, en = (values.get(name) for name in ("name", "name_zh", "name_en"))
    if zh or en or plain:
        entry["name"] = {"zh": zh or plain or en, "en": en or plain or zh}
    elif kind in ("areas", "units"):
        wrong.append(("", "the name is missing: fill name, or name_zh and name_en"))
        entry["name"] = {"zh": values["id"], "en": values["id"]}
    levels = {level: values[level] for level in LEVELS if level in values}
    if levels:
        entry["levels"] = levels
    for pair in _NEVER:
        ends = [values.get(f"{pair}_low"), values.get(f"{pair}_high")]
        if None not in ends:
            entry[pair] = ends
        elif ends != [None, None]:
            wrong.append(("", f"give both ends of the {pair}: {pair}_low and {pair}_high"))
    location = [values.get("latitude"), values.get("longitude")]
    if None not in location:
        entry["location"] = location
    elif location != [None, None]:
        wrong.append(("", "give latitude and longitude, or neither"))
    shaped = {"id", "name", "name_zh", "name_en", "latitude", "longitude", *LEVELS, *_ENDS}
    entry |= {field: value for field, value in values.items() if field not in shaped}
    return entry, wrong


def _differing(
    table: Table, kind: Kind, used: Mapping[int, str], row: Row, part: Any, called: Mapping[str, str]
) -> list[str]:
    """Name the columns in which a row says something else than the site does."""
    now = cells_of(kind, part)
    differing = []
    for place, field in used.items():
        cell = row.cells[place]
        if cell and field != "name":
            read = FIELDS[field][0]
            said = called.get(cell.casefold(), cell) if field == "quantity" else read(cell)
            if said != (read(now[field]) if now[field] else None):
                differing.append(table.header[place])
    return differing


def _check(
    site: Path,
    target: Path,
    text: str,
    table: Table,
    kind: Kind,
    used: Mapping[int, str],
    ids: list[str],
    rows: Mapping[str, Row],
    further: Further,
) -> list[Problem]:
    """Check a copy of the site with the new text in it; tell mistakes in it by the table's rows and columns."""
    with tempfile.TemporaryDirectory(prefix="foreshock-import-") as folder:
        copy = Path(folder) / "site"
        shutil.copytree(site, copy, ignore=lambda _, names: [name for name in names if _is_other(name)])
        changed = copy / target.relative_to(site)
        changed.parent.mkdir(exist_ok=True)
        changed.write_text(text, encoding="utf-8")
        changed_site, problems = check_site(copy)
        if changed_site is not None:
            problems += further(copy, changed_site)
    name = str(target.relative_to(site))
    columns = {field: table.header[place] for place, field in used.items()}
    return [_by_row(one, name, table, kind, columns, ids, rows) for one in problems]


def _is_other(name: str) -> bool:
    """Tell files that are no part of a site's definition: pictures of it may be large."""
    return "." in name and not name.endswith((".yaml", ".yml", ".geojson", ".csv", ".ics"))


def _by_row(
    problem: Problem,
    name: str,
    table: Table,
    kind: Kind,
    columns: Mapping[str, str],
    ids: list[str],
    rows: Mapping[str, Row],
) -> Problem:
    at = _FIELD.match(problem.field)
    if problem.file != name or at is None or at[1] != kind or int(at[2]) >= len(ids):
        return problem
    row = rows.get(ids[int(at[2])])
    if row is None:
        return problem
    field = at[3] or ""
    ends = {"range": "range_low", "normal": "normal_low", "location": "latitude", "name": "name_zh"}
    column = columns.get(field) or columns.get(ends.get(field, ""), "")
    if field == "levels":
        column = next((columns[level] for level in LEVELS if level in columns and level in problem.message), "levels")
    return Problem(table.file, row.number, column or field, problem.message)
