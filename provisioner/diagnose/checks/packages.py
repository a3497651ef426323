"""Checks of the packages that are installed: one TensorFlow, what tfsetup has put there, and what all of them require."""

from __future__ import annotations

import string

from provisioner.base.names import is_rival
from provisioner.base.versions import contains
from provisioner.catalogue.fits import Misfit
from provisioner.causes.findings import Findings
from provisioner.diagnose import import_result, packages
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.environment.distributions import Installed
from provisioner.judge.requirements import Unmet, unmet
from provisioner.model.finding import Confidence, Evidence, Remedy, Repair, Severity
from provisioner.remedies.kept import installs
from provisioner.verify.judge_packages import cause_of


def requirements(case: Case, findings: Findings) -> str:
    """TensorFlow, and what it needs, have what their own metadata requires."""
    owner = _owner(case)
    needed = packages.needed(case)
    missing = not_met(case)
    # What a package that does not belong here asks for, need not be there.
    strangers = ill_fitting(case) | {item.name for item in packages.tensorflows(case) if item.name != owner.name}
    ours = [item for item in missing if item.distribution in needed and item.distribution not in strangers]
    for item in ours:
        _add_unmet(case, item, findings, direct=is_rival(item.distribution))
    others = [item for item in missing if item.distribution not in needed and _is_here(case, item.distribution)]
    own = {item.distribution for item in others if _is_own(case, item.distribution)}
    remedy = _change(case, others) if len(own) == len({item.distribution for item in others}) else None
    for item in others:
        seen = Evidence(seen=item.sentence, where=_where(case, item.distribution))
        wants = () if item.distribution in own else _wanted(case, item)
        repairs = _for_other(case, item)
        findings.add("dependency-incompatible", "warning", "certain", seen, title=OTHERS, repairs=repairs, wants=wants, remedy=remedy)
    if ours or others:
        return f"{len(ours) + len(others)} not met: {(*ours, *others)[0].sentence}"
    return "every package is there that another one requires, in a version that its metadata admits"


def _is_own(case: Case, name: str) -> bool:
    """Whether a package came from a folder or an address (PEP 610): an index may have something else under its name."""
    found = case.first(name)
    return found is not None and found.direct


def _change(case: Case, missing: list[Unmet]) -> Remedy | None:
    """What only who wrote it can change; None where there is nothing of that kind."""
    if not missing:
        return None
    names = " and ".join(dict.fromkeys(item.distribution for item in missing))
    asks = ", ".join(dict.fromkeys(item.requirement for item in missing))
    return Remedy(
        words=f"Change what {names} asks for ({asks}) where it came from, and install it anew; or let the other package be as it asks",
        steps=(installs(case.keeper, (), windows=case.windows),) if case.keeper is not None else (),
        why=f"{names} did not come from an index, which may have something else under that name",
    )


def _is_here(case: Case, name: str) -> bool:
    """Whether a package is the environment's own: what the base or a user's folder brings is not judged."""
    found = case.first(name)
    return found is not None and (not case.env or found.origin == "environment")


def _for_other(case: Case, item: Unmet) -> tuple[Repair, ...]:
    """What gives a package beside TensorFlow what it requires: the set's version where that meets it, else what the index has for both.

    Where it asks for what the set does not have, that is another version of it, which is looked for around the set (``repair.restored``).
    """
    if _refuses_set(case, item):
        return again(case, item.distribution, item.sentence)
    if _in_set(case, item.name):
        return restore(case, item.name, item.sentence)
    if item.name == "python" or is_rival(item.name):
        return ()
    anew = again(case, item.distribution, item.sentence)
    return (*anew, Repair(kind="restore", reason=item.sentence, name=item.name)) if anew and item.found else anew


def _in_set(case: Case, name: str) -> str:
    """The version that the known-good set has of a package, "" where it has none."""
    return next((file.version for file in case.lock.files if file.name == name), "") if case.lock else ""


def _refuses_set(case: Case, item: Unmet) -> bool:
    """Whether a package asks for what the known-good set has, in another version."""
    version = _in_set(case, item.name)
    return bool(version) and not contains(item.requirement.lstrip(NAME_LETTERS), version, prereleases=True)


