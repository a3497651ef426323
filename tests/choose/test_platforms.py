"""Operating system, C library and processor."""

import dataclasses

import pytest

from choose.values import machine, with_system
from provisioner.choose.platforms import check_cpu, check_libc, no_build, platform_of
from provisioner.errors import CouldNotTellError
from provisioner.model.facts import Libc, absent, known, unknown


def libc(kind, version):
    return with_system(machine(), libc=known(Libc(kind=kind, version=version), "t"))


def cpu(features):
    facts = machine()
    return dataclasses.replace(facts, cpu=dataclasses.replace(facts.cpu, features=features))


def test_platform_is_the_hardware_s():
    facts = with_system(machine(), process_architecture=known("i686", "t"))
    assert platform_of(facts) == "linux-x86_64"
    assert platform_of(with_system(facts, architecture=unknown("t", "not asked"))) == "linux-i686"


def test_no_architecture_at_all():
    with pytest.raises(CouldNotTellError, match="architecture"):
        platform_of(with_system(machine(), architecture=unknown("t", ""), process_architecture=unknown("t", "")))


@pytest.mark.parametrize(
    ("version", "floor", "fits"), [("2.27", "2.27", True), ("2.26", "2.27", False), ("2.9", "2.17", False), ("2.36", "2.9", True)]
)
def test_glibc_is_compared_by_numbers(version, floor, fits):
    obstacle, warning = check_libc(libc("glibc", version), floor)
    assert (obstacle is None) is fits
    assert warning == ""


def test_other_c_libraries_have_no_wheels():
    assert check_libc(libc("musl", "1.2.5"), "2.17")[0].code == "platform-unsupported"
    assert check_libc(with_system(machine(), libc=absent("t", "none found")), "2.17")[0].code == "platform-unsupported"


def test_glibc_of_unknown_version_is_a_warning():
    assert check_libc(libc("glibc", ""), "2.17")[0] is None
    assert "2.17" in check_libc(libc("glibc", ""), "2.17")[1]


def test_without_a_floor_nothing_is_compared():
    assert check_libc(libc("glibc", "2.5"), "") == (None, "")


@pytest.mark.parametrize(
    ("features", "needed", "missing"),
    [(("avx",), ("avx",), ""), (("avx",), ("avx", "avx2", "fma"), "AVX2 or FMA"), ((), ("avx",), "AVX"), (("sse3",), (), "")],
)
def test_every_needed_feature_counts(features, needed, missing):
    obstacle, _ = check_cpu(cpu(known(features, "t")), needed)
    assert (obstacle.why if obstacle else "").endswith(f"has no {missing}" if missing else "")


def test_features_that_nobody_could_read_are_a_warning_and_none_at_all_an_obstacle():
    assert "AVX" in check_cpu(cpu(unknown("t", "not asked")), ("avx",))[1]
    assert check_cpu(cpu(absent("t", "none")), ("avx",))[0].code == "cpu-no-avx"


@pytest.mark.parametrize(
    ("platform", "words"),
    [("windows-x86_64", "WSL2"), ("macos-aarch64", "Linux machine"), ("linux-aarch64", "only CPU builds"), ("linux-i686", "64-bit")],
)
def test_every_platform_has_a_way_out(platform, words):
    assert words in no_build(machine(), platform).remedy
