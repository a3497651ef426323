"""The Visual C++ runtime in a plan: brought where the machine is known to lack a DLL that the release asks for, by hash, and where it is not."""

from __future__ import annotations

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.host.local import LocalHost
from provisioner.model.facts import Facts, Windows, absent, known, unknown
from provisioner.model.plan import Choice
from provisioner.plan.runtime import NAME, files_of, lacking, with_runtime
from tests.choose.values import machine

CATALOGUE = Catalogue.open(LocalHost(), find_profiles())
USUAL = ("msvcp140.dll", "msvcp140_1.dll", "vcruntime140.dll", "vcruntime140_1.dll", "concrt140.dll")


def choice(release: str, python: str, platform: str = "windows-x86_64") -> Choice:
    return Choice(
        release=release, python=python, interpreter=None, device="cpu", platform=platform, reasons=(), refusals=(), warnings=(), gpus=()
    )


def windows(dlls: tuple[str, ...] | None) -> Facts:
    there = known(dlls, "C:/Windows/System32") if dlls is not None else unknown("", "not asked")
    facts: Facts = machine(windows=Windows(vc_runtime=absent("reg", "none"), long_paths=known(value=True, source="reg"), vc_dlls=there))
    return facts


@pytest.mark.parametrize(
    ("release", "python", "dlls", "lost"),
    [
        ("2.21.0", "3.13", USUAL, ("vcruntime140_threads.dll",)),
        ("2.21.0", "3.13", (*USUAL, "vcruntime140_threads.dll"), ()),
        ("2.20.0", "3.13", USUAL, ()),
        ("2.10.1", "3.10", ("vcruntime140.dll",), ("msvcp140.dll", "msvcp140_1.dll")),
        ("2.0.4", "3.7", ("msvcp140.dll",), ()),
        ("2.21.0", "3.13", None, ()),
    ],
)
def test_what_is_lacking_comes_along_with_the_files_that_show_it(
    release: str, python: str, dlls: tuple[str, ...] | None, lost: tuple[str, ...]
) -> None:
    facts, chosen = windows(dlls), choice(release, python)
    lock = CATALOGUE.lock(release, python, "windows-x86_64", "cpu")
    assert lock is not None
    assert lacking(CATALOGUE, facts, chosen) == lost
    found = with_runtime(CATALOGUE, facts, chosen, lock)
    added = [file for file in found.files if file not in lock.files]
    assert [file.name for file in added] == ([NAME] if lost else [])
    assert all(len(file.sha256) == 64 and not file.source for file in added)
    assert found.digest == lock.digest
    assert bool(files_of(CATALOGUE, facts, chosen)) == bool(lost)
    assert with_runtime(CATALOGUE, facts, chosen, found) == found


def test_no_other_system_is_asked() -> None:
    assert lacking(CATALOGUE, machine(), choice("2.21.0", "3.13", "linux-x86_64")) == ()


def test_every_python_with_a_windows_set_has_the_wheel() -> None:
    pythons = {python for version in CATALOGUE.versions() for python, _ in CATALOGUE.locks(version, "windows-x86_64")}
    assert {python for python in pythons if not any(file.name == NAME for file in CATALOGUE.spare(python, "windows-x86_64"))} == set()


def test_a_release_names_what_it_asks_for() -> None:
    for version in CATALOGUE.versions():
        release = CATALOGUE.release(version)
        build = release.build("windows-x86_64") if release else None
        assert build is None or "msvcp140.dll" in build.vc_runtime
        assert all(not item.vc_runtime for item in (release.builds if release else ()) if item.platform != "windows-x86_64")
