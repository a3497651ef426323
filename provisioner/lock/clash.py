"""Why a target cannot be locked: every clash at once, and what would do instead.

The resolver is asked once more without the versions in the team's requirements, but with those that they name preferred: where its answer is
another one than a requirement admits, there is a clash, and the answer is what would do. Then the requirements that do not clash are put back.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from provisioner.base.names import is_rival, normalise
from provisioner.base.requirement import admits, bare, name_of, read_requirement
from provisioner.base.text import mask
from provisioner.base.versions import numbers
from provisioner.choose.obstacles import listed
from provisioner.declared.markers import pinned
from provisioner.declared.proposal import Proposal, RefusedError
from provisioner.engines.resolving import Job, Resolved
from provisioner.engines.uv import next_glibc
from provisioner.errors import OperationError
from provisioner.host import Host
from provisioner.host.files import make_folders
from provisioner.lock.alone import release_brought
from provisioner.lock.building import unbuilt
from provisioner.lock.reasons import absent, reasons, refused_python
from provisioner.lock.wheelless import lacking, oldest_there
from provisioner.model.catalogue import Lock
from provisioner.model.record import record
from provisioner.model.team import Target

# Requirements that are put back one by one; of more only the first are tried.
SINGLY = 12
# Other Pythons that are asked about, and clashes of which each is looked at alone there.
PYTHONS, ALONE = 3, 3
# Letters of what the resolver said that are shown.
BEGINNING, END = 500, 250
_UNKNOWN = re.compile(r"Because (?:there are no versions of )?([A-Za-z0-9._-]+) (?:was not found in the package registry|was not found)")
_TOO_NEW = re.compile(r"`([A-Za-z0-9._-]+)` was filtered by `exclude-newer")


@record
class Clash:
    """What was to be resolved for a target around its set, and what its resolver said.

    ``others`` are sets of the release for other Pythons, ``tried`` the releases with which it did not go, either.
    """

    host: Host
    target: Target
    lock: Lock
    requirements: tuple[str, ...]
    job: Job
    said: str
    others: tuple[Lock, ...] = ()
    tried: tuple[str, ...] = ()


@record
class Row:
    """One clash: a requirement of the team's, the version that would do ("" where none is known), who wants another, and what they say."""

    requirement: str
    instead: str
    wanted_by: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@record
class OtherPython:
    """Another Python that the release has a set for, and which of the requirements clash there."""

    python: str
    clashing: tuple[str, ...]


def explain(case: Clash) -> OperationError:
    """Return the error that names every clash and what would do; where the index fails meanwhile, what the resolver said."""
    try:
        return _explain(case, set())
    except OperationError:
        return _together(case)


def _explain(case: Clash, known: set[str]) -> OperationError:
    """Find the rows; ``known`` collects what has no wheel, so that it is found out once."""
    ask = partial(_ask, case, known)
    relaxed = ask(())
    if relaxed is None:
        return _impossible(case)
    fixed = tuple(text for text in case.requirements if _admits(text, relaxed))
    clashing = [text for text in case.requirements if text not in fixed]
    why: dict[str, str] = {}
    for text in clashing[:SINGLY]:
        answer = ask((*fixed, text), said=partial(why.__setitem__, text))
        if answer is not None:
            fixed, relaxed = (*fixed, text), answer
    rows = tuple(_row(text, relaxed, case.lock, why.get(text, "")) for text in case.requirements if text not in fixed)
    return _told(case, rows, _release_of(case, known), _other_python(case, rows)) if rows else _together(case)


def _other_python(case: Clash, rows: Sequence[Row]) -> OtherPython | None:
    """Return the nearest Python that the release has a set for with which all goes, else one with which one of the rows alone clashes."""
    there = [_with_python(case, lock) for lock in case.others[:PYTHONS]]
    alone = [row.requirement for row in rows] if 1 < len(rows) <= ALONE else []
    left = [(other, ()) for other in there] + [(other, (text,)) for other in there[:1] for text in alone]
    for other, clashing in left:
        # What has no wheel here may have one there.
        if _goes(other, [text for text in case.requirements if text not in clashing]):
            return OtherPython(python=other.lock.python, clashing=clashing)
    return None


def _goes(case: Clash, kept: Sequence[str]) -> bool:
    """Ask whether all but the versions of what is not ``kept`` goes; what the index does not tell is no reason to tell nothing at all."""
    try:
        return _ask(case, set(), kept) is not None
    except OperationError:
        return False


