"""From findings to repair plans, the smallest first: single repairs, the whole set, the environment made anew. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import replace

from provisioner.base.names import is_rival, normalise
from provisioner.environment.distributions import Installed
from provisioner.environment.layout import CONFIG, POSIX
from provisioner.environment.read import Site
from provisioner.environment.workspace import STATE
from provisioner.model.catalogue import Link, Lock
from provisioner.model.cause import Order
from provisioner.model.conda_package import CondaPart
from provisioner.model.finding import Finding, Repair, Verification
from provisioner.model.plan import Choice, Edit, Move, Package, Plan, PlanKind, Removal
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.plan.make import CONDA_GROWTH, packages_of
from provisioner.plan.seal import seal
from provisioner.repair import conda_plans
from provisioner.repair.conda_plans import CondaGround
from provisioner.repair.steps import steps_of
from provisioner.verify.requirements import unmet


@record
class Ground:
    """What repair plans are made from.

    ``lock`` is the catalogue's set for the release that is installed, with TensorFlow under the name ``own`` and with the files of what else is
    restored; None where the catalogue has none for this Python. ``installed`` and ``markers`` (PEP 508) answer who requires what. ``asides``
    maps each entry that this user may rename to the free name beside it. ``config`` is the text of ``pyvenv.cfg``. ``carried`` are the links that an
    earlier run made, ``links`` those of the set. ``proof`` says in words what was run for the set. ``conda`` is the conda half (None for a virtual
    environment). ``causes`` tells which lie in the packages.
    """

    tool: str
    made: str
    machine: str
    request: Request
    facts: str
    catalogue: str
    cache: str
    site: Site
    choice: Choice
    lock: Lock | None
    own: str
    proof: str
    links: tuple[Link, ...] = ()
    carried: tuple[Link, ...] = ()
    installed: tuple[Installed, ...] = ()
    markers: Mapping[str, str]
    asides: Mapping[str, str]
    config: str = ""
    conda: CondaGround | None = None
    causes: Order

    @property
    def locked(self) -> dict[str, str]:
        """The versions of the set, by name."""
        return {file.name: file.version for file in self.lock.files} if self.lock else {}


@record
class Sorted:
    """Repairs that a plan can do, and why the others cannot be done."""

    doable: tuple[Repair, ...]
    left: tuple[str, ...]


def repairs_of(findings: Iterable[Finding]) -> tuple[Repair, ...]:
    """Return what would mend the findings of severity error and warning, in their order, each once."""
    return tuple(dict.fromkeys(repair for finding in findings if finding.severity != "info" for repair in finding.repairs))


def unmendable(findings: Iterable[Finding], causes: Order) -> tuple[Finding, ...]:
    """Return the errors and warnings that no change of the environment mends."""
    return tuple(item for item in findings if item.severity != "info" and not item.repairs and not needs_set(item, causes))


def needs_set(finding: Finding, causes: Order) -> bool:
    """True for an error without repairs of its own that the known-good set may mend."""
    return finding.severity == "error" and not finding.repairs and causes.has(finding.cause, "in-packages")


def order_of(findings: Iterable[Finding], ground: Ground, *, answers: bool) -> tuple[PlanKind, ...]:
    """Return the kinds of attempts, smallest first; none where nothing can be mended.

    ``answers``: whether the environment's Python runs, or is given one that does. Warnings alone are worth their own repairs, and no more.
    """
    found = tuple(findings)
    doable = sort(repairs_of(found), ground).doable
    graver = any(item.severity == "error" and (item.repairs or needs_set(item, ground.causes)) for item in found)
    state = ground.site.state
    fits = ground.lock is None or state.python_version.split(".")[:2] == ground.lock.python.split(".")
    wanted = any(repair.kind == "rebuild" for repair in doable)
    if wanted or (graver and not (answers and fits and state.site_packages)):
        # A Python of no use is what an environment is made anew for; another one may be all that it needs.
        first: tuple[PlanKind, ...] = ("repair",) if wanted and any(repair.kind == "interpreter" for repair in doable) else ()
        return (*first, "rebuild") if ground.lock is not None else first
    kinds: list[PlanKind] = ["repair"] if doable else []
    if graver and ground.lock is not None:
        kinds += ["set", "rebuild"]
    return tuple(kinds)


def sort(repairs: Iterable[Repair], ground: Ground) -> Sorted:
    """Tell what a plan can do from what it cannot, with the reason in a sentence."""
    doable: list[Repair] = []
    left: list[str] = []
    if ground.conda is not None:
        repairs = conda_plans.translated(repairs, ground.conda, ground.site, ground.locked)
    for repair in repairs:
        why = _obstacle(repair, ground)
        if why:
            left.append(why)
        else:
            doable.append(repair)
    return Sorted(doable=tuple(doable), left=tuple(left))


def _obstacle(repair: Repair, ground: Ground) -> str:
    name = normalise(repair.name)
    if repair.kind == "restore" and not is_rival(name) and name not in ground.locked:
        return f"{repair.name} is not part of the known-good set, and no version of it was found that goes with it"
    if repair.kind == "restore" and ground.lock is None:
        return f"the catalogue has no set to take {repair.name} from"
    if repair.kind == "move away" and (repair.own or not inside(ground, repair.path)) and repair.path not in ground.asides:
        return f"{repair.path} cannot be renamed by this user: {repair.reason}"
    if repair.kind in {"write", "link"} and not inside(ground, repair.path):
        return f"{repair.path} is outside the environment, where nothing is written: {repair.reason}"
    return conda_plans.obstacle(repair, ground.conda)


def inside(ground: Ground, path: str) -> str:
    """Return an absolute path relative to the environment, or "" when it is not in it, or is the tool's own."""
    root = ground.site.state.path
    found = posixpath.relpath(path, root) if path.startswith(root + "/") else ""
    return "" if found.split("/", maxsplit=1)[0] in {"", "..", STATE} else found


