"""``tfsetup init``: a first tfsetup.yaml, never over one that is there without consent."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.declared.declaration import read_declaration
from provisioner.host.local import LocalHost
from tests.cli.support import Inside
from tests.cli.test_documents import check
from tests.support import PYTHON


def make_environment(root: Path, *stems: str) -> Path:
    site = root / "lib" / f"python{PYTHON}" / "site-packages"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "python").write_text("")
    (root / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {PYTHON}.1\n")
    for stem in stems:
        (site / f"{stem}.dist-info").mkdir(parents=True)
        (site / f"{stem}.dist-info" / "METADATA").write_text(f"Name: {stem.split('-')[0]}\n")
    return root


def test_from_the_environment_that_is_there(inside: Inside, tiny, work: Path) -> None:
    make_environment(work / "tf-env", "tensorflow_cpu-2.20.0", "pandas-2.2.3")
    ended = inside("init", **tiny)
    assert ended.code == 0, ended.err
    assert "tfsetup.yaml: TensorFlow 2.20.0 for linux-x86_64-cpu" in ended.out
    assert "tfsetup lock" in ended.err
    declaration = read_declaration(LocalHost(), str(work))
    assert declaration.requirements == ("pandas==2.2.3",)
    assert declaration.targets[0].python == PYTHON


def test_lists_beside_an_environment_are_not_passed_over_in_silence(inside: Inside, tiny, work: Path) -> None:
    make_environment(work / "tf-env", "tensorflow_cpu-2.20.0")
    (work / "requirements.txt").write_text("six\n")
    ended = inside("init", **tiny)
    assert ended.code == 0, ended.err
    assert "requirements.txt: not read" in ended.err
    assert "`tfsetup init --env new-env`" in ended.err


def test_elsewhere_and_from_the_active_environment(inside: Inside, tiny, work: Path) -> None:
    active = make_environment(work / "active", "tensorflow_cpu-2.20.0", "h5py-3.1")
    (work / "sub").mkdir()
    ended = inside("init", "--project", "sub", "--json", **tiny, VIRTUAL_ENV=str(active))
    document = check(inside, ended, "init")
    assert document["file"] == str(work / "sub" / "tfsetup.yaml")
    assert document["requirements"] == ["h5py==3.1"]
    assert (work / "sub" / "tfsetup.yaml").exists()


def test_for_this_machine_where_there_is_no_environment(inside: Inside, tiny, work: Path) -> None:
    ended = inside("init", **tiny, VIRTUAL_ENV="")
    assert ended.code == 0, ended.err
    assert read_declaration(LocalHost(), str(work)).tensorflow == "2.20.0"


def test_never_over_another_without_consent(inside: Inside, tiny, work: Path) -> None:
    file = work / "tfsetup.yaml"
    file.write_text("device: cpu\n")
    assert inside("init", **tiny, VIRTUAL_ENV="").code == 15
    assert file.read_text() == "device: cpu\n"
    assert inside("init", "--yes", **tiny, VIRTUAL_ENV="").code == 0
    assert "targets:" in file.read_text()
    before = file.read_text()
    assert inside("init", **tiny, VIRTUAL_ENV="", TFSETUP_YES="1").code == 0
    assert file.read_text() == before


def test_not_beside_a_declaration_in_pyproject(inside: Inside, tiny, work: Path) -> None:
    (work / "pyproject.toml").write_text("[tool.tfsetup]\ndevice = 'cpu'\n")
    ended = inside("init", "--yes", **tiny, VIRTUAL_ENV="")
    assert ended.code == 2
    assert "second declaration" in ended.err
    assert not (work / "tfsetup.yaml").exists()


@pytest.mark.parametrize("project", ["gone", "file"])
def test_a_folder_that_is_none(inside: Inside, tiny, work: Path, project: str) -> None:
    (work / "file").write_text("")
    ended = inside("init", "--project", project, **tiny, VIRTUAL_ENV="")
    assert ended.code == 2
    assert "cannot be written" in ended.err


def test_warnings(inside: Inside, tiny, work: Path) -> None:
    root = make_environment(work / "tf-env", "tensorflow-99.0", "ours-1.0")
    (root / "lib" / f"python{PYTHON}" / "site-packages" / "ours-1.0.dist-info" / "direct_url.json").write_text("{}")
    ended = inside("init", **tiny)
    assert ended.code == 0
    assert "warning: the catalogue has no known-good set of TensorFlow 99.0" in ended.err
    assert "warning: ours was installed from no index" in ended.err
