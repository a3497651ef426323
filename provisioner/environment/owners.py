"""Who has recorded which file: the RECORDs of an environment, read once, and what of them a change may take away."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from provisioner.base.paths import is_inside
from provisioner.environment.distributions import Installed, record_of
from provisioner.environment.layout import Layout, layout
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
    """The index: ``claims`` maps each recorded path to those who have recorded it, in the order of reading; ``paths`` is the other way round."""

    claims: Mapping[str, tuple[Claim, ...]]
    paths: Mapping[str, tuple[str, ...]]


def index(pairs: Iterable[tuple[str, Claim]]) -> Owners:
    """Return the index of claims; ``paths`` is by metadata folder."""
    claims: dict[str, tuple[Claim, ...]] = {}
    paths: dict[str, list[str]] = {}
    for path, claim in pairs:
        claims[path] = (*claims[path], claim) if path in claims else (claim,)
        paths.setdefault(claim.metadata, []).append(path)
    return Owners(claims=claims, paths={metadata: tuple(found) for metadata, found in paths.items()})


def read_rows(reader: Reader, metadata: str) -> Iterator[Row] | None:
    """Return what the distribution with that metadata folder (absolute) has recorded; None where it has no record that can be read.

    Paths are relative to the folder of packages, those of an egg (``installed-files.txt``) to its own metadata folder. The record is read as
    the rows are taken, and never held as a whole: there may be hundreds of thousands. On Windows folders may be parted by backslashes ("Recording
    installed projects" of PyPA's specifications; virtualenv writes them so), which are names' own signs elsewhere.
    """
    blocks = files.blocks(reader, record_of(metadata), RECORD_LIMIT)
    if blocks is None:
        return None
    if not metadata.endswith(".dist-info"):
        rows = (Row(line, "", -1) for block in blocks for line in block.splitlines() if line)
    else:
        rows = (row for block in blocks for row in parse_record(block))
    return (
        (row._replace(path=row.path.replace("\\", "/")) if "\\" in row.path else row for row in rows)
        if reader.platform == "win32"
        else rows
    )


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
    """Return the index of what the distributions of the environment at ``root`` have recorded there; paths and folders are relative to it.

    The metadata folder of a distribution stands for all in it. A forged record can harm nothing: lines that lead out of the environment, or name
    what makes it an environment, are left out. Whether a path is there, and a file, is not looked at.
    """
    shape = layout(reader.platform)
    pairs: list[tuple[str, Claim]] = []
    for item in distributions:
        pairs.append((item.metadata, Claim(item.name, item.metadata, "", -1)))
        for path, claim in read_claims(reader, item, root) or () if item.recorded else ():
            inner = path[len(root) + 1 :] if path.startswith(f"{root}/") else ""
            if _can_be_owned(shape, inner) and not inner.startswith(f"{item.metadata}/"):
                pairs.append((inner, claim._replace(metadata=item.metadata)))
    return index(pairs)


def _can_be_owned(shape: Layout, path: str) -> bool:
    return is_inside(path) and path.split("/", maxsplit=1)[0] != STATE and not shape.makes_environment(path)
