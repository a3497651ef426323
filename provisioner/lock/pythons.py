"""Which Python goes with a team's requirements, where nobody says one: the resolver is asked for each that the catalogue has sets for.

No code of a package is run to find out: what is there as source alone is taken to need nothing, and a
package that has wheels for other Pythons alone is one that does not go with this one.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import unquote

from provisioner.base.names import is_rival
from provisioner.base.requirement import name_of
from provisioner.base.versions import numbers
from provisioner.catalogue import Catalogue
from provisioner.catalogue.companions import unfit
from provisioner.catalogue.fits import Fits
from provisioner.catalogue.limits import outside
from provisioner.choose.versions import names_prerelease, some_patch_matches
from provisioner.declared.markers import tensorflow_of, wanted_of
from provisioner.engines import uv
from provisioner.engines.resolving import Job, Resolved
from provisioner.errors import OperationError
from provisioner.host import Host
from provisioner.host.files import make_folders
from provisioner.lock.alone import release_brought, without_set
from provisioner.lock.building import unbuilt
from provisioner.lock.choosing import set_device
from provisioner.lock.floors import newer_floors
from provisioner.lock.needs import floor_of
from provisioner.lock.parallel import Watch, side_by_side
from provisioner.model.catalogue import Lock
from provisioner.model.record import record
from provisioner.model.team import Index, Inputs, Target

# Pythons that are asked about side by side.
AT_A_TIME = 2


@record
class Wanted:
    """What a Python is looked for: the ``target`` without its Python, ``tensorflow`` and ``python`` as specifiers ("" for any), and the rest.

    ``cutoff``, ``indexes`` and ``built_in`` are as in a ``Job``; ``folder`` is one of the tool's own, for this alone. With ``alone`` each package is
    looked for by itself, whatever they need of each other.
    """

    target: Target
    inputs: Inputs
    tensorflow: str
    cutoff: str
    folder: str
    python: str = ""
    indexes: tuple[Index, ...] = ()
    built_in: str = ""
    alone: bool = False


@record
class Going:
    """A Python and the newest release that the requirements bring with it; ``sources`` are what has no wheel for it that would do.

    Of ``passed``, which are asked for themselves, the newest versions refuse this Python. Not ``together``: there is a version of each for it, and
    they clash.
    """

    release: str
    python: str
    sources: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    together: bool = True

    @property
    def wanting(self) -> int:
        """How many packages another Python may have more of."""
        return len(self.sources) + len(self.passed)


def sets_for(catalogue: Catalogue, wanted: Wanted, *, anyway: bool = False) -> tuple[Lock, ...]:
    """Return the newest set of each Python that is admitted, the newest release first, then the newest Python.

    Releases that a package of the requirements is known not to go with count only where there is no other, or ``anyway``.
    """
    found = {} if anyway else _newest(catalogue, wanted, catalogue.fits())
    found = found or _newest(catalogue, wanted, None)
    return tuple(sorted(found.values(), key=lambda lock: (numbers(lock.release), numbers(lock.python)), reverse=True))


def _newest(catalogue: Catalogue, wanted: Wanted, fits: Fits | None) -> dict[str, Lock]:
    found: dict[str, Lock] = {}
    target = wanted.target
    for release in catalogue.releases(wanted.tensorflow, prereleases=names_prerelease(wanted.tensorflow)):
        own = set_device(target, release.build(target.platform))
        for python, device in catalogue.locks(release.version, target.platform):
            if device != own or python in found or (wanted.python and not some_patch_matches(wanted.python, python)):
                continue
            if fits is not None and unfit(release, fits, wanted_of(wanted.inputs.requirements, replace(target, python=python), fits.bound)):
                continue
            lock = catalogue.lock(release.version, python, target.platform, device)
            found |= {python: lock} if lock is not None else {}
    return found


def going(host: Host, catalogue: Catalogue, wanted: Wanted) -> Going | None:
    """Return the newest Python that the requirements go with, and the newest release that they bring with it.

    Where they go together with none, it is one for which there is a version of each of them: what clashes is told when they are locked, and what
    has no wheel for the newest Python is not told beside it. None where there is not even that.

    They are asked two at a time. What is there as source alone may have wheels for an older Python: of that, two more are asked, and the fewest
    sources count most, then the newest release. Raises ``OperationError`` where the index cannot be asked.
    """
    uv.find_uv(host)
    locks = sets_for(catalogue, wanted)
    best = _best(host, catalogue, wanted, locks)
    others = sets_for(catalogue, wanted, anyway=True) if best is None or best.sources else locks
    if others != locks:
        # What is known of one package is worth no source of another.
        other = _best(host, catalogue, wanted, others)
        best = other if other is not None and (best is None or len(other.sources) < len(best.sources)) else best
    return best or _best(host, catalogue, replace(wanted, alone=True), locks)


def _best(host: Host, catalogue: Catalogue, wanted: Wanted, locks: Sequence[Lock]) -> Going | None:
    best: Going | None = None
    for start in [0, *range(1, len(locks), AT_A_TIME)]:
        some = locks[start : start + AT_A_TIME] if start else locks[:1]
        tasks = [partial(_ask, host, catalogue, wanted, lock) for lock in some]
        answers = [future.result() for future in side_by_side(tasks, AT_A_TIME)]
        before, best = best, max(filter(None, [best, *answers]), key=_rank, default=None)
        if best is not None and (best == before or not best.wanting):
            break
    return best


def _rank(item: Going) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    return -item.wanting, numbers(item.release), numbers(item.python)


def _ask(host: Host, catalogue: Catalogue, wanted: Wanted, lock: Lock, watch: Watch) -> Going | None:
    """Ask what the requirements bring with one Python, where wheels need it on a newer glibc than the set; None where it does not go."""
    target = replace(wanted.target, python=lock.python)
    floors = (floor_of(target, lock), *newer_floors(target, lock)[-1:])
    answers: list[Going] = []
    for floor in floors:
        found = _ask_at(host, catalogue, wanted, lock, replace(target, floor=floor), watch)
        answers += [found] if found is not None else []
        if answers and not answers[0].wanting:
            break
    return max(answers, key=_rank, default=None)


def _ask_at(host: Host, catalogue: Catalogue, wanted: Wanted, lock: Lock, target: Target, watch: Watch) -> Going | None:
    """Ask for one oldest system; only a release that the catalogue has a set of for the Python counts."""
    own = next(file.name for file in lock.files if is_rival(file.name))
    folder = posixpath.join(wanted.folder, f"python-{lock.python}")
    make_folders(host, folder)
    job = Job(
        name=target.name,
        requirements=(),
        constraints=(),
        python=lock.python,
        platform=target.platform,
        floor=target.floor,
        cutoff=wanted.cutoff,
        folder=folder,
        indexes=wanted.indexes,
        links=tuple(link for link in wanted.inputs.links if "://" not in link),
        built_in=wanted.built_in,
    )
    specs = [wanted.tensorflow, *tensorflow_of(wanted.inputs.requirements, target)]
    # Addresses that a list names are asked when it is locked, with this person's word; what the project carries is here.
    inputs = replace(wanted.inputs, requirements=tuple(filter(partial(_is_here, wanted), wanted.inputs.requirements)))
    clauses = ",".join(dict.fromkeys([*filter(None, specs), f"<={lock.release}"]))
    known, passed = set[str](), set[str]()
    direct = {name_of(text) for text in inputs.requirements}

    def ask(name: str, limits: tuple[str, ...] = ()) -> Resolved | None:
        asked = without_set(job, f"{name}{clauses}", inputs, catalogue)
        asked = replace(asked, alone=wanted.alone, constraints=(*asked.constraints, *limits))
        answer = unbuilt(host, asked, known, cached=wanted.alone, origins=False, other_pythons=False, watch=watch)
        if answer is None:
            return None
        # Of what refuses this Python an older version would do, and an older Python does better; of what others need nobody asks that.
        passed.update({*answer.capped} & direct)
        more = tuple(sorted({*_misfits(catalogue.fits(), answer, name, lock.python)} - {*limits}))
        return ask(name, (*limits, *more)) if more else answer

    release = release_brought(ask, own)
    known_release = catalogue.release(release) if release in catalogue.versions() else None
    device = set_device(target, known_release.build(target.platform)) if known_release is not None else target.device
    there = known_release is not None and catalogue.lock(release, lock.python, target.platform, device) is not None
    if not there:
        return None
    # What the catalogue lets be built is no question to anybody.
    asked = tuple(sorted(known - {item.package for item in catalogue.fits().built}))
    return Going(release=release, python=lock.python, sources=asked, passed=tuple(sorted(passed)), together=not wanted.alone)


def _is_here(wanted: Wanted, text: str) -> bool:
    """True for a requirement on an index, and for one on a wheel that the project carries."""
    file = text.partition(" @ ")[2].partition(" ; ")[0].rpartition("/")[2]
    return not file or any(
        posixpath.basename(item.path) == unquote(file) for item in wanted.inputs.carried.values() if file.endswith(".whl")
    )


def _misfits(fits: Fits, answer: Resolved, name: str, python: str) -> Iterator[str]:
    """Yield limits that keep packages out of what is known to break the release of an answer, ``name``: NumPy 2 has no bound in 2.14."""
    release = answer.offered[name][0].version if name in answer.offered else ""
    for package, files in answer.offered.items() if release else ():
        for rule in fits.known_bad(package, files[0].version, release, python):
            limit = outside(rule.versions, "")
            yield from [f"{package}{limit}"] if limit else []


def going_or_nothing(host: Host, catalogue: Catalogue, wanted: Wanted) -> Going | None:
    """The same, where an index that cannot be asked is no reason to fail."""
    try:
        return going(host, catalogue, wanted)
    except OperationError:
        return None
