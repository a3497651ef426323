"""The known-good catalogue as values: releases, builds, locks and their proofs."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from provisioner.model.checkout import Checkout
from provisioner.model.conda_package import CondaSource
from provisioner.model.record import record

# What TensorFlow computes on; all that a person asks for and sees.
ComputeDevice = Literal["cpu", "cuda"]
# What a set is for. Both that compute on CUDA have the same TensorFlow: with `cuda` its libraries are wheels of the set, with `cuda-conda`
# they are conda packages, which are no part of it.
LockDevice = Literal["cpu", "cuda", "cuda-conda"]
ProofLevel = Literal["run", "emulated", "resolved"]

# Stands where no release of an add-on is for a TensorFlow.
NO_ADDON = "none"


def set_of(device: ComputeDevice, source: CondaSource) -> LockDevice:
    """Return the device that a set is locked for: conda may bring the CUDA libraries that wheels bring otherwise."""
    return "cuda-conda" if device == "cuda" and source == "libraries" else device


@record
class Link:
    """A relative symbolic link that makes a library findable; ``path`` is relative to site-packages, ``target`` to the link's folder.

    With ``text`` it is a small file with that content, and ``target`` is empty.
    """

    path: str
    target: str
    reason: str
    text: str = ""


@record
class CudaBuild:
    """What a GPU build was compiled with and opens at run time.

    ``capabilities``: ``sm_80`` is machine code, ``compute_90`` is machine code and PTX. ``must_open``: TensorFlow skips every GPU when one
    of these is not found. ``may_open``: opened for some features only. ``driver``: the oldest Linux driver release for these libraries.
    ``links``: what must be linked inside the environment so that the loader finds all of ``must_open``.
    ``cudnn`` is the version built against (a loaded one must not be older). ``driver_wsl``: the oldest Windows driver, for WSL2.
    ``driver_ptx``: the oldest Linux driver that can compile this build's PTX, which a GPU without machine code of its own needs.
    ``requirements``: the exact pins of the CUDA wheels that a ``cuda`` lock adds to the package itself.
    ``conda``: match specs of the conda packages that bring the libraries instead, as ``name version``; a ``cuda-conda`` lock goes with them.
    ``finds_tools``: whether XLA looks for ptxas and libdevice in nvidia/cuda_nvcc beside TensorFlow.
    ``folder``: the one in site-packages in which libtensorflow_framework lies; it looks for libraries beside itself.
    """

    version: str
    cudnn: str
    capabilities: tuple[str, ...]
    must_open: tuple[str, ...]
    may_open: tuple[str, ...]
    driver: str
    links: tuple[Link, ...] = ()
    driver_wsl: str = ""
    driver_ptx: str = ""
    requirements: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()
    finds_tools: bool = True
    folder: str = "tensorflow"


@record
class Constraint:
    """A limit that the release's own metadata lacks, for the locks; ``pythons`` empty means all of them.

    ``until``: the ISO date up to which this one package may have been uploaded, where the release's own cut-off is too early for it.
    ``source``: ``requirement`` is an exact pin without a wheel, so its source distribution is locked, and built when it is installed;
    ``requires`` is what that asks for, because a source distribution does not say it before its code is run.
    """

    requirement: str
    reason: str
    reference: str
    pythons: tuple[str, ...] = ()
    until: str = ""
    source: bool = False
    requires: tuple[str, ...] = ()


@record
class Metal:
    """The release of Apple's plug-in ``tensorflow-metal`` that goes with a build, and the Pythons that it has wheels for."""

    version: str
    pythons: tuple[str, ...]


@record
class Build:
    """One release on one platform (``linux-x86_64``): Pythons as ``3.11``, oldest glibc, processor features it cannot run without.

    ``macos`` is the oldest macOS (``12.0``); ``glibc`` is "" where there is none. ``vc_runtime`` are the DLLs of the Visual C++ runtime that it asks
    for on Windows and Python does not bring. ``metal`` is what computes on the GPU of a Mac.
    ``packages`` names the distribution for each device (``cpu``, ``cuda``). A CUDA build has ``cuda`` locks where
    ``cuda.requirements`` names its libraries; where PyPI has none of them there is no such lock, and the release's known-bad entries say why.
    It has ``cuda-conda`` locks where ``cuda.conda`` does.
    """

    platform: str
    pythons: tuple[str, ...]
    cpu_features: tuple[str, ...]
    packages: dict[str, str]
    glibc: str = ""
    cuda: CudaBuild | None = None
    constraints: tuple[Constraint, ...] = ()
    macos: str = ""
    metal: Metal | None = None
    vc_runtime: tuple[str, ...] = ()