def _with_python(case: Clash, lock: Lock) -> Clash:
    """Return the case with the set of another Python, whose packages may make room as here, in the place of its own."""
    here = {text for file in case.lock.files for text in (file.name, f"{file.name}=={file.version}")}
    own = [text for text in case.job.requirements if text not in here]
    # Where nothing is preferred, all of the set stays as it was run.
    firm = not case.job.preferred
    stay = [f"{file.name}=={file.version}" if firm or is_rival(file.name) else file.name for file in lock.files]
    pins = tuple(f"{file.name}=={file.version}" for file in lock.files)
    return replace(case, job=replace(case.job, python=lock.python, requirements=(*stay, *own), preferred=() if firm else pins), lock=lock)


def _ask(case: Clash, known: set[str], kept: Sequence[str], said: Callable[[str], None] | None = None) -> Resolved | None:
    """Resolve with the versions of only the ``kept`` requirements; those that the others name are preferred. None for no solution.

    Of what was asked of the index a moment ago, what is in the cache will do.
    """
    loose = [text for text in case.requirements if text not in kept]
    plain = {text: bare(text) for text in loose}
    wanted = dict(filter(None, map(_pin, loose)))
    preferred = {text.partition("==")[0]: text for text in case.job.preferred} | {
        name: f"{name}=={version}" for name, version in wanted.items()
    }
    job = replace(
        case.job, requirements=tuple(plain.get(text, text) for text in case.job.requirements), preferred=tuple(preferred.values())
    )
    return unbuilt(case.host, _in_folder(case, job), known, cached=True, said=said)


def _in_folder(case: Clash, job: Job) -> Job:
    folder = posixpath.join(case.job.folder, "why")
    make_folders(case.host, folder)
    return replace(job, folder=folder)


def _pin(text: str) -> tuple[str, str] | None:
    """Return the one version that a requirement names, with the package; None where it names none or several."""
    requirement = read_requirement(text)
    version = pinned(requirement)
    return (normalise(requirement.name), version) if version else None


def _admits(text: str, answer: Resolved) -> bool:
    requirement = read_requirement(text)
    offered = answer.offered.get(normalise(requirement.name))
    return not offered or admits(requirement.specifier, offered[0].version)


def _row(text: str, answer: Resolved, lock: Lock, said: str) -> Row:
    name = name_of(text)
    offered = answer.offered.get(name)
    own = next((file.name for file in lock.files if is_rival(file.name)), "")
    origins = [
        f"TensorFlow {lock.release}" if origin == own else f"{origin} {_version(answer, origin)}" for origin in answer.via.get(name, ())
    ]
    why = reasons(said, {own: f"TensorFlow {lock.release}"}) or absent(said, name)
    return Row(requirement=text, instead=offered[0].version if offered else "", wanted_by=tuple(origins), reasons=why)


def _release_of(case: Clash, known: set[str]) -> str:
    """Return the release that the requirements would bring as they are, "" for none."""
    own = next((file.name for file in case.lock.files if is_rival(file.name)), "")
    pins = {f"{file.name}=={file.version}" for file in case.lock.files}
    others = [text for text in case.job.requirements if text in case.requirements and text not in pins]
    if not own:
        return ""

    def ask_for(name: str) -> Resolved | None:
        job = replace(case.job, requirements=(name, *others), constraints=(), preferred=(), exempt=())
        return unbuilt(case.host, _in_folder(case, job), known, origins=False)

    return release_brought(ask_for, own)


