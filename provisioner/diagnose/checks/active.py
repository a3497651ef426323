"""Checks of what is meant: TensorFlow is where the interpreter looks, and the shell's python and pip are the environment's own."""

from __future__ import annotations

import posixpath

from provisioner.base.names import is_rival
from provisioner.base.versions import contains
from provisioner.causes.findings import Findings
from provisioner.diagnose import packages
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.environment import active as subject
from provisioner.environment.layout import layout
from provisioner.host import files
from provisioner.model.finding import Evidence, Repair


def active(case: Case, findings: Findings) -> str:
    """What a shell calls ``python`` and ``pip`` is the environment's own."""
    if not case.env:
        raise Skipped("no environment is examined")
    folder = posixpath.join(case.env, layout(case.reader.platform).scripts)
    activated = case.reader.env.get("VIRTUAL_ENV", "")
    found = case.reader.which("python") or case.reader.which("python3") or ""
    if activated and files.real(case.reader, activated) == case.env and found and not _in_folder(case, found, folder):
        seen = Evidence(seen=f"VIRTUAL_ENV is {activated}, but `python` is {found}", where="PATH")
        findings.add("wrong-environment", "warning", "likely", seen)
    return f"{found or 'no python'} is the first on PATH"


def _in_folder(case: Case, path: str, folder: str) -> bool:
    return files.real(case.reader, posixpath.dirname(path)) == files.real(case.reader, folder)


def chosen(case: Case, findings: Findings) -> str:
    """TensorFlow is installed where the interpreter looks."""
    owner = packages.tensorflow(case)
    if owner is not None:
        return f"{owner.name} {owner.version} in {owner.site}"
    if packages.package_folders(case):
        return f"a tensorflow folder without a distribution, {packages.package_folders(case)[0]}"
    if case.survey is None and not packages.folders(case):
        raise CouldNotTell(f"{case.unanswered}, and no packages are there")
    hidden = next((path for site in packages.folders(case) if (path := packages.tensorflow_in(case, site))), "")
    if hidden:
        raise CouldNotTell(f"{hidden} is there, where the interpreter does not look")
    left = [fault for fault in case.integrity.faults if fault.kind == "leftover" and "nsorflow" in posixpath.basename(fault.path)]
    if left:
        seen = [Evidence(seen="what pip renamed before it was interrupted; nothing took its place", where=fault.path) for fault in left]
        findings.add("install-corrupt", "error", "certain", *seen, repairs=_restore(case))
        return "an interrupted pip took it away"
    others = _elsewhere(case)
    restore = _restore(case)
    where = Evidence(seen="no distribution of TensorFlow is on its module path", where=case.python)
    if others:
        findings.add("wrong-environment", "error", "likely", where, *others)
    else:
        findings.add("tf-not-installed", "error", "certain", where, repairs=restore)
    return "it is not installed"


def _restore(case: Case) -> tuple[Repair, ...]:
    """Where the receipt or what is left behind tells the release: install it again."""
    locked = case.lock.files if case.lock else ()
    own = next((file for file in locked if is_rival(file.name)), None)
    return (Repair(kind="restore", reason="it is not installed", name=own.name, version=own.version),) if own else ()


def _elsewhere(case: Case) -> tuple[Evidence, ...]:
    """TensorFlow in what a person may take for this environment: the active one, the base's packages, the interpreter that pip belongs to."""
    named = {
        "the active virtual environment (VIRTUAL_ENV)": case.reader.env.get("VIRTUAL_ENV", ""),
        "the active conda environment (CONDA_PREFIX)": case.reader.env.get("CONDA_PREFIX", ""),
        "the environment tf-env in the working directory": posixpath.join(case.cwd, "tf-env"),
    }
    if case.survey is not None and case.env:
        named["the Python that this environment was made from"] = case.survey.base_prefix
    found = []
    for what, folder in named.items():
        if not folder or files.real(case.reader, folder) == case.env:
            continue
        sites = subject.site_folders(case.reader, files.real(case.reader, folder))
        there = [site for site in sites if packages.tensorflow_in(case, site)]
        found += [Evidence(seen=f"TensorFlow is installed in {what}", where=site) for site in there]
    user = case.survey.user_site if case.survey else ""
    if user and case.survey and not case.survey.user_site_enabled and packages.tensorflow_in(case, user):
        found.append(Evidence(seen="TensorFlow is installed in the user's packages, which this interpreter does not use", where=user))
    return tuple(found)


def installer(case: Case, findings: Findings) -> str:
    """Pip is new enough to see the wheels of TensorFlow, where it is what did not install it."""
    pip = case.first("pip")
    wanted = case.fits.pip
    if pip is None or not wanted:
        raise Skipped("there is no pip")
    old = contains(f"<{wanted}", pip.version, prereleases=True)
    if old and not packages.tensorflows(case):
        seen = Evidence(seen=f"pip {pip.version} does not know the platform tags of TensorFlow's wheels, {wanted} does", where=pip.metadata)
        findings.add("pip-too-old", "error", "likely", seen)
    return f"pip {pip.version}" + (f" is older than {wanted}" if old else "")


CHECKS = (
    CheckSpec(name="installed", title="TensorFlow is installed where the interpreter looks", look=chosen),
    CheckSpec(name="active", title="python and pip of the shell are the environment's own", look=active),
    CheckSpec(name="pip", title="pip sees the wheels of TensorFlow", look=installer),
)
