"""The conda packages that a team asks for beside TensorFlow's own wheels: one owner for each distribution, in the version that both halves take.

A conda package that needs NumPy brings conda's NumPy, which would lie in the same folder as the wheel of the known-good set. So the solver is held to
the versions of the set and of the team's requirements, the wheels to what the solver has chosen, and the wheel of what conda brings is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from provisioner.base.names import is_rival, normalise
from provisioner.base.requirement import read_requirement
from provisioner.base.versions import readable
from provisioner.catalogue import Catalogue
from provisioner.catalogue.conda_names import CondaNames
from provisioner.choose.channel import conda_version
from provisioner.choose.obstacles import listed
from provisioner.conda.compare import TOOLS
from provisioner.conda.specs import spec_name
from provisioner.declared.markers import environment
from provisioner.errors import OperationError, UsageError
from provisioner.lock.choosing import ChosenSet
from provisioner.model.catalogue import Lock
from provisioner.model.conda_package import CondaPackage
from provisioner.model.team import Declaration, Inputs, LockedConda, Target, TeamFile


def check_asked(declaration: Declaration, inputs: Inputs, names: CondaNames) -> None:
    """Raise ``UsageError`` where one thing is asked of conda and, by another name, of the index: only the names of one tell its versions."""
    asked = {read_requirement(text).name: text for text in inputs.requirements}
    asked = {normalise(name): text for name, text in asked.items()}
    for spec in declaration.conda:
        other = names.distribution(spec_name(spec))
        if other in asked and other != normalise(spec_name(spec)):
            hint = f"take `{spec}` out of `conda`, or `{asked[other]}` out of the requirements"
            raise UsageError(f"`{spec}` and `{asked[other]}` are the same package, and would come twice", place=declaration.file, hint=hint)


def limits(target: Target, lock: Lock, inputs: Inputs, names: CondaNames) -> Iterator[str]:
    """Yield match specs that hold where a package comes along: the set's own versions, but for what the team asks for in others."""
    versions = {file.name: f"=={file.version}" for file in lock.files}
    for text in (*inputs.requirements, *inputs.constraints):
        requirement = read_requirement(text)
        here = requirement.marker is None or requirement.marker.evaluate(environment(target))
        if here and not requirement.url and str(requirement.specifier):
            versions[normalise(requirement.name)] = str(requirement.specifier)
    for name, spec in versions.items():
        if name not in TOOLS and not is_rival(name) and "+" not in spec:
            yield from (f"{package} {conda_version(spec)}" for package in names.packages(name))


def brought(conda: LockedConda | None, names: CondaNames) -> dict[str, str]:
    """Return the distributions (normalised) that conda packages are, with their versions."""
    packages = conda.packages if conda is not None else ()
    return {names.distribution(item.name) or normalise(item.name): item.version for item in packages if _is_python(item)}


def _is_python(package: CondaPackage) -> bool:
    """True for a package of Python code: conda's `graphviz` and `snappy` are programs and libraries, whatever PyPI has of that name."""
    return package.noarch == "python" or any(spec_name(spec) in {"python", "python_abi"} for spec in package.depends)


def pins(conda: LockedConda | None, names: CondaNames) -> tuple[str, ...]:
    """Return the versions that the wheels have to go with, as limits."""
    found = {name: version for name, version in brought(conda, names).items() if name not in TOOLS and readable(f"=={version}")}
    return tuple(f"{name}=={version}" for name, version in sorted(found.items()))


def check_brought(target: Target, conda: LockedConda) -> None:
    """Raise ``UsageError`` where a package of conda's needs conda's own TensorFlow, beside which no wheel of it can stand."""
    rivals = {item.name for item in conda.packages if is_rival(normalise(item.name))}
    if rivals and target.source != "conda":
        needs = [item.name for item in conda.packages if item.name not in rivals and {spec_name(spec) for spec in item.depends} & rivals]
        hint = "take it from PyPI, under `requirements`, or TensorFlow from the channel, too (`source: conda`)"
        what = f"{listed(needs or sorted(rivals))} of conda {'need' if len(needs) > 1 else 'needs'} conda's TensorFlow"
        raise UsageError(f"{what}, which cannot stand beside TensorFlow's own wheel", place=target.name, hint=hint)


def without_doubles(files: Sequence[TeamFile], conda: LockedConda | None, names: CondaNames, target: Target) -> tuple[TeamFile, ...]:
    """Return the wheels without those of what conda brings: no distribution may belong to both halves."""
    packages = conda.packages if conda is not None else ()
    tools = {normalise(package.name) for package in packages} & TOOLS
    own = {name: version for name, version in brought(conda, names).items() if name not in TOOLS}
    wrong = [f"{file.name} {file.version} and {own[file.name]}" for file in files if own.get(file.name, file.version) != file.version]
    if wrong:
        hint = "ask for one of them alone: by conda under `conda`, or from PyPI under `requirements`"
        raise OperationError(f"{listed(wrong)} would come twice, as a wheel and by conda", place=target.name, hint=hint)
    return tuple(_without(file, tools | own.keys()) for file in files if file.name not in tools | own.keys())


def _without(file: TeamFile, names: Iterable[str]) -> TeamFile:
    gone = frozenset(names)
    if not gone & {*file.requires, *file.via}:
        return file
    return replace(
        file,
        requires=tuple(name for name in file.requires if name not in gone),
        via=tuple(name for name in file.via if name not in gone),
    )


def told(chosen: ChosenSet, conda: LockedConda | None, catalogue: Catalogue) -> Iterator[str]:
    """Say which packages of the known-good set come by conda."""
    target, lock, _ = chosen
    own = brought(conda, catalogue.conda_names()) if conda is not None else {}
    there = [f"{file.name} {file.version}" for file in lock.files if file.name in own and file.name not in TOOLS]
    if there:
        verb = "comes" if len(there) == 1 else "come"
        yield f"{target.name}: {listed(there)} {verb} by conda, which what you ask of it needs; the known-good set was run with the wheels"
