"""Checks of the CUDA libraries: which copies TensorFlow's loader takes, of which versions, and what is missing beside them.

They matter where a GPU could be used, or where the environment was made for one. Elsewhere a build with CUDA computes on the CPU without
them, and nothing is wrong.
"""

from __future__ import annotations

import posixpath

from provisioner.base.sonames import bare
from provisioner.base.versions import numbers
from provisioner.causes.findings import Findings
from provisioner.diagnose import alternative, conda, cuda_files, tensorflow
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.diagnose.checks import cuda_beside
from provisioner.diagnose.cuda_files import Copy
from provisioner.environment.distributions import Installed
from provisioner.host import files
from provisioner.model.finding import Confidence, Evidence, Remedy, Repair, Severity
from provisioner.remedies.variables import assigned
from provisioner.verify.judge_gpu import cudnn_fits, refusal


def libraries(case: Case, findings: Findings) -> str:
    """Every library without which TensorFlow skips the GPUs: found, from where, and as new as the one it was built with."""
    severity, why = cuda_files.matters(case)
    if severity is None:
        raise Skipped(why)
    if not tensorflow.framework(case) and case.libraries is None:
        raise CouldNotTell("TensorFlow's library, which opens them, is not there")
    loader = cuda_files.loader_of(case)
    found = cuda_files.required(case, loader)
    if not found:
        raise CouldNotTell("which libraries this TensorFlow opens is not known")
    for copy in found:
        if copy.missing:
            _lost(case, copy, severity, findings)
        else:
            _taken(case, copy, severity, findings)
    lost = [copy.soname for copy in found if copy.missing]
    how = "by TensorFlow's loader" if case.libraries is not None and case.libraries.done else "where TensorFlow's loader looks"
    return f"{len(found) - len(lost)} of {len(found)} required libraries found {how}" + (f"; not {', '.join(lost)}" if lost else "")


def _lost(case: Case, copy: Copy, severity: Severity, findings: Findings) -> None:
    """A library that is not found: damaged, there under another version, there but not looked for, or nowhere."""
    if copy.fault:
        _damaged(case, copy, findings)
        return
    lost = copy.missing
    evidence = [
        Evidence(seen=f"{lost} is not found by TensorFlow's loader" + _for(copy), where=copy.needed_by or tensorflow.framework(case))
    ]
    own = cuda_files.own_copy(case, lost)
    link = cuda_files.link_for(case, lost)
    if own and link is not None:
        evidence.append(Evidence(seen="it is there, but not where this build looks, and the link that leads to it is missing", where=own))
        _add_missing(case, lost, severity, evidence, (cuda_files.link_repair(case, link),), None, findings)
        return
    repairs = cuda_files.shown(case) if own else ()
    if repairs:
        evidence.append(Evidence(seen="it is there, and nothing tells Windows to look there", where=own))
        _add_missing(case, lost, severity, evidence, repairs, None, findings)
        return
    others = [path for path in cuda_files.elsewhere(case, lost) if posixpath.basename(path) != lost]
    same = own or next((path for path in cuda_files.elsewhere(case, lost) if posixpath.basename(path) == lost), "")
    if same:
        evidence.append(Evidence(seen="a file of that name is not where this build looks", where=same))
    name, release = cuda_files.wanted_package(case, lost)
    packages = cuda_files.packages(case, lost)
    repairs = cuda_files.by_conda(case, lost, f"it brings {lost}") if not own else ()
    if not repairs and name and tensorflow.purpose(case).device == "cuda" and not own:
        repairs = (Repair(kind="restore", name=name, version=release, reason=f"{name} {release} brings {lost}"),)
    if others and not same and (packages or not repairs):
        _other_version(case, lost, others, packages, severity, evidence, repairs, findings)
        return
    remedy = _by_path(case, same) if same and not repairs else None
    _add_missing(case, lost, severity, evidence, repairs, remedy, findings)


