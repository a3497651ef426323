"""A Windows machine of the faults' own, so that they may take its DLLs away: the rig's drive by hard links, its registry by copies."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.windows import machine as rig
from tests.windows.machine import Ended

# What lies on the drive and is of no machine: what others have installed or cached there.
PARTS = ("windows", "users", "Program Files", "Program Files (x86)", "ProgramData")
CACHES = ("uv", "tfsetup")


@dataclass(frozen=True)
class Machine:
    """One machine at ``root``, which becomes its ``WINEPREFIX``."""

    root: Path

    @property
    def drive(self) -> Path:
        return self.root / "drive_c"

    def run(self, *argv: str, cwd: Path, **variables: str) -> Ended:
        """Run a program on it, as ``tests.windows.machine.winpy`` does on the rig's."""
        return rig.winpy(*argv, cwd=cwd, WINEPREFIX=str(self.root), **variables)

    def tfsetup(self, *argv: str, cwd: Path, **variables: str) -> Ended:
        """Run the tool, which the rig has."""
        return self.run(rig.PYTHON, "-m", "tfsetup", *argv, cwd=cwd, **variables)


def make(root: Path) -> Machine:
    """Make the machine, or take the one that is there with this repository's tool put into it anew."""
    rig.ready()
    source, found = rig.DRIVE.parent, Machine(root)
    pythons = [path.name for path in rig.DRIVE.glob("Python3*")]
    if not (root / "system.reg").exists():
        for name in (*PARTS, *pythons):
            if (rig.DRIVE / name).is_dir():
                shutil.copytree(rig.DRIVE / name, found.drive / name, symlinks=True, copy_function=os.link, ignore=_caches)
        (root / "dosdevices").mkdir()
        (root / "dosdevices" / "c:").symlink_to("../drive_c")
        (root / "dosdevices" / "z:").symlink_to("/")
        for path in (*source.glob("*.reg"), source / ".update-timestamp"):
            shutil.copy(path, root / path.name)
    rig.install(found.drive)
    return found


def _caches(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if folder.endswith("AppData/Local") and name in CACHES]
