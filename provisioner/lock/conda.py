"""The conda half of a target's lock: what is asked of the solver, for which machines, and its answer.

The virtual packages are those of the target's own needs, never a solver's default: who says no driver gets the CUDA of the build, and a
target for the processor has none.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from urllib.parse import quote

from provisioner.base.names import is_rival, normalise
from provisioner.base.paths import joined
from provisioner.catalogue import Catalogue
from provisioner.catalogue.conda_tables import newest_cuda
from provisioner.choose.channel import conda_version
from provisioner.choose.platforms import platform_name
from provisioner.choose.versions import specifier
from provisioner.conda import sources as conda_places
from provisioner.conda.sources import Places
from provisioner.conda.virtual import driver_cuda, target_packages
from provisioner.declared.markers import environment
from provisioner.engines import conda_lock, rattler
from provisioner.errors import NoProfileError, OperationError, UsageError
from provisioner.host import Host
from provisioner.lock.choosing import ChosenSet, source_of
from provisioner.lock.conda_beside import limits
from provisioner.lock.formats import conda_lock as conda_lock_file
from provisioner.lock.needs import floor_of
from provisioner.lock.parallel import Watch
from provisioner.model.catalogue import Build, Lock
from provisioner.model.conda_package import SUBDIRS, CondaPackage
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.model.team import Declaration, Inputs, LockedConda, Target, TeamLock

TENSORFLOW = "tensorflow"


@record
class Sources:
    """Where conda packages come from: ``written`` are the channels as they may be written down, in the order of ``places.channels``.

    ``repodata`` is the folder for the channels' lists. ``conda`` is the program that conda-lock solves with, "" for rattler. ``before`` is the
    conda half of each target in the lock that is there, without the packages that are to move, and ``known`` the names of all of them.
    """

    places: Places
    written: tuple[str, ...]
    repodata: str
    conda: str = ""
    before: Mapping[str, tuple[CondaPackage, ...]] = field(default_factory=dict)
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)


@record
class SolverQuestion:
    """What is asked of a solver for one target; ``constraints`` are match specs that hold only where the package comes along."""

    specs: tuple[str, ...]
    virtual: tuple[str, ...]
    constraints: tuple[str, ...] = ()


def open_channels(host: Host, declaration: Declaration, default: Sequence[str]) -> tuple[Places, tuple[str, ...]]:
    """Return the channels of a declaration, by conda's configuration, and how they may be written down; ``default`` where it names none."""
    rattler.check_installed()
    folder = posixpath.dirname(declaration.file)
    names = tuple(_absolute(channel, folder) for channel in declaration.channels or default)
    found = conda_places.places(host, Request(channels=names, origins={"channel": "channels"}), ())
    return found, tuple(names)


def _absolute(channel: str, folder: str) -> str:
    """A channel that is a folder is relative to the declaration."""
    if not channel.startswith(("./", "../")):
        return channel
    return f"file://{quote(joined(folder, channel))}"


def staying(before: TeamLock | None, upgrade: tuple[str, ...] | None, channels: tuple[str, ...]) -> dict[str, tuple[CondaPackage, ...]]:
    """Return the conda packages of each target that a solver is to prefer; TensorFlow is one thing, in whatever packages it comes.

    A solver takes them whether or not a channel has them, so what was locked from other channels is not among them.
    """
    if before is None or upgrade == ():
        return {}
    moving = set(upgrade or ())
    found = {}
    for locked in before.targets:
        packages = locked.conda.packages if locked.conda and locked.conda.channels == channels else ()
        tensorflow = any(is_rival(name) for name in moving)
        found[locked.target.name] = tuple(
            package for package in packages if normalise(package.name) not in moving and not (tensorflow and TENSORFLOW in package.name)
        )
    return found


def names_of(before: TeamLock | None) -> dict[str, frozenset[str]]:
    """Return the normalised names of the conda packages of each target."""
    targets = before.targets if before is not None else ()
    return {item.target.name: frozenset(normalise(package.name) for package in item.conda.packages) for item in targets if item.conda}


