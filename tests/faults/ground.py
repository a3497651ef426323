"""What the places of faults share, on Linux and on Windows: a folder with an environment in it, and files that are replaced, never written into.

The files of a place are the base's by hard links, and the installer's cache's: whoever wrote into one would write into all.
"""

from __future__ import annotations

import re
import shutil
import stat
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Ground(ABC):
    """``root`` holds everything: ``env``, the working folder ``work``, and whatever else the fault puts there."""

    root: Path

    @property
    def env(self) -> Path:
        return self.root / "env"

    @property
    def work(self) -> Path:
        """The folder in which programs are started."""
        return self.folder("work")

    @property
    @abstractmethod
    def site(self) -> Path:
        """Where packages are."""

    def folder(self, name: str) -> Path:
        """Return a folder of the place, made when it is not there."""
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def info(self, name: str) -> Path:
        """Return the metadata folder of a distribution."""
        wanted = re.sub(r"[-_.]+", "_", name).lower()
        return next(path for path in self.site.glob("*.dist-info") if re.sub(r"[-_.]+", "_", path.name.partition("-")[0]).lower() == wanted)

    def write(self, path: Path, content: bytes | str, *, mode: int | None = None) -> None:
        data = content.encode() if isinstance(content, str) else content
        if mode is None:
            mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)

    def cut(self, path: Path, part: float) -> None:
        """Leave the first ``part`` of a file."""
        with path.open("rb") as stream:
            kept = stream.read(int(path.stat().st_size * part))
        self.write(path, kept)

    def delete(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
