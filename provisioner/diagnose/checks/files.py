"""Checks of the files against the packages' records: missing, damaged, left over, of nobody."""

from __future__ import annotations

import posixpath
import re

from provisioner.base.names import is_rival
from provisioner.causes.findings import Findings
from provisioner.diagnose import import_result, packages
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell
from provisioner.diagnose.checks.packages import again, restore
from provisioner.environment.distributions import Installed
from provisioner.environment.installation import of_the_system
from provisioner.environment.layout import layout
from provisioner.host import files
from provisioner.judge.comparing import DAMAGE, Fault
from provisioner.model.finding import Evidence, Remedy, Repair, Severity
from provisioner.remedies import Subject
from provisioner.remedies.ways import install, uninstall

SHOWN = 6
# What an import reads. Other files are changed on purpose at times: certificates are added to certifi's, data is thinned out.
CODE = re.compile(r"\.(py|pyd|dll|dylib|so)(\.\d+)*$")
PROGRAM = re.compile(r"\.(dll|exe|pyd)$", re.IGNORECASE)
BESIDE_THE_POINT = re.compile(r"/(include|tests?|testing|examples?)/|/bin/|\.dist-info/")


def records(case: Case, findings: Findings) -> str:
    """Every file that the packages record is there, with the recorded content."""
    state = case.integrity
    if not state.distributions:
        raise CouldNotTell("no distributions were found")
    needed = packages.needed(case)
    removed = _removed_by_rival(case, state.faults)
    if removed:
        _add_removed(case, removed, findings)
    groups: dict[tuple[str, Severity], list[Fault]] = {}
    for fault in state.faults:
        if fault.kind in DAMAGE and not (fault.distribution == removed and fault.kind == "missing"):
            groups.setdefault(_meaning(case, fault, needed), []).append(fault)
    for (cause, severity), found in groups.items():
        _add(case, cause, severity, found, findings)
    bad = sum(len(found) for found in groups.values())
    words = f"{state.files} files of {len(state.distributions)} packages by content"
    _as_published(state.faults, findings)
    return f"{words}; {bad} are not as recorded" if bad else words


def _as_published(faults: tuple[Fault, ...], findings: Findings) -> None:
    """A wheel that contradicts its own record was installed as it is, and nothing is wrong with it."""
    evidence = [Evidence(seen=f"{fault.detail} ({fault.distribution})", where=fault.path) for fault in faults if fault.kind == "published"]
    if evidence:
        findings.add("install-corrupt", "info", "certain", *evidence[:SHOWN], title=PUBLISHED)


PUBLISHED = "A wheel was published against its own record"


def writers(case: Case, findings: Findings) -> str:
    """No two packages have put a file of their own in one place: the last one wins, and the other one is broken.

    Beside what TensorFlow rests on that is a warning: it was so before anybody asked, and only a person knows which of the two is meant.
    """
    pairs: dict[tuple[str, str], list[Fault]] = {}
    needed = packages.needed(case)
    for fault in case.integrity.faults:
        if fault.kind == "two writers":
            pairs.setdefault((fault.distribution, fault.other), []).append(fault)
    for (lost, there), found in pairs.items():
        evidence = [Evidence(seen=fault.detail, where=fault.path) for fault in found[:SHOWN]]
        if len(found) > SHOWN:
            evidence.append(Evidence(seen=f"and {len(found) - SHOWN} more files of both", where=""))
        severity: Severity = "error" if needed & {lost, there} else "warning"
        remedy = _keep_one(case, lost, there, findings.wording.subject)
        findings.add("install-corrupt", severity, "certain", *evidence, title=BOTH, repairs=_apart(case, lost, there), remedy=remedy)
    return "; ".join(f"{there} over {lost}" for lost, there in pairs) or "each file is of one package"


BOTH = "Two packages write the same file"


def _keep_one(case: Case, lost: str, there: str, subject: Subject) -> Remedy:
    """Which of the two is meant, nobody but a person knows; the steps keep the one whose files are there."""
    words = f"Keep one of {lost} and {there}: uninstall the one that you do not need, and install the other one anew; these keep {there}"
    kept = case.first(there)
    wanted = f"{there}=={kept.version}" if kept is not None and kept.version else there
    return Remedy(words=words, steps=(uninstall(subject, lost), install(subject, wanted, options="--force-reinstall --no-deps")))


def _apart(case: Case, lost: str, there: str) -> tuple[Repair, ...]:
    """Take out the one that nothing requires, and install the other one anew; nothing where both are needed, or either could go.

    Where TensorFlow rests on neither, the one whose files are there is what this person's programs import by now, and stays.
    """
    required, needed = packages.required(case), packages.needed(case)
    free = [name for name in (lost, there) if name not in required and name not in needed]
    if len(free) != 1 or (free[0] == there and lost not in needed):
        return ()
    gone, kept = free[0], there if free[0] == lost else lost
    item, wanted = case.first(gone), restore_found(case, kept, f"{gone} has written files of {kept}")
    if item is None or not wanted:
        return ()
    return (Repair(kind="remove", reason=f"it has written files of {kept}", name=gone, version=item.version), *wanted)


