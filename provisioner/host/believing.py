"""A machine on which what another user's tfsetup noted is believed, because a person said so for this run."""

from __future__ import annotations

from typing import Any, cast

from provisioner.host import Host


def believing(host: Host, owner: int) -> Host:
    """Return ``host`` as one where the notes of the user with that number are believed, and of no other beside this one and root."""
    return cast("Host", _Believing(host, owner))


class _Believing:
    """What is not said here is the host's own."""

    def __init__(self, host: Host, owner: int) -> None:
        self._host = host
        self.believed = frozenset({owner})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)
