"""The check of the Visual C++ runtime: which of its DLLs TensorFlow's files ask for, which this Python finds, and whether they are new enough.

Sources: CPython, ``os.add_dll_directory`` (PATH is not searched from 3.8 on); Microsoft, "C++ binary compatibility between Visual Studio versions" (a
runtime must be at least as new as what was built with it); ``tensorflow/python/platform/self_check.py``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from provisioner.base.paths import spelt
from provisioner.base.versions import numbers
from provisioner.causes.findings import Findings
from provisioner.choose.platforms import platform_of
from provisioner.diagnose import alternative, dlls, import_result, packages, tensorflow
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.diagnose.dlls import RUNTIME, Wanted
from provisioner.environment.links import is_there
from provisioner.facts import pe
from provisioner.host import files
from provisioner.model.catalogue import Link, LockedFile
from provisioner.model.finding import Confidence, Evidence, Remedy, Repair, Severity
from provisioner.plan import runtime
from provisioner.plan.dll_files import RUNTIME as WHY
from provisioner.plan.dll_files import dll_files

# How Windows says that a DLL which was found is not the one that is needed: a function is missing (127), it failed while it set itself up (1114),
# and what a call into it ends with (STATUS_ACCESS_VIOLATION).
UNFIT = ("procedure", "initialization routine", "WinError 127", "WinError 1114", "exit code 3221225477", "access violation")
LARGEST = 4 << 20
# What Python brings beside itself.
BROUGHT = ("vcruntime140.dll", "vcruntime140_1.dll")


def vc_runtime(case: Case, findings: Findings) -> str:
    """The DLLs of the Visual C++ runtime that TensorFlow asks for are where Python and Windows look, and as new as TensorFlow."""
    if not case.windows or case.facts.windows is None:
        raise Skipped(dlls.NOT_WINDOWS)
    needs = [item for item in dlls.wanted_of(case) if RUNTIME.fullmatch(item.name)]
    if not needs:
        raise CouldNotTell("there are no native files of TensorFlow to read")
    known = case.facts.windows.vc_runtime
    lacking, where, sure = _lacking(case, needs)
    if lacking:
        seen = [Evidence(seen=f"{item.name} is not there; {posixpath.basename(item.by)} needs it", where=where) for item in lacking]
        version = Evidence(seen=f"the Visual C++ runtime is {known.value or 'not installed'}", where=known.source)
        grave: Severity = "info" if import_result.works(case) else "error"
        findings.add(
            "msvc-redist-missing",
            grave,
            "certain" if sure else "likely",
            *seen,
            version,
            repairs=_repairs(case),
            remedy=_redistributable(case),
        )
        return f"not found: {', '.join(item.name for item in lacking)}"
    _unfit(case, needs, findings)
    return f"{', '.join(item.name for item in needs)} are there; runtime {known.value or 'of an unknown version'}"


def _lacking(case: Case, needs: Iterable[Wanted]) -> tuple[list[Wanted], str, bool]:
    """What is not found, where it was looked for, and whether that is sure: as this Python answered, else by the folders, else the registry."""
    beside = dlls.listed(case, {posixpath.dirname(path) for path in dlls.native(case)})
    asked = case.survey.dlls if case.survey is not None else {}
    if asked:
        lost = [item for item in needs if not asked.get(item.name, item.name) and item.name not in beside]
        return lost, "what this Python finds", True
    system, own = dlls.listed(case, (dlls.system(case),)), dlls.listed(case, dlls.program_folders(case))
    if system:
        return [item for item in needs if item.name not in system | own | beside | _brought(case)], dlls.system(case), True
    known = case.facts.windows.vc_runtime if case.facts.windows is not None else None
    if known is None or known.status == "unknown":
        raise CouldNotTell(f"whether the Visual C++ runtime is installed is not known ({known.why if known else ''})")
    return [item for item in needs if item.name not in own | beside] if known.status == "absent" else [], known.source, False


def _brought(case: Case) -> set[str]:
    """The DLLs that a repair has brought, where what shows them to Windows is there."""
    return dlls.listed(case, (f"{case.env}/Scripts",)) if case.env and not _hidden(case) else set()


def _unfit(case: Case, needs: Iterable[Wanted], findings: Findings) -> None:
    """A runtime that cannot be loaded, or is older than the compiler, which Microsoft does not support: said where the import failed."""
    if case.child is None or import_result.works(case):
        return
    linked = max((item.linker for item in dlls.native(case).values()), key=numbers, default="")
    refused = case.survey.refused if case.survey is not None else {}
    said = " ".join((import_result.said(case), *refused.values()))
    sure: Confidence = "likely" if refused or any(words in said for words in UNFIT) else "possible"
    versions = _versions(case, needs)
    known = case.facts.windows.vc_runtime if case.facts.windows is not None else None
    if not versions and known is not None and known.value:
        versions = {known.source: ("", known.value)}
    unfit = {
        path: name
        for path, (name, told) in versions.items()
        if name in refused or (told and linked and numbers(told)[:2] < numbers(linked))
    }
    winning = {path: name for path, name in unfit.items() if _beside_python(case, path)}
    # What needs the one that Windows takes first fails with it.
    for path, name in (winning or unfit).items():
        told = versions[path][1]
        seen = [Evidence(seen=f"the Visual C++ runtime is {told}, TensorFlow was linked by {linked}", where=path)] if told else []
        seen += [Evidence(seen=f"{name} is found here, and cannot be loaded: {refused[name]}", where=path)] if name in refused else []
        if winning:
            words = f"Take {spelt(path)} away: no Python brings it, and Windows looks there before anywhere else"
            findings.add("environment-leak", "error", sure, *seen, explains=("msvc-redist-missing",), remedy=Remedy(words=words))
        else:
            findings.add("msvc-redist-missing", "error", sure, *seen, repairs=_repairs(case), remedy=_redistributable(case))


def _beside_python(case: Case, path: str) -> bool:
    return case.survey is not None and posixpath.dirname(path).lower() == case.survey.base_prefix.lower()


def _versions(case: Case, needs: Iterable[Wanted]) -> Mapping[str, tuple[str, str]]:
    """Name and version ("" for none) of each file that this Python takes; Python's own go before any other, and serve."""
    survey, found = case.survey, dict[str, tuple[str, str]]()
    for name, path in ((item.name, survey.dlls.get(item.name, "")) for item in needs) if survey is not None else ():
        if path and not (name in BROUGHT and _beside_python(case, path)):
            try:
                found[path] = (name, pe.file_version(case.reader.read_bytes(path, LARGEST)))
            except files.FAULTS:
                continue
    return found


