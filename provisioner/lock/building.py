"""Source distributions: which packages have no wheel that would do, and which of them the team lets be built.

Code of a package is run only where its name was allowed: by ``policy.source_builds``, or by the catalogue for what add-ons cannot do without.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

from provisioner.base.names import normalise
from provisioner.base.requirement import name_of, read_requirement
from provisioner.choose.obstacles import listed
from provisioner.declared.proposal import Proposal, RefusedError
from provisioner.engines import uv_compile
from provisioner.engines.builds import BuildError
from provisioner.engines.resolving import Job, NoSolutionError, Resolved
from provisioner.engines.source_tree import LEGACY, Metadata
from provisioner.engines.wheels import Wheel
from provisioner.errors import OperationError
from provisioner.host import Host
from provisioner.lock.floors import lift
from provisioner.lock.learnt import Learnt
from provisioner.lock.parallel import Watch
from provisioner.lock.wheelless import NO_SOURCE, OTHER_PYTHON, lacking, nowhere
from provisioner.model.policy import ANY

# Packages that are built one after another, each for the next to be found out.
ROUNDS = 12
_PIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?==[^\s;,*]+")


class NeedsBuildError(RefusedError):
    """The requirements go together, but some packages are there as source alone, and nobody allowed to build them: ``names``."""

    def __init__(self, job: Job, names: Collection[str], allowed: Collection[str] = ()) -> None:
        """Say the words that allow it, ready to paste in the place of those that allow what is ``allowed`` already."""
        self.names = tuple(sorted(names))
        words = ", ".join(sorted({*names, *allowed} - {ANY}))
        where = f"{job.platform} with Python {job.python}"
        verb, it, its = ("has", "it is", "its") if len(self.names) == 1 else ("have", "they are", "their")
        hint = (
            f"allow it in the declaration, `policy: {{source_builds: [{words}]}}`: {it} then built here to lock, "
            f"which runs {its} code, and again wherever the lock is installed; `tfsetup lock --accept` writes it there"
        )
        message = f"{listed(self.names)} {verb} no wheel for {where} that would do, only source"
        super().__init__(message, place=job.name, hint=hint, cause="platform-unsupported")
        self.proposal = Proposal(builds=self.names)


def building(  # noqa: PLR0913 - who may be asked, and what may be done: each is one part of the same question
    resolve: Callable[[Job], Resolved],
    build: Callable[[Job, Wheel, tuple[str, ...]], Metadata],
    allowed: Collection[str],
    free: Collection[str] = (),
    projects: Collection[str] = (),
    *,
    quick: Callable[[Job], Resolved] | None = None,
    stated: Callable[[Job, Sequence[Wheel]], Mapping[str, Metadata]] | None = None,
    floors: Sequence[str] = (),
    deep: bool = False,
) -> Callable[[Job], Resolved]:
    """Return a resolver that takes the source of what has no wheel, and lets its metadata be built where that is allowed.

    ``allowed`` are the names that the team lets be built (or ``ANY``), ``free`` those that the catalogue does. ``projects`` are the requirements of
    the builds of the team's own projects. The resolver itself runs no code: what was built is told to it. Of what is not allowed nothing is run:
    it is taken to need what it states itself (``stated``), to find all such packages in one go, and ``NeedsBuildError`` names them. ``quick`` answers
    without what came from where, which takes half of the time: for answers that are not the last. A package that has wheels, none of which
    goes with the rest, counts as one without any only with ``deep``; older versions of what was built are built only then, too. A wheel for one of
    the newer ``floors`` goes before source: ``NewerFloorError`` says so.
    """
    may_be = {*allowed, *free}

    def answer(job: Job) -> Resolved:
        sources = _sources(job)
        built = {name for name in sources if ANY in allowed or name in may_be}
        refused = sources - built
        learnt = Learnt(frozenset(sources))
        said = ""
        for _ in range(4 * ROUNDS):
            asked = learnt.told(replace(job, sources=(*job.sources, *sorted(built | refused))))
            last = not refused and built <= learnt.names
            try:
                found = resolve(asked) if last or quick is None else quick(asked)
            except NoSolutionError as error:
                without = lacking(error.said) - built - refused - set(job.sources)
                more = _to_build(quick or resolve, asked, error.said, without, wheels=not deep)
                lift(quick or resolve, asked, floors, error.said, more)
                said = said if NO_SOURCE.search(error.said) else said if learnt.doubted else error.said
                if not more and deep and (learnt.looks_further(error.said) or learnt.doubts()):
                    continue
                if not more:
                    further = not deep and (learnt.guesses or learnt.hears)
                    raise NoSolutionError(learnt.as_guessed(job), said or error.said, further=further, unbuilt=without) from None
                may = {name for name in more if ANY in allowed or name in may_be}
                built |= may
                refused |= {*more} - may
                continue
            own = {name: found.offered[name][0] for name in sorted(built) if name in found.offered}
            new = {name: wheel for name, wheel in own.items() if (name, wheel.identity) not in learnt.known}
            if learnt.passes_over(new):
                continue
            if learnt.looked_enough(new):
                raise NoSolutionError(learnt.as_guessed(job), said)
            if stated is not None and _listened(partial(stated, asked), learnt, found, refused, new):
                continue
            if refused and not new:
                raise NeedsBuildError(job, refused, allowed)
            for name, wheel in new.items():
                _learn(learnt, partial(build, job, wheel, pins_of(job)), name, wheel)
            if not new:
                found = found if last or quick is None else resolve(asked)
                mine = [learnt.known[name, wheel.identity] for name, wheel in own.items()]
                return _with_builders(resolve, job, found, mine, projects)
        raise NeedsBuildError(job, refused or built, allowed)

    return answer


def _learn(learnt: Learnt, build: Callable[[], Metadata], name: str, wheel: Wheel) -> None:
    """Build a version; an older one that cannot be built is passed over with its series, for others may go."""
    try:
        learnt.add(name, wheel, build())
    except BuildError:
        if name not in learnt.doubted:
            raise
        learnt.leave(name, wheel)


def _listened(
    stated: Callable[[Sequence[Wheel]], Mapping[str, Metadata]],
    learnt: Learnt,
    found: Resolved,
    refused: Collection[str],
    new: Mapping[str, Wheel],
) -> bool:
    """Let packages say what they need without being run: older versions of what is built, else all that may not be; False where all have said it."""
    older = learnt.unheard(new)
    silent = [found.offered[name][0] for name in sorted({*refused} - learnt.stated.keys()) if name in found.offered and not new]
    if older:
        learnt.hear(older, stated(older))
    elif silent:
        learnt.stated |= stated(silent)
    return bool(older or silent)


def _to_build(ask: Callable[[Job], Resolved], job: Job, said: str, names: frozenset[str], *, wheels: bool) -> Collection[str]:
    """Return which of the named packages have no wheel at all; where all have some, and those do not go, the fewest whose source does.

    With ``wheels`` source is nothing for those that have some.
    """
    none = nowhere(said)
    without = {name for name in names if name in none or not _has_wheels(ask, job, name)}
    if without or wheels or len(names) <= 1:
        return without if without or wheels else names
    # What is not known is taken to need nothing: the answer that holds most has the least of that in it.
    sizes = {name: _size(ask, replace(job, sources=(*job.sources, name)), names) for name in sorted(names)}
    best = max(sizes, key=lambda name: sizes[name])
    return {best} if sizes[best] else names


def _size(ask: Callable[[Job], Resolved], job: Job, apart: frozenset[str]) -> int:
    """Return the number of packages of an answer that takes the source of what has no wheel, those ``apart`` excepted; 0 where there is none."""
    more: frozenset[str] = frozenset()
    for _ in range(ROUNDS):
        job = replace(job, sources=(*job.sources, *sorted(more)))
        try:
            return len(ask(job).offered)
        except NoSolutionError as error:
            more = lacking(error.said) - set(job.sources) - apart
            if not more:
                return 0
    return 0


def _has_wheels(ask: Callable[[Job], Resolved], job: Job, name: str) -> bool:
    """True where a package has a wheel for the target, of a version that the requirements on it admit, whatever it needs itself.

    uv names a package as one without wheels also where only some versions have none: those that have clash with something else. What it asked a
    moment ago is in its cache.
    """
    own = tuple(text for text in job.requirements if name_of(text) == name and " @ " not in text)
    asked = replace(job, requirements=own or (name,), constraints=(), preferred=(), sources=(), metadata=(), alone=True)
    try:
        return bool(_cached(ask, asked).offered)
    except NoSolutionError:
        return False


def _sources(job: Job) -> set[str]:
    """Return the names of what a job takes from an address that is no wheel's: a repository, an archive of source, a folder."""
    found = [read_requirement(text) for text in job.requirements if " @ " in text]
    return {normalise(item.name) for item in found if item.url and not item.url.partition("#")[0].lower().endswith(".whl")}


