"""What a conda channel is asked for a request, and what its answer is told as."""

from __future__ import annotations

import dataclasses

import pytest

from provisioner.choose.channel import channel_choice, channel_specs, conda_version
from provisioner.choose.choosing import situate
from provisioner.errors import UsageError
from provisioner.model.conda_package import CondaPart
from provisioner.model.conda_table import BadBuild
from provisioner.model.plan import Choice
from provisioner.model.request import Request
from tests.choose.test_hosts import catalogue
from tests.choose.values import NEW_ENV, machine


def specs(device: str = "cpu", there: str = "", **request: object) -> tuple[str, ...]:
    return channel_specs(Request(env="/e", kind="conda", source="conda", **request), device, there)


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({}, ("tensorflow * cpu*", "pip")),
        ({"tensorflow": "2.15"}, ("tensorflow 2.15.* cpu*", "pip")),
        ({"tensorflow": "==2.15.1"}, ("tensorflow ==2.15.1 cpu*", "pip")),
        ({"tensorflow": ">=2.10,<2.15"}, ("tensorflow >=2.10,<2.15 cpu*", "pip")),
        ({"tensorflow": "~=2.15.0"}, ("tensorflow ~=2.15.0 cpu*", "pip")),
        ({"tensorflow": "!=2.15.0"}, ("tensorflow !=2.15.0 cpu*", "pip")),
        ({"python": "3.10"}, ("tensorflow * cpu*", "python 3.10.*", "pip")),
        ({"python": ">=3.10, <3.12"}, ("tensorflow * cpu*", "python >=3.10,<3.12", "pip")),
        ({"extra": ("pandas>=2", "Scikit-Learn")}, ("tensorflow * cpu*", "pip", "pandas >=2", "scikit-learn")),
        ({"extra": ("numpy==1.26.4",)}, ("tensorflow * cpu*", "pip", "numpy ==1.26.4")),
    ],
)
def test_specs(request_: dict[str, object], found: tuple[str, ...]) -> None:
    assert specs(**request_) == found


def test_every_spec_is_one_for_rattler() -> None:
    rattler = pytest.importorskip("rattler")
    for text in specs("cuda", "3.10.4", tensorflow=">=2.10,<2.15", extra=("pandas>=2,!=2.1", "six~=1.16", "numpy==1.26.*")):
        assert str(rattler.MatchSpec(text)), text


def test_the_device_and_the_environments_python() -> None:
    assert specs("cuda", "3.10.4") == ("tensorflow * cuda*", "python 3.10.*", "pip")
    assert specs("cuda", "3.10.4", python="3.11")[1] == "python 3.11.*", "which the solver then refuses, or replaces"


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"python": "/usr/bin/python3"}, "a conda environment brings its own"),
        ({"extra": ("pandas[all]",)}, "cannot be asked of a conda channel"),
        ({"extra": ("x @ file:///x.whl",)}, "cannot be asked of a conda channel"),
        ({"extra": ("x; python_version<'3'",)}, "cannot be asked of a conda channel"),
        ({"extra": ("not a requirement",)}, "is not a requirement"),
        ({"tensorflow": "newest"}, "newest"),
    ],
)
def test_what_cannot_be_asked(request_: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told.replace("[", r"\[")):
        specs(**request_)


@pytest.mark.parametrize(
    ("pep", "conda"),
    [("", "*"), ("==2.15.*", "2.15.*"), ("===2.15", "==2.15"), (">=2, <3", ">=2,<3"), ("~=2.1", "~=2.1"), ("!=2.1.*", "!=2.1.*")],
)
def test_versions(pep: str, conda: str) -> None:
    assert conda_version(pep) == conda


def chosen(device: str = "cpu", build: str = "cpu_py312h_0", bad: tuple[BadBuild, ...] = ()) -> Choice:
    request = Request(env="/e", kind="conda", source="conda", device=device, tensorflow="2.19")
    situation = situate(machine(), request, catalogue(), NEW_ENV)
    choice = Choice(
        release="",
        python="",
        interpreter=None,
        device=device,
        platform="linux-x86_64",
        reasons=(),
        refusals=(),
        warnings=(),
        gpus=(),
        road="conda",
    )
    part = CondaPart(
        specs=(), virtual=("__unix=0=0", "__cuda=12.4=0"), channels=("https://x/y",), packages=(),
        unchanged={"tensorflow": f"2.19.1 {build}", "python": "3.12.4 h_cpython"},
    )  # fmt: skip
    return channel_choice(situation, choice, part, dataclasses.replace(catalogue().conda(), known_bad=bad))


def test_the_answer_is_told_with_its_source_and_that_nobody_has_proven_it() -> None:
    choice = chosen()
    assert (choice.release, choice.python) == ("2.19.1", "3.12")
    assert "TensorFlow 2.19.1 (build cpu_py312h_0)" in choice.reasons[0]
    assert "https://x/y" in choice.reasons[0]
    assert "`2.19`" in choice.reasons[0]
    assert any("nobody has recorded a run" in text for text in choice.warnings)


def test_a_build_that_is_known_to_be_bad_is_named() -> None:
    bad = BadBuild(version="2.19.1", build="cpu_py312*", reason="it cannot be imported", reference="an issue")
    assert "it cannot be imported (an issue)" in chosen(bad=(bad,)).warnings
    assert "it cannot be imported (an issue)" not in chosen(build="cpu_py311h_0", bad=(bad,)).warnings


def test_of_a_gpu_it_is_said_what_is_not_known() -> None:
    told = " ".join(chosen("cuda", "cuda128py312h_0").warnings)
    assert "verify --require gpu" in told
    assert "no NVIDIA driver answers here" in told
