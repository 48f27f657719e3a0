"""Generate the code that reads Sparkplug B from its schema, with the protoc that grpcio-tools brings.

python -m scripts.generate_proto            write sensors/dialects/sparkplug_b_pb2.py and its types
python -m scripts.generate_proto --check    say which are not current, and end with 1

It needs grpcio-tools, which comes with the tests; what runs needs only `protobuf`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "sensors" / "dialects"
SCHEMA = "sparkplug_b.proto"
GENERATED = ("sparkplug_b_pb2.py", "sparkplug_b_pb2.pyi")


def generate() -> dict[str, str]:
    """Return the generated files as they should be, by name. Raise ImportError without grpcio-tools."""
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        wanted = [f"--python_out={folder}", f"--pyi_out={folder}", f"--proto_path={FOLDER}", str(FOLDER / SCHEMA)]
        if protoc.main(["protoc", *wanted]):
            raise RuntimeError(f"protoc does not take {SCHEMA}")
        return {name: (Path(folder) / name).read_text(encoding="utf-8") for name in GENERATED}


def stale() -> list[Path]:
    """List the generated files that are not current."""
    files = {FOLDER / name: text for name, text in generate().items()}
    return [file for file, text in files.items() if not file.exists() or file.read_text(encoding="utf-8") != text]


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    given = sys.argv[1:] if argv is None else argv
    if "--check" in given:
        old = stale()
        for file in old:
            print(f"{file.name} is not current: python -m scripts.generate_proto")
        return 1 if old else 0
    for name, text in generate().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
