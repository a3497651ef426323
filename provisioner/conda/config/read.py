"""The configuration of conda and mamba: where its files are, and what they and the variables say together.

Where they are looked for, the later counting more: conda's documentation, "Searching for .condarc" (``SEARCH_PATH`` in conda's
base/constants.py), and mamba's, "Multiple rc files" (``compute_default_rc_sources`` in libmamba's api/configuration.cpp). A file that
both read counts once, where it counts least. Variables count more than files: ``CONDA_<KEY>``, and those of mamba that have one value.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from provisioner.base.paths import is_absolute
from provisioner.conda.config import values as condarc_values
from provisioner.conda.config.merge import merge, origins
from provisioner.conda.config.parse import ALIASES, SHAPES, Setting, parse_condarc
from provisioner.errors import InputError
from provisioner.facts import conda
from provisioner.host import Reader, files, user_folders
from provisioner.model.conda import CondaConfig
from provisioner.model.facts import Tool

# pixi has a configuration of its own and reads no condarc.
TOOLS = ("conda", "mamba", "micromamba")
LIMIT = 1 << 18
# Faults that are listed; more of them say nothing more.
MOST = 50
_SYSTEM = ("/etc/conda", "/var/lib/conda")
_CONDA = (".condarc", "condarc", "condarc.d")
_MAMBA = (".mambarc", "mambarc", "mambarc.d")
_NAMED = (".condarc", "condarc", ".mambarc", "mambarc")
_ENDINGS = (".yml", ".yaml")
_MAMBA_VARIABLES = ("channel_alias", "default_channels", "channel_priority", "ssl_verify", "offline")


def read_config(reader: Reader, tools: Sequence[Tool], target: str = "") -> CondaConfig:
    """Read what conda and mamba are configured with; an empty configuration where neither a tool nor a file is there.

    ``tools`` are those of ``facts.conda.probe``. ``target`` is the environment that will be made or changed: conda reads the file inside it in
    place of the active environment's. Raises ``InputError`` with every fault of every file and variable at once.
    """
    used = [tool for tool in tools if tool.name in TOOLS]
    root = root_prefix(reader, used)
    read: list[str] = []
    faults: list[str] = []
    settings: list[Setting] = []
    for path in _files(reader, search_path(reader, root, target), faults):
        read.append(path)
        found, wrong = _read_file(reader, path)
        settings += found
        faults += [f"{path}: {fault}" for fault in wrong]
    if not used and not read and not faults:
        return CondaConfig()
    settings += _variables(reader, faults)
    values = condarc_values.Values(reader)
    checked = [setting for setting in settings if values.check(setting, faults)]
    if faults:
        raise _error(faults)
    return values.config(merge(checked), root=root, origins=origins(checked), read=tuple(read))


def configured_addresses(reader: Reader) -> tuple[str, ...]:
    """Return the addresses of channels that this person's own configuration of conda names; raises ``InputError`` as ``read_config``."""
    config = read_config(reader, conda.probe(reader, full=False).value or ())
    mirrors = (url for urls in config.mirrors.values() for url in urls)
    multi = (url for urls in config.custom_multichannels.values() for url in urls)
    named = (*config.channels, *config.default_channels, config.channel_alias, *config.custom_channels.values(), *multi, *mirrors)
    return tuple(url for url in named if "://" in url)


def _error(faults: Sequence[str]) -> InputError:
    sources = {fault.split(": ", 1)[0] for fault in faults}
    place = sources.pop() if len(sources) == 1 else "the configuration of conda"
    more = (f"and {len(faults) - MOST} more",) if len(faults) > MOST else ()
    message = f"cannot be read: {len(faults)} fault{'s' * (len(faults) != 1)}"
    return InputError(message, place=place, faults=(*faults[:MOST], *more))


def root_prefix(reader: Reader, tools: Sequence[Tool]) -> str:
    """Return the folder of conda's own installation (``base``): conda's, else the one that mamba uses; empty where no tool is there.

    conda and mamba lie in it; micromamba lies anywhere and has $MAMBA_ROOT_PREFIX, ``~/micromamba``, or (mamba 2.0's documentation)
    ``~/.local/share/mamba``.
    """
    for name in ("conda", "mamba"):
        for tool in tools:
            folder = files.real(reader, tool.path).rsplit("/", 2)[0]
            if tool.name == name and files.there(reader, f"{folder}/conda-meta"):
                return folder
    if not any(tool.name in {"mamba", "micromamba"} for tool in tools):
        return next(iter(conda.roots(reader)), "") if tools else ""
    named = reader.env.get("MAMBA_ROOT_PREFIX", "")
    if is_absolute(named):
        return posixpath.normpath(named)
    home = user_folders.home(reader)
    if not home:
        return ""
    old = f"{home}/micromamba"
    return old if files.there(reader, old) else posixpath.join(user_folders.data(reader), "mamba")


