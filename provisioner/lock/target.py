"""The wheels of one target: the known-good set as it was run, else with room made in it, and the team's requirements around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from provisioner.base.names import is_rival, normalise
from provisioner.base.requirement import read_requirement
from provisioner.catalogue import Catalogue
from provisioner.catalogue.companions import limits_around, limits_beside
from provisioner.choose.obstacles import listed
from provisioner.declared.direct import with_revision
from provisioner.declared.markers import beside, wanted_of
from provisioner.engines import builds, pip_tools, uv_compile
from provisioner.engines.resolving import Job, NoSolutionError, Resolved
from provisioner.engines.source_tree import Metadata
from provisioner.engines.stated import stated_by
from provisioner.engines.wheels import Wheel
from provisioner.errors import OperationError
from provisioner.host import Host
from provisioner.host.files import make_folders
from provisioner.lock import apart
from provisioner.lock.alone import TENSORFLOW
from provisioner.lock.building import NeedsBuildError, building
from provisioner.lock.choosing import ChosenSet
from provisioner.lock.files import check_hashes, checkouts_of, files_of
from provisioner.lock.floors import NewerFloorError, newer_floors
from provisioner.lock.how import How
from provisioner.lock.loosen import loosened, moved_by, unmoved
from provisioner.lock.needs import floor_of
from provisioner.lock.parallel import Watch
from provisioner.model.catalogue import Lock, LockedFile
from provisioner.model.checkout import Checkout
from provisioner.model.record import record
from provisioner.model.team import Declaration, Inputs, Moved, Target, TeamFile

# Names of conda packages may be none of a distribution (_libgcc_mutex), and uv takes no date for those.
_DISTRIBUTION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@record
class Wheels:
    """What a target gets: ``undated`` are packages whose index tells no dates, ``moved`` those of the set that made room.

    ``builders`` are what its source distributions are built with, ``checkouts`` the commits of repositories. ``lifted`` are packages for which
    wheels of the newer ``floor`` were taken, "" where the known-good set's own did.
    """

    files: tuple[TeamFile, ...]
    undated: tuple[str, ...] = ()
    moved: tuple[Moved, ...] = ()
    builders: tuple[TeamFile, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
    floor: str = ""
    lifted: tuple[str, ...] = ()


def make_job(
    target: Target, lock: Lock, requirements: Sequence[str], constraints: Sequence[str], declaration: Declaration, how: How
) -> Job:
    """Return what a resolver is asked for a target: the whole set by its exact pins, and the team's requirements.

    No cut-off holds for the set's own files: they are known by their hashes.
    """
    pins = [f"{file.name}=={file.version}" for file in lock.files]
    return Job(
        name=target.name,
        requirements=(*pins, *(_kept(text, how.commits) for text in requirements)),
        constraints=tuple(constraints),
        python=target.python,
        platform=target.platform,
        floor=floor_of(target, lock),
        cutoff=how.cutoff,
        folder=how.folder,
        cache=how.cache,
        sources=tuple(file.name for file in lock.files if file.source),
        cutoffs={name: date for name, date in how.cutoffs.items() if _DISTRIBUTION.fullmatch(name)},
        exempt=tuple(file.name for file in lock.files),
        indexes=declaration.indexes,
        links=how.links,
        built_in=how.built_in,
        offline=how.offline,
    )


def _kept(text: str, commits: Mapping[str, str]) -> str:
    """Return a requirement on a branch or tag with the commit that the lock has of it: only an upgrade moves that."""
    commit = commits.get(read_requirement(text).url or "") if " @ git+" in text else None
    return with_revision(text, commit) if commit else text


def lock_wheels(
    host: Host, declaration: Declaration, inputs: Inputs, chosen: ChosenSet, catalogue: Catalogue, how: How, watch: Watch
) -> Wheels:
    """Resolve the team's requirements around a target's set, for the oldest system that it runs on or, where wheels need it, a newer one.

    Raises ``NoSolutionError`` where they do not go with it, ``NeedsBuildError`` where a package would have to be built and may not be.
    """
    target, lock, proof = chosen
    at_floor = partial(_at_floor, host, declaration, inputs, catalogue=catalogue, how=how, watch=watch)

    def tried(target: Target, floors: Sequence[str], lifted: tuple[str, ...]) -> Wheels:
        try:
            found = at_floor(chosen=(target, lock, proof), floors=floors)
        except NewerFloorError as error:
            verb = "has" if len(error.names) == 1 else "have"
            how.tell(
                f"{target.name}: {listed(error.names)} {verb} no wheel for glibc {floor_of(target, lock)}; those for {error.floor} are taken"
            )
            newer = floors[floors.index(error.floor) + 1 :]
            return tried(replace(target, floor=error.floor), newer, tuple(sorted({*lifted, *error.names})))
        return replace(found, floor=target.floor, lifted=lifted) if lifted else found

    try:
        return tried(target, newer_floors(target, lock), ())
    except NeedsBuildError as error:
        carried = [item.path for item in inputs.carried.values()]
        raise apart.only_elsewhere(target, error.names, carried) or error from None


def _at_floor(
    host: Host,
    declaration: Declaration,
    inputs: Inputs,
    chosen: ChosenSet,
    catalogue: Catalogue,
    how: How,
    watch: Watch,
    floors: Sequence[str],
) -> Wheels:
    """Resolve for one oldest system, and once more with what is known beyond metadata of the packages that came, where that goes."""
    once = partial(_once, host, declaration, chosen=chosen, catalogue=catalogue, how=how, watch=watch, floors=floors)
    found = once(inputs)
    release = catalogue.release(chosen[1].release)
    offered = {file.name: file.version for file in found.files}
    known = partial(limits_around, release, catalogue.fits(), offered) if release is not None else None

    def again(more: tuple[str, ...]) -> Wheels | None:
        try:
            return once(replace(inputs, requirements=(*inputs.requirements, *more)))
        except (NoSolutionError, NeedsBuildError):
            return None

    unmet = known() if known is not None else ()
    if known is None or not unmet:
        return found
    return again(unmet) or again(known(other=True)) or found


def _once(
    host: Host,
    declaration: Declaration,
    inputs: Inputs,
    *,
    chosen: ChosenSet,
    catalogue: Catalogue,
    how: How,
    watch: Watch,
    floors: Sequence[str],
) -> Wheels:
    target, lock, _ = chosen
    requirements = beside(inputs.requirements, target, lock)
    strict = declaration.policy.proven or how.engine == "pip-tools"
    inputs = replace(inputs, constraints=(*inputs.constraints, *_of_addons(catalogue, lock, inputs, target)))

    def around(strength: Callable[[Job], Job], *, deep: bool) -> tuple[Resolved, Lock]:
        engine = _engine(host, declaration, inputs, catalogue, replace(how, deep=deep), watch, floors)
        return _around(engine, chosen, inputs, declaration, how, requirements, strength)

    wheels = partial(_wheels, target, declaration, requirements, inputs, floor_of(target, lock))
    try:
        # Where the set may make room, that comes before anything is built that has wheels.
        answer, kept = around(lambda job: job, deep=strict and how.deep)
        return wheels(kept, answer)
    except NoSolutionError:
        if strict:
            raise
        how.tell(f"{target.name}: your requirements clash with the set as it was run; it makes room")
        limits = catalogue.limits(lock)
        answer, kept = around(lambda job: loosened(job, lock, limits), deep=how.deep)
    moved = moved_by(kept, answer, requirements)
    return replace(wheels(unmoved(kept, moved), answer), moved=moved)


def _of_addons(catalogue: Catalogue, lock: Lock, inputs: Inputs, target: Target) -> Iterator[str]:
    """Yield limits of add-ons that are asked for in any version, and that nobody limits: their metadata seldom says which one a release needs."""
    named = [read_requirement(text) for text in (*inputs.requirements, *inputs.constraints) if " @ " not in text]
    limited = {normalise(item.name) for item in named if str(item.specifier)}
    yield from limits_beside(
        catalogue.release(lock.release), wanted_of(inputs.requirements, target, catalogue.fits().bound).keys() - limited
    )


def _wheels(
    target: Target,
    declaration: Declaration,
    requirements: Sequence[str],
    inputs: Inputs,
    floor: str,
    kept: Lock,
    answer: Resolved,
) -> Wheels:
    files = partial(files_of, target, declaration=declaration, floor=floor, carried=inputs.carried)
    built = Resolved(offered=answer.builders, via={})
    found = files(kept, answer, requirements=requirements)
    check_hashes(target, found, inputs.hashes)
    return Wheels(
        files=found,
        undated=answer.undated,
        checkouts=checkouts_of(answer, declaration, requirements),
        builders=files(_with_files(kept, ()), built, requirements=()),
    )


def _around(
    resolve: Callable[[Job], Resolved],
    chosen: ChosenSet,
    inputs: Inputs,
    declaration: Declaration,
    how: How,
    requirements: Sequence[str],
    strength: Callable[[Job], Job],
) -> tuple[Resolved, Lock]:
    """Resolve the requirements around a set; return the answer with the set's files that are part of it."""
    target, lock, _ = chosen
    # What add-ons bring under TensorFlow's own name is of the release, too.
    limits = (*inputs.constraints, *([f"{TENSORFLOW}=={lock.release}"] if lock.release else []))
    answer = resolve(strength(make_job(target, lock, requirements, limits, declaration, how)))
    own = next((file for file in lock.files if is_rival(file.name)), None)
    if own is None or own.name == TENSORFLOW or TENSORFLOW not in answer.offered:
        return answer, lock
    # An add-on names `tensorflow`, which shares its folder with `tensorflow-cpu`: same release, same code, so it takes its place.
    kept = _with_files(lock, tuple(file for file in lock.files if file is not own))
    job = strength(make_job(target, kept, (f"{TENSORFLOW}=={lock.release}", *requirements), limits, declaration, how))
    answer = resolve(replace(job, absent=(own.name,)))
    if own.name in answer.offered:
        raise OperationError(f"the requirements need both {TENSORFLOW} and {own.name}, which break each other", place=target.name)
    return answer, kept


