"""What compiles for the GPU: libdevice that XLA does not find, and a ptxas of another CUDA than TensorFlow was built with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.causes.grades import ALLOWS, HINTS
from provisioner.explain.context import numbers
from provisioner.explain.matches import Hit
from provisioner.explain.topics.gpu import why_newer
from provisioner.explain.verdict import Case, Verdict, plain, says
from provisioner.explain.words import dotted


def libdevice(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Libdevice is not found, which XLA repeats in several words."""
    real = [hit for hit in hits if "libdevice" in hit.seen.lower()]
    if real:
        yield plain(real[0])
    else:
        yield says(hits[0], "cuda-toolkit-incomplete", grade=ALLOWS)
        newer = why_newer(case)
        if newer:
            yield says(hits[0], "gpu-too-new", grade=HINTS, why=newer)


def older_ptxas(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A ptxas that does not know the card: where the CUDA of the release does, it is another one that was found first in PATH."""
    hit = hits[0]
    named = re.search(r"support CC (\d+\.\d)", hit.seen)
    capability = numbers(named[1]) if named else case.circumstances.capability
    need = case.knowledge.cuda(case.circumstances.tensorflow) if case.circumstances.tensorflow else None
    if need and capability and case.knowledge.first_cuda(capability)[:2] <= need.cuda[:2]:
        why = f"CUDA {dotted(need.cuda)}, with which TensorFlow {case.circumstances.tensorflow} was built, knows {dotted(capability)}"
        yield says(hit, "cuda-version-mismatch", why=f"{why}: the ptxas that was found first is of an older CUDA")
        return
    yield plain(hit)
    if need is None:
        yield says(hit, "cuda-version-mismatch", "possible", grade=ALLOWS, why="an older ptxas that is found first in PATH says the same")


JUDGEMENTS = {"libdevice": libdevice, "olderptxas": older_ptxas}
