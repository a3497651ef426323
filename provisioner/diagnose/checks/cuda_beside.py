"""Checks of what goes with the CUDA libraries: links, parts that are installed twice, XLA's tools, TensorRT."""

from __future__ import annotations

import posixpath

from provisioner.base.versions import numbers
from provisioner.causes.findings import Findings
from provisioner.diagnose import cuda_files, tensorflow
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.environment.distributions import Installed
from provisioner.environment.links import is_there
from provisioner.environment.owners import read_claims
from provisioner.environment.tensorflow import OTHERS
from provisioner.host import files
from provisioner.model.catalogue import Link
from provisioner.model.finding import Evidence, Repair, Severity
from provisioner.verify import surroundings


def links(case: Case, findings: Findings) -> str:
    """The links that this build needs to find the rest: the parts of cuDNN 8 (without them the first convolution fails), NCCL, CUPTI, NVRTC."""
    severity, why = cuda_files.matters(case)
    cuda, site, framework = cuda_files.build_of(case), tensorflow.site_of(case), tensorflow.framework(case)
    if severity is None:
        raise Skipped(why)
    if site and case.windows:
        lost = _texts(case, site, findings)
        return f"{len(lost)} of the small files that tfsetup wrote are not as they were" if lost else "Windows needs no links"
    if cuda is None or not framework:
        raise CouldNotTell("which links this build needs is not known")
    loader = cuda_files.loader_of(case)
    chain = (loader.program, framework)
    cudnn = next((loader.find(name, chain).path for name in cuda.must_open if cuda_files.kind(name) == "cudnn"), "")
    # Made for CUDA, it has them all, as `plan` would make them; elsewhere only what this loader does not find by itself is missed.
    meant = tensorflow.purpose(case).device == "cuda"
    missing = []
    links = cuda_files.links(case)
    for link in links:
        at, name = f"{site}/{link.path}", posixpath.basename(link.path)
        if not link.target or is_there(case.reader, site, link) or not cuda_files.leads(case, at, link.target) or name in cuda.must_open:
            continue
        by = (*chain, cudnn) if cuda_files.kind(name) == "cudnn" and cudnn else chain
        if not meant and ".so" in name and loader.find(name, by).path:
            continue
        missing.append(link)
        part = cuda_files.kind(name) == "cudnn" and ".so" in name
        seen = Evidence(seen=f"the link to {link.target} is not there: {link.reason}", where=at)
        grave: Severity = severity if part else "warning" if meant else "info"
        cause = "cudnn-missing" if part else "cuda-libs-missing"
        findings.add(cause, grave, "certain", seen, repairs=(cuda_files.link_repair(case, link),))
    missing += _texts(case, site, findings)
    return f"{len(links) - len(missing)} of {len(links)} links are there or not needed"


def _texts(case: Case, site: str, findings: Findings) -> list[Link]:
    """The small files that tfsetup put beside the packages, so that XLA finds its tools, and Windows the libraries."""
    made = case.receipt.plan.links if case.receipt is not None else ()
    lost = [link for link in made if link.text and not is_there(case.reader, site, link)]
    for link in lost:
        at = f"{site}/{link.path}"
        seen = Evidence(seen=f"it is not as tfsetup has written it: {link.reason}", where=at)
        repair = Repair(kind="write", path=at, target=link.text, reason=link.reason)
        cause = "cuda-libs-missing" if "dlls" in link.path else "cuda-toolkit-incomplete"
        findings.add(cause, "warning", "certain", seen, repairs=(repair,))
    return lost


def copies(case: Case, findings: Findings) -> str:
    """Two packages of one part of CUDA (nvidia-cudnn-cu11 and -cu12) write the same files, and the last one wins; or only the wrong one is there."""
    severity, why = cuda_files.matters(case)
    if severity is None:
        raise Skipped(why)
    cuda = cuda_files.build_of(case)
    if cuda is None:
        raise CouldNotTell("which CUDA this TensorFlow was built with is not known")
    major = numbers(cuda.version)[0]
    twice: list[str] = []
    needed = {cuda_files.component(soname) for soname in cuda.must_open}
    for part in dict.fromkeys(cuda_files.COMPONENTS.values()):
        names = {item.name: item for item in case.distributions if item.name in {f"nvidia-{part}", f"nvidia-{part}-cu{_major(item.name)}"}}
        right = next((item for name, item in names.items() if name in {f"nvidia-{part}-cu{major}", f"nvidia-{part}"}), None)
        for item in names.values():
            if right is not None and item is not right and item.site == right.site:
                twice.append(item.name)
                _twice(case, right, item, severity, findings)
            elif right is None and part in needed and not any(other.name in OTHERS for other in case.distributions):
                twice.append(item.name)
                _for_another(case, item, severity, findings)
    return f"for another CUDA, or there twice: {', '.join(twice)}" if twice else f"each part of CUDA is there once, for CUDA {major}"


def _major(name: str) -> str:
    return name.rpartition("-cu")[2] if "-cu" in name else ""


