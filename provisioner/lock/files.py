"""Which file of each package a target gets: the known-good set's own by its hash, of all others the one that an installer prefers."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.base.paths import address_of, is_absolute, slashed
from provisioner.base.requirement import name_of, read_requirement
from provisioner.declared.direct import revision_of
from provisioner.engines.resolving import Resolved, plain
from provisioner.engines.wheels import Wheel, major_minor, pick, supported_tags
from provisioner.errors import OperationError
from provisioner.model.catalogue import Lock, LockedFile
from provisioner.model.checkout import Checkout
from provisioner.model.team import Carried, Declaration, LockedTarget, Target, TeamFile, TeamLock

if TYPE_CHECKING:
    from packaging.tags import Tag


def files_of(
    target: Target,
    lock: Lock,
    answer: Resolved,
    declaration: Declaration,
    requirements: Sequence[str],
    *,
    floor: str,
    carried: Mapping[str, Carried],
) -> tuple[TeamFile, ...]:
    """Return the files of a target by name: the set's own by their hashes, of all others the one that an installer prefers.

    ``carried`` is that of the ``Inputs``: what the project has is taken from there, also where an index has the same.
    """
    profile = {file.name: file for file in lock.files}
    tags = supported_tags(target.python, target.platform, major_minor(floor))
    missing = sorted(set(profile) - set(answer.offered))
    if missing:
        raise OperationError(f"the index has nothing under {', '.join(missing)}", place=target.name, cause="download-failed")
    requires = _requires(answer)
    asked = {name_of(text) for text in requirements}
    found = []
    for name, offered in sorted(answer.offered.items()):
        if not offered[0].filename:
            continue
        known = profile.get(name)
        wheel = _same_file(target, known, offered) if known else _picked(target, offered, tags, carried)
        via = tuple(origin for origin in answer.via.get(name, ()) if origin in answer.offered)
        root = (posixpath.basename(declaration.file),) if name in asked or not via else ()
        made = _team_file(wheel, known, via=(*root, *via), requires=requires[name], declaration=declaration)
        made = _carried(made, offered, carried[made.sha256], declaration) if made.sha256 in carried else made
        found.append(replace(made, compiled=name in answer.compiled))
    return tuple(found)


def _carried(made: TeamFile, offered: Sequence[Wheel], item: Carried, declaration: Declaration) -> TeamFile:
    """Return a file as one that the project carries: by its path from the lock, and by an index's address where one has the very same."""
    served = next((plain(wheel.url) for wheel in offered if wheel.sha256 == made.sha256 and wheel.url.startswith("http")), "")
    return replace(made, path=posixpath.relpath(item.path, declaration.folder), url=served, index="", size=item.size)


def checkouts_of(answer: Resolved, declaration: Declaration, requirements: Sequence[str]) -> tuple[Checkout, ...]:
    """Return the commits of an answer by name, each with the revision that the requirement itself asks for."""
    requires, own = _requires(answer), posixpath.basename(declaration.file)
    asked = {name_of(text): revision_of(read_requirement(text).url or "") for text in requirements}
    found = []
    for name, (wheel, *_) in sorted(answer.offered.items()):
        via = tuple(origin for origin in answer.via.get(name, ()) if origin in answer.offered)
        made = Checkout(
            name=name,
            version=wheel.version,
            url=wheel.url,
            commit=wheel.commit,
            folder=wheel.folder,
            asked=asked.get(name, ""),
            requires=requires[name],
            via=(*((own,) if name in asked else ()), *via),
            compiled=name in answer.compiled,
        )
        found += [made] if wheel.commit else []
    return tuple(found)


def _requires(answer: Resolved) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {name: set() for name in answer.offered}
    for name, origins in answer.via.items():
        for origin in origins:
            found.get(origin, set()).add(name)
    return {name: tuple(sorted(names)) for name, names in found.items()}


