"""The walk to an older release: which one the requirements bring by themselves."""

from __future__ import annotations

from pathlib import Path

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.engines.resolving import Job
from provisioner.host.local import LocalHost
from provisioner.lock.meeting import release_below
from provisioner.model.catalogue import Proof
from provisioner.model.team import Index as TeamIndex
from provisioner.model.team import Inputs, Target
from tests.lock.index import CUTOFF, Index

TARGET = Target(name="linux", platform="linux-x86_64", device="cpu", python="3.11")


def below(index: Index, tmp_path: Path, *requirements: str) -> str:
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    lock = catalogue.lock("2.20.0", "3.11", "linux-x86_64", "cpu")
    assert lock is not None
    tmp_path.joinpath("ask").mkdir(exist_ok=True)
    job = Job(
        name="linux",
        requirements=(),
        constraints=(),
        python="3.11",
        platform="linux-x86_64",
        floor="2.28",
        cutoff=CUTOFF,
        folder=str(tmp_path / "ask"),
        indexes=(TeamIndex(url=index.url),),
    )
    chosen = (TARGET, lock, Proof(lock=lock.digest, level="resolved"))
    return release_below(LocalHost(), catalogue, Inputs(requirements=requirements), chosen, job)


def test_a_package_that_is_source_alone_does_not_end_the_walk(index: Index, tmp_path: Path) -> None:
    """kashgari's list: NumPy 1.18 needs TensorFlow 2.7, and bert4keras has no wheel at all."""
    for version, numpy in (("2.20.0", ">=2"), ("2.19.1", ">=2"), ("2.15.1", "<2")):
        index.add("tensorflow-cpu", version, f"numpy{numpy}")
    index.add("numpy", "1.26")
    index.add("numpy", "2.0")
    index.add_source("old", "1.0", "raise SystemExit\n")
    assert below(index, tmp_path, "numpy==1.26", "old") == "2.15.1"
    assert below(index, tmp_path, "numpy==2.0", "old") == "2.19.1"
    assert below(index, tmp_path, "numpy==3.0") == ""
