"""The virtual packages of kinds of machines that are not here."""

from __future__ import annotations

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.conda.virtual import driver_cuda, target_packages
from provisioner.host.local import LocalHost


@pytest.mark.parametrize(
    ("platform", "floor", "cuda", "features", "found"),
    [
        ("linux-x86_64", "2.28", "", (), "__unix=0=0 __linux=0=0 __glibc=2.28=0 __archspec=1=x86_64"),
        ("linux-x86_64", "2.17", "12.4", ("avx",), "__unix=0=0 __linux=0=0 __glibc=2.17=0 __archspec=1=x86_64_v2 __cuda=12.4=0"),
        ("linux-x86_64", "2.17", "", ("avx", "avx2", "fma"), "__unix=0=0 __linux=0=0 __glibc=2.17=0 __archspec=1=x86_64_v3"),
        ("linux-x86_64", "2.17", "", ("avx512f",), "__unix=0=0 __linux=0=0 __glibc=2.17=0 __archspec=1=x86_64_v4"),
        ("linux-aarch64", "2.31", "", ("avx",), "__unix=0=0 __linux=0=0 __glibc=2.31=0 __archspec=1=aarch64"),
        ("macos-aarch64", "12.0", "", (), "__unix=0=0 __osx=12.0=0 __archspec=1=m1"),
        ("macos-x86_64", "12.0", "", (), "__unix=0=0 __osx=12.0=0 __archspec=1=x86_64"),
        ("windows-x86_64", "0.0", "", (), "__win=0=0 __archspec=1=x86_64"),
    ],
)
def test_of_a_target(platform: str, floor: str, cuda: str, features: tuple[str, ...], found: str) -> None:
    assert " ".join(target_packages(platform, floor=floor, cuda=cuda, features=features)) == found


@pytest.mark.parametrize(
    ("driver", "windows", "cuda"),
    [
        ("550.54.14", False, "12.4"),
        ("550.54.13", False, "12.3"),
        ("525.60.13", False, "12.0"),
        ("470.57.02", False, "11.4"),
        ("551.61", True, "12.4"),
        ("384.81", False, "9.0"),
        ("300.1.1", False, ""),
    ],
)
def test_the_cuda_of_a_driver_is_its_own_row_s(driver: str, windows: bool, cuda: str) -> None:
    """Not that of minor-version compatibility: what conda compares with is what the driver reports."""
    toolkits = Catalogue.open(LocalHost(), find_profiles()).toolkits()
    assert driver_cuda(driver, toolkits, windows=windows) == cuda
