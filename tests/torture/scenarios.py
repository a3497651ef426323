"""What is tortured: bases (places as people have them) and the commands that are run on them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support import PYTHON
from tests.torture.place import Place
from tests.torture.world import NEW, OLD, WRONG


@dataclass(frozen=True)
class Scenario:
    """``argv`` is run on a copy of ``base``; ``{env}`` and ``{place}`` in it are filled in. ``code`` is how it ends unhurt."""

    name: str
    base: str
    argv: tuple[str, ...]
    env: str = "env"
    code: int = 0

    def command(self, place: Place) -> tuple[str, ...]:
        """The command line, but for its first word."""
        return tuple(word.format(env=place.env, place=place.root) for word in self.argv)


def _nothing(place: Place) -> None:
    """A home and a working folder with somebody's own files."""
    place.write(place.root / "home" / "thesis.txt", "years of work")
    place.write(place.root / "work" / "notes.txt", "mine")
    project = place.root / "home" / "project"
    place.write(project / "pyproject.toml", '[project]\nname = "edited"\nversion = "1"\n')
    place.write(project / "edited.py", "V = 1\n")
    place.write(place.root / "beside.txt", "mine")


def _empty(place: Place) -> None:
    _nothing(place)
    place.env.mkdir()


def _own(place: Place) -> None:
    """Somebody's own in an environment: files, links, byte code, packages, a namespace folder that is shared, an editable project."""
    place.install("google-auth", "mine")
    place.write(place.site / "edited.pth", f"{place.root}/home/project\n")
    place.write(place.site / "__editable__.edited-1.pth", f"{place.root}/home/project\n")
    place.write(place.site / "tensorflow" / "mine" / "mine.py", "my own work")
    place.write(place.site / "google" / "note.txt", "my own, in a folder that is shared")
    place.write(place.env / "data" / "results.csv", "1,2,3\n")
    (place.env / "latest").symlink_to("data/results.csv")
    (place.env / "nowhere").symlink_to("/not/there")
    (place.env / "data" / "secret").mkdir(mode=0o700)
    subprocess.run(
        [place.env / "bin" / "python", "-c", "import six, tensorflow, mine, google.auth"], check=True, env=place.variables, cwd="/",
        capture_output=True,
    )  # fmt: skip


def _rival(place: Place) -> None:
    """A plain environment with another TensorFlow and older packages."""
    _nothing(place)
    place.uv("venv", "--python", sys.executable, str(place.env))
    place.install("tensorflow==2.19.0", "six==1.0", "protobuf==1.0", "numpy")
    _own(place)


def _apply(place: Place, version: str) -> None:
    done = place.tool("apply", "--yes", "--env", str(place.env), "-t", version)
    if done.code:
        raise RuntimeError(done.said)


def _applied(place: Place) -> None:
    _nothing(place)
    _apply(place, OLD)


def _applied_own(place: Place) -> None:
    _applied(place)
    _own(place)


def _changed(place: Place) -> None:
    _rival(place)
    _apply(place, OLD)


def _since(place: Place) -> None:
    """A changed one, and then pip."""
    _changed(place)
    place.pip("install", "--no-deps", "six==9.0", "google-rpc", "later")
    place.write(place.site / "tensorflow" / "mine2" / "mine.py", "my own work, too")
    place.write(place.site / "google" / "protobuf" / "v2.py", "edited = 1\n")


def _twice(place: Place) -> None:
    """Changed twice: undo has two steps to go."""
    _changed(place)
    _apply(place, NEW)


def _damaged(place: Place) -> None:
    _applied_own(place)
    (place.site / "six.py").unlink()
    shutil.rmtree(place.site / "numpy" / "linalg")
    place.write(place.site / "google" / "protobuf" / "v2.py", "not as recorded\n")


def _without_python(place: Place) -> None:
    _applied_own(place)
    (place.env / "pyvenv.cfg").unlink()
    for name in ("python", "python3"):
        (place.env / "bin" / name).unlink()


def _hidden(place: Place) -> None:
    """A file of one's own hides a package: fix renames it beside itself."""
    _applied_own(place)
    place.write(place.root / "work" / "numpy.py", "mine = 1\n")


def _team(place: Place) -> None:
    """A team's lock, and a declaration that says another release by now."""
    _nothing(place)
    for version in (OLD, NEW):
        target = f"  - {{name: all, platform: linux-x86_64, device: cpu, python: '{PYTHON}'}}\n"
        place.write(place.root / "work" / "tfsetup.yaml", f'tensorflow: "{version}"\ntargets:\n{target}')
        if version == OLD and (done := place.tool("lock")).code:
            raise RuntimeError(done.said)


BASES: dict[str, Callable[[Place], None]] = {
    "nothing": _nothing, "empty": _empty, "rival": _rival, "applied": _applied, "applied-own": _applied_own, "changed": _changed,
    "since": _since, "twice": _twice, "damaged": _damaged, "without-python": _without_python, "hidden": _hidden, "team": _team,
}  # fmt: skip
_AT = ("--yes", "--env", "{env}")
SCENARIOS = (
    Scenario("new", "nothing", ("apply", *_AT, "-t", OLD)),
    Scenario("new-deep", "nothing", ("apply", *_AT, "-t", OLD), env="work/a/b/env"),
    Scenario("new-empty", "empty", ("apply", *_AT, "-t", OLD)),
    Scenario("new-wrong", "nothing", ("apply", *_AT, "-t", WRONG), code=14),
    Scenario("change", "rival", ("apply", *_AT, "-t", OLD)),
    Scenario("upgrade", "applied-own", ("apply", *_AT, "-t", NEW)),
    Scenario("again", "changed", ("apply", *_AT, "-t", OLD)),
    Scenario("second", "changed", ("apply", *_AT, "-t", NEW)),
    Scenario("wrong", "applied-own", ("apply", *_AT, "-t", WRONG), code=14),
    Scenario("wrong-since", "since", ("apply", *_AT, "-t", WRONG), code=14),
    Scenario("since", "since", ("apply", *_AT, "-t", NEW)),
    Scenario("fix", "damaged", ("fix", *_AT)),
    Scenario("fix-python", "without-python", ("fix", *_AT)),
    Scenario("fix-hidden", "hidden", ("fix", *_AT)),
    Scenario("lock", "team", ("lock",)),
    Scenario("undo", "changed", ("undo", *_AT)),
    Scenario("undo-twice", "twice", ("undo", *_AT)),
    Scenario("undo-new", "applied", ("undo", *_AT)),
    Scenario("undo-stops", "since", ("undo", *_AT), code=1),
    Scenario("undo-keep", "since", ("undo", *_AT, "--keep-new", "{place}/kept")),
    Scenario("undo-leave", "since", ("undo", *_AT, "--leave-new")),
)


def base(place: Place, name: str) -> Path:
    """Return the base of that name, made when it is not there."""
    folder = place.world.root / "bases" / name
    if not folder.exists():
        place.env_name = "env"
        place.fresh(None)
        BASES[name](place)
        place.keep(folder)
    return folder
