"""What the mock API's world is made of: its site, its readings, and why its alarms fire."""

# ruff: noqa: E501  # rows of made-up data

from __future__ import annotations

import math
from typing import Any

Row = dict[str, Any]


SPOTS = {
    "slope-shiyan-1": [22.6789, 113.9412],
    "underpass-shajing-2": [22.734, 113.8],
    "village-xixiang-3": [22.5871, 113.8646],
}


def both(zh: str, en: str) -> Row:
    return {"zh": zh, "en": en}


def site() -> Row:
    subdistricts = [
        ("shiyan", "石岩街道", "Shiyan"),
        ("shajing", "沙井街道", "Shajing"),
        ("xixiang", "西乡街道", "Xixiang"),
    ]
    places = [{"id": "baoan", "kind": "district", "name": both("宝安区", "Bao'an"), "parent": None}]
    for key, zh, en in subdistricts:
        places.append({"id": key, "kind": "subdistrict", "name": both(zh, en), "parent": "baoan"})
        places.append(
            {"id": f"{key}-1", "kind": "community", "name": both(zh[:2] + "第一社区", f"{en} First"), "parent": key}
        )
    areas = [
        _area(
            "slope-shiyan-1", "石岩体育公园后山边坡", "Slope behind Shiyan sports park", "slope", "natural", "shiyan"
        ),
        _area(
            "underpass-shajing-2", "沙井大道下穿通道", "Shajing Avenue underpass", "drainage", "lifelines", "shajing"
        ),
        _area("village-xixiang-3", "西乡固戍城中村", "Gushu urban village", "urban_village", "public", "xixiang"),
    ]
    points = [
        _point("slope-shiyan-1.displacement-1", "位移 1 号", "Displacement 1", areas[0], "displacement", "mm", limit=60.0,
               levels={"yellow": 20.0, "orange": 40.0, "red": 60.0}, normal=[3.0, 7.0]),
        _point("slope-shiyan-1.tilt-1", "倾角 1 号", "Tilt 1", areas[0], "tilt", "deg", limit=2.0, normal=[-0.2, 0.2]),
        _point("slope-shiyan-1.rain", "雨量", "Rain gauge", areas[0], "rain", "mm/h", levels={"yellow": 20.0, "orange": 50.0}),
        _point("underpass-shajing-2.level", "水位", "Water level", areas[1], "level", "m", limit=0.5,
               levels={"yellow": 0.2, "orange": 0.3, "red": 0.5}, normal=[0.0, 0.1]),
        _point("village-xixiang-3.co", "一氧化碳", "Carbon monoxide", areas[2], "co", "ppm", limit=30.0, normal=[0.0, 6.0]),
    ]  # fmt: skip
    cameras = [{"id": "cam-slope-1", "name": both("边坡 1 号相机", "Slope camera 1"), "areas": ["slope-shiyan-1"]}]
    areas[0]["cameras"] = ["cam-slope-1"]
    for area in areas:
        area["points"] = [point["id"] for point in points if area["id"] in point["areas"]]
    units = [
        _unit(
            "unit-shiyan-1",
            "石岩第一社区应急队",
            "Shiyan First community team",
            "community",
            "shiyan-1",
            "0755-2700 0001",
        ),
        _unit("unit-shiyan", "石岩街道应急办", "Shiyan emergency office", "subdistrict", "shiyan", "0755-2700 0010"),
        _unit("unit-geo", "区地质灾害抢险队", "District geohazard team", "department", "baoan", "0755-2700 0100"),
        _unit("unit-shajing-1", "沙井第一社区应急队", "Shajing First community team", "community", "shajing-1", ""),
    ]
    return {
        "id": "district", "name": both("示范区安全监测", "Example district"), "zone": "Asia/Shanghai", "language": "zh-CN",
        "fields": [{"id": "natural", "name": both("自然灾害", "Natural hazards")}],
        "area_types": [
            {"id": "slope", "name": both("边坡", "Slope")},
            {"id": "drainage", "name": both("排水与易涝点", "Drainage and underpass")},
            {"id": "urban_village", "name": both("城中村与充电", "Urban village")},
        ],
        "places": places, "areas": areas, "points": points, "cameras": cameras, "units": units,
        "map": {"kind": "geojson", "bounds": None, "tiles": "", "attribution": ""}, "version": "v1",
    }  # fmt: skip


def _area(key: str, zh: str, en: str, kind: str, field: str, sub: str) -> Row:
    return {
        "id": key, "name": both(zh, en), "type": kind, "field": field, "place": f"{sub}-1", "subdistrict": sub,
        "location": SPOTS[key], "points": [], "cameras": [],
    }  # fmt: skip


def _point(key: str, zh: str, en: str, area: Row, quantity: str, unit: str, **more: Any) -> Row:
    return {
        "id": key, "name": both(f"{area['name']['zh']} {zh}", f"{area['name']['en']} · {en}"), "areas": [area["id"]],
        "quantity": quantity, "unit": unit, "limit": None, "limit_below": False, "levels": {}, "normal": None,
        "interval": 10.0, "location": [at + 0.0004 for at in area["location"]], **more,
    }  # fmt: skip