def smallest(ground: Ground, repairs: tuple[Repair, ...]) -> Plan:
    """Do exactly what the repairs say, and what follows: who shared files with something that goes is restored in full."""
    doable = tuple(repair for repair in sort(repairs, ground).doable if repair.kind != "rebuild")
    return _plan(ground, "repair", doable, wanted=_wanted(ground, doable), links=ground.carried)


def whole(ground: Ground, repairs: tuple[Repair, ...]) -> Plan:
    """Put every package of the set back, whatever is there of it, and do the other repairs; what else is installed stays."""
    return _plan(ground, "set", sort(repairs, ground).doable, wanted=frozenset(ground.locked), links=ground.links or ground.carried)


def rebuild(ground: Ground, repairs: tuple[Repair, ...], lost: tuple[str, ...]) -> Plan:
    """Make the environment anew from the set and from what else is installed; ``lost`` names what could not be had again."""
    moves = tuple(move for move in _moves(ground, sort(repairs, ground).doable) if not inside(ground, move.path))
    reason = "a new one is made in its place; undo brings it back"
    packages, builders = _packages(ground, frozenset(ground.locked))
    change = _Change(
        packages=packages,
        builders=builders,
        removals=(Removal(name="the environment as it is", version="", reason=reason),),
        moves=moves,
        links=ground.links,
        conflicts=lost,
        edits=ground.conda.edits if ground.conda else (),
        conda=conda_plans.part(ground.conda, "rebuild", (), (), ground.site) if ground.conda else None,
    )
    return _sealed(ground, "rebuild", repairs, change)


def _wanted(ground: Ground, repairs: tuple[Repair, ...]) -> frozenset[str]:
    """Return the names to restore."""
    wanted: set[str] = set()
    for repair in repairs:
        name = normalise(repair.name)
        if repair.kind == "restore":
            wanted.add(ground.own if is_rival(name) else name)
        elif repair.kind == "remove" and is_rival(name) and name != ground.own:
            # What goes has overwritten files of what stays, so nothing of either can be trusted (facts/pitfalls.yaml).
            wanted.add(ground.own)
        elif repair.kind == "remove" and repair.version:
            others = [item for item in ground.site.distributions if item.name == name and item.version != repair.version]
            wanted.update([name] if others else [])
    return frozenset(wanted & set(ground.locked))


@record
class _Change:
    """What a plan does, before it is sealed."""

    packages: tuple[Package, ...] = ()
    builders: tuple[Package, ...] = ()
    removals: tuple[Removal, ...] = ()
    moves: tuple[Move, ...] = ()
    edits: tuple[Edit, ...] = ()
    links: tuple[Link, ...] = ()
    conflicts: tuple[str, ...] = ()
    conda: CondaPart | None = None


