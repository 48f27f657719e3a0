"""`foreshock version`: what is installed."""

from __future__ import annotations

from importlib import metadata

from scripts.commands.terminal import out

STANDS_ON = ("faust-streaming", "aiokafka", "paho-mqtt", "numpy", "scikit-learn", "msgspec", "sqlalchemy")


def version() -> None:
    """Print the version of Foreshock and of what it stands on."""
    out.print(f"foreshock {metadata.version('foreshock')}")
    for name in STANDS_ON:
        out.print(f"  {name} {metadata.version(name)}")
    build = next((n for n in ("opencv-python", "opencv-python-headless") if _installed(n)), None)
    out.print(f"  {build} {metadata.version(build)}" if build else "  opencv –")


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
