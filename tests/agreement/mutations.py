"""Single changes of a good environment, each taken back afterwards: of a file (gone, cut off, replaced, linked elsewhere), or of a package."""

from __future__ import annotations

import csv
import io
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uv

FILE_KINDS = ("delete", "truncate", "replace", "relink")
PACKAGE_KINDS = ("remove", "swap")
# Other versions of packages that sets of many releases hold; which of them fit, the views must find out.
OTHERS = {
    "absl-py": ("2.1.0", "2.0.0"),
    "certifi": ("2024.7.4", "2025.1.31"),
    "charset-normalizer": ("3.3.2", "3.4.0"),
    "gast": ("0.5.4", "0.4.0"),
    "google-pasta": ("0.1.8",),
    "idna": ("3.6", "2.10"),
    "markdown": ("3.6", "3.5"),
    "markdown-it-py": ("3.0.0", "2.2.0"),
    "opt-einsum": ("3.3.0", "3.2.1"),
    "packaging": ("24.0", "23.2"),
    "pygments": ("2.17.2", "2.12.0"),
    "requests": ("2.31.0", "2.20.0"),
    "rich": ("13.7.1", "12.6.0"),
    "six": ("1.15.0", "1.10.0"),
    "termcolor": ("2.4.0", "1.1.0"),
    "typing-extensions": ("4.9.0", "3.7.4.3"),
    "urllib3": ("2.2.1", "1.26.18", "1.21"),
    "werkzeug": ("3.0.3", "1.0.0"),
    "wrapt": ("1.16.0", "1.14.1"),
}


@dataclass(frozen=True)
class Mutation:
    """``words`` say what was done; ``undo`` takes it back."""

    words: str
    undo: Callable[[], None]


def recorded(site: Path) -> list[Path]:
    """Return every file that a RECORD has a hash for."""
    rows = [
        row for record in sorted(site.glob("*.dist-info/RECORD")) for row in csv.reader(io.StringIO(record.read_text(encoding="utf-8")))
    ]
    return [site / row[0] for row in rows if len(row) == 3 and row[1].startswith("sha256=") and not row[0].endswith(".pyc")]


class Mutator:
    """Changes the environment ``env``; ``aside`` is a folder on the same file system."""

    def __init__(self, env: Path, aside: Path, seed: int) -> None:
        self.env, self.aside, self.seed = env, aside, seed
        (self.site,) = env.glob("lib/python3*/site-packages")
        self.random = random.Random(seed)
        self.files = recorded(self.site)
        aside.mkdir(parents=True, exist_ok=True)

    def made(self, number: int) -> Mutation:
        """Make the mutation of that number, the same whatever was made before; it must be taken back before the next."""
        self.random = random.Random(f"{self.seed}:{number}")
        kind = (*FILE_KINDS * 2, *PACKAGE_KINDS)[number % 10]
        return self.of_file(kind) if kind in FILE_KINDS else self.of_package(kind)

    def of_file(self, kind: str) -> Mutation:
        """Replace a file by nothing, by its first half, by other bytes of the same length, or by a link to another file."""
        # Half of them any file, half of them of a package of any size.
        folder = self.random.choice(sorted({path.relative_to(self.site).parts[0] for path in self.files if ".." not in str(path)}))
        near = [path for path in self.files if path.is_relative_to(self.site / folder)] or self.files
        path = self.random.choice(self.files if self.random.random() < 0.5 else near)
        kept = self.aside / "file"
        data = path.read_bytes()
        os.rename(path, kept)
        if kind == "truncate":
            path.write_bytes(data[: len(data) // 2])
        elif kind == "replace":
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]) if data else b"x")
        elif kind == "relink":
            path.symlink_to(self.random.choice([other for other in self.files if other != path]))

        def undo() -> None:
            path.unlink(missing_ok=True)
            os.rename(kept, path)

        return Mutation(f"{kind} {os.path.relpath(path, self.site)} ({len(data)} bytes)", undo)

    def of_package(self, kind: str) -> Mutation:
        """Remove a package, or put another version of it in its place; its own files come back unchanged."""
        infos = sorted(self.site.glob("*.dist-info"))
        names = {info.name.partition("-")[0].replace("_", "-").lower(): info for info in infos}
        if kind == "swap":
            names = {name: info for name, info in names.items() if name in OTHERS}
        name = self.random.choice(sorted(names))
        version = names[name].name.removesuffix(".dist-info").partition("-")[2]
        saved = self._save(names[name])
        self._pip("uninstall", name)
        words = f"remove {name} {version}"
        if kind == "swap":
            other = self.random.choice([item for item in OTHERS[name] if item != version])
            words = f"swap {name} {version} for {other}"
            self._pip("install", "--no-deps", f"{name}=={other}")

        def undo() -> None:
            if kind == "swap":
                self._pip("uninstall", name)
            for path, kept in saved:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                os.link(kept, path)
            shutil.rmtree(self.aside / "package")

        return Mutation(words, undo)

    def _save(self, info: Path) -> list[tuple[Path, Path]]:
        """Copy aside what a package has recorded."""
        rows = csv.reader(io.StringIO((info / "RECORD").read_text(encoding="utf-8")))
        saved = []
        for number, row in enumerate(row for row in rows if row):
            path, kept = self.site / row[0], self.aside / "package" / str(number)
            if path.is_file():
                kept.parent.mkdir(exist_ok=True)
                os.link(path, kept)
                saved.append((path, kept))
        return saved

    def _pip(self, *argv: str) -> None:
        command = [uv.find_uv_bin(), "pip", argv[0], "--quiet", "--python", str(self.env / "bin/python"), *argv[1:]]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode:
            raise RuntimeError(done.stderr)
