"""What the choice asks of a catalogue: the methods it calls, so that a test can answer them from values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from provisioner.model.catalogue import CudaToolkit, GpuArchitecture, Lock, LockDevice, LockedFile, Proof, Release

if TYPE_CHECKING:
    from provisioner.model.cause import Order


class CatalogueView(Protocol):
    """The known-good catalogue, read lazily: asking for one release must not read the others."""

    def versions(self) -> tuple[str, ...]:
        """All releases, pre-releases too, newest first."""

    def release(self, version: str) -> Release | None:
        """One release, or None."""

    def releases(self, spec: str = "", *, prereleases: bool = False) -> Iterator[Release]:
        """Releases that match PEP 440 specifiers (empty: all), newest first, each read when it is asked for."""

    def locks(self, version: str, platform: str) -> tuple[tuple[str, LockDevice], ...]:
        """The Pythons and devices for which the release has a lock on the platform."""

    def lock(self, version: str, python: str, platform: str, device: LockDevice) -> Lock | None:
        """One lock, or None."""

    def spare(self, python: str, platform: str) -> tuple[LockedFile, ...]:
        """Wheels that are in no set, and may come beside one."""

    def proof(self, lock: Lock) -> Proof:
        """What was run for a lock."""

    def architecture(self, capability: str) -> GpuArchitecture | None:
        """The family of GPUs with this compute capability, or None."""

    def causes(self) -> Order:
        """How the causes stand to one another; asked for only where something is in the way."""

    def toolkits(self) -> tuple[CudaToolkit, ...]:
        """Every known CUDA toolkit, oldest first."""

    def driver_commands(self, distribution_id: str, like: tuple[str, ...], minimum: str) -> tuple[str, ...]:
        """The commands that install an NVIDIA driver of at least ``minimum`` on a distribution; empty where none is known."""
