"""What is installed in an environment against what the packages' own records say: its distributions, their files, rivals, leftovers."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Container, Iterator
from dataclasses import replace

from provisioner.base.names import OWN_FOLDERS
from provisioner.base.prints import Prints
from provisioner.catalogue.published import Contradiction
from provisioner.environment.distributions import Installed, described, is_leftover, read_metadata, sites
from provisioner.environment.installation import of_the_system
from provisioner.environment.owners import Claim, read_claims
from provisioner.host import Entry, Reader
from provisioner.judge import conda_files
from provisioner.judge.comparing import Comparison, Fault, is_code, roots
from provisioner.judge.conda_files import CondaState
from provisioner.judge.memory import Memory
from provisioner.model.record import record

# What changes after the install: byte code, and the record itself.
_NOT_COMPARED = (".pyc", "/__pycache__", "/RECORD", "/RECORD.jws")
_PACKAGES = tuple(f"/site-packages/{name}/__init__.py" for name in OWN_FOLDERS)


@record
class Integrity:
    """The state of an environment's files: ``rivals`` own one tensorflow folder; ``files`` were compared.

    ``natives`` are the compiled files that are there and their owners; ``owners`` are the distributions that record a tensorflow package.
    ``conda`` is the same of conda's packages (None where it is no conda environment): distributions that are conda's are compared there alone.
    """

    distributions: tuple[Installed, ...]
    rivals: tuple[str, ...]
    faults: tuple[Fault, ...]
    files: int
    natives: tuple[tuple[str, str], ...] = ()
    owners: tuple[str, ...] = ()
    conda: CondaState | None = None


def check(
    reader: Reader,
    env: str,
    *,
    deep: bool = False,
    sizes_only: bool = False,
    folders: tuple[str, ...] | None = None,
    published: frozenset[Contradiction] = frozenset(),
    memory: Memory | None = None,
) -> Integrity:
    """Compare every distribution in ``env`` with its RECORD, each file by its content. Reads only, but for ``memory``.

    ``memory`` spares reading again what has not changed since; with ``deep`` everything is read, and of conda's packages large files, too, of which
    ``sizes_only`` reads none. ``folders`` are the folders with distributions where they are not those below ``env``. A RECORD that names files
    outside ``env`` is not followed there. ``published`` are the files that wheels were published with against their own records. Records are read
    twice, row by row: an environment may have hundreds of thousands of files, and none is kept in memory.
    """
    folders = sites(reader, env) if folders is None else folders
    distributions, faults = _read_folders(reader, folders)
    records = _Records(reader, env, folders, tuple(item for item in distributions if item.recorded and not of_the_system(reader, item)))
    owning, repeated = records.owning()
    conda = conda_files.compare(reader, env, distributions, records.folders_of, deep=deep, sizes_only=sizes_only)
    own = conda.own if conda is not None else frozenset()
    memory = None if deep else memory
    known = memory.open(env) if memory is not None else None
    work = Comparison(reader, rivals=owning if len(owning) > 1 else (), folders=folders, published=published, known=known)
    several: dict[str, tuple[int, list[Claim]]] = {}
    for place, (path, claim) in enumerate(records.claims()):
        if path in repeated:
            several.setdefault(path, (place, []))[1].append(claim)
        elif claim.metadata not in own:
            work.compare(place, path, (claim,))
    for path, (place, claims) in several.items():
        if any(claim.metadata not in own for claim in claims):
            work.compare(place, path, tuple(claims))
    if memory is not None and known is not None and known.changed:
        memory.keep(env, known)
    if conda is not None:
        faults = [fault for fault in faults if fault.kind != "no record" or fault.path not in own]
    faults += work.in_order()
    if not work.rivals:
        faults += _strays(reader, folders, work.code, conda.paths if conda is not None else ())
    return Integrity(
        distributions=distributions,
        rivals=work.rivals,
        owners=owning,
        faults=tuple(faults),
        files=work.files,
        natives=tuple((path, owner) for _, path, owner in sorted(work.natives)),
        conda=conda,
    )


class _Records:
    """The rows of all records that are looked at, read anew from the disk each time they are asked for."""

    def __init__(self, reader: Reader, env: str, folders: tuple[str, ...], distributions: tuple[Installed, ...]) -> None:
        self._reader = reader
        self._bounds = (env.rstrip("/") + "/", *(site + "/" for site in folders))
        self._distributions = distributions

    def claims(self) -> Iterator[tuple[str, Claim]]:
        """Every recorded file whose content can be compared, with who says what of it."""
        for item in self._distributions:
            for path, claim in read_claims(self._reader, item) or ():
                if path.startswith(self._bounds) and not path.endswith(_NOT_COMPARED):
                    yield path, claim

    def owning(self) -> tuple[tuple[str, ...], Prints]:
        """The distributions that record a tensorflow package, and the paths that are recorded more than once."""
        owners: set[str] = set()
        every = Prints()
        for path, claim in self.claims():
            every.add(path)
            if path.endswith(_PACKAGES):
                owners.add(claim.owner)
        return tuple(sorted(owners)), every.repeated()

    def folders_of(self, paths: Collection[str]) -> dict[str, str]:
        """The metadata folder of the last distribution that has recorded each of these paths, for those that one has."""
        return {path: claim.metadata for path, claim in self.claims() if path in paths} if paths else {}


def _read_folders(reader: Reader, folders: tuple[str, ...]) -> tuple[tuple[Installed, ...], list[Fault]]:
    """Read the distributions of the folders, and what is wrong with their metadata."""
    distributions: list[Installed] = []
    faults: list[Fault] = []
    for site in folders:
        for entry in reader.list(site, named=lambda base: is_leftover(base) or base.endswith(".dist-info")):
            if is_leftover(posixpath.basename(entry.path)):
                faults.append(Fault(distribution="", kind="leftover", path=entry.path, detail="left by an interrupted pip"))
            else:
                _read_distribution(reader, entry, distributions, faults)
    return tuple(distributions), faults


def _read_distribution(reader: Reader, entry: Entry, distributions: list[Installed], faults: list[Fault]) -> None:
    folder, base = entry.path, posixpath.basename(entry.path)
    text, told = read_metadata(reader, entry)
    if text.text is None:
        faults.append(Fault(distribution=base, kind="leftover", path=folder, detail="a metadata folder without METADATA"))
        return
    if not told.name or not told.version:
        faults.append(Fault(distribution=base, kind="no metadata", path=folder, detail="METADATA names no distribution and version"))
    item = described(folder, told)
    if read_claims(reader, item) is None:
        # conda's packages of this kind may have none either, and keep their own record (``conda_files``).
        if not of_the_system(reader, item):
            faults.append(
                Fault(distribution=item.name, kind="no record", path=folder, detail="RECORD is missing, so its files cannot be checked")
            )
        item = replace(item, recorded=False)
    distributions.append(item)


def _strays(reader: Reader, folders: tuple[str, ...], recorded: Container[str], conda: Container[str]) -> list[Fault]:
    """Code in the tensorflow folder that no distribution owns: what an earlier release left, and what Python would import all the same."""
    there = (path for root in roots(folders) for path in reader.files_below(root.rstrip("/")) if is_code(path))
    strays = sorted(path for path in there if path not in recorded and path not in conda)
    return [Fault(distribution="", kind="stray", path=path, detail="belongs to no installed distribution") for path in strays]