def _meaning(case: Case, fault: Fault, needed: frozenset[str]) -> tuple[str, Severity]:
    works = import_result.works(case)
    if fault.distribution not in needed or not CODE.search(fault.path) or BESIDE_THE_POINT.search(fault.path):
        return "install-corrupt", "warning"
    cause = "permission-denied" if fault.kind == "unreadable" else "install-corrupt"
    if fault.kind == "content" and works is None:
        # Somebody may have changed a file on purpose; it is only wrong when something does not work.
        return cause, "warning"
    return cause, import_result.breaking(case)[0]


def _add(case: Case, cause: str, severity: Severity, found: list[Fault], findings: Findings) -> None:
    owners = list(dict.fromkeys(fault.distribution for fault in found))
    evidence = [Evidence(seen=f"{fault.detail} ({fault.distribution})", where=fault.path) for fault in found[:SHOWN]]
    if len(found) > SHOWN:
        evidence.append(Evidence(seen=f"and {len(found) - SHOWN} more files of {', '.join(owners[:SHOWN])}", where=""))
    evidence += _quarantine(case, found)
    repairs = tuple(repair for name in owners for repair in restore_found(case, name, "files of it are not as recorded"))
    # Without a set nothing is restored from it; the packages have to be named all the same, or TensorFlow is taken for the damaged one.
    items = [item for name in owners if (item := case.first(name)) is not None and item.version and not is_rival(name)]
    wants = tuple(f"{item.name}=={item.version}" for item in items) if len(items) == len(owners) else ()
    findings.add(cause, severity, "certain", *evidence, repairs=repairs, wants=wants)


def _quarantine(case: Case, found: list[Fault]) -> list[Evidence]:
    """What speaks for an antivirus program on Windows: programs and libraries are missing, and nothing else is."""
    windows = case.facts.windows
    if windows is None or not all(fault.kind == "missing" and PROGRAM.search(fault.path) for fault in found):
        return []
    known = windows.exclusions
    covered = next((path for path in known.value or () if f"{case.env}/".lower().startswith(f"{path.rstrip('/')}/".lower())), "")
    words = {
        "known": f"Microsoft Defender leaves {covered} alone" if covered else "Microsoft Defender examines this folder",
        "unknown": f"whether Microsoft Defender examines this folder is not known ({known.why})",
        "absent": known.why,
    }[known.status]
    seen = f"nothing but programs and libraries is missing, as where an antivirus program took them; {words}"
    return [Evidence(seen=seen, where=known.source or "Windows")]


def restore_found(case: Case, name: str, why: str) -> tuple[Repair, ...]:
    """Put a package back: the set's version, or its own where the set has none; TensorFlow itself keeps its name."""
    found = restore(case, name, why) or again(case, name, why)
    if found or not is_rival(name) or case.lock is None:
        return found
    item = case.first(name)
    return (Repair(kind="restore", reason=why, name=name, version=item.version),) if item else ()


def _removed_by_rival(case: Case, faults: tuple[Fault, ...]) -> str:
    """The TensorFlow distribution whose package and scripts are all gone while its record is there: the removal of a rival leaves that.

    Who deletes the folder by hand leaves the scripts in ``bin`` (``Scripts``), which both distributions record (facts/pitfalls.yaml,
    two-distributions-one-directory).
    """
    lost = [fault for fault in faults if fault.kind == "missing" and is_rival(fault.distribution)]
    entry = [fault for fault in lost if fault.path.endswith("/tensorflow/__init__.py")]
    programs = layout(case.reader.platform).scripts
    scripts = [fault for fault in lost if f"/{programs}/" in fault.path and "/site-packages/" not in fault.path]
    if not entry or not scripts:
        return ""
    name = entry[0].distribution
    there = files.matches(case.reader, f"{files.glob_escape(case.env)}/{programs}/saved_model_cli*") if case.env else ()
    return "" if there else name


def _add_removed(case: Case, name: str, findings: Findings) -> None:
    item = case.first(name)
    version = f" {item.version}" if item else ""
    words = f"the record of {name}{version} is there, but its files and its scripts are gone: another distribution that owned them too was removed"
    findings.add(
        "conflicting-tf-packages",
        "error",
        "likely",
        Evidence(seen=words, where=item.metadata if item else ""),
        repairs=restore_found(case, name, words),
    )


def metadata(case: Case, findings: Findings) -> str:
    """Every package is installed once and whole: nothing of an interrupted or unclean installation is left."""
    needed = packages.needed(case)
    said: list[str] = []
    for item in case.distributions:
        if item.damaged and not _by_other_means(case, item):
            severity: Severity = import_result.breaking(case)[0] if item.name in needed else "warning"
            said.append(f"{item.name}: {item.damaged}")
            why = f"its metadata is damaged: {item.damaged}"
            repairs = restore_found(case, item.name, why)
            seen = Evidence(
                seen=f"{item.name} {item.version}: {item.damaged}, as an interrupted installation leaves it", where=item.metadata
            )
            findings.add("install-corrupt", severity, "certain", seen, repairs=repairs)
    said += _twice(case, needed, findings)
    said += _leftovers(case, needed, findings)
    said += _unowned(case, findings)
    return "; ".join(said[:SHOWN]) if said else f"{len(case.distributions)} distributions, each once and whole"


