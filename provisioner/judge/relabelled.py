"""Metadata of wheels that were given another version after their RECORD was written: PyTorch's on PyPI. Pure.

PyTorch builds ``1.12.1+cu102`` and publishes it on PyPI, which takes no local version labels, as ``1.12.1``; the RECORD of such a wheel has the hash
of the METADATA with the label. Found so in every wheel of torch 1.8.1 to 1.12.1, and in torchvision's and torchaudio's of those years (read on
2026-11-30).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator

_VERSION = re.compile(rb"^Version: [^\r\n+]+", re.MULTILINE)
# By their length: the build for the CPU, and for CUDA 9.2, 11.3.
_CPU, _CUDA = b"+cpu", {len("+cu92"): 2, len("+cu113"): 3}


def relabelled(metadata: bytes, digest: str, size: int) -> bool:
    """True where a record of ``size`` bytes with this SHA-256 (base64 without padding) is of this METADATA, with a label after its version."""
    found = _VERSION.search(metadata)
    if found is None:
        return False
    head, tail = metadata[: found.end()], metadata[found.end() :]
    begun = hashlib.sha256(head)
    for label in _labels(size - len(metadata)):
        whole = begun.copy()
        whole.update(label + tail)
        if base64.urlsafe_b64encode(whole.digest()).rstrip(b"=").decode() == digest:
            return True
    return False


def _labels(length: int) -> Iterator[bytes]:
    if length == len(_CPU):
        yield _CPU
    digits = _CUDA.get(length, 0)
    yield from (b"+cu%0*d" % (digits, number) for number in range(10**digits) if digits)
