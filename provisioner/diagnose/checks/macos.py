"""Checks of what only macOS has: its version, and what TensorFlow's compiled files (Mach-O) ask of its loader.

Source: dyld(1): ``@loader_path`` is the folder of the file that asks, ``@executable_path`` that of the program, ``@rpath`` each folder that the
file, or one that led to its loading, names. What lies in /usr/lib and /System is in the loader's cache, not on the disk (macOS 11 and newer).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping

from provisioner.base.versions import numbers
from provisioner.causes.findings import Findings
from provisioner.choose.platforms import check_macos
from provisioner.diagnose import alternative, import_result, packages, tensorflow
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.diagnose.checks import binaries
from provisioner.diagnose.checks.files import restore_found
from provisioner.facts.macho import MachoError, Part, read_macho
from provisioner.facts.system import MACHINE_NAMES
from provisioner.host import files
from provisioner.model.finding import Evidence
from provisioner.model.record import record

NO_MAC = "this is no Mac"
SYSTEM = ("/usr/lib/", "/System/")


@record
class Native:
    """A compiled file, the distribution that brought it, and its part for the interpreter."""

    path: str
    owner: str
    part: Part


def version(case: Case, findings: Findings) -> str:
    """The macOS is not older than the one that the wheels are made for."""
    if case.facts.system.os.value != "macos":
        raise Skipped(NO_MAC)
    build = tensorflow.build(case)
    if build is None:
        raise CouldNotTell("which macOS this TensorFlow needs is not known")
    obstacle, unsure = check_macos(case.facts, build.macos)
    if unsure:
        raise CouldNotTell(unsure)
    fact = case.facts.system.version
    if obstacle is not None:
        seen = Evidence(seen=f"TensorFlow {case.release.version if case.release else ''} {obstacle.why}", where=fact.source)
        findings.add(obstacle.code, "error", "certain", seen, remedy=alternative.remedy(obstacle.remedy))
    return f"macOS {fact.value}, TensorFlow needs {build.macos or 'none in particular'}"


def natives(case: Case, findings: Findings) -> str:
    """The compiled files are whole, have a part for the interpreter, and what they ask the loader for is there."""
    if case.facts.system.os.value != "macos":
        raise Skipped(NO_MAC)
    machine = case.survey.machine.lower() if case.survey is not None else case.facts.system.process_architecture.value or ""
    found = tuple(_read(case, MACHINE_NAMES.get(machine, machine), findings))
    if not found:
        raise CouldNotTell("there are no compiled files of TensorFlow to read")
    _too_new(case, found, findings)
    asked = 0
    for native in found:
        for name in native.part.needed:
            asked += 1
            if not name.startswith(SYSTEM) and not any(files.there(case.reader, path) for path in places(name, native, found, case.python)):
                _missing(case, native, name, findings)
    return f"{len(found)} compiled files ask for {asked} libraries"


def _read(case: Case, machine: str, findings: Findings) -> Iterator[Native]:
    needed = packages.needed(case)
    for path, owner in case.integrity.natives:
        if owner not in needed or not path.endswith((".so", ".dylib")):
            continue
        try:
            parts = read_macho(case.reader, path)
        except MachoError as error:
            binaries.add_damaged(case, path, owner, str(error), findings)
            continue
        except OSError as error:
            binaries.add_unreadable(case, path, owner, error, findings)
            continue
        own = next((part for part in parts if part.architecture == machine or not machine), None)
        if own is None:
            has = ", ".join(part.architecture for part in parts)
            binaries.add_foreign(case, path, owner, f"it is for {has}, the interpreter is for {machine}", findings)
        else:
            yield Native(path=path, owner=owner, part=own)


def places(name: str, native: Native, others: Iterable[Native], program: str) -> Iterator[str]:
    """Where the loader may look for a library, own folders first; of others any could have led to the loading of this file."""
    if not name.startswith("@rpath/"):
        yield _expanded(name, native.path, program)
        return
    for asking in (native, *others):
        for folder in asking.part.rpaths:
            yield posixpath.normpath(f"{_expanded(folder, asking.path, program)}/{name.removeprefix('@rpath/')}")


def _expanded(path: str, file: str, program: str) -> str:
    known: Mapping[str, str] = {"@loader_path": posixpath.dirname(file), "@executable_path": posixpath.dirname(program)}
    first, _, rest = path.partition("/")
    return posixpath.normpath(f"{known[first]}/{rest}") if first in known else path


def _missing(case: Case, native: Native, name: str, findings: Findings) -> None:
    severity, confidence = import_result.breaking(case)
    seen = Evidence(seen=f"{name}, which it asks for, is not there ({native.owner})", where=native.path)
    if name.startswith("@"):
        findings.add("install-corrupt", severity, confidence, seen, repairs=restore_found(case, native.owner, "a library of it is missing"))
    else:
        findings.add("unknown", "warning", "possible", seen, title=f"{name}, which {native.owner} asks for, is nowhere")


def _too_new(case: Case, found: Iterable[Native], findings: Findings) -> None:
    """A wheel that was built for a newer macOS than this; TensorFlow's own is told by its release."""
    here = numbers(case.facts.system.version.value or "")
    newer = {native.owner: native for native in found if here and numbers(native.part.macos) > here and "tensorflow" not in native.owner}
    for owner, native in newer.items():
        seen = Evidence(
            seen=f"it is made for macOS {native.part.macos}, this is {case.facts.system.version.value} ({owner})", where=native.path
        )
        findings.add("macos-too-old", *import_result.breaking(case), seen)


CHECKS = (
    CheckSpec(name="macos", title="macOS is new enough", look=version),
    CheckSpec(name="mach-o", title="the compiled files are for this Mac, and what they load is there", look=natives),
)