def _twice(case: Case, right: Installed, wrong: Installed, severity: Severity, findings: Findings) -> None:
    mine, other = _recorded(case, right), _recorded(case, wrong)
    shared = {path: (mine[path], other[path]) for path in mine.keys() & other.keys() if ".so" in posixpath.basename(path)}
    overwritten = [path for path, (want, alien) in sorted(shared.items()) if want != alien and _size(case, path) == alien]
    both = [Evidence(seen=f"{item.name} {item.version} is installed", where=item.metadata) for item in (right, wrong)]
    if overwritten:
        evidence = Evidence(seen=f"{len(overwritten)} libraries are those of {wrong.name}, made for another CUDA", where=overwritten[0])
        repairs = (
            Repair(kind="remove", name=wrong.name, version=wrong.version, reason=f"{wrong.name} has overwritten files of {right.name}"),
            Repair(kind="restore", name=right.name, version=right.version, reason=f"its files were overwritten by {wrong.name}"),
        )
        cause = "cudnn-version-mismatch" if "cudnn" in right.name else "cuda-version-mismatch"
        findings.add(cause, severity, "certain", evidence, *both, repairs=repairs)
    elif shared:
        words = f"both write {len(shared)} of the same libraries; those of {right.name} are there"
        findings.add("cuda-version-mismatch", "info", "certain", Evidence(seen=words, where=right.site), *both)


def _for_another(case: Case, item: Installed, severity: Severity, findings: Findings) -> None:
    """A part of another CUDA in the place of this one's: some of its libraries bear the same name, and need the rest of that CUDA."""
    cuda = cuda_files.build_of(case)
    seen = Evidence(
        seen=f"{item.name} {item.version} is for another CUDA than this build's {cuda.version if cuda else ''}", where=item.metadata
    )
    soname = next((name for name in (cuda.must_open if cuda else ()) if cuda_files.component(name) in item.name), "")
    name, release = cuda_files.wanted_package(case, soname)
    repairs = (
        Repair(kind="remove", name=item.name, version=item.version, reason=f"{item.name} is for another CUDA"),
        Repair(kind="restore", name=name, version=release, reason=f"{name} {release} fits this TensorFlow"),
    )
    cause = "cudnn-version-mismatch" if "cudnn" in item.name else "cuda-version-mismatch"
    findings.add(cause, severity, "certain", seen, repairs=repairs if name else repairs[:1])


def _recorded(case: Case, item: Installed) -> dict[str, int]:
    """The size of each file of a package by its RECORD."""
    return {path: claim.size for path, claim in read_claims(case.reader, item) or () if claim.size >= 0}


def _size(case: Case, path: str) -> int:
    entry = files.entry(case.reader, files.real(case.reader, path))
    return entry.size if entry is not None else -1


def tools(case: Case, findings: Findings) -> str:
    """Ptxas and libdevice, without which XLA compiles nothing for a GPU."""
    severity, why = cuda_files.matters(case)
    if severity is None:
        raise Skipped(why)
    cuda, site = cuda_files.build_of(case), tensorflow.site_of(case)
    loaded = case.child.first("loaded").get("tools", {}) if case.child is not None else {}
    beside = cuda is None or cuda.finds_tools or files.there(case.reader, f"{site}/tfsetup_xla.pth")
    flags = loaded.get("flags", tensorflow.variable(case, "XLA_FLAGS") or "")
    around = surroundings.look(case.reader, (site,) if beside and site else (), flags=flags, ptxas=loaded.get("ptxas", ""))
    lost = [name for name, path in (("ptxas", around.ptxas), ("libdevice", around.libdevice)) if not path]
    if not lost:
        return f"{around.ptxas}, {around.libdevice}"
    where = "nvidia/cuda_nvcc beside tensorflow, PATH, /usr/local/cuda, XLA_FLAGS" if beside else "PATH, /usr/local/cuda, XLA_FLAGS"
    name, release = _nvcc(case)
    repairs = (Repair(kind="restore", name=name, version=release, reason="it brings ptxas and libdevice"),) if name and beside else ()
    findings.add(
        "cuda-toolkit-incomplete",
        "warning",
        "likely",
        *(Evidence(seen=f"{item} is not found", where=where) for item in lost),
        repairs=repairs,
    )
    return f"not found: {', '.join(lost)}"


def _nvcc(case: Case) -> tuple[str, str]:
    cuda = cuda_files.build_of(case)
    pins = [pin.partition("==") for pin in (cuda.requirements if cuda is not None else ())]
    return next(((name, version) for name, _, version in pins if name.startswith("nvidia-cuda-nvcc")), ("", ""))


def tensorrt(case: Case, findings: Findings) -> str:
    """TensorRT, which TensorFlow works without."""
    lost = cuda_files.tensorrt_lost(case)
    if case.libraries is None:
        raise Skipped("TensorFlow's loader was not asked")
    if lost:
        findings.add(
            "tensorrt-missing", "info", "certain", *(Evidence(seen=f"{name} is not found", where="TensorFlow's loader") for name in lost)
        )
    return f"not found: {', '.join(lost)}" if lost else "this build asks for nothing of it that is missing"


CHECKS = (
    CheckSpec(name="cuda-links", title="the links that this build needs are there", look=links, installed=True),
    CheckSpec(name="cuda-copies", title="each part of CUDA is installed once, and for this CUDA", look=copies, installed=True),
    CheckSpec(name="cuda-tools", title="XLA finds ptxas and libdevice", look=tools, installed=True),
    CheckSpec(name="tensorrt", title="TensorRT (not needed)", look=tensorrt),
)