def unbuilt(
    host: Host,
    job: Job,
    known: set[str],
    *,
    cached: bool = False,
    origins: bool = True,
    other_pythons: bool = True,
    watch: Watch | None = None,
    said: Callable[[str], None] | None = None,
) -> Resolved | None:
    """Resolve without running any code: what has no wheel is taken to need nothing, and its name added to ``known``. None for no solution.

    With ``cached`` uv's cache is asked first, as it was left by the runs before: its answer holds, though newer versions may be on the index.
    Without ``other_pythons`` there is no solution where a package has wheels for other Pythons alone. ``said`` is told why there is none.
    Raises ``OperationError`` where the index
    cannot be asked.
    """
    ask = partial(uv_compile.compile_job, host, origins=origins, watch=watch)
    known |= _sources(job)
    added, before = frozenset[str](), ""
    for _ in range(2 * ROUNDS):
        asked = replace(job, sources=tuple(sorted({*job.sources, *known})))
        try:
            return _cached(ask, asked) if cached else ask(asked)
        except NoSolutionError as error:
            more = lacking(error.said) - set(asked.sources)
            # Beside one that has no wheel at all, others are named of which some versions have none.
            more = (more & nowhere(error.said)) or more
            wrong = bool(NO_SOURCE.search(error.said) and added)
            if not more or wrong or (OTHER_PYTHON.search(error.said) and not other_pythons):
                # Of what has wheels alone the reason is why these do not go.
                known -= added if wrong else set()
                if said is not None:
                    said(before if wrong else error.said)
                return None
            known |= more
            added, before = more, error.said
    return None


