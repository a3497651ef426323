"""Which environment and interpreter ``doctor`` and ``fix`` are about, and how that was decided."""

from __future__ import annotations

import posixpath

from provisioner.environment.config import parse_config
from provisioner.environment.layout import CONDA, CONFIG, SHAPES
from provisioner.errors import InputError
from provisioner.host import Reader, files
from provisioner.model.record import record

_PYTHONS = tuple(dict.fromkeys(path for shape in SHAPES for path in (*shape.pythons, shape.conda_python)))


@record
class Subject:
    """What is examined: ``env`` is "" for an interpreter without an environment of its own; ``how`` says in words why it was taken."""

    env: str
    python: str
    how: str


def choose(reader: Reader, *, env: str = "", python: str = "") -> Subject:
    """Return the subject: ``env`` or ``python`` as a person named them (absolute), else the one that is active.

    Active is, in this order: VIRTUAL_ENV, CONDA_PREFIX, ``tf-env`` in the working directory, the first ``python3`` or ``python`` on PATH.
    Raises ``InputError`` when what was named is not there or is no environment, or when there is nothing to take.
    """
    if python:
        return _of_python(reader, env, python)
    if env:
        return _of_folder(reader, env, "as asked for with --env")
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        folder = reader.env.get(variable, "")
        if folder and files.there(reader, posixpath.join(reader.cwd, folder)):
            return _of_folder(reader, posixpath.normpath(posixpath.join(reader.cwd, folder)), f"the active one ({variable})")
    own = posixpath.join(reader.cwd, "tf-env")
    if files.there(reader, own):
        return _of_folder(reader, own, "tf-env in the working directory")
    for name in ("python3", "python"):
        found = reader.which(name)
        if found:
            return _of_python(reader, "", found, how=f"no environment is active; the first {name} on PATH")
    raise InputError("no environment is active, and there is no Python on PATH", hint="name one with --env or --python")


def is_environment(reader: Reader, folder: str) -> bool:
    """True for a folder that is, or was, a virtual or conda environment: what is left of a broken one counts."""
    signs = (CONFIG, CONDA, *_PYTHONS)
    if any(files.there(reader, posixpath.join(folder, sign)) for sign in signs):
        return True
    return bool(site_folders(reader, folder))


def site_folders(reader: Reader, folder: str) -> tuple[str, ...]:
    """The site-packages folders below an environment's root, of Unix and of Windows layout; links followed, each once."""
    from provisioner.environment.distributions import sites  # noqa: PLC0415 - not needed to choose

    return tuple(path for path in sites(reader, folder) if files.there(reader, path))


def config(reader: Reader, env: str) -> dict[str, str]:
    """The keys of ``pyvenv.cfg``; none when it is not there or is no text."""
    text = files.read(reader, posixpath.join(env, CONFIG)).text if env else None
    return parse_config(text) if text else {}


def _of_folder(reader: Reader, folder: str, how: str) -> Subject:
    root = files.real(reader, folder)
    entry = files.entry(reader, root)
    hint = "make one with `tfsetup apply`, or name another with --env or --python"
    if entry is None:
        raise InputError("there is no environment", place=folder, hint=hint)
    if entry.kind != "directory":
        raise InputError("it is a file, not an environment", place=folder, hint="name an interpreter with --python")
    if not is_environment(reader, root):
        raise InputError("it is no environment: no pyvenv.cfg, no conda-meta, no Python and no packages in it", place=folder, hint=hint)
    python = next((path for path in (posixpath.join(root, name) for name in _PYTHONS) if files.there(reader, path)), "")
    return Subject(env=root, python=python or posixpath.join(root, _PYTHONS[0]), how=how)


def _of_python(reader: Reader, env: str, python: str, how: str = "as asked for with --python") -> Subject:
    """An interpreter belongs to the environment whose ``pyvenv.cfg`` or ``conda-meta`` lies beside it or one folder above."""
    entry = files.entry(reader, python)
    if entry is None:
        raise InputError("there is no such interpreter", place=python, hint="`tfsetup detect` lists the Pythons of this machine")
    if entry.kind == "directory":
        raise InputError("it is a folder, not an interpreter", place=python, hint="name the folder with --env")
    if env:
        return Subject(env=files.real(reader, env), python=python, how=how)
    folder = files.real(reader, posixpath.dirname(python))
    for root in (posixpath.dirname(folder), folder):
        if any(files.there(reader, posixpath.join(root, sign)) for sign in (CONFIG, CONDA)):
            return Subject(env=root, python=posixpath.join(folder, posixpath.basename(python)), how=how)
    return Subject(env="", python=python, how=how)
