"""The place of one fault: a copy of a base by hard links, a working folder, a home, and the ways to break them.

The files are the base's and uv's cache's too. So nothing here ever writes into a file: a file is replaced by another one.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.bases import BASES, build, fill, find_python, lock_of, uv_run
from tests.faults.ground import Ground

PROOF_SECONDS = 300.0


@dataclass
class Place(Ground):
    """``root`` holds everything: ``env``, the working folder ``work``, the home, and whatever else the fault puts there.

    ``python`` is the interpreter that the command is told of instead of the environment; ``variables`` are set around every command;
    ``prefix`` is put before every command line (another user, other rights). ``undo`` are command lines that take back what was done outside
    of it (a mount), last first; ``locked`` says that something in it cannot be removed before its rights are given back.
    """

    base: str = ""
    python: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    undo: list[tuple[str, ...]] = field(default_factory=list)
    locked: bool = False
    bases: Path = Path()

    def other(self, base: str) -> Path:
        """Return another base, to take files from."""
        return build(base, self.bases)

    @property
    def home(self) -> Path:
        return self.folder("home")

    @property
    def bin(self) -> Path:
        return self.env / "bin"

    @property
    def site(self) -> Path:
        return next(self.env.glob("lib/python3*/site-packages"))

    @property
    def interpreter(self) -> str:
        """The interpreter that the fault is about."""
        return self.python or str(self.bin / "python")

    def path(self, pattern: str) -> Path:
        """Return the one path below site-packages that matches."""
        found = sorted(self.site.glob(pattern))
        if len(found) != 1:
            raise LookupError(f"{pattern}: {len(found)} paths")
        return found[0]

    # Packages, as people install them

    def install(self, *requirements: str, python: str = "", options: tuple[str, ...] = ()) -> None:
        """Install exactly these, whatever else they or others ask for; byte code is left to the first import, as installers do."""
        uv_run("pip", "install", "--no-deps", "--python", python or str(self.bin / "python"), *options, *requirements)

    def add(self, *requirements: str) -> None:
        """Install these with all that they ask for, what is there staying as it is."""
        limits = self.root.parent / "constraints.txt"
        python = str(self.bin / "python")
        limits.write_text(uv_run("pip", "freeze", "--python", python))
        uv_run("pip", "install", "--python", python, "--constraints", str(limits), *requirements)

    def install_into(self, folder: Path, *requirements: str, options: tuple[str, ...] = ()) -> None:
        """Put distributions into a folder that is no environment."""
        uv_run("pip", "install", "--no-deps", "--python", str(self.bin / "python"), "--target", str(folder), *options, *requirements)

    def install_into_by(self, python: str, folder: Path, *requirements: str) -> None:
        """Put distributions into a folder, for an interpreter that is not the environment's."""
        uv_run("pip", "install", "--no-deps", "--python", python, "--target", str(folder), *requirements)

    def uninstall(self, *names: str) -> None:
        uv_run("pip", "uninstall", "--python", str(self.bin / "python"), *names)

    def pip(self, *argv: str, check: bool = True) -> None:
        """Run the environment's own pip."""
        environment = {**self.environment(), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CACHE_DIR": str(self.root.parent / "pip-cache")}
        command = [str(self.bin / "python"), "-m", "pip", "--quiet", *argv]
        subprocess.run(command, check=check, capture_output=True, env=environment, cwd="/")

    def venv(self, path: Path, python: str, *options: str) -> Path:
        """Make another environment."""
        uv_run("venv", "--no-project", "--clear", "--python", find_python(python) or python, *options, str(path))
        return path

    def fill(self, env: Path, base: str) -> None:
        """Install the set of a base into an environment."""
        fill(str(env / "bin" / "python"), lock_of(BASES[base]), self.root.parent)

    # Files: always another file in the old one's place

    def copy(self, source: Path, target: Path) -> Path:
        """Copy a folder by hard links."""
        shutil.copytree(source, target, symlinks=True, copy_function=os.link, dirs_exist_ok=True)
        return target

    def copy_python(self, version: str) -> Path:
        """Copy a Python by hard links, without what is installed in it."""
        source = Path(find_python(version)).parent.parent

        def skipped(folder: str, names: list[str]) -> list[str]:
            return [name for name in names if name in {"test", "site-packages", "share", "include"} and "encodings" not in folder]

        target = self.root / "python"
        shutil.copytree(source, target, symlinks=True, copy_function=os.link, ignore=skipped)
        (target / f"lib/python{version}/site-packages").mkdir()
        return target

    def wrap(self, command: str) -> None:
        """Let the interpreter in question be a script that runs a command with the arguments."""
        wrapper = self.root / "bin" / "python"
        self.write(wrapper, f'#!/bin/sh\nexec {command} "$@"\n', mode=0o755)
        self.python = str(wrapper)

    # Programs

    def environment(self) -> dict[str, str]:
        """The variables of a plain login with the fault's on top."""
        cache = os.environ.get("UV_CACHE_DIR", "")
        plain = {
            "HOME": str(self.home),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "UV_CACHE_DIR": cache or str(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"),
            "UV_PYTHON_DOWNLOADS": "never",
            "TFSETUP_CACHE_DIR": str(self.root.parent / "tool-cache"),
            "TF_CPP_MIN_LOG_LEVEL": "0",
        }
        kept = {name: value for name, value in os.environ.items() if name.startswith(("UV_SYSTEM", "UV_INDEX", "SSL_CERT", "COVERAGE"))}
        return {**plain, **kept, **self.variables}

    def show(self, program: str) -> str:
        """Run a program in the interpreter, as a person would, and return what it says; byte code is not written."""
        if not os.path.exists(self.interpreter) or not os.access(self.interpreter, os.X_OK):
            return f"{self.interpreter}: " + ("Permission denied" if os.path.exists(self.interpreter) else "No such file or directory")
        done = subprocess.run(
            [*self.prefix, self.interpreter, "-B", "-c", program],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env=self.environment(),
            cwd=self.work,
            timeout=PROOF_SECONDS,
        )
        end = (
            f"died by signal {-done.returncode} ({signal.Signals(-done.returncode).name})"
            if done.returncode < 0
            else f"exit {done.returncode}"
        )
        return f"{done.stdout}{done.stderr}\n{end}"

    def c_library(self, path: Path, source: str, *options: str) -> Path:
        """Build a shared library from C."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        argv = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(path), *options]
        subprocess.run(argv, input=source, text=True, check=True, capture_output=True)
        return path