def search_path(reader: Reader, root: str, target: str = "") -> tuple[str, ...]:
    """Return the files and folders that may hold configuration, the later counting more."""
    home, config = user_folders.home(reader), reader.env.get("XDG_CONFIG_HOME", "")
    prefix = target or reader.env.get("CONDA_PREFIX", "")
    conda_folders = [f"{config}/conda" if config else "", *([f"{home}/.config/conda", f"{home}/.conda"] if home else [])]
    mamba_folders = [f"{config}/mamba" if config else "", *([f"{home}/.config/mamba", f"{home}/.mamba"] if home else [])]
    paths = [f"{folder}/{name}" for folder in (*_SYSTEM, root) if folder for name in (*_CONDA, ".mambarc")]
    paths += [f"{folder}/{name}" for folder in conda_folders if folder for name in _CONDA]
    paths += [f"{home}/.condarc"] if home else []
    paths += [f"{folder}/{name}" for folder in mamba_folders if folder for name in _MAMBA]
    paths += [f"{home}/.mambarc"] if home else []
    paths += [f"{prefix}/{name}" for name in (*_CONDA, ".mambarc")] if prefix else []
    named = [condarc_values.absolute(reader, path) for name in ("CONDARC", "MAMBARC") if (path := reader.env.get(name, ""))]
    return tuple(dict.fromkeys([*paths, *named]))


def _files(reader: Reader, paths: Sequence[str], faults: list[str]) -> Iterator[str]:
    """Yield the files that are there: each path, or what is in it where it is a folder; a file that is named must be called like one."""
    for path in paths:
        found = files.entry(reader, files.real(reader, path))
        if found is not None and found.kind == "directory":
            try:
                inside = sorted(entry.path for entry in reader.list(found.path) if entry.path.endswith(_ENDINGS))
            except files.FAULTS as error:
                faults.append(f"{path}: cannot be read: {files.reason(error)}")
                continue
            yield from inside
        elif found is not None:
            name = posixpath.basename(path)
            if name in _NAMED or name.endswith(_ENDINGS):
                yield path
            else:
                faults.append(f"{path}: expected a name as .condarc, condarc or *.yaml")


def _read_file(reader: Reader, path: str) -> tuple[tuple[Setting, ...], tuple[str, ...]]:
    found = files.read(reader, path, LIMIT + 1)
    if found.text is None:
        return (), (found.why.removeprefix(f"{path} "),)
    if len(found.text) > LIMIT:
        return (), (f"document: expected at most {LIMIT >> 10} kB",)
    return parse_condarc(found.text, path)


def _variables(reader: Reader, faults: list[str]) -> Iterator[Setting]:
    """Yield what variables set: one value, or a list parted by commas (environments' folders by colons, as PATH)."""
    names = {key: [f"CONDA_{key.upper()}"] for key, shape in SHAPES.items() if shape in {"text", "list"}}
    for alias, key in ALIASES.items():
        names[key].append(f"CONDA_{alias.upper()}")
    for key in _MAMBA_VARIABLES:
        names[key].append(f"MAMBA_{key.upper()}")
    for key, variables in names.items():
        given = [name for name in variables if reader.env.get(name, "").strip()]
        # conda's variable counts more than mamba's; two of conda's own that differ are an error to it, too (``MultipleKeysError``).
        clash = [name for name in given if name.startswith("CONDA_")]
        if len({reader.env[name] for name in clash}) > 1:
            faults.append(f"${clash[0]}: expected the same as in ${clash[1]}, or only one of them")
        for name in given[:1]:
            text = reader.env[name]
            if SHAPES[key] == "list":
                parts = text.split(":" if key == "envs_dirs" else ",")
                yield Setting(key=key, source=f"${name}", value=tuple((part.strip(), "") for part in parts if part.strip()))
            else:
                # conda's own word for #!final in a variable.
                value, important, _ = text.partition("!important")
                yield Setting(key=key, source=f"${name}", value=value.strip(), flag="final" if important else "")
