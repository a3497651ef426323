"""Reading an environment: what kind it is, its Python, its distributions and what rivals left behind."""

from __future__ import annotations

import hashlib
import posixpath
import shlex
from dataclasses import replace

from provisioner.base.names import OWN_FOLDERS
from provisioner.environment.active import those_in, where_it_lies
from provisioner.environment.config import config_version, parse_config
from provisioner.environment.distributions import Installed, leftovers, read_distributions
from provisioner.environment.layout import CONDA, CONFIG, layout
from provisioner.environment.workspace import STATE, Workspace
from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.host.files import glob_escape
from provisioner.model.plan import EnvState
from provisioner.model.record import record


@record
class Site:
    """An environment and what is installed in it.

    ``leftovers`` are relative paths that a broken uninstall left; ``shared`` are those folders of ``OWN_FOLDERS`` that are there.
    ``conda`` are the conda packages of a conda environment, as ``name-version-build``.
    """

    state: EnvState
    distributions: tuple[Installed, ...]
    leftovers: tuple[str, ...]
    shared: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()

    def named(self, name: str) -> Installed | None:
        """The distribution of that normalised name."""
        return next((item for item in self.distributions if item.name == name), None)


def read_site(reader: Reader, path: str) -> Site:
    """Read what is at ``path`` (absolute).

    Raises ``InputError`` when it is a file, a folder with something else in it, an environment whose Python is gone, or the place of a
    system's Python.
    """
    root = reader.real(path)
    if not reader.exists(root):
        return Site(state=EnvState(path=root, kind="absent", digest="absent"), distributions=(), leftovers=())
    entry = reader.entry(root)
    if entry.kind != "directory":
        raise _not_environment(path, "it is a file, not a folder", where_it_lies(reader, path, ""))
    try:
        names = {posixpath.basename(item.path) for item in reader.list(root)}
    except PermissionError:
        raise _not_environment(path, "it cannot be read by this user") from None
    if not names or (names == {STATE} and not _is_used(reader, root)):
        return Site(state=EnvState(path=root, kind="empty", digest="empty"), distributions=(), leftovers=())
    if CONDA in names:
        return read_conda_site(reader, root)
    if CONFIG not in names:
        raise _not_environment(path, *_what_else(reader, root, names))
    return _read_venv(reader, root)


def _is_used(reader: Reader, root: str) -> bool:
    """True where the tool's own folder holds something that was begun, or kept; what else a run that was killed has left there means nothing."""
    workspace = Workspace(root=root)
    told = (workspace.journal, workspace.receipt, workspace.stage, workspace.returned, posixpath.dirname(workspace.replaced(0)))
    return any(map(reader.exists, told)) or bool(reader.glob(posixpath.join(glob_escape(workspace.history), "*", "record.json")))


def _what_else(reader: Reader, root: str, names: set[str]) -> tuple[str, str]:
    """Say what the folder is, and what to do where that is no matter of choosing another."""
    from provisioner.environment.installation import is_installation, is_virtual  # noqa: PLC0415 - only of what is refused

    if is_virtual(reader, root):
        return "its pyvenv.cfg, which makes it an environment, is not there", f"`tfsetup fix --env {shlex.quote(root)}` mends it"
    if is_installation(reader, root) or any(reader.exists(posixpath.join(root, path)) for path in layout(reader.platform).pythons):
        return "it is the place of a Python installation, not a virtual environment; such a Python is never changed", ""
    if names == {STATE}:
        return "it holds only what an interrupted run of tfsetup left", f"`tfsetup undo --env {shlex.quote(root)}` takes it away"
    within = those_in(reader, root, "in it")
    return (
        "it is a folder with other files in it, not a virtual environment",
        where_it_lies(reader, root, within and f"{within}choose that, or another folder"),
    )


def _not_environment(path: str, why: str, hint: str = "") -> InputError:
    return InputError(why, place=path, hint=hint or "choose another folder with --env")