def check_hashes(target: Target, files: Iterable[TeamFile], hashes: Mapping[str, Sequence[str]]) -> None:
    """Raise ``OperationError`` where a file has none of the hashes that the team's lists give for it."""
    for file in files:
        if file.name in hashes and file.sha256 not in hashes[file.name]:
            raise OperationError(
                f"{file.filename} has none of the hashes that your lists give for {file.name} (it has sha256:{file.sha256})",
                place=target.name,
                hint="name the version that they belong to (`name==version`), or take the hashes out; nothing was written",
                cause="download-failed",
            )


def _picked(target: Target, offered: Sequence[Wheel], tags: Sequence[Tag], own: Collection[str]) -> Wheel:
    if not offered[0].filename.endswith(".whl"):
        return offered[0]
    try:
        return pick(offered, tags, own)
    except OperationError as error:
        names = ", ".join(wheel.filename for wheel in offered)
        message = f"no wheel of {offered[0].package} {offered[0].version} fits the oldest machine of the target (there are {names})"
        hint = "say a newer `floor` for the target if all of its machines have one, or limit the version"
        raise OperationError(message, place=target.name, hint=hint, cause=error.cause) from None


def _same_file(target: Target, known: LockedFile, offered: Sequence[Wheel]) -> Wheel:
    """Return the file of the known-good set among those that the index offers."""
    for wheel in sorted(offered, key=lambda item: item.direct):
        if wheel.sha256 == known.sha256:
            return wheel
    if offered[0].direct:
        raise OperationError(
            f"{known.name} belongs to the known-good set, and your requirements take it from an address",
            place=target.name,
            hint=f"take that line out; the set has {known.name} {known.version}",
            cause="resolver-conflict",
        )
    if any(wheel.filename == known.filename for wheel in offered):
        raise OperationError(
            f"the index serves another file under the name {known.filename} than the one that is known to be good (its SHA-256 differs)",
            place=target.name,
            hint="ask who runs the index; nothing was written",
            cause="download-failed",
        )
    raise OperationError(
        f"the index does not have {known.filename}, which the known-good set needs",
        place=target.name,
        hint="complete the mirror, or lock against another index; nothing was written",
        cause="download-failed",
    )


def _team_file(
    wheel: Wheel, known: LockedFile | None, *, via: tuple[str, ...], requires: tuple[str, ...], declaration: Declaration
) -> TeamFile:
    index = next((item for item in declaration.indexes if wheel.package in item.packages), None)
    default = next((item for item in declaration.indexes if not item.packages), None)
    chosen = index or default
    return TeamFile(
        name=wheel.package,
        version=known.version if known else wheel.version,
        filename=wheel.filename,
        sha256=wheel.sha256,
        size=known.size if known else wheel.size,
        url=_address(wheel),
        index=plain(chosen.url) if chosen and not wheel.direct else "",
        requires=requires,
        via=via,
        profile=known is not None,
        source=not wheel.filename.endswith(".whl"),
        uploaded=wheel.uploaded,
        direct=wheel.direct,
    )


def _address(wheel: Wheel) -> str:
    """Return where a file is; uv tells a direct one of this machine by its path."""
    if not wheel.direct:
        return plain(wheel.url)
    return address_of(slashed(wheel.url)) if is_absolute(wheel.url) else wheel.url.partition("#")[0]


def check_same_files(previous: TeamLock, targets: Iterable[LockedTarget]) -> None:
    """Raise ``OperationError`` where a file of the lock that is there has the same name and another hash now."""
    before = {(file.index, file.filename): file.sha256 for target in previous.targets for file in target.files if not file.path}
    for target in targets:
        for file in (item for item in target.files if not item.path):
            if before.get((file.index, file.filename), file.sha256) != file.sha256:
                raise OperationError(
                    f"the index serves another file under the name {file.filename} than when the lock was made (its SHA-256 differs)",
                    place=target.target.name,
                    hint="ask who runs the index; nothing was written",
                    cause="download-failed",
                )