def _for(copy: Copy) -> str:
    return f" ({copy.soname} needs it)" if copy.missing != copy.soname else ""


def _add_missing(
    case: Case,
    lost: str,
    severity: Severity,
    evidence: list[Evidence],
    repairs: tuple[Repair, ...],
    remedy: Remedy | None,
    findings: Findings,
) -> None:
    purpose = tensorflow.purpose(case)
    because = (
        [tensorflow.evidence_of(purpose)] if purpose.device else [Evidence(seen="an NVIDIA GPU answers", where=case.facts.gpus.source)]
    )
    cause = "cudnn-missing" if cuda_files.kind(lost) == "cudnn" else "cuda-libs-missing"
    findings.add(cause, severity, "certain", *evidence, *because, repairs=repairs, remedy=remedy)


def _by_path(case: Case, path: str) -> Remedy:
    folder = posixpath.dirname(path)
    if case.windows:
        step = assigned("PATH", f"{folder.replace('/', chr(92))};%PATH%", windows=True)
        return alternative.remedy("let Windows look in the folder that has it, before Python starts", step)
    before = tensorflow.variable(case, "LD_LIBRARY_PATH")
    value = f"{folder}:$LD_LIBRARY_PATH" if before else folder
    return alternative.remedy("let the loader look in the folder that has it, before Python starts", f"export LD_LIBRARY_PATH={value}")


def _other_version(
    case: Case,
    lost: str,
    others: list[str],
    packages: tuple[Installed, ...],
    severity: Severity,
    evidence: list[Evidence],
    repairs: tuple[Repair, ...],
    findings: Findings,
) -> None:
    cuda = cuda_files.build_of(case)
    for path in others[:3]:
        version = cuda_files.version(case, path, posixpath.basename(path)) or "of an unknown version"
        evidence.append(Evidence(seen=f"{posixpath.basename(path)} {version} is there instead", where=path))
    if cuda is not None:
        cudnn = f" and cuDNN {cuda.cudnn}" if cuda_files.kind(lost) == "cudnn" else ""
        evidence.append(
            Evidence(seen=f"TensorFlow {_release(case)} was built with CUDA {cuda.version}{cudnn}", where="the profile of the release")
        )
    evidence += [Evidence(seen=f"{item.name} {item.version} is installed", where=item.metadata) for item in packages]
    wrong = tuple(
        Repair(kind="remove", name=item.name, version=item.version, reason=f"{item.name} is for another CUDA than this build's")
        for item in packages
        if repairs and item.name != repairs[0].name
    )
    cause = "cudnn-version-mismatch" if cuda_files.kind(lost) == "cudnn" else "cuda-version-mismatch"
    findings.add(cause, severity, "certain", *evidence, repairs=(*wrong, *repairs))


def _release(case: Case) -> str:
    return case.release.version if case.release is not None else "of this version"


def _damaged(case: Case, copy: Copy, findings: Findings) -> None:
    """A file that is there and cannot be loaded; which one, the loader's own order tells."""
    loader = cuda_files.loader_of(case)
    path = copy.at or loader.find(copy.missing, (loader.program, copy.needed_by or tensorflow.framework(case))).path
    seen = Evidence(seen=refusal(copy.missing, copy.fault), where=path)
    if "permission" in copy.fault.lower():
        findings.add("permission-denied", "error", "certain", seen)
        return
    name, release = cuda_files.wanted_package(case, copy.missing)
    inside = cuda_files.inside(case, path)
    mendable = name and inside
    repairs = conda.bringing(case, files.real(case.reader, path), f"{copy.missing} is damaged")
    if not repairs and mendable:
        repairs = (Repair(kind="restore", name=name, version=release, reason=f"{copy.missing} is damaged"),)
    remedy = None if inside or not case.windows else _out_of_the_way(path)
    findings.add("install-corrupt" if inside else "environment-leak", "error", "certain", seen, repairs=repairs, remedy=remedy)


