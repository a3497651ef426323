"""Check of the OpenMP runtimes that conda's packages and wheels bring: two of one family cannot live in one process.

Sources: threadpoolctl's README and multiple_openmp.md (LLVM's libomp and Intel's libiomp in one process may crash or deadlock on Linux; mixes
with GNU's libgomp are mostly harmless); LLVM's kmp_runtime.cpp ("OMP: Error #15", KMP_DUPLICATE_LIB_OK). conda-forge's documentation,
"Switching OpenMP implementation": ``_openmp_mutex`` makes libgomp.so.1 a link to libomp.so in an environment of the build ``*_llvm``, so that
its own packages share one; wheels do not know of it. TensorFlow itself brings none, so that it takes another package beside it to load two.
"""

from __future__ import annotations

import posixpath
import re

from provisioner.causes.findings import Findings
from provisioner.diagnose import conda, packages
from provisioner.diagnose.case import Case, CheckSpec
from provisioner.host import files
from provisioner.model.finding import Evidence

# auditwheel and delvewheel put a part of the hash into the name (libgomp-a34b3233.so.1.0.0).
_NAME = re.compile(r"(?P<stem>lib[ig]?omp5?)(-[0-9a-f]{6,})?\.so(\.\d+)*")
_FAMILIES = {"libiomp5": "LLVM's and Intel's", "libomp": "LLVM's and Intel's", "libomp5": "LLVM's and Intel's", "libgomp": "GNU's"}
_PLACES = ("{site}/*/lib{x}omp*.so*", "{site}/*/lib/lib{x}omp*.so*", "{site}/*.libs/lib{x}omp*.so*", "{site}/*/.dylibs/lib{x}omp*.so*")
TWO = "Two OpenMP runtimes that cannot live in one process are installed"
MIXED = "OpenMP runtimes of two families are installed"


def runtimes(case: Case, findings: Findings) -> str:
    """There is one runtime of LLVM's and Intel's family, whoever brings it."""
    conda.state(case)
    found: dict[str, dict[str, str]] = {}
    for path in _paths(case):
        name = _NAME.fullmatch(posixpath.basename(path))
        real = files.real(case.reader, path)
        # A libgomp.so.1 that leads to libomp.so is the other family's; a link that leads nowhere is none at all.
        behind = _NAME.fullmatch(posixpath.basename(real))
        if name and files.entry(case.reader, real) is not None:
            found.setdefault(_FAMILIES[(behind or name)["stem"]], {}).setdefault(real, _brings(case, path, real))
    ours, gnu = found.get("LLVM's and Intel's", {}), found.get("GNU's", {})
    if len(ours) > 1:
        evidence = [Evidence(seen=f"{posixpath.basename(path)} of {who}", where=path) for path, who in ours.items()]
        findings.add("openmp-duplicate", "warning", "possible", *evidence, title=TWO)
    elif ours and gnu:
        evidence = [Evidence(seen=f"{posixpath.basename(path)} of {who}", where=path) for path, who in (*ours.items(), *gnu.items())]
        findings.add("openmp-duplicate", "info", "possible", *evidence, title=MIXED)
    named = [f"{posixpath.basename(path)} of {who}" for copies in found.values() for path, who in copies.items()]
    return "; ".join(named) or "no OpenMP runtime is installed"


def _paths(case: Case) -> tuple[str, ...]:
    root = files.glob_escape(case.env)
    found = [path for x in ("", "i", "g") for path in files.matches(case.reader, f"{root}/lib/lib{x}omp*.so*")]
    for site in packages.folders(case):
        for pattern in _PLACES:
            found += [
                path for x in ("", "i", "g") for path in files.matches(case.reader, pattern.format(site=files.glob_escape(site), x=x))
            ]
    return tuple(dict.fromkeys(found))


def _brings(case: Case, path: str, real: str) -> str:
    """Say who brings a file: the package whose record lists it, else the folder of site-packages that it lies in."""
    package = conda.owner(case, real) or conda.owner(case, path)
    if package:
        return f"conda's {package}"
    site = next((site for site in packages.folders(case) if path.startswith(site + "/")), "")
    inner = posixpath.relpath(path, site).split("/")[0].removesuffix(".libs") if site else ""
    return f"the wheel {inner}" if inner else "nobody"


CHECKS = (CheckSpec(name="openmp", title="one OpenMP runtime of a family is installed", look=runtimes),)