@record
class KnownBad:
    """A combination that does not work: empty fields match everything; ``cause`` is a code of the cause table."""

    reason: str
    reference: str
    cause: str
    pythons: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()


@record
class Release:
    """One TensorFlow release. ``released`` and ``cutoff`` are ISO dates; ``cutoff`` is the upload date its locks were resolved at.

    ``addons`` are the packages that must be of a certain release beside it: specifiers (``==2.15.*``), or NO_ADDON where none is.
    """

    version: str
    released: str
    cutoff: str
    builds: tuple[Build, ...]
    known_bad: tuple[KnownBad, ...] = ()
    prerelease: bool = False
    addons: dict[str, str] = field(default_factory=dict)

    def build(self, platform: str) -> Build | None:
        """Return what it has for a platform, None where it has nothing."""
        return next((build for build in self.builds if build.platform == platform), None)


@record
class LockedFile:
    """One file of a lock: sizes in bytes, ``unpacked`` is what it takes on disk; ``source`` is true for a source distribution.

    ``url`` is the address of one that no index serves.
    """

    name: str
    version: str
    filename: str
    sha256: str
    size: int
    unpacked: int
    source: bool = False
    url: str = ""


@record
class Lock:
    """An exact, hashed set for one release, Python, platform and device; ``digest`` is the SHA-256 of its canonical text.

    ``addons`` is what may be put beside it, as ``Release.addons``; it is no part of the set. ``builders`` are what its source distributions are built
    with, where that is not what stands in ``files``; ``checkouts`` are what is no file.
    """

    release: str
    python: str
    platform: str
    device: LockDevice
    glibc: str
    files: tuple[LockedFile, ...]
    digest: str
    addons: dict[str, str] = field(default_factory=dict)
    builders: tuple[LockedFile, ...] = ()
    checkouts: tuple[Checkout, ...] = ()


def computes_on(device: LockDevice) -> ComputeDevice:
    """Return what a set computes on, wherever its libraries come from."""
    return "cpu" if device == "cpu" else "cuda"


@record
class Proof:
    """What was run for a lock, and where.

    ``level`` is ``run`` (installed and verified on a machine of the set's own platform), ``emulated`` (the same under ``emulator``, "wine 8.0",
    which gives something like that platform on another one) or ``resolved`` (nowhere). ``gpu``: whether one took part. ``stand_ins`` names what
    was not the real thing: libraries of the right names that do nothing. ``fault``, of a set that is ``resolved``: how it failed on ``machine``.
    """

    lock: str
    level: ProofLevel
    date: str = ""
    machine: str = ""
    checks: int = 0
    gpu: str = ""
    stand_ins: str = ""
    emulator: str = ""
    fault: str = ""

    @property
    def computed(self) -> bool:
        """True where the set was installed and verified somewhere, under an emulator too."""
        return self.level != "resolved"


@record
class GpuArchitecture:
    """Capabilities from ``first`` to ``last`` share a name (Turing).

    ``examples`` are cards people own; ``driver_last`` is the last driver branch for them ("" while new ones still serve them).
    """

    name: str
    first: str
    last: str
    examples: tuple[str, ...] = ()
    driver_last: str = ""


@record
class CudaToolkit:
    """A CUDA toolkit: ``driver`` is the oldest Linux driver by its own row of NVIDIA's table.

    ``driver_minor`` is the oldest by minor-version compatibility ("" before 11), ``driver_windows`` the oldest on Windows. ``conda`` are the specs
    of the packages by which conda brings it, with the cuDNN that TensorFlow of that time was built with ("" where no release was).
    """

    version: str
    driver: str
    driver_minor: str = ""
    driver_windows: str = ""
    conda: str = ""
