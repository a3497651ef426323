"""Chooses: walks the releases from the newest, takes the first that nothing is in the way of, and says why."""

from __future__ import annotations

from collections.abc import Iterable

from provisioner.choose.candidates import Candidate, Situation, examine
from provisioner.choose.driver import look
from provisioner.choose.nearest import nearest, prerelease
from provisioner.choose.platforms import has_cuda, platform_of
from provisioner.choose.pythons import find_pythons
from provisioner.choose.reasons import reasons, warnings_of
from provisioner.choose.refusing import refusals, refused
from provisioner.choose.versions import names_prerelease, newest_first, specifier
from provisioner.errors import TfsetupError
from provisioner.model.catalogue import ComputeDevice, Release, set_of
from provisioner.model.catalogue_view import CatalogueView
from provisioner.model.facts import Facts
from provisioner.model.plan import Choice, EnvState
from provisioner.model.request import Request


def choose(facts: Facts, request: Request, catalogue: CatalogueView, env: EnvState) -> Choice:
    """Return the best release that fits machine, request and environment, with its reasons.

    Raises ``NoProfileError`` with every candidate's refusal and the nearest requests that can be met, ``UsageError`` for options that do
    not parse, ``CouldNotTellError`` where the facts do not even say what kind of machine it is.
    """
    situation = situate(facts, request, catalogue, env)
    candidates = _walk(situation, _releases(situation, catalogue), catalogue)
    choice = _choice(situation, candidates, catalogue)
    if choice is not None:
        return choice

    def attempt(other: Request, place: EnvState, releases: Iterable[Release] | None) -> Choice | None:
        if place.exists and place.kind != other.kind:
            return None
        try:
            changed = situate(facts, other, catalogue, place)
        except TfsetupError:
            return None
        return _choice(changed, _walk(changed, _releases(changed, catalogue) if releases is None else releases, catalogue), catalogue)

    raise refused(
        situation, candidates, catalogue, (*prerelease(request, env, catalogue, attempt), *nearest(request, env, catalogue, attempt))
    )


def situate(facts: Facts, request: Request, catalogue: CatalogueView, env: EnvState) -> Situation:
    """Read from facts and request all that does not depend on the release; raises ``UsageError`` or ``CouldNotTellError``."""
    gpu_state = look(facts, catalogue)
    platform = platform_of(facts)
    spec = specifier(request.tensorflow, "--tensorflow")
    # Where the newest has no CUDA build the CPU is taken, and said aloud; `--device cuda` takes an older one, or is refused with the reason.
    asked = catalogue.releases(spec, prereleases=names_prerelease(spec)) if gpu_state.state != "none" else ()
    gpu_builds = has_cuda(platform, next(iter(asked), None))
    found = request.device == "auto" and gpu_state.state == "answers" and gpu_builds
    device: ComputeDevice = "cuda" if request.device == "cuda" or found else "cpu"
    return Situation(
        facts=facts,
        request=request,
        env=env,
        platform=platform,
        spec=spec,
        pythons=find_pythons(facts, request, env),
        gpu_state=gpu_state,
        device=device,
        gpu_builds=gpu_builds,
    )


def _releases(situation: Situation, catalogue: CatalogueView) -> Iterable[Release]:
    return catalogue.releases(situation.spec, prereleases=names_prerelease(situation.spec))


def _walk(situation: Situation, releases: Iterable[Release], catalogue: CatalogueView) -> list[Candidate]:
    """Return the candidates up to the first that fits; all of them when none does."""
    seen: list[Candidate] = []
    for release in releases:
        seen.append(examine(situation, release, catalogue))
        if not seen[-1].obstacles:
            break
    return seen


def _choice(situation: Situation, candidates: list[Candidate], catalogue: CatalogueView) -> Choice | None:
    """Return the last candidate as the choice, or None where something is in its way."""
    if not candidates or candidates[-1].obstacles:
        return None
    *better, taken = candidates
    offer = taken.offer
    if offer is None:
        return None
    return Choice(
        release=taken.release.version,
        python=offer.minor,
        interpreter=offer.interpreter,
        device=situation.device,
        platform=situation.platform,
        reasons=reasons(situation, taken, offer, first=not better),
        refusals=refusals(better),
        warnings=(*warnings_of(situation, taken.release, taken.warnings), *_newer_words(situation, better, catalogue)),
        gpus=taken.gpus,
        road=taken.source,
        download=offer.download,
    )


def _newer_words(situation: Situation, better: list[Candidate], catalogue: CatalogueView) -> tuple[str, ...]:
    """Say how the newest release is had where only the Pythons here are in its way: those that are here come first, and uv can fetch others."""
    pythons, platform = situation.pythons, situation.platform
    if not better or pythons.env or pythons.assumed or pythons.asked or pythons.supplied or not platform.startswith("linux"):
        return ()
    newest = better[0]
    if any(obstacle.code != "python-unsupported" for obstacle in newest.obstacles):
        return ()
    sets = catalogue.locks(newest.release.version, platform)
    fit = newest_first({python for python, device in sets if device == set_of(situation.device, "")})
    if not fit:
        return ()
    return (f"TensorFlow {newest.release.version} needs another Python than those here; uv fetches one with `--python {fit[0]}`",)
