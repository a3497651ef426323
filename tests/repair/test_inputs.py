"""What repair plans are made from: which release it is when the metadata does not say, which build, and whose Python."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.environment.damaged import read_broken
from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.host.local import LocalHost
from provisioner.model.facts import known
from provisioner.model.finding import Repair
from provisioner.repair import known_set
from tests.fixing import interpreter
from tests.support import PYTHON, SITE, machine

HOST = LocalHost()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(tmp_path / "env")], check=True)
    return read_broken(HOST, str(tmp_path / "env"))


def having(site: Site, *names: str) -> Site:
    items = tuple(
        Installed(name=name, version=version, metadata=f"{SITE}/{name}-{version}.dist-info", recorded=not mark)
        for name, version, mark in (item.replace("?", "==?").split("==") if "?" in item else [*item.split("=="), ""] for item in names)
    )
    return replace(site, distributions=items)


def seen(site: Site, *repairs: Repair, own: str = "tensorflow", pythons=()) -> known_set.SetInputs:
    facts = replace(machine(), interpreters=known(tuple(pythons), "test"))
    return known_set.SetInputs(site=site, facts=facts, repairs=repairs, receipt=None, own=own, release="2.15.1")


def remove(name: str) -> Repair:
    return Repair(kind="remove", name=name, reason="r")


@pytest.mark.parametrize(
    ("names", "repairs", "own", "release"),
    [
        (("tensorflow-cpu==2.15.1",), (), "tensorflow-cpu", "2.15.1"),
        (("tensorflow==2.15.1", "tensorflow-cpu==2.16.1"), (remove("tensorflow"),), "tensorflow-cpu", "2.16.1"),
        (("tensorflow==2.15.1", "tensorflow-cpu==2.16.1"), (remove("tensorflow-cpu"),), "tensorflow", "2.15.1"),
        (("intel-tensorflow==2.9.1",), (), "intel-tensorflow", "2.9.1"),
        (("tensorflow==2.9.0", "tensorflow==2.10.0"), (), "tensorflow", "2.10.0"),
        (("tensorflow==2.9.0", "tensorflow==2.10.0?"), (), "tensorflow", "2.9.0"),
        (("numpy==1.26.4",), (), "", ""),
    ],
)
def test_the_release_is_the_one_that_stays(site: Site, names, repairs, own: str, release: str) -> None:
    here = having(site, *names)
    staying = known_set.staying_owners(here, repairs)
    assert known_set.own_name(staying, None) == own
    assert known_set.release_of(HOST, here, staying, own, repairs, None) == release


def test_the_version_that_a_repair_names_counts_most(site: Site) -> None:
    wish = Repair(kind="restore", name="tensorflow", version="2.8.0", reason="r")
    assert known_set.release_of(HOST, site, (), "tensorflow", (wish,), None) == "2.8.0"


@pytest.mark.parametrize("header", ["release_version.h", "version.h"])
def test_without_metadata_the_headers_say_the_release(site: Site, header: str) -> None:
    folder = Path(site.state.path) / SITE / "tensorflow" / "include" / "tensorflow" / "core" / "public"
    folder.mkdir(parents=True)
    (folder / header).write_text("#define TF_MAJOR_VERSION 2\n#define TF_MINOR_VERSION 15\n// x\n#define TF_PATCH_VERSION  1\n")
    assert known_set.release_of(HOST, site, (), "", (), None) == "2.15.1"


@pytest.mark.parametrize(
    ("names", "spec"),
    [
        (("tensorboard==2.15.2", "keras==2.15.0"), "==2.15.*"),
        (("tensorflow-estimator==2.9.0",), "==2.9.*"),
        (("tensorboard==2",), ""),
        (("tensorboard==x.y",), ""),
        (("numpy==1.26.4",), ""),
    ],
)
def test_what_tensorflow_left_behind_says_which_release_goes_with_it(site: Site, names, spec: str) -> None:
    assert known_set.of_companions(having(site, *names)) == spec


@pytest.mark.parametrize(
    ("names", "own", "device"),
    [
        (("tensorflow==2.15.1",), "tensorflow", "cpu"),
        (("tensorflow==2.15.1", "nvidia-cudnn-cu12==8.9", "nvidia-cublas-cu12==12.2"), "tensorflow", "cuda"),
        (("tensorflow==2.20.0", "nvidia-cudnn==9.3", "nvidia-cublas==13.0"), "tensorflow", "cuda"),
        (("tensorflow-cpu==2.15.1", "nvidia-cudnn-cu12==8.9", "nvidia-cublas-cu12==12.2"), "tensorflow-cpu", "cpu"),
        (("tensorflow==2.20.0", "xgboost==3.0", "nvidia-nccl-cu12==2.27"), "tensorflow", "cpu"),
        (
            ("tensorflow==2.20.0", "torch==2.7", "nvidia-cudnn-cu12==9.5", "nvidia-cublas-cu12==12.6", "nvidia-nccl-cu12==2.26"),
            "tensorflow",
            "cpu",
        ),
        (("tensorflow==2.15.1", "nvidia-ml-py==12.5"), "tensorflow", "cpu"),
    ],
)
def test_nvidias_libraries_beside_it_mean_cuda_unless_others_brought_them(site: Site, names, own: str, device: str) -> None:
    """XGBoost brings NCCL, torch most of CUDA: ``fix`` took both for a TensorFlow that is there for CUDA, and planned gigabytes of it."""
    assert known_set.device_of(seen(having(site, *names), own=own)) == device


def test_a_repair_that_restores_them_means_cuda_too(site: Site) -> None:
    wish = Repair(kind="restore", name="nvidia-cublas-cu12", reason="r")
    assert known_set.device_of(seen(having(site, "tensorflow==2.15.1", "nvidia-cudnn-cu12==8.9"), wish)) == "cuda"
    nccl = Repair(kind="restore", name="nvidia-nccl-cu12", reason="r")
    assert known_set.device_of(seen(having(site, "tensorflow==2.20.0", "xgboost==3.0"), nccl)) == "cpu"


def test_the_interpreter_is_the_one_that_a_repair_names_or_the_environments_own(site: Site, tmp_path: Path) -> None:
    own = interpreter(str(Path(sys.executable).resolve()))
    other = interpreter(str(tmp_path / "other"), f"{PYTHON}.99")
    virtual = replace(interpreter(str(tmp_path / "virtual")), virtual=True)
    wish = Repair(kind="interpreter", target=other.path, reason="r")
    assert known_set.interpreter_of(HOST, seen(site, pythons=(virtual, other, own)), PYTHON) == own
    assert known_set.interpreter_of(HOST, seen(site, wish, pythons=(virtual, own, other)), PYTHON) == other
    assert known_set.interpreter_of(HOST, seen(site, pythons=(virtual,)), PYTHON) is None
    assert known_set.interpreter_of(HOST, seen(site, pythons=(own,)), "3.4") is None


def test_an_interpreter_that_only_the_environment_knows_is_found_through_it(site: Site) -> None:
    through = replace(interpreter(site.state.python), virtual=True)
    found = known_set.interpreter_of(HOST, seen(site, pythons=(through,)), PYTHON)
    assert found is not None
    assert (found.path, found.virtual) == (str(Path(sys.executable).resolve()), False)


def test_an_environment_is_never_made_anew_from_its_own_link(site: Site) -> None:
    (Path(site.state.path) / "pyvenv.cfg").unlink()
    found = known_set.interpreter_of(HOST, seen(site, pythons=(interpreter(site.state.python),)), PYTHON)
    assert found is not None
    assert found.path == str(Path(sys.executable).resolve())
