"""A reader that finds nothing to start in one folder: a machine is looked at without a program of the environment that lies there."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any, cast

from provisioner.base.paths import joined, listed, separator
from provisioner.host import Completed, Reader, files

# Variables that name programs, folders of programs, or folders that libraries are loaded from; lists are parted as the system does it.
_LISTS = ("PATH", "LD_LIBRARY_PATH", "LD_PRELOAD")
_PATHS = ("CONDA_PREFIX", "CONDA_EXE", "MAMBA_EXE", "MAMBA_ROOT_PREFIX", "PIXI_EXE", "PYENV_ROOT", "UV_PYTHON_INSTALL_DIR")
_LINKS = 40


def aloof(reader: Reader, folder: str) -> Reader:
    """Return ``reader`` as a machine on which nothing in ``folder`` (absolute) can be found or started; files there can be read."""
    return cast("Reader", _Aloof(reader, reader.real(folder)))


class _Aloof:
    """What is not said here is the reader's own."""

    def __init__(self, reader: Reader, folder: str) -> None:
        self._reader = reader
        self._folder = folder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    @property
    def env(self) -> Mapping[str, str]:
        """The variables, without what leads there."""
        kept = {name: value for name, value in self._reader.env.items() if name not in _PATHS or not self._inside(value)}
        for name in _LISTS:
            if name in kept:
                parts = listed(kept[name], self._reader.platform)
                kept[name] = separator(self._reader.platform).join(part for part in parts if not self._inside(part))
        return kept

    def which(self, name: str) -> str | None:
        """See ``host.Reader``."""
        names = (f"{name}.exe", f"{name}.bat", name) if self._reader.platform == "win32" else (name,)
        found = (posixpath.join(folder, each) for folder in listed(self.env.get("PATH", ""), self._reader.platform) for each in names)
        return next((path for path in found if files.there(self._reader, path) and not self._inside(path)), None)

    def glob(self, pattern: str) -> tuple[str, ...]:
        """See ``host.Reader``; without what lies there, or leads there."""
        return tuple(path for path in self._reader.glob(pattern) if not self._inside(path))

    def run(self, argv: Sequence[str], **options: Any) -> Completed:
        """See ``host.Reader``; what lies there may not be started."""
        if self._inside(argv[0]):
            raise PermissionError(1, "not started", argv[0])
        return self._reader.run(argv, **options)

    def _inside(self, path: str) -> bool:
        """True for a path in the folder, and for a link that leads through it: a Python takes the environment that its link lies in for its own."""
        for _ in range(_LINKS):
            where = posixpath.join(files.real(self._reader, posixpath.dirname(path)), posixpath.basename(path))
            if where == self._folder or where.startswith(f"{self._folder}/") or files.real(self._reader, where) == self._folder:
                return True
            entry = files.entry(self._reader, where)
            if entry is None or entry.kind != "link":
                return False
            path = joined(posixpath.dirname(where), self._reader.read_link(where))
        return False