def _plan(ground: Ground, kind: PlanKind, repairs: tuple[Repair, ...], *, wanted: frozenset[str], links: tuple[Link, ...]) -> Plan:
    removals = _removals(ground, kind, repairs, wanted)
    packages, builders = _packages(ground, wanted)
    change = _Change(
        packages=packages,
        builders=builders,
        removals=removals,
        moves=_moves(ground, repairs),
        edits=_edits(ground, repairs),
        links=links,
        conflicts=_conflicts(ground, packages, removals),
        conda=conda_plans.part(ground.conda, kind, repairs, (item.name for item in packages), site=ground.site) if ground.conda else None,
    )
    return _sealed(ground, kind, repairs, change)


def _packages(ground: Ground, wanted: frozenset[str]) -> tuple[tuple[Package, ...], tuple[Package, ...]]:
    return packages_of(ground.lock, frozenset(ground.locked) - wanted) if ground.lock else ((), ())


def _removals(ground: Ground, kind: PlanKind, repairs: tuple[Repair, ...], wanted: frozenset[str]) -> tuple[Removal, ...]:
    site = ground.site
    found: list[Removal] = []
    reasons = {normalise(repair.name): repair.reason for repair in repairs if repair.kind == "restore"}
    going = {(normalise(repair.name), repair.version): repair.reason for repair in repairs if repair.kind == "remove" and repair.name}
    for item in site.distributions:
        removed = going.get((item.name, item.version)) or going.get((item.name, ""))
        if item.name in wanted:
            locked = ground.locked[item.name]
            why = "it is installed anew, in full" if item.version == locked else f"the known-good set has {locked}"
            found.append(Removal(name=item.name, version=item.version, reason=reasons.get(item.name) or why))
        elif removed is not None:
            found.append(Removal(name=item.name, version=item.version, reason=removed))
        elif ground.own in wanted and is_rival(item.name):
            reason = f"it owns the same folder as {ground.own}, so the two break each other"
            found.append(Removal(name=item.name, version=item.version, reason=reason))
    for repair in repairs:
        path = inside(ground, repair.path)
        if (repair.kind == "move away" or (repair.kind == "remove" and not repair.name)) and path and not repair.own:
            found.append(Removal(name=posixpath.basename(path), version="", reason=repair.reason, paths=(path,)))
    if kind == "set" and site.leftovers:
        found.append(Removal(name="leftovers", version="", reason="a broken uninstall left them behind", paths=site.leftovers))
    if site.shared and ground.own in wanted:
        reason = "whatever is left in TensorFlow's folder would be mixed with the new files"
        found.append(Removal(name="TensorFlow's folder", version="", reason=reason, paths=site.shared))
    return tuple(sorted(dict.fromkeys(found), key=lambda item: (item.name, item.version, item.paths)))


def _moves(ground: Ground, repairs: tuple[Repair, ...]) -> tuple[Move, ...]:
    """Entries of the user's own, and those outside the environment, are renamed beside themselves, where their owner finds them."""
    paths = {
        repair.path: repair.reason for repair in repairs if repair.kind == "move away" and (repair.own or not inside(ground, repair.path))
    }
    return tuple(Move(path=path, target=ground.asides[path], reason=reason) for path, reason in paths.items())


def _edits(ground: Ground, repairs: tuple[Repair, ...]) -> tuple[Edit, ...]:
    edits: dict[str, Edit] = {}
    for repair in repairs:
        path = inside(ground, repair.path)
        if repair.kind == "interpreter":
            edits.update((edit.path, edit) for edit in python_edits(ground, repair.reason))
        elif repair.kind == "write":
            edits[path] = Edit(path=path, reason=repair.reason, text=repair.target)
        elif repair.kind == "link":
            edits[path] = Edit(path=path, reason=repair.reason, target=repair.target)
    return tuple(edits.values())