def promised(case: Case, findings: Findings) -> str:
    """Every package that an earlier run has put there is still there; in another version it may be."""
    if case.receipt is None:
        raise Skipped("tfsetup did not make it")
    # Nothing where another TensorFlow came since by other means, with what goes with that.
    names = case.expected.packages
    if not names:
        raise Skipped(f"TensorFlow {case.expected.tensorflow} is there, and tfsetup had put {case.receipt.plan.choice.release} there")
    keeper = case.keeper
    for name in sorted(names.keys() - {item.name for item in case.distributions}):
        if keeper is not None and keeper.locked and name not in keeper.locked:
            # Who keeps it has taken that out, and does so again.
            continue
        seen = Evidence(seen=f"{name} {names[name]}, which tfsetup has installed, is not there any more", where=case.env)
        repairs = restore(case, name, seen.seen) or (Repair(kind="restore", reason=seen.seen, name=name, version=names[name]),)
        cause = "tf-not-installed" if is_rival(name) else "install-corrupt"
        severity = import_result.breaking(case)[0] if is_rival(name) else "warning"
        findings.add(cause, severity, "certain", seen, repairs=repairs, wants=(f"{name}=={names[name]}",))
    return f"{len(names)} packages of the receipt"


def not_met(case: Case) -> list[Unmet]:
    """Every requirement of an installed distribution that is not met, under whatever name TensorFlow goes."""
    installed = tuple(_installed(item) for item in packages.first_of(case).values())
    return [item for item in unmet(installed, packages.markers(case)) if not item.note]


def ill_fitting(case: Case) -> frozenset[str]:
    """The installed packages that do not go with the TensorFlow that is there, by metadata or by what is known."""
    needed = packages.needed(case)
    named = {item.name for item in not_met(case) if item.found and item.distribution in needed}
    return frozenset(named | {item.name for _, item in known_misfits(case)} if case.expected.tensorflow else named)


# What a name of a distribution is made of (PEP 508).
NAME_LETTERS = string.ascii_letters + string.digits + "-_."
OTHERS = "Packages beside TensorFlow do not have what they require"


def _owner(case: Case) -> Installed:
    owner = packages.tensorflow(case)
    if owner is None:
        raise CouldNotTell("no distribution of TensorFlow is installed")
    return owner


def _installed(item: Installed) -> Installed:
    return Installed(
        name=item.name,
        version=item.version,
        metadata=item.metadata,
        site=item.site,
        requires=item.requires,
        requires_python=item.requires_python,
    )


def _add_unmet(case: Case, item: Unmet, findings: Findings, *, direct: bool) -> None:
    """A requirement that is not met is an error where the import failed, or would fail for want of the package; else a warning."""
    works = import_result.works(case)
    always = item.name in case.fits.imported and item.name not in case.fits.not_always
    severity: Severity = "warning"
    confidence: Confidence = "possible"
    if works is False:
        severity, confidence = "error", "likely" if direct or not item.found else "possible"
    elif works is None and direct and item.name in case.fits.imported:
        severity, confidence = "error", "certain" if not item.found and always else "likely"
    if is_rival(item.name) and not item.found and not works:
        # The build that holds the module, which TensorFlow's own distribution only names here: without it there is nothing to import.
        severity, confidence = "error", "certain"
    if works and not item.found and not always:
        # What is never imported is not missed by TensorFlow; what else is there may miss it.
        severity = "warning"
    cause = "python-unsupported" if item.name == "python" else cause_of(item.name)
    if is_rival(item.name):
        cause = "extension-abi-mismatch" if item.found else "tf-not-installed"
    evidence = Evidence(seen=item.sentence, where=_where(case, item.distribution))
    repairs = restore(case, item.name, item.sentence) if severity != "info" else ()
    findings.add(cause, severity, confidence, evidence, repairs=repairs, wants=_wanted(case, item))


