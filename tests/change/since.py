"""An environment that was changed or made, and others who worked in it afterwards."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change.execute import execute
from provisioner.change.recovery import Wishes
from provisioner.commands.undo import undo
from provisioner.environment.distributions import read_distributions
from provisioner.host.local import LocalHost
from provisioner.session import Session
from tests.support import SITE, make_lock, make_plan, make_wheel, only_from, prove_by_import

UV = [sys.executable, "-m", "uv"]
Since = Callable[[Path], None]


def uv(env: Path, *args: str) -> None:
    subprocess.run([*UV, "pip", *args, "-q", "--python", f"{env}/bin/python"], check=True)


@pytest.fixture(name="wheels")
def made_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    only_from(monkeypatch, folder, tmp_path / "uv")
    for version in ("1.19.0", "1.20.3", "1.22.4"):
        make_wheel(folder, "numpy", version, {"numpy/__init__.py": f"V = '{version}'\n", f"numpy/only_{version.replace('.', '_')}.py": ""})
    make_wheel(folder, "google-apis", "1.0", {"google/api/__init__.py": "", "google/rpc/status.py": ""})
    make_wheel(folder, "six", "1.0", {"six.py": "VERSION = 1\n"})
    return folder


@pytest.fixture(name="lock")
def made_lock(wheels: Path):
    return make_lock(
        make_wheel(wheels, "tensorflow", "2.0", {"tensorflow/__init__.py": "GOOD = True\n", "tensorflow/core/a.py": ""}),
        make_wheel(wheels, "numpy", "1.19.0", {"numpy/__init__.py": "V = '1.19.0'\n", "numpy/only_1_19_0.py": ""}),
        make_wheel(wheels, "protobuf", "3.0", {"google/protobuf/__init__.py": ""}),
        make_wheel(wheels, "six", "2.0", {"six.py": "VERSION = 2\n"}, scripts={"six": "six:main"}),
    )


def make(env: Path, lock, kind: str) -> None:
    """An environment that was changed, or that was made."""
    if kind == "changed":
        subprocess.run([*UV, "venv", "-q", "--python", sys.executable, str(env)], check=True)
        uv(env, "install", "numpy==1.22.4", "six==1.0")
        subprocess.run([f"{env}/bin/python", "-c", "import numpy, six"], check=True)
    env.parent.joinpath("before").mkdir()
    if kind == "changed":
        shutil.copytree(env, env.parent / "before" / "env", symlinks=True)
    host = LocalHost()
    assert execute(make_plan(host, env, lock), host, prove=prove_by_import, progress=Silent(), wait=0).kept
    # Whoever uses it compiles it.
    subprocess.run([f"{env}/bin/python", "-c", "import numpy, six, tensorflow, tensorflow.core.a, google.protobuf"], check=True)


def take_back(env: Path, **wishes):
    return undo(Session(LocalHost()), str(env), agree=lambda _found: None, wait=0, progress=Silent(), wishes=Wishes(**wishes))[0]


def versions(env: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in read_distributions(LocalHost(), str(env), str(env / SITE)):
        found.setdefault(item.name, []).append(item.version)
    return found


def contents(root: Path) -> dict[str, bytes]:
    """Files but for byte code and the tool's own."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts and ".tfsetup" not in path.parts
    }


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Never into a file that shares its content with the cache of uv.
    path.unlink(missing_ok=True)
    path.write_text(text)


def since_of_the_issue(env: Path) -> None:
    uv(env, "install", "--no-deps", "google-apis", "numpy==1.20.3")
    write(env / SITE / "tensorflow" / "mine" / "mine.py", "my own work")


def upgrade(env: Path) -> None:
    uv(env, "install", "--no-deps", "numpy==1.20.3")
