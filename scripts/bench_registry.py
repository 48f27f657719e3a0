"""Measure what loading a large site costs: CPU seconds from its YAML files to look-ups, to a bundle and back.

    python -m scripts.bench_registry [--points 100000] [--areas 1000] [--alone [--units]]

The site is made in a temporary folder: areas over ten files, each with its points by number; with --alone every point
is written by itself, as `foreshock import` does; with --units every other one in a unit that is not its quantity's. One
JSON line.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.load import bench_site
from sensors import one_a_line
from sensors.lookup import Registry
from sensors.registry import load_site
from sensors.site import Site
from streams import bundle
from streams.bundle import Bundle

FILES = 10


def write(folder: Path, points: int, areas: int, alone: bool, units: bool = False) -> None:
    """Write a site of `points` points; with `units`, every other one of those alone is in centimetres."""
    site = bench_site(areas, areas)
    name = {"zh": "测试", "en": "bench"}
    levels: dict[str, list[Any]] = {}
    for place in site.places:
        levels.setdefault(place.kind, []).append(place)
    district = {
        "id": levels["district"][0].id,
        "name": name,
        "subdistricts": [
            {
                "id": place.id,
                "name": name,
                "communities": [{"id": one.id, "name": name} for one in levels["community"] if one.parent == place.id],
            }
            for place in levels["subdistrict"]
        ],
    }
    kinds = [{"id": kind.id, "field": kind.field, "name": name} for kind in site.area_types]
    fields = [{"id": field.id, "name": name} for field in site.fields]
    texts: dict[str, dict[str, Any]] = {
        "site.yaml": {"id": "bench", "name": name},
        "hierarchy.yaml": {"fields": fields, "area_types": kinds, "districts": [district]},
        "types.yaml": {"quantities": {"level": {"name": name, "unit": "m", "range": [0, 10], "limit": 8}}},
        "units.yaml": {"units": []},
        "roster.yaml": {},
    }
    each = points // areas
    for file in range(FILES):
        mine = site.areas[file::FILES]
        written = [{"id": area.id, "name": name, "type": area.type, "place": area.place} for area in mine]
        text = {"areas": written}
        if alone:
            text["points"] = [
                {"id": f"{area.id}-p{n}", "name": name, "areas": [area.id], "quantity": "level", "limit": 5 + n % 3}
                for area in mine
                for n in range(each)
            ]
            for point in text["points"][::2] if units else ():
                del point["limit"]
                point["unit"] = "cm"
        else:
            for area in written:
                area["points"] = {"level": {"count": each, "each": {str(n): {"limit": 7} for n in range(1, each, 10)}}}
        texts[f"areas/{file}.yaml"] = text
    (folder / "areas").mkdir(parents=True)
    for file_name, content in texts.items():
        lists = all(isinstance(part, list) for part in content.values()) and bool(content)
        text = one_a_line.document(content, "bench") if lists else one_a_line.value(content) + "\n"
        (folder / file_name).write_text(text, encoding="utf-8")


def spent(work: Callable[[], Any]) -> tuple[Any, float]:
    """Do some work; return what it gave and the CPU seconds that it took."""
    begun = time.process_time()
    found = work()
    return found, time.process_time() - begun


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--areas", type=int, default=1_000)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--units", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foreshock-bench-") as made:
        folder = Path(made) / "site"
        write(folder, asked.points, asked.areas, asked.alone, asked.units)
        loaded, load = spent(lambda: load_site(folder))
    site: Site = loaded
    _, lookup = spent(lambda: Registry(site))
    packed, pack = spent(lambda: bundle.pack(Bundle(site=site)))
    _, unpack = spent(lambda: bundle.unpack(packed))
    figures = {
        "bench": "registry",
        "written": "alone" if asked.alone else "by number",
        "points": len(site.points),
        "load_cpu_s": round(load, 2),
        "lookup_cpu_s": round(lookup, 2),
        "pack_cpu_s": round(pack, 2),
        "unpack_cpu_s": round(unpack, 2),
        "bundle_mb": round(len(packed) / 1e6, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
