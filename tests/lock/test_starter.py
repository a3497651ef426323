"""A first declaration: what somebody asked for, told apart from what came along, and a file whose every line can be used."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.declared.declaration import read_declaration
from provisioner.declared.keys import DECLARATION, TARGET
from provisioner.declared.markers import environment
from provisioner.environment.distributions import Installed
from provisioner.environment.read import read_site
from provisioner.host.local import LocalHost
from provisioner.lock.installed import asked_for
from provisioner.lock.starter import First, device_of, from_environment, make_target
from provisioner.lock.starter_text import text_of
from provisioner.model.facts import known
from provisioner.model.team import Target
from tests.choose.values import a_gpu, machine, with_driver
from tests.facts.fake_reader import FakeReader

LINUX = Target(name="linux-x86_64-cpu", platform="linux-x86_64", device="cpu", python="3.11")
GPU = dataclasses.replace(LINUX, name="gpu", device="cuda", driver="550.54.14")
MARKERS = environment(LINUX)


def there(**requires: str) -> list[Installed]:
    """Distributions by name, each with what it needs, parted by `|`."""
    return [
        Installed(name=name.replace("_", "-"), version="1.0", requires=tuple(text for text in needs.split("|") if text))
        for name, needs in requires.items()
    ]


@pytest.mark.parametrize(
    ("installed", "known_names", "names"),
    [
        (there(tensorflow="numpy|keras>=3", numpy="", keras="rich", rich="", pip="", setuptools="", wheel=""), (), []),
        (there(tensorflow="", pandas="numpy|python-dateutil", numpy="", python_dateutil="six", six=""), (), ["pandas"]),
        (there(tensorflow="", h5py="", a="h5py; sys_platform == 'win32'"), (), ["a", "h5py"]),
        (there(tensorflow="", pandas="openpyxl; extra == 'excel'", openpyxl=""), (), ["openpyxl", "pandas"]),
        (there(tensorflow="nvidia-cudnn-cu12; extra == 'and-cuda'", nvidia_cudnn_cu12="nvidia-cublas-cu12", nvidia_cublas_cu12=""), (), []),
        (there(tensorflow="", tensorboard="markdown", markdown=""), ("tensorboard",), []),
        (there(tensorflow="", a="b", b="c", c="a|d", d=""), (), ["a"]),
        (there(tensorflow="", a="a", b="Not A Requirement"), (), ["a", "b"]),
        (there(uv="", tfsetup="rich", rich=""), (), []),
        ([], (), []),
    ],
)
def test_what_somebody_asked_for(installed, known_names, names: list[str]) -> None:
    assert [item.name for item in asked_for(installed, MARKERS, known_names)] == names


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return Catalogue.open(LocalHost(), find_profiles())


@pytest.mark.parametrize(
    ("names", "gpu", "device"),
    [
        (["tensorflow-cpu"], True, "cpu"),
        (["tensorflow-gpu"], False, "cuda"),
        (["tensorflow", "nvidia-cudnn-cu12", "nvidia-cublas-cu12"], False, "cuda"),
        (["tensorflow", "nvidia-nccl-cu12"], False, "cpu"),
        (["tensorflow"], True, "cuda"),
        (["tensorflow"], False, "cpu"),
        ([], True, "cpu"),
    ],
)
def test_what_it_computes_on(shipped: Catalogue, names: list[str], gpu: bool, device: str) -> None:
    installed = [Installed(name=name, version="2.20.0") for name in names]
    facts = dataclasses.replace(machine(), gpus=known((a_gpu(),), "test")) if gpu else machine()
    assert device_of(installed, installed[0] if installed else None, facts, "linux-x86_64", shipped) == device


def test_this_machine_as_a_target() -> None:
    facts = with_driver(machine(), release=known("550.54.14", "test"))
    assert make_target("linux-x86_64", "cuda", "3.11", facts).driver == "550.54.14"
    assert make_target("linux-x86_64", "cpu", "3.11", facts).driver == ""
    odd = with_driver(machine(), release=known("custom build", "test"))
    assert make_target("linux-x86_64", "cuda", "3.11", odd).driver == ""


def environment_with(**metadata: str) -> FakeReader:
    site = "/env/lib/python3.11/site-packages"
    files = {"/env/pyvenv.cfg": "home = /usr/bin\nversion = 3.11.7\n", "/env/bin/python": ""}
    for stem, text in metadata.items():
        files[f"{site}/{stem}.dist-info/METADATA"] = f"Metadata-Version: 2.1\n{text}\n\nRequires-Dist: not-a-header\n"
        files[f"{site}/{stem}.dist-info/RECORD"] = ""
    return FakeReader(files)


def first_of(reader: FakeReader, shipped: Catalogue) -> First:
    return from_environment(reader, read_site(reader, "/env"), machine(), "linux-x86_64", shipped, file="/team/tfsetup.yaml")


def test_from_an_environment(shipped: Catalogue) -> None:
    reader = environment_with(**{
        "tensorflow_cpu-2.20.0": "Requires-Dist: numpy>=1.26",
        "numpy-2.1.0": "",
        "pandas-2.2.3": "Requires-Dist: numpy\nRequires-Dist: pytz",
        "pytz-2025.1": "",
        "ours-1.0": "",
        "torch-2.4.0+cpu": "",
    })  # fmt: skip
    reader.files["/env/lib/python3.11/site-packages/ours-1.0.dist-info/direct_url.json"] = "{}"
    said = first_of(reader, shipped)
    assert said.tensorflow == "2.20.0"
    assert said.targets == (LINUX,)
    assert said.requirements == ("pandas==2.2.3", "torch==2.4.0+cpu")
    assert (said.left_out, said.warnings) == (("ours",), ())


def test_an_environment_that_the_catalogue_does_not_know(shipped: Catalogue) -> None:
    said = first_of(environment_with(**{"tensorflow-99.0": ""}), shipped)
    assert "no known-good set of TensorFlow 99.0 for CPU on Linux on x86_64 with Python 3.11" in said.warnings[0]
    said = first_of(environment_with(**{"pandas-2.2.3": ""}), shipped)
    assert (said.tensorflow, len(said.warnings)) == ("latest", 1)


SAID = [
    First(file="", tensorflow="2.20.0", targets=(LINUX,)),
    First(file="", tensorflow="latest", targets=(GPU,), requirements=("pandas==2.2.3", "weird==1!2.0+local"), left_out=("ours",)),
    First(file="", tensorflow="2.20.0", targets=(LINUX,), left_out=("ours",)),
]


@pytest.mark.parametrize("said", SAID, ids=["plain", "gpu", "left out"])
def test_the_file_says_what_it_should(said: First) -> None:
    declaration = read_declaration(FakeReader({"/team/tfsetup.yaml": text_of(said, "a test")}), "/team")
    assert declaration.tensorflow == said.tensorflow
    assert declaration.targets == said.targets
    assert declaration.requirements == said.requirements


@pytest.mark.parametrize("said", SAID, ids=["plain", "gpu", "left out"])
def test_every_line_that_is_commented_out_can_be_used(said: First) -> None:
    """A person takes the `# ` away; what stands there then is read, and every key of a team is among it."""
    text = text_of(said, "a test")
    words = re.compile(r"# (?!- )[A-Z][^:]*$|# (?:[A-Z].*\.|- ours.*)$|# What the|# Paths|# These|# The TensorFlow")
    lines = [line if words.match(line.strip()) else re.sub(r"^( *)# ", r"\1", line) for line in text.splitlines()]
    used = "\n".join(line for line in lines if not (line.strip().startswith("driver:") and said.targets[0].device == "cpu"))
    if not said.requirements and said.left_out:
        used = used.replace("requirements:", "requirements: []")
    declaration = read_declaration(FakeReader({"/team/tfsetup.yaml": used}), "/team")
    assert declaration.policy.signed_off
    assert declaration.indexes[1].packages == ("our-own-package",)
    assert declaration.targets[0].floor == "2.31"
    for key in {*DECLARATION.keys, *TARGET.keys} - {"kind", "channel", "env", "with", "offline"}:
        assert re.search(rf"^[ -]*{key}:", used, re.MULTILINE) or (key == "driver" and said.targets[0].device == "cpu"), key


def test_metadata_of_an_old_kind(tmp_path: Path) -> None:
    from provisioner.lock.installed import read_whole

    reader = environment_with(**{"tensorflow_cpu-2.20.0": ""})
    site = "/env/lib/python3.11/site-packages"
    egg = {
        f"{site}/old-1.0.egg-info/PKG-INFO": "Name: old\nRequires-Dist: six\n",
        f"{site}/older-1.0-py3.11.egg-info": "Metadata-Version: 1.0\nName: older\n",
    }
    reader = FakeReader({**reader.files, **egg})
    found = {item.name: item.requires for item in read_whole(reader, read_site(reader, "/env"))}
    assert found == {"old": ("six",), "older": (), "tensorflow-cpu": ()}
