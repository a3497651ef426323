"""Source distributions: which packages have no wheel that would do, and which of them the team lets be built.

Code of a package is run only where its name was allowed: by ``policy.source_builds``, or by the catalogue for what add-ons cannot do without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

from provisioner.base.names import is_rival, normalise
from provisioner.choose.obstacles import listed
from provisioner.engines import uv_compile
from provisioner.engines.resolving import Job, NoSolutionError, Resolved
from provisioner.errors import OperationError
from provisioner.host import Host
from provisioner.lock.parallel import Watch
from provisioner.model.policy import ANY

# What uv says (0.9 to 0.13) of a package that it may not build, in its hint or in the reasons themselves.
_LACKING = re.compile(
    r"(?:Wheels are (?:available|required) for|only found wheels for) `([A-Za-z0-9._-]+)`"
    r"|(?<![A-Za-z0-9._-])([A-Za-z0-9][A-Za-z0-9._-]{0,100}?)(?:[=<>!~]=?\S{0,100})? (?:has|have) no (?:usable wheels|wheels with)"
)
_NO_SOURCE = re.compile(r"no source distribution")
# Packages that are built one after another, each for the next to be found out.
ROUNDS = 12
# What nearly every source distribution is built with: setuptools, and what setup.py took for granted before PEP 517. Where the set does not
# say which setuptools: the last with pkg_resources, which old code asks for (setuptools' history, v82.0.0).
BUILDERS = {"setuptools": "setuptools<82", "wheel": "wheel"}


class NeedsBuildError(OperationError):
    """The requirements go together, but some packages are there as source alone, and nobody allowed to build them: ``names``."""

    def __init__(self, job: Job, names: Collection[str]) -> None:
        """Say the words that allow it, ready to paste."""
        self.names = tuple(sorted(names))
        where = f"{job.platform} with Python {job.python}"
        verb, it, its = ("has", "it is", "its") if len(self.names) == 1 else ("have", "they are", "their")
        hint = (
            f"allow it in the declaration, `policy: {{source_builds: [{', '.join(self.names)}]}}`: {it} then built here to lock, "
            f"which runs {its} code, and again wherever the lock is installed"
        )
        message = f"{listed(self.names)} {verb} no wheel for {where} that would do, only source"
        super().__init__(message, place=job.name, hint=hint, cause="platform-unsupported")


def lacking(said: str) -> frozenset[str]:
    """Return the packages without a usable wheel in the words of uv, normalised."""
    names = {normalise(first or second) for first, second in _LACKING.findall(said)}
    return frozenset(name for name in names if not is_rival(name))


def building(resolve: Callable[[Job], Resolved], allowed: Collection[str]) -> Callable[[Job], Resolved]:
    """Return a resolver that builds what has no wheel where it is ``allowed`` (names; ``ANY``).

    Of what is not allowed nothing is run: it is taken to need nothing, to find all such packages in one go, and ``NeedsBuildError`` names them.
    """

    def answer(job: Job) -> Resolved:
        built: set[str] = set()
        refused: set[str] = set()
        said = ""
        pins = {text.partition("==")[0]: text for text in (*job.requirements, *job.preferred) if "==" in text}
        builders = tuple(pins.get(name, text) for name, text in BUILDERS.items())
        asked_for = {text.partition("==")[0] for text in job.requirements}
        missing = tuple(text for name, text in BUILDERS.items() if name not in asked_for)
        for _ in range(ROUNDS):
            asked = replace(
                job,
                requirements=(*job.requirements, *(missing if built else ())),
                built=tuple(sorted(built)),
                builders=builders,
                sources=(*job.sources, *sorted(refused)),
            )
            try:
                found = resolve(asked)
            except NoSolutionError as error:
                more = lacking(error.said) - built - refused - set(job.sources)
                said = said if _NO_SOURCE.search(error.said) else error.said
                if not more:
                    raise NoSolutionError(job, said or error.said) from None
                may = {name for name in more if ANY in allowed or name in allowed}
                built |= may
                refused |= more - may
                continue
            if refused:
                raise NeedsBuildError(job, refused)
            return found
        raise NeedsBuildError(job, refused or built)

    return answer


def unbuilt(
    host: Host, job: Job, known: set[str], *, cached: bool = False, origins: bool = True, watch: Watch | None = None
) -> Resolved | None:
    """Resolve without running any code: what has no wheel is taken to need nothing, and its name added to ``known``. None for no solution.

    With ``cached`` uv's cache is asked first, as it was left by the runs before: its answer holds, though newer versions may be on the index.
    Raises ``OperationError`` where the index cannot be asked.
    """
    ask = partial(uv_compile.compile_job, host, origins=origins, watch=watch)
    for _ in range(ROUNDS):
        asked = replace(job, sources=tuple(sorted({*job.sources, *job.built, *known})), built=())
        try:
            return _cached(ask, asked) if cached else ask(asked)
        except NoSolutionError as error:
            more = lacking(error.said) - set(asked.sources)
            if not more:
                return None
            known |= more
    return None


def _cached(ask: Callable[[Job], Resolved], job: Job) -> Resolved:
    try:
        return ask(replace(job, offline=True))
    except NoSolutionError:
        raise
    except OperationError:
        return ask(job)
