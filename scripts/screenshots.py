"""Take the documentation's pictures: `python -m scripts.screenshots`. Plays the landslide on the real product.

Starts `foreshock run` in a folder that is thrown away, makes accounts, waits for the red dispatch, and saves those
of the duty room and the field team in docs/images; then runs a recorded week, in which an analyst changes a rule, and
recorded weeks for those of reports and the system. Needs playwright and Chromium (Debian: chromium, fonts-noto-cjk).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import secrets
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from scripts.product import free_port

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PASSWORD = secrets.token_urlsafe(16)
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
MOST_BYTES = 250_000
READY = 60.0  # seconds until the product must be up
RED = 180.0  # seconds until the red dispatch must be on the page
REPLAYED = 600.0  # seconds until a week must be replayed, on a busy machine too
WEEKS = "15 d"  # what is recorded for the reports: a week, and the one that it is compared with
DUTY_PAGES = {  # picture → page, and what must be there before it is taken
    "map-zh": ("#/map/slope-01", "[data-test=chosen-area]"),
    "situation-zh": ("#/situation", "[data-test=share-lines]"),
    "wall-zh": ("#/wall", "main"),
    "explore-zh": ("#/explore?points=slope-01-tilt-1,rain-yanluo-1&span=3600", "[data-test=explored] canvas"),
    "handover-zh": ("#/handover", ".sheet-part"),
    "notifications-zh": ("#/notifications", "[data-test=target]"),
}
SYSTEM_PAGES = {
    "report-zh": ("#/report", "[data-test=figures]"),
    "admin-zh": ("#/admin/system", "[data-test=last-backup]"),
    "audit-zh": ("#/admin/audit", "[data-test=audit]"),
}


class PictureError(RuntimeError):
    """Say why there is no picture."""


def main(arguments: list[str] | None = None) -> int:
    """Take all pictures; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="screenshots", description="Take the documentation's pictures.")
    parser.add_argument("--out", type=Path, default=IMAGES, help="folder of the pictures")
    parser.add_argument("--only", choices=("duty", "analyst", "system"), help="take the pictures of one kind of page")
    parser.add_argument("--camera", action="append", default=[], metavar="CAMERA=SOURCE", help="passed on to run")
    options = parser.parse_args(arguments)
    try:
        from playwright import sync_api
    except ImportError:
        print("screenshots: playwright is not installed (pip install -e '.[dev]')", file=sys.stderr)
        return 1
    if not Path(CHROMIUM).exists():
        print(f"screenshots: no Chromium at {CHROMIUM}", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        with sync_api.sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            try:
                if options.only in (None, "duty"):
                    with product(options.camera) as link:
                        take_all(browser, link, options.out)
                if options.only in (None, "analyst"):
                    with product((), recorded=("7 d", "--every", "1 h")) as link:
                        take_rules(browser, link, options.out)
                if options.only in (None, "system"):
                    with product((), recorded=(WEEKS,)) as link:
                        take_system(browser, link, options.out)
            finally:
                browser.close()
    except (PictureError, sync_api.Error) as error:
        print(f"screenshots: {error}", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def product(cameras: Sequence[str], recorded: Sequence[str] = ()) -> Iterator[str]:
    """Run the product with the landslide, or on a recorded past, until the block ends.

    Gives the first administrator's link.
    """
    with tempfile.TemporaryDirectory(prefix="foreshock-pictures-") as folder:
        said = Path(folder) / "said.txt"
        command = [sys.executable, "-m", "scripts.cli", "run", "--data", f"{folder}/data"]
        command += ["--port", str(free_port()), "--mqtt-port", str(free_port())]
        for camera in cameras:
            command += ["--camera", camera]
        backups = Path(folder) / "backups"
        backups.mkdir()
        if recorded:
            site = shutil.copytree(ROOT / "examples" / "district", Path(folder) / "site")  # it is written to
            record = ["simulate", "--record", *recorded, "--site", str(site), "--data", f"{folder}/data"]
            subprocess.run(
                [sys.executable, "-m", "scripts.cli", *record], cwd=ROOT, check=True, capture_output=True, timeout=600
            )
            command += ["--site", str(site), "--no-sim"]
        environment = {**os.environ, "FORESHOCK_BACKUP_FOLDER": str(backups)}
        with said.open("wb") as output:
            running = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=environment)
        try:
            yield _first_link(running, said)
        finally:
            running.terminate()
            try:
                running.wait(15)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def _first_link(running: subprocess.Popen[bytes], said: Path) -> str:
    """Read what the product says until it names the link. Raise `PictureError`."""
    end = time.monotonic() + READY
    while time.monotonic() < end and running.poll() is None:
        found = re.search(r"http://\S+first\?token=[\w-]+", said.read_text(errors="replace"))
        if found:
            return found[0]
        time.sleep(0.2)
    raise PictureError(f"the product did not start:\n{said.read_text(errors='replace')}")


def take_all(browser: Any, link: str, out: Path) -> None:
    """Take every picture of one landslide. Raise `PictureError`."""
    base = link.split("/#", 1)[0]
    desk, csrf = first(browser, link, out / "login-zh.png")
    duty = {"name": "chen", "display": "陈值班", "password": PASSWORD, "roles": ["duty", "dispatcher"]}
    ask(desk, "POST", "/users", csrf, duty)

    officer = enter(browser, base, "chen", DESK)
    officer.locator(".item[aria-current].level-red").wait_for()
    officer.locator("[data-test=dispatch]").first.wait_for()
    officer.locator(".trace .last").first.wait_for()
    officer.mouse.move(700, 1)
    save(officer, out / "watch-zh.png")
    officer.get_by_role("button", name="EN", exact=True).click()
    save(officer, out / "watch-en.png")
    officer.get_by_role("button", name="中文", exact=True).click()

    task = next(iter(ask(officer, "GET", "/dispatches?state=open")["items"]), None)
    if task is None:
        raise PictureError("nobody was dispatched")
    unit = {"name": "zhou", "display": "周队长", "password": PASSWORD, "roles": ["field"], "unit": task["unit"]}
    ask(desk, "POST", "/users", csrf, unit)
    phone = enter(browser, base, "zhou", PHONE)
    phone.locator("[data-test=task] .what").first.wait_for()
    save(phone, out / "field-zh.png")
    phone.goto(f"{base}/field/")
    phone.locator("[data-test=task] .what").first.wait_for()
    phone.evaluate("localStorage.setItem('foreshock.language', 'en')")
    phone.reload()
    phone.locator("[data-test=task] .what").first.wait_for()
    save(phone, out / "field-en.png")
    phone.goto(f"{base}/field/#/report")
    phone.locator("input[type=file]").wait_for()
    save(phone, out / "field-report-en.png")
    phone.evaluate("localStorage.setItem('foreshock.language', 'zh-CN')")
    phone.reload()
    phone.locator("input[type=file]").wait_for()
    save(phone, out / "field-report-zh.png")

    officer.locator(".incident-alarms a").first.click()
    officer.locator(".trace .last").first.wait_for()
    save(officer, out / "alarm-zh.png")
    take_pages(officer, base, DUTY_PAGES, out)


def take_system(browser: Any, link: str, out: Path) -> None:
    """Take the pictures of a recorded week: reports, and the administrator's pages. Raise `PictureError`."""
    base = link.split("/#", 1)[0]
    page, _ = first(browser, link)
    page.goto(f"{base}/#/admin/system")
    page.locator("[data-test=checks] button").click()
    page.locator("[data-test=backups] button").click()
    page.locator("[data-test=checks] [role=status] + ul").wait_for()
    page.locator("[data-test=backups] tbody tr").wait_for()
    take_pages(page, base, SYSTEM_PAGES, out)


def take_pages(page: Any, base: str, pages: Mapping[str, tuple[str, str]], out: Path) -> None:
    """Open pages one after the other and take a picture of each."""
    for name, (path, ready) in pages.items():
        page.goto(f"{base}/{path}")
        page.locator(ready).first.wait_for()
        save(page, out / f"{name}.png")


def take_rules(browser: Any, link: str, out: Path) -> None:
    """Take the pictures of an analyst's change: the rule that annoys, its draft, and what a week says to that."""
    base = link.split("/#", 1)[0]
    desk, csrf = first(browser, link)
    person = {"name": "lin", "display": "林分析", "password": PASSWORD, "roles": ["analyst"]}
    ask(desk, "POST", "/users", csrf, person)
    page = enter(browser, base, "lin", DESK)
    page.goto(f"{base}/#/rules")
    page.get_by_label("查找").fill("charging-current")
    page.locator("tr[data-rule=charging-current]", has_text="%").wait_for()
    save(page, out / "rules-zh.png")
    page.get_by_role("link", name="编辑 charging-current").click()
    code = page.get_by_role("textbox", name="charging-current")
    page.locator("[data-test=tests] li").wait_for()
    code.focus()
    page.keyboard.press("Control+Home")
    for _ in range(7):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    page.keyboard.type("orange: {when: value > 59 A}")
    page.locator("[data-test=tests] [data-state=failed]").wait_for()
    save(page, out / "editor-zh.png")
    text = ask(page, "GET", "/rules/charging-current/draft")["text"]
    text = text.replace("beyond('yellow') or (beyond('blue') and score > 0.99)", "value > 45 A")
    text = text.replace("36*2 49*2", "46*2 49*2").replace('blue*2 yellow"', 'blue*3"')
    asked = {"text": text, "keep": True, "rule": "charging-current", "version": "", "from": None, "to": None}
    ask(page, "POST", "/replays", ask(page, "GET", "/me")["csrf"], asked)
    page.goto(f"{base}/#/rules/replay")
    page.locator("[data-test=sides]").wait_for(timeout=REPLAYED * 1000)
    page.locator("[data-test=replay]").evaluate("one => one.scrollIntoView()")
    save(page, out / "replay-zh.png")


def first(browser: Any, link: str, login: Path | None = None) -> tuple[Any, str]:
    """Make the first administrator; return their page and its token. `login` is where a picture of the door goes."""
    desk = browser.new_context(viewport=DESK, reduced_motion="reduce").new_page()
    desk.set_default_timeout(RED * 1000)
    if login is not None:
        desk.goto(link.split("/#", 1)[0])
        desk.locator("input[autocomplete=username]").wait_for()
        save(desk, login)
    desk.goto(link)
    desk.locator("input[autocomplete=username]").fill("admin")
    for box in desk.locator("input[type=password]").all():
        box.fill(PASSWORD)
    desk.keyboard.press("Enter")
    desk.locator("header.top .clock").wait_for()
    return desk, ask(desk, "GET", "/me")["csrf"]


def enter(browser: Any, base: str, name: str, size: dict[str, int]) -> Any:
    """Sign in on the page as `name`, in a browser of its own."""
    page = browser.new_context(viewport=size, reduced_motion="reduce").new_page()
    page.set_default_timeout(RED * 1000)
    page.goto(base)
    page.locator("input[autocomplete=username]").fill(name)
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("header.top").wait_for()
    return page


def ask(page: Any, method: str, path: str, csrf: str = "", body: Any = None) -> Any:
    """Ask the API with the page's session. Raise `PictureError` on a refusal."""
    headers = {"X-Foreshock-CSRF": csrf, "Origin": page.url.split("/#", 1)[0].rstrip("/")}
    answer = page.request.fetch(
        f"{headers['Origin']}/api/v1{path}", method=method, data=body, headers=headers if csrf else {}
    )
    if not answer.ok:
        raise PictureError(f"{method} {path}: {answer.status} {answer.text()}")
    return answer.json()


def save(page: Any, path: Path) -> None:
    """Save a picture of what the page shows, small enough for the repository. Raise `PictureError` if it is not."""
    page.wait_for_timeout(700)  # charts draw themselves on the next frames
    picture = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise PictureError("the browser's picture could not be read")
    small = palette_png(np.asarray(picture[:, :, ::-1], np.uint8))
    if len(small) > MOST_BYTES:
        raise PictureError(f"{path.name} has {len(small)} bytes, more than {MOST_BYTES}")
    path.write_bytes(small)
    print(f"{path} {len(small) / 1000:.0f} kB", flush=True)


def palette_png(picture: npt.NDArray[np.uint8]) -> bytes:
    """Encode u1[height, width, 3] RGB as a PNG of at most 256 colours (Portable Network Graphics, colour type 3)."""
    height, width, _ = picture.shape
    packed = picture.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours, where, counts = np.unique(packed, return_inverse=True, return_counts=True)
    parts = np.stack([colours >> 16, (colours >> 8) & 255, colours & 255], axis=1).astype(np.float32)
    palette, chosen = parts, np.arange(len(parts))
    if len(parts) > 256:
        cv2.setRNGSeed(1)
        sample = np.repeat(parts, np.minimum(counts, 8), axis=0)  # a wide ground must not take all the colours
        sample = sample[np.linspace(0, len(sample) - 1, min(len(sample), 40_000)).astype(np.intp)]
        criteria = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 12, 0.5)
        _, _, centres = cv2.kmeans(sample, 240, None, criteria, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
        often = parts[np.argsort(counts)[-16:]]  # the grounds keep their exact colours
        palette = np.concatenate([often, np.round(centres)])
        chosen = np.concatenate(
            [((part[:, None] - palette[None]) ** 2).sum(2).argmin(1) for part in np.array_split(parts, 64) if len(part)]
        )
    rows = chosen.astype(np.uint8)[where.reshape(height, width)]
    lines = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    body = [(b"IHDR", head), (b"PLTE", palette.astype(np.uint8).tobytes())]
    body += [(b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in body
    )


if __name__ == "__main__":
    sys.exit(main())
