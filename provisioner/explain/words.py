"""Words that several judgements use."""

from __future__ import annotations

from provisioner.explain.context import Version


def dotted(version: Version) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, version))


def has_wheels_for(version: str, pythons: frozenset[Version], python: Version) -> str:
    """Say that a release has wheels for some Pythons, and not for this one."""
    ordered = sorted(pythons)
    return f"TensorFlow {version} has wheels for Python {dotted(ordered[0])} to {dotted(ordered[-1])}, not for {dotted(python)}"
