"""What else lives in an environment, and what becomes of it when the set in it changes: the one rule, for ``apply``, ``plan`` and ``fix``. Pure.

What a distribution requires is what its METADATA says, and what the catalogue knows of add-ons (``profiles/fits.yaml``). A distribution that only
TensorFlow needed is TensorFlow's, not the user's: where it would break, it goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from provisioner.base.names import RELEASED, is_rival
from provisioner.base.requirement import applies, name_of, read_requirement
from provisioner.catalogue.fits import SAME_MINOR, Companion
from provisioner.environment.distributions import Installed
from provisioner.judge.requirements import Unmet, unmet
from provisioner.model.plan import Neighbour
from provisioner.model.record import record


@record
class Around:
    """What lies in an environment, ``installed``, with what it requires; ``markers`` are those of its Python (PEP 508).

    ``companions`` are the catalogue's add-ons, ``members`` the names of the set's own packages. What follows from these (``look_around``): ``own``
    are the user's own distributions, neither the set's, nor TensorFlow under any name, nor the ``residue``, which are the names of what only
    TensorFlow needs and the set does not hold; ``lacked`` are the requirements that are not met as it is.
    """

    installed: tuple[Installed, ...]
    markers: Mapping[str, str]
    members: frozenset[str]
    companions: tuple[Companion, ...]
    own: tuple[Installed, ...]
    residue: frozenset[str]
    lacked: tuple[Unmet, ...]


def look_around(
    installed: Iterable[Installed], markers: Mapping[str, str], members: frozenset[str], companions: tuple[Companion, ...] = ()
) -> Around:
    """Return what lies around the set with those ``members``, of which the requirements that this Python does not have are left out."""
    there = tuple(replace(item, requires=_applying(item.requires, markers)) for item in installed)
    return Around(
        installed=there,
        markers=markers,
        members=members,
        companions=companions,
        own=_own(there, members),
        residue=_residue(there, members),
        lacked=tuple(item for item in unmet(_aliased(there), markers) if not item.note),
    )


def beside(around: Around, members: frozenset[str]) -> Around:
    """Return the same around another set."""
    return replace(around, members=members, own=_own(around.installed, members), residue=_residue(around.installed, members))


def _applying(requires: Iterable[str], markers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the requirements that this Python has, without their markers; those of extras are nobody's."""
    found = []
    for text in requires:
        try:
            requirement = read_requirement(text)
        except ValueError:
            continue
        if applies(requirement, {**markers, "extra": ""}):
            found.append(f"{requirement.name}{requirement.specifier}")
    return tuple(found)


def _residue(installed: Iterable[Installed], members: frozenset[str]) -> frozenset[str]:
    by_name = {item.name: item for item in installed}
    ours = _reached((name for name in by_name if is_rival(name)), by_name)
    theirs = _reached((name for name in by_name if name not in ours), by_name)
    return frozenset(name for name in ours if name in by_name and name not in theirs | members and not is_rival(name))


def _own(installed: tuple[Installed, ...], members: frozenset[str]) -> tuple[Installed, ...]:
    others = members | _residue(installed, members)
    return tuple(item for item in installed if item.name not in others and not is_rival(item.name))


def _reached(names: Iterable[str], by_name: Mapping[str, Installed]) -> frozenset[str]:
    """Return the names, and all that they require, direct or not."""
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _required_by(by_name[name]) if name in by_name else ()
    return frozenset(seen)


def _required_by(item: Installed) -> frozenset[str]:
    """Return the names of what a distribution requires."""
    return frozenset(name_of(text) for text in item.requires)


def lacking(around: Around, coming: Mapping[str, str], *, gone: Iterable[str] = ()) -> tuple[Unmet, ...]:
    """Return what the user's own distributions would lack that they have now, where ``coming`` (names to versions) is installed over what is there.

    ``gone`` are the names of what leaves besides the rivals of what comes.
    """
    return _lost(around, frozenset(item.name for item in around.own), coming, gone)


def stale(around: Around, coming: Mapping[str, str]) -> frozenset[str]:
    """Return the names of what only the TensorFlow that is there needs, and what would break beside the one that comes."""
    residue = around.residue - frozenset(coming)
    return frozenset(item.distribution for item in _lost(around, residue, coming, ())) if residue else residue


def _lost(around: Around, whose: frozenset[str], coming: Mapping[str, str], gone: Iterable[str]) -> tuple[Unmet, ...]:
    before = {(item.distribution, item.requirement) for item in around.lacked}
    lost = _unmet_after(around, coming, gone)
    return tuple(item for item in lost if item.distribution in whose and (item.distribution, item.requirement) not in before)


def _unmet_after(around: Around, coming: Mapping[str, str], gone: Iterable[str]) -> tuple[Unmet, ...]:
    return tuple(item for item in unmet(_aliased(_after(around, coming, frozenset(gone))), around.markers) if not item.note)


