"""The place of one fault on Windows: a folder on drive C with a copy of a base by hard links, and the ways to break it and the machine.

The files are the base's, too: nothing here ever writes into one, a file is replaced by another. What is done to Windows itself, or to a Python of it,
is noted in ``undo`` and taken back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.ground import Ground
from tests.faults.windows.machine import Machine
from tests.windows import machine as rig
from tests.windows.machine import Ended

DRIVER = "nvcuda.dll"
# A DLL whose start fails, as one does that is too old for what it is asked, and with a version of its own (VERSIONINFO of winver.h).
FAILS = "int __stdcall DllMain(void *a, unsigned b, void *c) { return 0; }\n"
VERSION = """1 VERSIONINFO
FILEVERSION {commas},0
PRODUCTVERSION {commas},0
BEGIN
END
"""


@dataclass
class Place(Ground):
    """``root`` holds everything: ``env``, and the working folder ``work``. ``variables`` are set around every program."""

    machine: Machine
    python: str = "3.10"
    variables: dict[str, str] = field(default_factory=dict)
    undo: list[Callable[[], None]] = field(default_factory=list)

    @property
    def site(self) -> Path:
        return self.env / "Lib" / "site-packages"

    @property
    def system(self) -> Path:
        """Windows' own DLLs."""
        return self.machine.drive / "windows" / "system32"

    @property
    def base(self) -> Path:
        """The Python under the environment."""
        return self.machine.drive / f"Python{self.python.replace('.', '')}"

    def windows(self, path: Path) -> str:
        """The path as Windows has it."""
        return "C:\\" + str(path.relative_to(self.machine.drive)).replace("/", "\\")

    # Packages, as people install them

    def uv(self, *argv: str) -> None:
        done = self.machine.run("uv", *argv, cwd=self.root)
        if done.code:
            raise RuntimeError(f"uv {' '.join(argv)}: {done.err}")

    def install(self, *requirements: str) -> None:
        """Install exactly these, whatever else they or others ask for."""
        self.uv("pip", "install", "--no-deps", "-p", self.windows(self.env / "Scripts" / "python.exe"), *requirements)

    def install_into(self, folder: Path, *requirements: str, python: str = "") -> None:
        """Put distributions into a folder that is no environment."""
        self.uv("pip", "install", "--no-deps", "-p", python or self.python, "--target", self.windows(folder), *requirements)

    def uninstall(self, *names: str) -> None:
        self.uv("pip", "uninstall", "-p", self.windows(self.env / "Scripts" / "python.exe"), *names)

    # Files: always another file in the old one's place

    def take(self, path: Path) -> None:
        """Take a file of the machine away until the place is removed."""
        aside = path.with_name(path.name + ".taken")
        path.rename(aside)
        self.undo.append(lambda: aside.replace(path))

    def put(self, path: Path, source: Path) -> None:
        """Put a file into the machine, in another one's place, until the place is removed."""
        if path.exists():
            self.take(path)
        else:
            self.undo.append(lambda: path.unlink(missing_ok=True))
        shutil.copy(source, path)

    def put_driver(self) -> None:
        """Put the rig's stand-in for NVIDIA's driver where the driver puts its own: TensorFlow goes on to open CUDA's DLLs."""
        self.put(self.system / DRIVER, rig.ROOT / "build" / "nvcuda" / DRIVER)

    def take_driver(self) -> None:
        """Take it away again, where it was put: it computes nothing, so that with it no mending can be proven."""
        (self.system / DRIVER).unlink(missing_ok=True)

    def failing(self, name: str, version: str) -> Path:
        """Make a DLL of that name and version that fails while it starts."""
        folder = self.folder("made")
        resource, target = folder / "version.res.o", folder / name
        text = VERSION.format(commas=version.replace(".", ","))
        tool = "x86_64-w64-mingw32-"
        subprocess.run([f"{tool}windres", "-O", "coff", "-o", str(resource)], input=text, text=True, check=True, capture_output=True)
        argv = [f"{tool}gcc", "-shared", "-nostdlib", "-Wl,--entry=DllMain", "-x", "c", "-", "-x", "none", str(resource), "-o", str(target)]
        subprocess.run(argv, input=FAILS, text=True, check=True, capture_output=True)
        return target

    def own_python(self) -> Path:
        """Give the environment a Python of its own, a copy by hard links."""
        target = self.root / "python"
        shutil.copytree(self.base, target, copy_function=os.link)
        config = self.env / "pyvenv.cfg"
        self.write(
            config,
            config.read_text().replace(self.windows(self.base), self.windows(target)).replace(f"C:/{self.base.name}", self.windows(target)),
        )
        return target

    # Programs

    def tfsetup(self, *argv: str) -> Ended:
        """Run the command as a person would, without a terminal."""
        return self.machine.tfsetup(argv[0], "--env", self.windows(self.env), *argv[1:], cwd=self.work, **self.variables)
