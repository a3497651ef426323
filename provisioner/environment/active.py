"""Which environment is meant, decided here for every command: what a person names, the active one, what tfsetup.yaml names, ./tf-env.

The environment that tfsetup itself runs in is never meant, and never changed; neither is conda's own, which a shell may have active all the time.
"""

from __future__ import annotations

import posixpath
import shlex

from provisioner.base import paths
from provisioner.base.paths import joined
from provisioner.environment.config import parse_config
from provisioner.environment.layout import CONDA, CONFIG, SHAPES, layout
from provisioner.environment.workspace import owner_of
from provisioner.errors import InputError
from provisioner.host import Reader, files, user_folders
from provisioner.model.record import record

ACTIVE = "the active environment"
# Of environments beside one that is not there, so many are named.
_NAMED = 3


@record
class Subject:
    """What is examined: ``env`` is "" for an interpreter without an environment of its own; ``how`` says in words why it was taken."""

    env: str
    python: str
    how: str


def meant(reader: Reader, env: str, origin: str) -> tuple[str, str]:
    """Return the environment that is meant (absolute where it is the active one), and what says so.

    ``env`` is what an option, a variable, a file or the default (``./tf-env``) says, ``origin`` which of them (as in ``Request.origins``). The
    active one comes after what a person says in this call, and before what a file or nobody says.
    """
    if origin != "default" and not origin.startswith("file"):
        return env, origin
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        folder = reader.env.get(variable, "")
        root = joined(reader.cwd, folder) if folder else ""
        if root and files.there(reader, root) and not is_own(reader, root) and not _is_base(reader, root):
            return root, f"{ACTIVE} ({variable})"
    return env, origin


def nothing_there(reader: Reader, env: str, origin: str) -> bool:
    """True where nobody named an environment, none is active, and the default is not there: an interpreter on PATH is looked at instead."""
    return origin == "default" and not files.there(reader, env)


def words(origin: str) -> str:
    """Say what names an environment, for a person."""
    if origin == "default":
        return "no other is named or active"
    return {"option": "--env"}.get(origin, origin.removeprefix("variable ").removeprefix("file "))


def own(reader: Reader) -> str:
    """Return the environment that tfsetup runs in, "" where it runs in none."""
    programs = posixpath.dirname(reader.python)
    # Conda's own Python lies in the environment itself on Windows.
    roots = (posixpath.dirname(programs), *([programs] if reader.platform == "win32" else []))
    return next((root for root in roots if _has_sign(reader, root)), "")


def is_own(reader: Reader, root: str) -> bool:
    """True for the environment that tfsetup runs in."""
    mine = own(reader)
    return bool(mine) and files.real(reader, mine) == files.real(reader, root)


def refuse_own(reader: Reader, root: str) -> None:
    """Raise ``InputError`` for the environment that tfsetup runs in, which no command changes."""
    if is_own(reader, root):
        hint = "choose another folder with --env; tfsetup needs its own packages as they are"
        raise InputError("it is the environment that tfsetup itself runs in, which is never changed", place=root, hint=hint)


def never_changed(reader: Reader, root: str) -> str:
    """Say why no command changes the environment at ``root``, "" where that may be; there may be none ("", an interpreter by itself)."""
    from provisioner.environment.installation import is_installation  # noqa: PLC0415 - a plan asks nothing of it

    if not root or is_installation(reader, root):
        return "a Python installation itself is never changed"
    if is_own(reader, root):
        return "tfsetup itself runs in it"
    if not files.there(reader, posixpath.join(root, CONDA)):
        return ""
    from provisioner.environment.conda_records import protection  # noqa: PLC0415 - only for conda's

    return protection(reader, root)


def _is_base(reader: Reader, root: str) -> bool:
    if not files.there(reader, posixpath.join(root, CONDA)):
        return False
    from provisioner.environment.conda_records import is_base  # noqa: PLC0415 - only for conda's

    return is_base(reader, root)


def choose(reader: Reader, *, env: str = "", python: str = "") -> Subject:
    """Return the subject: ``env`` or ``python`` as a person named them (absolute), else the one that is meant.

    Where none is there, it is the first ``python3`` or ``python`` on PATH that is not tfsetup's own. Raises ``InputError`` when what was named is not
    there or is no environment, or when there is nothing to take.
    """
    if python:
        return _of_python(reader, env, python)
    if env:
        return _of_folder(reader, env, "as asked for with --env")
    place, origin = meant(reader, joined(reader.cwd, "tf-env"), "default")
    if files.there(reader, place):
        how = "tf-env in the working directory" if origin == "default" else origin.replace(ACTIVE, "the active one")
        return _of_folder(reader, place, how)
    for name in ("python3", "python"):
        found = _on_path(reader, name)
        if found:
            return _of_python(reader, "", found, how=f"no environment is active; the first {name} on PATH")
    hint = f"{those_in(reader, reader.cwd, 'here')}name one with --env, or make one with `tfsetup apply`"
    raise InputError("no environment is named or active, and there is no Python on PATH", hint=hint)


def _on_path(reader: Reader, name: str) -> str:
    """Return the first program of that name on PATH that is not in tfsetup's own environment."""
    found = reader.which(name)
    if found is None or not is_own(reader, posixpath.dirname(posixpath.dirname(found))):
        return found or ""
    # By its name alone: one of the environment's has an ending on Windows, where PATH has both.
    name = posixpath.basename(found)
    places = (posixpath.join(folder, name) for folder in user_folders.search_path(reader) if not is_own(reader, posixpath.dirname(folder)))
    return next((path for path in places if files.there(reader, path)), "")


