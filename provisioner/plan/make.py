"""From a choice to the plan: what stays, what goes and what comes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from provisioner.base.names import is_rival
from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.model.catalogue import Link, Lock, LockedFile, Proof
from provisioner.model.conda_package import CondaPart
from provisioner.model.plan import Choice, Edit, Package, Plan, Removal
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.model.team import Index
from provisioner.plan.parts import Change, PlanInputs
from provisioner.plan.seal import sealed

if TYPE_CHECKING:
    from provisioner.judge.whole import Mark

NONE: Mapping[str, str] = MappingProxyType({})
# What a source distribution without a pyproject.toml is built with (PEP 517, "legacy" back end of setuptools).
BUILDERS = ("setuptools", "wheel")


@record
class ApplyInputs:
    """What the plan of an apply is made from.

    ``links`` are those the set needs and ``linked`` the paths of those that are there; ``parents`` are folders that must be made above the
    environment. The rest is for conda environments: ``conda`` is what conda packages are to be, ``edits`` the files that are written, ``written``
    the paths of those that are there as they should be, ``owned`` the distributions that conda holds, and ``registered`` what else changes
    outside the environment, in sentences. ``broken`` are the distributions whose files are not as they should be, with the reason; ``fitting`` those
    that stay in another version than the set's, with that.
    """

    common: PlanInputs
    links: tuple[Link, ...]
    linked: frozenset[str]
    parents: tuple[str, ...] = ()
    conda: CondaPart | None = None
    edits: tuple[Edit, ...] = ()
    written: frozenset[str] = frozenset()
    owned: frozenset[str] = frozenset()
    registered: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    fitting: Mapping[str, str] = field(default_factory=dict)


@record
class Picked:
    """What is to be installed: the choice with its set and proof.

    ``beside`` names what adds packages to the known-good set ("" where nothing does), ``request`` is given where it is not the one made. The
    other fields are as in ``ApplyInputs`` and ``PlanInputs``.
    """

    choice: Choice
    lock: Lock
    proof: Proof
    beside: str = ""
    indexes: tuple[Index, ...] = ()
    conda: CondaPart | None = None
    owned: frozenset[str] = frozenset()
    request: Request | None = None


def make_plan(inputs: ApplyInputs) -> Plan:
    """Compare what is there with what was chosen, and return the sealed plan."""
    files = inputs.common.files
    removals, kept = compare(without(inputs.common.site, inputs.owned), files, broken=inputs.broken, fitting=inputs.fitting)
    packages, builders = packages_of(files, kept)
    changes = bool(packages or removals or (inputs.conda is not None and inputs.conda.changes))
    change = Change(
        packages=packages,
        builders=builders,
        unchanged={file.name: inputs.fitting.get(file.name, file.version) for file in files if file.name in kept},
        removals=removals,
        edits=tuple(edit for edit in inputs.edits if edit.path not in inputs.written),
        links=tuple(link for link in inputs.links if changes or link.path not in inputs.linked),
        conda=inputs.conda,
        outside=tuple(f"the folder {path} is made" for path in inputs.parents),
        registered=inputs.registered,
    )
    return sealed(inputs.common, change)


def without(site: Site, owned: frozenset[str]) -> Site:
    """Return the site without the distributions that conda holds: its packages are compared by conda's own records."""
    if not owned:
        return site
    return replace(site, distributions=tuple(item for item in site.distributions if item.name not in owned))


def packages_of(files: Sequence[LockedFile], kept: frozenset[str]) -> tuple[tuple[Package, ...], tuple[Package, ...]]:
    """Return what is installed, and what the source distributions among that are built with."""
    packages = tuple(_package(file) for file in files if file.name not in kept)
    built = any(package.source for package in packages)
    return packages, tuple(_package(file) for file in files if built and file.name in BUILDERS)


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


def compare(
    site: Site, files: Sequence[LockedFile], *, broken: Mapping[str, str] = NONE, fitting: Mapping[str, str] = NONE
) -> tuple[tuple[Removal, ...], frozenset[str]]:
    """Return what must go, with reasons, and the names of locked distributions that are there already.

    ``broken`` and ``fitting`` are as in ``ApplyInputs``.
    """
    wanted = {file.name: file.version for file in files}
    # Two where --with needs the name `tensorflow` beside tensorflow-intel and its like, which hold the files.
    own = {name for name in wanted if is_rival(name)}
    twice = {name for name, count in Counter(item.name for item in site.distributions).items() if count > 1}
    rivals = [item for item in site.distributions if is_rival(item.name) and item.name not in own]
    removals = [_removal(item, f"it owns the same folder as {' and '.join(sorted(own))}, so the two break each other") for item in rivals]
    kept: set[str] = set()
    for item in site.distributions:
        if item.name not in wanted:
            continue
        if item.version not in {wanted[item.name], fitting.get(item.name)}:
            removals.append(_removal(item, f"the known-good set has {wanted[item.name]}"))
        elif item.name in twice:
            removals.append(_removal(item, "its metadata is there twice, so its files cannot be trusted"))
        elif item.name in own and (rivals or site.leftovers):
            removals.append(_removal(item, "its files are mixed with those of what is removed, so it is installed anew"))
        elif item.name in broken:
            removals.append(_removal(item, f"it is not as it was installed ({broken[item.name]})"))
        else:
            kept.add(item.name)
    removals += remains(site, leftovers=True, folder=not own <= kept)
    return tuple(sorted(removals, key=lambda removal: (removal.name, removal.version))), frozenset(kept)


def not_mended(made: Plan, marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return what is wrong now, and will be when the plan is executed: it is about packages that the plan does not install anew. Pure."""
    coming = {package.name for package in made.packages}
    going = coming | {removal.name for removal in made.removals}
    out = {path for removal in made.removals for path in removal.paths}
    left = []
    for mark in marks:
        inner = mark.where.removeprefix(f"{made.env.path}/")
        gone = any(inner == path or inner.startswith(f"{path}/") for path in out)
        own = any(is_rival(name) for name in coming) and mark.kind in {"stray", "rivals"}
        if not (mark.distribution in going or gone or own or mark.about in coming):
            left.append(mark)
    return tuple(left)


def remains(site: Site, *, leftovers: bool, folder: bool) -> list[Removal]:
    """Return what belongs to no distribution and must go: ``leftovers`` of broken uninstalls, what is left in TensorFlow's own ``folder``."""
    found: list[Removal] = []
    if site.leftovers and leftovers:
        found.append(Removal(name="leftovers", version="", reason="a broken uninstall left them behind", paths=site.leftovers))
    if site.shared and folder:
        reason = "whatever is left in TensorFlow's folder would be mixed with the new files"
        found.append(Removal(name="TensorFlow's folder", version="", reason=reason, paths=site.shared))
    return found


def _removal(item: Installed, reason: str) -> Removal:
    return Removal(name=item.name, version=item.version, reason=reason)


def proof_words(proof: Proof, *, beside: str = "") -> str:
    """Say what was run for a set, and that it was not for what ``beside`` adds."""
    added = f"; what {beside} adds was not part of that" if beside else ""
    if proof.level != "run":
        return f"resolved, not run: nobody has recorded a run of this set yet{added}"
    gpu = f", on {proof.gpu}" if proof.gpu else ", without a GPU"
    others = f" and with stand-ins for {proof.stand_ins}" if proof.stand_ins else ""
    return f"run on {proof.date}: installed and verified ({proof.checks} checks) on {proof.machine}{gpu}{others}{added}"