def python_edits(ground: Ground, reason: str) -> tuple[Edit, ...]:
    """Return what lets the environment use the interpreter of the choice: its links and the lines of ``pyvenv.cfg`` (PEP 405) that name it."""
    base = ground.choice.interpreter
    if base is None:
        return ()
    home, short = posixpath.dirname(base.path), ".".join(base.version.split(".")[:2])
    values = {
        "home": home,
        "version": base.version,
        "version_info": base.version,
        "executable": base.path,
        "base-executable": base.path,
        "base-prefix": posixpath.dirname(home),
        "base-exec-prefix": posixpath.dirname(home),
    }
    lines = ground.config.splitlines()
    keys = [line.partition("=")[0].strip().lower() for line in lines]
    new = [f"{key} = {values[key]}" if key in values else line for key, line in zip(keys, lines, strict=True)]
    new += [f"{key} = {value}" for key, value in (("home", home), ("include-system-site-packages", "false")) if key not in keys]
    new += [] if {"version", "version_info"} & set(keys) else [f"version = {base.version}"]
    return (
        Edit(path=POSIX.python, reason=reason, target=base.path),
        *(
            Edit(path=path, reason=reason, target=posixpath.basename(POSIX.python))
            for path in (*POSIX.pythons[1:], f"{POSIX.python}{short}")
        ),
        Edit(path=CONFIG, reason=reason, text="\n".join(new) + "\n"),
    )


def _conflicts(ground: Ground, packages: tuple[Package, ...], removals: tuple[Removal, ...]) -> tuple[str, ...]:
    """Return what would no longer have what it requires, and has it now."""
    coming = {item.name: item.version for item in packages}
    going = {(item.name, item.version) for item in removals}
    known = {(item.name, item.version): item for item in ground.installed}
    after = [item for item in ground.installed if (item.name, item.version) not in going and item.name not in coming]
    for name, version in coming.items():
        # What a package of the set requires is in the set; which of that is there can be told only where it is installed already.
        after.append(known.get((name, version)) or Installed(name=name, version=version))
    before = {(item.distribution, item.requirement) for item in unmet(ground.installed, ground.markers)}
    lost = [item for item in unmet(after, ground.markers) if not item.note and (item.distribution, item.requirement) not in before]
    return tuple(item.sentence for item in lost)


def _sealed(ground: Ground, kind: PlanKind, repairs: tuple[Repair, ...], change: _Change) -> Plan:
    gone = {item.name for item in change.removals} | {item.name for item in change.packages}
    kept = {item.name: item.version for item in ground.site.distributions if ground.locked.get(item.name) == item.version}
    base = ground.choice.interpreter
    anew = kind == "rebuild" or any(edit.path == CONFIG for edit in change.edits)
    given = base.path if base is not None and anew else ""
    outside = [f"{move.path} is renamed to {posixpath.basename(move.target)}" for move in change.moves if not inside(ground, move.path)]
    linked = change.conda.packages if change.conda is not None else ()
    outside += [f"conda packages are kept in {change.conda.cache}"] if change.conda is not None and linked else []
    by_conda = sum(item.size for item in linked)
    plan = Plan(
        tool=ground.tool,
        made=ground.made,
        machine=ground.machine,
        request=ground.request,
        facts=ground.facts,
        catalogue=ground.catalogue,
        env=ground.site.state,
        choice=ground.choice,
        lock=ground.lock.digest if ground.lock else "",
        proof=ground.proof,
        steps=(),
        packages=change.packages,
        unchanged={} if kind == "rebuild" else {name: version for name, version in kept.items() if name not in gone},
        removals=change.removals,
        links=change.links,
        download=by_conda + sum(item.size for item in change.packages),
        disk=CONDA_GROWTH * by_conda + sum(item.unpacked for item in change.packages),
        outside=(*outside, *([f"downloads are kept in uv's cache, {ground.cache}"] if change.packages else [])),
        builders=change.builders,
        kind=kind,
        repairs=repairs,
        moves=change.moves,
        edits=change.edits,
        base=given,
        conflicts=change.conflicts,
        conda=change.conda,
    )
    plan = replace(plan, steps=steps_of(plan))
    return replace(plan, seal=seal(plan))


def is_mended(before: Iterable[Finding], after: Iterable[Finding] | None, verification: Verification, causes: Order) -> bool:
    """Whether an attempt may stay: what is still an error is only what no change of the environment mends and was there before.

    ``after`` is a new examination, where one could be made: it also sees what ``verify`` cannot, such as a module in the user's own folder.
    """
    given = {finding.cause for finding in unmendable(before, causes)}
    errors = [finding for finding in (*verification.findings, *(after or ())) if finding.severity == "error"]
    if any(finding.cause not in given for finding in errors):
        return False
    return verification.passed or bool(errors)
