"""A catalogue made of values, for what the real one has no example of, and facts to hold against it."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.causes import open_order
from provisioner.choose.versions import matches
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Build, CudaBuild, GpuArchitecture, Lock, Proof, Release
from provisioner.model.codec import from_data
from provisioner.model.facts import Facts, Gpu, Interpreter, absent, known
from provisioner.model.plan import EnvState

HOSTS = Path(__file__).parents[1] / "hosts"
NEW_ENV = EnvState(path="/home/ada/tf-env", kind="absent", digest="")
CUDA = CudaBuild(
    version="12.5",
    cudnn="9.3",
    capabilities=("sm_60", "sm_70", "sm_80", "sm_89", "compute_90"),
    must_open=(),
    may_open=(),
    driver="525.60.13",
    driver_wsl="528.33",
    driver_ptx="555.42.02",
)


@cache
def shipped_order():
    """Return the order of the causes that comes with the tool."""
    return open_order(LocalHost(), find_profiles())


def shipped_catalogue():
    """Return the catalogue that comes with the tool, to choose from."""
    return Catalogue.open(LocalHost(), find_profiles(), causes=shipped_order)


def machine(**changes):
    """Return the plain Linux machine of the recorded hosts, with parts replaced."""
    facts = from_data(Facts, json.loads((HOSTS / "bases" / "linux-x86_64.json").read_text()), schema="tfsetup/facts/1")
    return dataclasses.replace(facts, **changes)


def with_system(facts, **changes):
    return dataclasses.replace(facts, system=dataclasses.replace(facts.system, **changes))


def with_driver(facts, **changes):
    return dataclasses.replace(facts, driver=dataclasses.replace(facts.driver, **changes))


def python(version, path="", **changes):
    values = {"bits": 64, "architecture": "x86_64", "implementation": "CPython", "origin": "path", **changes}
    return Interpreter(path=path or f"/opt/{version}/bin/python", version=version, **values)


def pythons(*interpreters):
    return known(tuple(interpreters), "test")


def gpu(name="NVIDIA A10", capability="8.6", index=0, **changes):
    return Gpu(index=index, name=name, **{"compute_capability": known(capability, "test"), "memory": known(2**34, "test"), **changes})


def a_gpu(**changes):
    return gpu(mig=absent("test", "no MIG"), **changes)


def build(**changes):
    values = {
        "platform": "linux-x86_64",
        "pythons": ("3.10", "3.11"),
        "glibc": "2.17",
        "cpu_features": ("avx",),
        "packages": {},
        "cuda": CUDA,
    }
    return Build(**{**values, **changes})


def release(version, *builds, **changes):
    return Release(**{"version": version, "released": "2025-01-01", "cutoff": "2025-02-01", "builds": builds or (build(),), **changes})


class Values:
    """The catalogue. ``glibc``: floors of locks by (version, python); ``missing``: locks that are not there; ``read``: what was read."""

    def __init__(self, *releases, glibc=None, missing=()):
        self._releases = releases
        self._glibc = glibc or {}
        self._missing = set(missing)
        self.read = []

    def versions(self):
        return tuple(release.version for release in self._releases)

    def release(self, version):
        return next((release for release in self._releases if release.version == version), None)

    def releases(self, spec, *, prereleases=False):
        for item in self._releases:
            if matches(spec, item.version) and (prereleases or not item.prerelease):
                self.read.append(item.version)
                yield item

    def locks(self, version, platform):
        found = next((build for build in self.release(version).builds if build.platform == platform), None)
        sets = [(python, device) for python in found.pythons for device in ("cpu", "cuda")] if found else []
        return tuple(item for item in sets if (version, *item) not in self._missing)

    def lock(self, version, python, platform, device):
        self.read.append(f"{version}/{python}/{device}")
        floor = self._glibc.get((version, python), "2.17")
        return Lock(release=version, python=python, platform=platform, device=device, glibc=floor, files=(), digest="")

    def proof(self, lock):
        return Proof(lock=lock.digest, level="resolved")

    def causes(self):
        return shipped_order()

    def architecture(self, capability):
        return GpuArchitecture(name="Kepler", first="3.0", last="3.7", driver_last="470") if capability.startswith("3.") else None

    def driver_commands(self, distribution_id, like, minimum):
        known = {"ubuntu": f"install-driver {minimum}", "wsl2": f"install-windows-driver {minimum}"}
        return (known.get(distribution_id, "# ask your distribution"),)
