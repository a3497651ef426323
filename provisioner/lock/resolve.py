"""Locking all targets: the known-good set of each stays as it is, the team's requirements are resolved around it, side by side."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from threading import Event
from typing import TypeVar

from provisioner import __version__
from provisioner.base.versions import minor_of, numbers
from provisioner.catalogue import Catalogue
from provisioner.catalogue.companions import astray
from provisioner.catalogue.fits import SAME_MINOR, Fits
from provisioner.choose.obstacles import listed
from provisioner.declared.links import left_out
from provisioner.declared.markers import beside
from provisioner.engines import pip_tools, uv
from provisioner.engines.resolving import NoSolutionError
from provisioner.errors import OperationError, TfsetupError, UsageError
from provisioner.host import Host
from provisioner.host.files import make_folders
from provisioner.lock import another_build, apart, conda_beside, undated
from provisioner.lock import conda as conda_half
from provisioner.lock.choosing import ChosenSet, catalogue_digest
from provisioner.lock.files import check_same_files
from provisioner.lock.floors import lifted_words
from provisioner.lock.formats.requirements import address
from provisioner.lock.how import How, nothing
from provisioner.lock.needs import needs_of, proof_words
from provisioner.lock.parallel import Watch, side_by_side
from provisioner.lock.target import Wheels, lock_wheels, make_job
from provisioner.model.catalogue import Lock, Proof
from provisioner.model.checkout import Checkout
from provisioner.model.record import record
from provisioner.model.team import Declaration, Inputs, LockedConda, LockedTarget, Moved, TeamLock


@record
class Locked:
    """A lock, and what a person should know about how it came to be."""

    lock: TeamLock
    warnings: tuple[str, ...] = ()


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

    Raises ``UnmetError`` where requirements do not go with the sets, else the error of the first target that cannot be locked; a file that the
    index serves with another hash than the catalogue or ``previous`` knows is an error, too. Nothing is written but below ``how.folder``.
    """
    done = _all(host, declaration, inputs, sets, catalogue, how)
    home = [replace(item, folder=posixpath.relpath(item.folder, declaration.folder)) for item in inputs.projects]
    targets = tuple(_locked(item, chosen, catalogue, home) for item, chosen in zip(done, sets, strict=True))
    if previous is not None:
        check_same_files(previous, targets)
    dateless = sorted({name for item in done for name in item.wheels.undated})
    lock = TeamLock(
        tool=__version__,
        engine=how.engine,
        cutoff=how.cutoff,
        catalogue=catalogue_digest(sets),
        inputs=inputs.digests,
        targets=targets,
        cutoffs=dict(sorted({**how.cutoffs, **dict.fromkeys(dateless, "")}.items())),
        indexes=tuple(replace(index, url=address(index.url)) for index in declaration.indexes),
    )
    warnings = (
        *_moved_warnings(targets),
        *(
            lifted_words(*chosen[:2], item.wheels.floor, item.wheels.lifted)
            for item, chosen in zip(done, sets, strict=True)
            if item.wheels.lifted
        ),
        *another_build.warnings(inputs, targets),
        *_astray(targets, catalogue.fits()),
        *undated.warnings(declaration, dateless),
        *undated.conda_warnings(declaration, targets, by_conda=how.engine == "conda-lock"),
        *(words for chosen, item in zip(sets, targets, strict=True) for words in conda_beside.told(chosen, item.conda, catalogue)),
        *apart.warnings(declaration, targets, [item.path for item in inputs.carried.values()], left_out(host, inputs.links)),
    )
    return Locked(lock=lock, warnings=warnings)


@record
class _Target:
    """The two halves of a target."""

    wheels: Wheels
    conda: LockedConda | None = None