def is_environment(reader: Reader, folder: str) -> bool:
    """True for a folder that is, or was, a virtual or conda environment: what is left of a broken one counts."""
    if _is_of_programs(reader, folder):
        return False
    signs = (CONFIG, CONDA, *_pythons(reader))
    if any(files.there(reader, posixpath.join(folder, sign)) for sign in signs):
        return True
    return bool(site_folders(reader, folder))


def around(reader: Reader, path: str) -> str:
    """Return the environment that a file or a folder (absolute) lies in, "" where it lies in none."""
    return next((folder for folder in paths.above(path) if _has_sign(reader, folder)), "")


def where_it_lies(reader: Reader, path: str, otherwise: str) -> str:
    """Say what to do about a file or a folder that was named in place of the environment that it lies in; ``otherwise`` where it lies in none."""
    inside = around(reader, path)
    return f"it lies in the environment {inside}: name that with --env" if inside else otherwise


def _has_sign(reader: Reader, folder: str) -> bool:
    return any(files.there(reader, posixpath.join(folder, sign)) for sign in (CONFIG, CONDA))


def _is_of_programs(reader: Reader, folder: str) -> bool:
    """True for the folder of an environment's programs, which on Windows looks like one of conda's: its Python lies in it."""
    named = posixpath.basename(folder).lower() in {shape.scripts.lower() for shape in SHAPES}
    return named and not _has_sign(reader, folder) and _has_sign(reader, posixpath.dirname(folder))


def _pythons(reader: Reader) -> tuple[str, ...]:
    """The interpreters that an environment may have, those of this system first; one may be seen from another system."""
    shapes = (layout(reader.platform), *SHAPES)
    return tuple(dict.fromkeys(path for shape in shapes for path in (*shape.pythons, shape.conda_python)))


def those_here(reader: Reader, folder: str) -> tuple[str, ...]:
    """Return the environments right below a folder (absolute), whatever their names: ``.venv``, ``env``; none where it cannot be read."""
    try:
        entries = [entry for entry in reader.list(folder) if entry.kind == "directory"]
    except OSError:
        return ()
    return tuple(entry.path for entry in entries if _has_sign(reader, entry.path))


def interpreter_of(reader: Reader, root: str) -> str:
    """Return the interpreter of the environment at ``root``; where there is none, the place where it is to be (conda has another than venv)."""
    shape = layout(reader.platform)
    usual = posixpath.join(root, shape.conda_python if files.there(reader, posixpath.join(root, CONDA)) else shape.python)
    places = (usual, *(posixpath.join(root, name) for name in _pythons(reader)))
    return next((path for path in places if files.there(reader, path)), usual)


def site_folders(reader: Reader, folder: str) -> tuple[str, ...]:
    """The site-packages folders below an environment's root, of Unix and of Windows layout; links followed, each once."""
    from provisioner.environment.distributions import sites  # noqa: PLC0415 - not needed to choose

    return tuple(path for path in sites(reader, folder) if files.there(reader, path))


def config(reader: Reader, env: str) -> dict[str, str]:
    """The keys of ``pyvenv.cfg``; none when it is not there or is no text."""
    text = files.read(reader, posixpath.join(env, CONFIG)).text if env else None
    return parse_config(text) if text else {}


def existing(reader: Reader, folder: str, hint: str = "") -> str:
    """Return where the environment at ``folder`` (absolute) is, links followed.

    Raises ``InputError`` (``hint`` says what to do) where there is nothing, a file, or a folder that neither is nor was an environment.
    """
    root = files.real(reader, folder)
    entry = files.entry(reader, root)
    if entry is None:
        there = hint or f"make it with `tfsetup apply --env {shlex.quote(folder)}`, or name another with --env"
        raise InputError("there is no environment", place=folder, hint=f"{those_in(reader, posixpath.dirname(root), 'beside it')}{there}")
    if entry.kind != "directory":
        named = where_it_lies(reader, folder, "name the folder of the environment with --env")
        raise InputError("it is a file, not an environment", place=folder, hint=named)
    if not is_environment(reader, root):
        if _is_of_programs(reader, root):
            raise InputError("it is the folder of an environment's programs", place=folder, hint=where_it_lies(reader, folder, ""))
        within = those_in(reader, root, "in it")
        named = where_it_lies(reader, folder, f"{within}{hint or 'make one with `tfsetup apply`, or name another with --env'}")
        raise InputError("it is no environment: no pyvenv.cfg, no conda-meta, no Python and no packages in it", place=folder, hint=named)
    return root


def those_in(reader: Reader, folder: str, where: str) -> str:
    """Name the environments right below a folder (absolute), for who has named another place; ``where`` is "in it" or "beside it"."""
    near = [path for path in those_here(reader, folder) if owner_of(path) == path and not is_own(reader, path)]
    if not near:
        return ""
    names = " and ".join(posixpath.basename(path) for path in near[:_NAMED])
    return f"{where} there {'is' if len(near) == 1 else 'are'} {names}{' and more' if len(near) > _NAMED else ''} (--env); "


def _of_folder(reader: Reader, folder: str, how: str) -> Subject:
    from provisioner.environment.installation import is_installation  # noqa: PLC0415 - a plan asks nothing of it

    root = existing(reader, folder)
    python = interpreter_of(reader, root)
    if is_installation(reader, root):
        return Subject(env="", python=python, how=f"of the Python installation at {folder}, {how}")
    return Subject(env=root, python=python, how=how)


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
        if _has_sign(reader, root):
            return Subject(env=root, python=posixpath.join(folder, posixpath.basename(python)), how=how)
    return Subject(env="", python=python, how=how)
