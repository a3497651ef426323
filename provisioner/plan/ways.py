"""What can be done instead of a change that would break something of the user's, each as a command that is ready to run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from provisioner.choose import choose
from provisioner.choose.nearest import instead, options
from provisioner.choose.versions import minor
from provisioner.environment.read import Site
from provisioner.errors import TfsetupError
from provisioner.model.catalogue import set_of
from provisioner.model.facts import Facts
from provisioner.model.plan import Choice, Way
from provisioner.model.request import Request
from provisioner.plan.around import read_room
from provisioner.plan.neighbours import Around, beside, fates
from provisioner.plan.settle import settle
from provisioner.session import Session


def ways(session: Session, facts: Facts, request: Request, site: Site, choice: Choice, around: Around) -> tuple[Way, ...]:
    """Return the ways: all re-resolved around TensorFlow, the nearest release that needs no change of theirs, an environment beside."""
    asked = replace(request, tensorflow=request.tensorflow or choice.release, upgrade=False)
    found = []
    if not request.keep:
        words = "all that is there is resolved anew around this TensorFlow (asks the index)"
        found.append(Way(words=words, command=_command(replace(asked, keep=True), site)))
    release = next(_harmless(session, facts, request, site, choice, around), "")
    if release:
        words = f"TensorFlow {release} is the nearest that breaks nothing of yours"
        found.append(Way(words=words, command=_command(replace(asked, tensorflow=release, keep=False), site)))
    beside = _beside(session, site, choice)
    words = "a new environment beside this one, which stays as it is"
    found.append(Way(words=words, command=_command(replace(asked, keep=False, env=beside, python=choice.python), site)))
    return tuple(found)


def _command(request: Request, site: Site) -> str:
    """Return the command; of what follows from the environment itself only its place is said."""
    origins = request.origins
    python = request.python if request.env != site.state.path or origins.get("python") == "option" else ""
    said = replace(
        request,
        python=python,
        device=request.device if origins.get("device") == "option" or request.env != site.state.path else "auto",
        kind="venv" if request.env == site.state.path and origins.get("kind") != "option" else request.kind,
        origins={**origins, "env": "option"},
    )
    return f"tfsetup apply {options(said, frozenset())}"


def _beside(session: Session, site: Site, choice: Choice) -> str:
    """Return a free name beside the environment."""
    number, name = 1, f"{site.state.path}-{minor(choice.release)}"
    while session.host.exists(name):
        number += 1
        name = f"{site.state.path}-{minor(choice.release)}-{number}"
    return name


def _harmless(session: Session, facts: Facts, request: Request, site: Site, choice: Choice, around: Around) -> Iterator[str]:
    """Yield the releases with which all of the user's own distributions stay whole, the nearest to the one that was chosen first."""
    catalogue, device = session.catalogue, set_of(choice.device, choice.road)
    for release in instead(choice.release, catalogue):
        lock = catalogue.lock(release.version, choice.python, choice.platform, device)
        if lock is None:
            continue
        here = beside(around, frozenset(file.name for file in lock.files))
        other = replace(choice, release=release.version)
        files = settle(here, lock.files, read_room(session, facts, other, lock)).files
        if any(item.fate in {"breaks", "resolved"} for item in fates(here, {file.name: file.version for file in files})):
            continue
        try:
            choose(facts, replace(request, tensorflow=f"=={release.version}"), catalogue, site.state)
        except TfsetupError:
            continue
        yield release.version
