"""Repairs in conda environments: what a repair means where conda has brought a distribution, and the conda half of a repair plan. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from provisioner.base.names import is_rival, normalise
from provisioner.conda.compare import TOOLS, identity_parts
from provisioner.conda.specs import spec_name
from provisioner.environment.read import Site
from provisioner.model.catalogue import Lock
from provisioner.model.conda_package import CondaPackage, CondaPart, CondaRemoval
from provisioner.model.finding import Repair
from provisioner.model.plan import PlanKind
from provisioner.repair.model import CondaInputs

# Records that are there, and nothing of them is known: what has the same name leaves with them.
_FAMILY = re.compile(r"(lib)?tensorflow([-_].*)?")


def without_owned(lock: Lock, conda: CondaInputs, site: Site) -> Lock:
    """Return a set without what conda holds in the set's version, and without the tools of any version: these stay conda's."""
    held = {item.name: item.version for item in site.distributions if item.metadata in conda.own}
    files = tuple(file for file in lock.files if file.name not in held or (file.name not in TOOLS and held[file.name] != file.version))
    return replace(lock, files=files)


def translated(repairs: Iterable[Repair], conda: CondaInputs, site: Site, locked: Mapping[str, str]) -> tuple[Repair, ...]:
    """Return the repairs as they are done where conda has brought things: a package of conda's is linked anew or taken out as a whole."""
    owned = {item.name: (item.version, conda.own[item.metadata]) for item in site.distributions if item.metadata in conda.own}
    found: list[Repair] = []
    for repair in repairs:
        version, package = owned.get(normalise(repair.name), ("", "")) if repair.kind in {"restore", "remove"} else ("", "")
        if repair.kind == "interpreter":
            found += [_as(repair, "relink", item) for item in conda.there if identity_parts(item)[0] == "python"]
        elif not package or (repair.kind == "remove" and repair.version not in {"", version}):
            found.append(repair)
        elif repair.kind == "remove":
            found += [_as(repair, "unlink", item) for item in _with_family(package, conda)]
        elif conda.source != "conda" and locked.get(normalise(repair.name), version) != version:
            # The set's version comes as a wheel, and no file may belong to both.
            found += [_as(repair, "unlink", package), repair]
        else:
            found.append(_as(repair, "relink", package))
    return tuple(dict.fromkeys(found))


def _as(repair: Repair, kind: str, package: str) -> Repair:
    return Repair(kind="relink" if kind == "relink" else "unlink", name=package, reason=repair.reason)


def _with_family(package: str, conda: CondaInputs) -> list[str]:
    """A package of TensorFlow's own leaves with those that are nothing without it (``tensorflow`` for ``tensorflow-base``)."""
    going = [package]
    for name in going:
        if _FAMILY.fullmatch(identity_parts(name)[0]):
            users = [item for item in conda.there if identity_parts(name)[0] in {spec_name(spec) for spec in conda.depends.get(item, ())}]
            going += [item for item in users if item not in going and _FAMILY.fullmatch(identity_parts(item)[0])]
    return going


def obstacle(repair: Repair, conda: CondaInputs | None) -> str:
    """Return why a package cannot be linked anew or taken out, or ""."""
    if repair.kind not in {"relink", "unlink"}:
        return ""
    if conda is None or repair.name not in {*conda.there, *conda.linkable}:
        return f"the conda package {repair.name} is not there"
    if repair.kind == "relink" and repair.name not in conda.linkable:
        return f"{repair.name} cannot be put back: nothing tells its address and its SHA-256"
    return ""


def part(conda: CondaInputs, kind: PlanKind, repairs: Iterable[Repair], wanted: Iterable[str], site: Site) -> CondaPart:
    """Return the conda half of a repair plan; ``wanted`` are the distributions that come as wheels, which conda's then make room for."""
    anew = {repair.name: repair.reason for repair in repairs if repair.kind == "relink"}
    out = {repair.name: repair.reason for repair in repairs if repair.kind == "unlink"}
    coming = set(wanted)
    for item in site.distributions:
        if item.metadata in conda.own and item.name in coming:
            for package in _with_family(conda.own[item.metadata], conda) if is_rival(item.name) else [conda.own[item.metadata]]:
                out.setdefault(package, f"its {item.name} comes as the wheel that the set was proven with")
    if kind == "set":
        anew |= {name: "it is linked anew, in full" for name in conda.linkable if name not in anew}
    if kind == "rebuild":
        anew = dict.fromkeys(conda.there, "the environment is made anew")
        packages = conda.solved
        unchanged: dict[str, str] = {}
    else:
        anew = {name: why for name, why in anew.items() if name not in out}
        packages = tuple(conda.linkable[name] for name in sorted(anew))
        staying = [identity_parts(name) for name in conda.there if name not in anew and name not in out]
        unchanged = {name: f"{version} {build}" for name, version, build in sorted(staying)}
    removals = {name: why for name, why in {**out, **anew}.items() if name in conda.there}
    return CondaPart(
        specs=conda.specs,
        virtual=conda.virtual,
        channels=conda.channels,
        packages=packages,
        unchanged=unchanged,
        removals=tuple(CondaRemoval(identity=name, reason=removals[name]) for name in sorted(removals)),
        cache=conda.cache,
    )


def channel_of(package: CondaPackage) -> str:
    """Return the address of the channel that a package came from: its own without platform and file name, which old records name more surely."""
    return posixpath.dirname(posixpath.dirname(package.url)) if package.url.count("/") > 2 else package.channel  # noqa: PLR2004 - scheme://
