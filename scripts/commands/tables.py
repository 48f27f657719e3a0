"""`foreshock import` and `foreshock export`: a site's points, cameras, areas and units as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from scripts.commands.check import rule_mistakes
from scripts.commands.speaking import at_site_folder
from scripts.commands.spoken import said, speak_as
from scripts.commands.terminal import JsonOption, aside, done, fail, tell, wrong
from sensors.document import DocumentError
from sensors.registry import check_site
from sensors.spreadsheet import entries, export
from sensors.spreadsheet.columns import Kind
from sensors.spreadsheet.table import survey_table

NAMED = 50
"""Mistakes that are named at the terminal; those beyond are counted."""

KindOption = Annotated[Kind | None, typer.Option("--kind", help="What the table holds, where its columns do not tell.")]


def import_table(
    file: Annotated[Path, typer.Argument(help="A .csv or .xlsx file; the first row names the columns.")],
    site: Annotated[Path, typer.Option("--site", help="Folder of the site.")],
    kind: KindOption = None,
    columns: Annotated[
        list[str] | None, typer.Option("--map", metavar="COLUMN=FIELD", help="Say what a column is; may be repeated.")
    ] = None,
    sheet: Annotated[str, typer.Option(help="Sheet of a workbook.", show_default="the first")] = "",
    target: Annotated[
        str, typer.Option("--out", help="File of the site to write.", show_default="areas/imported.yaml")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take points, cameras, areas or units from a table into a site.

    Columns are known by their names in Chinese or English. A row whose id was imported before changes that entry. The
    whole site is checked as it would be then, as `foreshock check` does, with the rules' own tests; if anything is
    wrong nothing is written, and all mistakes of cells and of the site are named at once, with row, column and what to
    do. What is imported stands in a file of its own: those written by hand are not touched.

    foreshock import areas.xlsx --site my-site

    foreshock import points.csv --site my-site --map "点位号=id" --dry-run
    """
    speak_as(at_site_folder(site, None).language)
    mapped: dict[str, str] = {}
    for one in columns or []:
        column, sign, field = one.partition("=")
        if not sign or not field:
            fail(f"--map {one}: write COLUMN=FIELD")
        mapped[column.strip()] = field.strip()
    try:
        planned = entries.plan(survey_table(file, sheet), site, kind, mapped, target, rule_mistakes)
        if not dry_run:
            entries.write(planned)
    except DocumentError as error:
        if as_json:
            print(msgspec.json.encode({"problems": msgspec.to_builtins(error.problems)}).decode())
        else:
            for problem in error.problems[:NAMED]:
                wrong(str(problem))
            if len(error.problems) > NAMED:
                aside(f"… and {len(error.problems) - NAMED} more; --json names them all")
        fail(f"{len(error.problems)} problem(s); nothing was written")
    except ValueError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot write into {site}: {error.strerror or error}")
    if as_json:
        answer = {
            "kind": planned.kind,
            "out": str(planned.out),
            "written": not dry_run,
            **{name: getattr(planned, name) for name in ("added", "updated", "unchanged", "ignored")},
        }
        print(msgspec.json.encode(answer).decode())
        return
    if planned.ignored:
        tell(f"columns left out: {', '.join(planned.ignored)}", "  ")
    counts = ", ".join(f"{len(getattr(planned, how))} {said(how)}" for how in ("added", "updated", "unchanged"))
    kind, into = said(planned.kind), planned.out
    done(f"{kind}: {counts}; would be in {into}" if dry_run else f"{kind}: {counts}; is in {into}")
    if not dry_run:
        tell("`foreshock reload` puts it in force where Foreshock runs", "  ")


def export_table(
    file: Annotated[Path, typer.Argument(help="The .csv or .xlsx file to write.")],
    site: Annotated[Path, typer.Option("--site", help="Folder of the site.")],
    kind: Annotated[Kind, typer.Option("--kind", help="What to write.")] = "points",
    language: Annotated[Literal["en", "zh-CN"], typer.Option(help="Language of the headings.")] = "en",
) -> None:
    """Write a site's points, cameras, areas or units as a table, which `foreshock import` reads back.

    foreshock export points.xlsx --site my-site --language zh-CN

    foreshock export units.csv --site my-site --kind units
    """
    speak_as(at_site_folder(site, None).language)
    loaded, problems = check_site(site)
    if loaded is None:
        for problem in problems[:20]:
            wrong(str(problem))
        fail(f"{len(problems)} problem(s) in {site}; nothing was written")
    try:
        count = export.write(file, loaded, kind, language)
    except ValueError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror or error}")
    done(f"{count} {said(kind)} are in {file}")
