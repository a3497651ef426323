"""Checks of what only Windows has: the Visual C++ runtime, long paths, and the DLLs that TensorFlow's native files import.

Sources: Microsoft, "Dynamic-link library search order" and "Maximum path length limitation"; CPython, ``os.add_dll_directory`` (PATH is not
searched from 3.8 on); ``tensorflow/python/platform/self_check.py``, which loads the DLLs that ``build_info.py`` names before anything else.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from provisioner.base.versions import numbers
from provisioner.causes.findings import Findings
from provisioner.diagnose import alternative, tensorflow
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.environment.owners import read_rows
from provisioner.facts.pe import Pe, PeError, read_pe
from provisioner.facts.windows import system_folder
from provisioner.host import files
from provisioner.model.finding import Evidence, Remedy
from provisioner.model.record import record

# The parts of the Visual C++ 2015-2022 runtime.
RUNTIME = re.compile(r"(msvcp|vcruntime|concrt|vccorlib|vcomp)140(_[a-z0-9_]+)?\.dll")
# API sets are names that Windows resolves by itself ("Windows API sets"); those of the C runtime came with Windows 10.
API_SETS = ("api-ms-win-", "ext-ms-win-")
PYTHON = re.compile(r"python(3\d+)(_d)?\.dll")
CUDA = re.compile(r"(cudart|cublas|cublaslt|cufft|curand|cusolver|cusparse|cudnn|cupti)\w*\.dll")
# MAX_PATH is 260 characters with the zero that ends the text.
LONGEST = 259
NOT_WINDOWS = "this is not Windows"


@record
class Wanted:
    """A DLL that is asked for, in lower case, and one of the files that do."""

    name: str
    by: str


def wanted(imports: Mapping[str, Pe], named: Iterable[str], named_by: str) -> tuple[Wanted, ...]:
    """Every DLL that the files import when they are loaded, and those that TensorFlow itself looks for; each once, sorted."""
    found: dict[str, str] = {}
    for path, pe in sorted(imports.items()):
        for name in pe.imports:
            found.setdefault(name.lower(), path)
    for name in named:
        found.setdefault(name.lower(), named_by)
    return tuple(Wanted(name=name, by=by) for name, by in sorted(found.items()) if not name.startswith(API_SETS))


def named_in_build(text: str) -> tuple[str, ...]:
    """The DLLs of the C++ runtime that ``build_info.py`` names: ``'msvcp_dll_names': 'msvcp140.dll,msvcp140_1.dll'`` (before 2.3 ``=``)."""
    found = re.search(r"msvcp_dll_names?['\"]?\s*(?:=|:|,)\s*['\"]([\w.,]+)['\"]", text)
    return tuple(name for name in found[1].split(",") if name) if found else ()


def over_long(root: str, names: Iterable[str]) -> tuple[str, ...]:
    """The paths below ``root`` (a folder as Windows writes it) that are longer than Windows takes by default, longest first."""
    base = root.rstrip("/\\").replace("/", "\\")
    paths = {f"{base}\\{name}".replace("/", "\\") for name in names if name and ".." not in name}
    return tuple(sorted((path for path in paths if len(path) > LONGEST), key=lambda path: (-len(path), path)))


def vc_runtime(case: Case, findings: Findings) -> str:
    """The DLLs of the Visual C++ runtime that TensorFlow asks for are where Python and Windows look."""
    if case.facts.system.os.value != "windows" or case.facts.windows is None:
        raise Skipped(NOT_WINDOWS)
    needs = [item for item in _wanted(case) if RUNTIME.fullmatch(item.name)]
    runtime = case.facts.windows.vc_runtime
    system, own = _listed(case, (_system_folder(case),)), _listed(case, _program_folders(case))
    if not needs:
        raise CouldNotTell("there are no native files of TensorFlow to read")
    if system:
        lacking = [item for item in needs if item.name not in system | own]
        where = _system_folder(case)
    elif runtime.status == "unknown":
        raise CouldNotTell(f"whether the Visual C++ runtime is installed is not known ({runtime.why})")
    else:
        lacking = [item for item in needs if item.name not in own] if runtime.status == "absent" else []
        where = runtime.source
    if lacking:
        seen = [Evidence(seen=f"{item.name} is not there; {posixpath.basename(item.by)} needs it", where=where) for item in lacking]
        version = Evidence(seen=f"the Visual C++ runtime is {runtime.value or 'not installed'}", where=runtime.source)
        findings.add("msvc-redist-missing", "error", "certain" if system else "likely", *seen, version, remedy=_redistributable(case))
        return f"not found: {', '.join(item.name for item in lacking)}"
    _old(case, findings)
    return f"{', '.join(item.name for item in needs)} are there; runtime {runtime.value or 'of an unknown version'}"


def _old(case: Case, findings: Findings) -> None:
    """A runtime older than the compiler, which Microsoft does not support: said where the import failed, since most of them work."""
    linked = max((pe.linker for pe in _native(case).values()), key=numbers, default="")
    runtime = case.facts.windows.vc_runtime if case.facts.windows is not None else None
    failed = case.child is not None and not case.child.done
    if failed and runtime is not None and runtime.value and linked and numbers(runtime.value)[:2] < numbers(linked):
        seen = Evidence(seen=f"the Visual C++ runtime is {runtime.value}, TensorFlow was linked by {linked}", where=runtime.source)
        findings.add("msvc-redist-missing", "error", "possible", seen, remedy=_redistributable(case))


def _redistributable(case: Case) -> Remedy:
    machine = "ARM64" if case.facts.system.architecture.value == "aarch64" else "x64"
    kind = machine.lower()
    words = f"install Microsoft's newest Visual C++ 2015-2022 redistributable ({machine}), then start a new terminal"
    return alternative.remedy(words, f"winget install --id Microsoft.VCRedist.2015+.{kind}")


def long_paths(case: Case, findings: Findings) -> str:
    """No file of an installed package has a path that Windows refuses while long paths are off."""
    windows = case.facts.windows
    if case.facts.system.os.value != "windows" or windows is None:
        raise Skipped(NOT_WINDOWS)
    if windows.long_paths.value:
        return "long paths are on"
    if windows.long_paths.value is None:
        raise CouldNotTell(f"whether long paths are on is not known ({windows.long_paths.why})")
    found: list[str] = []
    for item in case.distributions:
        found += over_long(item.site, (row.path for row in read_rows(case.reader, item.metadata) or ()))
    if not found:
        return "long paths are off, and no path is too long"
    gone = [path for path in found if not files.there(case.reader, path) and not files.there(case.reader, path.replace("\\", "/"))]
    shown = (gone or found)[:3]
    seen = [Evidence(seen=f"{len(path)} characters" + (", and not there" if path in gone else ""), where=path) for path in shown]
    off = Evidence(seen="LongPathsEnabled is 0", where=windows.long_paths.source)
    findings.add("windows-long-paths", "error" if gone else "warning", "certain" if gone else "likely", *seen, off, remedy=_short(case))
    return f"{len(found)} paths are over {LONGEST} characters, {len(gone)} of them are missing"


def _short(case: Case) -> Remedy:
    words = "turn long paths on (in a terminal of an administrator, then restart), or make the environment in a short folder"
    value = r"reg add HKLM\SYSTEM\CurrentControlSet\Control\FileSystem /v LongPathsEnabled /t REG_DWORD /d 1 /f"
    release = case.release.version if case.release is not None else ""
    return alternative.remedy(words, value, rf"tfsetup apply{f' --tensorflow {release}' if release else ''} --env C:\tf")


def imports(case: Case, findings: Findings) -> str:
    """Each DLL that TensorFlow's files import lies beside them, beside Python, or in Windows; all for one machine and one Python."""
    if case.facts.system.os.value != "windows":
        raise Skipped(NOT_WINDOWS)
    native = _native(case)
    if not native:
        raise CouldNotTell("there are no native files of TensorFlow to read")
    _machines(case, native, findings)
    beside = _listed(case, {posixpath.dirname(path) for path in native})
    there = beside | _listed(case, _program_folders(case))
    system = _listed(case, (_system_folder(case),))
    lacking = [item for item in wanted(native, (), "") if item.name not in there | system and not RUNTIME.fullmatch(item.name)]
    recorded = _recorded(case) if lacking else set()
    unknown = [item for item in lacking if not _lacking(case, item, recorded, findings) and system]
    for item in unknown:
        seen = Evidence(seen=f"{item.name} is neither beside it, nor beside Python, nor in Windows", where=item.by)
        findings.add("unknown", "warning", "possible", seen, title=f"{item.name}, which TensorFlow imports, is nowhere")
    return f"{len(native)} native files ask for {len(wanted(native, (), ''))} DLLs" + (
        "" if system else "; Windows' own could not be listed"
    )


