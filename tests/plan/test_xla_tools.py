"""What shows XLA its tools: real Pythons, in an environment whose TensorFlow is an empty module."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import venv
from pathlib import Path

import pytest

from provisioner.plan import xla_tools
from provisioner.plan.xla_tools import SCRIPT

ASK = "import json, os, sys{}; print(json.dumps([os.environ.get('XLA_FLAGS'), os.environ['PATH'], len(sys.meta_path)]))"
TOLD = ", tensorflow"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site-packages of an environment in a place with a blank."""
    root = tmp_path_factory.mktemp("an env") / "e"
    venv.create(root, with_pip=False, symlinks=True)
    (found,) = root.glob("lib/python*/site-packages")
    (found / "nvidia/cuda_nvcc/bin").mkdir(parents=True)
    (found / "tensorflow.py").touch()
    for item in xla_tools.xla_files():
        (found / item.path).write_text(item.text)
    return found


def ask(site: Path, imported: str, **variables: str) -> list[object]:
    env = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    argv = [str(site.parents[2] / "bin/python"), "-c", ASK.format(imported)]
    return json.loads(subprocess.run(argv, env={**env, **variables}, capture_output=True, text=True, check=True).stdout)


def test_variables_are_set_when_tensorflow_is_imported_and_not_before(site: Path) -> None:
    flags, path, before = ask(site, "", PATH="/bin")
    assert (flags, path) == (None, "/bin")
    flags, path, after = ask(site, TOLD, PATH="/bin")
    tools = site / "nvidia/cuda_nvcc"
    assert flags == f'--xla_gpu_cuda_data_dir="{tools}"'
    assert path == f"{tools}/bin{os.pathsep}/bin"
    assert after == int(str(before)) - 1, "it looks at no import after that"


def test_flags_of_the_user_stay(site: Path) -> None:
    assert str(ask(site, TOLD, XLA_FLAGS="--xla_dump_to=/tmp/x")[0]).startswith("--xla_dump_to=/tmp/x --xla_gpu_cuda_data_dir=")


@pytest.mark.parametrize("flags", ["--xla_gpu_cuda_data_dir=/usr/local/cuda-11.8", "/home/ada/xla-flags"])
def test_a_toolkit_or_a_file_of_flags_that_the_user_names_wins(site: Path, flags: str) -> None:
    assert ask(site, TOLD, XLA_FLAGS=flags, PATH="/bin")[:2] == [flags, "/bin"]


def test_it_does_nothing_where_the_tools_are_gone(site: Path) -> None:
    tools = site / "nvidia/cuda_nvcc"
    tools.rename(tools.with_name("away"))
    try:
        assert ask(site, TOLD)[0] is None
    finally:
        tools.with_name("away").rename(tools)


@pytest.mark.parametrize("version", ["3.6", "3.7"])
def test_the_oldest_pythons_read_it(version: str, tmp_path: Path) -> None:
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    found = sorted(home.glob(f".pyenv/versions/{version}.*/bin/python3"))
    if not found:
        pytest.skip(f"no Python {version} here")
    (script,) = (item.text for item in xla_tools.xla_files() if item.path == SCRIPT)
    (tmp_path / SCRIPT).write_text(script)
    done = subprocess.run([found[0], tmp_path / SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_script_is_small_enough_to_be_read_at_every_start() -> None:
    assert sum(len(item.text) for item in xla_tools.xla_files()) < 3000
