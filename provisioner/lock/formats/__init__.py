"""The formats a lock is written in; each can be read back to the same set of names, versions and hashes."""

from __future__ import annotations

from provisioner.model.team import LockedTarget

# What every format holds: normalised name, version, SHA-256.
Pin = tuple[str, str, str]


def pins(locked: LockedTarget, *, as_asked: bool = False, addressed: bool = False) -> frozenset[Pin]:
    """Return names, versions and hashes of a target's packages of both kinds.

    ``as_asked``: as requirements files name them, what has an address by that in place of its version. ``addressed``: without what only the
    project carries.
    """
    urls = {file.name: file.url for file in locked.files if file.direct and as_asked and not file.path}
    apart = {file.name for file in locked.files if addressed and not file.url}
    return frozenset((name, urls.get(name, version), sha256) for name, version, _, sha256 in locked.held if name not in apart)