def _lacking(case: Case, item: Wanted, recorded: set[str], findings: Findings) -> bool:
    """Whether a DLL that is nowhere has a cause that is known, which is then added."""
    seen = Evidence(seen=f"{item.name} is not found, which it imports", where=item.by)
    python = PYTHON.fullmatch(item.name)
    have = "".join(case.survey.version.split(".")[:2]) if case.survey is not None else ""
    if item.name in recorded:
        findings.add("install-corrupt", "error", "certain", seen)
    elif python and have and python[1] != have:
        findings.add(
            "python-unsupported",
            "error",
            "certain",
            seen,
            Evidence(seen=f"this is Python {case.survey and case.survey.version}", where=case.python),
        )
    elif CUDA.fullmatch(item.name) and tensorflow.purpose(case).device == "cuda":
        findings.add("cudnn-missing" if item.name.startswith("cudnn") else "cuda-libs-missing", "error", "certain", seen)
    elif not (python or CUDA.fullmatch(item.name) or item.name == "nvcuda.dll"):
        return False
    return True


def _machines(case: Case, native: Mapping[str, Pe], findings: Findings) -> None:
    process = case.facts.system.process_architecture.value or ""
    if case.survey is not None:
        process = {"amd64": "x86_64", "arm64": "aarch64", "x86": "i686"}.get(case.survey.machine.lower(), process)
        process = "i686" if case.survey.bits == 32 else process  # noqa: PLR2004 - bits
    for path, pe in sorted(native.items()):
        if process and pe.machine != process:
            findings.add(
                "wrong-arch-binary", "error", "certain", Evidence(seen=f"made for {pe.machine}, in a Python for {process}", where=path)
            )
            return


