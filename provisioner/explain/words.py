"""Words that several judgements use."""

from __future__ import annotations

import re

from provisioner.explain.context import Version

# Distributions that are TensorFlow itself, whose releases the catalogue knows; its siblings have numbers of their own.
_ITSELF = re.compile(r"(tensorflow|tf[-_]nightly)([-_](cpu|gpu|intel|macos|cpu[-_]aws))?(\[[\w,-]*\])?$", re.IGNORECASE)


def is_tensorflow(package: str) -> bool:
    """Whether a distribution is TensorFlow itself: ``tensorflow-io-gcs-filesystem`` is not, and its numbers mean something else."""
    return _ITSELF.match(package) is not None


def dotted(version: Version) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, version))


def has_wheels_for(version: str, pythons: frozenset[Version], python: Version) -> str:
    """Say that a release has wheels for some Pythons, and not for this one."""
    ordered = sorted(pythons)
    return f"TensorFlow {version} has wheels for Python {dotted(ordered[0])} to {dotted(ordered[-1])}, not for {dotted(python)}"
