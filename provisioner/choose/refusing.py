"""Puts a refusal into words: why each candidate was not taken, what to tell first, and what to do."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from provisioner.choose.candidates import Candidate, Situation
from provisioner.choose.obstacles import Obstacle, listed
from provisioner.choose.platforms import JETSON, is_jetson
from provisioner.choose.versions import matches, minor
from provisioner.errors import NoProfileError
from provisioner.model.catalogue_view import CatalogueView
from provisioner.model.plan import Refusal

if TYPE_CHECKING:
    from provisioner.model.cause import Order


# Releases that are told one by one.
FEW = 4


def refusals(candidates: list[Candidate]) -> tuple[Refusal, ...]:
    """Say once why each candidate was not taken: neighbours with the same obstacles share a line; what else is in the way is told too."""
    told = []
    for obstacles, group in itertools.groupby(candidates, key=lambda candidate: candidate.obstacles):
        versions = [candidate.release.version for candidate in group]
        name = f"{versions[-1]} to {versions[0]}" if len(versions) > 2 else listed(versions)  # noqa: PLR2004 - two are named
        first, *others = obstacles
        why = "; it also ".join([first.why, *(obstacle.why for obstacle in others)])
        told.append(Refusal(candidate=f"TensorFlow {name}", code=first.code, why=why, remedy=_remedy(obstacles)))
    return tuple(told)


def refused(situation: Situation, candidates: list[Candidate], catalogue: CatalogueView, near: tuple[str, ...]) -> NoProfileError:
    """Return the error for a request that no candidate meets."""
    request = situation.request
    if not candidates:
        return _not_in_catalogue(situation, catalogue, near)
    told = tuple(f"{one.candidate}: {one.why}{f' [{one.code}]' if one.code else ''}" for one in refusals(candidates))
    candidate, obstacle = _main_obstacle(candidates, catalogue.causes())
    # What is on PyPI never uses a Jetson's GPU, whatever else is in the way.
    remedy = "; ".join(part for part in (_remedy(candidate.obstacles), JETSON if is_jetson(situation.facts) else "") if part)
    # What a file, a variable or the environment asked for is not blamed on an option that nobody typed.
    origin = request.origins.get("tensorflow", "option").removeprefix("file ").removeprefix("variable ")
    asked = f"`--tensorflow {request.tensorflow}`" if origin == "option" else f"TensorFlow {request.tensorflow}, which {origin} asks for,"
    asked = asked if situation.spec else "TensorFlow"
    message = f"no known-good {asked} fits this machine: TensorFlow {candidate.release.version} {obstacle.why}"
    hint = f"for TensorFlow {candidate.release.version}: {remedy}" if remedy and candidate is not candidates[0] else remedy
    return NoProfileError(message, hint=hint, cause=obstacle.code, refusals=told, nearest=near)


def _not_in_catalogue(situation: Situation, catalogue: CatalogueView, near: tuple[str, ...]) -> NoProfileError:
    """Say that nothing matches the specifiers, and name a pre-release that would."""
    asked = situation.request.tensorflow
    versions = catalogue.versions()
    hidden = [version for version in versions if matches(situation.spec, version)]
    if hidden:
        why = f"only pre-releases match `{asked}`, which are taken only when they are asked for by name"
        told = f"TensorFlow {listed(hidden)}: {why}"
        return NoProfileError(why, hint=f"ask for `--tensorflow {hidden[0]}`", refusals=(told,), nearest=near)
    minors = list(dict.fromkeys(minor(version) for version in reversed(versions)))
    # Of many the ends say enough, and the command lists them.
    span = f"{minors[0]} to {minors[-1]}" if len(minors) > FEW else listed(minors)
    holds = f"holds {span}" if minors else "is empty"
    hint = "`tfsetup profiles` lists the releases" if len(minors) > FEW else f"ask for one of {listed(minors, 'or')}" if minors else ""
    told = f"TensorFlow `{asked}`: is not in the catalogue, which {holds}"
    return NoProfileError(f"the catalogue has no TensorFlow that matches `{asked}`", hint=hint, refusals=(told,), nearest=near)


def _main_obstacle(candidates: list[Candidate], causes: Order) -> tuple[Candidate, Obstacle]:
    """Pick what to tell first: what stops every candidate, nearest to the root; else the newest that commands alone could make fit."""
    common = set.intersection(*({obstacle.code for obstacle in candidate.obstacles} for candidate in candidates))
    least = min(candidates, key=lambda candidate: len(candidate.obstacles))
    for code in sorted(common, key=causes.rank):
        return least, next(obstacle for obstacle in least.obstacles if obstacle.code == code)
    best = next((one for one in candidates if all(causes.has(obstacle.code, "by-command") for obstacle in one.obstacles)), least)
    return best, best.obstacles[0]


def _remedy(obstacles: tuple[Obstacle, ...]) -> str:
    return "; ".join(dict.fromkeys(obstacle.remedy for obstacle in obstacles if obstacle.remedy))