def _unit(key: str, zh: str, en: str, kind: str, place: str, contact: str) -> Row:
    return {"id": key, "name": both(zh, en), "kind": kind, "place": place, "types": [], "contact": contact}


def drawing() -> Row:
    """Draw the made-up site's map, with a name that means harm."""
    ring = [[113.75, 22.55], [113.97, 22.55], [113.97, 22.8], [113.75, 22.8], [113.75, 22.55]]
    name = both("宝安<img src=x onerror=alert(1)>", "Bao'an <b>")
    land = {"type": "Feature", "properties": {"kind": "land", "name": name}}
    return {
        "type": "FeatureCollection",
        "features": [{**land, "geometry": {"type": "Polygon", "coordinates": [ring]}}],
    }


def route_out(file: str) -> Row:
    """Draw what a plan lays over the map: the way out."""
    assert file == "a.geojson"
    line = {"type": "LineString", "coordinates": [[113.9412, 22.6789], [113.9422, 22.6779]]}
    return {"type": "Feature", "properties": {"name": "撤离路线"}, "geometry": line}


def plan() -> Row:
    """Make a plan with nothing but a drawing."""
    empty: Row = {"roles": {}, "steps": [], "contacts": [], "drafts": []}
    overlays = [{"name": both("图", "Drawing"), "file": "a.geojson"}]
    return {
        "id": "slope", "version": "1", "name": both("边坡预案", "Slope plan"), "level": "blue", "overlays": overlays, **empty,
    }  # fmt: skip


def reading(point: str, at: float, onset: float) -> tuple[float, float]:
    """Value and score of a point: calm with a daily swing, then the slope's creep, the gauge's rain, the rising water."""
    noise = math.sin(at * 0.731) * math.cos(at * 0.117) + 0.5 * math.sin(at * 2.1)
    before = onset - 2600
    gone = max(0.0, at - before)
    calm = 0.15 + 0.12 * (noise + 1)
    if point.endswith("displacement-1"):
        return 5 + 0.4 * math.sin(at / 7000) + 0.12 * noise + 8.4 * (gone / 2600) ** 2.2, min(0.999, calm + gone / 3000)
    if point.endswith("tilt-1"):
        return 0.03 * noise + 0.5 * (gone / 2600) ** 2.4, min(0.995, calm + gone / 3600)
    if point.endswith("rain"):
        wet = max(0.0, min(1.0, (at - (onset - 16000)) / 5000))
        return max(0.0, wet * (24 + 9 * noise + 12 * math.sin(at / 1900))), min(0.97, calm + 0.5 * wet)
    if point.endswith("level"):
        return 0.05 + 0.004 * noise + 0.19 * min(1.0, (gone / 2600) ** 1.4), min(0.98, calm + gone / 4000)
    return 3 + noise, calm


def user(name: str, display: str, roles: list[str], unit: str | None = None) -> Row:
    return {"name": name, "display": display, "roles": roles, "unit": unit, "language": None, "disabled": False}


def explanation(clause: str, point: str, value: float, score: float) -> Row:
    area = point.split(".")[0]
    points = [point, f"{area}.rain", f"{area}.tilt-1"] if "slope" in area else [point]
    terms: list[Row] = [
        {"name": "score", "value": score, "op": ">=", "threshold": 0.99, "holds": score >= 0.99},
        {"name": "value", "value": value, "op": ">=", "threshold": 0.2, "unit": "m", "holds": True},
    ]
    if "slope" in area:
        terms = [
            terms[0],
            {"name": "eta('limit')", "value": 2260.0, "op": "<", "threshold": 2700.0, "unit": "s", "holds": True},
            {
                "name": "area.sum(rain.sum('6h'))",
                "value": 113.0,
                "op": ">",
                "threshold": 50.0,
                "unit": "mm",
                "holds": True,
            },
            {"name": "seen('debris', '10m')", "value": 1.0, "holds": True},
        ]
    return {
        "clause": clause, "terms": terms, "clear": "score < 0.9 and rate('30m') < 0.2",
        "clear_terms": [
            {"name": "score", "value": score, "op": "<", "threshold": 0.9, "holds": False},
            {"name": "rate('30m')", "value": 6.1, "op": "<", "threshold": 0.2, "unit": "mm/h", "holds": False},
        ],
        "hold": 60.0, "clear_after": 1800.0, "points": points, "cameras": ["cam-slope-1"], "score": score,
        "score_reason": "value above 4.1..6.9 seen in the last 17 d",
        "score_reason_zh": "数值高于最近 17 天内的范围 4.1..6.9",
    }  # fmt: skip


def rationale() -> Row:
    return {
        "cause": both("持续降雨使坡体饱和，抗剪强度下降", "Hours of rain saturate the slope"),
        "consequence": both("滑坡冲击坡脚运动场", "A slide onto the ground below"),
        "response": both(
            "调看边坡相机，确认落石与裂缝\n通知社区应急队到场警戒\n封闭坡脚运动场，劝离人员\n向街道应急办报告现场情况",
            "Look at the slope camera for debris and cracks\nSend the community team to cordon off\n"
            "Close the ground below and clear people\nReport to the subdistrict office",
        ),
        "time_to_respond": 900, "owner": "地质灾害组", "review": "2027-06-01",
    }  # fmt: skip