def _repairs(case: Case) -> tuple[Repair, ...]:
    """The wheel that packs the runtime, and the small files by which Windows finds it; nothing where that is so already, or no wheel is known."""
    wheel, site = _wheel(case), tensorflow.site_of(case)
    if wheel is None or not case.env or not site.startswith(case.env + "/") or case.integrity.conda is not None:
        return ()
    there = case.first(runtime.NAME)
    whole = there is not None and all(files.there(case.reader, f"{case.env}/Scripts/{name}") for name in ("msvcp140.dll", "msvcp140_1.dll"))
    restore = Repair(kind="restore", name=wheel.name, version=wheel.version, reason="it packs the DLLs of the Visual C++ runtime")
    writes = [Repair(kind="write", path=f"{site}/{link.path}", target=link.text, reason=link.reason) for link in _hidden(case)]
    return (*(() if whole else (restore,)), *writes)


def _hidden(case: Case) -> list[Link]:
    """Those of the small files that are not there as they should be."""
    site = tensorflow.site_of(case)
    return [link for link in dll_files(WHY) if not is_there(case.reader, site, link)]


def _wheel(case: Case) -> LockedFile | None:
    return runtime.wheel(case.catalogue, packages.python(case), platform_of(case.facts))


def _redistributable(case: Case) -> Remedy:
    machine = "ARM64" if case.facts.system.architecture.value == "aarch64" else "x64"
    kind = machine.lower()
    words = f"install Microsoft's newest Visual C++ 2015-2022 redistributable ({machine}), then start a new terminal"
    return alternative.remedy(words, f"winget install --id Microsoft.VCRedist.2015+.{kind}")


CHECKS = (CheckSpec(name="vc-runtime", title="the Visual C++ runtime is there", look=vc_runtime, seconds=10.0),)
