"""The conda half of a plan: what stays, what leaves, what is linked. Pure.

A conda environment has two kinds of packages in one folder: conda's, which ``conda-meta`` records, and wheels, which only their own metadata
records. No file may belong to both: so a conda package whose Python distribution comes as a wheel leaves, and what needs it leaves with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from provisioner.base.names import is_rival
from provisioner.errors import StalePlanError
from provisioner.model.conda import Outside
from provisioner.model.conda_package import CondaPackage, CondaPart, CondaRemoval, Present

# Where conda has put these already, they stay as they are: what conda itself, and building, goes by.
TOOLS = frozenset({"pip", "setuptools", "wheel"})


def identity_parts(identity: str) -> tuple[str, str, str]:
    """Return name, version and build of ``name-version-build``; a version and a build have no hyphen (CEP 26)."""
    name, version, build = identity.rsplit("-", 2)
    return name, version, build


def leaving(present: Present, wheels: Iterable[str]) -> dict[str, str]:
    """Return the conda packages that cannot stay beside ``wheels`` (normalised distribution names), with reasons."""
    wanted = {name for name in wheels if name not in TOOLS}
    going: dict[str, str] = {}
    for distribution, owner in present.owners.items():
        if distribution in wanted:
            going.setdefault(owner, f"its {distribution} comes as the wheel that the set was proven with")
        elif is_rival(distribution):
            going.setdefault(owner, "it owns the same folder as the TensorFlow of the set, so the two break each other")
    added = True
    while added:
        added = False
        for package in present.packages:
            needs = next((name for name in (spec.split()[0] for spec in package.depends if spec.split()) if name in going), "")
            if package.name not in going and needs:
                going[package.name] = f"it needs {needs}, which leaves"
                added = True
    return going


def staying(present: Present, going: Mapping[str, str]) -> tuple[CondaPackage, ...]:
    """Return the packages that are asked of the solver again, so that it keeps them working."""
    return tuple(package for package in present.packages if package.name not in going)


def compare(
    solution: Sequence[CondaPackage], present: Present, going: Mapping[str, str]
) -> tuple[tuple[CondaPackage, ...], dict[str, str], tuple[CondaRemoval, ...]]:
    """Return what is linked, what is there already (name to ``version build``), and what leaves."""
    wanted = {package.name: package for package in solution}
    there = {package.name: package for package in present.packages}
    kept = {name for name, package in wanted.items() if name in there and there[name].identity == package.identity}
    removals = []
    for name, package in there.items():
        if name in wanted and name not in kept:
            removals.append(CondaRemoval(identity=package.identity, reason=f"the set has {wanted[name].version} {wanted[name].build}"))
        elif name not in wanted:
            reason = going.get(name, "nothing needs it any more")
            removals.append(CondaRemoval(identity=package.identity, reason=reason))
    packages = tuple(package for package in solution if package.name not in kept)
    unchanged = {name: f"{wanted[name].version} {wanted[name].build}" for name in sorted(kept)}
    return packages, unchanged, tuple(sorted(removals, key=lambda removal: removal.identity))


def as_it_is(part: CondaPart, identities: Iterable[str]) -> CondaPart | None:
    """Return ``part`` as one with nothing to do where all of its packages are there (``identities``), else None."""
    whole = dict(part.unchanged)
    whole |= {package.name: f"{package.version} {package.build}" for package in part.packages}
    found = {name: f"{version} {build}" for name, version, build in map(identity_parts, identities)}
    if any(found.get(name) != text for name, text in whole.items()):
        return None
    return CondaPart(
        specs=part.specs, virtual=part.virtual, channels=part.channels, packages=(), unchanged=dict(sorted(whole.items())), cache=part.cache
    )


def check_saved(
    part: CondaPart,
    present: Present,
    *,
    wheels: Iterable[str],
    specs: tuple[str, ...],
    channels: Iterable[str],
    registered: tuple[Outside, ...],
    python: str,
) -> None:
    """Raise ``StalePlanError`` where the conda half of a saved plan does not follow from this machine, this environment and this catalogue.

    ``channels`` are the addresses, without credentials, that the machine is configured with: a plan of unknown origin brings nothing from
    elsewhere. ``wheels``, ``specs``, ``registered`` and ``python`` (the minor version) are what they would be in a plan that was made now.
    """
    allowed = {channel.rstrip("/") for channel in channels}
    strange = next((package for package in part.packages if package.channel.rstrip("/") not in allowed), None)
    if strange is not None:
        raise StalePlanError(
            f"{strange.filename} comes from {strange.channel}, which is none of the channels that this machine is configured with",
            hint="name the channel with TFSETUP_CHANNEL or in conda's configuration, for a plan's own word does not do; or plan again",
        )
    whole = dict(part.unchanged) | {package.name: f"{package.version} {package.build}" for package in part.packages}
    asked = {spec.split()[0] for spec in specs}
    if part.specs != specs or not asked <= whole.keys() or not whole.get("python", "").startswith(f"{python}."):
        raise StalePlanError("the catalogue has changed since the plan was made", hint="plan again")
    if part.registered != registered:
        raise StalePlanError("what conda knows of its environments has changed since the plan was made", hint="plan again")
    there = {package.name: package for package in present.packages}
    stays = [there[name] for name, text in part.unchanged.items() if name in there and f"{there[name].version} {there[name].build}" == text]
    found = compare((*part.packages, *stays), present, leaving(present, wheels))
    # One that has nothing to do names only what it is about.
    expected = (part.packages, dict(part.unchanged), part.removals if part.changes else found[2])
    if len(stays) != len(part.unchanged) or found != expected:
        raise StalePlanError("what the plan does is not what the environment needs now", hint="plan again")
