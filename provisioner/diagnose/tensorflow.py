"""What several checks ask of a case: where TensorFlow's native files lie, whether it is a CUDA build, which device the environment is for."""

from __future__ import annotations

import posixpath
import re

from provisioner.base.names import OWN_FOLDERS, RELEASED, is_cpu_only
from provisioner.diagnose.case import Case
from provisioner.diagnose.packages import first_of
from provisioner.environment.tensorflow import Purpose, is_cuda_build, only_cpu
from provisioner.environment.tensorflow import purpose as purpose_of
from provisioner.host import files
from provisioner.model.catalogue import Build
from provisioner.model.finding import Evidence, Remedy, Severity

# What tells the package itself from a folder of stubs: its library (there is none on Windows), or what it says of its build.
SIGNS = ("libtensorflow_framework*", "python/platform/build_info.py")


def severity_without_gpu(meant: Purpose) -> Severity:
    """How grave it is when no GPU can be used."""
    return {"cuda": "error", "cpu": "info"}.get(meant.device, "warning")  # type: ignore[return-value]


def evidence_of(meant: Purpose) -> Evidence:
    """The purpose as evidence."""
    return Evidence(seen=f"the environment is made for {'CUDA' if meant.device == 'cuda' else 'the CPU'}", where=meant.why)


def variable(case: Case, name: str) -> str | None:
    """An environment variable as the user's programs have it; None when it is not set."""
    return case.reader.env.get(name, case.facts.variables.get(name))


def sites(case: Case) -> tuple[str, ...]:
    """The folders of installed packages that the interpreter sees, best first."""
    found = [item.site for item in case.distributions if item.origin != "stdlib"]
    return tuple(dict.fromkeys(site for site in found if site))


def folder(case: Case) -> str:
    """The folder with TensorFlow's native libraries; "" where there is none."""
    named = case.survey.modules.get("tensorflow", "") if case.survey is not None else ""
    above = [posixpath.dirname(posixpath.dirname(named))] if named.endswith("/tensorflow/__init__.py") else []
    for site in (*above, *sites(case)):
        for package in OWN_FOLDERS:
            if any(files.matches(case.reader, f"{files.glob_escape(site)}/{package}/{sign}") for sign in SIGNS):
                return f"{site}/{package}"
    return ""


def site_of(case: Case) -> str:
    """The site-packages folder in which TensorFlow lies; "" where there is none."""
    return posixpath.dirname(folder(case))


def native(case: Case) -> tuple[str, ...]:
    """TensorFlow's own libraries, the one that opens CUDA's first."""
    package = folder(case)
    if not package:
        return ()
    names = (
        "libtensorflow_framework.so*",
        "libtensorflow_cc.so*",
        "python/_pywrap_tensorflow_internal.so",
        "python/_pywrap_tensorflow_common.so*",
    )
    found = [path for name in names for path in files.matches(case.reader, f"{files.glob_escape(package)}/{name}")]
    return tuple(path for path in found if re.search(r"\.so(\.\d+)*$", path))


def framework(case: Case) -> str:
    """The library whose loader opens CUDA's libraries; "" where there is none."""
    return next((path for path in reversed(native(case)) if "/libtensorflow_framework.so" in path), "")


def cuda_build(case: Case) -> bool | None:
    """Whether the TensorFlow that is there was built with CUDA; None where nothing says so."""
    site = site_of(case)
    said = is_cuda_build(case.reader, site) if site else None
    if said is not None:
        return said
    known = build(case)
    if known is None:
        return None
    if only_cpu(installed(case), known):
        return False
    return True if installed(case) == known.packages.get("cuda") else None


def build(case: Case) -> Build | None:
    """What the catalogue knows of the build that is there. It describes the wheels of PyPI: conda's packages are compiled otherwise."""
    name = installed(case)
    return None if any(item.name == name and item.installer == "conda" for item in case.distributions) else case.build


def installed(case: Case) -> str:
    """The name of the distribution that TensorFlow was installed as; "" where there is none."""
    real = [item.name for item in case.distributions if item.name in RELEASED]
    # On Windows and aarch64 `tensorflow` is a shell around a distribution of another name.
    return next((name for name in real if is_cpu_only(name)), real[0] if real else "")


def purpose(case: Case) -> Purpose:
    """Tell the device by the receipt or the plan, else by what is installed (``environment.tensorflow.purpose``)."""
    if case.receipt is None and case.expected.device:
        return Purpose(device=case.expected.device, why="the plan")
    conda = case.integrity.conda
    of_conda = {item.name: item.version for item in conda.records} if conda is not None else {}
    return purpose_of({name: item.version for name, item in first_of(case).items()}, case.receipt, of_conda)


def without_folder(case: Case, folder: str, words: str) -> Remedy:
    """Say how LD_LIBRARY_PATH is set without a folder, for the shell that a person has."""
    import shlex  # noqa: PLC0415 - only for a remedy

    rest = [
        part
        for part in (variable(case, "LD_LIBRARY_PATH") or "").split(":")
        if part and posixpath.normpath(part) != posixpath.normpath(folder)
    ]
    step = f"export LD_LIBRARY_PATH={shlex.quote(':'.join(rest))}" if rest else "unset LD_LIBRARY_PATH"
    return Remedy(words=f"{words}, in the shell and in the file that sets it (~/.bashrc, ~/.profile, a module)", steps=(step,))
