"""What is shipped is consistent in itself: profiles, locks, tables and proofs fit each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from provisioner.base.versions import numbers
from provisioner.catalogue import Catalogue, find_profiles
from provisioner.catalogue.lockfile import format_lockfile, glibc_of, parse_lockfile
from provisioner.catalogue.releases import read_minor
from provisioner.catalogue.yaml_text import parse_yaml
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import NO_ADDON, Build, Release, computes_on
from provisioner.plan.make import BUILDERS

ROOT = Path(find_profiles())
PLATFORMS = {"linux-x86_64", "linux-aarch64", "macos-aarch64", "macos-x86_64", "windows-x86_64"}
CATALOGUE = Catalogue.open(LocalHost(), str(ROOT))
BUILDS = [
    pytest.param(release, build, id=f"{release.version}-{build.platform}")
    for release in CATALOGUE.releases(prereleases=True)
    for build in release.builds
]
LOCKS = sorted((ROOT / "locks").glob("*/*.lock"))
# uv resolves for no older glibc than that of CentOS 7, so the sets of releases that run on older ones ask for it.
OLDEST_RESOLVED = (2, 17)
RIVALS = {
    "tensorflow",
    "tensorflow-cpu",
    "tensorflow-gpu",
    "tensorflow-intel",
    "tensorflow-macos",
    "tensorflow-cpu-aws",
    "tensorflow-rocm",
    "tf-nightly",
}


def test_the_locks_name_every_release_that_has_a_profile() -> None:
    described: set[str] = set()
    for path in (ROOT / "releases").glob("*.yaml"):
        described |= {
            release.version for release in read_minor(parse_yaml(path.read_text("utf-8"), file=str(path)), minor=path.stem, file=str(path))
        }
    assert described == set(CATALOGUE.versions())


def test_every_stable_release_is_there() -> None:
    """The stable releases from 1.15 on that have Linux x86-64 wheels on PyPI for CPython 3.6 or later; there was never a 1.15.1."""
    patches = {
        "1.15": "0 2 3 4 5",
        "2.0": "0 1 2 3 4",
        "2.1": "0 1 2 3 4",
        "2.2": "0 1 2 3",
        "2.3": "0 1 2 3 4",
        "2.4": "0 1 2 3 4",
        "2.5": "0 1 2 3",
        "2.6": "0 1 2 3 4 5",
        "2.7": "0 1 2 3 4",
        "2.8": "0 1 2 3 4",
        "2.9": "0 1 2 3",
        "2.10": "0 1",
        "2.11": "0 1",
        "2.12": "0 1",
        "2.13": "0 1",
        "2.14": "0 1",
        "2.15": "0 0.post1 1",
        "2.16": "1 2",
        "2.17": "0 1",
        "2.18": "0 1",
        "2.19": "0 1",
        "2.20": "0",
        "2.21": "0",
    }
    wanted = {f"{minor}.{patch}" for minor, text in patches.items() for patch in text.split()}
    assert wanted == {version for version in CATALOGUE.versions() if not Version(version).is_prerelease}


@pytest.mark.parametrize(("release", "build"), BUILDS)
def test_every_python_and_device_of_a_build_has_its_lock(release: Release, build: Build) -> None:
    cuda = build.cuda
    devices = {"cpu", *(["cuda"] if cuda and cuda.requirements else []), *(["cuda-conda"] if cuda and cuda.conda else [])}
    wanted = {(python, device) for python in build.pythons for device in devices}
    assert set(CATALOGUE.locks(release.version, build.platform)) == wanted


@pytest.mark.parametrize(("release", "build"), BUILDS)
def test_a_cuda_build_without_libraries_on_the_index_is_known_to_be_bad(release: Release, build: Build) -> None:
    told = [known for known in release.known_bad if known.devices == ("cuda",) and not known.capabilities and not known.pythons]
    said = any(not known.platforms or build.platform in known.platforms for known in told)
    if build.platform == "windows-x86_64":
        assert said == (Version(release.version) < Version("2.5")), (
            "PyPI has the DLLs of CUDA 11 alone, and the GPU builds for Windows end with 2.10"
        )
    elif build.platform == "linux-x86_64":
        assert said == (build.cuda is not None and not build.cuda.requirements)


@pytest.mark.parametrize(("release", "build"), BUILDS)
def test_linux_on_x86_64_and_old_releases_on_windows_have_cuda_sets_and_only_macs_have_metal(release: Release, build: Build) -> None:
    assert build.platform in PLATFORMS
    on_windows = build.platform == "windows-x86_64" and Version("2.5") <= Version(release.version) < Version("2.11")
    assert (build.cuda is not None) == (build.platform == "linux-x86_64" or on_windows), release.version
    assert build.metal is None or build.platform == "macos-aarch64"
    assert bool(build.glibc) == build.platform.startswith("linux")
    assert bool(build.macos) == build.platform.startswith("macos")
    assert build.cpu_features or build.platform.endswith("aarch64")


def test_every_platform_has_its_releases() -> None:
    """What PyPI has wheels for: 2.9.1 and later on aarch64, 2.7 to the newest on arm64 Macs, up to 2.16.2 on Intel Macs, all but one on Windows."""
    held = {platform: [version for version in CATALOGUE.versions() if CATALOGUE.locks(version, platform)] for platform in PLATFORMS}
    assert (held["linux-aarch64"][0], held["linux-aarch64"][-1]) == ("2.22.0rc0", "2.9.1")
    assert (held["macos-aarch64"][0], held["macos-aarch64"][-1]) == ("2.22.0rc0", "2.7.0")
    assert (held["macos-x86_64"][0], held["macos-x86_64"][-1]) == ("2.16.2", "1.15.0")
    assert set(held["linux-x86_64"]) - set(held["windows-x86_64"]) == {"2.15.0.post1"}


@pytest.mark.parametrize(("release", "build"), BUILDS)
def test_every_file_of_a_lock_installs_on_the_oldest_machine_of_the_release(release: Release, build: Build) -> None:
    for python, device in CATALOGUE.locks(release.version, build.platform):
        lock = CATALOGUE.lock(release.version, python, build.platform, device)
        assert lock is not None
        tags = oldest_machine(python, build)
        for file in lock.files:
            assert file.size > 0
            assert file.unpacked > 0
            if file.source:
                assert (file.name, Version(file.version)) == parse_sdist_filename(file.filename)
                continue
            name, version, _, names = parse_wheel_filename(file.filename)
            assert (file.name, file.version) == (name, str(version))
            assert names & tags, f"{file.filename} on Python {python}"
        assert numbers(lock.glibc or "0") <= max(OLDEST_RESOLVED, numbers(build.glibc or "0"))


def oldest_platforms(build: Build) -> list[str]:
    """The platform tags of a machine with exactly the glibc, or the macOS, of the build."""
    system, _, machine = build.platform.partition("-")
    if system == "windows":
        return ["win_amd64"]
    if system == "macos":
        major, minor = numbers(build.macos)
        return list(mac_platforms((major, minor), "arm64" if machine == "aarch64" else machine))
    legacy = {(2, 5): "manylinux1", (2, 12): "manylinux2010", (2, 17): "manylinux2014"}
    floor = max(OLDEST_RESOLVED, numbers(build.glibc))[1]
    names = [f"manylinux_2_{number}_{machine}" for number in range(floor, 4, -1)]
    return names + [f"{name}_{machine}" for (_, number), name in legacy.items() if number <= floor]


def oldest_machine(python: str, build: Build) -> set[Tag]:
    """The tags of the oldest machine of the build."""
    major, minor = numbers(python)
    platforms = oldest_platforms(build)
    interpreter = f"cp{major}{minor}"
    abi = interpreter if (major, minor) >= (3, 8) else f"{interpreter}m"
    return {*cpython_tags((major, minor), [abi], platforms), *compatible_tags((major, minor), interpreter, platforms)}


@pytest.mark.parametrize(("release", "build"), BUILDS)
def test_a_set_holds_the_package_its_pins_and_its_limits_and_no_rival(release: Release, build: Build) -> None:
    for python, device in CATALOGUE.locks(release.version, build.platform):
        lock = CATALOGUE.lock(release.version, python, build.platform, device)
        assert lock is not None
        found = {file.name: Version(file.version) for file in lock.files}
        assert len(found) == len(lock.files), "one version of each package"
        assert found[build.packages[computes_on(device)]] == Version(release.version)
        assert found.keys() & RIVALS == {build.packages[computes_on(device)]}
        pins = build.cuda.requirements if build.cuda else ()
        nvidia = {name: version for name, version in found.items() if name.startswith("nvidia-")}
        assert nvidia == ({pin.partition("==")[0]: Version(pin.partition("==")[2]) for pin in pins} if device == "cuda" else {})
        for item in build.constraints:
            requirement = Requirement(item.requirement)
            if requirement.name in found and (not item.pythons or python in item.pythons):
                assert found[requirement.name] in requirement.specifier
        pinned = {item.requirement for item in build.constraints if item.source and (not item.pythons or python in item.pythons)}
        assert {f"{file.name}=={file.version}" for file in lock.files if file.source} == pinned
        assert not pinned or found.keys() >= set(BUILDERS), "what a source distribution is built with is locked too"


@pytest.mark.parametrize(("release", "build"), BUILDS)
def test_add_ons_say_what_the_set_itself_holds(release: Release, build: Build) -> None:
    """tensorflow-estimator is an add-on that old sets hold; what goes beside a set may not contradict it."""
    for name, limits in release.addons.items():
        assert name == canonicalize_name(name)
        assert limits == NO_ADDON or SpecifierSet(limits)
    for python, device in CATALOGUE.locks(release.version, build.platform):
        lock = CATALOGUE.lock(release.version, python, build.platform, device)
        assert lock is not None
        metal = {"tensorflow-metal": f"=={build.metal.version}" if build.metal else NO_ADDON}
        assert lock.addons == {**release.addons, **(metal if build.platform == "macos-aarch64" else {})}
        for file in lock.files:
            if file.name in lock.addons:
                assert SpecifierSet(lock.addons[file.name]).contains(file.version, prereleases=True), file.filename


@pytest.mark.parametrize(("release", "build"), BUILDS)
def test_what_is_known_bad_reads_as_the_end_of_a_sentence(release: Release, build: Build) -> None:
    """Messages say `TensorFlow 2.4.4 <reason>`; what is about some GPUs stands after a colon and is free."""
    assert build in release.builds
    for known in release.known_bad:
        assert known.capabilities or known.reason.split()[0] in {"has", "asks", "needs", "cannot"}, known.reason
        assert not known.reason.endswith("."), known.reason


@pytest.mark.parametrize(("release", "build"), BUILDS)
def test_cuda_values_fit_each_other(release: Release, build: Build) -> None:
    cuda = build.cuda
    if cuda is None:
        return
    (toolkit,) = (item for item in CATALOGUE.toolkits() if item.version == cuda.version)
    windows = build.platform == "windows-x86_64"
    assert cuda.driver == ("452.39" if windows else toolkit.driver_minor or toolkit.driver), (
        "of CUDA 11 on Windows: NVIDIA's minor-version rule"
    )
    assert cuda.driver_ptx == (toolkit.driver_windows if windows else toolkit.driver)
    cudart = cudart_name(cuda.version)
    assert (f"cudart64_{cudart.replace('.', '')}.dll" if windows else f"libcudart.so.{cudart}") in cuda.must_open
    pins = {pin.partition("==")[0]: numbers(pin.partition("==")[2]) for pin in cuda.requirements}
    if pins:
        family = f"cu{numbers(cuda.version)[0]}"
        cudnn = pins[f"nvidia-cudnn-{family}"]
        assert cudnn[:2] >= numbers(cuda.cudnn), "older than the one built against"
        assert cudnn[:2] < (9, 11), "9.11 has no code for GPUs below 7.5, which these builds serve"
        assert (f"cudnn64_{cudnn[0]}.dll" if windows else f"libcudnn.so.{cudnn[0]}") in cuda.must_open
        # PyPI has no CUDA 11 before 11.7; within a major a newer runtime serves.
        wanted = max(numbers(cuda.version), (11, 8)) if family == "cu11" else numbers(cuda.version)
        assert pins[f"nvidia-cuda-runtime-{family}"][:2] == wanted
    for capability in (item for known in release.known_bad for item in known.capabilities):
        assert CATALOGUE.architecture(capability) is not None


def cudart_name(version: str) -> str:
    """The version in libcudart's name: whole for CUDA 10, always 11.0 for CUDA 11, the major from 12 on."""
    major = numbers(version)[0]
    return version if major < 11 else "11.0" if major == 11 else str(major)


