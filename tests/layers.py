"""Real overlay file systems, one layer on the other, as the steps of a Dockerfile make them; for root on Linux."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.killing import kind_of
from tests.support import DyingHost


@dataclass
class Layers:
    """A stack of layers on a tmpfs at ``disk``, shown at ``top``; what is done there lands in the newest."""

    disk: Path
    lower: list[Path] = field(default_factory=list)
    upper: Path = Path()

    @property
    def top(self) -> Path:
        """Where they are seen as one."""
        return self.disk / "top"

    def commit(self) -> None:
        """End the step: what was changed is a lower layer from now on."""
        self._unmount()
        self.lower.append(self.upper)
        self.mount(self._new("layer"))

    def mount(self, upper: Path) -> None:
        """Show the lower layers and ``upper`` on them."""
        self.upper = upper
        lower = ":".join(str(path) for path in reversed(self.lower))
        options = f"lowerdir={lower},upperdir={upper},workdir={self._new('work')}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(self.top)], check=True, capture_output=True)

    def put(self, upper: Path, *, later: bool) -> None:
        """Show what a process left in ``upper``: to the next one in the same container, or ``later``, in the next layer."""
        self._unmount()
        if later:
            self.lower.append(upper)
            self.mount(self._new("layer"))
            self.lower.pop()
        else:
            self.mount(upper)

    def drop(self) -> None:
        """Forget the newest layer and the one below it, and begin a step anew on the rest."""
        self._unmount()
        subprocess.run(["rm", "-rf", str(self.upper), str(self.lower.pop())], check=True)
        self.mount(self._new("layer"))

    def keep(self) -> Path:
        """Return a copy of the newest layer as it is now."""
        folder = self._new("kept")
        folder.rmdir()
        subprocess.run(["cp", "-a", str(self.upper), str(folder)], check=True)
        return folder

    def _new(self, name: str) -> Path:
        number = len(list(self.disk.iterdir()))
        while (folder := self.disk / f"{name}-{number}").exists():
            number += 1
        folder.mkdir()
        return folder

    def _unmount(self) -> None:
        subprocess.run(["umount", "-l", str(self.top)], check=True)


@contextmanager
def layers(disk: Path, *, memory: bool = True) -> Iterator[Layers]:
    """Give layers on a tmpfs at ``disk``, or for large ones (not ``memory``) in a folder there; skips where nothing can be mounted."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root can mount")
    disk.mkdir()
    if memory and _mount("-t", "tmpfs", "tmpfs", str(disk)):
        pytest.skip("no file system can be mounted here")
    made = Layers(disk)
    try:
        made.top.mkdir()
        made.lower.append(made._new("layer"))
        try:
            made.mount(made._new("layer"))
        except subprocess.CalledProcessError:
            pytest.skip("no overlay can be mounted here")
        yield made
    finally:
        unmount_all(disk)


def _mount(*args: str) -> int:
    return subprocess.run(["mount", *args], check=False, capture_output=True).returncode


def unmount_all(disk: Path) -> None:
    """Unmount what tests have mounted below ``disk``, innermost first, and that."""
    rows = Path("/proc/self/mountinfo").read_text().splitlines()
    found = [row.split()[4] for row in rows]
    for place in reversed([place for place in found if place == str(disk) or place.startswith(f"{disk}/")]):
        subprocess.run(["umount", "-l", place], check=True)


@dataclass
class KeepingHost(DyingHost):
    """This machine; before each effect the newest layer is kept as it is: what a process leaves that is killed there."""

    dies_at: int = 0
    layers: Layers | None = None
    kept: list[tuple[str, Path]] = field(default_factory=list)

    def _effect(self, *what: str) -> None:
        assert self.layers is not None
        self.kept.append((" ".join(map(kind_of, what)), self.layers.keep()))

    def telling(self) -> Iterator[tuple[str, Path]]:
        """Give the first and the last moment of each kind, and drop each when it was looked at."""
        kinds = [what for what, _ in self.kept]
        for number, (what, folder) in enumerate(self.kept):
            if number in {kinds.index(what), len(kinds) - 1 - kinds[::-1].index(what)}:
                yield what, folder
            subprocess.run(["rm", "-rf", str(folder)], check=True)
