"""The programs that are compared: how each is asked, what counts as its first complaint, and how it repairs, where it does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uv

from tests.faults.bases import find_python
from tests.faults.place import Place
from tests.faults.trial import tfsetup

SECONDS = 900
# The newest that the index has; each in a folder of its own, never in the environment.
TOOLS, INSIDE = ("env-repair", "pipdeptree"), "env-doctor"
OLDEST = (3, 10)
# What env-doctor cannot import it calls not found, and offers to install it.
ALARMS = ("error", "warning", "not_found")


@dataclass(frozen=True)
class Answer:
    """What a program said: whether it complains, and its first complaint; ``able`` is false where it cannot be run on this environment."""

    complains: bool
    first: str = ""
    able: bool = True


UNABLE = Answer(complains=False, able=False)


class Programs:
    """The programs in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = str(self._venv("programs", "3.11", *TOOLS) / "bin/python")

    def _venv(self, name: str, python: str, *packages: str) -> Path:
        path = self.folder / name
        if not (path / "ready").exists():
            subprocess.run(
                [uv.find_uv_bin(), "venv", "--quiet", "--clear", "--python", find_python(python), str(path)], check=True, cwd="/"
            )
            argv = [uv.find_uv_bin(), "pip", "install", "--quiet", "--python", f"{path}/bin/python", *packages]
            subprocess.run(argv, check=True, cwd="/")
            (path / "ready").touch()
        return path

    def pip(self, place: Place) -> Answer:
        """``pip check`` by the environment's own pip."""
        return self._lines(place, [str(place.bin / "python"), "-m", "pip", "check"])

    def uv(self, place: Place) -> Answer:
        """``uv pip check``."""
        return self._lines(place, [uv.find_uv_bin(), "pip", "check", "--python", place.interpreter], skip=("Using", "Checked", "Found"))

    def pipdeptree(self, place: Place) -> Answer:
        """``pipdeptree --warn fail``."""
        argv = [str(Path(self.python).parent / "pipdeptree"), "--warn", "fail", "--python", place.interpreter, "--depth", "0"]
        done = _run(place, argv)
        # The tree is on standard output, what is wrong with it beside.
        said = [line for line in done.stderr.splitlines() if line.lstrip().startswith(("*", "-")) and line.strip("-")]
        return Answer(complains=done.returncode != 0, first="\n".join(said[:2]) or _last(done) if done.returncode else "")

    def env_doctor(self, place: Place) -> Answer:
        """``env-doctor check``, imported by the environment's own Python, as it must be: it looks at what that has."""
        version = _version(place)
        if version < OLDEST:
            return UNABLE
        inside = self._venv(f"env-doctor-{version[0]}.{version[1]}", f"{version[0]}.{version[1]}", INSIDE)
        (site,) = inside.glob("lib/python3*/site-packages")
        code = f"import sys; sys.path.append({str(site)!r}); sys.argv = ['env-doctor', 'check', '--json']; from env_doctor.cli import main; main()"
        done = _run(place, [place.interpreter, "-c", code])
        try:
            document = json.loads(done.stdout[done.stdout.index("{") :])
        except ValueError:
            return Answer(complains=True, first=_last(done))
        checks = [item for item in _checks(document) if item.get("status") in ALARMS and _of_tensorflow(item)]
        return Answer(complains=bool(checks), first=json.dumps(checks[0]) if checks else "")

    def env_repair(self, place: Place) -> Answer:
        """``env-repair --env`` and then ``env-repair verify-imports --full``."""
        program = str(Path(self.python).parent / "env-repair")
        done = _run(place, [program, "--env", str(place.env), "--json"])
        try:
            issues = json.loads(done.stdout[done.stdout.index("[") :])[0].get("issues") or []
        except (ValueError, IndexError):
            issues = []
        if issues:
            return Answer(complains=True, first=json.dumps(issues[0]))
        done = _run(place, [program, "verify-imports", "--env", str(place.env), "--full", "--json"])
        try:
            document = json.loads(done.stdout[done.stdout.index("{") :])
        except ValueError:
            return Answer(complains=done.returncode != 0, first=_last(done))
        failed = document.get("failures") or document.get("failed") or document.get("broken") or []
        return Answer(complains=bool(failed), first=json.dumps(failed[0] if isinstance(failed, list) else failed) if failed else "")

    def ours(self, place: Place) -> Answer:
        """``tfsetup doctor``."""
        done = tfsetup(place, "doctor", "--json")
        found = [item for item in done.document.get("findings") or () if item["severity"] != "info"]
        return Answer(complains=done.code != 0, first=json.dumps([found[0]["title"], found[0]["evidence"]]) if found else done.words)

    def _lines(self, place: Place, argv: list[str], skip: tuple[str, ...] = ()) -> Answer:
        done = _run(place, argv)
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip() and not line.startswith(skip or ("\0",))]
        return Answer(complains=done.returncode != 0, first=said[0] if said and done.returncode else "")


def _checks(document: dict[str, object]) -> list[dict[str, object]]:
    """What a document of env-doctor says of each component."""
    found: list[dict[str, object]] = []
    waiting: list[object] = [document]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, dict):
            found += [item] if "component" in item else []
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return found


def _of_tensorflow(item: dict[str, object]) -> bool:
    """A missing GPU, and PyTorch or JAX that nobody has installed, are no complaints about this environment."""
    return "tensorflow" in json.dumps(item).lower()


def _version(place: Place) -> tuple[int, int]:
    folder = next(place.env.glob("lib/python3*"), Path("python3.0")).name
    major, minor = folder.removeprefix("python").split(".")
    return int(major), int(minor)


def _run(place: Place, argv: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            argv, capture_output=True, text=True, errors="replace", check=False, env=place.environment(), cwd=place.work, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(argv, 127, "", str(error))


def _last(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip() or done.stdout.strip() or f"ended with {done.returncode}").splitlines()[-1]


def reinstall(place: Place, release: str) -> None:
    """What people do first: TensorFlow and all that it asks for installed anew."""
    argv = [uv.find_uv_bin(), "pip", "install", "--quiet", "--reinstall", "--python", place.interpreter, f"tensorflow-cpu=={release}"]
    name = f"tensorflow-cpu=={release}" if tuple(map(int, release.split(".")[:2])) >= (2, 1) else f"tensorflow=={release}"
    _run(place, [*argv[:-1], name])


def env_repair_fix(programs: Programs, place: Place) -> None:
    """``env-repair --fix`` and ``env-repair verify-imports --full --fix``."""
    program = str(Path(programs.python).parent / "env-repair")
    _run(place, [program, "--env", str(place.env), "--fix", "--use-uv"])
    _run(place, [program, "verify-imports", "--env", str(place.env), "--full", "--fix", "--use-uv"])


CHECKS: dict[str, Callable[[Programs, Place], Answer]] = {
    "pip check": Programs.pip,
    "uv pip check": Programs.uv,
    "pipdeptree --warn fail": Programs.pipdeptree,
    "env-doctor check": Programs.env_doctor,
    "env-repair, with verify-imports": Programs.env_repair,
    "tfsetup doctor": Programs.ours,
}
REPAIRS = ("uv pip install --reinstall tensorflow", "env-repair --fix", "tfsetup fix")

if sys.version_info < OLDEST or os.name != "posix":
    raise SystemExit("needs Python 3.10 and Linux")