@pytest.mark.parametrize(("release", "build"), BUILDS)
def test_dates_are_in_order(release: Release, build: Build) -> None:
    assert release.released < release.cutoff
    assert f"\ncutoff {release.cutoff}\n" in (ROOT / "locks" / build.platform / f"{release.version}.lock").read_text("utf-8")


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_lock_is_in_its_one_form(path: Path) -> None:
    """A file that was edited by hand rarely is."""
    text = path.read_text("utf-8")
    assert format_lockfile(parse_lockfile(text, file=str(path))) == text
    assert "://" not in text
    assert path.parent.name in PLATFORMS
    assert path.parent.name.startswith("linux") or all(glibc_of(line.split(" ")[0]) == (0, 0) for line in text.splitlines()[8:])


def test_one_file_name_has_one_content_everywhere() -> None:
    contents: dict[str, set[tuple[str, int, int]]] = {}
    for path in LOCKS:
        for file, _ in parse_lockfile(path.read_text("utf-8"), file=str(path)).members:
            contents.setdefault(file.filename, set()).add((file.sha256, file.size, file.unpacked))
    assert [name for name, found in contents.items() if len(found) > 1] == []


def test_the_tables_can_be_read() -> None:
    assert CATALOGUE.architecture("8.0") is not None
    assert CATALOGUE.toolkits()
    assert CATALOGUE.driver_commands("ubuntu", (), "525.60.13")
    assert CATALOGUE.conda().libraries


def test_every_proof_belongs_to_a_lock_that_is_there() -> None:
    """A proof of a set that has been resolved anew since proves nothing: `make prove` runs it again and drops the old one."""
    if not (ROOT / "proofs.json").exists():
        return
    digests = {
        lock.digest
        for version in CATALOGUE.versions()
        for platform in CATALOGUE.platforms()
        for python, device in CATALOGUE.locks(version, platform)
        if (lock := CATALOGUE.lock(version, python, platform, device))
    }
    from provisioner.catalogue.tables import read_proofs
    from provisioner.model.codec import parse_json

    text = (ROOT / "proofs.json").read_text("utf-8")
    assert set(read_proofs(parse_json(text, file="proofs.json"), file="proofs.json")) <= digests
