"""Checks of what only Windows has: long paths, and the DLLs that TensorFlow's native files import.

Sources: Microsoft, "Dynamic-link library search order" and "Maximum path length limitation".
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from provisioner.causes.findings import Findings
from provisioner.diagnose import alternative, dlls, tensorflow
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.environment.owners import read_rows
from provisioner.facts.pe import Pe
from provisioner.host import files
from provisioner.model.finding import Evidence, Remedy

PYTHON = re.compile(r"python(3\d+)(_d)?\.dll")
CUDA = re.compile(r"(cudart|cublas|cublaslt|cufft|curand|cusolver|cusparse|cudnn|cupti)\w*\.dll")
# MAX_PATH is 260 characters with the zero that ends the text.
LONGEST = 259


def over_long(root: str, names: Iterable[str]) -> tuple[str, ...]:
    """The paths below ``root`` (a folder as Windows writes it) that are longer than Windows takes by default, longest first."""
    base = root.rstrip("/\\").replace("/", "\\")
    paths = {f"{base}\\{name}".replace("/", "\\") for name in names if name and ".." not in name}
    return tuple(sorted((path for path in paths if len(path) > LONGEST), key=lambda path: (-len(path), path)))


def long_paths(case: Case, findings: Findings) -> str:
    """No file of an installed package has a path that Windows refuses while long paths are off."""
    windows = case.facts.windows
    if case.facts.system.os.value != "windows" or windows is None:
        raise Skipped(dlls.NOT_WINDOWS)
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
        raise Skipped(dlls.NOT_WINDOWS)
    native = dlls.native(case)
    if not native:
        raise CouldNotTell("there are no native files of TensorFlow to read")
    _machines(case, native, findings)
    beside = dlls.listed(case, {posixpath.dirname(path) for path in native})
    there = beside | dlls.listed(case, dlls.program_folders(case))
    system = dlls.listed(case, (dlls.system(case),))
    lacking = [item for item in dlls.wanted(native, (), "") if item.name not in there | system and not dlls.RUNTIME.fullmatch(item.name)]
    recorded = _recorded(case) if lacking else set()
    unknown = [item for item in lacking if not _lacking(case, item, recorded, findings) and system]
    for item in unknown:
        seen = Evidence(seen=f"{item.name} is neither beside it, nor beside Python, nor in Windows", where=item.by)
        findings.add("unknown", "warning", "possible", seen, title=f"{item.name}, which TensorFlow imports, is nowhere")
    return f"{len(native)} native files ask for {len(dlls.wanted(native, (), ''))} DLLs" + (
        "" if system else "; Windows' own could not be listed"
    )


def _lacking(case: Case, item: dlls.Wanted, recorded: set[str], findings: Findings) -> bool:
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


def _recorded(case: Case) -> set[str]:
    """The names of all DLLs that installed packages say they have brought."""
    found: set[str] = set()
    for item in case.distributions:
        names = (row.path.lower() for row in read_rows(case.reader, item.metadata) or ())
        found |= {posixpath.basename(name) for name in names if name.endswith((".dll", ".pyd"))}
    return found


CHECKS = (
    CheckSpec(name="long-paths", title="no path is too long for Windows", look=long_paths),
    CheckSpec(name="dll-imports", title="the DLLs that TensorFlow imports are there", look=imports),
)
