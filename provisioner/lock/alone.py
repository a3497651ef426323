"""Which release of TensorFlow a team's requirements bring by themselves, where no set is put beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from provisioner.base.names import is_rival
from provisioner.base.requirement import name_of
from provisioner.catalogue import Catalogue
from provisioner.engines.resolving import Job, Resolved
from provisioner.model.team import Inputs

# The distribution that every add-on names when it needs TensorFlow.
TENSORFLOW = "tensorflow"


def release_brought(ask: Callable[[str], Resolved | None], own: str) -> str:
    """Return the release that ``ask`` answers with, "" for none; it is called with the name under which TensorFlow is asked for.

    Where add-ons bring ``tensorflow`` beside another name of it (``tensorflow-cpu``), nothing holds the two to one release: what the add-ons
    say of theirs counts, so that is asked for in its place.
    """
    answer = ask(own)
    if answer is not None and own != TENSORFLOW and TENSORFLOW in answer.offered:
        own, answer = TENSORFLOW, ask(TENSORFLOW)
    return answer.offered[own][0].version if answer is not None and own in answer.offered else ""


def without_set(job: Job, tensorflow: str, inputs: Inputs, catalogue: Catalogue) -> Job:
    """Return a job that asks what the requirements bring by themselves, with ``tensorflow`` (a requirement) in the place of a set.

    Packages that a few old releases have from source alone count as met.
    """
    requirements, limits = (_others(texts) for texts in (inputs.requirements, inputs.constraints))
    builds = [build for release in catalogue.releases() if (build := release.build(job.platform))]
    sources: Collection[str] = {re.split(r"[=<>!~]", item.requirement)[0] for build in builds for item in build.constraints if item.source}
    return replace(
        job,
        requirements=(tensorflow, *requirements),
        constraints=limits,
        sources=tuple(sorted({*sources, *job.sources})),
        preferred=(),
        exempt=(),
    )


def _others(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(text for text in texts if not is_rival(name_of(text)))
