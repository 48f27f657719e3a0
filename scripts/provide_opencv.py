"""Make `cv2` load: where the machine has no GL libraries, put the headless build of the same version in its place."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata


def loads() -> str | None:
    """Try `import cv2` in a child; return None when it loads, else the last line of its error."""
    child = subprocess.run([sys.executable, "-c", "import cv2"], capture_output=True, text=True, timeout=120)
    return None if child.returncode == 0 else (child.stderr.strip().splitlines() or ["no message"])[-1]


def main() -> int:
    """Check cv2 and replace the build if it cannot load; say so. Return 0 when cv2 loads in the end."""
    error = loads()
    if error is None:
        return 0
    try:
        version = metadata.version("opencv-python")
    except metadata.PackageNotFoundError:
        print(f"cv2 does not load and opencv-python is not installed: {error}", file=sys.stderr)
        return 1
    print(f"cv2 does not load on this machine ({error}); putting opencv-python-headless {version} in its place")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "-q"]
    subprocess.run([*pip, "uninstall", "-y", "opencv-python"], check=True, timeout=300)
    subprocess.run(
        [*pip, "install", "--no-deps", "--force-reinstall", f"opencv-python-headless=={version}"],
        check=True,
        timeout=900,
    )
    error = loads()
    if error is not None:
        print(f"cv2 still does not load: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
