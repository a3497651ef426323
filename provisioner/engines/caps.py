"""Pythons that packages refuse from above (``Requires-Python: >=3.7,<3.10``), which uv passes over and installers of everybody else do not.

uv's documentation, "Resolution", says so: "uv only considers lower bounds". What a package says lies in uv's cache since it was resolved
(``engines.uv_cache``); where it does not, nothing is known, and the package counts as one that goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from provisioner.base.versions import contains, readable
from provisioner.engines import uv, uv_cache
from provisioner.engines.resolving import Job, NoSolutionError, Resolved, canonical
from provisioner.host import Reader

# Versions that are passed over, one round for each answer.
ROUNDS = 8
# CPython has never had so many patch releases of one minor.
_PATCHES = 50


def within(ask: Callable[[Job], Resolved], reader: Reader, job: Job) -> Resolved:
    """Ask until no package of the answer refuses the job's Python; older versions that do not are taken, as pip would.

    Raises ``NoSolutionError``, with what was refused in its words, where that leaves nothing.
    """
    passed: dict[str, None] = {}
    asked, notes = job, ""
    for _ in range(ROUNDS):
        found = _told(ask, job, asked, notes)
        beyond = {} if job.interpreter else dict(_beyond(reader, job, found))
        if not beyond:
            return replace(found, capped=tuple(passed))
        passed |= dict.fromkeys(name for name, _ in beyond)
        asked = replace(asked, constraints=(*asked.constraints, *(f"{name}!={version}" for name, version in beyond)))
        notes += "".join(f"Because {name}=={version} depends on Python{spec}, it does not go. " for (name, version), spec in beyond.items())
    raise NoSolutionError(job, notes)


def _told(ask: Callable[[Job], Resolved], job: Job, asked: Job, notes: str) -> Resolved:
    try:
        return ask(asked)
    except NoSolutionError as error:
        if not notes:
            raise
        raise NoSolutionError(job, f"{notes}{error.said}") from None


def _beyond(reader: Reader, job: Job, found: Resolved) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield name and version of what refuses the Python, with its words; what is exempt from dates is of a set that was run."""
    cache = uv.cache_folder(reader)
    homes = uv_cache.wheel_homes(reader, cache)
    built = {(canonical(item.name), item.version): item.requires_python for item in job.metadata}
    for name, files in found.offered.items():
        file = files[0]
        if file.direct or name in job.exempt:
            continue
        spec = built.get((name, file.version)) or uv_cache.requires_python(reader, homes, name, file.version)
        if (
            "<" in spec
            and readable(spec)
            and not any(contains(spec, f"{job.python}.{patch}", prereleases=True) for patch in range(_PATCHES))
        ):
            yield (name, file.version), spec
