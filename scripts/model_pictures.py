"""Draw the pictures of docs/models.md: `python -m scripts.model_pictures DATA`, with nab, skab and water in DATA.

What is shown is chosen by what became of it, the first in order of name, never by its looks. Saves
docs/images/models-*.png. Needs playwright and Chromium (Debian: chromium).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from models.evaluation import benchmark, injection, pictures
from models.evaluation.folder import FolderError
from models.evaluation.nab import Series
from models.evaluation.plot import Band, Look, Mark, Panel, pages
from models.evaluation.run import run_bank
from models.evaluation.skab import SkabError
from scripts import model_scenes
from scripts.recorded_folder import read_folder
from scripts.screenshots import CHROMIUM, FLAGS, IMAGES, PictureError, save

WIDE = 1000
FAULTS: tuple[injection.Fault, ...] = ("level_shift", "ramp", "growing_noise", "freeze", "dropout")


def main(arguments: list[str] | None = None) -> int:
    """Draw all pictures; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="model_pictures", description="Draw the pictures of docs/models.md.")
    parser.add_argument("data", type=Path, help="folder with nab, skab/valve1 and water in it")
    parser.add_argument("--out", type=Path, default=IMAGES, help="folder of the pictures")
    parser.add_argument("--only", action="append", default=[], help="name of a picture to draw; may be repeated")
    options = parser.parse_args(arguments)
    scenes = _scenes(options.data)
    wanted = options.only or list(scenes)
    if unknown := set(wanted) - set(scenes):
        print(f"model_pictures: no picture {', '.join(unknown)}; there are: {', '.join(scenes)}", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        from playwright import sync_api

        drawn = {name: scenes[name]() for name in wanted}
        with sync_api.sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            try:
                for name, panels in drawn.items():
                    shoot(browser, panels, options.out / f"models-{name}.png")
            finally:
                browser.close()
    except ImportError:
        print("model_pictures: playwright is not installed (pip install -e '.[dev]')", file=sys.stderr)
        return 1
    except (FolderError, PictureError, SkabError, OSError, sync_api.Error) as error:
        print(f"model_pictures: {error}", file=sys.stderr)
        return 1
    return 0


def _scenes(data: Path) -> dict[str, Callable[[], list[Panel]]]:
    """Return how each picture's panels come about, by its name."""

    @cache
    def nab() -> list[Series]:
        return read_folder(data / "nab")

    recorded: dict[str, Callable[[], list[Panel]]] = {
        "novelty": lambda: novelty(nab()),
        "streams": lambda: model_scenes.streams(nab()),
        "rates": lambda: rates(read_folder(data / "water")),
        "faults": lambda: faults(nab()),
        "limits": lambda: model_scenes.limits(data / "water"),
        "river": lambda: model_scenes.river(data / "water"),
        "together": lambda: model_scenes.together(data / "skab" / "valve1"),
    }
    return recorded | model_scenes.MADE


def novelty(series: Sequence[Series]) -> list[Panel]:
    """Draw the first series of which all is found and nothing is false, the first miss, and the first false alarm."""
    scores, _ = run_bank(list(series))
    threshold = benchmark.profiles(series, scores)[0].threshold
    panels = list(pictures.nab_panels(series, scores, threshold))
    wrong = {panel.title for panel in panels}
    right = next(one for one in series if one.name not in wrong and one.windows)
    told = [at for at in (scores[right.name] >= threshold).nonzero()[0].tolist() if at >= right.probation]
    firsts = [next(at for at in told if first <= at <= last) for first, last in right.windows]
    found = Panel(
        f"{right.name}: found",
        right.time,
        right.value,
        [Mark(float(right.time[at]), "", "found") for at in firsts],
        [Band(float(right.time[first]), float(right.time[last]), "", "found") for first, last in right.windows],
    )
    return [found, *(next(one for one in panels if one.title.endswith(end)) for end in (": missed", ": false alarm"))]


def rates(series: Sequence[Series]) -> list[Panel]:
    """Draw the two series whose 0.999 comes most often for what it says."""
    scores, alarms = run_bank(list(series))
    told = benchmark.rates(series, scores, alarms)
    worst = sorted((one for one in told if one.varies), key=lambda one: -one.seldom)[:2]
    names = {one.series for one in worst}
    return [one for one in pictures.budget_panels(series, scores, alarms, told) if one.title in names]


def faults(series: Sequence[Series]) -> list[Panel]:
    """Draw of each fault the first that was found and called by its name, and the first slow ramp that was missed."""
    stretches = list(injection.stretches(series, 1, 2))
    pairs = list(zip(stretches, injection.trials(stretches), strict=True))
    panels = []
    for fault in FAULTS:
        stretch, trial = next(pair for pair in pairs if pair[1].fault == fault == pair[1].named)
        panels.append(_fault(stretch, trial, "found"))
    missed = next(((one, trial) for one, trial in pairs if trial.fault == "ramp" and trial.after is None), None)
    return panels if missed is None else [*panels, _fault(*missed, "missed")]


def _fault(stretch: injection.Stretch, trial: injection.Trial, words: str) -> Panel:
    part = slice(max(stretch.begin - pictures.BEFORE, 0), len(stretch.time))
    look: Look = "found" if trial.after is not None else "missed"
    return Panel(
        f"{trial.fault.replace('_', ' ')}: {words}",
        stretch.time[part],
        stretch.value[part],
        [] if trial.after is None else [Mark(trial.onset + trial.after, "", "found")],
        [Band(float(stretch.time[stretch.begin - 1]), float(stretch.time[-1]), "", look)],
        note=stretch.series,
    )


def shoot(browser: Any, panels: Sequence[Panel], file: Path) -> None:
    """Save panels as one picture. Raise `PictureError` when it is too large."""
    with tempfile.TemporaryDirectory(prefix="foreshock-pictures-") as folder:
        page = Path(folder) / "page.html"
        pages(page, panels, note="")
        shown = browser.new_page(viewport={"width": WIDE, "height": 400})
        shown.goto(page.as_uri())
        height = shown.evaluate("document.querySelector('figure:last-of-type').getBoundingClientRect().bottom")
        shown.set_viewport_size({"width": WIDE, "height": int(height) + 12})
        save(shown, file)


if __name__ == "__main__":
    sys.exit(main())