def _with_files(lock: Lock, files: tuple[LockedFile, ...]) -> Lock:
    return replace(lock, files=files)


def _engine(
    host: Host, declaration: Declaration, inputs: Inputs, catalogue: Catalogue, how: How, watch: Watch, floors: Sequence[str]
) -> Callable[[Job], Resolved]:
    if how.engine == "pip-tools":
        return lambda job: pip_tools.compile_job(host, job, platform=how.platform, pythons=how.pythons, watch=watch)
    free = tuple(item.package for item in catalogue.fits().built)

    def resolve(job: Job) -> Resolved:
        make_folders(host, job.folder)
        return answered(job)

    def answered(job: Job, *, origins: bool = True) -> Resolved:
        try:
            return uv_compile.compile_job(host, job, origins=origins, watch=watch)
        finally:
            how.answered()

    def build(job: Job, wheel: Wheel, pins: tuple[str, ...]) -> Metadata:
        how.tell(f"{job.name}: building {wheel.package} {wheel.version}, to know what it needs")
        return builds.metadata_of(host, job, wheel, pins=pins, watch=watch)

    return building(
        resolve,
        build,
        allowed=declaration.policy.built,
        free=free,
        projects=inputs.builders,
        deep=how.deep,
        floors=floors,
        quick=partial(answered, origins=False),
        stated=lambda job, wheels: stated_by(host, job, wheels, watch),
    )
