"""One release for all targets: by catalogue and policy, proven sets first, with every refusal and what would do."""

from __future__ import annotations

import dataclasses

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.errors import NoProfileError
from provisioner.host.local import LocalHost
from provisioner.lock.choosing import choose_sets
from provisioner.model.catalogue import Constraint, KnownBad, LockedFile, Proof
from provisioner.model.policy import Policy, SignOff
from provisioner.model.team import Declaration, Target
from tests.choose.values import CUDA, Values, build, release

PROVEN = Proof(lock="", level="run", date="2026-01-01")
RESOLVED = Proof(lock="", level="resolved")


class Sets(Values):
    """The catalogue of values, with proofs by (version, device) and source distributions by version."""

    def __init__(self, *releases, run=(), sources=(), **more):
        super().__init__(*releases, **more)
        self.run = set(run)
        self.sources = set(sources)

    def lock(self, version, python, platform, device):
        if (python, device) not in self.locks(version, platform):
            return None
        lock = super().lock(version, python, platform, device)
        file = LockedFile(name="gast", version="1", filename="gast-1.tar.gz", sha256="", size=1, unpacked=1, source=True)
        return dataclasses.replace(lock, files=(file,)) if version in self.sources else lock

    def proof(self, lock):
        return PROVEN if (lock.release, lock.device) in self.run else RESOLVED


MAC = build(platform="macos-aarch64", glibc="", macos="12.0", cuda=None, pythons=("3.11",))
# From the newest to the oldest, as the catalogue gives them.
THREE = (
    release("2.21.0", build(pythons=("3.11", "3.12"), cuda=dataclasses.replace(CUDA, driver="560.28.03")), MAC, cutoff="2026-06-01"),
    release("2.20.0", build(pythons=("3.10", "3.11")), MAC, cutoff="2025-09-15"),
    release("2.19.0", build(pythons=("3.9", "3.10", "3.11")), cutoff="2025-03-01"),
)
CPU = Target(name="ci", platform="linux-x86_64", device="cpu", python="3.11")
GPU = Target(name="gpu", platform="linux-x86_64", device="cuda", python="3.11")
LAPTOP = Target(name="laptop", platform="macos-aarch64", device="cpu", python="3.11")


def choose(*targets: Target, catalogue=None, policy=None, tensorflow="", **more):
    declaration = Declaration(file="/team/tfsetup.yaml", tensorflow=tensorflow, targets=targets, policy=policy or Policy())
    return choose_sets(declaration, catalogue or Sets(*THREE), **more)


def chosen(*targets: Target, **said) -> list[str]:
    return [lock.release for _, lock, _ in choose(*targets, **said)]


def refused(*targets: Target, **said) -> NoProfileError:
    with pytest.raises(NoProfileError) as caught:
        choose(*targets, **said)
    return caught.value


def changed(target: Target, **changes: str) -> Target:
    return dataclasses.replace(target, **changes)


@pytest.mark.parametrize(
    ("targets", "said", "releases"),
    [
        ((CPU,), {}, ["2.21.0"]),
        ((CPU, GPU, LAPTOP), {}, ["2.21.0"] * 3),
        ((CPU,), {"tensorflow": "2.19"}, ["2.19.0"]),
        ((CPU,), {"tensorflow": ">=2.19,<2.21"}, ["2.20.0"]),
        ((CPU,), {"tensorflow": "latest"}, ["2.21.0"]),
        # One release for all: the one Python holds the other targets back.
        ((CPU, changed(CPU, name="old", python="3.10")), {}, ["2.20.0"] * 2),
        ((CPU, changed(CPU, name="older", python="3.9")), {}, ["2.19.0"] * 2),
        # A target that asks for another release goes its own way.
        ((CPU, changed(LAPTOP, tensorflow="2.20"), GPU), {}, ["2.21.0", "2.20.0", "2.21.0"]),
        ((changed(CPU, tensorflow="2.20"), changed(GPU, tensorflow="==2.20.*")), {}, ["2.20.0"] * 2),
        # The oldest driver and system among the machines.
        ((changed(GPU, driver="535.54.03"),), {}, ["2.20.0"]),
        ((changed(GPU, driver="560.28.03"),), {}, ["2.21.0"]),
        ((GPU,), {"policy": Policy(driver="535.54.03")}, ["2.20.0"]),
        ((CPU,), {"policy": Policy(driver="450.80.02")}, ["2.21.0"]),
        ((changed(LAPTOP, floor="12.0"),), {}, ["2.21.0"]),
        ((CPU,), {"policy": Policy(releases="<2.20")}, ["2.19.0"]),
        ((CPU,), {"policy": Policy(signed_off=(SignOff(release="2.20.0", by="Ada", date="2026-01-01"),))}, ["2.20.0"]),
        ((CPU,), {"policy": Policy(cool_down=30), "cutoff": "2026-05-01T00:00:00Z"}, ["2.20.0"]),
        ((CPU,), {"policy": Policy(cool_down=30), "cutoff": "2026-06-01T00:00:00Z"}, ["2.21.0"]),
        ((CPU,), {"cutoff": "2026-05-01T00:00:00Z"}, ["2.21.0"]),
        # What the lock has stays as long as it will do.
        ((CPU, GPU), {"keep": {"ci": "2.20.0", "gpu": "2.20.0"}}, ["2.20.0"] * 2),
        ((CPU, GPU), {"keep": {"ci": "2.20.0"}}, ["2.20.0"] * 2),
        ((CPU,), {"keep": {"ci": "2.20.0"}, "tensorflow": "2.19"}, ["2.19.0"]),
        ((CPU,), {"keep": {"ci": "2.20.0"}, "policy": Policy(releases="!=2.20.0")}, ["2.21.0"]),
        ((CPU,), {"keep": {"ci": "1.0"}}, ["2.21.0"]),
    ],
)
def test_the_newest_release_that_does_for_all_targets(targets, said, releases) -> None:
    assert chosen(*targets, **said) == releases


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (set(), "2.21.0"),
        ({("2.20.0", "cpu")}, "2.20.0"),
        ({("2.20.0", "cpu"), ("2.19.0", "cpu")}, "2.20.0"),
        ({("2.21.0", "cpu"), ("2.20.0", "cpu")}, "2.21.0"),
        ({("2.21.0", "cpu"), ("2.19.0", "cpu"), ("2.19.0", "cuda")}, "2.19.0"),
    ],
)
def test_sets_that_were_run_come_first(run, expected: str) -> None:
    assert chosen(CPU, GPU, catalogue=Sets(*THREE, run=run)) == [expected] * 2