def asked_for(target: Target, lock: Lock, declaration: Declaration, inputs: Inputs, catalogue: Catalogue) -> SolverQuestion:
    """Return what is asked for a target: the match specs of its source, and the machines that it is for. Pure but for the catalogue.

    Raises ``UsageError`` for a requirement that no channel can be asked for, ``NoProfileError`` where no machine of the target could do.
    """
    release = catalogue.release(lock.release) if lock.release else None
    build = release.build(target.platform) if release else None
    virtual = target_packages(
        target.platform,
        floor=floor_of(target, lock),
        cuda=_cuda(target, build, declaration, catalogue),
        features=build.cpu_features if build else (),
    )
    if target.source != "conda":
        cuda = build.cuda.conda if build is not None and build.cuda is not None and source_of(target, build) == "libraries" else ()
        asked = (f"python {target.python}.*", *cuda, *declaration.conda)
        own = tuple(limits(target, lock, inputs, catalogue.conda_names())) if declaration.conda else ()
        return SolverQuestion(specs=asked, virtual=virtual, constraints=own)
    specs = [_tensorflow(target, declaration, inputs), f"python {target.python}.*", "pip"]
    specs += [*_requirements(target, inputs.requirements), *declaration.conda]
    return SolverQuestion(specs=tuple(specs), virtual=virtual, constraints=tuple(_requirements(target, inputs.constraints)))


def _cuda(target: Target, build: Build | None, declaration: Declaration, catalogue: Catalogue) -> str:
    """Return the CUDA that the drivers of all machines support: by the oldest of them; else that of the build."""
    if target.device != "cuda":
        return ""
    driver = target.driver or declaration.policy.driver
    if driver:
        found = driver_cuda(driver, catalogue.toolkits(), windows=target.platform.startswith("windows"))
        if not found:
            raise NoProfileError(
                f"NVIDIA driver {driver} is older than every CUDA that is known here ({target.name})", cause="driver-too-old"
            )
        return found
    if target.source != "conda":
        return build.cuda.version if build is not None and build.cuda is not None else ""
    found = newest_cuda(catalogue.conda(), target.platform)
    if not found:
        message = f"no TensorFlow of the conda channel computes on a GPU of {platform_name(target.platform)} ({target.name})"
        raise NoProfileError(message, hint="say a `driver` to ask the channel all the same, or `device: cpu`", cause="platform-unsupported")
    return found


def _tensorflow(target: Target, declaration: Declaration, inputs: Inputs) -> str:
    """Return the match spec of TensorFlow: declaration, policy and the team's own words about it all hold; ``|`` binds the weakest."""
    policy = declaration.policy
    wanted = [conda_version(specifier(target.tensorflow or declaration.tensorflow, "tensorflow")), conda_version(policy.releases)]
    wanted += [conda_version(spec) for name, spec in _parsed(target, inputs.requirements) if is_rival(name)]
    limits = ",".join(dict.fromkeys(text for text in wanted if text != "*"))
    signed = [f"=={item.release}" for item in policy.signed_off]
    versions = "|".join(",".join(filter(None, (limits, release))) for release in signed) or limits or "*"
    return f"{TENSORFLOW} {versions} {'cuda*' if target.device == 'cuda' else 'cpu*'}"


def _requirements(target: Target, texts: Sequence[str]) -> Iterator[str]:
    for name, spec in _parsed(target, texts):
        if not is_rival(name):
            yield f"{name} {conda_version(spec)}".removesuffix(" *")


