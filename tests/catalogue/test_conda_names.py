"""``conda-names.yaml``: what is shipped, and that what is wrong is refused."""

from __future__ import annotations

import pytest

from provisioner.base.names import is_rival
from provisioner.catalogue import Catalogue, find_profiles
from provisioner.catalogue.conda_names import read_conda_names
from provisioner.errors import InputError
from provisioner.host.local import LocalHost

NAMES = Catalogue.open(LocalHost(), find_profiles()).conda_names()
# What the sets have of these names is another thing than the channel's package of that name (compilers, C libraries), or no channel has it.
NOT_THE_SAME = {
    "clang",
    "flatbuffers",
    "libclang",
    "pip",
    "setuptools",
    "wheel",
    "keras-nightly",
    "tf-estimator-nightly",
    "tensorflow-io-gcs-filesystem",
}


@pytest.mark.parametrize(
    ("package", "distribution"),
    [
        ("numpy", "numpy"), ("opt_einsum", "opt-einsum"), ("pytables", "tables"), ("py-opencv", "opencv-python"),
        ("python-flatbuffers", "flatbuffers"),
        ("graphviz", ""), ("snappy", ""), ("tzdata", ""), ("flatbuffers", ""), ("ffmpeg", ""), ("libclang", ""),
    ],
)  # fmt: skip
def test_which_distribution_a_package_is(package: str, distribution: str) -> None:
    assert NAMES.distribution(package) == distribution


def test_names_that_a_channel_may_have() -> None:
    assert NAMES.packages("opt-einsum") == ("opt-einsum", "opt_einsum")
    assert NAMES.packages("flatbuffers") == ("python-flatbuffers",)
    assert NAMES.packages("unheard-of") == ()
    assert [name for name in ("cudatoolkit", "cuda-nvcc", "libcublas", "ffmpeg") if NAMES.is_cuda(name)] == [
        "cudatoolkit",
        "cuda-nvcc",
        "libcublas",
    ]
    assert [name for name in ("_libgcc_mutex", "libgcc-ng", "openssl", "ffmpeg", "gcc") if NAMES.is_library(name)] == [
        "_libgcc_mutex", "libgcc-ng", "openssl",
    ]  # fmt: skip
    assert NAMES.is_part("tensorflow-base")


def test_each_package_of_the_sets_is_known() -> None:
    """The solver is held to the versions of a set by these names alone."""
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    held = {
        file.name
        for release in catalogue.releases(prereleases=True)
        for python, device in catalogue.locks(release.version, "linux-x86_64")
        for file in catalogue.lock(release.version, python, "linux-x86_64", device).files
    }
    unknown = {
        name
        for name in held
        if not NAMES.packages(name) and not is_rival(name) and not name.startswith("nvidia-") and not NAMES.is_part(name)
    }
    assert unknown <= NOT_THE_SAME


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"sources": []}, "sources: expected where the facts come from"),
        ({"same": ["Num py"]}, "same: expected the name of a conda package, found 'Num py'"),
        ({"otherwise": {"*": "x"}}, "otherwise: expected the name of a conda package, found '*'"),
    ],
)
def test_what_is_wrong_is_refused(changes: dict[str, object], fault: str) -> None:
    with pytest.raises(InputError) as caught:
        read_conda_names({"schema": "tfsetup/conda-names/1", "sources": ["a"], **changes}, file="f")
    assert caught.value.faults == (fault,)
