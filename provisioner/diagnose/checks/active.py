"""Checks of what is meant: TensorFlow is where the interpreter looks, and the shell's python and pip are the environment's own."""

from __future__ import annotations

import posixpath

from provisioner.base.names import is_rival
from provisioner.base.versions import contains
from provisioner.causes.findings import Findings, Wording
from provisioner.diagnose import packages
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.environment import active as subject
from provisioner.environment.installation import is_installation
from provisioner.environment.layout import layout
from provisioner.host import files
from provisioner.model.finding import Evidence, Remedy, Repair, Way
from provisioner.remedies.starting import put_in
from provisioner.remedies.subject import quoted


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
    others, having = _elsewhere(case)
    restore = _restore(case)
    where = Evidence(seen="no distribution of TensorFlow is on its module path", where=case.python)
    if others:
        findings.add(
            "wrong-environment", "error", "likely", where, *others, remedy=_use(case, having, findings.wording) if having else None
        )
    else:
        findings.add("tf-not-installed", "error", "certain", where, repairs=restore)
    return "it is not installed"


def _restore(case: Case) -> tuple[Repair, ...]:
    """Where the receipt or what is left behind tells the release: install it again."""
    locked = case.lock.files if case.lock else ()
    own = next((file for file in locked if is_rival(file.name)), None)
    return (Repair(kind="restore", reason="it is not installed", name=own.name, version=own.version),) if own else ()


def _use(case: Case, env: str, wording: Wording) -> Remedy:
    """The environment that has it; else TensorFlow into the Python that ran."""
    into = put_in(wording.subject, wording.view)
    named = quoted(env, windows=case.windows)
    return Remedy(
        words="Use the environment that has it: the first line looks whether it is all right, the second starts a shell in it",
        steps=(f"tfsetup doctor --env {named}", f"tfsetup shell --env {named}"),
        why="TensorFlow is in another environment than the one that ran",
        others=(Way(words=f"Or {into.words[0].lower()}{into.words[1:]}", steps=into.steps, cost=into.cost), *into.others),
    )


def _elsewhere(case: Case) -> tuple[tuple[Evidence, ...], str]:
    """TensorFlow in what a person may take for this environment, and the first environment that has it, "" where none has.

    That is the active one, those in the working folder, the base's packages, the interpreter that pip belongs to.
    """
    named = {
        case.reader.env.get("VIRTUAL_ENV", ""): "the active virtual environment (VIRTUAL_ENV)",
        case.reader.env.get("CONDA_PREFIX", ""): "the active conda environment (CONDA_PREFIX)",
    }
    for path in subject.those_here(case.reader, case.cwd):
        named.setdefault(path, f"the environment {posixpath.basename(path)} in the working directory")
    found, having, seen = [], "", {case.env}
    if case.survey is not None and case.env:
        named.setdefault(case.survey.base_prefix, "the Python that this environment was made from")
    for folder, what in named.items():
        root = files.real(case.reader, folder) if folder else ""
        if not root or root in seen:
            continue
        seen.add(root)
        there = [site for site in subject.site_folders(case.reader, root) if packages.tensorflow_in(case, site)]
        found += [Evidence(seen=f"TensorFlow is installed in {what}", where=site) for site in there]
        if there and not is_installation(case.reader, root):
            having = having or root
    user = case.survey.user_site if case.survey else ""
    if user and case.survey and not case.survey.user_site_enabled and packages.tensorflow_in(case, user):
        found.append(Evidence(seen="TensorFlow is installed in the user's packages, which this interpreter does not use", where=user))
    return tuple(found), having


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
