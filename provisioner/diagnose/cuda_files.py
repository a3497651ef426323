"""Where each CUDA library that TensorFlow opens would come from, and of which version: asked of its loader, or found by reading files."""

from __future__ import annotations

import posixpath
import re

from provisioner.base.paths import is_absolute
from provisioner.base.sonames import stem
from provisioner.conda import links as conda_links
from provisioner.diagnose import conda as conda_case
from provisioner.diagnose import tensorflow
from provisioner.diagnose.case import Case, CouldNotTell
from provisioner.environment.distributions import Installed
from provisioner.environment.links import is_there
from provisioner.environment.tensorflow import CONDA_LIBRARIES
from provisioner.facts.libraries import MAX_CUDART, TOOLKITS, constant_version, file_version
from provisioner.facts.loader import Loader
from provisioner.host import files
from provisioner.model.catalogue import CudaBuild, Link
from provisioner.model.finding import Repair, Severity
from provisioner.model.record import record
from provisioner.plan.dll_files import CUDA, dll_files
from provisioner.verify.judge_gpu import DRIVERS, refusals, table

# The wheel that brings a library, by the library's name: NVIDIA's packages are called nvidia-<this>-cu12, from CUDA 13 on nvidia-<this>.
COMPONENTS = {
    "cudart": "cuda-runtime",
    "cublas": "cublas",
    "cublasLt": "cublas",
    "cufft": "cufft",
    "curand": "curand",
    "cusolver": "cusolver",
    "cusparse": "cusparse",
    "cudnn": "cudnn",
    "cupti": "cuda-cupti",
    "nccl": "nccl",
    "nvrtc": "cuda-nvrtc",
    "nvJitLink": "nvjitlink",
    "nvshmem_host": "nvshmem",
}
TENSORRT = ("libnvinfer", "libnvinfer_plugin")


@record
class Copy:
    """The answer for one library: ``path`` is "" when the loader finds none; ``inside`` the environment or not.

    ``missing``: the name that was not found, which may be one that the library needs; ``needed_by`` who asks for it; ``fault``: what is
    wrong with the file that was found first (``at``, where Windows itself told it).
    ``by``: LD_LIBRARY_PATH, RUNPATH, … ("" where that is not known).
    """

    soname: str
    path: str
    version: str
    inside: bool
    by: str = ""
    missing: str = ""
    needed_by: str = ""
    fault: str = ""
    at: str = ""


def component(soname: str) -> str:
    """The part of NVIDIA's package names for a library (``cuda-runtime``); "" for one that no such package brings."""
    return COMPONENTS.get(stem(soname), "")


def build_of(case: Case) -> CudaBuild | None:
    """What the release was built with; None where it has no CUDA build or is not known."""
    build = tensorflow.build(case)
    return build.cuda if build is not None else None


def kind(soname: str) -> str:
    """``cudnn`` or ``cuda``: which of the two a library belongs to."""
    return "cudnn" if stem(soname) == "cudnn" else "cuda"


def matters(case: Case) -> tuple[Severity | None, str]:
    """How grave a missing library is (None: not at all), and why in words; raises ``CouldNotTell`` for a build that is not known."""
    made = tensorflow.cuda_build(case)
    if made is False:
        return None, "a CPU build opens no CUDA libraries"
    if made is None:
        raise CouldNotTell("whether this TensorFlow was built with CUDA is not known")
    if case.facts.system.os.value not in {"linux", "windows"}:
        return None, "CUDA's libraries are looked for on Linux and Windows only"
    purpose = tensorflow.purpose(case)
    if purpose.device == "cpu":
        return None, f"the environment is made for the CPU ({purpose.why})"
    if purpose.device == "cuda":
        return "error", ""
    if case.facts.gpus.value:
        return "error", ""
    return None, "no NVIDIA GPU answers and the environment is not made for one, so no CUDA library is needed"


def link_for(case: Case, name: str) -> Link | None:
    """The link of the profile that leads to a library and is not there, though what it leads to is."""
    site = tensorflow.site_of(case)
    for link in links(case) if site else ():
        at = f"{site}/{link.path}"
        if posixpath.basename(link.path) == name and link.target and leads(case, at, link.target) and dangles(case, at):
            return link
    return None


def links(case: Case) -> tuple[Link, ...]:
    """The links by which this build finds the CUDA libraries: those to NVIDIA's wheels, or to conda's ``lib``."""
    cuda, conda = build_of(case), case.integrity.conda
    if cuda is None:
        return ()
    by_conda = conda is not None and {item.name for item in conda.records} >= CONDA_LIBRARIES
    if case.receipt is not None:
        by_conda = case.receipt.plan.choice.road == "libraries"
    if conda is None or not by_conda:
        return cuda.links
    paths = {file.path for item in conda.records for file in item.files}
    names = (path.removeprefix("lib/") for path in sorted(paths) if re.fullmatch(r"lib/lib[^/]+\.so\.\d+(\.\d+)?", path))
    return conda_links.links(cuda, [name for name in names if component(name)])


