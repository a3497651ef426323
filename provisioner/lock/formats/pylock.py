"""``pylock.<target>.toml``: PEP 751, written by hand so that its bytes are ours, read back by ``packaging.pylock``."""

from __future__ import annotations

import json

from provisioner.base.toml_text import parse_toml
from provisioner.declared.markers import environment
from provisioner.errors import InputError
from provisioner.lock.formats import Pin
from provisioner.model.checkout import Checkout
from provisioner.model.team import LockedTarget, TeamFile

VERSION = "1.0"


def file_name(target: str) -> str:
    """Return the name of a target's file; PEP 751 allows no dot in the middle part."""
    return f"pylock.{target.replace('.', '_')}.toml"


def write(locked: LockedTarget) -> str:
    """Return the text (https://packaging.python.org/specifications/pylock-toml/); JSON's texts are TOML's basic strings, too."""
    target = locked.target
    names = environment(target)
    marker = " and ".join(f"{key} == '{names[key]}'" for key in ("sys_platform", "platform_machine", "python_version"))
    lines = [
        f"lock-version = {_text(VERSION)}",
        f"environments = [{_text(marker)}]",
        f"requires-python = {_text(f'=={target.python}.*')}",
        'created-by = "tfsetup"',
    ]
    for file in locked.files:
        lines += ["", "[[packages]]", f"name = {_text(file.name)}", f"version = {_text(file.version)}"]
        if file.index:
            lines.append(f"index = {_text(file.index)}")
        if file.requires:
            lines.append(f"dependencies = [{', '.join(f'{{ name = {_text(name)} }}' for name in file.requires)}]")
        if file.direct:
            lines.append(f"archive = {_archive(file)}")
            continue
        lines.append(f"sdist = {_file(file)}" if file.source else f"wheels = [{_file(file)}]")
    for item in locked.checkouts:
        lines += ["", "[[packages]]", f"name = {_text(item.name)}"]
        lines += [f"version = {_text(item.version)}"] if item.version else []
        lines.append(_place(item))
    lines += ["", "[tool.tfsetup]", f"target = {_text(target.name)}", f"device = {_text(target.device)}"]
    lines += [f"tensorflow = {_text(locked.release)}"]
    return "\n".join(lines) + "\n"


def _archive(file: TeamFile) -> str:
    size = f"size = {file.size}, " if file.size else ""
    return f"{{ {_where(file)}, {size}hashes = {{ sha256 = {_text(file.sha256)} }} }}"


def _place(item: Checkout) -> str:
    """Return the table of a commit, or of a project by its folder, which is relative to the file."""
    folder = f", subdirectory = {_text(item.folder)}" if item.folder and item.commit else ""
    if item.commit:
        asked = f", requested-revision = {_text(item.asked)}" if item.asked else ""
        return f'vcs = {{ type = "git", url = {_text(item.url)}{asked}, commit-id = {_text(item.commit)}{folder} }}'
    return f"directory = {{ path = {_text(item.folder)}{', editable = true' if item.editable else ''} }}"


def _file(file: TeamFile) -> str:
    parts = [f"name = {_text(file.filename)}"]
    if file.uploaded:
        parts.append(f"upload-time = {file.uploaded}")
    parts.append(_where(file))
    if file.size:
        parts.append(f"size = {file.size}")
    parts.append(f"hashes = {{ sha256 = {_text(file.sha256)} }}")
    return f"{{ {', '.join(parts)} }}"


def _where(file: TeamFile) -> str:
    return f"path = {_text(file.path)}" if file.path else f"url = {_text(file.url)}"


def _text(value: str) -> str:
    return json.dumps(value)


def read(text: str, *, file: str = "") -> frozenset[Pin]:
    """Return names, versions and hashes; raises ``InputError`` for what PEP 751 does not allow, or for more than one file a package."""
    from packaging.pylock import Pylock, PylockValidationError  # noqa: PLC0415 - only to read one

    data = parse_toml(text, file=file, name=file)
    try:
        pylock = Pylock.from_dict(data)
    except (ValueError, RecursionError, PylockValidationError) as error:
        raise InputError("cannot be read as a pylock.toml", place=file, faults=(str(error),)) from None
    found: set[Pin] = set()
    for package in pylock.packages:
        if package.vcs or package.directory:
            continue
        if package.archive is not None:
            found.add((package.name, str(package.version), str(package.archive.hashes.get("sha256"))))
            continue
        files = [*(package.wheels or ()), *([package.sdist] if package.sdist else ())]
        if len(files) != 1 or "sha256" not in files[0].hashes or package.version is None:
            raise InputError("cannot be read as a lock", place=file, faults=(f"{package.name}: expected one file with its SHA-256",))
        found.add((package.name, str(package.version), files[0].hashes["sha256"]))
    return frozenset(found)
