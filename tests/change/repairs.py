"""A small real environment that is broken and mended: its fixtures, some ways to break it, and how a repair is run and taken back."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change import recovery
from provisioner.change.execute import execute
from provisioner.change.holding import holding
from provisioner.change.journal import last_record
from provisioner.environment.workspace import Workspace
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Lock
from provisioner.model.finding import Repair
from provisioner.model.plan import Plan
from tests.fixing import inputs_of, interpreter, repair_inputs
from tests.support import PYTHON, SITE, make_lock, make_wheel, only_from, prove_by_import

HOST = LocalHost()
TENSORFLOW = {"tensorflow/__init__.py": "import six\nGOOD = six.VERSION == 2\n", "tensorflow/core/a.py": "", "tensorflow/core/b.py": ""}


@pytest.fixture(name="wheels")
def made_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    only_from(monkeypatch, folder, tmp_path / "uv")
    monkeypatch.setenv("UV_LINK_MODE", "copy")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    return folder


@pytest.fixture(name="lock")
def made_lock(wheels: Path) -> Lock:
    return make_lock(
        make_wheel(wheels, "tensorflow", "2.0", TENSORFLOW, requires=["six==2.0"]),
        make_wheel(wheels, "six", "2.0", {"six.py": "VERSION = 2\n"}, scripts={"six": "six:main"}),
        make_wheel(wheels, "numpy", "1.26", {"numpy/__init__.py": "V = '1.26'\n", "numpy/core.py": ""}),
    )


def pip(env: Path, *names: str) -> None:
    uv = [sys.executable, "-m", "uv", "pip", "install", "-q", "--no-deps", "--python", f"{env}/bin/python", *names]
    subprocess.run(uv, check=True)


@pytest.fixture(name="root", scope="module")
def made_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the environment is made once, and where each test gets its copy: the same place, which an environment knows by heart."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture(name="env")
def made_env(root: Path, wheels: Path, lock: Lock) -> Path:
    """An environment with the whole set, byte code, and something of the user's own."""
    env, first = root / "place" / "env", root / "first"
    make_wheel(wheels, "my-own", "3.0", {"my_own.py": "", "shared/my_own.py": ""})
    if not first.exists():
        subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(env)], check=True)
        pip(env, "tensorflow==2.0", "six==2.0", "numpy==1.26", "my-own")
        subprocess.run([f"{env}/bin/python", "-c", "import six, tensorflow.core.a, numpy, my_own"], check=True)
        (root / "place").rename(first)
    shutil.rmtree(root / "place", ignore_errors=True)
    shutil.copytree(first, root / "place", symlinks=True)
    return env


def packages(env: Path) -> Path:
    return env / SITE


def run(env: Path, plan: Plan, host: LocalHost = HOST, prove=prove_by_import):
    return execute(plan, host, prove=prove, progress=Silent(), wait=0)


def undo(env: Path) -> None:
    workspace = Workspace(root=str(env))
    with holding(HOST, workspace, 0):
        recovery.undo(HOST, workspace, last_record(HOST, workspace))


def without_state(found: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    return {name: value for name, value in found.items() if ".tfsetup" not in name or "moved-by" in name}


def restore(name: str) -> Repair:
    return Repair(kind="restore", name=name, reason=f"{name} is damaged")


def truncated(env: Path) -> None:
    (packages(env) / "six.py").write_text("")


def base() -> str:
    return str(Path(sys.executable).resolve())


def without_python(env: Path) -> None:
    """The interpreter that the environment was made with was uninstalled."""
    for name in ("python", "python3", f"python{PYTHON}"):
        (env / "bin" / name).unlink()
    (env / "bin" / "python").symlink_to("/gone/bin/python3")
    (env / "bin" / "python3").symlink_to("python")
    config = env / "pyvenv.cfg"
    config.write_text(config.read_text().replace(str(Path(base()).parent), "/gone/bin"))


def inputs_with_base(env: Path, lock: Lock):
    found = inputs_of(HOST, env, lock)
    return repair_inputs(found.site, lock, config=found.config, choice=replace_interpreter(found))


def replace_interpreter(found):
    from dataclasses import replace

    return replace(found.choice, interpreter=interpreter(base()))
