"""Whether each file of a lock is still on its index or channel, with the same hash: asked through uv and rattler, as an installer would."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from functools import partial

from provisioner.conda.sources import places
from provisioner.engines import rattler, uv, uv_compile
from provisioner.engines.resolving import Job, NoSolutionError
from provisioner.engines.wheels import Wheel
from provisioner.host import Host
from provisioner.host.files import make_folders
from provisioner.lock.needs import FLOORS
from provisioner.lock.parallel import Watch, side_by_side
from provisioner.lock.stale import Difference
from provisioner.model.conda_package import SUBDIRS
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.model.team import Index, LockedTarget, TeamFile, TeamLock


@record
class _Asking:
    """One target's questions: what does not change from one to the next."""

    locked: LockedTarget
    indexes: tuple[Index, ...]
    cutoff: str
    folder: str


def missing(host: Host, lock: TeamLock, indexes: tuple[Index, ...], *, folder: str) -> tuple[Difference, ...]:
    """Return every file that its index or channel does not offer any more, or offers with another hash.

    ``folder`` is one of the tool's own. Raises ``OperationError`` where an index or a channel cannot be reached.
    """

    def one(number: int, watch: Watch) -> list[Difference]:
        place = posixpath.join(folder, str(number))
        make_folders(host, place)
        asking = _Asking(locked=lock.targets[number], indexes=indexes, cutoff=lock.cutoff, folder=place)
        # What the project carries is compared where the inputs are.
        served = [file for file in asking.locked.files if not file.path]
        wheels = _missing(host, asking, served, watch) if served else ()
        return [*_gone_from_channels(host, asking.locked, place), *wheels]

    # Asked here, where it is alone, as in ``resolve``.
    uv.find_uv(host)
    futures = side_by_side([partial(one, number) for number in range(len(lock.targets))], len(lock.targets))
    return tuple(dict.fromkeys(found for future in futures for found in future.result()))


def _gone_from_channels(host: Host, locked: LockedTarget, folder: str) -> Iterator[Difference]:
    conda = locked.conda
    if conda is None:
        return
    rattler.check_installed()
    found = places(host, Request(channels=conda.channels, origins={"channel": "the lock"}), ())
    subdir = SUBDIRS[locked.target.platform]
    for name, why in rattler.look(host, found.channels, conda.packages, subdir=subdir, repodata=folder).items():
        yield Difference(kind="index", name=name, why=why)


def _missing(host: Host, asking: _Asking, files: Sequence[TeamFile], watch: Watch) -> Iterator[Difference]:
    """Ask for all files at once; where the index lacks one, uv names no other, so each half is asked for by itself."""
    try:
        offered = uv_compile.compile_job(host, _job(asking, files), origins=False, watch=watch).offered
    except NoSolutionError:
        if len(files) == 1:
            why = f"{files[0].name} {files[0].version} is not on the index any more"
            yield Difference(kind="index", name=files[0].filename, why=why)
            return
        half = len(files) // 2
        yield from _missing(host, asking, files[:half], watch)
        yield from _missing(host, asking, files[half:], watch)
        return
    for file in files:
        why = _why(file, offered.get(file.name, ()))
        if why:
            yield Difference(kind="index", name=file.filename, why=why)


def _why(file: TeamFile, offered: Sequence[Wheel]) -> str:
    if any(wheel.sha256 == file.sha256 for wheel in offered):
        return ""
    if any(wheel.filename == file.filename for wheel in offered):
        return "is served with another hash than when the lock was made: do not install it, and ask who runs the index"
    return "is not on the index any more"


def _job(asking: _Asking, files: Sequence[TeamFile]) -> Job:
    target = asking.locked.target
    needs = asking.locked.needs
    return Job(
        name=target.name,
        requirements=tuple(f"{file.name} @ {file.url}" if file.direct else f"{file.name}=={file.version}" for file in files),
        constraints=(),
        python=target.python,
        platform=target.platform,
        floor=needs.glibc or needs.macos or FLOORS[target.platform.partition("-")[0]],
        cutoff=asking.cutoff,
        folder=asking.folder,
        sources=tuple(file.name for file in files if file.source),
        exempt=tuple(file.name for file in files),
        indexes=asking.indexes,
        alone=True,
    )