def shown(case: Case) -> tuple[Repair, ...]:
    """What makes the libraries of the environment's packages found where no link can: the small files, unless they are there as they should be."""
    site = tensorflow.site_of(case)
    texts = dll_files(CUDA) if site and case.windows else ()
    lost = [link for link in texts if not is_there(case.reader, site, link)]
    return tuple(Repair(kind="write", path=f"{site}/{link.path}", target=link.text, reason=link.reason) for link in lost)


def dangles(case: Case, at: str) -> bool:
    """Whether nothing is at a link's place, or a link that leads nowhere."""
    return not files.there(case.reader, at) or not files.there(case.reader, files.real(case.reader, at))


def leads(case: Case, at: str, to: str) -> bool:
    """Whether what a link at ``at`` would lead to is there."""
    return files.there(case.reader, posixpath.normpath(posixpath.join(posixpath.dirname(at), to)))


def link_repair(case: Case, link: Link) -> Repair:
    """The repair that makes a link of the profile; its target is relative, as the profile has it."""
    return Repair(kind="link", path=f"{tensorflow.site_of(case)}/{link.path}", target=link.target, reason=link.reason)


def loader_of(case: Case) -> Loader:
    """The loader of the process in which TensorFlow runs."""
    return Loader(case.reader, program=case.python, library_path=tensorflow.variable(case, "LD_LIBRARY_PATH") or "", cwd=case.cwd)


def required(case: Case, loader: Loader) -> tuple[Copy, ...]:
    """The libraries without which no GPU is used: as the loader itself answered where it was asked, else found by reading."""
    if case.libraries is not None and case.libraries.done:
        return _answered(case, loader)
    cuda = build_of(case)
    if cuda is None or not _elf(case):
        return ()
    chain = (loader.program, tensorflow.framework(case))
    loaded: dict[str, str] = {}
    found = []
    for soname in cuda.must_open:
        opened = loader.open(soname, chain, loaded)
        path = "" if opened.missing else opened.taken.path
        found.append(
            Copy(
                soname=soname,
                path=path,
                version=version(case, path, soname) if path else "",
                inside=inside(case, path),
                by=opened.taken.by,
                missing=opened.missing,
                needed_by=opened.needed_by if opened.missing != soname else "",
                fault=opened.fault,
            )
        )
    return tuple(found)


def _elf(case: Case) -> bool:
    """Whether reading files tells what the loader does, which it does of Linux' loader alone."""
    return case.facts.system.os.value == "linux"


def _answered(case: Case, loader: Loader) -> tuple[Copy, ...]:
    assert case.libraries is not None  # noqa: S101 - the caller has looked
    missing = {event["asked"][0]: event["missing"] for event in case.libraries.all("library") if event["asked"]}
    folders = [posixpath.normpath(folder) for folder in (tensorflow.variable(case, "LD_LIBRARY_PATH") or "").split(":") if folder]
    refused = refusals(case.libraries)
    found = []
    for item in table(case.libraries, case.expected, case.env):
        if not item.required or item.soname in DRIVERS:
            continue
        lost = "" if item.path else missing.get(item.soname) or item.soname
        # The loader does not say why it refuses a file; reading the same files does.
        opened = loader.open(item.soname, (loader.program, tensorflow.framework(case)), {}) if lost and _elf(case) else None
        at, why = refused.get(item.soname, ("", "")) if lost else ("", "")
        by = "LD_LIBRARY_PATH" if item.path and posixpath.dirname(item.path) in folders else ""
        found.append(
            Copy(
                soname=item.soname,
                path=item.path,
                version=item.version or (version(case, item.path, item.soname) if item.path else ""),
                inside=inside(case, item.path),
                by=by,
                missing=lost,
                needed_by=(opened.needed_by if opened and opened.missing == lost else item.soname) if lost not in {"", item.soname} else "",
                fault=opened.fault if opened and opened.missing == lost else why,
                at=at,
            )
        )
    return tuple(found)


def tensorrt_lost(case: Case) -> tuple[str, ...]:
    """TensorRT's libraries that TensorFlow asked for and did not get; a build without TensorRT names no version, and asks for none."""
    events = case.libraries.all("library") if case.libraries is not None else ()
    names = [event["asked"][0] for event in events if event["asked"] and not event["path"]]
    return tuple(name for name in names if name.startswith(TENSORRT) and file_version(name))


