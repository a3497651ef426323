"""Machines in conda's words, from recorded facts; and, for this machine, as rattler itself finds it."""

from __future__ import annotations

import dataclasses

import pytest

from provisioner import facts as gathering
from provisioner.conda.virtual import virtual_packages
from provisioner.host.local import LocalHost
from provisioner.model.facts import absent, known, unknown
from tests.choose.test_hosts import HOSTS, load
from tests.choose.values import machine, with_driver, with_system


def of(name: str, cuda: str = "") -> tuple[str, ...]:
    return virtual_packages(load(HOSTS / f"{name}.json")[2], cuda=cuda)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("debian-12", ("__unix=0=0", "__linux=6.1.0=0", "__glibc=2.36=0", "__archspec=1=x86_64_v4")),
        ("sandy-bridge", ("__unix=0=0", "__linux=5.15.0=0", "__glibc=2.35=0", "__archspec=1=x86_64_v2")),
        ("qemu-tcg", ("__unix=0=0", "__linux=6.8.0=0", "__glibc=2.39=0", "__archspec=1=x86_64")),
        ("wsl2-gpu", ("__unix=0=0", "__linux=5.15.153.1=0", "__glibc=2.39=0", "__archspec=1=x86_64_v4")),
        ("graviton", ("__unix=0=0", "__linux=6.1.112=0", "__glibc=2.34=0", "__archspec=1=aarch64")),
        ("apple-m1", ("__unix=0=0", "__osx=13.6.7=0", "__archspec=1=m1")),
        ("rosetta", ("__unix=0=0", "__osx=14.5=0", "__archspec=1=m1")),
    ],
)
def test_recorded_machines(name: str, found: tuple[str, ...]) -> None:
    assert of(name) == found


def test_an_intel_mac_is_no_apple_processor() -> None:
    assert of("intel-mac")[-1].startswith("__archspec=1=x86_64")
    assert any(item.startswith("__osx=") for item in of("intel-mac"))


def test_windows_is_no_unix() -> None:
    found = of("windows-11-rtx", cuda="12.4")
    assert [item.partition("=")[0] for item in found] == ["__win", "__archspec", "__cuda"]


def test_musl_is_no_glibc() -> None:
    assert not any(item.startswith("__glibc") for item in of("alpine"))


def test_cuda_is_what_was_decided_and_not_what_the_machine_has() -> None:
    facts = with_driver(machine(), cuda=known("12.4", "test"))
    assert not any(item.startswith("__cuda") for item in virtual_packages(facts, cuda=""))
    assert virtual_packages(facts, cuda="11.2")[-1] == "__cuda=11.2=0"


@pytest.mark.parametrize(
    ("fact", "libc"), [(unknown("test", "not asked"), ("__glibc=2.17=0",)), (absent("test", "not there"), ())], ids=["unknown", "absent"]
)
def test_what_nobody_can_tell(fact, libc) -> None:
    facts = with_system(machine(), kernel=fact, libc=fact)
    bare = dataclasses.replace(facts, cpu=dataclasses.replace(facts.cpu, level=fact))
    assert virtual_packages(bare, cuda="") == ("__unix=0=0", "__linux=0=0", *libc, "__archspec=1=x86_64")


def test_here_it_is_what_rattler_finds() -> None:
    """rattler looks at this machine itself; the facts must come to the same, but for the processor, which it names by its model."""
    rattler = pytest.importorskip("rattler")
    theirs = {}
    for item in rattler.VirtualPackage.detect():
        generic = item.into_generic()
        theirs[generic.name.source] = str(generic.version)
    facts = gathering.gather(LocalHost(), env="/nowhere", cache="/nowhere", full=False, store=None)
    ours = dict(item.split("=")[:2] for item in virtual_packages(facts, cuda=theirs.get("__cuda", "")))
    assert ours == theirs
