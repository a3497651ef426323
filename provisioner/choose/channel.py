"""The choice where everything comes from a conda channel: what is asked of the solver, and what its answer means. Pure.

Source: conda-forge/tensorflow-feedstock, recipe: a build string begins with ``cuda`` and its version without a dot, or with ``cpu``; CUDA builds
depend on ``__cuda``, those for a microarchitecture level on ``__archspec`` (by ``_x86_64-microarch-level``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from provisioner.base.paths import is_absolute
from provisioner.base.requirement import read_requirement
from provisioner.choose.candidates import Situation
from provisioner.choose.platforms import platform_name
from provisioner.choose.reasons import device_words, warnings_of
from provisioner.choose.versions import minor, specifier
from provisioner.errors import NoProfileError, UsageError
from provisioner.model.catalogue import ComputeDevice
from provisioner.model.conda_package import SUBDIRS, CondaPart
from provisioner.model.conda_table import CondaTable
from provisioner.model.plan import Choice
from provisioner.model.request import Request

TENSORFLOW = "tensorflow"
UNPROVEN = "nobody has recorded a run of this set: it is what the channel declares to go together, built otherwise than the wheels on PyPI"


def channel_specs(request: Request, device: ComputeDevice, python: str) -> tuple[str, ...]:
    """Return the match specs of a request; ``python`` is the version of an environment that is there ("" for a new one).

    Raises ``UsageError`` for what a conda channel cannot be asked.
    """
    build = "cuda*" if device == "cuda" else "cpu*"
    found = [f"{TENSORFLOW} {conda_version(specifier(request.tensorflow, '--tensorflow'))} {build}"]
    if is_absolute(request.python):
        raise UsageError(
            f"`--python {request.python}` names an interpreter, and a conda environment brings its own", hint="give a version instead"
        )
    if request.python:
        found.append(f"python {conda_version(specifier(request.python, '--python'))}")
    elif python:
        found.append(f"python {minor(python)}.*")
    found.append("pip")
    return (*found, *(_extra(text) for text in request.extra))


def conda_version(spec: str) -> str:
    """Write PEP 440 specifiers as conda's: ``==2.15.*`` -> ``2.15.*``; the others mean the same there (``==2.15.0``, too)."""
    parts = [part.strip().replace("===", "==") for part in spec.split(",") if part.strip()]
    return ",".join(part.removeprefix("==") if part.endswith(".*") else part for part in parts) or "*"


def _extra(text: str) -> str:
    """A package of ``--with`` by its name on the channel, which mostly is that of PyPI."""
    try:
        requirement = read_requirement(text)
    except ValueError as error:
        raise UsageError(f"`{text}` is not a requirement: {str(error).splitlines()[0]}", place="--with") from None
    if requirement.url or requirement.extras or requirement.marker:
        raise UsageError(
            f"`{text}` cannot be asked of a conda channel", place="--with", hint="give a name and versions, such as 'pandas>=2'"
        )
    return f"{requirement.name.lower()} {conda_version(str(requirement.specifier))}".removesuffix(" *")


def no_channel_build(situation: Situation) -> NoProfileError:
    """Say that the channel has no build for the platform, or none for its GPUs."""
    where = platform_name(situation.platform)
    if situation.platform not in SUBDIRS:
        refusal = f"the conda channel: has no packages for {where} [platform-unsupported]"
        return NoProfileError(f"conda channels have no TensorFlow for {where}", cause="platform-unsupported", refusals=(refusal,))
    refusal = f"the conda channel: has no CUDA build of TensorFlow for {where} [platform-unsupported]"
    return NoProfileError(
        f"no TensorFlow of the conda channel computes on a GPU of {where}",
        hint="use `--device cpu`",
        cause="platform-unsupported",
        refusals=(refusal,),
    )


def channel_choice(situation: Situation, choice: Choice, part: CondaPart, table: CondaTable) -> Choice:
    """Return the choice with what the solver found."""
    whole = {**part.unchanged, **{package.name: f"{package.version} {package.build}" for package in part.packages}}
    version, build = whole[TENSORFLOW].split()
    python = minor(whole["python"].split()[0])
    asked = f" that matches `{situation.request.tensorflow}`" if situation.spec else ""
    machine = ", ".join(text for text in part.virtual if re.match("__(cuda|archspec|glibc|osx)", text))
    reasons = (
        f"TensorFlow {version} (build {build}) is the newest{asked} that {' and '.join(part.channels)} has for this machine ({machine})",
        f"Python {python} comes from the conda channel",
        device_words(situation, ()),
    )
    said = (*warnings_of(situation, None, ()), *_said(situation, version, build, table))
    return replace(choice, release=version, python=python, reasons=reasons, warnings=tuple(dict.fromkeys(said)))


def _said(situation: Situation, version: str, build: str, table: CondaTable) -> Iterator[str]:
    """Yield what a person should know of such a set."""
    yield UNPROVEN
    for bad in table.known_bad:
        if bad.version == version and re.fullmatch(bad.build.replace("*", ".*"), build):
            yield f"{bad.reason} ({bad.reference})"
    if situation.device == "cuda":
        yield "which GPUs this build has code for is not known here: `tfsetup verify --require gpu` tells whether it computes on yours"
        if not situation.facts.driver.cuda.value:
            yield "no NVIDIA driver answers here, so this was chosen for the newest CUDA that the channel builds for: the driver must be as new"