def test_only_proven_sets() -> None:
    catalogue = Sets(*THREE, run={("2.20.0", "cpu"), ("2.21.0", "cuda")})
    assert chosen(CPU, catalogue=catalogue, policy=Policy(proven=True)) == ["2.20.0"]
    error = refused(CPU, GPU, catalogue=catalogue, policy=Policy(proven=True))
    assert error.refusals[0] == "TensorFlow 2.21.0: has a set for ci that was resolved and never run"
    assert error.refusals[1] == "TensorFlow 2.20.0: has a set for gpu that was resolved and never run"
    assert error.refusals[2].startswith("TensorFlow 2.19.0: has a set for ci that was resolved and never run; it also has a set for gpu")


def test_no_source_builds() -> None:
    catalogue = Sets(*THREE, sources={"2.21.0"})
    assert chosen(CPU, catalogue=catalogue) == ["2.21.0"]
    assert chosen(CPU, catalogue=catalogue, policy=Policy(source_builds=False)) == ["2.20.0"]
    error = refused(CPU, catalogue=catalogue, policy=Policy(source_builds=False), tensorflow="2.21")
    assert error.refusals == ("TensorFlow 2.21.0: has gast only as source for ci, and the policy allows no source builds",)
    assert (
        "TensorFlow 2.21.0 would do with `policy.source_builds: true`; or TensorFlow 2.20.0 would do with `tensorflow: 2.20.0`"
        in error.hint
    )


def test_a_set_is_as_young_as_its_youngest_file() -> None:
    late = Constraint(requirement="h5py<4", reason="", reference="", until="2026-07-01")
    catalogue = Sets(release("2.21.0", build(constraints=(late,)), cutoff="2026-01-01"))
    error = refused(CPU, catalogue=catalogue, policy=Policy(cool_down=7), cutoff="2026-06-01T00:00:00Z")
    assert error.refusals == ("TensorFlow 2.21.0: has sets of 2026-07-01, which are younger than the 7 days of `policy.cool_down`",)


def test_every_release_is_refused_with_its_reasons() -> None:
    error = refused(changed(GPU, python="3.12", driver="450.80.02"), changed(LAPTOP, floor="11.0"))
    assert error.refusals == (
        (
            "TensorFlow 2.21.0: needs NVIDIA driver 560.28.03 or newer, and gpu has machines with 450.80.02; it also needs macOS 12.0 or newer, "
            "and laptop has machines with 11.0 [driver-too-old, macos-too-old]"
        ),
        (
            "TensorFlow 2.20.0: has known-good sets on Linux on x86_64 for Python 3.10 and 3.11, and none for 3.12 (gpu); it also needs macOS "
            "12.0 or newer, and laptop has machines with 11.0 [python-unsupported, macos-too-old]"
        ),
        (
            "TensorFlow 2.19.0: has known-good sets on Linux on x86_64 for Python 3.9 to 3.11, and none for 3.12 (gpu); it also has no "
            "known-good set for macOS on aarch64 (laptop) [python-unsupported, platform-unsupported]"
        ),
    )
    assert error.cause == "driver-too-old"
    assert error.message.startswith("no TensorFlow will do for all of gpu and laptop: TensorFlow 2.21.0 needs NVIDIA driver")
    assert "TensorFlow 2.20.0 would do with `python: 3.11` for gpu and macOS 12.0 on all machines of laptop" in error.hint


