"""Who has recorded which file: the RECORDs of an environment, read once, and what of them a change may take away."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from provisioner.base.paths import is_inside
from provisioner.environment.distributions import Installed, record_of
from provisioner.environment.layout import layout
from provisioner.environment.metadata import Row, parse_record
from provisioner.environment.workspace import STATE
from provisioner.host import Reader, files
from provisioner.model.record import record

RECORD_LIMIT = 1 << 26


class Claim(NamedTuple):
    """That a distribution has recorded a file: its name, its metadata folder, and what the file should be (``metadata.Row``).

    A tuple, because there are tens of thousands.
    """

    owner: str
    metadata: str
    digest: str
    size: int


@record
class Owners:
    """The index: ``claims`` maps each recorded path to those who have recorded it, in the order of their reading."""

    claims: Mapping[str, tuple[Claim, ...]]

    def of(self, path: str) -> frozenset[str]:
        """The metadata folders of those who have recorded the path."""
        return frozenset(claim.metadata for claim in self.claims.get(path, ()))


def index(pairs: Iterable[tuple[str, Claim]]) -> Owners:
    """Return the index of claims."""
    found: dict[str, tuple[Claim, ...]] = {}
    for path, claim in pairs:
        found[path] = (*found[path], claim) if path in found else (claim,)
    return Owners(claims=found)


def read_rows(reader: Reader, metadata: str) -> tuple[Row, ...] | None:
    """Return what the distribution with that metadata folder (absolute) has recorded; None where it has no record that can be read.

    Paths are relative to the folder of packages, those of an egg (``installed-files.txt``) to its own metadata folder.
    """
    text = files.read(reader, record_of(metadata), RECORD_LIMIT).text
    if text is None:
        return None
    if metadata.endswith(".dist-info"):
        return tuple(parse_record(text))
    return tuple(Row(line, "", -1) for line in text.splitlines() if line)


def read_claims(reader: Reader, item: Installed, root: str = "") -> Iterator[tuple[str, Claim]] | None:
    """Return the absolute paths that a distribution has recorded; None where it has no record that can be read.

    ``root`` is the environment that its metadata folder is relative to. A path may lead anywhere: whoever follows it must look.
    """
    metadata = posixpath.join(root, item.metadata)
    rows = read_rows(reader, metadata)
    base = posixpath.dirname(metadata) if metadata.endswith(".dist-info") else metadata
    return None if rows is None else ((_place(base, row.path), Claim(item.name, metadata, row.digest, row.size)) for row in rows)


def _place(base: str, path: str) -> str:
    # Most paths are in their normal form, and there are tens of thousands.
    return posixpath.normpath(posixpath.join(base, path)) if "./" in path or "//" in path or path[0] == "/" else f"{base}/{path}"


def read_owners(reader: Reader, root: str, distributions: Iterable[Installed]) -> Owners:
    """Return the index of the files, relative to ``root``, that a distribution there can own and that are there.

    The metadata folder of a distribution stands for all in it. A forged record can harm nothing: lines that lead out of the environment, name a
    folder, or name what makes it an environment are left out.
    """
    pairs: list[tuple[str, Claim]] = []
    known: dict[str, bool] = {}
    for item in distributions:
        pairs.append((item.metadata, Claim(item.name, item.metadata, "", -1)))
        for path, claim in read_claims(reader, item, root) or () if item.recorded else ():
            inner = path[len(root) + 1 :] if path.startswith(f"{root}/") else ""
            if inner.startswith(f"{item.metadata}/"):
                continue
            if inner not in known:
                known[inner] = _can_be_owned(reader, root, inner)
            if known[inner]:
                pairs.append((inner, claim._replace(metadata=item.metadata)))
    return index(pairs)


def recorded_files(reader: Reader, root: str, item: Installed) -> tuple[str, ...]:
    """Return the files of one distribution, as ``read_owners`` has them, sorted."""
    return tuple(sorted(read_owners(reader, root, [item]).claims))


def _can_be_owned(reader: Reader, root: str, path: str) -> bool:
    """True for a file that a distribution can own, and that is there."""
    if not is_inside(path) or path.split("/", maxsplit=1)[0] == STATE or layout(reader.platform).makes_environment(path):
        return False
    entry = files.entry(reader, posixpath.join(root, path))
    return entry is not None and entry.kind != "directory"
