"""Each way to install tfsetup that README names: the command is there, its hints can be typed, and locks and conda environments work.

All of them by `make installs`; one is part of `make test`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner import __version__
from tests import conda_sets
from tests.cli.support import base_environment

ROOT = Path(__file__).parents[2]
UV = f"{Path(sys.executable).parent}/uv"
Run = Callable[..., str]


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a person has after `git clone`: the files that are tracked, as they are now."""
    folder = tmp_path_factory.mktemp("clone") / "tfsetup"
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def wheel(clone: Path) -> Path:
    subprocess.run([UV, "build", "--quiet", "--wheel", str(clone)], check=True)
    (found,) = (clone / "dist").glob("*.whl")
    return found


def environment(home: Path) -> dict[str, str]:
    """A login with nothing of its own but the caches of who runs the tests, and the settings of its network."""
    network = {
        name: value for name, value in os.environ.items() if name.lower().endswith("_proxy") or name in {"SSL_CERT_FILE", "PIP_CERT"}
    }
    own = os.environ.get("UV_CACHE_DIR", f"{os.path.expanduser('~')}/.cache/uv")
    path = base_environment(home, home)["PATH"]
    return {
        "HOME": str(home),
        "PATH": f"{home}/.local/bin:{path}",
        "LANG": "C.UTF-8",
        "UV_SYSTEM_CERTS": "1",
        "UV_CACHE_DIR": own,
        **network,
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def run(home: Path) -> Run:
    """Run a shell's line in a folder of that home, and return what it printed."""
    work = home / "work"
    work.mkdir()

    def sh(line: str, *, code: int = 0, cwd: Path = work, **more: str) -> str:
        done = subprocess.run(
            ["/bin/sh", "-c", line], cwd=cwd, env={**environment(home), **more}, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    return sh


def by_uv_tool(run: Run, _home: Path, _clone: Path, wheel: Path) -> str:
    run(f"{UV} tool install --quiet {wheel}")
    return "tfsetup"


def by_pipx(run: Run, _home: Path, _clone: Path, wheel: Path) -> str:
    run(f"{UV} tool run --quiet pipx install --quiet {wheel}")
    return "tfsetup"


def by_pip_for_this_user(run: Run, _home: Path, _clone: Path, wheel: Path) -> str:
    run(f"{os.path.realpath(sys.executable)} -m pip install --quiet --user {wheel}")
    return "tfsetup"


def by_pip_in_an_environment(run: Run, home: Path, _clone: Path, wheel: Path) -> str:
    run(f"{UV} venv --quiet --python {sys.executable} own && {UV} pip install --quiet --python own {wheel}")
    return "own/bin/tfsetup"


def as_a_module(run: Run, home: Path, clone: Path, wheel: Path) -> str:
    by_pip_in_an_environment(run, home, clone, wheel)
    return "own/bin/python -m tfsetup"


def from_a_clone_by_uv_tool(run: Run, _home: Path, clone: Path, _wheel: Path) -> str:
    run(f"{UV} tool install --quiet .", cwd=clone)
    return "tfsetup"


def from_a_clone_by_make(run: Run, _home: Path, clone: Path, _wheel: Path) -> str:
    run("make --silent install", cwd=clone)
    return f"{clone}/.venv/bin/tfsetup"


WAYS = [
    by_uv_tool,
    *(
        pytest.param(way, marks=pytest.mark.install)
        for way in (by_pipx, by_pip_for_this_user, by_pip_in_an_environment, as_a_module, from_a_clone_by_uv_tool, from_a_clone_by_make)
    ),
]


def typed(said: str, before: str) -> str:
    """The command that is printed after ``before``."""
    return next(line.split(before, 1)[1] for line in said.splitlines() if before in line)


@pytest.mark.parametrize("way", WAYS)
def test_what_a_person_has_after_installing(
    run: Run, home: Path, clone: Path, wheel: Path, conda_shared: Path, way: Callable[..., str]
) -> None:
    command = way(run, home, clone, wheel)
    assert run(f"{command} --version") == f"tfsetup {__version__}\n"
    # What is printed can be typed as it stands.
    said = run(f"{command} plan")
    after = typed(said, "Next: ")
    assert after.startswith(("tfsetup ", "own/bin/", "/", "~/"))
    assert "Nothing was changed" in run(f"{after} --dry-run")
    assert run(f"{typed(run(f'{command} install', code=2), 'hint: ')} --dry-run").startswith("TensorFlow ")
    # A team's lock in every format, with either engine for the wheels; and an environment of conda's.
    run(f"{command} init")
    assert "conda-lock.yml" in run(f"{command} lock --no-progress")
    assert "is fresh" in run(f"{command} lock --check")
    run("rm tfsetup.yaml")
    local = conda_sets.variables(conda_shared)
    said = run(f"{command} plan --kind conda --env other --channel {conda_shared / 'channel'}", **local)
    assert "Conda packages from " in said
