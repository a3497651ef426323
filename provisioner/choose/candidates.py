"""Holds one release against one machine: everything that is in its way, or the Python and the lock it would be installed with."""

from __future__ import annotations

from provisioner.choose.driver import GpuState, check_driver, unanswered, unproven
from provisioner.choose.gpu import gpu_warnings, judge, none_usable, usable
from provisioner.choose.obstacles import Obstacle, span
from provisioner.choose.platforms import check_cpu, check_libc, check_macos, is_bad, no_build, no_cuda, windows_warnings
from provisioner.choose.policy import driver_obstacle, release_obstacles, set_obstacles
from provisioner.choose.pythons import PythonOffer, Pythons, no_python, offers_for, python_warnings
from provisioner.model.catalogue import Build, ComputeDevice, CudaBuild, KnownBad, Lock, Release, set_of
from provisioner.model.catalogue_view import CatalogueView
from provisioner.model.conda_package import CondaSource
from provisioner.model.facts import Facts
from provisioner.model.plan import EnvState, GpuJudgement
from provisioner.model.policy import Policy
from provisioner.model.record import record
from provisioner.model.request import Request

_DEVICE_NAMES: dict[ComputeDevice, str] = {"cpu": "the CPU", "cuda": "CUDA"}


@record
class Situation:
    """All that does not depend on the release: read once for a request; ``gpu_builds``: whether the newest that is asked for has one here."""

    facts: Facts
    request: Request
    env: EnvState
    platform: str
    spec: str
    pythons: Pythons
    gpu_state: GpuState
    device: ComputeDevice
    gpu_builds: bool = True


@record
class Candidate:
    """A release on this machine: it fits when nothing is in its way; ``offer`` is then the Python it goes with."""

    release: Release
    obstacles: tuple[Obstacle, ...]
    offer: PythonOffer | None = None
    gpus: tuple[GpuJudgement, ...] = ()
    warnings: tuple[str, ...] = ()
    source: CondaSource = ""


def examine(situation: Situation, release: Release, catalogue: CatalogueView) -> Candidate:
    """Return the candidate with every obstacle, root cause first; a lock is read only where nothing else is in the way."""
    build = release.build(situation.platform)
    if build is None:
        obstacles = [no_build(situation.facts, situation.platform, release)]
        if situation.pythons.trouble is not None and situation.pythons.trouble.code in {"wrong-arch-binary", "python-32bit"}:
            obstacles.append(situation.pythons.trouble)
        return Candidate(release=release, obstacles=ordered(obstacles, catalogue))
    allowed = list(release_obstacles(release, situation.request.policy, situation.request.cutoff))
    driver = driver_obstacle(build, situation.device, situation.request.policy.driver)
    checks = [
        *((obstacle, "") for obstacle in (*allowed, driver)),
        check_cpu(situation.facts, build.cpu_features),
        check_libc(situation.facts, build.glibc),
        check_macos(situation.facts, build.macos),
    ]
    if situation.device == "cuda" and build.cuda is None:
        found = [obstacle for obstacle, _ in checks if obstacle is not None]
        found.append(no_cuda(situation.facts, build.platform, release))
        return Candidate(release=release, obstacles=ordered(found, catalogue))
    gpus: tuple[GpuJudgement, ...] = ()
    gpu_notes: tuple[str, ...] = ()
    if situation.device == "cuda" and build.cuda is not None:
        judged, gpus, gpu_notes = _check_gpus(situation, release, build.cuda, catalogue)
        checks.extend(judged)
    obstacles = [obstacle for obstacle, _ in checks if obstacle is not None]
    offer, python_obstacle, notes = _python(situation, release, build, catalogue, clear=not obstacles)
    if python_obstacle is not None:
        obstacles.append(python_obstacle)
    warnings = (*gpu_notes, *(note for _, note in checks if note), *notes)
    return Candidate(
        release=release,
        obstacles=ordered(obstacles, catalogue),
        offer=offer,
        gpus=gpus,
        warnings=tuple(dict.fromkeys(warnings)),
        source=source_of(situation.request, situation.device, build),
    )


def source_of(request: Request, device: ComputeDevice, build: Build) -> CondaSource:
    """Say how the TensorFlow of a conda environment comes about where its wheels are taken; "" for a virtual environment."""
    if request.kind != "conda":
        return ""
    return "libraries" if device == "cuda" and build.cuda is not None and build.cuda.conda else "wheels"


def ordered(obstacles: list[Obstacle], catalogue: CatalogueView) -> tuple[Obstacle, ...]:
    """Put the root first, by the ranking of causes that ``doctor`` shows its findings in, too."""
    if len(obstacles) < 2:  # noqa: PLR2004 - what stands alone needs no order, which would have to be read
        return tuple(obstacles)
    return tuple(sorted(obstacles, key=lambda obstacle: catalogue.causes().rank(obstacle.code)))