def _read_venv(reader: Reader, root: str) -> Site:
    shape = layout(reader.platform)
    try:
        config = parse_config(reader.read_text(posixpath.join(root, CONFIG)))
    except OSError as error:
        raise _not_environment(root, f"its pyvenv.cfg cannot be read: {error.strerror}") from None
    python = posixpath.join(root, shape.python)
    version = config_version(config)
    site_packages = posixpath.join(root, shape.site_packages(version))
    if site_packages not in reader.glob(posixpath.join(glob_escape(root), shape.packages)):
        hint = "remove it, or choose another folder with --env"
        raise _not_environment(root, "its pyvenv.cfg names no Python whose site-packages folder is there", hint)
    if reader.real(site_packages) != site_packages:
        raise _not_environment(root, f"its packages are elsewhere ({reader.real(site_packages)}), and nothing outside is ever changed")
    if not reader.exists(reader.real(python)):
        raise _not_environment(root, f"its Python is gone ({reader.real(python)})", "remove it, or choose another folder with --env")
    return site_of(reader, root, python=python, version=version, site_packages=site_packages)


def read_conda_site(reader: Reader, root: str) -> Site:
    """Read the conda environment at ``root`` (absolute): what conda put there by the names of its records, and the Python distributions.

    An environment without Python is one all the same. Source: the files of ``conda-meta`` are called ``name-version-build.json`` (CEP 36).
    """
    identities = conda_identities(reader, root)
    versions = [item.rsplit("-", 2)[1] for item in identities if item.rsplit("-", 2)[0] == "python"]
    # Recorded twice, it is the one of which packages are there.
    shape = layout(reader.platform)
    there = [item for item in versions if reader.exists(posixpath.join(root, shape.site_packages(item)))]
    version = next(iter((*there, *versions)), "")
    folder = posixpath.join(root, shape.site_packages(version))
    digest = hashlib.sha256("\n".join(identities).encode("utf-8", "surrogateescape")).hexdigest()
    if not version or not reader.exists(folder):
        state = EnvState(path=root, kind="conda", digest=digest, python_version=version, managed=_is_managed(reader, root))
        return Site(state=state, distributions=(), leftovers=(), conda=identities)
    found = site_of(reader, root, python=posixpath.join(root, shape.conda_python), version=version, site_packages=folder)
    whole = hashlib.sha256(f"{digest}\n{found.state.digest}".encode()).hexdigest()
    return replace(found, state=replace(found.state, kind="conda", digest=whole), conda=identities)


def conda_identities(reader: Reader, root: str) -> tuple[str, ...]:
    """Return the conda packages of an environment as ``name-version-build``, sorted."""
    names = [posixpath.basename(entry.path) for entry in reader.list(posixpath.join(root, CONDA))]
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json") and name.count("-") > 1))


def _is_managed(reader: Reader, root: str) -> bool:
    return reader.exists(posixpath.join(root, STATE, "receipt.json"))


def site_of(reader: Reader, root: str, *, python: str, version: str, site_packages: str) -> Site:
    """Return what is installed in the folder ``site_packages`` (absolute) of the environment at ``root``."""
    distributions = read_distributions(reader, root, site_packages)
    return Site(
        state=EnvState(
            path=root,
            kind="venv",
            digest=_digest(distributions),
            python=python,
            python_version=version,
            site_packages=posixpath.relpath(site_packages, root),
            managed=_is_managed(reader, root),
        ),
        distributions=distributions,
        leftovers=leftovers(reader, root, site_packages),
        shared=tuple(
            posixpath.relpath(path, root) for path in (posixpath.join(site_packages, name) for name in OWN_FOLDERS) if reader.exists(path)
        ),
    )


def _digest(distributions: tuple[Installed, ...]) -> str:
    lines = "\n".join(f"{item.name}=={item.version}" for item in distributions)
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def site_or_nothing(reader: Reader, root: str) -> Site:
    """Read the environment at ``root``; where it is none that can be changed, an empty one: it can be verified, and a change of it undone."""
    try:
        return read_site(reader, root)
    except InputError:
        # Not a virtual environment (conda's, the system's), or a broken one.
        return Site(state=EnvState(path=root, kind="absent", digest=""), distributions=(), leftovers=())
