"""Checks of the processor: has it the instructions that this TensorFlow is compiled with, and is the interpreter made for it."""

from __future__ import annotations

import re

from provisioner.causes.findings import Findings
from provisioner.choose.platforms import check_cpu
from provisioner.diagnose import alternative, import_result, tensorflow
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell
from provisioner.facts import elf
from provisioner.facts.system import MACHINE_NAMES
from provisioner.host import files
from provisioner.model.finding import Evidence, Remedy
from provisioner.verify.raw import Child, ending

# POSIX number of SIGILL, and how a shell that was in between gives it.
SIGILL, SHELL = 4, 128
# TensorFlow's own guard, which ends the process with SIGABRT: tsl/platform/cpu_feature_guard.cc.
GUARD = re.compile(r"library was compiled to use (?P<names>[\w. ,]{1,200}?) instructions, but these aren't available on your machine")


def instructions(case: Case, findings: Findings) -> str:
    """AVX and what else the build cannot run without.

    What the process itself did weighs more than what the kernel says: under an emulator ``/proc/cpuinfo`` is the host's.
    """
    if case.child is not None and _ended(case, case.child, findings):
        return "the import was ended by an instruction that this processor does not have"
    build = tensorflow.build(case)
    if build is None:
        raise CouldNotTell("which instructions this TensorFlow needs is not known")
    needed = build.cpu_features
    names = ", ".join(needed).upper()
    if not needed:
        return "this build needs no particular instructions"
    failed = any(item.status in import_result.BAD for item in import_result.steps(case))
    if case.child is not None and case.child.done and not failed:
        return f"it was imported, so the processor has {names}"
    obstacle, unsure = check_cpu(case.facts, needed)
    if unsure:
        raise CouldNotTell(unsure)
    if obstacle is not None:
        seen = Evidence(seen=f"TensorFlow {_release(case)} {obstacle.why}", where=case.facts.cpu.features.source)
        findings.add(obstacle.code, "error", "certain", seen, remedy=_words(case))
        return f"the processor lacks some of {names}"
    return f"the processor has {names}"


def _ended(case: Case, child: Child, findings: Findings) -> bool:
    guard = GUARD.search(child.err)
    if guard is not None:
        seen = Evidence(seen=guard[0], where="standard error of the import")
        findings.add("cpu-no-avx", "error", "certain", seen, remedy=_words(case))
        return True
    if abs(child.code) in {SIGILL, SIGILL + SHELL} and not child.timed_out:
        lacking = _words(case) is not None
        evidence = [Evidence(seen=ending(child), where="the import of TensorFlow")]
        if not lacking:
            words = (
                "the system lists every instruction that this release needs: the process may run in an emulator, or under another processor"
            )
            evidence.append(Evidence(seen=words, where=case.facts.cpu.features.source))
        findings.add("cpu-no-avx", "error", "certain" if lacking else "likely", *evidence, remedy=_words(case))
        return True
    return False


def _words(case: Case) -> Remedy | None:
    build = tensorflow.build(case)
    obstacle = check_cpu(case.facts, build.cpu_features)[0] if build is not None else None
    return alternative.remedy(obstacle.remedy, *alternative.working(case, "auto")) if obstacle is not None else None


def _release(case: Case) -> str:
    return case.release.version if case.release is not None else ""


def architecture(case: Case, findings: Findings) -> str:
    """The interpreter and the machine are of one architecture (libraries: ``binaries.py``); a 32-bit interpreter has no wheel at all."""
    hardware = case.facts.system.architecture
    process, where = _process(case)
    if not process:
        raise CouldNotTell(f"the architecture of {case.python} cannot be read")
    if _narrow(case, process, where, findings):
        return f"the interpreter is a 32-bit one ({process})"
    translated = case.facts.system.os.value == "macos" and hardware.value == "aarch64" and process == "x86_64"
    runs = case.child is not None and case.child.done
    if hardware.value and process != hardware.value and not runs:
        seen = Evidence(seen=f"the interpreter is for {process}, the processor is {hardware.value}", where=where)
        extra = [Evidence(seen="Rosetta translates it", where=hardware.source)] if translated else []
        # x64 programs run on Windows for ARM and on Macs with Rosetta; elsewhere they cannot start without an emulator.
        findings.add("wrong-arch-binary", "error", "certain" if case.survey is None or translated else "likely", seen, *extra)
        return f"the interpreter is for {process}, the processor is {hardware.value}"
    return f"the interpreter is for {process}"


def _process(case: Case) -> tuple[str, str]:
    """The architecture of the interpreter: 1. by its file, where that is an ELF file; 2. as it says itself."""
    real = files.real(case.reader, case.python)
    try:
        return elf.header(case.reader, real).architecture, real
    except files.FAULTS:
        survey = case.survey
    name = survey.machine.lower() if survey is not None else ""
    return MACHINE_NAMES.get(name, name), survey.executable if survey is not None else ""


def _narrow(case: Case, process: str, where: str, findings: Findings) -> bool:
    bits = case.survey.bits if case.survey is not None else 0
    if bits == 32 or process in {"i686", "armv7l", "x32"}:  # noqa: PLR2004 - bits
        hardware = case.facts.system.architecture
        seen = Evidence(seen=f"a 32-bit interpreter ({process})", where=where)
        machine = Evidence(seen=f"the processor is {hardware.value or 'of an unknown architecture'}", where=hardware.source)
        findings.add("python-32bit", "error", "certain", seen, machine)
        return True
    return False


CHECKS = (
    CheckSpec(
        name="instructions",
        title="the processor has the instructions that TensorFlow needs",
        look=instructions,
        # What would work instead is chosen from the whole catalogue, which a busy machine reads slowly.
        seconds=30.0,
        installed=True,
    ),
    CheckSpec(name="architecture", title="interpreter and processor are of one architecture", look=architecture),
)