def _check_gpus(
    situation: Situation, release: Release, cuda: CudaBuild, catalogue: CatalogueView
) -> tuple[list[tuple[Obstacle | None, str]], tuple[GpuJudgement, ...], tuple[str, ...]]:
    """Judge each GPU by itself, then the driver; without a GPU that answers (asked for by name) say what could not be proven."""
    if situation.gpu_state.state != "answers":
        return [], (), unproven(situation.facts, situation.gpu_state, cuda)
    judgements = _judgements(situation, release, cuda, catalogue)
    if not any(usable(judgement) for judgement in judgements):
        return [(none_usable(judgements), "")], judgements, ()
    notes = gpu_warnings(judgements, situation.gpu_state.gpus)
    missing = unanswered(situation.facts, situation.gpu_state)
    return [check_driver(situation.facts, catalogue, cuda, judgements)], judgements, (*notes, missing) if missing else notes


def _judgements(situation: Situation, release: Release, cuda: CudaBuild, catalogue: CatalogueView) -> tuple[GpuJudgement, ...]:
    judged = []
    for gpu in situation.gpu_state.gpus:
        capability = gpu.compute_capability.value
        judged.append(judge(gpu, cuda, release, catalogue.architecture(capability) if capability else None))
    return tuple(judged)


def _python(
    situation: Situation, release: Release, build: Build, catalogue: CatalogueView, *, clear: bool
) -> tuple[PythonOffer | None, Obstacle | None, tuple[str, ...]]:
    """Take the best Python that the release has a good lock for; the lock's own glibc floor counts where nothing else is in the way."""
    pythons = situation.pythons
    source = source_of(situation.request, situation.device, build)
    wanted = set_of(situation.device, source)
    locked = tuple(python for python, device in catalogue.locks(release.version, build.platform) if device == wanted)
    bad = _known_bad(release, build.platform, situation.device, source)
    supported = tuple(python for python in locked if python not in bad)
    offers = offers_for(pythons, supported)
    if not offers:
        stopped = next((bad[offer.minor] for offer in pythons.offers if offer.minor in bad), None)
        # Where no Python at all would do, another Python is no way out.
        stopped = stopped or next((obstacle for obstacle in bad.values() if not supported), None)
        return None, stopped or no_python(pythons, supported, _DEVICE_NAMES[situation.device]), ()
    if not clear:
        return offers[0], None, ()
    first: Obstacle | None = None
    for offer in offers:
        lock = catalogue.lock(release.version, offer.minor, build.platform, wanted)
        obstacle, note = check_libc(situation.facts, lock.glibc if lock is not None else build.glibc)
        obstacle = obstacle or _against(situation, lock, catalogue)
        if obstacle is None:
            notes = (*python_warnings(offer, pythons), *([note] if note else []))
            return offer, None, (*notes, *_metal(build, offer.minor), *windows_warnings(situation.facts, build))
        first = first or obstacle
    return None, first, ()


def _against(situation: Situation, lock: Lock | None, catalogue: CatalogueView) -> Obstacle | None:
    """Return what the policy has against a set."""
    policy = situation.request.policy
    if lock is None or policy == Policy():
        return None
    return next(set_obstacles(lock, catalogue.proof(lock), policy), None)


def _metal(build: Build, python: str) -> tuple[str, ...]:
    """Say what computes on the GPU of a Mac, which TensorFlow by itself does not."""
    if build.platform != "macos-aarch64":
        return ()
    if build.metal is None:
        return ("The GPU of this Mac is not used: Apple's plug-in, tensorflow-metal, has no release for this TensorFlow",)
    if python not in build.metal.pythons:
        pythons = span(build.metal.pythons)
        return (f"The GPU of this Mac is not used: tensorflow-metal {build.metal.version} for this TensorFlow is for Python {pythons}",)
    add = f"`--with tensorflow-metal=={build.metal.version}`"
    return (f"The GPU of this Mac is used only with Apple's plug-in, which nobody has proven with this set: {add} adds it",)


def _known_bad(release: Release, platform: str, device: ComputeDevice, source: CondaSource) -> dict[str, Obstacle]:
    """Return the Pythons with which the release is known not to work there; what is bad for some GPUs only is not among them."""
    bad: dict[str, Obstacle] = {}
    for entry in release.known_bad:
        # What PyPI lacks, conda has.
        brought = source == "libraries" and entry.cause == "cuda-libs-missing"
        if not entry.capabilities and not brought and is_bad(entry, platform, device):
            for python in entry.pythons or tuple(python for build in release.builds for python in build.pythons):
                bad[python] = Obstacle(code=entry.cause, why=entry.reason, remedy=_remedy(entry, release, platform))
    return bad


def _remedy(entry: KnownBad, release: Release, platform: str) -> str:
    """Say what a person can do about a known-bad combination, and where to read more."""
    build = release.build(platform)
    cuda = build.cuda if build is not None else None
    if entry.cause != "cuda-libs-missing" or cuda is None:
        return f"see {entry.reference}" if entry.reference else ""
    if cuda.conda:
        other = "`--kind conda`, which takes them from a conda channel"
    else:
        other = f"make the environment by hand with CUDA {cuda.version} and cuDNN {cuda.cudnn} from conda or of the system"
    return f"use {other}, or `--device cpu`, or a newer release" + (f" (source: {entry.reference})" if entry.reference else "")
