"""From a choice to the plan: what stays, what goes, what comes, and the seal over all of it. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from provisioner.base.names import is_rival
from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.model.catalogue import Link, Lock, LockedFile, Proof
from provisioner.model.conda_package import CondaPart
from provisioner.model.facts import Facts
from provisioner.model.plan import Choice, Edit, Package, Plan, Removal
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.model.team import Index
from provisioner.plan.seal import facts_digest, seal
from provisioner.plan.steps import steps_of

# How much larger conda packages are unpacked: the index does not tell (conda-forge's Python, cudatoolkit and cuDNN: 1.6 to 3.6 times).
CONDA_GROWTH = 3
# What a source distribution without a pyproject.toml is built with (PEP 517, "legacy" back end of setuptools).
BUILDERS = ("setuptools", "wheel")


@record
class Basis:
    """What a plan is made from, besides the site.

    ``links`` are those the set needs and ``linked`` the paths of those that are there; ``cache`` is the installer's cache folder;
    ``parents`` are folders that must be made above the environment. ``beside`` names what adds packages to the known-good set ("" where
    nothing does), and ``indexes`` those that the files come from, where a team's lock says it. The rest is for conda environments: ``conda`` is
    what conda packages are to be, ``edits`` the files that are written, ``written`` the paths of those that are there as they should be,
    ``owned`` the distributions that conda holds, and ``outside`` what else changes outside the environment.
    """

    tool: str
    made: str
    machine: str
    request: Request
    facts: Facts
    choice: Choice
    lock: Lock
    proof: Proof
    links: tuple[Link, ...]
    linked: frozenset[str]
    catalogue: str
    cache: str
    parents: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    beside: str = ""
    indexes: tuple[Index, ...] = ()
    conda: CondaPart | None = None
    edits: tuple[Edit, ...] = ()
    written: frozenset[str] = frozenset()
    owned: frozenset[str] = frozenset()
    outside: tuple[str, ...] = ()


@record
class Picked:
    """What is to be installed: the choice with its set and proof; the other fields as in ``Basis``, ``request`` where it is not the one made."""

    choice: Choice
    lock: Lock
    proof: Proof
    beside: str = ""
    indexes: tuple[Index, ...] = ()
    conda: CondaPart | None = None
    owned: frozenset[str] = frozenset()
    request: Request | None = None


def make_plan(basis: Basis, site: Site) -> Plan:
    """Compare what is there with what was chosen, and return the sealed plan."""
    lock, choice = basis.lock, basis.choice
    removals, kept = _compare(_without(site, basis.owned), lock)
    packages, builders = packages_of(lock, kept)
    by_conda = sum(package.size for package in basis.conda.packages) if basis.conda else 0
    download = by_conda + sum(package.size for package in packages)
    disk = CONDA_GROWTH * by_conda + sum(package.unpacked for package in packages)
    changes = bool(packages or removals or (basis.conda is not None and basis.conda.changes))
    links = tuple(link for link in basis.links if changes or link.path not in basis.linked)
    edits = tuple(edit for edit in basis.edits if edit.path not in basis.written)
    plan = Plan(
        tool=basis.tool,
        made=basis.made,
        machine=basis.machine,
        request=basis.request,
        facts=facts_digest(basis.facts, choice.interpreter),
        catalogue=basis.catalogue,
        env=site.state,
        choice=choice,
        lock=lock.digest,
        proof=_proof_words(basis),
        steps=steps_of(site.state, choice, basis.conda, removals, packages, links, edits),
        packages=packages,
        unchanged={file.name: file.version for file in lock.files if file.name in kept},
        removals=removals,
        links=links,
        download=download,
        disk=disk,
        outside=_outside(basis, packages),
        warnings=basis.warnings,
        builders=builders,
        edits=edits,
        indexes=basis.indexes,
        conda=basis.conda,
    )
    return replace(plan, seal=seal(plan))


def _without(site: Site, owned: frozenset[str]) -> Site:
    """Return the site without the distributions that conda holds: its packages are compared by conda's own records."""
    if not owned:
        return site
    return replace(site, distributions=tuple(item for item in site.distributions if item.name not in owned))


def packages_of(lock: Lock, kept: frozenset[str]) -> tuple[tuple[Package, ...], tuple[Package, ...]]:
    """Return what is installed, and what the source distributions among that are built with."""
    packages = tuple(_package(file) for file in lock.files if file.name not in kept)
    built = any(package.source for package in packages)
    return packages, tuple(_package(file) for file in lock.files if built and file.name in BUILDERS)


def _package(file: LockedFile) -> Package:
    return Package(
        name=file.name,
        version=file.version,
        filename=file.filename,
        sha256=file.sha256,
        size=file.size,
        unpacked=file.unpacked,
        source=file.source,
    )


def _compare(site: Site, lock: Lock) -> tuple[tuple[Removal, ...], frozenset[str]]:
    """Return what must go, with reasons, and the names of locked distributions that are there already."""
    wanted = {file.name: file.version for file in lock.files}
    # Two where --with needs the name `tensorflow` beside tensorflow-intel and its like, which hold the files.
    own = {name for name in wanted if is_rival(name)}
    twice = {name for name, count in Counter(item.name for item in site.distributions).items() if count > 1}
    rivals = [item for item in site.distributions if is_rival(item.name) and item.name not in own]
    removals = [_removal(item, f"it owns the same folder as {' and '.join(sorted(own))}, so the two break each other") for item in rivals]
    kept: set[str] = set()
    for item in site.distributions:
        if item.name not in wanted:
            continue
        if item.version != wanted[item.name]:
            removals.append(_removal(item, f"the known-good set has {wanted[item.name]}"))
        elif item.name in twice:
            removals.append(_removal(item, "its metadata is there twice, so its files cannot be trusted"))
        elif item.name in own and (rivals or site.leftovers):
            removals.append(_removal(item, "its files are mixed with those of what is removed, so it is installed anew"))
        else:
            kept.add(item.name)
    if site.leftovers:
        removals.append(Removal(name="leftovers", version="", reason="a broken uninstall left them behind", paths=site.leftovers))
    if site.shared and not own <= kept:
        reason = "whatever is left in TensorFlow's folder would be mixed with the new files"
        removals.append(Removal(name="TensorFlow's folder", version="", reason=reason, paths=site.shared))
    return tuple(sorted(removals, key=lambda removal: (removal.name, removal.version))), frozenset(kept)


def _removal(item: Installed, reason: str) -> Removal:
    return Removal(name=item.name, version=item.version, reason=reason)


def _proof_words(basis: Basis) -> str:
    proof = basis.proof
    if basis.beside:
        return f"{proof_words(proof)}; what {basis.beside} adds was not part of that"
    return proof_words(proof)


def proof_words(proof: Proof) -> str:
    """Say what was run for a set."""
    if proof.level != "run":
        return "resolved, not run: nobody has recorded a run of this set yet"
    gpu = f", on {proof.gpu}" if proof.gpu else ", without a GPU"
    others = f" and with stand-ins for {proof.stand_ins}" if proof.stand_ins else ""
    return f"run on {proof.date}: installed and verified ({proof.checks} checks) on {proof.machine}{gpu}{others}"


def _outside(basis: Basis, packages: tuple[Package, ...]) -> tuple[str, ...]:
    changes = [f"the folder {path} is made" for path in basis.parents]
    if packages:
        changes.append(f"downloads are kept in uv's cache, {basis.cache}")
    if basis.conda is not None and basis.conda.packages:
        changes.append(f"conda packages are kept in {basis.conda.cache}")
    return (*changes, *basis.outside)
