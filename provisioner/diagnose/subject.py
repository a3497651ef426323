"""The case that a remedy is for, drawn from what was examined: the environment and its interpreter, and the machine's facts."""

from __future__ import annotations

from provisioner.base.versions import numbers
from provisioner.choose.platforms import platform_of_system
from provisioner.diagnose import import_result, packages
from provisioner.diagnose.case import Case
from provisioner.environment.active import never_changed
from provisioner.environment.installation import is_managed
from provisioner.errors import CouldNotTellError
from provisioner.model.facts import Facts
from provisioner.remedies import Subject

_SYSTEMS = ("linux", "macos", "windows")


def subject_of(case: Case) -> Subject:
    """Return what a remedy needs to know."""
    facts = case.facts
    system, libc, gpus = facts.system, facts.system.libc.value, facts.gpus.value or ()
    distribution = system.distribution.value
    owner = packages.tensorflow(case)
    return Subject(
        system=system.os.value if system.os.value in _SYSTEMS else "",  # type: ignore[arg-type]  # one of them
        platform=_platform(facts),
        python=_minor(case.survey.version) if case.survey else "",
        tensorflow=case.expected.tensorflow,
        interpreter=case.python,
        env=case.env,
        wsl=bool(system.wsl.value),
        container=bool(system.container.value),
        musl=bool(libc and libc.kind == "musl"),
        gpu=", ".join(item.name for item in gpus).lower(),
        amd=not gpus and any(item.vendor == "amd" for item in facts.pci_gpus.value or ()),
        gpu_present=True if gpus else False if facts.gpus.status == "absent" else None,
        capability=_weakest(facts),
        cudas=tuple(_minor(item.version) for item in facts.toolkits.value or ()),
        driver=facts.driver.release.value or "",
        glibc=libc.version if libc and libc.kind == "glibc" else "",
        macos=_minor(system.version.value or "") if system.os.value == "macos" else "",
        distribution=distribution.id if distribution else "",
        text=_said(case),
        owner=owner.name if owner is not None else "",
        pipless=bool(case.env and (case.distributions or case.survey is not None)) and case.first("pip") is None,
        keeper=case.keeper,
        kept=bool(case.env and never_changed(case.reader, case.env)),
        managed=not case.env and is_managed(case.reader, case.survey.base_prefix if case.survey else ""),
    )


def _platform(facts: Facts) -> str:
    try:
        return platform_of_system(facts.system)
    except CouldNotTellError:
        return ""


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _weakest(facts: Facts) -> str:
    """The compute capability of the GPU that asks for most care: the oldest of them."""
    known = [item.compute_capability.value for item in facts.gpus.value or () if item.compute_capability.value]
    return min(known, key=numbers, default="")


def _said(case: Case) -> str:
    """What the import of TensorFlow printed, its traceback last; "" where it was not tried or went well."""
    if case.child is None or import_result.works(case):
        return ""
    bad = next((item for item in import_result.steps(case) if item.status in import_result.BAD), None)
    trace = str(bad.data.get("traceback", "")) if bad else ""
    return "\n".join(part for part in (case.child.err.rstrip(), trace) if part)
