"""A notebook kernel of a real environment, started by a real Jupyter server and run by nbclient, both from PyPI and in a Python of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
CELL = """\
import subprocess, sys
import tensorflow as tf
print(sys.prefix, int(tf.reduce_sum(tf.ones([2, 3]))))
print(subprocess.run("pip --version", shell=True, capture_output=True, text=True).stdout)
"""
RUNNER = """\
import nbformat, nbclient, sys
notebook = nbformat.read(sys.argv[1], 4)
nbclient.NotebookClient(notebook, timeout=240).execute()
print("".join(output.get("text", "") for output in notebook.cells[0].outputs))
"""
TOKEN = "for-this-test"


def tfsetup(*argv: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-m", "provisioner", *argv], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="module", autouse=True)
def data(root: Path) -> Iterator[Path]:
    """Jupyter's folders of this user, for these tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DATA_DIR", str(root / "data"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(root / "runtime"))
        patch.setenv("JUPYTER_CONFIG_DIR", str(root / "config"))
        yield root / "data"


@pytest.fixture(scope="module")
def jupyter(root: Path) -> Path:
    """The folder of the programs of a Python that has Jupyter, and no TensorFlow."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, str(root / "jupyter")], check=True)
    subprocess.run([*uv, "pip", "install", "-q", "--python", f"{root}/jupyter/bin/python", "jupyter-server", "nbclient"], check=True)
    return root / "jupyter" / "bin"


@pytest.fixture(scope="module")
def env(root: Path) -> Path:
    """An environment that was there before the kernel was asked for."""
    path = root / "tf env"
    tfsetup("apply", "--tensorflow", "2.21.0", "--python", PYTHON, "--cpu", "--env", str(path), "--yes", "--json")
    done = json.loads(tfsetup("kernel", "--env", str(path), "--name", "tf-kernel", "--yes", "--json").stdout)
    assert "ipykernel" in {item["name"] for item in done["installed"]}
    assert not {"numpy", "protobuf", "tensorflow-cpu"} & {item["name"] for item in done["installed"]}, "the set stays"
    return path


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    cell = {"cell_type": "code", "source": CELL, "metadata": {}, "outputs": [], "execution_count": None}
    spec = {"name": "tf-kernel", "display_name": "TF", "language": "python"}
    path = tmp_path / "work.ipynb"
    path.write_text(json.dumps({"cells": [cell], "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 4}))
    return path


def test_a_notebook_runs_in_the_environment(env: Path, jupyter: Path, notebook: Path) -> None:
    done = subprocess.run([jupyter / "python", "-c", RUNNER, notebook], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    first, pip = done.stdout.splitlines()[:2]
    assert first == f"{env} 6"
    assert str(env) in pip, "a cell's pip is the environment's"


def test_a_server_offers_and_starts_it(env: Path, jupyter: Path, root: Path) -> None:
    argv = [jupyter / "jupyter-server", "--no-browser", "--port=0", "--allow-root", f"--IdentityProvider.token={TOKEN}"]
    with subprocess.Popen(argv, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        try:
            address = found_address(root / "runtime", server)
            listed = ask(f"{address}api/kernelspecs")["kernelspecs"]
            assert listed["tf-kernel"]["spec"]["argv"][0] == f"{env}/bin/python"
            started = ask(f"{address}api/kernels", {"name": "tf-kernel"})
            pids = running(env)
            assert pids, "the environment's own Python runs the kernel"
            ask(f"{address}api/kernels/{started['id']}", method="DELETE")
        finally:
            server.terminate()


def found_address(runtime: Path, server: subprocess.Popen[str]) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            text = path.read_text()
            if text.strip():
                return str(json.loads(text)["url"])
        time.sleep(0.2)
    raise AssertionError("the server does not start")


def ask(url: str, data: object = None, method: str | None = None) -> dict[str, object]:
    body = json.dumps(data).encode() if data is not None else None
    request = urllib.request.Request(url, body, {"Authorization": f"token {TOKEN}"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"{}")


def running(env: Path) -> list[int]:
    """The processes that were started as the environment's Python with ipykernel."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if words[0] == f"{env}/bin/python" and "ipykernel_launcher" in words:
                found.append(int(entry.name))
    return found


def test_doctor_knows_whose_kernel_it_is(env: Path, jupyter: Path, notebook: Path) -> None:
    only = ["--check", "notebook", "--no-import"]
    done = tfsetup("doctor", str(notebook), "--env", str(env), *only)
    assert "`tf-kernel`: this environment" in done.stdout
    other = tfsetup("doctor", str(notebook), "--env", str(jupyter.parent), *only, code=11)
    assert "is not this environment" in other.stdout


def test_status_lists_it_and_undo_takes_it_away(env: Path, data: Path, notebook: Path) -> None:
    assert "notebook kernel: tf-kernel" in tfsetup("status", "--env", str(env)).stdout
    done = tfsetup("undo", "--env", str(env), "--yes")
    assert "is taken away" in done.stderr + done.stdout
    assert not (data / "kernels").exists()
    gone = tfsetup("doctor", str(notebook), "--env", str(env), "--check", "notebook", "--no-import", code=11)
    assert "tfsetup kernel --env" in gone.stdout
    assert "--name tf-kernel" in gone.stdout
    assert os.access(env / "bin" / "python", os.X_OK)
