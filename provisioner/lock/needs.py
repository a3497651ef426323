"""What a machine must have for a target's set: its floor, processor features, driver and GPU capabilities, from the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable

from provisioner.base.numbers import whole
from provisioner.base.versions import numbers
from provisioner.catalogue.lockfile import glibc_of
from provisioner.conda.specs import least, virtual_name
from provisioner.engines.uv import next_glibc
from provisioner.model.catalogue import Build, Lock, Proof, Release
from provisioner.model.team import LockedConda, Needs, Target

# Where the set's own wheels ask for nothing: the oldest that installers know wheels for; Windows has no versions in its wheels' names.
FLOORS = {"linux": "2.17", "macos": "11.0", "windows": "0.0"}
# Virtual packages whose versions are said as what they are, and those that every machine of a platform has.
_FLOORS = {"__glibc", "__osx"}
_EVERYWHERE = {"__linux", "__unix", "__win"}
_MACOS = re.compile(r"macosx_(\d+)_(\d+)_")


def floor_of(target: Target, lock: Lock) -> str:
    """Return the oldest glibc or macOS that a target's wheels are picked for: the target's own word, else that of the known-good set.

    The set's glibc is taken as the next that the resolver knows (2.28 for 2.27): for one between them most packages have no wheels.
    """
    if target.floor:
        return target.floor if "." in target.floor else f"{target.floor}.0"
    own = _version(_oldest(target.platform, (file.filename for file in lock.files))) or FLOORS[target.platform.partition("-")[0]]
    return next_glibc(own) if target.platform.startswith("linux") else own


def needs_of(target: Target, release: Release | None, filenames: Iterable[str], conda: LockedConda | None = None) -> Needs:
    """Return what a machine needs for the files and conda packages of a target."""
    build = _build(target, release) if target.source != "conda" else None
    cuda = build.cuda if build and target.device == "cuda" else None
    specs = virtual_specs(conda) if conda is not None else ()
    floors = [least(spec) for spec in specs if virtual_name(spec) in _FLOORS]
    own = max([_version(_oldest(target.platform, filenames)), *floors], key=numbers)
    return Needs(
        platform=target.platform,
        python=target.python,
        glibc=own if target.platform.startswith("linux") else "",
        macos=own if target.platform.startswith("macos") else "",
        cpu_features=build.cpu_features if build else (),
        driver=cuda.driver if cuda else "",
        capabilities=cuda.capabilities if cuda else (),
        virtual=tuple(spec for spec in specs if virtual_name(spec) not in {*_FLOORS, *_EVERYWHERE}),
    )


def virtual_specs(conda: LockedConda) -> tuple[str, ...]:
    """Return the match specs of virtual packages among what conda packages depend on, and what they allow of those that the target has."""
    there = {text.split("=")[0] for text in conda.virtual}
    found = {spec for package in conda.packages for spec in package.depends if virtual_name(spec)}
    found |= {spec for package in conda.packages for spec in package.constrains if virtual_name(spec) in there}
    # That it must be there at all is part of what asks for a version.
    return tuple(sorted(spec for spec in found if " " in spec or not any(other.startswith(f"{spec} ") for other in found)))


def need_words(needs: Needs) -> dict[str, str]:
    """Return what a machine must have, by name, in words; what is not needed is left out."""
    found = {
        "glibc": f"{needs.glibc} or newer" if needs.glibc else "",
        "macOS": f"{needs.macos} or newer" if needs.macos else "",
        "processor features": ", ".join(needs.cpu_features),
        "NVIDIA driver": f"{needs.driver} or newer" if needs.driver else "",
        "GPU code": ", ".join(needs.capabilities),
        "virtual packages": ", ".join(map(spec_words, needs.virtual)),
    }
    return {name: words for name, words in found.items() if words}


def spec_words(spec: str) -> str:
    """Return a match spec for a person: of a pattern of all processors that will do only the first, the least of them."""
    return re.sub(r"\*?\[build=[\"']\^\(([^|)\[\]]+)[|)][^\[\]]*\]", r"* \1 or better", spec)


def proof_words(proof: Proof) -> str:
    """Say how far a set was run."""
    if not proof.computed:
        return "resolved, never run" if not proof.fault else f"resolved; it failed on {proof.date} ({proof.machine})"
    gpu = f" with {proof.gpu}" if proof.gpu else ""
    under = f" under {proof.emulator}" if proof.level == "emulated" else ""
    return f"run on {proof.date}{under} ({proof.machine}){gpu}"


def _build(target: Target, release: Release | None) -> Build | None:
    return release.build(target.platform) if release else None


def _oldest(platform: str, filenames: Iterable[str]) -> tuple[int, int]:
    """Return the oldest system on which every file installs; (0, 0) where none of them asks for one."""
    if platform.startswith("linux"):
        return max(map(glibc_of, filenames), default=(0, 0))
    if not platform.startswith("macos"):
        return (0, 0)
    return max(map(_macos_of, filenames), default=(0, 0))


def _macos_of(filename: str) -> tuple[int, int]:
    """Return the oldest macOS that a wheel's tag admits (PEP 425); of several tags the lowest counts."""
    return min(((whole(major), whole(minor)) for major, minor in _MACOS.findall(filename)), default=(0, 0))


def _version(numbers: tuple[int, int]) -> str:
    return f"{numbers[0]}.{numbers[1]}" if numbers != (0, 0) else ""