def test_a_floor_older_than_the_sets() -> None:
    catalogue = Sets(*THREE, glibc={("2.21.0", "3.11"): "2.28", ("2.20.0", "3.11"): "2.27"})
    assert chosen(changed(CPU, floor="2.27"), catalogue=catalogue) == ["2.20.0"]
    error = refused(changed(CPU, floor="2.17"), catalogue=catalogue, tensorflow=">=2.20")
    assert "[glibc-too-old]" in error.refusals[0]
    assert error.cause == "glibc-too-old"


def test_what_is_known_to_be_bad_is_not_locked() -> None:
    bad = KnownBad(reason="crashes at import", reference="", cause="numpy-incompatible", pythons=("3.11",), platforms=("linux-x86_64",))
    gpus = KnownBad(reason="is slow on old GPUs", reference="", cause="gpu-too-old", capabilities=("6.0",))
    catalogue = Sets(release("2.21.0", build(), MAC, known_bad=(bad, gpus)), THREE[1])
    assert chosen(CPU, catalogue=catalogue) == ["2.20.0"]
    assert chosen(LAPTOP, catalogue=catalogue) == ["2.21.0"]
    assert chosen(changed(CPU, python="3.10"), catalogue=catalogue) == ["2.21.0"]
    assert refused(CPU, catalogue=catalogue, tensorflow="2.21").refusals == (
        "TensorFlow 2.21.0: crashes at import (ci) [numpy-incompatible]",
    )


def test_what_the_catalogue_does_not_have() -> None:
    error = refused(CPU, tensorflow="3")
    assert error.message == "the catalogue has no TensorFlow `3` to lock for ci"
    assert "holds 2.19, 2.20 and 2.21" in error.refusals[0]
    assert "TensorFlow 2.21.0 would do with `tensorflow: 2.21.0`" in error.hint
    assert refused(changed(LAPTOP, platform="windows-x86_64")).cause == "platform-unsupported"
    without = Sets(release("2.21.0", build()), missing=[("2.21.0", python, "cuda") for python in ("3.10", "3.11")])
    assert "`device: cpu` for gpu" in refused(GPU, catalogue=without).hint


def test_prereleases_only_by_name() -> None:
    catalogue = Sets(release("2.22.0rc0", prerelease=True), *THREE)
    assert chosen(CPU, catalogue=catalogue) == ["2.21.0"]
    assert chosen(CPU, catalogue=catalogue, tensorflow="2.22.0rc0") == ["2.22.0rc0"]


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    host = LocalHost()
    return Catalogue.open(host, find_profiles())


def test_the_shipped_catalogue_has_one_release_for_a_whole_team(shipped: Catalogue) -> None:
    """The team of the worked example: GPU servers, Linux CI, Apple laptops and a Windows desktop."""
    targets = [
        Target(name=f"{platform}-{device}", platform=platform, device=device, python="3.12")
        for platform, device in (
            ("linux-x86_64", "cuda"),
            ("linux-x86_64", "cpu"),
            ("macos-aarch64", "cpu"),
            ("windows-x86_64", "cpu"),
        )
    ]
    sets = choose(*targets, catalogue=shipped)
    assert len({lock.release for _, lock, _ in sets}) == 1
    assert [target.name for target, _, _ in sets] == [target.name for target in targets]
    error = refused(changed(targets[2], platform="macos-x86_64"), *targets[:1], catalogue=shipped, tensorflow="2.21")
    assert "2.16.2" in error.hint


def test_a_release_comes_last_that_a_package_is_known_not_to_go_with() -> None:
    """larq's list: its metadata names no TensorFlow, and its import fails from 2.16 on."""
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    target = Target(name="linux", platform="linux-x86_64", device="cpu", python="3.11")

    def chosen(tensorflow: str, *requirements: str) -> str:
        declaration = Declaration(file="tfsetup.yaml", tensorflow=tensorflow, targets=(target,))
        return choose_sets(declaration, catalogue, requirements=requirements, fits=catalogue.fits)[0][1].release

    assert chosen("", "larq", "numpy<2") == "2.15.1"
    assert chosen(">=2.20", "larq") == "2.21.0"
    assert chosen("", "tensorflow-addons") == "2.15.1"
    assert chosen("", "tensorflow-addons==0.20.0") == "2.12.1"
    assert chosen("", 'larq; python_version < "3.9"') == "2.21.0"
