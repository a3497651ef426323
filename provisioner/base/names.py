"""Names of distributions: how they are compared, and which of them are TensorFlow."""

from __future__ import annotations

import re

# Distributions that unpack into site-packages/tensorflow, so that no two of them can be installed together
# (facts/pitfalls.yaml, two-distributions-one-directory; the names are those of PyPI).
_RIVALS = (
    r"tensorflow(-(cpu|gpu|intel|macos|rocm|rocm-enhanced|aarch64|cpu-aws|directml|gpu-macosx))?|intel-tensorflow(-avx512)?|nvidia-tensorflow"
    r"|(tf-nightly|tensorflow-nightly)(-[a-z0-9-]+)?"
)

# Folders those distributions own: the package, the real module of 1.15 and 2.0 with its libraries, and links to data.
OWN_FOLDERS = ("tensorflow", "tensorflow_core")

# The distribution that every add-on names when it needs TensorFlow.
TENSORFLOW = "tensorflow"
# Distributions that hold the module where `tensorflow` is only a name for them (Windows, Macs, aarch64), or was not published.
STAND_INS = frozenset({"tensorflow-intel", "tensorflow-macos", "tensorflow-cpu-aws"})
# Distributions whose version is that of a release of TensorFlow.
RELEASED = frozenset({TENSORFLOW, "tensorflow-cpu", "tensorflow-gpu", "tensorflow-rocm", *STAND_INS})


def is_rival(name: str) -> bool:
    """True for the normalised name of a distribution that owns site-packages/tensorflow."""
    return re.fullmatch(_RIVALS, name) is not None


def is_nightly(name: str) -> bool:
    """True for the normalised name of a build of no release."""
    return name.startswith(("tf-nightly", "tensorflow-nightly"))


def is_another_build(name: str) -> bool:
    """True for the normalised name of a TensorFlow that is no release of its makers on PyPI: nightly, for ROCm, by Intel."""
    return is_rival(name) and not re.fullmatch(r"tensorflow(-(cpu|gpu|intel|macos|aarch64|cpu-aws))?", name)


def is_cpu_only(name: str) -> bool:
    """True for the normalised name of a TensorFlow that was built without CUDA, whatever lies beside it."""
    return is_rival(name) and (name.endswith("-cpu") or name in STAND_INS)


def normalise(name: str) -> str:
    """Return a distribution's name in the form in which names are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
