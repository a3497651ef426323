"""Which library a file's name is of: ``libcudnn.so.8`` and ``cudnn64_8.dll`` are both ``cudnn``. Pure."""

from __future__ import annotations

import posixpath
import re


def bare(soname: str) -> str:
    """The name without what systems and versions add: ``cudnn_ops_infer`` of ``libcudnn_ops_infer.so.8`` and of ``cudnn_ops_infer64_8.dll``."""
    name = posixpath.basename(soname)
    if name.lower().endswith(".dll"):
        return re.sub(r"((32|64)(_[0-9._]{1,40})?)?\.dll$", "", name, flags=re.IGNORECASE)
    return name.split(".so")[0].removeprefix("lib")


def stem(soname: str) -> str:
    """The same, the parts of cuDNN as ``cudnn``."""
    name = bare(soname)
    return "cudnn" if name.startswith("cudnn") else name
