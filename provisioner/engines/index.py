"""Where packages come from: the index, certificate and proxy that pip is configured with, said in uv's words."""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
from collections.abc import Mapping

from provisioner.host import Reader, user_folders

# Variables of uv that say where files come from and how the network is reached. All others change what an install means
# (constraints, targets, resolution), so they do not reach it: a lock is installed as it is written.
_KEPT = (
    r"UV_(INDEX.*|DEFAULT_INDEX|FIND_LINKS|CACHE_DIR|LINK_MODE|HTTP_.*|REQUEST_TIMEOUT|CONCURRENT_.*|NATIVE_TLS|SYSTEM_CERTS|INSECURE_HOST"
    r"|KEYRING_PROVIDER|CREDENTIALS_DIR|OFFLINE|CONFIG_FILE|NO_CONFIG)"
)
# Variables of uv that say which Pythons it may fetch, and from where; they matter where it is asked to.
_PYTHONS = r"UV_(PYTHON_(INSTALL_MIRROR|DOWNLOADS_JSON_URL|CACHE_DIR|DOWNLOADS|PREFERENCE)|MANAGED_PYTHON|NO_MANAGED_PYTHON)"
# Variables that would let another environment leak into the installer.
_DROPPED = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP")


def parse_pip_config(text: str) -> dict[str, str]:
    """Return the options of a ``pip.conf`` that apply to installs: ``[install]`` wins over ``[global]``.

    Format: pip's documentation, "Configuration Files" (INI). A file that cannot be parsed gives nothing, as pip itself would stop.
    """
    import configparser  # noqa: PLC0415 - only when something is installed

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    found: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            found.update(parser.items(section))
    return found


def pip_options(reader: Reader) -> dict[str, str]:
    """Read pip's configuration: the system's file, the user's, the one named by PIP_CONFIG_FILE, then PIP_* variables; later ones win."""
    home, config = user_folders.home(reader), user_folders.config(reader)
    # pip's documentation, "Location"; on Windows its files are called otherwise, and end so.
    files = ["/etc/pip.conf", posixpath.join(home, ".pip", "pip.conf"), posixpath.join(config, "pip", "pip.conf")]
    if reader.platform == "darwin":
        files.append(posixpath.join(home, "Library", "Application Support", "pip", "pip.conf"))
    if reader.platform == "win32":
        shared = reader.env.get("PROGRAMDATA") or "C:/ProgramData"
        files = [f"{shared}/pip/pip.ini", posixpath.join(home, "pip", "pip.ini"), posixpath.join(config, "pip", "pip.ini")]
    named = reader.env.get("PIP_CONFIG_FILE", "")
    # pip's documentation, "PIP_CONFIG_FILE": the null device turns all files off.
    files = [] if named == os.devnull else [*files, named]
    options: dict[str, str] = {}
    for path in files:
        if path and reader.exists(path):
            with contextlib.suppress(OSError):
                options.update(parse_pip_config(reader.read_text(path)))
    for name in ("index-url", "cert", "proxy"):
        value = reader.env.get("PIP_" + name.upper().replace("-", "_"), "")
        if value:
            options[name] = value
    return options


def is_built_in(url: str) -> bool:
    """True for the address of the index that installers ask where nobody names one, as pip knows it; its older one has a part more."""
    from pip._internal.models.index import PyPI  # noqa: PLC0415 - only for lists that name indexes

    found = re.fullmatch(r"https?://(?:[^/?#@\s]*@)?([^/?#@\s:]+)(?:/\S*)?", url.strip())
    name, _, ending = PyPI.netloc.partition(".")
    return found is not None and found[1].lower() in {PyPI.netloc, f"{name}.python.{ending}"}


def index_addresses(reader: Reader) -> tuple[str, ...]:
    """Return the addresses of the indexes that this person's own settings for pip and uv name (``UV_INDEX`` may hold ``name=address``)."""
    found: list[str] = []
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL"):
        found += [re.sub(r"^[A-Za-z0-9._-]+=", "", item) for item in reader.env.get(name, "").split()]
    options = pip_options(reader)
    for name in ("index-url", "extra-index-url"):
        found += options.get(name, "").split()
    return (*found, *reader.env.get("PIP_EXTRA_INDEX_URL", "").split())


def installer_environment(reader: Reader, *, pythons: bool = False) -> Mapping[str, str]:
    """Return the environment variables to run uv with; ``pythons`` where it is asked about the Pythons that it can fetch, or to fetch one.

    A package index, certificate or proxy that is set for pip, and not for uv, is handed over in variables (never on the command line,
    where other users could read a password). Only one index is ever used: mixing indexes lets a stranger's package win a name.
    """
    kept = f"{_KEPT}|{_PYTHONS}" if pythons else _KEPT
    env = {
        name: value
        for name, value in reader.env.items()
        if name not in _DROPPED and (not name.startswith("UV_") or re.fullmatch(kept, name))
    }
    options = pip_options(reader)
    if "index-url" in options and not any(name in env for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_CONFIG_FILE")):
        env["UV_DEFAULT_INDEX"] = options["index-url"]
    if "cert" in options:
        env.setdefault("SSL_CERT_FILE", options["cert"])
    if "proxy" in options:
        env.setdefault("HTTPS_PROXY", options["proxy"])
    if not pythons:
        # Interpreters are chosen by the plan; uv must not fetch one by itself.
        env["UV_PYTHON_DOWNLOADS"] = "never"
    env["NO_COLOR"] = "1"
    return env
