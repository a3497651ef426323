"""From a choice to the plan: what stays, what goes and what comes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from provisioner.base.names import is_rival
from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.model.catalogue import Link, Lock, LockedFile, Proof
from provisioner.model.conda import Outside
from provisioner.model.conda_package import CondaPart
from provisioner.model.plan import Choice, Edit, Moved, Package, Plan, Removal
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.model.team import Index
from provisioner.plan.parts import Change, PlanInputs
from provisioner.plan.seal import sealed

if TYPE_CHECKING:
    from provisioner.model.mark import Mark
    from provisioner.plan.neighbours import Around

NONE: Mapping[str, str] = MappingProxyType({})
# What a source distribution without a pyproject.toml is built with (PEP 517, "legacy" back end of setuptools).
BUILDERS = ("setuptools", "wheel")
# The name under which what broken uninstalls left goes.
LEFTOVERS = "leftovers"


@record
class ApplyInputs:
    """What the plan of an apply is made from.

    ``links`` are those the set needs and ``linked`` the paths of those that are there; ``parents`` are folders that must be made above the
    environment. The rest is for conda environments: ``conda`` is what conda packages are to be, ``edits`` the files that are written, ``written``
    the paths of those that are there as they should be, ``owned`` the distributions that conda holds, and ``registered`` what else changes
    outside the environment, in sentences. ``broken`` are the distributions whose files are not as they should be, with the reason; ``fitting`` those
    that stay in another version than the set's, with that. ``around`` is what else is installed (None where that is not asked: nothing is there, or
    nothing changes), ``gone`` are names of it, or of the set, that leave in the version that is there, with the reason. ``kernels`` are the
    notebook kernels that are registered.
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
    around: Around | None = None
    gone: Mapping[str, str] = field(default_factory=dict)
    kernels: tuple[Outside, ...] = ()


@record
class Picked:
    """What is to be installed: the choice with its set and proof.

    ``beside`` names what adds packages to the known-good set ("" where nothing does), ``request`` is given where it is not the one made.
    ``members`` are the names of the set's own packages (None: all of the lock's). Packages of a set that is not ``exact`` may be exchanged for other
    versions of them, ``moved`` are those that were. ``gone`` are names of the user's own that leave, with the reason. The other fields are as in
    ``ApplyInputs`` and ``PlanInputs``.
    """

    choice: Choice
    lock: Lock
    proof: Proof
    beside: str = ""
    indexes: tuple[Index, ...] = ()
    conda: CondaPart | None = None
    owned: frozenset[str] = frozenset()
    request: Request | None = None
    members: frozenset[str] | None = None
    exact: bool = True
    moved: tuple[Moved, ...] = ()
    gone: Mapping[str, str] = field(default_factory=dict)


def make_plan(inputs: ApplyInputs) -> Plan:
    """Compare what is there with what was chosen, and return the sealed plan."""
    files, around = inputs.common.files, inputs.around
    coming = {file.name: inputs.fitting.get(file.name, file.version) for file in files}
    stale = stale_of(around, coming)
    removals, kept = compare(
        without(inputs.common.site, inputs.owned), files, stale, broken=inputs.broken, fitting=inputs.fitting, gone=inputs.gone
    )
    removals = tuple(_along(item, coming, around.members) for item in removals) if around is not None else removals
    leaving = inputs.gone.keys() - coming.keys()
    removals += tuple(_removal(item, inputs.gone[item.name]) for item in inputs.common.site.distributions if item.name in leaving)
    packages, builders = packages_of(inputs.common.lock, kept)
    checkouts = inputs.common.lock.checkouts if inputs.common.lock is not None else ()
    changes = bool(packages or checkouts or removals or (inputs.conda is not None and inputs.conda.changes))
    change = Change(
        packages=packages,
        builders=builders,
        checkouts=checkouts,
        unchanged={file.name: inputs.fitting.get(file.name, file.version) for file in files if file.name in kept},
        removals=removals,
        edits=tuple(edit for edit in inputs.edits if edit.path not in inputs.written),
        links=tuple(link for link in inputs.links if changes or link.path not in inputs.linked),
        conda=inputs.conda,
        outside=tuple(f"the folder {path} is made" for path in inputs.parents),
        registered=inputs.registered,
        kernels=inputs.kernels,
        **_others(around, coming, frozenset(inputs.gone)),
    )
    return sealed(inputs.common, change)


def _along(item: Removal, coming: Mapping[str, str], members: frozenset[str]) -> Removal:
    """Give what is resolved along with the set, and is none of it, a reason of its own."""
    if item.name not in coming or item.name in members:
        return item
    return replace(item, reason=f"{coming[item.name]} comes in its place, resolved along")


def _others(around: Around | None, coming: Mapping[str, str], gone: frozenset[str]) -> dict[str, Any]:
    """Return what becomes of everything else that is installed, as fields of a ``Change``."""
    if around is None:
        return {}
    return told(around, coming, gone)


