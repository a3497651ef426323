"""Which secrets may go to which host: this person's own configuration, and the one place where a variable in an address is put in.

An address out of a file (tfsetup.yaml, a plan, a lock) may name variables as user, password, or token of a channel. Put in are only those that
are there for nothing else, ``TFSETUP_INDEX_<NAME>_USERNAME`` and ``_PASSWORD`` (uv's documentation, "Package indexes": ``UV_INDEX_<NAME>_USERNAME``,
the name in capitals with ``_`` for what is no letter or digit), and those that the person allowed for that host in ``tfsetup/config.yaml``::

    credentials:
      packages.example.com: [TEAM_USER, TEAM_TOKEN]   # https; `host:port`, or `http://host`, where that is meant
    hosts: [mirror.example.com]                       # may be asked when a file names them, without a question
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from provisioner.base.paths import joined
from provisioner.errors import InputError, UsageError
from provisioner.host import Reader, files, user_folders
from provisioner.model.record import record

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_OWN = r"TFSETUP_INDEX_([A-Z0-9_]+)_(?:USERNAME|PASSWORD)"
# What every reader of addresses takes for the same host: no second @, no backslash (a slash to browsers' rules and uv), nothing encoded.
_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+]*)://(?:(?P<login>[^/?#@\\\s]*)@)?(?P<host>(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])?(?::\d{1,5})?)(?P<path>[/?#]\S*)?"
)
_TOKEN = re.compile(r"/t/\$\{[A-Za-z_][A-Za-z0-9_]*\}(?=/|$)")
_LOOPBACK = r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?"
_HOST = r"(?:http://)?(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?"
LIMIT_BYTES = 1 << 16


@record
class Allowed:
    """What this person's own ``file`` says: ``hosts`` that may be asked, ``credentials`` (host -> names of variables) that may be sent there."""

    file: str
    hosts: frozenset[str] = frozenset()
    credentials: Mapping[str, frozenset[str]] = field(default_factory=dict)


def config_file(reader: Reader) -> str:
    """Return where this person's own configuration stands: TFSETUP_CONFIG, else ``tfsetup/config.yaml`` in XDG_CONFIG_HOME or ``~/.config``."""
    given = reader.env.get("TFSETUP_CONFIG", "")
    if given:
        return joined(reader.cwd, given)
    return posixpath.join(user_folders.config(reader), "tfsetup", "config.yaml")


def read_allowed(reader: Reader) -> Allowed:
    """Read it; nothing is allowed where there is none. Raises ``InputError`` with every fault, and for one that somebody else could have written."""
    path = config_file(reader)
    if not files.there(reader, path):
        return Allowed(file=path)
    entry = files.entry(reader, files.real(reader, path))
    if entry is None or entry.kind != "file":
        raise InputError("is not a file", place=path)
    if files.is_foreign(reader, entry) or files.anybody_writes(reader, entry):
        hint = f"look at it with `ls -l {path}`, or name your own with TFSETUP_CONFIG"
        raise InputError("belongs to another user, or others may write it, so it allows nothing", place=path, hint=hint)
    found = files.read(reader, path, LIMIT_BYTES + 1)
    if found.text is None or len(found.text) > LIMIT_BYTES:
        raise InputError("cannot be read, or is larger than 64 KiB", place=path)
    faults: list[str] = []
    allowed = _allowed(_parse(found.text, path), path, faults)
    if faults:
        raise InputError("holds faults", place=path, faults=tuple(faults))
    return allowed


def _parse(text: str, path: str) -> Any:
    import yaml  # noqa: PLC0415 - 20 ms that only those pay who have the file

    try:
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - the base loader makes texts, lists and mappings alone
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError("not valid YAML", place=path, faults=(" ".join(str(error).split())[:200],)) from None


