"""What a case says of its TensorFlow: folder, build, device."""

from __future__ import annotations

import dataclasses

import pytest

from provisioner.base.names import OWN_FOLDERS
from provisioner.diagnose import tensorflow
from provisioner.verify.raw import Expected
from tests.diagnose import cases
from tests.facts.fake_reader import FakeReader


def make(*names: str, **changes):
    _, facts, _ = cases.host("debian-12")
    changes.setdefault("reader", cases.environment(cuda=True))
    return cases.make(facts, "2.15.1", distributions=tuple(cases.distribution(name, "1.0") for name in names), **changes)


@pytest.mark.parametrize(
    ("names", "device"),
    [
        (("tensorflow",), ""),
        (("tensorflow", "nvidia-cudnn-cu12", "nvidia-cublas-cu12"), "cuda"),
        (("tensorflow", "nvidia-cublas", "nvidia-cusparse"), "cuda"),
        (("tensorflow", "xgboost", "nvidia-nccl-cu12"), ""),
        (("tensorflow", "nvidia-cudnn-cu12", "nvidia-cublas-cu12", "torch"), ""),
        (("tensorflow", "nvidia-ml-py"), ""),
        (("tensorflow-gpu",), "cuda"),
        (("tensorflow-cpu",), ""),
        ((), ""),
    ],
)
def test_the_purpose_by_what_is_installed(names: tuple[str, ...], device: str) -> None:
    assert tensorflow.purpose(make(*names)).device == device


def test_the_plan_says_more_than_the_packages() -> None:
    case = make("tensorflow", "nvidia-cudnn-cu12", "nvidia-cublas-cu12", expected=Expected(tensorflow="2.15.1", device="cpu"))
    assert tensorflow.severity_without_gpu(tensorflow.purpose(case)) == "info"


@pytest.mark.parametrize("package", OWN_FOLDERS)
def test_the_folder_of_each_age(package: str) -> None:
    reader = FakeReader({f"{cases.SITE}/{package}/python/platform/build_info.py": "is_cuda_build = True\n"})
    case = make("tensorflow", reader=reader)
    assert tensorflow.folder(case) == f"{cases.SITE}/{package}"
    assert tensorflow.cuda_build(case) is True


def test_stubs_are_no_tensorflow() -> None:
    case = make("tensorflow", reader=FakeReader({f"{cases.SITE}/tensorflow/__init__.py": ""}))
    assert (tensorflow.folder(case), tensorflow.native(case), tensorflow.framework(case)) == ("", (), "")


@pytest.mark.parametrize(("names", "made"), [(("tensorflow",), True), (("tensorflow-cpu",), False), ((), None)])
def test_the_build_by_its_name_where_no_file_says_it(names: tuple[str, ...], made: bool | None) -> None:
    assert tensorflow.cuda_build(make(*names, reader=FakeReader())) is made


@pytest.mark.parametrize(
    ("value", "steps"),
    [("/a:/b", ("export LD_LIBRARY_PATH=/b",)), ("/a/", ("unset LD_LIBRARY_PATH",)), ("/a:/x y:", ("export LD_LIBRARY_PATH='/x y'",))],
)
def test_a_folder_is_taken_out_of_library_path(value: str, steps: tuple[str, ...]) -> None:
    case = make(reader=FakeReader(env={"LD_LIBRARY_PATH": value}))
    assert tensorflow.without_folder(case, "/a", "Take it out").steps == steps


def test_the_catalogue_does_not_describe_condas_builds() -> None:
    case = make("tensorflow")
    assert tensorflow.build(case) is case.build
    own = dataclasses.replace(case.distributions[0], installer="conda")
    assert tensorflow.build(dataclasses.replace(case, distributions=(own,))) is None
