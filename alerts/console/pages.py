"""The built page: read once into memory, compressed once, served with the right cache headers."""

from __future__ import annotations

import gzip
import hashlib
import html
import mimetypes
import re
from pathlib import Path
from typing import NamedTuple

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts.console.errors import Problem

_IMMUTABLE = "public, max-age=31536000, immutable"  # Vite puts a hash of the content in the name of each asset
_REVALIDATE = "no-cache"
_SQUEEZABLE = {"text/html", "text/css", "text/javascript", "application/json", "image/svg+xml", "text/plain"}
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".map": "application/json",
}

NOT_BUILT = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>Foreshock</title></head><body>
<h1>Foreshock</h1>
<p>页面尚未构建。请在项目目录运行 <code>make web</code>，然后刷新。
接口 <a href="/api/v1/openapi.json">/api/v1</a> 可以使用。</p>
<p lang="en">The page is not built yet. Run <code>make web</code> in the project folder, then reload. The API under
<a href="/api/v1/openapi.json">/api/v1</a> works.</p></body></html>"""


FIELD = "field"
"""Where the page for phones is: a folder, which is the scope of what works without a link."""


class Asset(NamedTuple):
    """One file of the page, ready to be sent."""

    body: bytes
    squeezed: bytes | None
    type: str
    tag: str
    cache: str


class Pages:
    """Serve the files under `folder`, and nothing else. A rebuilt page is noticed by its index's time."""

    def __init__(self, folder: Path, language: str = "zh-CN") -> None:
        self._folder = folder
        self._language = language  # what the page speaks until the person chooses
        self._built: int | None = None
        self._assets: dict[str, Asset] = {}

    def get(self, request: Request, path: str) -> Response:
        """Answer with one file. Raise `Problem` 404 when the page has no such file."""
        self._look()
        if path == FIELD:
            return RedirectResponse(f"{FIELD}/", 308)
        asset = self._assets.get(f"{path}index.html" if path in ("", f"{FIELD}/") else path)
        if asset is None:
            if path in ("", "index.html"):
                return HTMLResponse(NOT_BUILT, 503, headers={"Cache-Control": "no-store"})
            raise Problem(404, "not_found")
        squeezed = asset.squeezed is not None and "gzip" in request.headers.get("accept-encoding", "")
        tag = f'"{asset.tag}{"-gzip" if squeezed else ""}"'
        headers = {"ETag": tag, "Cache-Control": asset.cache, "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if squeezed:
            headers["Content-Encoding"] = "gzip"
        return Response(asset.squeezed if squeezed else asset.body, media_type=asset.type, headers=headers)

    def _look(self) -> None:
        try:
            built = (self._folder / "index.html").stat().st_mtime_ns
        except FileNotFoundError:
            built = None
        if built == self._built:
            return
        self._assets = {} if built is None else dict(_read(self._folder, self._language))
        self._built = built


def _read(folder: Path, language: str) -> list[tuple[str, Asset]]:
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink() or path.name.startswith("."):
            continue
        name = path.relative_to(folder).as_posix()
        body = path.read_bytes()
        if path.name == "index.html":
            body = re.sub(rb'<html lang="[^"]*"', f'<html lang="{html.escape(language)}"'.encode(), body, count=1)
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        squeezed = gzip.compress(body, 9, mtime=0) if kind in _SQUEEZABLE and len(body) > 500 else None
        cache = _IMMUTABLE if name.startswith("assets/") else _REVALIDATE
        found.append((name, Asset(body, squeezed, kind, hashlib.sha256(body).hexdigest()[:20], cache)))
    return found