def _allowed(data: Any, path: str, faults: list[str]) -> Allowed:
    data = {} if data in (None, "") else data
    if not isinstance(data, dict):
        faults.append("expected `credentials` and `hosts`")
        return Allowed(file=path)
    faults += [f"{name}: is not known; there are `credentials` and `hosts`" for name in data if name not in {"credentials", "hosts"}]
    hosts, credentials = data.get("hosts") or [], data.get("credentials") or {}
    if not isinstance(hosts, list) or not all(_is_host(item) for item in hosts):
        faults.append("hosts: expected a list such as [packages.example.com]")
        hosts = []
    if not isinstance(credentials, dict) or not all(_is_host(name) and _are_names(value) for name, value in credentials.items()):
        faults.append("credentials: expected names of variables for each host, such as `packages.example.com: [TEAM_USER, TEAM_TOKEN]`")
        credentials = {}
    return Allowed(
        file=path,
        hosts=frozenset(item.lower() for item in hosts),
        credentials={name.lower(): frozenset(names) for name, names in credentials.items()},
    )


def _is_host(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch(_HOST, text.lower()) is not None


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) and VARIABLE.fullmatch(f"${{{name}}}") for name in value)


def host_of(url: str) -> str:
    """Return the host of an address as the configuration names it: ``host``, ``host:port``, and ``http://host`` where nothing is encrypted.

    An address on this machine counts as encrypted. Empty where the address names no host, or is one that programs could read in several ways.
    """
    parts = _ADDRESS.fullmatch(url)
    if parts is None:
        return ""
    host = parts["host"].lower()
    plain_http = parts["scheme"] == "http" and not re.fullmatch(_LOOPBACK, host)
    return f"http://{host}" if plain_http and host else host


def variables_of(url: str) -> tuple[str, ...]:
    """Return the names of the variables in an address, each once."""
    return tuple(dict.fromkeys(VARIABLE.findall(url)))


def check_address(url: str, reader: Reader, *, place: str, name: str = "") -> None:
    """Raise ``UsageError`` (code 2) where an address holds a variable that may not go there; ``place`` says where the address stands.

    ``name`` is the index's own, whose variables alone it may have.
    """
    wanted = variables_of(url)
    if not wanted:
        return
    parts = _ADDRESS.fullmatch(url)
    rest = _TOKEN.sub("", parts["path"] or "", count=1) if parts else url
    if parts is None or not parts["host"] or "${" in rest:
        hint = "write it as https://${USER}:${PASSWORD}@host/path, or https://host/t/${TOKEN}/channel"
        raise UsageError("a variable may only stand for user, password, or token of an address", place=place, hint=hint)
    allowed = read_allowed(reader)
    host = host_of(url)
    for variable in wanted:
        own = re.fullmatch(_OWN, variable)
        if variable not in allowed.credentials.get(host, frozenset()) and (own is None or (name and own[1] != _upper(name))):
            raise _refusal(variable, host, allowed.file, place, name)


def _upper(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def _refusal(variable: str, host: str, file: str, place: str, name: str) -> UsageError:
    own = f"TFSETUP_INDEX_{_upper(name)}_PASSWORD" if name else "TFSETUP_INDEX_<NAME>_USERNAME and TFSETUP_INDEX_<NAME>_PASSWORD"
    hint = f'if it is meant for {host}, write `credentials: {{"{host}": [{variable}]}}` into {file}, or use {own} in its place'
    return UsageError(f"the variable {variable} is not sent to {host}: nobody here has allowed it for that host", place=place, hint=hint)


def expand(url: str, reader: Reader, *, place: str = "", name: str = "") -> str:
    """Put the variables in that the address of an index or a channel names; raises ``UsageError`` as ``check_address``, or for one that is not set.

    Values are encoded as far as that is needed to keep them where they stand.
    """
    from provisioner.engines.resolving import plain  # noqa: PLC0415 - it needs this module, too

    place = place or plain(url)
    check_address(url, reader, place=place, name=name)
    return fill_in(url, reader.env, place=place)


def fill_in(url: str, env: Mapping[str, str], *, place: str) -> str:
    """Put any variables in: for addresses that this person wrote on the command line or into a variable."""

    def value(match: re.Match[str]) -> str:
        from urllib.parse import quote  # noqa: PLC0415 - few have variables

        if not env.get(match[1]):
            raise UsageError(f"the variable {match[1]} is not set", place=place, hint="the address names it; set it and try again")
        return quote(env[match[1]], safe="%!$&'()*+,;=-._~")

    return VARIABLE.sub(value, url)
