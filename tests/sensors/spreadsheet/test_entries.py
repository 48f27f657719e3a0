"""Tables into a site and back: what is recognised, what is refused and where, and what is never touched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from openpyxl import Workbook

from sensors.document import DocumentError
from sensors.registry import load_site
from sensors.site import Driver, Site
from sensors.spreadsheet import entries, export
from sensors.spreadsheet.columns import KINDS, Kind, fields_of
from sensors.spreadsheet.entries import Plan
from sensors.spreadsheet.table import Row, Table, read_table, survey_table

DISTRICT = Path(__file__).parents[3] / "examples" / "district"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    shutil.copytree(DISTRICT, folder)
    return folder


@pytest.fixture(scope="module")
def district() -> Site:
    return load_site(DISTRICT)


def table(header: str, *rows: str) -> Table:
    cells = tuple(Row(n, tuple(row.split(","))) for n, row in enumerate(rows, 2))
    return Table("points.csv", tuple(header.split(",")), 1, cells)


def take(site: Path, header: str, *rows: str, kind: Kind | None = None, **mapped: str) -> Plan:
    planned = entries.plan(table(header, *rows), site, kind, mapped)
    entries.write(planned)
    return planned


CHINESE = "测点编号,名称,所属区域,监测指标,计量单位,限值,量程下限,量程上限,上报间隔,纬度,经度,备注"
ROW = "new-1,新雨量计,slope-01;slope-02,rain,mm/h,50,0,300,5 min,22.8,113.8,旧"


def test_a_point_is_taken_from_chinese_columns(site: Path) -> None:
    planned = take(site, CHINESE, ROW)
    assert (planned.kind, planned.added, planned.ignored) == ("points", ("new-1",), ("备注",))
    [point] = [one for one in load_site(site).points if one.id == "new-1"]
    assert (point.name.zh, point.areas, point.unit, point.limit) == ("新雨量计", ("slope-01", "slope-02"), "mm/h", 50)
    assert (point.range, point.interval, point.location) == ((0, 300), 300, (22.8, 113.8))


def test_points_that_foretell_and_that_measure_the_same_are_taken(site: Path) -> None:
    header = "测点编号,所属区域,监测指标,驱动测点,冗余测点"
    take(
        site,
        header,
        "up-1,slope-01,rain,,",
        "up-2,slope-01,rain,,",
        "low-1,slope-01,soil,up-1（3 h）; up-2,",
        "low-2,slope-01,soil,,low-1",
    )
    points = {one.id: one for one in load_site(site).points}
    assert points["low-1"].drivers == (Driver(point="up-1", lag=10800.0), Driver(point="up-2"))
    assert points["low-2"].redundant == ("low-1",)
    assert take(site, header, "low-1,slope-01,soil,up-1 (180 min);up-2 (8 h),").unchanged == ("low-1",)
    with pytest.raises(DocumentError, match="nobody"):
        take(site, header, "low-1,slope-01,soil,nobody (1 h),")


def test_a_quantity_may_be_called_by_its_name(site: Path) -> None:
    take(site, "测点编号,所属区域,监测指标", "new-2,slope-01,倾斜", "new-3,slope-01,TILT")
    assert {one.quantity for one in load_site(site).points if one.id in ("new-2", "new-3")} == {"tilt"}


def test_areas_units_and_cameras_are_taken_too(site: Path) -> None:
    take(site, "id,name_zh,name_en,type,place", "slope-99,新坡,New slope,slope,yanluo-yanchuan")
    take(site, "编号,名称,所属区域,视频流", "eye-1,新摄像机,slope-99,rtsp://10.0.0.9/1")
    planned = take(site, "单位编号,名称,种类,地点,联系电话", "team-99,新队,community,yanluo-yanchuan,110")
    assert planned.out == site / "units" / "imported.yaml"
    found = load_site(site)
    assert {"slope-99"} <= {one.id for one in found.areas} and {"team-99"} <= {one.id for one in found.units}
    [camera] = [one for one in found.cameras if one.id == "eye-1"]
    assert (camera.areas, camera.stream) == (("slope-99",), "rtsp://10.0.0.9/1")


def test_a_second_import_changes_what_the_first_wrote_and_no_other_file(site: Path) -> None:
    before = {file: file.read_bytes() for file in site.rglob("*.yaml")}
    assert take(site, CHINESE, ROW).added == ("new-1",)
    again = take(site, CHINESE, ROW)
    assert (again.added, again.updated, again.unchanged) == ((), (), ("new-1",))
    more = take(site, CHINESE, ROW.replace("50", "60"), ROW.replace("new-1", "new-2"))
    assert (more.added, more.updated) == (("new-2",), ("new-1",))
    assert [one.limit for one in load_site(site).points if one.id.startswith("new-")] == [60, 50]
    assert {file: file.read_bytes() for file in before} == before  # comments and all


def test_what_a_person_wrote_is_neither_changed_nor_overwritten(site: Path) -> None:
    with pytest.raises(DocumentError) as raised:
        take(site, "id,areas,quantity,limit", "slope-01-soil-1,slope-01,soil,12345")
    [problem] = raised.value.problems
    assert (problem.line, problem.field) == (2, "limit") and "by hand" in problem.message
    with pytest.raises(ValueError, match="by hand"):
        entries.plan(table(CHINESE, ROW), site, out="areas/slopes.yaml")
    for outside in ("../x.yaml", "areas/../../x.yaml", "areas/x.txt", "units.yaml"):
        with pytest.raises(ValueError, match="choose such a file"):
            entries.plan(table(CHINESE, ROW), site, out=outside)


@pytest.mark.parametrize(
    ("old", "new", "column", "words"),
    [
        ("50,0", "abc,0", "限值", "expected a number, got 'abc'"),
        ("50,0", "nan,0", "限值", "finite"),
        ("50,0", "500,0", "限值", "outside the physical range"),
        ("mm/h", "mm/foo", "计量单位", "not a unit"),
        ("rain,", "rian,", "监测指标", "did you mean 'rain'"),
        ("slope-02", "slope-99", "所属区域", "unknown area 'slope-99'"),
        ("new-1", "New 1", "测点编号", "try 'new-1'"),
        ("new-1", "", "测点编号", "empty"),
        ("5 min", "5 mins ago", "上报间隔", "5 mins ago"),
        ("22.8", "122.8", "纬度", "no latitude"),
        ("22.8,113.8", "22.8,", "", "latitude and longitude"),
        ("0,300", "0,", "", "both ends of the range"),
    ],
)
def test_a_mistake_is_told_by_row_and_column(site: Path, old: str, new: str, column: str, words: str) -> None:
    assert old in ROW
    with pytest.raises(DocumentError) as raised:
        take(site, CHINESE, ROW.replace("new-1", "fine"), ROW.replace(old, new, 1))
    [problem] = raised.value.problems
    assert (problem.file, problem.line, problem.field) == ("points.csv", 3, column)
    assert words in problem.message
    assert not (site / "areas" / "imported.yaml").exists()


def test_all_mistakes_of_a_table_are_told_at_once(site: Path) -> None:
    rows = [
        ROW.replace("50,0", "abc,0").replace("rain,", "rian,"),  # a cell and what the site knows, in one row
        ROW.replace("new-1", "").replace("slope-02", "slope-99"),
        ROW.replace("new-1", "new-2").replace("5 min", "5 mins ago").replace(",113.8", ","),
        ROW.replace("new-1", "new-2").replace("0,300", "0,").replace("mm/h", "mm/foo"),
        ROW.replace("new-1", "slope-01-soil-1").replace("rain,mm/h", "soil,%"),
        ROW.replace("new-1", "new-3").replace("rain,", ",").replace("slope-02", "slope-98"),
        ROW.replace("new-1", "fine"),
    ]
    with pytest.raises(DocumentError) as raised:
        take(site, CHINESE, *rows)
    told = [(one.line, one.field) for one in raised.value.problems]
    assert told[:10] == [
        (2, "监测指标"),
        (2, "限值"),
        (3, "所属区域"),
        (3, "测点编号"),
        (4, ""),
        (4, "上报间隔"),
        (5, ""),
        (5, "测点编号"),
        (5, "计量单位"),
        (6, "上报间隔"),
    ]
    assert {line for line, _ in told[10:]} == {6, 7} and told[-2:] == [(7, "所属区域"), (7, "监测指标")]
    assert len(told) == len(set(told)), "each cell is told of once"
    assert all("row-" not in one.message for one in raised.value.problems), "stand-ins are no business of the reader"
    assert not (site / "areas" / "imported.yaml").exists()


def test_units_of_unknown_kinds_and_other_mistakes_are_told_together(site: Path) -> None:
    with pytest.raises(DocumentError) as raised:
        take(
            site,
            "单位编号,名称,种类,地点,纬度,经度",
            "team-1,队,comunity,yanluo-yanchuan,22,113",
            "team-2,,community,nowhere,22,113",
            "team-3,队,community,,222,113",
            kind="units",
        )
    told = [(one.line, one.field) for one in raised.value.problems]
    assert told == [(2, "种类"), (3, ""), (3, "地点"), (4, "地点"), (4, "纬度")]
    assert "community" in raised.value.problems[0].message


def test_cells_that_cannot_be_read_are_told_with_the_rest(site: Path, tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(["id", "areas", "quantity", "limit"])
    book.active.append(["new-1", "slope-01", "=A1", "x"])
    book.active.append(["new-2", "slope-99", "rain", "=1+1"])
    file = tmp_path / "p.xlsx"
    book.save(file)
    with pytest.raises(DocumentError) as raised:
        entries.plan(survey_table(file), site)
    told = [(one.line, one.field) for one in raised.value.problems]
    assert told == [(2, "C"), (2, "limit"), (3, "D"), (3, "areas")]


def test_two_rows_of_one_id_are_told(site: Path) -> None:
    with pytest.raises(DocumentError, match="stands in row 2 already"):
        take(site, CHINESE, ROW, ROW)


def test_columns_can_be_named(site: Path) -> None:
    header = CHINESE.replace("测点编号", "点位").replace("备注", "标签")
    with pytest.raises(ValueError, match="no column for id"):
        take(site, header, ROW)
    assert take(site, header, ROW, 点位="id").added == ("new-1",)
    with pytest.raises(ValueError, match="no column '没有'"):
        fields_of(table(header), {"没有": "id"})
    with pytest.raises(ValueError, match="no field 'x'"):
        fields_of(table(header), {"点位": "x"})
    with pytest.raises(ValueError, match="cannot tell"):
        take(site, "id,name", "a,b")


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_what_is_exported_is_what_the_site_says_already(
    site: Path, district: Site, tmp_path: Path, kind: Kind, ending: str, language: str
) -> None:
    file = tmp_path / f"{kind}.{ending}"
    count = export.write(file, district, kind, language)
    assert count == len(getattr(district, kind)) > 0
    planned = entries.plan(read_table(file), site, kind)
    assert (planned.added, planned.updated, len(planned.unchanged)) == ((), (), count)
    entries.write(planned)
    assert not planned.out.exists()


@pytest.mark.parametrize("text", ["=1+1", "-x", "'quoted", "no", "1e5", '"a: {b"', "燃气 #1"])
def test_what_was_imported_and_exported_comes_back(site: Path, tmp_path: Path, text: str) -> None:
    header = ("id", "name_zh", "name_en", "areas", "quantity", "limit", "range_low", "range_high")
    cells = ("new-1", text, text, "slope-01", "tilt", "0.1", "-2000", "2000")
    entries.write(entries.plan(Table("a.csv", header, 1, (Row(2, cells),)), site))
    before = load_site(site)
    assert next(one for one in before.points if one.id == "new-1").name.zh == text
    file = tmp_path / "out.csv"
    export.write(file, before, "points")
    entries.write(entries.plan(read_table(file), site))
    assert load_site(site).points == before.points
