"""The check of a notebook that was named: which kernel it asks Jupyter for, and whether that is this environment."""

from __future__ import annotations

import posixpath
import shlex

from provisioner.causes.findings import Findings
from provisioner.diagnose.case import Case, CheckSpec, Skipped
from provisioner.diagnose.checks.kernels import own
from provisioner.environment.kernels import NAME, NATIVE, Kernel, Notebook, find
from provisioner.host import files
from provisioner.model.finding import Evidence, Remedy

MISSING = "The notebook asks for a kernel that is not here"
ELSEWHERE = "The notebook's kernel is not this environment"
BARE = "The notebook's kernel cannot start: ipykernel is not in the environment"
# What Jupyter itself comes as.
_JUPYTERS = ("jupyter-server", "notebook")


def notebook(case: Case, findings: Findings) -> str:
    """The kernel that the notebook names starts this environment's Python."""
    given = case.notebook
    if given is None:
        raise Skipped("no notebook was named")
    if not case.env:
        raise Skipped("no environment is examined")
    if not given.kernel:
        return "it names no kernel: Jupyter asks for one when it is opened"
    found = find(case.reader, given.kernel, case.env)
    if found is None and given.kernel.lower() != NATIVE:
        seen = Evidence(seen=f"it names the kernel `{given.kernel}`, which is in none of Jupyter's folders here", where=given.path)
        findings.add("wrong-environment", "error", "certain", seen, title=MISSING, remedy=_registering(case, given.kernel))
        return f"`{given.kernel}`, which is not here"
    if found is None or not found.env:
        return _native(case, findings, given)
    return _own(case, findings, given, found)


def _native(case: Case, findings: Findings, given: Notebook) -> str:
    """A kernel without a place of its own is the Python that Jupyter runs in."""
    if any(case.first(name) is not None for name in _JUPYTERS):
        return f"`{given.kernel}`: this environment, where its own Jupyter is started"
    seen = Evidence(
        seen=f"it names the kernel `{given.kernel}`, the Python that Jupyter itself runs in, and this environment has no Jupyter",
        where=given.path,
    )
    findings.add("wrong-environment", "error", "likely", seen, title=ELSEWHERE, remedy=_registering(case, ""))
    return f"`{given.kernel}`: the Python that Jupyter runs in, which is not this environment"


def _own(case: Case, findings: Findings, given: Notebook, found: Kernel) -> str:
    if not own(case, found.python):
        gone = "" if files.there(case.reader, found.python) else ", which is not there"
        seen = [
            Evidence(seen=f"it names the kernel `{given.kernel}`", where=given.path),
            Evidence(seen=f"that kernel starts {found.python}{gone}", where=found.path),
        ]
        findings.add("wrong-environment", "error", "certain", *seen, title=ELSEWHERE, remedy=_registering(case, ""))
        return f"`{given.kernel}`: {found.env}, which is not this environment"
    if case.first("ipykernel") is None:
        seen = [Evidence(seen="ipykernel, which the kernel starts, is not installed", where=case.env)]
        findings.add("wrong-environment", "error", "certain", *seen, title=BARE, remedy=_registering(case, given.kernel))
        return f"`{given.kernel}`: this environment, without ipykernel"
    return f"`{given.kernel}`: this environment"


def _registering(case: Case, name: str) -> Remedy:
    """A kernel of this environment, under the notebook's own name where nothing else has it."""
    option = f" --name {name}" if NAME.fullmatch(name) else ""
    chosen = "" if option else "; then choose it in the notebook's menu"
    step = f"tfsetup kernel --env {shlex.quote(case.env)}{option}"
    words = f"Register a kernel of this environment ({posixpath.basename(case.env)}){chosen}"
    return Remedy(words=words, steps=(step,), why="a notebook runs in the Python of its kernel, whichever one the terminal has")


CHECKS = (CheckSpec(name="notebook", title="the notebook's kernel is this environment", look=notebook),)
