"""Which wheel an installer takes, compared with this machine's own order of tags."""

from __future__ import annotations

import sys

import pytest
from packaging.tags import sys_tags

from provisioner.engines.uv import platform_name
from provisioner.engines.wheels import Wheel, pick, read_pylock, supported_tags
from provisioner.errors import OperationError


def wheel(filename: str) -> Wheel:
    return Wheel(package="p", url=f"file:///{filename}", filename=filename, sha256="0" * 64)


@pytest.mark.parametrize(("glibc", "expected"), [("2.12", "2_17"), ("2.17", "2_17"), ("2.27", "2_28"), ("2.28", "2_28"), ("2.29", "2_31")])
def test_the_resolver_is_told_the_nearest_machine_it_knows(glibc: str, expected: str) -> None:
    assert platform_name("linux-x86_64", glibc) == f"x86_64-manylinux_{expected}"


@pytest.mark.parametrize(
    ("offered", "picked"),
    [
        (["a-1-py3-none-any.whl", "a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"], 1),
        (["a-1-cp311-cp311-manylinux_2_28_x86_64.whl", "a-1-py3-none-any.whl"], 1),
        (["a-1-cp311-cp311-manylinux_2_5_x86_64.manylinux1_x86_64.whl", "a-1-cp311-cp311-manylinux_2_17_x86_64.whl"], 1),
        (["a-1-cp39-abi3-manylinux2014_x86_64.whl", "a-1-cp311-cp311-manylinux2014_x86_64.whl"], 1),
        (["a-1-cp312-cp312-manylinux2014_x86_64.whl", "a-1-cp39-abi3-manylinux2014_x86_64.whl"], 1),
        (["a-1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_17_x86_64.whl", "a-1-py3-none-any.whl"], 0),
        (["a-1-1-py3-none-any.whl", "a-1-2-py3-none-any.whl", "a-1-py3-none-any.whl"], 1),
        (["a-1-cp311-cp311-macosx_12_0_arm64.whl", "a-1-cp311-cp311-win_amd64.whl", "a-1-py2.py3-none-any.whl"], 2),
    ],
)
def test_the_wheel_is_the_one_an_installer_prefers_on_the_oldest_machine(offered: list[str], picked: int) -> None:
    wheels = [wheel(name) for name in offered]
    tags = supported_tags("3.11", "linux-x86_64", (2, 17))
    assert pick(wheels, tags) is wheels[picked]
    assert pick(wheels[::-1], tags) is wheels[picked], "the order of the index does not matter"


@pytest.mark.parametrize(
    ("platform", "floor", "offered", "picked"),
    [
        ("macos-aarch64", (12, 0), ["a-1-cp311-cp311-macosx_13_0_arm64.whl", "a-1-cp311-cp311-macosx_10_9_universal2.whl"], 1),
        ("macos-aarch64", (12, 0), ["a-1-cp311-cp311-macosx_11_0_arm64.whl", "a-1-cp311-cp311-macosx_12_0_arm64.whl"], 1),
        ("macos-x86_64", (10, 15), ["a-1-cp311-cp311-macosx_11_0_arm64.whl", "a-1-cp311-cp311-macosx_10_9_x86_64.whl"], 1),
        ("windows-x86_64", (0, 0), ["a-1-cp311-cp311-win32.whl", "a-1-py3-none-any.whl", "a-1-cp311-cp311-win_amd64.whl"], 2),
        ("linux-aarch64", (2, 17), ["a-1-cp311-cp311-manylinux2014_x86_64.whl", "a-1-cp311-cp311-manylinux2014_aarch64.whl"], 1),
    ],
)
def test_the_wheel_is_the_one_of_the_platform(platform: str, floor: tuple[int, int], offered: list[str], picked: int) -> None:
    wheels = [wheel(name) for name in offered]
    assert pick(wheels, supported_tags("3.11", platform, floor)) is wheels[picked]


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("macos-aarch64", "aarch64-apple-darwin"),
        ("macos-x86_64", "x86_64-apple-darwin"),
        ("windows-x86_64", "x86_64-pc-windows-msvc"),
        ("linux-aarch64", "aarch64-manylinux_2_17"),
    ],
)
def test_the_resolver_is_told_the_platform(platform: str, name: str) -> None:
    assert platform_name(platform, "2.17") == name


def test_no_fitting_wheel_is_an_error_that_names_what_was_offered() -> None:
    with pytest.raises(OperationError, match="manylinux_2_28"):
        pick([wheel("a-1-cp311-cp311-manylinux_2_28_x86_64.whl")], supported_tags("3.11", "linux-x86_64", (2, 17)))


@pytest.mark.skipif(sys.platform != "linux", reason="compares with this machine's own tags")
def test_the_order_of_tags_is_that_of_this_machine() -> None:
    """Every tag we give that `packaging` also finds here comes in the same order (an index holds no plain `linux` wheels)."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    here = [tag for tag in sys_tags() if "manylinux" in tag.platform or tag.platform == "any"]
    ours = supported_tags(python, "linux-x86_64", (2, 17))
    common = [tag for tag in here if tag in set(ours)]
    assert common == [tag for tag in ours if tag in set(here)]
    assert common


def test_a_pylock_is_read() -> None:
    text = """
lock-version = "1.0"
[[packages]]
name = "Google_Pasta"
version = "0.2.0"
wheels = [{ url = "https://index/x/google_pasta-0.2.0-py3-none-any.whl", hashes = { sha256 = "aa" } }]
"""
    (found,) = read_pylock(text)["google-pasta"]
    assert (found.filename, found.sha256) == ("google_pasta-0.2.0-py3-none-any.whl", "aa")


@pytest.mark.parametrize(
    "packages",
    ['[[packages]]\nname = "a"\nversion = "1"', '[[packages]]\nname = "a"\nwheels = []'],
)
def test_a_package_without_wheels_is_refused(packages: str) -> None:
    with pytest.raises(OperationError, match="a: expected one version with wheels"):
        read_pylock(packages)


def test_only_a_named_package_may_be_a_source_distribution() -> None:
    text = """
[[packages]]
name = "gast"
version = "0.2.2"
sdist = { url = "https://index/x/gast-0.2.2.tar.gz", hashes = { sha256 = "aa" } }
"""
    (found,) = read_pylock(text, sources={"gast"})["gast"]
    assert (found.filename, found.sha256) == ("gast-0.2.2.tar.gz", "aa")
    with pytest.raises(OperationError, match="gast: expected one version with wheels"):
        read_pylock(text)
    with pytest.raises(OperationError, match="a: expected one version with its source distribution"):
        read_pylock('[[packages]]\nname = "a"\nversion = "1"\nwheels = [{}]', sources={"a"})


@pytest.mark.parametrize(("python", "abi"), [("3.6", "cp36m"), ("3.7", "cp37m"), ("3.8", "cp38"), ("3.11", "cp311")])
def test_the_abi_of_old_pythons_has_its_letter(python: str, abi: str) -> None:
    """PEP 3149; the letter is gone since 3.8."""
    interpreter = abi.rstrip("m")
    name = f"x-1-{interpreter}-{abi}-manylinux2010_x86_64.whl"
    offered = Wheel(package="x", url=name, filename=name, sha256="a")
    assert pick([offered], supported_tags(python, "linux-x86_64", (2, 17))) is offered