def _all(host: Host, declaration: Declaration, inputs: Inputs, sets: Sequence[ChosenSet], catalogue: Catalogue, how: How) -> list[_Target]:
    """Resolve every target in a thread of its own; raise the error of the first that fails.

    Where the answers of the index hold, the first goes ahead, and the others find them in uv's cache.
    """
    ahead = Event()
    lead = next((number for number, chosen in enumerate(sets) if chosen[0].source != "conda"), 0)

    def one(number: int, watch: Watch) -> _Target:
        folder = posixpath.join(how.folder, str(number))
        make_folders(host, folder)
        own = replace(how, folder=folder, answered=ahead.set if number == lead else nothing)
        conda = _lock_conda(host, declaration, inputs, sets[number], catalogue, own, watch)
        if sets[number][0].source == "conda":
            return _Target(wheels=Wheels(files=()), conda=conda)
        if number != lead and how.built_in:
            ahead.wait()
        if conda is None:
            return _Target(wheels=lock_wheels(host, declaration, inputs, sets[number], catalogue, own, watch))
        names = catalogue.conda_names()
        beside_conda = replace(inputs, constraints=(*inputs.constraints, *conda_beside.pins(conda, names)))
        found = lock_wheels(host, declaration, beside_conda, sets[number], catalogue, own, watch)
        return _Target(wheels=replace(found, files=conda_beside.without_doubles(found.files, conda, names, sets[number][0])), conda=conda)

    def first(number: int, watch: Watch) -> _Target:
        try:
            return one(number, watch)
        finally:
            ahead.set()

    _raise_failures(inputs, how, _refused(declaration, inputs, sets, how))
    # Asked here, where it is alone: what it asks of Python (sysconfig) is not safe from several threads at a time.
    uv.find_uv(host)
    futures = side_by_side([partial(first if number == lead else one, number) for number in range(len(sets))], len(sets))
    failures = [(sets[number], future.exception()) for number, future in enumerate(futures)]
    _raise_failures(inputs, how, [(chosen, error) for chosen, error in failures if error is not None])
    return [future.result() for future in futures]


def _refused(declaration: Declaration, inputs: Inputs, sets: Sequence[ChosenSet], how: How) -> list[tuple[ChosenSet, BaseException]]:
    """What the engine has no way to do, known before it works for a minute on the rest."""
    found: list[tuple[ChosenSet, BaseException]] = []
    for chosen in sets if how.engine == "pip-tools" else ():
        target, lock, _ = chosen
        if target.source == "conda":
            continue
        try:
            pip_tools.check(
                make_job(target, lock, beside(inputs.requirements, target, lock), inputs.constraints, declaration, how), how.platform
            )
        except UsageError as error:
            found.append((chosen, error))
    return found


def _locked(item: _Target, chosen: ChosenSet, catalogue: Catalogue, projects: Sequence[Checkout]) -> LockedTarget:
    target, lock, proof = chosen
    return LockedTarget(
        target=target,
        release=lock.release or (conda_half.release_of(item.conda) if item.conda else ""),
        profile=lock.digest,
        proof=proof_words(proof) + _unproven(item, proof),
        needs=needs_of(target, catalogue.release(lock.release), (file.filename for file in item.wheels.files), item.conda),
        files=item.wheels.files,
        conda=item.conda,
        moved=item.wheels.moved,
        builders=item.wheels.builders,
        checkouts=(*item.wheels.checkouts, *projects),
    )


def _unproven(item: _Target, proof: Proof) -> str:
    """Say what of a target was not part of the proof of its set."""
    if not proof.computed:
        return ""
    moved = f"; not with {listed([f'{one.name} {one.now}' for one in item.wheels.moved])}, which made room" if item.wheels.moved else ""
    return moved + ("; what conda brings was not part of that" if item.conda else "")


def _moved_warnings(targets: Sequence[LockedTarget]) -> Iterator[str]:
    """Say once for all targets that it holds for what of the known-good set made room for the team's requirements."""
    where: dict[tuple[str, tuple[Moved, ...]], list[str]] = {}
    for locked in targets:
        if locked.moved:
            where.setdefault((locked.release, locked.moved), []).append(locked.target.name)
    for (release, moved), names in where.items():
        listing = "; ".join(f"{item.name} {item.was} -> {item.now} ({item.why})" for item in moved)
        yield (
            f"{listed(names)}: the known-good set of TensorFlow {release} made room for your requirements: {listing}; "
            "this very set was not run (`policy: {proven: strict}` forbids that)"
        )


