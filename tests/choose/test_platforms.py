"""Operating system, C library and processor."""

import dataclasses

import pytest

from provisioner.choose.platforms import (
    check_cpu,
    check_libc,
    check_macos,
    gpu_elsewhere,
    is_bad,
    meant_platforms,
    no_build,
    no_cuda,
    platform_of,
    windows_warnings,
)
from provisioner.errors import CouldNotTellError
from provisioner.model.catalogue import KnownBad
from provisioner.model.facts import Libc, Windows, absent, known, unknown
from tests.choose.values import CUDA, build, machine, release, with_system


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
    [
        ("windows-aarch64", "WSL2"),
        ("macos-aarch64", "tfsetup profiles"),
        ("macos-x86_64", "2.16.2"),
        ("linux-aarch64", "tfsetup profiles"),
        ("linux-i686", "64-bit"),
    ],
)
def test_every_platform_has_a_way_out(platform, words):
    assert words in no_build(machine(), platform, release("2.20.0")).remedy


def test_a_reason_that_is_known_for_a_platform_is_told():
    known = KnownBad(reason="has no grpcio there", reference="x", cause="dependency-incompatible", platforms=("macos-aarch64",))
    bad = release("2.5.0", known_bad=(known,))
    assert no_build(machine(), "macos-aarch64", bad).why == "has no grpcio there"
    assert no_build(machine(), "macos-x86_64", bad).code == "platform-unsupported"
    assert is_bad(known, "macos-aarch64", "cpu")
    assert not is_bad(known, "linux-x86_64", "cpu")


@pytest.mark.parametrize(
    ("platform", "why", "remedy"),
    [
        ("windows-x86_64", "no GPU on Windows itself", "528.33 or newer"),
        ("linux-aarch64", "only CPU builds", "NVIDIA's own TensorFlow container"),
        ("macos-aarch64", "no CUDA build for macOS", "--device cpu"),
    ],
)
def test_no_cuda_says_why_and_where_a_gpu_can_be_used(platform, why, remedy):
    obstacle = no_cuda(machine(), platform, release("2.20.0"))
    assert why in obstacle.why
    assert remedy in obstacle.remedy


def test_the_driver_that_wsl2_needs_is_that_of_the_release():
    old = release("2.10.0", build(cuda=dataclasses.replace(CUDA, driver_wsl="452.39")))
    assert "452.39 or newer" in gpu_elsewhere(machine(), "windows-x86_64", old)
    assert "driver;" in gpu_elsewhere(machine(), "windows-x86_64", release("2.10.0", build(cuda=None)))


@pytest.mark.parametrize(
    ("version", "code", "warned"), [("12.0.1", "", False), ("11.7.10", "macos-too-old", False), ("26.1", "", False), ("", "", True)]
)
def test_macos_is_compared_by_numbers(version, code, warned):
    facts = with_system(machine(), version=known(version, "sw_vers") if version else unknown("sw_vers", "not asked"))
    obstacle, warning = check_macos(facts, "12.0")
    assert (obstacle.code if obstacle else "") == code
    assert bool(warning) is warned
    assert check_macos(facts, "") == (None, "")


@pytest.mark.parametrize(
    ("runtime", "long_paths", "said"),
    [
        (known("14.38.33130", "reg"), known(value=True, source="reg"), []),
        (absent("reg", "no such key"), known(value=True, source="reg"), ["Visual C++"]),
        (known("14.38.33130", "reg"), known(value=False, source="reg"), ["Long paths"]),
        (unknown("reg", "not asked"), unknown("reg", "not asked"), []),
    ],
)
def test_windows_is_told_what_the_import_needs(runtime, long_paths, said):
    warnings = windows_warnings(machine(windows=Windows(vc_runtime=runtime, long_paths=long_paths)), build(cuda=None))
    assert len(warnings) == len(said)
    assert all(words in warning for words, warning in zip(said, warnings, strict=True))
    assert windows_warnings(machine(), build(cuda=None)) == ()


@pytest.mark.parametrize(
    ("there", "said"), [(("msvcp140.dll", "vcruntime140_threads.dll"), ()), (("msvcp140.dll",), ("vcruntime140_threads.dll",))]
)
def test_each_dll_of_the_runtime_that_windows_lacks_is_named(there, said):
    """The DLLs themselves count, whatever the registry says of an installer."""
    windows = Windows(
        vc_runtime=absent("reg", "none"), long_paths=known(value=True, source="reg"), vc_dlls=known(there, "C:/Windows/System32")
    )
    wanted = dataclasses.replace(build(cuda=None), vc_runtime=("msvcp140.dll", "vcruntime140_threads.dll"))
    found = windows_warnings(machine(windows=windows), wanted)
    assert len(found) == len(said)
    assert all(name in warning and "msvcp140.dll" not in warning for name, warning in zip(said, found, strict=True))


KNOWN = ("linux-aarch64", "linux-x86_64", "macos-aarch64", "macos-x86_64", "windows-x86_64")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("linux-x86_64", ("linux-x86_64",)),
        ("linux", ("linux-aarch64", "linux-x86_64")),
        ("Windows", ("windows-x86_64",)),
        ("win32", ("windows-x86_64",)),
        ("win_amd64", ("windows-x86_64",)),
        ("darwin", ("macos-aarch64", "macos-x86_64")),
        ("macos-arm64", ("macos-aarch64",)),
        ("linux/arm64", ("linux-aarch64",)),
        ("windows-arm64", ()),
        ("lin", ()),
        ("", ()),
        ("solaris", ()),
        ("-x86_64", ()),
    ],
)
def test_a_platform_is_known_by_the_names_that_people_and_tools_give_it(word, meant):
    assert meant_platforms(word, KNOWN) == meant
