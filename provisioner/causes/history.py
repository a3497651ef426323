"""What the catalogue is too young to know, and what logs say in words: old releases, names of GPUs, C libraries of distributions."""

from __future__ import annotations

from provisioner.model.record import record


@record
class OldRelease:
    """Releases from ``first`` to ``last`` (minors such as ``1.5``), before the catalogue: Pythons by system, CUDA and cuDNN they were built with."""

    first: str
    last: str
    pythons: tuple[str, ...]
    windows: tuple[str, ...]
    cuda: str
    cudnn: str


@record
class GpuName:
    """A GPU by the words that people and drivers use: ``pattern`` is a regular expression, ``capability`` as ``8.6``."""

    pattern: str
    capability: str


@record
class FirstToolkit:
    """The oldest CUDA toolkit that makes machine code for a compute capability."""

    capability: str
    cuda: str


@record
class SystemLibc:
    """The C library of a distribution by the words that people use for it."""

    pattern: str
    glibc: str


@record
class LibraryName:
    """A library of CUDA by its name and what its number says: ``cuda`` is the toolkit that has it, "" where the number does not tell."""

    pattern: str
    cuda: str


@record
class Names:
    """Names of the module ``tensorflow``: ``removed`` in TensorFlow 2; in every release ``always``; ``later`` than the first."""

    removed: tuple[str, ...]
    always: tuple[str, ...]
    later: tuple[str, ...]


@record
class History:
    """The file ``profiles/history.yaml``; in each list the first entry that fits counts."""

    sources: tuple[str, ...]
    releases: tuple[OldRelease, ...]
    gpus: tuple[GpuName, ...]
    toolkits: tuple[FirstToolkit, ...]
    systems: tuple[SystemLibc, ...]
    libraries: tuple[LibraryName, ...]
    names: Names
