"""Checks of which Python really runs: Jupyter's kernels, and the commands of PATH.

Virtual environments set VIRTUAL_ENV and put their folder first in PATH (venv), conda sets CONDA_PREFIX.
"""

from __future__ import annotations

import posixpath
import re

from provisioner.base.paths import is_absolute, listed, spelt
from provisioner.causes.findings import Findings
from provisioner.diagnose import alternative, tensorflow
from provisioner.diagnose.case import Case, CheckSpec, Skipped
from provisioner.environment.kernels import INSIDE, NATIVE, Kernel, kernels_of
from provisioner.environment.layout import layout
from provisioner.host import files
from provisioner.model.finding import Evidence, Remedy

COMMANDS = ("pip", "pip3", "ipython", "jupyter")


def kernels(case: Case, findings: Findings) -> str:
    """Jupyter's kernels: one of the environment's, one that bears its name, or the default must start this interpreter."""
    found = tuple(kernels_of(case.reader, case.env))
    if not found:
        return "Jupyter has no Python kernel here"
    alien = [kernel for kernel in found if not own(case, kernel.python)]
    for kernel in alien:
        gone = not files.there(case.reader, kernel.python)
        starts = f"{kernel.name} ({kernel.title}) starts {kernel.python}" + (", which is not there" if gone else "")
        seen = Evidence(seen=f"the kernel {starts}", where=kernel.path)
        if kernel.place == INSIDE or (case.env and _bears_name(case, kernel)):
            findings.add("wrong-environment", "warning", "certain", seen, remedy=_register(case, kernel))
        elif kernel.name == NATIVE and _has_jupyter(case):
            findings.add("wrong-environment", "info", "possible", seen, remedy=_register(case, kernel))
    return f"{len(found)} kernels, {len(found) - len(alien)} of them start this interpreter"


def own(case: Case, python: str) -> bool:
    """Whether a path names an interpreter of the environment: by its folder, since every environment's is a link to the same file."""
    path = python.replace("\\", "/")
    if not case.env:
        return files.real(case.reader, path) == files.real(case.reader, case.python)
    folder = files.real(case.reader, posixpath.dirname(path))
    scripts = f"{case.env}/{layout(case.reader.platform).scripts}"
    return folder in {files.real(case.reader, posixpath.dirname(case.python)), files.real(case.reader, scripts)}


def _bears_name(case: Case, kernel: Kernel) -> bool:
    name = posixpath.basename(case.env.rstrip("/")).lower()
    generic = {"env", "venv", ".venv", "python", "python3", "base"}
    return name not in generic and name in {kernel.name.lower(), kernel.title.lower(), *re.findall(r"\(([^()]+)\)", kernel.title.lower())}


def _has_jupyter(case: Case) -> bool:
    return any(item.name in {"ipykernel", "jupyter-core", "jupyter-client"} for item in case.distributions)


def _register(case: Case, kernel: Kernel) -> Remedy:
    import shlex  # noqa: PLC0415 - only for a remedy

    name = posixpath.basename(case.env.rstrip("/")) or "tf"
    python = shlex.quote(case.python)
    name = kernel.name if kernel.place == INSIDE else re.sub(r"[^A-Za-z0-9._-]", "-", name)
    where = f"--prefix {shlex.quote(case.env)}" if kernel.place == INSIDE else "--user"
    return alternative.remedy(
        "register this interpreter as a kernel, and choose that one in the notebook (Kernel, Change kernel)",
        f"{python} -m pip install ipykernel",
        f"{python} -m ipykernel install {where} --name {shlex.quote(name)}",
    )


def commands(case: Case, findings: Findings) -> str:
    """Where the environment is active: `pip`, `jupyter` and `ipython` of PATH belong to it (`python`: ``interpreter.py``)."""
    active = next((value for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if (value := tensorflow.variable(case, name))), "")
    if not case.env:
        raise Skipped("no environment is examined")
    if not active or files.real(case.reader, active) != files.real(case.reader, case.env):
        raise Skipped("the environment is not active in this shell")
    path = tensorflow.variable(case, "PATH") or ""
    first = {name: found for name in COMMANDS if (found := _which(case, path, name))}
    for name, found in first.items():
        if own(case, found):
            continue
        mine = posixpath.join(posixpath.dirname(case.python), posixpath.basename(found))
        if files.there(case.reader, mine):
            words = f"`{name}` of PATH is another one, though the environment {case.env} is active and has its own"
            remedy = alternative.remedy(
                "activate the environment again, in a new shell, and look what puts another folder first in PATH", *_activate(case)
            )
            findings.add("wrong-environment", "warning", "certain", Evidence(seen=words, where=found), remedy=remedy)
        elif name in {"pip", "ipython", "jupyter"}:
            words = f"`{name}` of PATH is another Python's, for the active environment has none of its own"
            package = {"jupyter": "jupyterlab"}.get(name, name)
            how = f"{case.python} -m ensurepip" if name == "pip" else f"{case.python} -m pip install {package}"
            remedy = alternative.remedy(f"run it by the environment's own Python, or install {name} there", how)
            findings.add("wrong-environment", "info", "possible", Evidence(seen=words, where=found), remedy=remedy)
    return (
        "; ".join(f"{name} is {found}" for name, found in first.items()) + " (what a shell has hashed or aliased cannot be seen from here)"
    )


def _activate(case: Case) -> tuple[str, ...]:
    import shlex  # noqa: PLC0415 - only for a remedy

    if case.reader.platform == "win32":
        return (spelt(f"{case.env}/{layout('win32').activate}"),)
    script = f"{case.env}/bin/activate"
    return (f". {shlex.quote(script)}", "hash -r") if files.there(case.reader, script) else ("hash -r",)


def _which(case: Case, path: str, name: str) -> str:
    platform = case.reader.platform
    name = f"{name}.exe" if platform == "win32" else name
    folders = [folder for folder in listed(path, platform) if is_absolute(folder)]
    return next((f"{folder}/{name}" for folder in folders if files.there(case.reader, f"{folder}/{name}")), "")


CHECKS = (
    CheckSpec(name="kernels", title="Jupyter's kernels start this interpreter", look=kernels),
    CheckSpec(name="commands", title="the commands of PATH belong to the active environment", look=commands),
)
