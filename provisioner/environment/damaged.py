"""Reading an environment that is broken, and finding in it what a restored distribution replaces, with or without a record."""

from __future__ import annotations

import posixpath

from provisioner.base.numbers import whole
from provisioner.environment.active import existing
from provisioner.environment.conda_records import protection
from provisioner.environment.config import config_version, parse_config
from provisioner.environment.distributions import compiled_for, read_distributions, tagged
from provisioner.environment.installation import is_managed, is_virtual
from provisioner.environment.layout import CONDA, CONFIG, layout, version_of
from provisioner.environment.owners import read_owners
from provisioner.environment.read import Site, read_conda_site, site_of
from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.host.files import glob_escape
from provisioner.model.plan import EnvState


def read_broken(reader: Reader, path: str) -> Site:
    """Read an environment whose Python or ``pyvenv.cfg`` may be gone or wrong; what cannot be told is empty.

    Raises ``InputError`` where there is no environment to mend: nothing, a conda environment that must not be changed, a Python installation
    (the system's among them), or a folder with other files in it.
    """
    root = existing(reader, path)
    if reader.exists(posixpath.join(root, CONDA)):
        why = protection(reader, root)
        if why:
            hint = "make one of its own beside it with `tfsetup apply --env ./tf-env`; `tfsetup doctor` says what is wrong in this one"
            raise InputError(f"it is never changed: {why}", place=path, hint=hint)
        return read_conda_site(reader, root)
    folders = [folder for folder in _packages_folders(reader, root) if reader.real(folder) == folder]
    if not is_virtual(reader, root):
        raise InputError("it is not a virtual environment", place=path, hint=what_instead(reader, root))
    version, folder = _version(_config(reader, root), folders)
    if folder and not version:
        # A layout whose one folder tells no version, without its pyvenv.cfg.
        version = compiled_for(tagged(reader, root, read_distributions(reader, root, folder)))
    python = posixpath.join(root, layout(reader.platform).python)
    if not folder:
        state = EnvState(path=root, kind="venv", digest="", python=python, python_version=version)
        return Site(state=state, distributions=(), leftovers=())
    return site_of(reader, root, python=python, version=version, site_packages=folder)


def what_instead(reader: Reader, root: str) -> str:
    """Say what to do about a Python that is never changed; PEP 668's marker tells that others manage it."""
    managed = is_managed(reader, root)
    whose = "this Python is managed by others (PEP 668)" if managed else "a Python installation itself is never changed"
    return f"{whose}: make an environment with `tfsetup apply --env ./tf-env`, and use that"


def _packages_folders(reader: Reader, root: str) -> tuple[str, ...]:
    return reader.glob(posixpath.join(glob_escape(root), layout(reader.platform).packages))


def _config(reader: Reader, root: str) -> dict[str, str]:
    try:
        return parse_config(reader.read_text(posixpath.join(root, CONFIG)))
    except OSError:
        return {}


def _version(config: dict[str, str], folders: list[str]) -> tuple[str, str]:
    """Return the version and the packages' folder: those that agree, else the newest Python of which packages are there."""
    told = config_version(config)
    short = ".".join(told.split(".")[:2])
    by_version = {version_of(folder): folder for folder in folders if not folder.endswith("t/site-packages")}
    if short in by_version:
        return told, by_version[short]
    if "" in by_version:
        # A layout that has one folder, whatever the Python.
        return told, by_version[""]
    newest = max(by_version, key=lambda item: whole(item.split(".")[1]), default="")
    return (newest, by_version[newest]) if newest else (told, "")


def unowned(reader: Reader, site: Site) -> tuple[str, ...]:
    """Return the entries of site-packages that no distribution has recorded: a person's own modules and ``.pth`` files, or what was left behind."""
    root, folder = site.state.path, site.state.site_packages
    if not folder:
        return ()
    owned = read_owners(reader, root, site.distributions).claims
    tops = {path[len(folder) + 1 :].split("/")[0] for path in owned if path.startswith(folder + "/")}
    # Written by the makers of environments themselves.
    tops |= {"__pycache__", "_virtualenv.py", "_virtualenv.pth", "distutils-precedence.pth"}
    return tuple(
        name
        for entry in reader.list(posixpath.join(root, folder))
        if (name := posixpath.basename(entry.path)) not in tops
        and not name.startswith("~")
        # Installers make the folders that a wheel holds, empty ones too.
        and not (entry.kind == "directory" and not reader.list(entry.path))
    )
