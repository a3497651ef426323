"""From the lines of a log to findings: the earliest and most specific evidence first, symptoms under their cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from provisioner.causes import Messages
from provisioner.model.catalogue import CudaToolkit, GpuArchitecture, Release
from provisioner.model.finding import Finding

# What can be told about a machine beside the log; other keys are ignored.
KEYS = ("os", "arch", "python", "tensorflow", "gpu", "driver", "cuda", "cudnn", "install")


class CatalogueView(Protocol):
    """What is asked of the catalogue, so that a test can answer from values (``provisioner.catalogue.Catalogue`` does it)."""

    def versions(self) -> tuple[str, ...]:
        """All releases, newest first."""

    def release(self, version: str) -> Release | None:
        """One release, or None."""

    def releases(self, spec: str = "", *, prereleases: bool = False) -> Iterator[Release]:
        """Releases that match PEP 440 specifiers, newest first."""

    def architecture(self, capability: str) -> GpuArchitecture | None:
        """The family of GPUs with this compute capability, or None."""

    def toolkits(self) -> tuple[CudaToolkit, ...]:
        """Every known CUDA toolkit, oldest first."""


def weigh(
    lines: Iterable[str],
    context: Mapping[str, str],
    messages: Messages,
    view: CatalogueView,
    *,
    env: str = "./tf-env",
    python: str = "python3",
) -> tuple[Finding, ...]:
    """Return what the lines say, root cause first; nothing recognised gives one finding ``unknown``.

    ``lines`` are plain text without line ends (``reading.read_text`` makes them out of bytes; the standard error of a process split into lines
    will do). ``context`` may be empty. ``env`` and ``python`` fill the steps of the remedies. Pure but for what ``view`` reads; it never raises
    for any text.
    """
    raise NotImplementedError
