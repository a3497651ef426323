"""Looking at an environment that another run may be at work on: one waits until it is free, and looks anew."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from provisioner.base.progress import Progress
from provisioner.change.holding import holding
from provisioner.commands.interruption import TRIES, looked
from provisioner.environment.workspace import Workspace
from provisioner.errors import AtWorkError
from provisioner.host import Host, files

T = TypeVar("T")


def when_free(host: Host, env: str, look: Callable[[], T], *, wait: float, progress: Progress) -> T:
    """Return what ``looked`` does; where another run is at work, wait for it (at most ``wait`` seconds each time) and look anew."""
    for _ in range(TRIES):
        with suppress(AtWorkError):
            return looked(host, env, look)
        with holding(host, Workspace(root=files.real(host, env)), wait, progress):
            pass
    return looked(host, env, look)
