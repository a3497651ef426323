"""The conda half of a plan: what stays, what leaves and why, what is linked; and when a saved one still holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.conda.compare import as_it_is, check_saved, compare, identity_parts, leaving, staying
from provisioner.errors import StalePlanError
from provisioner.model.conda import Outside
from provisioner.model.conda_package import CondaPackage, CondaPart, Present

CHANNEL = "https://packages.example/lab"


def package(name: str, version: str = "1.0", build: str = "0", *depends: str) -> CondaPackage:
    filename = f"{name}-{version}-{build}.conda"
    return CondaPackage(
        name=name, version=version, build=build, build_number=0, subdir="linux-64", filename=filename, depends=depends,
        url=f"{CHANNEL}/linux-64/{filename}", channel=f"{CHANNEL}/", sha256="a" * 64,
    )  # fmt: skip


PRESENT = Present(
    packages=(
        package("python", "3.11.7"),
        package("pip", "25.0", "py_0", "python"),
        package("numpy", "1.26", "0", "python >=3.11"),
        package("scipy", "1.11", "0", "numpy >=1.20", "python"),
        package("sklearn", "1.3", "0", "scipy"),
        package("tool"),
    ),
    owners={"pip": "pip", "numpy": "numpy", "scipy": "scipy", "scikit-learn": "sklearn"},
)


def test_what_comes_as_a_wheel_leaves_and_all_that_needs_it() -> None:
    going = leaving(PRESENT, {"numpy", "tensorflow"})
    assert list(going) == ["numpy", "scipy", "sklearn"]
    assert "its numpy comes as the wheel" in going["numpy"]
    assert (going["scipy"], going["sklearn"]) == ("it needs numpy, which leaves", "it needs scipy, which leaves")
    assert [item.name for item in staying(PRESENT, going)] == ["python", "pip", "tool"]


def test_the_tools_of_conda_stay() -> None:
    assert leaving(PRESENT, {"pip", "setuptools", "wheel"}) == {}


@pytest.mark.parametrize("rival", ["tensorflow", "tensorflow-cpu", "tf-nightly"])
def test_conda_s_own_tensorflow_leaves_whatever_comes(rival: str) -> None:
    present = Present(
        packages=(package("tensorflow-base"), package("keras-tuner", "1.0", "0", "tensorflow-base")), owners={rival: "tensorflow-base"}
    )
    assert list(leaving(present, ())) == ["tensorflow-base", "keras-tuner"]


def test_nothing_leaves_an_empty_folder() -> None:
    assert leaving(Present(), {"numpy"}) == {}


def test_compare() -> None:
    going = leaving(PRESENT, {"numpy"})
    solution = (package("python", "3.11.9"), package("pip", "25.0", "py_0"), package("tool"), package("cudnn"))
    packages, unchanged, removals = compare(solution, PRESENT, going)
    assert [item.identity for item in packages] == ["python-3.11.9-0", "cudnn-1.0-0"]
    assert unchanged == {"pip": "25.0 py_0", "tool": "1.0 0"}
    assert {item.identity: item.reason for item in removals} == {
        "python-3.11.7-0": "the set has 3.11.9 0",
        "numpy-1.26-0": "its numpy comes as the wheel that the set was proven with",
        "scipy-1.11-0": "it needs numpy, which leaves",
        "sklearn-1.3-0": "it needs scipy, which leaves",
    }


def test_another_build_is_another_package() -> None:
    packages, unchanged, removals = compare((package("tool", "1.0", "1"),), Present(packages=(package("tool"),)), {})
    assert ([item.build for item in packages], unchanged, [item.identity for item in removals]) == (["1"], {}, ["tool-1.0-0"])


def test_what_the_solver_leaves_out_is_not_needed() -> None:
    _, _, removals = compare((), Present(packages=(package("tool"),)), {})
    assert [item.reason for item in removals] == ["nothing needs it any more"]


@pytest.mark.parametrize("text", ["_libgcc_mutex-0.1-conda_forge", "python-dateutil-2.9.0-pyh_0", "x-1-0"])
def test_identities(text: str) -> None:
    assert "-".join(identity_parts(text)) == text


PART = CondaPart(
    specs=("python 3.11.*",),
    virtual=(),
    channels=(CHANNEL,),
    packages=(package("cudnn"),),
    unchanged={"python": "3.11.7 0"},
    cache="/cache",
)


def test_an_environment_that_has_all_of_it_stays_as_it_is() -> None:
    found = as_it_is(PART, ["cudnn-1.0-0", "python-3.11.7-0", "tool-9-9"])
    assert found is not None
    assert (found.changes, found.unchanged) == (False, {"cudnn": "1.0 0", "python": "3.11.7 0"})
    assert (found.specs, found.channels, found.cache) == (PART.specs, PART.channels, PART.cache)
    for there in (["python-3.11.7-0"], ["cudnn-1.1-0", "python-3.11.7-0"], ["cudnn-1.0-1", "python-3.11.7-0"], []):
        assert as_it_is(PART, there) is None


def check(part: CondaPart, **changes: object) -> None:
    values = {
        "present": Present(packages=(package("python", "3.11.7"),)), "wheels": (), "specs": PART.specs, "channels": (CHANNEL,), "registered": (),
        "python": "3.11", **changes,
    }  # fmt: skip
    present = values.pop("present")
    check_saved(part, present, **values)


def test_a_saved_part_that_still_holds() -> None:
    check(PART)
    check(replace(PART, packages=(), unchanged={"python": "3.11.7 0"}), present=PRESENT)


@pytest.mark.parametrize(
    ("part", "changes", "told"),
    [
        (PART, {"channels": ("https://other.example/lab",)}, "none of the channels"),
        (PART, {"channels": (f"{CHANNEL}-evil", CHANNEL[:-1])}, "none of the channels"),
        (PART, {"specs": ("python 3.12.*",)}, "catalogue has changed"),
        (PART, {"python": "3.1"}, "catalogue has changed"),
        (replace(PART, unchanged={}), {}, "catalogue has changed"),
        (PART, {"registered": (Outside(kind="line", path="/h/.conda/environments.txt", text="/e"),)}, "conda knows of its environments"),
        (PART, {"present": Present(packages=(package("python", "3.11.8"),))}, "not what the environment needs"),
        (PART, {"present": PRESENT}, "not what the environment needs"),
        (PART, {"present": Present(packages=(package("python", "3.11.7"), package("cudnn")))}, "not what the environment needs"),
        (replace(PART, unchanged={"python": "3.11.7 0", "x": "1 0"}), {}, "not what the environment needs"),
    ],
)
def test_a_saved_part_that_is_stale_or_forged(part: CondaPart, changes: dict[str, object], told: str) -> None:
    with pytest.raises(StalePlanError, match=told) as caught:
        check(part, **changes)
    assert caught.value.hint
