"""Changes by pip between apply and undo: undo is exact, or stops before the first move and names what is in the way; nothing is ever lost."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.torture.fingerprint import Print
from tests.torture.place import Place
from tests.torture.run import Result, Torture
from tests.torture.scenarios import base
from tests.torture.verdict import Verdict, check_same

# An editable project that is built without anything from an index.
_BACKEND = """
import zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "edited-2.0-py3-none-any.whl"
    info = "edited-2.0.dist-info/"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("_edited.pth", "PROJECT\\n")
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: edited\\nVersion: 2.0\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
def build_wheel(*_arguments):
    raise NotImplementedError
"""
_PROJECT = """[project]
name = "edited"
version = "2.0"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def _editable(place: Place) -> None:
    project = place.root / "home" / "editable"
    place.write(project / "pyproject.toml", _PROJECT)
    place.write(project / "backend.py", _BACKEND.replace("PROJECT", str(project)))
    place.write(project / "edited.py", "V = 2\n")
    place.pip("install", "--no-deps", "--no-build-isolation", "-e", str(project))


def _compile(place: Place) -> None:
    subprocess.run([place.env / "bin" / "python", "-m", "compileall", "-q", place.site / "google", place.site / "six.py"], check=True)


def _in_place(place: Place, name: str, make: Callable[[Path], object]) -> None:
    """Put something of another kind where a file or folder was."""
    path = place.site / name
    path.rename(place.root / "home" / path.name)
    make(path)


ACTIONS: dict[str, Callable[[Place], None]] = {
    "nothing": lambda _place: None,
    "upgrade": lambda place: place.pip("install", "--no-deps", "six==9.0"),
    "downgrade": lambda place: place.pip("install", "--no-deps", "six==1.0"),
    "installed anew": lambda place: place.pip("install", "--no-deps", "--force-reinstall", "six==2.0"),
    "remove": lambda place: place.pip("uninstall", "-y", "six"),
    "remove TensorFlow": lambda place: place.pip("uninstall", "-y", "tensorflow-cpu"),
    "another TensorFlow": lambda place: place.pip("install", "--no-deps", "tensorflow==2.19.0"),
    "a package": lambda place: place.pip("install", "--no-deps", "later"),
    "add into a namespace folder": lambda place: place.pip("install", "--no-deps", "google-rpc"),
    "add a file beside": lambda place: place.write(place.site / "own.py", "mine"),
    "add a file into TensorFlow": lambda place: place.write(place.site / "tensorflow" / "new" / "own.py", "mine"),
    "add a file into a namespace folder": lambda place: place.write(place.site / "google" / "own.txt", "mine"),
    "add a file where an old one was": lambda place: place.write(place.site / "six_only_1.py", "mine"),
    "edit a file": lambda place: place.write(place.site / "google" / "protobuf" / "v2.py", "edited = 1\n"),
    "edit a script": lambda place: place.write(place.env / "bin" / "six", "#!/bin/sh\n"),
    "delete a file": lambda place: (place.site / "google" / "protobuf" / "v2.py").unlink(),
    "editable install": _editable,
    "byte code": _compile,
    "a file for a folder": lambda place: _in_place(place, "google/protobuf", lambda path: path.write_text("mine")),
    "a folder for a file": lambda place: _in_place(place, "six.py", lambda path: place.write(path / "own.py", "mine")),
    "a link for a file": lambda place: _in_place(place, "six.py", lambda path: path.symlink_to(place.root / "home" / "thesis.txt")),
    "a link for a folder": lambda place: _in_place(place, "google/protobuf", lambda path: path.symlink_to(place.root / "home" / "project")),
    "a link beside": lambda place: (place.site / "own.py").symlink_to(place.root / "home" / "thesis.txt"),
    "a link into TensorFlow": lambda place: (place.site / "tensorflow" / "own").symlink_to(place.root / "home"),
    "a mode of a folder": lambda place: (place.site / "google" / "protobuf").chmod(0o700),
    "a folder that is read-only": lambda place: (place.site / "tensorflow").chmod(0o555),
    "an environment that is read-only": lambda place: (place.site).chmod(0o555),
    "a new folder": lambda place: (place.site / "tensorflow" / "empty").mkdir(),
    "a pipe": lambda place: os.mkfifo(place.site / "tensorflow" / "pipe"),
    "a second name of a file": lambda place: os.link(place.site / "google" / "protobuf" / "v2.py", place.site / "google" / "same.py"),
    "the environment under another name": lambda place: (place.root / "work" / "link").symlink_to(place.env),
}
BASES = ("changed", "applied")
WAYS = ((), ("--keep-new", "{place}/kept"), ("--leave-new",))


def since(torture: Torture, name: str, action: str, way: tuple[str, ...]) -> Result:
    """Do it on a base, then undo in one of the three ways; where undo does as it is asked, the others are not needed and do the same."""
    place = Place(torture.world, torture.world.root / "place")
    place.fresh(base(place, "rival" if name == "changed" else "nothing"))
    old = place.print()
    place.fresh(base(place, name))
    brought = place.print()
    ACTIONS[action](place)
    came = place.print()
    ended = place.tool("undo", "--yes", "--env", str(place.env), *(word.format(place=place.root) for word in way))
    result = Result(story=ended.said)
    now = place.print()
    result.expect("Traceback" not in ended.said and "a bug in" not in ended.said, "a traceback")
    if ended.code == 1:
        check_same(result, came, now, "it stopped, and has changed something")
        result.expect(bool(re.search(r"\n  - \S", ended.said)), "it stopped, and names nothing")
        result.expect(not way or (way == ("--leave-new",) and name == "applied"), f"it stops with {way[:1]} as well")
        result.outcome = "stops, and names it"
    else:
        result.expect(ended.code == 0, f"code {ended.code}")
        _check_undone(result, old, brought, came, now)
        result.outcome = "old"
    return result


def _check_undone(verdict: Verdict, old: Print, brought: Print, came: Print, now: Print) -> None:
    there = set(now.values())
    # Of a file only its content is lost with it; byte code is made anew.
    came_since = [path for path, mark in came.items() if mark.startswith("file") and brought.get(path) != mark and not _of_nobody(path)]
    lost = [path for path in came_since if came[path] not in there]
    verdict.expect(not lost, f"lost: {lost[:5]}")
    others = [path for path, mark in came.items() if path not in brought and mark.startswith(("link", "special")) and mark not in there]
    verdict.expect(not others, f"links and others are lost: {others[:5]}")
    gone = [path for path, mark in old.items() if now.get(path) != mark and mark not in there and not path.endswith(".pyc")]
    verdict.expect(not gone, f"old, and not back: {gone[:5]}")
    folders = [path for path, mark in now.items() if path.endswith(".dist-info") and mark.startswith("folder") and "/.tfsetup/" not in path]
    names = Counter(_name(path) for path in folders if not path.startswith("kept/"))
    twice = [name for name, count in names.items() if count > 1]
    verdict.expect(not twice, f"there twice: {twice}")


def _of_nobody(path: str) -> bool:
    return path.endswith(".pyc") or "/.tfsetup/" in path


def _name(path: str) -> str:
    return re.sub(r"[-_.]+", "-", path.rsplit("/", 1)[-1].split("-", maxsplit=1)[0]).lower()
