"""Notebook kernels: where Jupyter looks for them, and registering one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.environment import kernels
from provisioner.errors import InputError, OperationError
from provisioner.model.conda import Outside
from tests.facts.fake_reader import FakeReader
from tests.support import FixedHost


@pytest.fixture
def host(tmp_path: Path) -> FixedHost:
    return FixedHost({"HOME": str(tmp_path / "home")})


@pytest.fixture
def env(tmp_path: Path) -> Path:
    (tmp_path / "my env" / "bin").mkdir(parents=True)
    return tmp_path / "my env"


def register(host: FixedHost, env: Path, name: str = "tf", label: str = "TF") -> Outside:
    item = kernels.registration(host, str(env), name, label)
    kernels.register(host, item)
    return item


def test_it_is_registered_and_taken_away_with_the_folders_that_were_made(host: FixedHost, env: Path, tmp_path: Path) -> None:
    item = register(host, env)
    path = tmp_path / "home/.local/share/jupyter/kernels/tf/kernel.json"
    told = json.loads(path.read_text())
    assert told["argv"][0] == f"{env}/bin/python"
    assert told["env"] == {"PATH": f"{env}/bin:${{PATH}}", "VIRTUAL_ENV": str(env)}
    assert kernels.is_registered(host, item)
    assert not kernels.is_registered(host, replace(item, label="another"))
    assert [one.name for one in kernels.of_environment(host, str(env))] == ["tf"]
    again = kernels.registration(host, str(env), "tf", "TF")
    assert again.made == ()
    kernels.unregister(host, item)
    assert not (tmp_path / "home").exists()


def test_what_somebody_else_has_put_there_stays(host: FixedHost, env: Path, tmp_path: Path) -> None:
    item = register(host, env)
    other = tmp_path / "home/.local/share/jupyter/kernels/other/kernel.json"
    other.parent.mkdir()
    other.write_text("{}")
    Path(item.path).write_text(json.dumps({"argv": ["/other/bin/python"], "language": "python"}))
    kernels.unregister(host, item)
    assert other.exists()
    assert Path(item.path).exists(), "it is this environment's no more"
    with pytest.raises(InputError, match="starts /other/bin/python"):
        kernels.registration(host, str(env), "tf", "TF")
    with pytest.raises(OperationError):
        kernels.register(host, item)


@pytest.mark.parametrize("name", ["", "a/b", "../x", "mit blank", "ü", "x" * 101])
def test_names_that_jupyter_does_not_take_are_refused(host: FixedHost, env: Path, name: str) -> None:
    with pytest.raises(InputError):
        kernels.registration(host, str(env), name, "TF")
    assert kernels.NAME.fullmatch(kernels.default_name(f"/x/{name}"))


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"HOME": "/h"}, "/h/.local/share/jupyter"),
        ({"HOME": "/h", "XDG_DATA_HOME": "/x"}, "/x/jupyter"),
        ({"HOME": "/h", "XDG_DATA_HOME": "/x", "JUPYTER_DATA_DIR": "/j/"}, "/j"),
        ({}, ""),
    ],
)
def test_the_users_folder(variables: dict[str, str], folder: str) -> None:
    assert kernels.data_folder(FixedHost(variables)) == folder


def test_a_kernel_is_found_as_jupyter_finds_it(host: FixedHost, env: Path, tmp_path: Path) -> None:
    inside = env / "share/jupyter/kernels/python3"
    inside.mkdir(parents=True)
    (inside / "kernel.json").write_text(json.dumps({"argv": ["python", "-m", "ipykernel_launcher"], "language": "python"}))
    assert kernels.find(host, "python3") is None
    native = kernels.find(host, "Python3", str(env))
    assert native is not None
    assert native.env == ""
    register(host, env, "Python3")
    mine = kernels.find(host, "python3", str(env))
    assert mine is not None
    assert mine.env == str(env), "the user's come first"


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/etc/cron.d/kernel.json"}, {"path": "/j/kernels/../x/kernel.json"}, {"path": "/j/kernels/tf/other.json"},
        {"path": "/j/kernels/a b/kernel.json"}, {"made": ("/etc",)}, {"made": ("/j/kernels/tf/kernel.json/x",)},
    ],
)  # fmt: skip
def test_a_forged_registration_is_known(change: dict[str, object]) -> None:
    good = Outside(kind="kernel", path="/j/kernels/tf/kernel.json", text="/env", made=("/j/kernels/tf", "/j/kernels"), label="x")
    assert not kernels.fault(good)
    assert kernels.fault(replace(good, **change))


def test_what_a_notebook_names() -> None:
    def of(metadata: object) -> str:
        return kernels.read_notebook(json.dumps({"cells": [], "metadata": metadata, "nbformat": 4}), "a.ipynb").kernel

    assert of({"kernelspec": {"name": "tf", "display_name": "TF"}}) == "tf"
    assert of({}) == of({"kernelspec": None}) == of({"kernelspec": {"name": 1}}) == ""
    for text in ("", "[]", "{}", '{"metadata": {}}', '{"cells": {}, "metadata": {}}'):
        with pytest.raises(InputError, match="no notebook"):
            kernels.read_notebook(text, "a.ipynb")


def on_windows(**variables: str) -> FakeReader:
    kernel = {"argv": ["C:\\ana\\envs\\tf\\python.exe", "-m", "ipykernel_launcher"], "language": "python", "display_name": "TF"}
    files = {"D:/kernels/kernels/tf/kernel.json": json.dumps(kernel), "C:/env/Scripts/python.exe": ""}
    env = {"APPDATA": "C:/Users/ada/AppData/Roaming", "PROGRAMDATA": "C:/ProgramData", "USERPROFILE": "C:/Users/ada", **variables}
    return FakeReader(files, env=env, platform="win32")


def test_a_list_of_folders_is_parted_as_the_system_does_it() -> None:
    found = kernels.folders(on_windows(JUPYTER_PATH="C:/one;D:/kernels"), "C:/env")
    assert [folder for folder, _ in found] == [
        "C:/one", "D:/kernels", "C:/Users/ada/AppData/Roaming/jupyter", "C:/env/share/jupyter", "C:/ProgramData/jupyter",
    ]  # fmt: skip
    assert ("/one", "JUPYTER_PATH") in kernels.folders(FakeReader({}, env={"JUPYTER_PATH": "/one:/two"}))


def test_on_windows_a_kernel_is_spelt_as_there_and_known_again() -> None:
    reader = on_windows(JUPYTER_PATH="D:/kernels")
    assert [(item.python, item.env) for item in kernels.kernels_of(reader)] == [("C:/ana/envs/tf/python.exe", "C:/ana/envs/tf")]
    told = json.loads(kernels.text_of(reader, kernels.registration(reader, "C:/env", "tf2", "TF")))
    assert told["argv"][0] == "C:\\env\\Scripts\\python.exe"
    assert told["env"] == {"PATH": "C:\\env\\Scripts;${PATH}", "VIRTUAL_ENV": "C:\\env"}
    read = kernels.read_kernel(json.dumps(told), path="C:/k/kernels/tf2/kernel.json", place="")
    assert read is not None
    assert read.env == "C:/env"