def stale_of(around: Around | None, coming: Mapping[str, str]) -> frozenset[str]:
    """Return the names of what only the TensorFlow that is replaced needs, and what would break beside the one that comes."""
    if around is None:
        return frozenset()
    from provisioner.plan.neighbours import stale  # noqa: PLC0415 - as above

    return stale(around, coming)


def told(around: Around, coming: Mapping[str, str], gone: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return what becomes of the user's own distributions as fields of a ``Change``."""
    from provisioner.plan.neighbours import conflicts, fates  # noqa: PLC0415 - only where something else is installed

    found = fates(around, coming, gone=gone)
    return {"neighbours": found, "conflicts": conflicts(around, coming, found, gone=gone)}


def without(site: Site, owned: frozenset[str]) -> Site:
    """Return the site without the distributions that conda holds: its packages are compared by conda's own records."""
    if not owned:
        return site
    return replace(site, distributions=tuple(item for item in site.distributions if item.name not in owned))


def packages_of(lock: Lock | None, kept: frozenset[str]) -> tuple[tuple[Package, ...], tuple[Package, ...]]:
    """Return what is installed, and what the source distributions among that are built with."""
    files = lock.files if lock is not None else ()
    packages = tuple(package_of(file) for file in files if file.name not in kept)
    if lock is None or not (lock.checkouts or any(package.source for package in packages)):
        return packages, ()
    return packages, tuple(map(package_of, lock.builders or [file for file in files if file.name in BUILDERS]))


def package_of(file: LockedFile) -> Package:
    """Return a file of a lock as what a plan installs."""
    return Package(
        name=file.name,
        version=file.version,
        filename=file.filename,
        sha256=file.sha256,
        size=file.size,
        unpacked=file.unpacked,
        source=file.source,
        url=file.url,
    )


def compare(
    site: Site,
    files: Sequence[LockedFile],
    stale: frozenset[str] = frozenset(),
    *,
    broken: Mapping[str, str] = NONE,
    fitting: Mapping[str, str] = NONE,
    gone: Mapping[str, str] = NONE,
) -> tuple[tuple[Removal, ...], frozenset[str]]:
    """Return what must go, with reasons, and the names of locked distributions that are there already.

    ``stale`` are the names of what only the TensorFlow that is replaced needs, ``broken``, ``fitting`` and ``gone`` are as in ``ApplyInputs``.
    """
    wanted = {file.name: file.version for file in files}
    # Two where --with needs the name `tensorflow` beside tensorflow-intel and its like, which hold the files.
    own = {name for name in wanted if is_rival(name)}
    twice = {name for name, count in Counter(item.name for item in site.distributions).items() if count > 1}
    rivals = [item for item in site.distributions if is_rival(item.name) and item.name not in own]
    removals = [_removal(item, f"it owns the same folder as {' and '.join(sorted(own))}, so the two break each other") for item in rivals]
    kept: set[str] = set()
    for item in site.distributions:
        if item.name in stale:
            removals.append(
                _removal(item, "only the TensorFlow that is replaced needs it, and beside the new one it lacks what it requires")
            )
        if item.name not in wanted:
            continue
        if item.version not in {wanted[item.name], fitting.get(item.name)}:
            removals.append(_removal(item, f"the known-good set has {wanted[item.name]}"))
        elif item.name in twice:
            removals.append(_removal(item, "its metadata is there twice, so its files cannot be trusted"))
        elif item.name in own and (rivals or site.leftovers):
            removals.append(_removal(item, "its files are mixed with those of what is removed, so it is installed anew"))
        elif item.name in gone:
            removals.append(_removal(item, gone[item.name]))
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
        found.append(Removal(name=LEFTOVERS, version="", reason="a broken uninstall left them behind", paths=site.leftovers))
    if site.shared and folder:
        reason = "whatever is left in TensorFlow's folder would be mixed with the new files"
        found.append(Removal(name="TensorFlow's folder", version="", reason=reason, paths=site.shared))
    return found


def _removal(item: Installed, reason: str) -> Removal:
    return Removal(name=item.name, version=item.version, reason=reason)


def proof_words(proof: Proof, *, beside: str = "") -> str:
    """Say what was run for a set, and that it was not for what ``beside`` adds; what moved in it, ``sealed`` adds."""
    added = f"; what {beside} adds was not part of that" if beside else ""
    if proof.fault:
        return f"resolved, not run: on {proof.machine} it failed on {proof.date}: {proof.fault}{added}"
    if not proof.computed:
        return f"resolved, not run: nobody has recorded a run of this set yet{added}"
    gpu = f", on {proof.gpu}" if proof.gpu else ", without a GPU"
    others = f" and with stand-ins for {proof.stand_ins}" if proof.stand_ins else ""
    under = f" under {proof.emulator}, on no real machine" if proof.level == "emulated" else ""
    return f"run on {proof.date}{under}: installed and verified ({proof.checks} checks) on {proof.machine}{gpu}{others}{added}"