def _out_of_the_way(path: str) -> Remedy:
    """A DLL of the machine's that Windows comes to before the environment's, and refuses."""
    words = (
        "take that file away: Windows comes to it before the environment's (in a terminal of an administrator, where it is Windows' folder)"
    )
    name = posixpath.basename(path)
    return alternative.remedy(words, f'ren "{path.replace("/", chr(92))}" {name}.old')


def _taken(case: Case, copy: Copy, severity: Severity, findings: Findings) -> None:
    """A library that is found: from the environment, and not older than what the build was made with."""
    own = cuda_files.own_copy(case, copy.soname)
    leak = bool(own) and not copy.inside
    unfit = _unfit(case, copy)
    if leak:
        mine = cuda_files.version(case, own, copy.soname) or "of an unknown version"
        first = f"{copy.soname} {copy.version or 'of an unknown version'} is taken from outside the environment"
        evidence = (
            Evidence(seen=first + (f" ({copy.by})" if copy.by else ""), where=copy.path),
            Evidence(seen=f"the environment's own, {mine}, is passed over", where=own),
        )
        told: Severity = severity if unfit else "warning"
        findings.add("environment-leak", told, "certain", *evidence, repairs=cuda_files.shown(case), remedy=_out(case, copy))
    if unfit is not None:
        cause, grave, confidence, words = unfit
        seen = Evidence(seen=words, where=copy.path)
        remedy = _out(case, copy) if not copy.inside and copy.by == "LD_LIBRARY_PATH" else None
        repairs = () if leak else _restore(case, copy)
        findings.add(cause, severity if grave else "warning", confidence, seen, repairs=repairs, remedy=remedy)


def _unfit(case: Case, copy: Copy) -> tuple[str, bool, Confidence, str] | None:
    """Whether a library is too old for the build, or of another major: cause, whether TensorFlow refuses it, how sure, and in words."""
    cuda = cuda_files.build_of(case)
    if cuda is None or not copy.version:
        return None
    if bare(copy.soname) == "cudnn" and not cudnn_fits(copy.version, cuda.cudnn):
        return (
            "cudnn-version-mismatch",
            True,
            "certain",
            f"cuDNN {copy.version} is found, TensorFlow {_release(case)} was built with {cuda.cudnn}",
        )
    if bare(copy.soname) == "cudart" and _older(copy.version, cuda.version):
        return (
            "cuda-version-mismatch",
            False,
            "likely",
            f"CUDA {copy.version} is found, TensorFlow {_release(case)} was built with {cuda.version}",
        )
    return None


def _older(have: str, want: str) -> bool:
    return bool(have) and len(numbers(have)) > 1 and numbers(have)[:2] < numbers(want)[:2]


def _restore(case: Case, copy: Copy) -> tuple[Repair, ...]:
    name, release = cuda_files.wanted_package(case, copy.soname)
    if copy.inside and (owned := conda.bringing(case, files.real(case.reader, copy.path), f"{copy.soname} does not fit")):
        return owned
    if not name or tensorflow.purpose(case).device != "cuda" or (not copy.inside and cuda_files.packages(case, copy.soname)):
        return ()
    return (Repair(kind="restore", name=name, version=release, reason=f"{name} {release} fits this TensorFlow"),)


def _out(case: Case, copy: Copy) -> Remedy:
    folder = posixpath.dirname(copy.path)
    if copy.by != "LD_LIBRARY_PATH":
        return alternative.remedy(f"take {folder} out of what the loader searches before the environment (see the evidence)")
    return tensorflow.without_folder(
        case, folder, "LD_LIBRARY_PATH puts libraries of the system before those of the environment: take the folder out"
    )


CHECKS = (
    CheckSpec(
        name="cuda-libraries", title="CUDA and cuDNN are found, from the environment, in the right version", look=libraries, installed=True
    ),
    *cuda_beside.CHECKS,
)