def _after(around: Around, coming: Mapping[str, str], gone: frozenset[str]) -> tuple[Installed, ...]:
    named = any(is_rival(name) for name in coming)
    stays = [item for item in around.installed if item.name not in coming and item.name not in gone and not (named and is_rival(item.name))]
    known = {(item.name, item.version): item for item in around.installed}
    comes = [known.get((name, version)) or Installed(name=name, version=version) for name, version in coming.items()]
    return (*stays, *comes)


def _aliased(items: Sequence[Installed]) -> tuple[Installed, ...]:
    """Let TensorFlow be found under every name of its: which of them is installed says nothing about whether a requirement of it is met."""
    names = {item.name for item in items}
    own = next((item for item in items if item.name in RELEASED), None)
    more = [Installed(name=name, version=own.version) for name in sorted(RELEASED - names)] if own is not None else []
    return (*items, *more)


def fates(around: Around, coming: Mapping[str, str], *, gone: Iterable[str] = ()) -> tuple[Neighbour, ...]:
    """Return what becomes of each of the user's own distributions that does not leave; the parameters are as in ``lacking``."""
    gone = frozenset(gone)
    lost: dict[str, list[str]] = {}
    own = any(is_rival(name) for name in coming)
    for item in lacking(around, coming, gone=gone):
        # TensorFlow is of the set, whatever its name there.
        lost.setdefault(item.distribution, []).append(_words(item, item.name in coming or (own and is_rival(item.name))))
    for name, why in _strangers(around, coming):
        lost.setdefault(name, [why])
    before: dict[str, list[str]] = {}
    left = {(item.distribution, item.requirement) for item in (_unmet_after(around, coming, gone) if around.lacked else ())}
    for item in (item for item in around.lacked if (item.distribution, item.requirement) in left):
        before.setdefault(item.distribution, []).append(f"{item.sentence}, now as before")
    found = {
        item.name: _fate(item, coming, lost.get(item.name, ()), before.get(item.name, ())) for item in around.own if item.name not in gone
    }
    return _spread(around, found)


def conflicts(around: Around, coming: Mapping[str, str], found: Iterable[Neighbour], *, gone: Iterable[str] = ()) -> tuple[str, ...]:
    """Return what breaks in the words in which it is told of an environment (``judge.whole``), so that what was agreed to is known again."""
    lost: dict[str, list[str]] = {}
    for item in lacking(around, coming, gone=gone):
        lost.setdefault(item.distribution, []).append(item.sentence)
    return tuple(text for item in found if item.fate == "breaks" for text in lost.get(item.name, item.why))


def _fate(item: Installed, coming: Mapping[str, str], lost: Sequence[str], before: Sequence[str]) -> Neighbour:
    becomes = coming.get(item.name, item.version)
    if becomes != item.version:
        return Neighbour(name=item.name, version=item.version, fate="resolved", becomes=becomes)
    if lost:
        return Neighbour(name=item.name, version=item.version, fate="breaks", why=tuple(lost))
    return Neighbour(name=item.name, version=item.version, fate="was broken" if before else "whole", why=tuple(before))


def _spread(around: Around, found: dict[str, Neighbour]) -> tuple[Neighbour, ...]:
    """Let what requires something that breaks break with it; it names which."""
    needs = {item.name: _required_by(item) for item in around.own}
    changed = True
    while changed:
        changed = False
        for name, item in found.items():
            roots = {root for other in needs[name] if other in found for root in _roots(found[other])} - {name}
            if item.fate == "whole" and roots:
                why = tuple(f"{name} {item.version} needs {other}, which breaks" for other in sorted(needs[name]) if _breaks(found, other))
                found[name] = replace(item, fate="breaks", why=why, by=tuple(sorted(roots)))
                changed = True
    return tuple(found[name] for name in sorted(found))


def _breaks(found: Mapping[str, Neighbour], name: str) -> bool:
    return name in found and found[name].fate == "breaks"


def _roots(item: Neighbour) -> tuple[str, ...]:
    if item.fate != "breaks":
        return ()
    return item.by or (item.name,)


def _words(item: Unmet, of_set: bool) -> str:  # noqa: FBT001 - said once
    have = f"the set has {item.found}" if of_set else f"{item.found} is there" if item.found else f"there is no {item.name} any more"
    return f"{item.distribution} {item.version} needs {item.requirement}; {have}"


def _strangers(around: Around, coming: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Yield the add-ons that go with the TensorFlow that is there, and not with the one that comes."""
    release = next((version for name, version in coming.items() if name in RELEASED), "")
    now = next((item.version for item in around.installed if item.name in RELEASED), "")
    if not release or release == now:
        return
    for item in around.own:
        for rule in around.companions:
            if rule.package == item.name and item.name not in coming and _misfits(rule, item, release) and not _misfits(rule, item, now):
                wanted = ".".join(item.version.split(".")[:2]) if rule.tensorflow == SAME_MINOR else rule.tensorflow
                yield item.name, f"{item.name} {item.version} goes with TensorFlow {wanted}; the set has {release}"


def _misfits(rule: Companion, item: Installed, release: str) -> bool:
    return bool(release) and rule.judges(item.version, release) and not rule.goes_with(item.version, release)
