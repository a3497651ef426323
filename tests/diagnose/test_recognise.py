"""Which device an environment is recognised to be for, with the catalogue that is shipped: its own libraries told from those of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.diagnose.recognise import recognise
from provisioner.environment.distributions import Installed
from provisioner.environment.tensorflow import release_of_headers
from provisioner.host.local import LocalHost
from tests.support import machine

HOST = LocalHost()
CUDA = ("nvidia-cudnn-cu12", "nvidia-cublas-cu12", "nvidia-cufft-cu12")


@pytest.mark.parametrize(
    ("own", "beside", "device"),
    [
        ("tensorflow", CUDA, "cuda"),
        ("tensorflow", (), "cpu"),
        ("tensorflow", ("xgboost", "nvidia-nccl-cu12"), "cpu"),
        ("tensorflow", ("torch", *CUDA), "cpu"),
        ("tensorflow-cpu", CUDA, "cpu"),
    ],
)
def test_the_set_is_that_of_the_device(own: str, beside: tuple[str, ...], device: str) -> None:
    """With torch's libraries beside it a TensorFlow for the CPU was held against the set for CUDA."""
    found = tuple(Installed(name=name, version="2.20.0") for name in (own, *beside))
    catalogue = Catalogue.open(HOST, find_profiles())
    known = recognise(HOST, (), found, machine(), catalogue, None, python="3.11", cuda=None)
    assert known.lock is not None
    assert (known.lock.device, known.expected.cuda is not None) == (device, device == "cuda")


@pytest.mark.parametrize(("suffix", "release"), [("", "2.20.0"), ("-rc0", "2.20.0rc0")])
def test_headers_tell_a_candidate_from_its_release(tmp_path: Path, suffix: str, release: str) -> None:
    folder = tmp_path / "tensorflow" / "include" / "tensorflow" / "core" / "public"
    folder.mkdir(parents=True)
    lines = [
        "#define TF_MAJOR_VERSION 2",
        "#define TF_MINOR_VERSION  20",
        "#define TF_PATCH_VERSION\t0",
        f'#define TF_VERSION_SUFFIX "{suffix}"',
    ]
    (folder / "release_version.h").write_text("\n".join(lines))
    assert release_of_headers(HOST, (str(tmp_path),)) == release
