"""The two small files by which Windows finds the DLLs inside an environment: what they do, run as Windows would, and when a plan has them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from provisioner import payload
from provisioner.catalogue import Catalogue, find_profiles
from provisioner.host.local import LocalHost
from provisioner.model.plan import Choice
from provisioner.plan.dll_files import CUDA, SCRIPT, dll_files
from provisioner.plan.links import links_of
from tests.choose.values import machine


def start(tmp_path: Path, path: str, *, searches: bool = True) -> tuple[str, list[str]]:
    """Run the script in an environment at ``tmp_path``, on a Windows that has no more than these; return PATH and the folders for imports."""
    site = tmp_path / "Lib" / "site-packages"
    told: list[str] = []
    windows = SimpleNamespace(
        path=os.path,
        pathsep=";",
        name="nt",
        environ={"PATH": path},
        listdir=os.listdir,
        **({"add_dll_directory": told.append} if searches else {}),
    )
    code = payload.text(SCRIPT).replace("import os\nimport sys\n", "")
    exec(compile(code, SCRIPT, "exec"), {"os": windows, "sys": SimpleNamespace(prefix=str(tmp_path)), "__file__": str(site / SCRIPT)})
    return windows.environ["PATH"], told


@pytest.fixture
def env(tmp_path: Path) -> Path:
    for name in (
        "Lib/site-packages/nvidia/cudnn/bin",
        "Lib/site-packages/nvidia/cublas/bin",
        "Lib/site-packages/nvidia/cuda_nvcc/nvvm",
        "Scripts",
    ):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def test_the_folders_of_cuda_come_first_on_path_and_once(env: Path) -> None:
    own = [str(env / "Lib/site-packages/nvidia" / name / "bin") for name in ("cublas", "cudnn")]
    path, told = start(env, "C:\\other;D:\\b")
    assert (path.split(";"), told) == ([*own, "C:\\other", "D:\\b"], [])
    # A child of it inherits them.
    assert start(env, path)[0] == path
    assert start(env, f"C:\\other;{own[1]}")[0].split(";") == [*own, "C:\\other"]


def test_the_runtime_is_told_to_imports_and_where_python_knows_no_such_folders_to_path(env: Path) -> None:
    (env / "Scripts/msvcp140.dll").touch()
    assert start(env, "C:\\other")[1] == [str(env / "Scripts")]
    path, told = start(env, "C:\\other", searches=False)
    assert (path.split(";")[-2:], told) == ([str(env / "Scripts"), "C:\\other"], [])


def test_where_there_is_nothing_nothing_is_changed(tmp_path: Path) -> None:
    assert start(tmp_path, "C:\\other") == ("C:\\other", [])


@pytest.mark.parametrize(("platform", "named"), [("windows-x86_64", True), ("linux-x86_64", False)])
def test_a_plan_for_cuda_on_windows_has_them_and_no_link(platform: str, named: bool) -> None:
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    choice = Choice(
        release="2.10.1", python="3.10", interpreter=None, device="cuda", platform=platform, reasons=(), refusals=(), warnings=(), gpus=()
    )
    found = links_of(catalogue, choice, machine())
    assert set(dll_files(CUDA)) <= set(found) if named else not set(dll_files(CUDA)) & set(found)
    assert all(bool(link.text) != bool(link.target) for link in found)
    assert not (named and any(link.target for link in found))


@pytest.mark.skipif(sys.platform == "win32", reason="there it works")
def test_elsewhere_it_does_nothing(env: Path) -> None:
    before = dict(os.environ)
    exec(compile(payload.text(SCRIPT), SCRIPT, "exec"), {"__file__": str(env / "Lib/site-packages" / SCRIPT)})
    assert dict(os.environ) == before
