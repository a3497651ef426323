"""What is shipped for conda environments fits: match specs, what the packages bring, and the sets that go with them."""

from __future__ import annotations

import pytest
from packaging.version import Version

from provisioner.base.versions import numbers
from provisioner.catalogue.conda_tables import brought, sonames
from provisioner.model.catalogue import Build, Release
from tests.catalogue.test_shipped import BUILDS, CATALOGUE


@pytest.mark.parametrize(("release", "build"), BUILDS)
def test_conda_packages_bring_every_library_that_is_opened(release: Release, build: Build) -> None:
    """All of ``may_open`` too: conda-forge's cudatoolkit has CUPTI, which the profiler opens."""
    cuda = build.cuda
    assert bool(cuda and cuda.conda) == (build.platform == "linux-x86_64" and Version(release.version) < Version("2.12"))
    if cuda is None or not cuda.conda:
        return
    table = CATALOGUE.conda()
    toolkit, cudnn = cuda.conda
    assert toolkit == f"cudatoolkit {cuda.version}.*"
    assert [item.package for item in brought(table, cuda.conda)] == ["cudatoolkit", "cudnn"]
    names = sonames(table, cuda.conda)
    assert set(cuda.must_open) <= set(names)
    assert set(cuda.may_open) <= set(names)
    assert len(set(names)) == len(names)
    assert numbers(cudnn.partition(" ")[2]) >= numbers(cuda.cudnn), "older than the one built against"


@pytest.mark.parametrize(("release", "build"), BUILDS)
def test_with_conda_a_set_is_the_gpu_build_and_nothing_of_nvidia(release: Release, build: Build) -> None:
    """The same files as in the set with NVIDIA's wheels, where there is one; so what was proven of the rest holds for both."""
    for python, device in CATALOGUE.locks(release.version, build.platform):
        lock = CATALOGUE.lock(release.version, python, build.platform, device)
        if lock is None or device != "cuda-conda":
            continue
        assert not any(file.name.startswith("nvidia-") for file in lock.files)
        other = CATALOGUE.lock(release.version, python, build.platform, "cuda")
        if other is not None:
            assert set(lock.files) == {file for file in other.files if not file.name.startswith("nvidia-")}
