"""The columns that tables of points, cameras, areas and units have, by their names in Chinese and English."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from sensors.duration import seconds
from sensors.site import LEVELS, Driver
from sensors.spreadsheet.table import Table

Kind = Literal["points", "cameras", "areas", "units"]
KINDS: tuple[Kind, ...] = ("areas", "points", "cameras", "units")

_LAGGED = re.compile(r"(\S+?)\s*[(（]\s*([^()（）]+?)\s*[)）]")
_LIST = re.compile(r"\s*[;；、|]\s*|\s*[,，]\s*")


class CellError(ValueError):
    """Raised when a cell cannot be what its column holds, with a sentence."""


def _words(cell: str) -> str:
    return cell


def _number(cell: str) -> float | int:
    text = cell.replace("−", "-").translate(_WIDE)
    try:
        number = float(text)
    except ValueError:
        raise CellError(f"expected a number, got '{cell[:40]}'") from None
    if not math.isfinite(number):
        raise CellError(f"expected a finite number, got '{cell[:40]}'")
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _truth(cell: str) -> bool:
    found = _TRUTHS.get(cell.lower())
    if found is None:
        raise CellError(f"expected yes or no (是 or 否), got '{cell[:40]}'")
    return found


def _list(cell: str) -> list[str]:
    return [item for item in _LIST.split(cell) if item]


def _sources(cell: str) -> list[str]:
    return [item for item in re.split(r"\s*[;；|]\s*", cell) if item]  # a name of another dialect may hold commas


def _drivers(cell: str) -> list[Any]:
    """Read `rain-1 (3 h); rain-2`: points, each with the time that what it brings takes to come."""
    found: list[Any] = []
    for item in _sources(cell):
        written = _LAGGED.fullmatch(item)
        if written is None:
            found.append(item)
            continue
        lag = _duration(written[2])
        with contextlib.suppress(ValueError):  # the site's own check says what is wrong with others
            lag = seconds(lag)
        found.append(written[1] if lag == Driver(point="").lag else {"point": written[1], "lag": lag})
    return found


def _duration(cell: str) -> float | int | str:
    try:
        return _number(cell)
    except CellError:
        return cell  # `10 min`: the site's own check says what is wrong with others


_WIDE = {ord("０") + n: ord("0") + n for n in range(10)} | {ord("．"): ord("."), ord("－"): ord("-")}
_TRUTHS = {
    **dict.fromkeys(("true", "yes", "y", "1", "是", "真", "√"), True),
    **dict.fromkeys(("false", "no", "n", "0", "否", "假"), False),
}

FIELDS: dict[str, tuple[Callable[[str], Any], tuple[str, ...]]] = {
    "id": (_words, ("id", "编号", "编码", "标识", "点号", "测点编号", "区域编号", "摄像机编号", "单位编号")),
    "name": (_words, ("name", "名称", "测点名称", "区域名称", "摄像机名称", "单位名称")),
    "name_zh": (_words, ("name_zh", "name zh", "中文名", "中文名称", "名称（中文）", "名称(中文)")),
    "name_en": (_words, ("name_en", "name en", "英文名", "英文名称", "名称（英文）", "名称(英文)")),
    "areas": (_list, ("areas", "area", "区域", "所属区域", "风险区域")),
    "quantity": (_words, ("quantity", "监测量", "监测指标", "物理量", "参数")),
    "unit": (_words, ("unit", "单位", "计量单位")),
    "kind": (_words, ("kind", "种类", "类别", "数据类型")),
    "limit": (_number, ("limit", "限值", "阈值", "报警值")),
    "limit_below": (_truth, ("limit_below", "limit below", "下限报警", "低于限值")),
    "blue": (_number, ("blue", "蓝", "蓝色", "蓝色阈值")),
    "yellow": (_number, ("yellow", "黄", "黄色", "黄色阈值")),
    "orange": (_number, ("orange", "橙", "橙色", "橙色阈值")),
    "red": (_number, ("red", "红", "红色", "红色阈值")),
    "range_low": (_number, ("range_low", "range low", "range min", "量程下限")),
    "range_high": (_number, ("range_high", "range high", "range max", "量程上限")),
    "normal_low": (_number, ("normal_low", "normal low", "normal min", "正常下限")),
    "normal_high": (_number, ("normal_high", "normal high", "normal max", "正常上限")),
    "interval": (_duration, ("interval", "间隔", "采样间隔", "上报间隔", "采集周期")),
    "accept_age": (_duration, ("accept_age", "accept age", "接收时限")),
    "latitude": (_number, ("latitude", "lat", "纬度")),
    "longitude": (_number, ("longitude", "lon", "lng", "经度")),
    "tags": (_list, ("tags", "标签")),
    "sources": (_sources, ("sources", "来源", "数据来源")),
    "source_unit": (_words, ("source_unit", "source unit", "来源单位", "原始单位")),
    "renamed_from": (_list, ("renamed_from", "renamed from", "原编号", "曾用编号")),
    "drivers": (_drivers, ("drivers", "驱动测点", "上游测点")),
    "redundant": (_list, ("redundant", "冗余测点", "互校测点")),
    "gateway": (_words, ("gateway", "网关", "所属网关", "采集网关")),
    "view": (_words, ("view", "视野", "监视范围")),
    "stream": (_words, ("stream", "视频流", "取流地址", "rtsp")),
    "snapshot": (_words, ("snapshot", "抓图地址", "快照地址")),
    "source": (_words, ("source", "分析名称")),
    "supplier": (_words, ("supplier", "供应商", "维护单位")),
    "type": (_words, ("type", "类型", "区域类型")),
    "place": (_words, ("place", "地点", "所属社区", "社区", "所在地")),
    "group": (_words, ("group", "分组")),
    "types": (_list, ("types", "处置类型", "负责类型")),
    "contact": (_words, ("contact", "联系方式", "电话", "联系电话")),
}
"""Field → how a cell becomes its value, and the names that its column may have."""

_PLACE = ("latitude", "longitude")
_NAMES = ("id", "name", "name_zh", "name_en")
OF: dict[Kind, tuple[str, ...]] = {
    "areas": (*_NAMES, "type", "place", "group", *_PLACE, "tags", "renamed_from"),
    "points": (
        *(*_NAMES, "areas", "quantity", "unit", "kind", "limit", "limit_below", *LEVELS),
        *("range_low", "range_high", "normal_low", "normal_high", "interval", "accept_age", *_PLACE),
        *("tags", "sources", "source_unit", "renamed_from", "drivers", "redundant", "gateway"),
    ),
    "cameras": (
        *(*_NAMES, "areas", "view", "stream", "snapshot", "source", "sources", "supplier", *_PLACE),
        *("tags", "renamed_from"),
    ),
    "units": (*_NAMES, "kind", "place", "types", *_PLACE, "contact"),
}
"""The fields that a table of each kind may have."""

NEEDED: dict[Kind, tuple[str, ...]] = {
    "areas": ("id", "type", "place"),
    "points": ("id", "areas", "quantity"),
    "cameras": ("id", "areas"),
    "units": ("id", "kind", "place"),
}

_MARKS: dict[Kind, tuple[str, ...]] = {
    "points": ("quantity",),
    "cameras": ("stream", "snapshot", "view"),
    "units": ("contact", "types"),
    "areas": ("type", "group"),
}
_ALIASES = {alias: field for field, (_, aliases) in FIELDS.items() for alias in aliases}


def fields_of(table: Table, mapped: Mapping[str, str]) -> dict[int, str]:
    """Say which column, by its place, is which field: as `mapped` (column name → field), else by its name.

    Columns that are none are left out. Raise `ValueError` when `mapped` names a column or a field that there is not.
    """
    for column, field in mapped.items():
        if column not in table.header:
            raise ValueError(f"{table.file} has no column '{column}'; its columns are {', '.join(table.header)}")
        if field not in FIELDS:
            raise ValueError(f"there is no field '{field}'; the fields are {', '.join(FIELDS)}")
    found: dict[int, str] = {}
    for place, column in enumerate(table.header):
        field = mapped.get(column) or _ALIASES.get(column.lower().strip(), "")
        if field and field not in found.values():
            found[place] = field
        elif field and column in mapped:
            raise ValueError(f"two columns would be '{field}', one of them '{column}'")
    return found


def kind_of(fields: Mapping[int, str]) -> Kind | None:
    """Guess what a table holds by a column that only its kind has; None when none tells."""
    present = set(fields.values())
    return next((kind for kind, marks in _MARKS.items() if present.intersection(marks)), None)