def _cached(ask: Callable[[Job], Resolved], job: Job) -> Resolved:
    try:
        return ask(replace(job, offline=True))
    except NoSolutionError:
        raise
    except OperationError:
        return ask(job)


def pins_of(job: Job) -> tuple[str, ...]:
    """Return the versions that a job names exactly: what is built is built with these where it can be."""
    pins = (_PIN.fullmatch(text) for text in (*job.requirements, *job.preferred))
    return tuple(dict.fromkeys(found[0] for found in pins if found))


def _with_builders(
    resolve: Callable[[Job], Resolved], job: Job, found: Resolved, built: Sequence[Metadata], projects: Collection[str]
) -> Resolved:
    """Add the files of what the source distributions are built with, together: an installer takes one version of each for all of them."""
    if not built and not projects:
        return found
    asked = dict.fromkeys([*(text for item in built for text in item.builders), *projects])
    asked |= dict.fromkeys(LEGACY if set(job.sources) & set(found.offered) else ())
    limits = dict.fromkeys(text for item in built for text in item.limits)
    question = replace(
        job,
        requirements=tuple(asked),
        constraints=tuple(limits),
        preferred=pins_of(job),
        sources=(),
        metadata=(),
        folder=posixpath.join(job.folder, "builders"),
    )
    names = listed([*sorted(normalise(item.name) for item in built), *(["your own projects"] if projects else [])])
    try:
        builders = resolve(question).offered if asked else {}
    except NoSolutionError as error:
        message = f"what {names} {'is' if len(built) == 1 and not projects else 'are'} built with cannot be had together"
        hint = f"name another version of one of them; the resolver says: {' '.join(error.said.split())}"
        raise OperationError(message, place=job.name, hint=hint, cause="resolver-conflict") from None
    compiled = tuple(sorted(normalise(item.name) for item in built if item.compiled))
    return replace(found, builders=builders, compiled=compiled)
