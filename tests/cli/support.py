"""The real command line: as a process of its own, or inside the test's process where speed matters; with a small catalogue of tiny wheels."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from provisioner.catalogue import find_profiles
from provisioner.cli import run_command
from provisioner.model.catalogue import LockedFile
from tests.support import PYTHON, make_wheel

VERSION = "2.20.0"
RELEASE = """\
schema: tfsetup/releases/1
sources: [a test]
common:
  builds:
    linux-x86_64:
      pythons: ["{python}"]
      glibc: "2.17"
      cpu_features: []
      packages: {{cpu: tensorflow-cpu}}
releases:
  {version}: {{released: "2025-08-13", cutoff: "2025-09-15"}}
"""
LOCK = """\
tfsetup-lock 1
release {version}
platform linux-x86_64
cutoff 2025-09-15
resolver uv 0.9.0
sets {python}/cpu

"""
TABLES = ("conda.yaml", "cuda.yaml", "drivers.yaml", "gpus.yaml")


def tiny_set(wheels: Path) -> tuple[LockedFile, ...]:
    """Write the wheels of a TensorFlow that can be imported and cannot compute."""
    return (
        make_wheel(wheels, "six", "2.0", {"six.py": "VERSION = 2\n"}, scripts={"six": "six:main"}),
        make_wheel(wheels, "tensorflow-cpu", VERSION, {"tensorflow/__init__.py": f"__version__ = '{VERSION}'\nGOOD = True\n"}),
    )


def make_profiles(root: Path, files: tuple[LockedFile, ...]) -> Path:
    """Write a catalogue of one set."""
    (root / "releases").mkdir(parents=True)
    (root / "locks" / "linux-x86_64").mkdir(parents=True)
    for name in TABLES:
        shutil.copy(Path(find_profiles()) / name, root / name)
    (root / "releases" / "2.20.yaml").write_text(RELEASE.format(python=PYTHON, version=VERSION))
    lines = "".join(f"{file.filename} {file.size} {file.unpacked} {file.sha256} *\n" for file in files)
    (root / "locks" / "linux-x86_64" / f"{VERSION}.lock").write_text(LOCK.format(python=PYTHON, version=VERSION) + lines)
    return root


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The one document on stdout."""
        return json.loads(self.out)


@dataclass
class Tool:
    """``tfsetup`` in a working directory of its own, with an environment of its own."""

    cwd: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def argv(self) -> list[str]:
        return [sys.executable, "-m", "provisioner"]

    def __call__(self, *args: str, timeout: float = 60, **env: str) -> Ended:
        """Run a process to its end, without a terminal."""
        with self.start(*args, **env) as process:
            out, err = process.communicate(timeout=timeout)
        return Ended(process.returncode, out, err)

    def start(self, *args: str, **env: str) -> subprocess.Popen[str]:
        """Start a process."""
        return subprocess.Popen(
            [*self.argv, *args], cwd=self.cwd, env={**self.env, **env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="surrogateescape",
        )  # fmt: skip


@dataclass
class Inside:
    """``tfsetup`` inside the test's process: the same code but for the interpreter's start and end."""

    capsys: object
    monkeypatch: object

    def __call__(self, *args: str, **env: str) -> Ended:
        self.capsys.readouterr()
        with self.monkeypatch.context() as patch:
            for name, value in env.items():
                patch.setenv(name, value)
            before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
            try:
                code = run_command(list(args))
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)
        said = self.capsys.readouterr()
        return Ended(code, said.out, said.err)


def base_environment(home: Path, cache: Path) -> dict[str, str]:
    """The variables of a plain login: the tests' Python and the system's programs, nothing of the user's."""
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join([str(Path(os.path.realpath(sys.executable)).parent), "/usr/bin", "/bin"]),
        "LANG": "C.UTF-8",
        "TFSETUP_CACHE_DIR": str(cache),
        "UV_CACHE_DIR": str(cache / "uv"),
        # Where coverage is measured, in these processes too.
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE")},
    }
