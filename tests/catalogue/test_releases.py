"""A minor's file: merging, and every fault of a file at once, each with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.catalogue.releases import merge, read_minor
from provisioner.catalogue.yaml_text import parse_yaml
from provisioner.errors import InputError
from tests.catalogue.profiles import MINOR

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))
ONE = '  2.20.0: {released: "2024-01-01", cutoff: "2024-02-01"}'


def read(text: str, minor: str = "2.20") -> Any:
    return read_minor(parse_yaml(text, file="f.yaml"), minor=minor, file="f.yaml")


def test_releases_are_newest_first_and_share_what_is_common() -> None:
    releases = read(
        MINOR.format(
            releases=ONE
            + '\n  2.20.0rc1: {released: "2024-01-01", cutoff: "2024-02-01"}\n  2.20.1: {released: "2024-03-01", cutoff: "2024-04-01"}'
        )
    )
    assert [release.version for release in releases] == ["2.20.1", "2.20.0", "2.20.0rc1"]
    assert [release.prerelease for release in releases] == [False, False, True]
    assert releases[0].builds == releases[1].builds
    assert releases[0].builds[0].cuda.requirements == ("nvidia-cuda-runtime-cu12==12.5.82",)
    assert releases[0].known_bad[0].capabilities == ("12.0",)


def test_a_release_overrides_one_value_and_keeps_the_rest() -> None:
    own = ONE[:-1] + ", builds: {linux-x86_64: {cuda: {cudnn: '9.4', must_open: [liba.so]}}}}"
    (release,) = read(MINOR.format(releases=own))
    (build,) = release.builds
    assert build.cuda.cudnn == "9.4"
    assert build.cuda.must_open == ("liba.so",)
    assert build.cuda.version == "12.5"
    assert build.pythons == ("3.10", "3.11")


def test_a_release_can_drop_a_platform_or_the_gpu_build() -> None:
    other = "linux-aarch64: {pythons: ['3.11'], glibc: '2.17', cpu_features: [], packages: {cpu: tensorflow}}"
    own = f"{ONE[:-1]}, builds: {{linux-x86_64: {{cuda: null, packages: null}}, {other}}}}}"
    with pytest.raises(InputError) as caught:
        read(MINOR.format(releases=own))
    assert caught.value.faults == ("releases.2.20.0.builds.linux-x86_64.packages: expected an object, found null",)
    dropped = own.replace("{cuda: null, packages: null}", "null")
    (release,) = read(MINOR.format(releases=dropped))
    assert [build.platform for build in release.builds] == ["linux-aarch64"]


def test_add_ons_are_specifiers_or_none() -> None:
    own = "{tf-keras: none, tensorflow-io: '>=0.18,<0.20', tensorflow-text: '==2.20.*'}"
    (release,) = read(MINOR.format(releases=f"{ONE[:-1]}, addons: {own}}}"))
    assert release.addons == {"tf-keras": "none", "tensorflow-io": ">=0.18,<0.20", "tensorflow-text": "==2.20.*"}
    with pytest.raises(InputError) as caught:
        read(MINOR.format(releases=f"{ONE[:-1]}, addons: {{tf-keras: newest, tensorflow-io: ''}}}}"))
    assert caught.value.faults == (
        "releases.2.20.0.addons.tf-keras: expected specifiers such as ==2.15.*, or none, found 'newest'",
        "releases.2.20.0.addons.tensorflow-io: expected specifiers such as ==2.15.*, or none, found ''",
    )


def test_a_build_like_another_has_its_constraints_and_nothing_else() -> None:
    first = "{requirement: wrapt<1.16, reason: r, reference: x}"
    second = "{requirement: h5py>=3.12, reason: r, reference: x}"
    mac = f"macos-aarch64: {{like: linux-x86_64, pythons: ['3.11'], macos: '12.0', cpu_features: [], packages: {{cpu: t}}, constraints: [{second}]}}"
    own = f"{ONE[:-1]}, builds: {{linux-x86_64: {{constraints: [{first}]}}, {mac}}}}}"
    (release,) = read(MINOR.format(releases=own))
    linux, other = release.builds
    assert [item.requirement for item in linux.constraints] == ["wrapt<1.16"]
    assert [item.requirement for item in other.constraints] == ["wrapt<1.16", "h5py>=3.12"]
    assert (other.pythons, other.glibc, other.cuda, other.packages) == (("3.11",), "", None, {"cpu": "t"})


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("like: linux-x86_64", ".macos: expected a version such as 12.0, found ''"),
        ("like: nowhere, macos: '12.0'", ".like: is not a known field"),
        ("macos: '12.0', metal: {version: new, pythons: ['3.11']}", ".metal.version: expected numbers and dots, found 'new'"),
    ],
)
def test_faults_of_a_build_for_macs(change: str, fault: str) -> None:
    mac = f"macos-aarch64: {{{change}, pythons: ['3.11'], cpu_features: [], packages: {{cpu: t}}}}"
    with pytest.raises(InputError) as caught:
        read(MINOR.format(releases=f"{ONE[:-1]}, builds: {{{mac}}}}}"))
    assert caught.value.faults == (f"releases.2.20.0.builds.macos-aarch64{fault}",)


@pytest.mark.parametrize(
    ("common", "own", "expected"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 4}}, {"a": 1, "b": {"c": 2, "d": 4}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_merge(common: Any, own: Any, expected: Any) -> None:
    before = repr(common)
    assert merge(common, own) == expected
    assert repr(common) == before


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_fault_of_a_file_is_named_at_once(path: Path) -> None:
    """Each case ends with the faults that are expected, as comments."""
    text = path.read_text("utf-8")
    expected = tuple(line[4:] for line in text.splitlines() if line.startswith("#=> "))
    with pytest.raises(InputError) as caught:
        read_minor(parse_yaml(text, file=path.name), minor="2.20", file=path.name)
    assert caught.value.place == path.name
    assert caught.value.faults == expected
    assert caught.value.exit_code == 2