def inside(case: Case, path: str) -> bool:
    """Whether a file lies in the environment, or beside TensorFlow; its links are followed where they are folders."""
    if not path:
        return False
    roots = {case.env, files.real(case.reader, case.env) if case.env else "", tensorflow.site_of(case)}
    forms = (path, files.real(case.reader, posixpath.dirname(path)) + "/" + posixpath.basename(path))
    return any(root and form.startswith(root.rstrip("/") + "/") for root in roots for form in forms)


def version(case: Case, path: str, soname: str) -> str:
    """The version of a library's file, as far as files tell.

    1. cuDNN: ``cudnn_version.h`` beside it; libcudart: the constant in its code; 2. the NVIDIA package that it lies in; 3. its own name.
    """
    real = files.real(case.reader, path)
    kind = stem(soname)
    if kind == "cudnn":
        told = _cudnn_header(case, real)
    elif kind == "cudart":
        told = _cudart(case, real, soname)
    else:
        told = ""
    if told:
        return told
    known = next((item.version for item in case.facts.libraries.value or () if files.real(case.reader, item.path) == real), "")
    owner = [item.version for item in packages(case, soname) if real.startswith(f"{files.real(case.reader, item.site)}/nvidia/")]
    return known or (owner[0] if len(owner) == 1 else "") or file_version(real)


def _cudnn_header(case: Case, path: str) -> str:
    text = files.read(case.reader, posixpath.dirname(posixpath.dirname(path)) + "/include/cudnn_version.h").text or ""
    parts = [re.search(rf"^#define CUDNN_{name}\s+(\d+)", text, re.MULTILINE) for name in ("MAJOR", "MINOR", "PATCHLEVEL")]
    return ".".join(part[1] for part in parts if part) if all(parts) else ""


def _cudart(case: Case, path: str, soname: str) -> str:
    major = file_version(soname).split(".")[0]
    try:
        data = case.reader.read_bytes(path, MAX_CUDART)
    except files.FAULTS:
        return ""
    architecture = case.facts.system.architecture.value or ""
    return constant_version(data, architecture, int(major)) if major.isdecimal() else ""


def packages(case: Case, soname: str) -> tuple[Installed, ...]:
    """The installed NVIDIA packages that bring a library of this name, of whatever CUDA."""
    part = component(soname)
    names = re.compile(rf"nvidia-{re.escape(part)}(-cu\d+)?") if part else None
    return tuple(item for item in case.distributions if names is not None and names.fullmatch(item.name))


def wanted_package(case: Case, soname: str) -> tuple[str, str]:
    """Name and version of the package of the profile that brings a library; empty where the profile has none."""
    part = component(soname)
    locked = [(file.name, file.version) for file in case.lock.files] if case.lock is not None else []
    cuda = build_of(case)
    pinned = [tuple(pin.split("==")[:2]) for pin in (cuda.requirements if cuda is not None else ()) if "==" in pin]
    for name, release in (*locked, *pinned):
        if part and re.fullmatch(rf"nvidia-{re.escape(part)}(-cu\d+)?", name):
            return name, release
    return "", ""


def by_conda(case: Case, soname: str, why: str) -> tuple[Repair, ...]:
    """What puts back a library that a conda package brings; nothing where none does."""
    conda = case.integrity.conda
    return conda_case.bringing(case, f"{conda.root}/lib/{posixpath.basename(soname)}", why) if conda is not None else ()


def own_copy(case: Case, soname: str) -> str:
    """The file of that very name among the environment's NVIDIA packages, or conda's libraries; "" where there is none."""
    patterns = [f"{files.glob_escape(site)}/nvidia/*/{inner}/{soname}" for site in tensorflow.sites(case) for inner in ("lib", "bin")]
    patterns += [f"{files.glob_escape(case.env)}/lib/{soname}"] if case.integrity.conda is not None else []
    return next((path for pattern in patterns for path in files.matches(case.reader, pattern)), "")


def elsewhere(case: Case, soname: str) -> tuple[str, ...]:
    """Files with that very name or another version of it: in the environment, LD_LIBRARY_PATH, the toolkits, the system's folders."""
    base = posixpath.basename(soname).split(".so")[0]
    folders = [folder for folder in (tensorflow.variable(case, "LD_LIBRARY_PATH") or "").split(":") if is_absolute(folder)]
    folders += [f"{root}/{inner}" for root in TOOLKITS for inner in ("lib64", "lib", "targets/x86_64-linux/lib")]
    folders += ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/local/lib"]
    patterns = [f"{files.glob_escape(site)}/nvidia/*/lib/{base}.so.*" for site in tensorflow.sites(case)]
    patterns += [
        f"{files.glob_escape(folder) if folder.startswith('/') and '*' not in folder else folder}/{base}.so.*" for folder in folders
    ]
    found = [path for pattern in patterns for path in files.matches(case.reader, pattern)]
    return tuple(dict.fromkeys(found))
