"""The question that ``pip check`` answers: does every installed distribution find what it requires."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from provisioner.base.names import is_rival, normalise
from provisioner.base.requirement import admits, applies, is_beyond, read_requirement
from provisioner.environment.distributions import Installed
from provisioner.model.record import record

if TYPE_CHECKING:
    from packaging.requirements import Requirement


@record
class Unmet:
    """One requirement that is not met: ``found`` is the installed version or empty; ``note`` explains it where that helps."""

    distribution: str
    version: str
    requirement: str
    name: str
    found: str
    note: str = ""

    @property
    def wanted(self) -> str:
        """What would meet it, as pip takes it: without its marker."""
        return self.requirement.split(";")[0].strip()

    @property
    def sentence(self) -> str:
        """The finding in pip's words."""
        have = f"but {self.name} {self.found} is installed" if self.found else f"but {self.name} is not installed"
        return f"{self.distribution} {self.version} requires {self.requirement}, {have}" + (f" ({self.note})" if self.note else "")


def unmet(installed: Iterable[Installed], markers: Mapping[str, str]) -> tuple[Unmet, ...]:
    """Return every requirement that is not met, as ``pip check`` would.

    ``markers`` is the target interpreter's environment (PEP 508). Extras are not asked for; pre-releases count when they are what is
    installed; a requirement that cannot be parsed is left out, as pip warns about it elsewhere.
    """
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - 45 ms that only verify pays

    versions = {item.name: item.version for item in installed}
    environment = {**markers, "extra": ""}
    found: list[Unmet] = []
    for item in installed:
        try:
            python = SpecifierSet("" if is_beyond(item.requires_python) else item.requires_python)
        except ValueError:
            python = SpecifierSet()
        full = markers.get("python_full_version", "")
        if full and not admits(python, full):
            found.append(_unmet(item, f"Python {item.requires_python}", "python", full, ""))
        for text in item.requires:
            try:
                requirement = read_requirement(text)
            except ValueError:
                continue
            if not applies(requirement, environment):
                continue
            name = normalise(requirement.name)
            asked = f"{requirement.name}{requirement.specifier}"
            version, note = versions.get(name, ""), ""
            if not version and is_rival(name):
                # What asks for the build that holds the module (Windows: tensorflow, for tensorflow-intel) is not that build.
                version, note = _other_build(requirement, name, {other: held for other, held in versions.items() if other != item.name})
            if note or not version or not admits(requirement.specifier, version):
                found.append(_unmet(item, asked, name, "" if note else version, note))
    return tuple(found)


def _unmet(item: Installed, requirement: str, name: str, version: str, note: str) -> Unmet:
    return Unmet(distribution=item.name, version=item.version, requirement=requirement, name=name, found=version, note=note)


def _other_build(requirement: Requirement, name: str, versions: Mapping[str, str]) -> tuple[str, str]:
    """Another build of TensorFlow gives the module but not the distribution of that name: its version decides; a note where that does."""
    builds = [other for other in versions if is_rival(other)]
    fitting = next((other for other in builds if admits(requirement.specifier, versions[other])), "")
    if not fitting:
        return versions[builds[0]] if builds else "", ""
    return versions[
        fitting
    ], f"{fitting} {versions[fitting]} gives the same module, so it works; installing {name} beside it would break both"
