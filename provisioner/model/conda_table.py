"""What is known of conda channels beyond what they declare: which packages bring CUDA's libraries, and which TensorFlow they build."""

from __future__ import annotations

from dataclasses import field

from provisioner.model.record import record


@record
class CondaLibraries:
    """What every version of a conda package that begins with ``version`` brings.

    ``sonames`` are files in ``lib`` of the environment; ``tools`` are paths in the environment (``libdevice``, which XLA reads).
    """

    package: str
    version: str
    sonames: tuple[str, ...]
    tools: dict[str, str] = field(default_factory=dict)


@record
class ChannelBuild:
    """What a channel has of its own builds of TensorFlow on a platform: ``release`` as ``2.14.0``; ``cuda`` empty for those for the CPU only.

    ``pythons`` is empty where nobody has told them.
    """

    release: str
    platform: str
    cuda: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()


@record
class BadBuild:
    """A build of a channel that does not work: ``build`` is its build string, or the start of it and ``*``."""

    version: str
    build: str
    reason: str
    reference: str


@record
class CondaTable:
    """``conda.yaml``: the ``channels`` that the packages are taken from, where nothing else is configured, and what the packages bring.

    ``builds`` are the channel's own builds of TensorFlow, newest first, as far as they are known; the channel itself says which it has.
    """

    sources: tuple[str, ...]
    channels: tuple[str, ...]
    libraries: tuple[CondaLibraries, ...]
    builds: tuple[ChannelBuild, ...] = ()
    known_bad: tuple[BadBuild, ...] = ()
