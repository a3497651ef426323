"""macOS, decided on Linux: what the native files of real sets ask of the loader (``tests/diagnose/macos``, made by ``tools/macos_loads.py``)."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from provisioner.diagnose.case import Case
from provisioner.diagnose.checks.macos import CHECKS
from provisioner.facts.macho import Part
from provisioner.judge.integrity import Integrity
from provisioner.model.codec import from_data
from provisioner.model.facts import known
from provisioner.model.finding import Finding
from tests.choose.values import with_system
from tests.diagnose import cases
from tests.facts.fake_reader import FakeReader
from tests.facts.test_macho import made, part

RECORDED = sorted((Path(__file__).parents[1] / "macos").glob("*.json"))
ARM, INTEL = "macos-aarch64-2.21.0", "macos-x86_64-2.16.2"
HOSTS = {ARM: "apple-m1", INTEL: "intel-mac"}
MACHINES = {ARM: "arm64", INTEL: "x86_64"}


def recorded(name: str) -> dict[str, tuple[Part, ...]]:
    data = json.loads(next(path for path in RECORDED if path.stem == name).read_text())
    return {file: tuple(from_data(Part, item, file=name) for item in group["parts"]) for group in data["files"] for file in group["files"]}


def mac(name: str, *, lost: str = "", other: dict[str, bytes] | None = None, **changes: object) -> Case:
    """A Mac with the native files of a real set, made again from what they ask for, all as TensorFlow's own; without ``lost``."""
    files = {f"{cases.SITE}/{path}": made(parts) for path, parts in recorded(name).items() if path != lost}
    files |= {f"{cases.SITE}/{path}": data for path, data in (other or {}).items()}
    _, facts, _ = cases.host(HOSTS[name])
    if "version" in changes:
        facts = with_system(facts, version=known(changes.pop("version"), "sysctl"))
    owners = tuple((path, str(changes.get("owner", "tensorflow"))) for path in files)
    return cases.make(
        facts,
        name.rpartition("-")[2],
        reader=FakeReader(files, platform="darwin"),
        survey=cases.survey(machine=changes.get("machine", MACHINES[name]), version="3.12.4"),
        distributions=(cases.distribution("tensorflow", name.rpartition("-")[2]),),
        integrity=Integrity(distributions=(), rivals=(), faults=(), files=0, natives=owners),
    )


def found(case: Case) -> tuple[str, tuple[Finding, ...]]:
    said, findings = cases.run(case, *CHECKS)
    return said["mach-o"], findings


@pytest.mark.parametrize(("name", "files"), [(ARM, 137), (INTEL, 125)])
def test_real_sets_are_healthy(name: str, files: int) -> None:
    said, findings = found(mac(name))
    assert not findings
    assert said.startswith(f"{files} compiled files ask for ")


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        (ARM, "tensorflow/libtensorflow_framework.2.dylib"),
        (ARM, "tensorflow/libtensorflow_cc.2.dylib"),
        (ARM, "tensorflow/python/lib_pywrap_tensorflow_common.dylib"),
        (INTEL, "tensorflow/libtensorflow_framework.2.dylib"),
        (INTEL, "tensorflow/python/_pywrap_tensorflow_internal.so"),
    ],
)
def test_a_library_that_is_gone_is_missed_by_those_that_ask_for_it(name: str, lost: str) -> None:
    _, findings = found(mac(name, lost=lost))
    assert [(finding.cause, finding.severity) for finding in findings] == [("install-corrupt", "error")]
    assert all(lost.rpartition("/")[2] in evidence.seen for evidence in findings[0].evidence)


def test_a_file_that_was_cut() -> None:
    path = "tensorflow/python/_pywrap_tensorflow_internal.so"
    _, findings = found(mac(ARM, lost=path, other={path: made(recorded(ARM)[path])[:-1]}))
    assert [(finding.cause, finding.evidence[0].seen) for finding in findings] == [
        ("install-corrupt", "the file is too short (tensorflow)")
    ]


def test_files_for_the_other_processor() -> None:
    _, findings = found(mac(INTEL, machine="arm64"))
    assert "wrong-arch-binary" in cases.codes(findings)
    seen = next(finding for finding in findings if finding.cause == "wrong-arch-binary").evidence[0].seen
    assert seen == "it is for x86_64, the interpreter is for aarch64 (tensorflow)"


def test_a_wheel_for_a_newer_macos_and_a_library_of_homebrew() -> None:
    path, library = "h5py/_x.so", "/opt/homebrew/opt/hdf5/lib/libhdf5.310.dylib"
    case = mac(ARM, other={path: made([part(macos="15.0", needed=[library])])}, version="14.5")
    case = dataclasses.replace(
        case,
        distributions=(*case.distributions, cases.distribution("h5py", "3.14.0")),
        integrity=dataclasses.replace(
            case.integrity, natives=tuple((at, "h5py" if at.endswith(path) else owner) for at, owner in case.integrity.natives)
        ),
        lock=cases.catalogue().lock("2.21.0", "3.12", "macos-aarch64", "cpu"),
    )
    _, findings = found(case)
    assert cases.codes(findings) == {"macos-too-old", "unknown"}
    assert "made for macOS 15.0, this is 14.5 (h5py)" in str(findings)
    assert library in str(findings)
