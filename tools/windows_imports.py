"""Records which DLLs the native files of a Windows wheel ask for, as a small case for the tests: `windows_imports.py WHEEL... FOLDER`.

The wheels are too large to be fetched by a test. Get one with `pip download --no-deps --only-binary=:all: --platform win_amd64
--python-version 3.10 tensorflow-intel==2.15.0`.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from datetime import datetime, timezone
from pathlib import Path

from provisioner.facts.pe import Pe, parse


def record(wheel: Path) -> dict[str, object]:
    """Read every .pyd and .dll of a wheel; the whole file is in memory, since a zip cannot be read from the middle."""
    found: dict[Pe, list[str]] = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if name.lower().endswith((".pyd", ".dll")):
                data = archive.read(name)
                found.setdefault(parse(lambda offset, size, data=data: data[offset : offset + size]), []).append(name)  # type: ignore[misc]
        build = next((name for name in archive.namelist() if name.endswith("/python/platform/build_info.py")), "")
        info = archive.read(build).decode() if build else ""
    groups = [
        {"machine": pe.machine, "linker": pe.linker, "imports": list(pe.imports), "delayed": list(pe.delayed), "files": files}
        for pe, files in found.items()
    ]
    with wheel.open("rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    today = datetime.now(tz=timezone.utc).date().isoformat()
    return {"wheel": wheel.name, "sha256": digest, "date": today, "build_info": build_lines(info), "files": groups}


def build_lines(text: str) -> list[str]:
    """What the wheel says about the DLLs that it wants."""
    return [line.strip() for line in text.splitlines() if "dll" in line or "build_info" in line]


def main() -> None:
    *wheels, folder = map(Path, sys.argv[1:])
    for wheel in wheels:
        target = folder / f"{'-'.join(wheel.name.split('-')[:3])}.json"
        target.write_text(json.dumps(record(wheel), indent=1) + "\n")
        print(target)


if __name__ == "__main__":
    main()
