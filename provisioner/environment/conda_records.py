"""Reading a conda environment: its packages and their files, who owns a Python distribution, and why it must not be changed.

Format of a record (``conda-meta/NAME-VERSION-BUILD.json``): ``PrefixRecord`` in conda's models/records.py and in rattler's
``rattler_conda_types``; both write the same keys.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from provisioner.base.paths import is_inside
from provisioner.environment.installation import is_managed
from provisioner.environment.layout import CONDA
from provisioner.facts import conda
from provisioner.host import Reader, files
from provisioner.model.conda import CondaFile, CondaRecord
from provisioner.model.json_text import read_json

META = CONDA
# A record of a package with a hundred thousand files.
LIMIT = 1 << 26
_LONGEST = 300
# Metadata of an installed distribution (PyPA's "Recording installed projects"; setuptools' older egg-info, a file or a folder).
_METADATA = r"(?:.*/)?site-packages/(?P<name>[^/]+?)-[^/]+\.(?:dist-info/METADATA|egg-info(?:/PKG-INFO)?)"


def read_index(reader: Reader, root: str) -> tuple[CondaRecord, ...]:
    """Return name, version and build of every package of the environment at ``root``, by the names of their records: no file is read."""
    try:
        entries = reader.list(posixpath.join(root, META))
    except files.FAULTS:
        return ()
    names = (posixpath.basename(entry.path) for entry in entries)
    return tuple(_named(name) for name in names if name.endswith(".json") and not name.startswith("."))


def read_records(reader: Reader, root: str) -> tuple[CondaRecord, ...]:
    """Return every package with all that its record tells; one that cannot be read says why in ``problem``."""
    return tuple(read_record(reader, root, package) for package in read_index(reader, root))


def read_record(reader: Reader, root: str, package: CondaRecord) -> CondaRecord:
    """Return a package of ``read_index`` with all that its record tells."""
    found = files.read(reader, posixpath.join(root, package.meta), LIMIT)
    return _broken(package, found.why) if found.text is None else parse_record(found.text, package)


def parse_record(text: str, package: CondaRecord) -> CondaRecord:
    """Read the text of a record; ``package`` is what its name tells. Pure."""
    try:
        data = read_json(text)
    except ValueError as error:
        return _broken(package, f"not valid JSON: {str(error).split(':', maxsplit=1)[0]}")
    if not isinstance(data, dict) or not all(isinstance(data.get(key), str) for key in ("name", "version", "build")):
        return _broken(package, "no record of a package: it lacks a name, a version or a build")
    outside: list[str] = []
    return CondaRecord(
        name=data["name"],
        version=data["version"],
        build=data["build"],
        meta=package.meta,
        channel=_text(data.get("channel")),
        url=_text(data.get("url")),
        subdir=_text(data.get("subdir")),
        sha256=_text(data.get("sha256")).lower(),
        md5=_text(data.get("md5")).lower(),
        size=_count(data.get("size"), 0),
        noarch=_noarch(data.get("noarch")),
        depends=_texts(data.get("depends")),
        constrains=_texts(data.get("constrains")),
        requested=_requested(data),
        files=tuple(_files(data, outside)),
        problem=f"it names files outside the environment: {', '.join(outside[:3])}" if outside else "",
    )


def distribution_owners(records: Iterable[CondaRecord]) -> dict[str, str]:
    """Return normalised name (PEP 503) of each Python distribution -> the conda package that brought it."""
    owners = {}
    for record in records:
        for file in record.files:
            found = re.fullmatch(_METADATA, file.path)
            if found:
                owners[re.sub(r"[-_.]+", "-", found["name"]).lower()] = record.name
    return owners


def protection(reader: Reader, root: str) -> str:
    """Say why the environment at ``root`` must never be changed; empty where nothing speaks against it.

    In this order: frozen (CEP 22), conda's own environment, one of pixi's, one whose Python is managed by others (PEP 668).
    """
    frozen = files.read(reader, f"{root}/{META}/frozen", 1 << 16)
    if frozen.text is not None or not frozen.missing:
        message = _frozen_message(frozen.text or "")
        return "it is frozen" + (f": {message}" if message else f" ({META}/frozen is there)")
    if is_base(reader, root):
        return "it is conda's own environment (base)"
    if files.there(reader, f"{root}/{META}/pixi") or "/.pixi/envs/" in f"{root}/":
        return "it belongs to pixi, which would change it back; add packages with `pixi add`"
    if is_managed(reader, root):
        return "its Python is managed by others (PEP 668: EXTERNALLY-MANAGED is there)"
    return ""


def is_base(reader: Reader, root: str) -> bool:
    """True for the folder of an installation: one that tools and variables name, or that has conda in it and its packages or environments."""
    real = files.real(reader, root)
    if real in {files.real(reader, known) for known in conda.roots(reader)}:
        return True
    has_conda = files.there(reader, f"{root}/condabin") or any(package.name == "conda" for package in read_index(reader, root))
    return has_conda and any(files.there(reader, f"{root}/{name}") for name in ("envs", "pkgs"))


def _frozen_message(text: str) -> str:
    """CEP 22: the file is empty, or a JSON document with a ``message``."""
    try:
        data = read_json(text)
    except ValueError:
        return ""
    message = data.get("message") if isinstance(data, dict) else None
    # One line, without what would move a terminal's cursor.
    return "".join(c for c in " ".join(message.split()) if c.isprintable())[:_LONGEST] if isinstance(message, str) else ""


def _named(name: str) -> CondaRecord:
    """``NAME-VERSION-BUILD.json``; versions and builds hold no hyphen (conda's documentation, "Package naming conventions")."""
    parts = name.removesuffix(".json").rsplit("-", 2)
    meta = f"{META}/{name}"
    if len(parts) < 3:  # noqa: PLR2004 - the parts of a name
        return CondaRecord(name=name.removesuffix(".json"), version="", build="", meta=meta, problem="its name is not that of a record")
    return CondaRecord(name=parts[0], version=parts[1], build=parts[2], meta=meta)


def _broken(package: CondaRecord, why: str) -> CondaRecord:
    return CondaRecord(name=package.name, version=package.version, build=package.build, meta=package.meta, problem=why)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _count(value: Any, missing: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else missing


def _noarch(value: Any) -> str:
    """Old records say ``true`` for generic (``NoarchField`` in conda's models/records.py)."""
    return "generic" if value is True else _text(value)


def _requested(data: dict[str, Any]) -> tuple[str, ...]:
    """``requested_specs``; before it there was one ``requested_spec``, in which conda writes the text "None" for none."""
    one = _text(data.get("requested_spec"))
    return _texts(data.get("requested_specs")) or ((one,) if one not in {"", "None"} else ())


def _files(data: dict[str, Any], outside: list[str]) -> Iterator[CondaFile]:
    """Yield the files; paths that lead out of the environment go into ``outside``. Very old records have a list of names alone."""
    paths_data = data.get("paths_data")
    entries = paths_data.get("paths") if isinstance(paths_data, dict) else None
    for entry in entries if isinstance(entries, list) and entries else [{"_path": name} for name in _texts(data.get("files"))]:
        path = _text(entry.get("_path")) if isinstance(entry, dict) else ""
        if not path:
            continue
        if not is_inside(path):
            outside.append(path)
            continue
        mode, placeholder = _text(entry.get("file_mode")), _text(entry.get("prefix_placeholder"))
        # Without the hash of what was linked nothing can be said of a file that the prefix was written into.
        packed = "" if placeholder else _text(entry.get("sha256"))
        modes: dict[str, Literal["", "text", "binary"]] = {"text": "text", "binary": "binary"}
        yield CondaFile(
            path=path,
            kind=_text(entry.get("path_type")) or "hardlink",
            sha256=(_text(entry.get("sha256_in_prefix")) or packed).lower(),
            size=_count(entry.get("size_in_bytes"), -1),
            mode=modes.get(mode, ""),
            placeholder=placeholder,
        )