def _told(case: Clash, rows: Sequence[Row], release: str, python: OtherPython | None) -> OperationError:
    """Say all clashes as a table: yours, what would do, who wants it."""
    what = f"`{rows[0].requirement}` does" if len(rows) == 1 else f"{len(rows)} of your requirements do"
    message = f"{what} not go with TensorFlow {case.lock.release} on {case.target.platform} with Python {case.target.python}"
    instead = listed([f"`{_named(row)}`" for row in rows if row.instead])
    ways = [f"write {instead}"] if instead else []
    other = bool(release) and release not in {case.lock.release, *case.tried}
    ways += [f"take TensorFlow {release}, which goes with yours"] if other else []
    if python is not None:
        left = f"with which only {listed([f'`{text}`' for text in python.clashing])} clash{'es' if len(python.clashing) == 1 else ''}"
        ways += [
            f'take `python: "{python.python}"` for {case.target.name}, {left if python.clashing else "with which yours go as they are"}'
        ]
    hint = f"{'; or '.join(ways)}; the resolver says: {_words(case.said)}" if ways else f"the resolver says: {_words(case.said)}"
    instead_of = tuple((row.requirement, _named(row)) for row in rows if row.instead)
    if instead_of or other:
        what = listed([f"`{take}`" for _, take in instead_of]) or f"TensorFlow {release}"
        hint += f"; `tfsetup lock --accept` writes {what} into tfsetup.yaml"
    refused = RefusedError(message, place=case.target.name, hint=hint, cause="resolver-conflict", faults=tuple(_lines(rows)))
    refused.proposal = Proposal(instead=instead_of) if instead_of else Proposal(tensorflow=release if other else "")
    return refused


def _named(row: Row) -> str:
    requirement = read_requirement(row.requirement)
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}=={row.instead}"


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        who = f"; {listed(list(row.reasons))}" if row.reasons else f", for {listed(list(row.wanted_by[:3]))}" if row.wanted_by else ""
        yield f"{row.requirement}: {f'{row.instead} would do' if row.instead else 'nothing would do'}{who}"


def _together(case: Clash) -> OperationError:
    """Say that requirements do not go together, in the resolver's words."""
    listing = ", ".join(f"`{text}`" for text in case.requirements[:8]) + (", ..." if len(case.requirements) > 8 else "")  # noqa: PLR2004
    return OperationError(
        f"the requirements {listing} cannot be met together beside TensorFlow {case.lock.release}",
        place=case.target.name,
        hint=f"the resolver says: {_words(case.said)}",
        cause="resolver-conflict",
    )


def _impossible(case: Clash) -> OperationError:
    """Say what cannot be had in any version: a package that the index does not have, or has only younger than the date, or nowhere here."""
    job = replace(case.job, requirements=tuple(bare(text) for text in case.requirements), constraints=(), preferred=())
    told: list[str] = []
    # What is there as source alone is not what cannot be had.
    unbuilt(case.host, _in_folder(case, job), set(), cached=True, said=told.append)
    said = told[-1] if told else case.said
    unknown, too_new = _UNKNOWN.search(said), _TOO_NEW.search(said)
    where = f"{case.target.platform} with Python {case.target.python}"
    if unknown and not too_new:
        message = f"the index has no package `{unknown[1]}`{_needed_by(unknown[1], case, said)}"
    elif too_new:
        message = f"everything of `{too_new[1]}` that would do was uploaded after {case.job.cutoff}{_needed_by(too_new[1], case, said)}"
    elif capped := refused_python(said):
        message = f"{capped}, and {case.target.name} has Python {case.target.python}"
    elif names := lacking(said):
        message = f"there is neither a wheel nor source of {listed(sorted(names))} for {where}"
    else:
        return _together(case)
    glibc = oldest_there(said, case.target.platform.partition("-")[2])
    newer = bool(glibc) and numbers(glibc) > numbers(case.job.floor)
    other = _other_python(case, ())
    way = f'take `python: "{other.python}"` for {case.target.name}, with which yours go as they are; ' if other is not None else ""
    way += f'where all machines of {case.target.name} have that, take `floor: "{next_glibc(glibc)}"` for it; ' if newer else ""
    return OperationError(message, place=case.target.name, hint=f"{way}the resolver says: {_words(said)}", cause="resolver-conflict")


def _needed_by(name: str, case: Clash, said: str) -> str:
    """Say which requirement needs a package that is none of them itself, as the resolver tells it."""
    if normalise(name) in {name_of(text) for text in case.requirements}:
        return ""
    found = next(
        (text for text in case.requirements if re.search(rf"(?<![\w.-]){re.escape(read_requirement(text).name)}(?![\w.-])", said)), ""
    )
    return f", which `{found}` needs" if found else ""


def _version(answer: Resolved, name: str) -> str:
    offered = answer.offered.get(name)
    return offered[0].version if offered else ""


def _words(text: str) -> str:
    """Return what the resolver said in one line: of a long chain of reasons the beginning, and the end with what follows from it."""
    words = " ".join(mask(text).split())
    return words if len(words) <= BEGINNING + END else f"{words[:BEGINNING]} ... {words[-END:]}"