def _by_other_means(case: Case, item: Installed) -> bool:
    """Conda and the systems' package managers keep records of their own instead of RECORD."""
    if item.damaged != "RECORD is missing":
        return False
    conda = case.integrity.conda
    return (conda is not None and item.metadata in conda.own) or item.origin != "environment" or of_the_system(case.reader, item)


def _twice(case: Case, needed: frozenset[str], findings: Findings) -> list[str]:
    """Two metadata folders of one name in one folder: an update that did not remove what was there."""
    places: dict[tuple[str, str], list[Installed]] = {}
    for item in case.distributions:
        if not of_the_system(case.reader, item):
            places.setdefault((item.site, item.name), []).append(item)
    said = []
    conda = case.integrity.conda.own if case.integrity.conda is not None else frozenset()
    for (_, name), items in places.items():
        # That pip has put one beside conda's is told with what to do by another check.
        own = not case.env or items[0].origin == "environment"
        if len(items) > 1 and (own or name in needed) and not any(item.metadata in conda for item in items):
            versions = " and ".join(item.version or "no version" for item in items)
            seen = [Evidence(seen=f"{name} is there twice, as {versions}", where=item.metadata) for item in items]
            gravity = import_result.breaking(case)[0] if name in needed else "warning"
            wanted = restore_found(case, name, "it is there twice")
            gone = [
                Repair(kind="remove", reason=f"{name} is there twice", name=name, version=item.version)
                for item in items
                if wanted and item.version != wanted[0].version
            ]
            findings.add("install-corrupt", gravity, "likely", *seen, repairs=(*gone, *wanted))
            said.append(f"{name} twice")
    return said


def _leftovers(case: Case, needed: frozenset[str], findings: Findings) -> list[str]:
    """Folders that pip renamed before it removed them: their first letters are signs (pip's ``AdjacentTempDirectory``)."""
    said = []
    for fault in case.integrity.faults:
        base = posixpath.basename(fault.path)
        if fault.kind != "leftover" or not base.startswith("~"):
            continue
        stem = re.sub(r"^[~\-.=%0-9]+", "", base).partition("-")[0].replace("_", "-").lower()
        ours = any(name.endswith(stem) and len(name) - len(stem) <= 3 for name in needed) or stem.endswith("ensorflow")  # noqa: PLR2004 - letters
        repair = Repair(kind="move away", reason="pip left it when it was interrupted", path=fault.path)
        severity: Severity = "warning"
        if ours and import_result.works(case) is False:
            severity = "error"
        findings.add(
            "install-corrupt", severity, "likely", Evidence(seen="left by an interrupted pip", where=fault.path), repairs=(repair,)
        )
        said.append(base)
    return said


def _unowned(case: Case, findings: Findings) -> list[str]:
    """A tensorflow folder without a distribution, and code in it that no distribution records."""
    if not packages.tensorflows(case):
        folders = [path for path in packages.package_folders(case) if packages.inside(case, path) or not case.env]
        for path in folders:
            empty = not files.there(case.reader, posixpath.join(path, "__init__.py"))
            words = "no distribution owns it" + (
                ", and it has no __init__.py: what a removal or an interrupted installation left" if empty else ""
            )
            gravity, confidence = import_result.breaking(case)
            moved = (Repair(kind="move away", reason=words, path=path),) if empty else ()
            found = case.expected.tensorflow
            wanted = restore(case, "tensorflow", words) or restore(case, "tensorflow-cpu", words) if found else ()
            findings.add("install-corrupt", gravity, confidence, Evidence(seen=words, where=path), repairs=(*moved, *wanted))
        return [f"{path} without a distribution" for path in folders]
    unrecorded = any(item.damaged for item in packages.tensorflows(case))
    strays = [fault for fault in case.integrity.faults if fault.kind == "stray" and not unrecorded]
    if strays:
        evidence = [
            Evidence(seen="belongs to no installed distribution, as an earlier release leaves it", where=item.path)
            for item in strays[:SHOWN]
        ]
        if len(strays) > SHOWN:
            evidence.append(Evidence(seen=f"and {len(strays) - SHOWN} more", where=""))
        repairs = tuple(Repair(kind="move away", reason="no distribution owns it", path=item.path) for item in strays)
        findings.add("install-corrupt", "error" if import_result.works(case) is False else "warning", "likely", *evidence, repairs=repairs)
    return [f"{len(strays)} stray files"] if strays else []


CHECKS = (
    CheckSpec(name="records", title="every recorded file is there and whole", look=records, installed=True),
    CheckSpec(name="writers", title="no two packages write one file", look=writers),
    CheckSpec(name="metadata", title="every package is installed once and whole", look=metadata),
)
