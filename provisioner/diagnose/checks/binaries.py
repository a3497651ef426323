"""Checks of what is compiled: libraries that are libraries, of this architecture, from wheels for this Python and system."""

from __future__ import annotations

import re

from provisioner.base.names import is_rival
from provisioner.base.numbers import whole
from provisioner.causes.findings import Findings
from provisioner.diagnose import import_result, packages
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.diagnose.checks.files import restore_found
from provisioner.environment.distributions import Installed
from provisioner.facts import elf
from provisioner.host import files
from provisioner.model.finding import Evidence


def natives(case: Case, findings: Findings) -> str:
    """The compiled files that TensorFlow needs are libraries, of the interpreter's architecture, and can be read."""
    if case.reader.platform != "linux":
        raise Skipped("files of Linux are read here, others by `mach-o` and `dll-imports`")
    needed = packages.needed(case)
    wanted = _interpreter_architecture(case)
    count = 0
    for path, owner in case.integrity.natives:
        if owner not in needed or not re.search(r"\.so(\.\d+)*$", path):
            continue
        count += 1
        _native(case, path, owner, wanted, findings)
    return f"{count} compiled files are for {wanted}" if wanted else f"{count} compiled files"


def _native(case: Case, path: str, owner: str, wanted: str, findings: Findings) -> None:
    try:
        header = elf.header(case.reader, path)
    except elf.ElfError as error:
        add_damaged(case, path, owner, str(error), findings)
        return
    except OSError as error:
        add_unreadable(case, path, owner, error, findings)
        return
    if wanted and header.architecture != wanted:
        add_foreign(case, path, owner, f"it is for {header.architecture}, the interpreter is for {wanted}", findings)


def add_damaged(case: Case, path: str, owner: str, what: str, findings: Findings) -> None:
    """A compiled file is no library, or not all of one."""
    repairs = restore_found(case, owner, "a library of it is damaged")
    seen = Evidence(seen=f"{what} ({owner})", where=path)
    findings.add("install-corrupt", import_result.breaking(case)[0], "certain", seen, repairs=repairs)


def add_unreadable(case: Case, path: str, owner: str, error: OSError, findings: Findings) -> None:
    """A compiled file may not be read; other faults of reading are told by the checks of files."""
    if isinstance(error, PermissionError):
        seen = Evidence(seen=f"this user may not read it ({owner})", where=path)
        repairs = restore_found(case, owner, "a file of it cannot be read")
        findings.add("permission-denied", import_result.breaking(case)[0], "certain", seen, repairs=repairs)


def add_foreign(case: Case, path: str, owner: str, what: str, findings: Findings) -> None:
    """A compiled file is for another architecture."""
    repairs = restore_found(case, owner, "its libraries are for another architecture")
    findings.add(
        "wrong-arch-binary", import_result.breaking(case)[0], "certain", Evidence(seen=f"{what} ({owner})", where=path), repairs=repairs
    )


def _interpreter_architecture(case: Case) -> str:
    """By the interpreter's own file, else by what it says, else by the machine."""
    try:
        return elf.header(case.reader, files.real(case.reader, case.python)).architecture
    except (*files.FAULTS, elf.ElfError):
        return case.survey.machine if case.survey else ""


def tags(case: Case, findings: Findings) -> str:
    """The wheels that TensorFlow needs are for this Python and this platform."""
    running = packages.python(case)
    if not running:
        raise CouldNotTell("the version of Python cannot be told")
    needed = packages.needed(case)
    looked = [item for item in packages.first_of(case).values() if item.name in needed and item.wheel_tags]
    for item in looked:
        if not any(_python_fits(tag, running) for tag in item.wheel_tags):
            _add_tag(case, item, "python", running, findings)
        elif not any(_system_fits(tag, case) for tag in item.wheel_tags):
            _add_tag(case, item, "system", running, findings)
    return f"{len(looked)} wheels for Python {running}"


def _python_fits(tag: str, running: str) -> bool:
    """PEP 425: ``cp311`` is that Python, ``py3`` any; a ``cp38`` with ``abi3`` or ``none`` is for that one and later."""
    pythons, abis, _ = tag.split("-", 2)
    number = whole(running.replace("3.", "", 1)) if re.fullmatch(r"3\.\d+", running) else -1
    for python in pythons.split("."):
        if python in {"py3", f"cp3{number}", f"py3{number}"}:
            return True
        found = re.fullmatch(r"(?:cp|py)3(\d+)", python)
        if found and whole(found[1]) <= number and ("abi3" in abis.split(".") or python.startswith("py")):
            return True
    return number < 0


def _system_fits(tag: str, case: Case) -> bool:
    system = {"linux": ("linux", "manylinux", "musllinux"), "macos": ("macosx",), "windows": ("win",)}.get(
        case.facts.system.os.value or "", ()
    )
    platforms = tag.rsplit("-", 1)[-1].split(".")
    return not system or any(item == "any" or item.startswith(system) for item in platforms)


def _add_tag(case: Case, item: Installed, what: str, running: str, findings: Findings) -> None:
    severity, _ = import_result.breaking(case)
    words = f"{item.name} {item.version} is the wheel {item.wheel_tags[0]}, "
    words += f"and this is Python {running}" if what == "python" else f"and this is {case.facts.system.os.value}"
    cause = "install-corrupt" if what == "python" else "platform-unsupported"
    if what == "python" and is_rival(item.name) and case.build is not None and running not in case.build.pythons:
        cause = "python-unsupported"
    findings.add(cause, severity, "certain", Evidence(seen=words, where=item.metadata), repairs=restore_found(case, item.name, words))


CHECKS = (
    CheckSpec(name="compiled-files", title="the compiled files are for this machine", look=natives),
    CheckSpec(name="wheels", title="the wheels are for this Python and platform", look=tags),
)
