"""What makes TensorFlow's own wheels find the CUDA libraries of the conda environment that they are in: links beside libtensorflow_framework.

Source: ``readelf -d`` of the GPU wheels, at least the first and the last of every minor from 1.15 to 2.11. The search path of
libtensorflow_framework, which opens CUDA's libraries, is ``$ORIGIN/`` in all of them and no more. Up to 2.6 it is an RPATH, so that the
loader tries the RPATH of the program too (with many of conda's Pythons the environment's ``lib``); from 2.7 on it is a RUNPATH, which ends
that (ld.so(8)). With the links neither how Python was linked nor LD_LIBRARY_PATH matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provisioner.model.catalogue import CudaBuild, Link

# From lib/python3.7/site-packages/tensorflow to lib.
_LIB = "../../.."
# Where XLA is shown its tools by ``_tfsetup_xla``, as if they had come as a wheel.
_TOOLS = "nvidia/cuda_nvcc"
_TOOL_PLACES = {"libdevice": f"{_TOOLS}/nvvm/libdevice/libdevice.10.bc", "ptxas": f"{_TOOLS}/bin/ptxas"}
_OPENED = "libtensorflow_framework opens it, and looks for libraries beside itself, not in the environment's lib"
_OPENED_BY_OTHERS = "a library that is linked here opens it beside itself, where the link to it is"


def links(cuda: CudaBuild, sonames: Iterable[str]) -> tuple[Link, ...]:
    """Return a link for each library of ``sonames``, which are files in the environment's ``lib``; paths are relative to site-packages."""
    opened = {*cuda.must_open, *cuda.may_open}
    return tuple(
        Link(path=f"{cuda.folder}/{name}", target=f"{_LIB}/{name}", reason=_OPENED if name in opened else _OPENED_BY_OTHERS)
        for name in sonames
    )


def tool_links(tools: Mapping[str, str]) -> tuple[Link, ...]:
    """Return a link for each of XLA's tools (name to path in the environment), to where they lie when they come as a wheel."""
    found = []
    for name, path in tools.items():
        place = _TOOL_PLACES.get(name)
        if place is not None:
            # site-packages itself is three folders deep.
            up = "../" * (place.count("/") + 3)
            found.append(
                Link(path=place, target=up + path, reason="XLA needs it, and this TensorFlow does not look into the environment's lib")
            )
    return tuple(found)