def _wanted(case: Case, item: Unmet) -> tuple[str, ...]:
    """What would meet a requirement; where it is not TensorFlow, or what goes with it, another release of the package that asks: these stay."""
    if item.name == "python":
        return ()
    if is_rival(item.name):
        return (item.distribution,) if packages.tensorflow(case) is not None else (item.wanted,)
    if not _refuses_set(case, item):
        return (item.wanted,)
    # What TensorFlow goes with stays: an installer that is told of both finds the version that does.
    stays = item.found if item.found and item.name not in ill_fitting(case) else _in_set(case, item.name)
    return (item.distribution, f"{item.name}=={stays}")


def _where(case: Case, name: str) -> str:
    found = case.first(name)
    return found.metadata if found else ""


def restore(case: Case, name: str, why: str) -> tuple[Repair, ...]:
    """Put the set's version of a package back; nothing where the set has none, or where the package at fault is not the environment's own."""
    found = case.first(name)
    if found is not None and case.env and found.origin != "environment":
        return ()
    version = _in_set(case, name)
    return (Repair(kind="restore", reason=why, name=name, version=version),) if version else ()


def again(case: Case, name: str, why: str) -> tuple[Repair, ...]:
    """Put a package that is not of the set back as it is, with what it requires and is not there; nothing for what came from no index."""
    found = case.first(name)
    if found is None or not _is_here(case, name) or found.direct or is_rival(name) or not found.version or case.lock is None:
        return ()
    return (Repair(kind="restore", reason=why, name=name, version=found.version),)


def known_misfits(case: Case) -> list[tuple[Misfit, Installed]]:
    """The rules of misfits that apply, each with the package that it is about."""
    version, running = release(case), packages.python(case)
    there = packages.first_of(case)
    return [(rule, item) for name, item in there.items() for rule in case.fits.known_bad(name, item.version, version, running)]


def release(case: Case) -> str:
    """Return the release of TensorFlow that is meant, or is there; raises ``CouldNotTell``."""
    version = case.expected.tensorflow or _owner(case).version
    if not version:
        raise CouldNotTell("the release of TensorFlow cannot be told")
    return version


def rivals(case: Case, findings: Findings) -> str:
    """One distribution owns the tensorflow folder, and nothing of another is left in it."""
    owners = [item for item in packages.tensorflows(case) if not _is_shell(case, item)]
    here = [item for item in owners if item.site == owners[0].site]
    names = list(dict.fromkeys(f"{item.name} {item.version}" for item in here))
    if len({item.name for item in here}) > 1:
        kept = _kept(case, here)
        evidence = [Evidence(seen=f"{item.name} {item.version} owns the tensorflow folder", where=item.metadata) for item in here]
        gone = [item for item in here if item.name != kept.name]
        repairs = [Repair(kind="remove", reason=f"{kept.name} stays", name=item.name, version=item.version) for item in gone]
        repairs.append(Repair(kind="restore", reason="both owned its files", name=kept.name, version=kept.version))
        findings.add("conflicting-tf-packages", "error", "certain", *evidence, repairs=tuple(repairs))
        return " and ".join(names)
    return names[0] if names else "no distribution of TensorFlow is installed"


def _is_shell(case: Case, item: Installed) -> bool:
    """A distribution without a tensorflow folder of its own: ``tensorflow`` on Windows and aarch64 only requires the one that has it."""
    needs = [text for text in item.requires if is_rival(text.split("=")[0].split(";")[0].split(" ")[0].strip().lower())]
    if not needs:
        return False
    return bool(case.integrity.owners) and item.name not in case.integrity.owners


def _kept(case: Case, owners: list[Installed]) -> Installed:
    """Which of several stays: the plan's, else the catalogue's of that release, else the one that was not named by mistake."""
    planned = [item for item in owners if case.expected.packages.get(item.name) == item.version]
    known = [
        item
        for item in owners
        if case.build is not None and item.name in case.build.packages.values() and item.version == case.expected.tensorflow
    ]
    plain = [item for item in owners if item.name in {"tensorflow", "tensorflow-cpu"}]
    return (planned or known or plain or owners)[0]


CHECKS = (
    CheckSpec(name="rivals", title="one distribution owns the tensorflow folder", look=rivals),
    CheckSpec(name="set", title="every package that tfsetup has installed is there", look=promised),
    CheckSpec(name="requirements", title="every package has what its metadata requires", look=requirements, installed=True),
)
