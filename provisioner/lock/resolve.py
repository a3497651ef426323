"""Locking all targets: the known-good set of each stays as it is, the team's requirements are resolved around it, side by side."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from provisioner import __version__
from provisioner.catalogue import Catalogue
from provisioner.engines import pip_tools, uv, uv_compile
from provisioner.engines.resolving import Job, NoSolutionError, Resolved, plain
from provisioner.engines.wheels import Wheel, numbers, pick, supported_tags
from provisioner.errors import OperationError, TfsetupError, UsageError
from provisioner.host import Host
from provisioner.lock.clash import Case, explain
from provisioner.lock.needs import floor_of, needs_of, proof_words
from provisioner.lock.own import beside
from provisioner.model.catalogue import Lock, LockedFile, Proof
from provisioner.model.record import record
from provisioner.model.team import Declaration, Engine, Inputs, LockedTarget, Target, TeamFile, TeamLock
from provisioner.site import is_rival, normalise
from provisioner.transaction import make_folders

if TYPE_CHECKING:
    from packaging.tags import Tag

# The distribution that every add-on names when it needs TensorFlow.
TENSORFLOW = "tensorflow"

ChosenSet = tuple[Target, Lock, Proof]


@record
class How:
    """How a lock is made: ``cutoff`` (ISO, UTC) and ``cutoffs`` of single packages, as in ``TeamLock``.

    ``platform`` is that of this machine ("" where nobody can tell), which pip-tools is bound to. ``folder`` is one of the tool's own, for
    this run alone; ``cache`` one that stays.
    """

    engine: Engine
    cutoff: str
    folder: str
    cache: str
    cutoffs: Mapping[str, str]
    platform: str = ""
    offline: bool = False


@record
class Locked:
    """A lock, and what a person should know about how it came to be."""

    lock: TeamLock
    warnings: tuple[str, ...] = ()


def catalogue_digest(sets: Iterable[ChosenSet]) -> str:
    """Return the SHA-256 over the known-good sets of all targets: a line ``<target> <digest of the set>`` for each, in order."""
    lines = [f"{target.name} {lock.digest}" for target, lock, _ in sets]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def lock_targets(
    host: Host,
    declaration: Declaration,
    inputs: Inputs,
    sets: Sequence[ChosenSet],
    *,
    catalogue: Catalogue,
    previous: TeamLock | None,
    how: How,
) -> Locked:
    """Resolve every target, side by side, and return the lock.

    Raises the error of the first target that cannot be locked, with the others' names; a file that the index serves with another hash than
    the catalogue or ``previous`` knows is an error, too. Nothing is written but below ``how.folder``.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only to lock

    def one(number: int) -> _Target:
        folder = posixpath.join(how.folder, str(number))
        make_folders(host, folder)
        return _lock_target(host, declaration, inputs, sets[number], how, folder)

    # Asked here, where it is alone: what it asks of Python (sysconfig) is not safe from several threads at a time.
    uv.find_uv(host)
    with ThreadPoolExecutor(max(1, len(sets))) as pool:
        futures = [pool.submit(one, number) for number in range(len(sets))]
        failures = [(sets[number], future.exception()) for number, future in enumerate(futures)]
    _raise_failures(host, inputs, catalogue, how, [(chosen, error) for chosen, error in failures if error is not None])
    done = [future.result() for future in futures]
    releases = {lock.release: catalogue.release(lock.release) for _, lock, _ in sets}
    targets = tuple(
        LockedTarget(
            target=target,
            release=lock.release,
            profile=lock.digest,
            proof=proof_words(proof),
            needs=needs_of(target, releases[lock.release], (file.filename for file in item.files)),
            files=item.files,
        )
        for item, (target, lock, proof) in zip(done, sets, strict=True)
    )
    if previous is not None:
        _check_same_files(previous, targets)
    undated = sorted({name for item in done for name in item.undated})
    lock = TeamLock(
        tool=__version__,
        engine=how.engine,
        cutoff=how.cutoff,
        catalogue=catalogue_digest(sets),
        inputs=inputs.digests,
        targets=targets,
        cutoffs=dict(sorted({**how.cutoffs, **dict.fromkeys(undated, "")}.items())),
    )
    return Locked(lock=lock, warnings=_warnings(declaration, undated))


@record
class _Target:
    files: tuple[TeamFile, ...]
    undated: tuple[str, ...]


def _warnings(declaration: Declaration, undated: Sequence[str]) -> tuple[str, ...]:
    if not undated:
        return ()
    names = ", ".join(undated)
    if declaration.policy.cool_down:
        hint = "leave `cool_down` out, or take these packages from an index that tells the dates"
        raise UsageError(f"the index tells no upload dates of {names}, so nobody can say whether they have cooled down", hint=hint)
    return (f"the index tells no upload dates of {names}: no date holds for them, and their newest versions were taken",)


def _raise_failures(
    host: Host,
    inputs: Inputs,
    catalogue: Catalogue,
    how: How,
    failures: Sequence[tuple[ChosenSet, BaseException]],
) -> None:
    if not failures:
        return
    (target, lock, _), error = failures[0]
    unexpected = next((item for _, item in failures if not isinstance(item, TfsetupError)), None)
    if unexpected is not None:
        raise unexpected
    if isinstance(error, NoSolutionError) and how.engine == "uv":
        requirements = beside(inputs.requirements, target, lock)
        case = Case(host=host, target=target, lock=lock, requirements=requirements, job=error.job, said=error.said)
        error = explain(case, catalogue)
    others = ", ".join(chosen[0].name for chosen, _ in failures[1:])
    if others and isinstance(error, TfsetupError):
        error.message += f" (these targets cannot be locked either: {others})"
    raise error


