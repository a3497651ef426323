"""Which Python distributions in a conda environment are conda's, and which pip or uv has put in the place of one of conda's."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from provisioner.host import Reader
from provisioner.model.conda import CondaFile, CondaRecord
from provisioner.model.record import record

# Metadata of an installed distribution (PyPA's "Recording installed projects"; setuptools' older egg-info, a file or a folder).
_ENDINGS, _FILES = (".dist-info", ".egg-info"), frozenset({"METADATA", "PKG-INFO"})
_INSTALLERS = frozenset({b"pip", b"uv"})


@record
class Brought:
    """A distribution that a conda package lists: ``folder`` is its metadata, relative to the environment.

    ``state``: ``own`` (it is there, and conda's), ``again`` (pip or uv has installed the same version over it), ``gone``.
    """

    package: str
    name: str
    version: str
    folder: str
    state: str


def identity(item: CondaRecord) -> str:
    """Return what a package's record is called: name, version and build."""
    return posixpath.basename(item.meta).removesuffix(".json")


def brought(reader: Reader, root: str, records: Iterable[CondaRecord]) -> tuple[Brought, ...]:
    """Return every distribution that the packages of the environment at ``root`` brought, and what has become of it."""
    return tuple(_state(reader, root, item, path, found) for item in records for path, found in _metadata(item))


def own_folders(reader: Reader, root: str, records: Iterable[CondaRecord]) -> dict[str, str]:
    """Return the metadata folders (relative) of the distributions that are conda's own, and the packages that brought them."""
    return {item.folder: item.package for item in brought(reader, root, records) if item.state == "own"}


def _metadata(item: CondaRecord) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the files that say what a distribution is, with its folder, name and version: ``…/site-packages/numpy-1.26.4.dist-info/METADATA``."""
    for file in item.files:
        above, _, last = file.path.rpartition("/")
        folder = above if last in _FILES else file.path
        site, _, base = folder.rpartition("/")
        name, _, rest = base.rpartition(".")[0].partition("-")
        version = rest.partition("-")[0]
        if base.endswith(_ENDINGS) and posixpath.basename(site) == "site-packages" and name and version:
            yield file.path, {"folder": folder, "name": name, "version": version}


def _state(reader: Reader, root: str, item: CondaRecord, path: str, found: Mapping[str, str]) -> Brought:
    name = re.sub(r"[-_.]+", "-", found["name"]).lower()
    state = "gone"
    if reader.exists(posixpath.join(root, path)):
        state = "again" if _installed_again(reader, root, found["folder"], {file.path: file for file in item.files}) else "own"
    return Brought(package=identity(item), name=name, version=found["version"], folder=found["folder"], state=state)


def _installed_again(reader: Reader, root: str, folder: str, listed: Mapping[str, CondaFile]) -> bool:
    """INSTALLER (PEP 376) names pip or uv, and is not what the package has: conda's packages are built by pip, too."""
    path = f"{folder}/INSTALLER"
    try:
        content = reader.read_bytes(posixpath.join(root, path), 64)
    except OSError:
        return False
    known = listed[path].sha256 if path in listed else ""
    return content.strip() in _INSTALLERS and hashlib.sha256(content).hexdigest() != known
