"""The conda-like tools and the environments they made."""

from __future__ import annotations

import re

from provisioner.base.paths import is_absolute
from provisioner.host import Reader, files, user_folders
from provisioner.model.facts import Fact, Tool, absent, known

NAMES = ("conda", "mamba", "micromamba", "pixi")
VARIABLES = {"conda": ("CONDA_EXE",), "mamba": ("MAMBA_EXE",), "micromamba": ("MAMBA_EXE",), "pixi": ("PIXI_EXE",)}
# Where their installers put them when one just presses Enter; ``~`` is the home folder.
ROOTS = (
    "~/miniconda3",
    "~/anaconda3",
    "~/miniforge3",
    "~/mambaforge",
    "~/micromamba",
    "/opt/conda",
    "/opt/miniconda3",
    "/opt/anaconda3",
    "/opt/miniforge3",
    "/opt/homebrew/Caskroom/miniconda/base",
)
FOLDERS = ("~/.local/bin", "~/bin", "~/.pixi/bin")
SECONDS = 10.0


def parse_version(text: str) -> str:
    """The version that ``--version`` prints: ``conda 23.11.0``, ``mamba 1.5.8`` and more lines, ``1.5.8``, ``pixi 0.39.0``."""
    found = re.search(r"(?<![\w.])(\d+\.\d+(?:\.\d+)*)", text)
    return found[1] if found else ""


def parse_environments(text: str) -> tuple[str, ...]:
    """Read ``~/.conda/environments.txt``: one folder a line."""
    return tuple(row.strip() for row in text.splitlines() if row.strip())


def roots(host: Reader) -> tuple[str, ...]:
    """Folders that hold a conda installation: of $CONDA_EXE and $MAMBA_ROOT_PREFIX, then the usual ones that exist."""
    home = user_folders.home(host)
    named = [path for path in (host.env.get("MAMBA_ROOT_PREFIX", ""),) if is_absolute(path)]
    # A relative path means the working folder, which may be somebody else's repository.
    if is_absolute(host.env.get("CONDA_EXE", "")):
        named.append(host.env["CONDA_EXE"].rsplit("/", 2)[0])
    usual = [root.replace("~", home, 1) for root in ROOTS if home or not root.startswith("~")]
    return tuple(dict.fromkeys(root for root in (*named, *usual) if root and files.there(host, f"{root}/conda-meta")))


def environments(host: Reader) -> tuple[str, ...]:
    """Every environment's folder: the active one, those conda has listed in ``~/.conda/environments.txt``, roots and their ``envs``."""
    listed = parse_environments(files.read(host, f"{user_folders.home(host)}/.conda/environments.txt").text or "")
    found = [host.env.get("CONDA_PREFIX", ""), *listed]
    for root in roots(host):
        found += [root, *(path.rsplit("/", 1)[0] for path in files.matches(host, f"{root}/envs/*/conda-meta"))]
    return tuple(dict.fromkeys(path for path in found if is_absolute(path) and files.there(host, f"{path}/conda-meta")))


def probe(host: Reader, *, full: bool) -> Fact[tuple[Tool, ...]]:
    """Look for each tool: 1. its variable; 2. PATH; 3. the usual folders.

    The version comes from the file that conda keeps of each package it installed; with ``full``, a tool without one is asked.
    """
    found = [Tool(name=name, path=path, version=_version(host, name, path, full=full)) for name in NAMES if (path := _path(host, name))]
    where = "PATH and the usual folders"
    return known(tuple(found), where) if found else absent(where, "neither conda, mamba, micromamba nor pixi was found")


def _path(host: Reader, name: str) -> str:
    for variable in VARIABLES[name]:
        path = host.env.get(variable, "")
        if is_absolute(path) and path.rsplit("/", 1)[-1] == name and files.there(host, path):
            return path
    on_path = host.which(name)
    if on_path:
        return on_path
    home = user_folders.home(host)
    folders = [f"{root}/bin" for root in roots(host)] + [folder.replace("~", home, 1) for folder in FOLDERS if home]
    return next((f"{folder}/{name}" for folder in folders if files.there(host, f"{folder}/{name}")), "")


def _version(host: Reader, name: str, path: str, *, full: bool) -> str:
    """``<root>/conda-meta/conda-23.11.0-py311_0.json`` first; asking the tool starts a Python and takes long."""
    root = files.real(host, path).rsplit("/", 2)[0]
    for record in files.matches(host, f"{root}/conda-meta/{name}-[0-9]*.json"):
        return record.rsplit("/", 1)[-1].removeprefix(f"{name}-").split("-", 1)[0]
    if not full:
        return ""
    try:
        return parse_version(host.run([path, "--version"], timeout=SECONDS).out)
    except files.FAULTS:
        return ""