def make_job(
    target: Target, lock: Lock, requirements: Sequence[str], constraints: Sequence[str], declaration: Declaration, how: How, folder: str
) -> Job:
    """Return what a resolver is asked for a target: the whole set by its exact pins, and the team's requirements.

    No cut-off holds for the set's own files: they are known by their hashes.
    """
    pins = [f"{file.name}=={file.version}" for file in lock.files]
    return Job(
        name=target.name,
        requirements=(*pins, *requirements),
        constraints=tuple(constraints),
        python=target.python,
        platform=target.platform,
        floor=floor_of(target, lock),
        cutoff=how.cutoff,
        folder=folder,
        cache=how.cache,
        sources=tuple(file.name for file in lock.files if file.source),
        cutoffs=dict(how.cutoffs),
        exempt=tuple(file.name for file in lock.files),
        indexes=declaration.indexes,
        offline=how.offline,
    )


def _lock_target(host: Host, declaration: Declaration, inputs: Inputs, chosen: ChosenSet, how: How, folder: str) -> _Target:
    target, lock, _ = chosen
    requirements = beside(inputs.requirements, target, lock)
    resolve = _engine(host, how)
    answer = resolve(make_job(target, lock, requirements, inputs.constraints, declaration, how, folder))
    own = next((file for file in lock.files if is_rival(file.name)), None)
    if own is not None and own.name != TENSORFLOW and TENSORFLOW in answer.offered:
        # An add-on names `tensorflow`, which shares its folder with `tensorflow-cpu`: same release, same code, so it takes its place.
        kept = tuple(file for file in lock.files if file is not own)
        limits = (*inputs.constraints, f"{TENSORFLOW}=={lock.release}")
        job = make_job(target, _with_files(lock, kept), (f"{TENSORFLOW}=={lock.release}", *requirements), limits, declaration, how, folder)
        answer = resolve(job)
        if own.name in answer.offered:
            raise OperationError(f"the requirements need both {TENSORFLOW} and {own.name}, which break each other", place=target.name)
        lock = _with_files(lock, kept)
    files = _files(target, lock, answer, declaration, requirements, floor=floor_of(target, chosen[1]))
    return _Target(files=files, undated=answer.undated)


def _with_files(lock: Lock, files: tuple[LockedFile, ...]) -> Lock:
    from dataclasses import replace  # noqa: PLC0415 - one use

    return replace(lock, files=files)


def _engine(host: Host, how: How) -> Callable[[Job], Resolved]:
    if how.engine == "uv":
        return lambda job: uv_compile.compile_job(host, job)
    return lambda job: pip_tools.compile_job(host, job, platform=how.platform)


def _files(
    target: Target, lock: Lock, answer: Resolved, declaration: Declaration, requirements: Sequence[str], *, floor: str
) -> tuple[TeamFile, ...]:
    """Return the files of a target by name: the set's own by their hashes, of all others the one that an installer prefers."""
    profile = {file.name: file for file in lock.files}
    tags = supported_tags(target.python, target.platform, numbers(floor))
    missing = sorted(set(profile) - set(answer.offered))
    if missing:
        raise OperationError(f"the index has nothing under {', '.join(missing)}", place=target.name, cause="download-failed")
    requires: dict[str, set[str]] = {name: set() for name in answer.offered}
    for name, origins in answer.via.items():
        for origin in origins:
            requires.get(origin, set()).add(name)
    asked = {normalise(_name(text)) for text in requirements}
    found = []
    for name, offered in sorted(answer.offered.items()):
        known = profile.get(name)
        wheel = _same_file(target, known, offered) if known else _picked(target, offered, tags)
        via = tuple(origin for origin in answer.via.get(name, ()) if origin in answer.offered)
        root = (posixpath.basename(declaration.file),) if name in asked or not via else ()
        found.append(_team_file(wheel, known, via=(*root, *via), requires=tuple(sorted(requires[name])), declaration=declaration))
    return tuple(found)


def _name(requirement: str) -> str:
    from packaging.requirements import Requirement  # noqa: PLC0415 - start-up

    return Requirement(requirement).name


def _picked(target: Target, offered: Sequence[Wheel], tags: Sequence[Tag]) -> Wheel:
    try:
        return pick(offered, tags)
    except OperationError as error:
        names = ", ".join(wheel.filename for wheel in offered)
        message = f"no wheel of {offered[0].package} {offered[0].version} fits the oldest machine of the target (there are {names})"
        hint = "say a newer `floor` for the target if all of its machines have one, or limit the version"
        raise OperationError(message, place=target.name, hint=hint, cause=error.cause) from None


def _same_file(target: Target, known: LockedFile, offered: Sequence[Wheel]) -> Wheel:
    """Return the file of the known-good set among those that the index offers."""
    for wheel in offered:
        if wheel.sha256 == known.sha256:
            return wheel
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
        url=plain(wheel.url),
        index=plain(chosen.url) if chosen else "",
        requires=requires,
        via=via,
        profile=known is not None,
        source=not wheel.filename.endswith(".whl"),
        uploaded=wheel.uploaded,
    )


def _check_same_files(previous: TeamLock, targets: Iterable[LockedTarget]) -> None:
    """Raise ``OperationError`` where a file of the lock that is there has the same name and another hash now."""
    before = {(file.index, file.filename): file.sha256 for target in previous.targets for file in target.files}
    for target in targets:
        for file in target.files:
            if before.get((file.index, file.filename), file.sha256) != file.sha256:
                raise OperationError(
                    f"the index serves another file under the name {file.filename} than when the lock was made (its SHA-256 differs)",
                    place=target.target.name,
                    hint="ask who runs the index; nothing was written",
                    cause="download-failed",
                )