def _native(case: Case) -> dict[str, Pe]:
    """TensorFlow's libraries and extension modules in the folder from which it is loaded."""
    package = tensorflow.folder(case)
    found: dict[str, Pe] = {}
    for pattern in ("python/*.pyd", "python/*.dll", "*.dll"):
        for path in files.matches(case.reader, f"{package}/{pattern}") if package else ():
            try:
                found[path] = read_pe(case.reader, path)
            except (OSError, PeError):  # noqa: PERF203 - one bad file leaves the others
                continue
    return found


def _wanted(case: Case) -> tuple[Wanted, ...]:
    build = f"{tensorflow.folder(case)}/python/platform/build_info.py"
    return wanted(_native(case), named_in_build(files.read(case.reader, build).text or ""), build)


def _system_folder(case: Case) -> str:
    return system_folder(tensorflow.variable(case, "SYSTEMROOT") or tensorflow.variable(case, "SystemRoot"))


def _program_folders(case: Case) -> tuple[str, ...]:
    """The folder of python.exe, which Windows searches first: of a virtual environment, that of the Python under it."""
    survey = case.survey
    found = [survey.base_prefix, survey.prefix] if survey is not None else []
    return tuple(dict.fromkeys([*found, case.config.get("home", ""), posixpath.dirname(case.python.replace("\\", "/")), case.env]))


def _listed(case: Case, folders: Iterable[str]) -> set[str]:
    names: set[str] = set()
    for folder in folders:
        try:
            names |= {re.split(r"[\\/]", entry.path)[-1].lower() for entry in case.reader.list(folder)} if folder else set()
        except files.FAULTS:  # noqa: PERF203 - as above
            continue
    return names


def _recorded(case: Case) -> set[str]:
    """The names of all DLLs that installed packages say they have brought."""
    found: set[str] = set()
    for item in case.distributions:
        names = (row.path.lower() for row in read_rows(case.reader, item.metadata) or ())
        found |= {posixpath.basename(name) for name in names if name.endswith((".dll", ".pyd"))}
    return found


CHECKS = (
    CheckSpec(name="vc-runtime", title="the Visual C++ runtime is there", look=vc_runtime),
    CheckSpec(name="long-paths", title="no path is too long for Windows", look=long_paths),
    CheckSpec(name="dll-imports", title="the DLLs that TensorFlow imports are there", look=imports),
)
