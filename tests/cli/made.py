"""Environments for the command line: an old one, and one that tfsetup made; and what is in one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change.execute import execute
from provisioner.host.local import LocalHost
from tests.support import make_plan, make_wheel, only_from, prove_by_import, snapshot


def old_environment(shared: Path, env: Path) -> dict[str, tuple[object, ...]]:
    """An environment with another six and a package of its own."""
    wheels = shared / "old wheels"
    make_wheel(wheels, "six", "1.0", {"six.py": "VERSION = 1\n"})
    make_wheel(wheels, "my-own", "3.0", {"my_own.py": ""})
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, str(env)], check=True)
    command = [*uv, "pip", "install", "-q", "--offline", "--no-index", "--find-links", str(wheels), "--python", f"{env}/bin/python"]
    subprocess.run([*command, "six==1.0", "my-own"], check=True)
    return snapshot(env)


def content(env: Path) -> dict[str, tuple[object, ...]]:
    """The environment but for an empty ``.tfsetup`` with its lock."""
    return {name: value for name, value in snapshot(env).items() if name not in {".tfsetup", ".tfsetup/lock"}}


def good_environment(shared: Path, env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that was made from the catalogue's set, with a proof that the tiny set can pass."""
    from provisioner.catalogue import Catalogue

    only_from(monkeypatch, shared / "wheels", shared / "cache" / "uv")
    host = LocalHost()
    catalogue = Catalogue.open(host, str(shared / "profiles"))
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    lock = catalogue.lock("2.20.0", python, "linux-x86_64", "cpu")
    assert execute(make_plan(host, env, lock), host, prove=prove_by_import, progress=Silent(), wait=0).kept