def _parsed(target: Target, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield names and versions of the requirements that hold on a target."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - start-up

    for text in texts:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate(environment(target)):
            continue
        if requirement.url or requirement.extras:
            hint = "give a name and versions, or take this target's TensorFlow from wheels (`source: wheels`)"
            raise UsageError(f"`{text}` cannot be asked of a conda channel", place=target.name, hint=hint)
        yield normalise(requirement.name), str(requirement.specifier)


def solve(
    host: Host, chosen: ChosenSet, asked: SolverQuestion, sources: Sources, *, cutoff: str, folder: str, offline: bool, watch: Watch
) -> LockedConda:
    """Return the conda half of a target; ``cutoff`` is the date (ISO) that no package may be younger than.

    Raises as ``rattler.solve``, and ``OperationError`` where conda-lock fails.
    """
    target = chosen[0]
    offline = offline or sources.places.config.offline
    if sources.conda:
        question = conda_lock.TargetQuestion(
            name=target.name,
            subdir=SUBDIRS[target.platform],
            specs=(*asked.specs, *asked.constraints),
            virtual=asked.virtual,
            channels=sources.written,
            folder=folder,
            offline=offline,
        )
        picks = conda_lock_file.entries(conda_lock.lock(host, sources.conda, question, watch=watch), file="conda-lock.yml")
        found = _described(host, target, asked, sources, picks, offline=offline, watch=watch)
    else:
        found = _solved(host, target, asked, sources, cutoff=cutoff, offline=offline, watch=watch)
    packages = tuple(replace(package, url=rattler.bare(package.url), channel=rattler.bare(package.channel)) for package in found)
    return LockedConda(specs=asked.specs, virtual=asked.virtual, channels=sources.written, packages=packages)


def _solved(
    host: Host, target: Target, asked: SolverQuestion, sources: Sources, *, cutoff: str, offline: bool, watch: Watch
) -> tuple[CondaPackage, ...]:
    """Return what rattler chooses."""
    try:
        return rattler.solve(
            host,
            replace(sources.places.channels, newer=cutoff.replace("Z", "+00:00")),
            subdir=SUBDIRS[target.platform],
            specs=asked.specs,
            virtual=asked.virtual,
            repodata=sources.repodata,
            locked=sources.before.get(target.name, ()),
            constraints=asked.constraints,
            offline=offline,
            watch=watch,
        )
    except NoProfileError as error:
        _name(error, target, asked, error.message)
        raise


def _described(
    host: Host,
    target: Target,
    asked: SolverQuestion,
    sources: Sources,
    picks: Sequence[conda_lock_file.LockedEntry],
    *,
    offline: bool,
    watch: Watch,
) -> tuple[CondaPackage, ...]:
    """Return what conda-lock has chosen, as the channels' lists describe it: it keeps no build numbers, and not all dependencies."""
    try:
        found = rattler.solve(
            host,
            replace(sources.places.channels, newer=""),
            subdir=SUBDIRS[target.platform],
            specs=tuple(f"{item.name} =={item.version} {item.build}" for item in picks),
            virtual=asked.virtual,
            repodata=sources.repodata,
            offline=offline,
            watch=watch,
        )
    except NoProfileError as error:
        # conda's own solver minds no limits (run_constrained) on virtual packages.
        _name(error, target, asked, "what conda-lock has chosen does not go together on the target's machines")
        raise
    _check_same(target, found, picks)
    return found


def _name(error: NoProfileError, target: Target, asked: SolverQuestion, what: str) -> None:
    """Say in the error which target has no solution."""
    error.message = f"{what} ({target.name})"
    held = "; what the known-good set and the requirements have comes in their versions" if asked.constraints else ""
    error.hint = f"it was asked for {', '.join(asked.virtual)}{held}; change the target, its release or Python, or `channels`"


def _check_same(target: Target, found: Sequence[CondaPackage], picks: Sequence[conda_lock_file.LockedEntry]) -> None:
    """Hold what rattler has found of conda-lock's picks against them."""
    wanted = {(item.name, item.version, item.build): item.sha256 for item in picks}
    have = {(item.name, item.version, item.build): item.sha256 for item in found}
    wrong = sorted(key[0] for key in {*wanted, *have} if wanted.get(key) != have.get(key))
    if wrong:
        message = f"conda-lock's packages are not those that the channels list: {', '.join(wrong)}"
        raise OperationError(message, place=target.name, hint="lock without `--engine conda-lock`")


def release_of(conda: LockedConda) -> str:
    """Return the TensorFlow that came from the channel."""
    return next(package.version for package in conda.packages if package.name == TENSORFLOW)


def cutoff_of(cutoff: str, cutoffs: Mapping[str, str], known: frozenset[str]) -> str:
    """Return the date that no conda package may be younger than: a solver knows one for all, so that of the last upgrade among ``known``."""
    return max([cutoff, *(date for name, date in cutoffs.items() if name in known)])