def _astray(targets: Sequence[LockedTarget], fits: Fits) -> Iterator[str]:
    """Say once which packages are known not to go with the release that they are locked beside, whatever their metadata says."""
    found: dict[str, list[str]] = {}
    for locked in targets:
        for file in locked.files:
            for rule in astray(fits, file.name, file.version, locked.release):
                spec = minor_of(file.version) if rule.tensorflow == SAME_MINOR else rule.tensorflow
                words = f"{file.name} {file.version} goes with TensorFlow {spec}, and {locked.release} is locked: {rule.reason} ({rule.reference})"
                found.setdefault(words, []).append(locked.target.name)
    for words, names in found.items():
        yield f"{listed(names)}: {words}"


class UnmetError(OperationError):
    """Targets whose requirements cannot be met around their sets, nor around those of the releases ``tried`` after them; ``explained`` says why."""

    tried: tuple[str, ...] = ()

    def __init__(self, failures: Sequence[tuple[ChosenSet, NoSolutionError]], inputs: Inputs) -> None:
        """Keep what failed, in the order of the targets."""
        first = failures[0][1]
        super().__init__(first.message, place=first.place, hint=first.hint, cause=first.cause)
        self.failures = tuple(failures)
        self.inputs = inputs

    def explained(self, host: Host, catalogue: Catalogue) -> OperationError:
        """Return the error that names both sides of the first target's clash, and the other targets; to find it out takes some seconds."""
        from provisioner.lock.clash import Clash, explain  # noqa: PLC0415 - only where something clashes

        (target, lock, _), error = self.failures[0]
        requirements = beside(self.inputs.requirements, target, lock)
        others = tuple(_others(catalogue, lock))
        case = Clash(
            host=host, target=target, lock=lock, requirements=requirements, job=error.job, said=error.said, others=others, tried=self.tried
        )
        return _with_others(explain(case), [chosen for chosen, _ in self.failures])


def _others(catalogue: Catalogue, lock: Lock) -> Iterator[Lock]:
    """Yield the sets that a release has for other Pythons, the nearest Python first, of two the older."""
    here = numbers(lock.python)[1]
    pythons = {python for python, device in catalogue.locks(lock.release, lock.platform) if device == lock.device} - {lock.python}
    for python in sorted(pythons, key=lambda text: (abs(numbers(text)[1] - here), numbers(text))):
        found = catalogue.lock(lock.release, python, lock.platform, lock.device)
        yield from [found] if found is not None else []


def _raise_failures(inputs: Inputs, how: How, failures: Sequence[tuple[ChosenSet, BaseException]]) -> None:
    """Raise what is no fault of the requirements first: a bug, then an index that does not answer."""
    if not failures:
        return
    unmet = [(chosen, error) for chosen, error in failures if isinstance(error, NoSolutionError)]
    if how.engine != "pip-tools" and len(unmet) == len(failures):
        raise UnmetError(unmet, inputs)
    unexpected = next((item for _, item in failures if not isinstance(item, TfsetupError)), None)
    raise unexpected or _with_others(failures[0][1], [chosen for chosen, _ in failures])


E = TypeVar("E", bound=BaseException)


def _with_others(error: E, failed: Sequence[ChosenSet]) -> E:
    others = ", ".join(target.name for target, _, _ in failed[1:])
    if others and isinstance(error, TfsetupError):
        error.message += f" (these targets cannot be locked either: {others})"
    return error


def _lock_conda(
    host: Host, declaration: Declaration, inputs: Inputs, chosen: ChosenSet, catalogue: Catalogue, how: How, watch: Watch
) -> LockedConda | None:
    """Return the conda half of a target, None for a virtual environment."""
    target, lock, _ = chosen
    if target.kind != "conda" or how.sources is None:
        return None
    conda_beside.check_asked(declaration, inputs, catalogue.conda_names())
    asked = conda_half.asked_for(target, lock, declaration, inputs, catalogue)
    cutoff = conda_half.cutoff_of(how.cutoff, how.cutoffs, how.sources.known.get(target.name, frozenset()))
    found = conda_half.solve(host, chosen, asked, how.sources, cutoff=cutoff, folder=how.folder, offline=how.offline, watch=watch)
    conda_beside.check_brought(target, found)
    return found
