"""Write a site's points, cameras, areas or units as a table that `foreshock import` reads back."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from sensors.site import LEVELS, Site
from sensors.spreadsheet.columns import OF, Kind
from sensors.spreadsheet.table import guarded

HEADINGS = {
    "zh-CN": {
        "id": "编号",
        "name_zh": "中文名称",
        "name_en": "英文名称",
        "areas": "区域",
        "quantity": "监测量",
        "unit": "计量单位",
        "kind": "种类",
        "limit": "限值",
        "limit_below": "低于限值",
        "blue": "蓝色阈值",
        "yellow": "黄色阈值",
        "orange": "橙色阈值",
        "red": "红色阈值",
        "range_low": "量程下限",
        "range_high": "量程上限",
        "normal_low": "正常下限",
        "normal_high": "正常上限",
        "interval": "上报间隔",
        "accept_age": "接收时限",
        "latitude": "纬度",
        "longitude": "经度",
        "tags": "标签",
        "sources": "数据来源",
        "source_unit": "来源单位",
        "renamed_from": "曾用编号",
        "drivers": "驱动测点",
        "redundant": "冗余测点",
        "gateway": "所属网关",
        "view": "视野",
        "stream": "视频流",
        "snapshot": "抓图地址",
        "source": "分析名称",
        "supplier": "供应商",
        "type": "区域类型",
        "place": "地点",
        "group": "分组",
        "types": "处置类型",
        "contact": "联系方式",
    }
}
"""Headings by language; in English a column is called as its field."""


def cells_of(kind: Kind, part: Any) -> dict[str, str]:
    """Write one point, camera, area or unit as cells by field; empty where the site says nothing."""
    found: dict[str, str] = {}
    low, high = getattr(part, "range", None) or (None, None)
    normal_low, normal_high = getattr(part, "normal", None) or (None, None)
    latitude, longitude = part.location or (None, None)
    levels = getattr(part, "levels", {})
    drivers = (f"{one.point} ({_cell(one.lag)} s)" for one in getattr(part, "drivers", ()))
    special = {
        "kind": None if getattr(part, "guess", False) else getattr(part, "kind", None),  # what is guessed is not said
        "drivers": tuple(drivers),
        "name_zh": part.name.zh,
        "name_en": part.name.en,
        "name": "",
        "range_low": low,
        "range_high": high,
        "normal_low": normal_low,
        "normal_high": normal_high,
        "latitude": latitude,
        "longitude": longitude,
        **{level: levels.get(level) for level in LEVELS},
    }
    for field in OF[kind]:
        found[field] = _cell(special[field] if field in special else getattr(part, field))
    return found


def _cell(value: Any) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, tuple):
        return "; ".join(value)
    return str(value)


def rows(site: Site, kind: Kind, language: str = "en") -> list[list[str]]:
    """List the table's rows, the headings first."""
    fields = [field for field in OF[kind] if field != "name"]
    headings = HEADINGS.get(language, {})
    listed = [[headings.get(field, field) for field in fields]]
    for part in getattr(site, kind):
        cells = cells_of(kind, part)
        listed.append([cells[field] for field in fields])
    return listed


def write(path: Path, site: Site, kind: Kind, language: str = "en") -> int:
    """Write a .csv (UTF-8 with a mark that Excel knows) or .xlsx file; return the rows under the headings.

    Raise `ValueError` for another ending.
    """
    listed = rows(site, kind, language)
    if path.suffix.lower() == ".csv":
        out = io.StringIO(newline="")
        csv.writer(out).writerows([[guarded(cell) for cell in row] for row in listed])
        path.write_bytes(b"\xef\xbb\xbf" + out.getvalue().encode())
    elif path.suffix.lower() == ".xlsx":
        _write_workbook(path, kind, listed)
    else:
        raise ValueError(f"{path.name} is neither .csv nor .xlsx")
    return len(listed) - 1


def _write_workbook(path: Path, kind: Kind, listed: list[list[str]]) -> None:
    from openpyxl import Workbook  # here: it takes as long to load as most commands
    from openpyxl.cell import WriteOnlyCell

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(kind)
    sheet.freeze_panes = "B2"
    for row in listed:
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, value="")
            cell.value, cell.data_type = text, "s"  # a text that begins with = is no formula
            cells.append(cell)
        sheet.append(cells)
    workbook.save(path)
