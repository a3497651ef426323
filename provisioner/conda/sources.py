"""Where conda packages come from and go to on this machine: channels, caches and the network, by conda's own configuration and the request."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Sequence

from provisioner.base.paths import absolute, is_absolute
from provisioner.base.text import mask
from provisioner.conda.channels import channel_urls, mirror_urls, refused_channels, shown_url
from provisioner.conda.config.read import read_config
from provisioner.engines import rattler
from provisioner.engines.allowed import expand
from provisioner.errors import UsageError
from provisioner.facts import conda as conda_facts
from provisioner.host import Reader
from provisioner.host.files import ground
from provisioner.model.conda import CondaConfig
from provisioner.model.facts import Tool
from provisioner.model.record import record
from provisioner.model.request import Request

# A name as conda writes it (``conda-forge/label/x``), an address, or a folder.
_CHANNEL = r"[\w.-]+(/[\w.-]+)*|[a-z][a-z0-9+]*://[^\s]+|(\.{1,2}|~|/)[^\0\n]*|\.{1,2}"
# The placeholder of conda-build, which programs hold the path in the place of.
LONGEST = 255


@record
class Places:
    """``channels`` hold credentials, ``shown`` are they without; ``cache`` is the folder that packages are kept in; ``tools`` are conda's."""

    channels: rattler.Channels
    shown: tuple[str, ...]
    cache: str
    config: CondaConfig
    tools: tuple[Tool, ...]


def unfit(path: str) -> str:
    """Say why no conda environment can stand at ``path``; empty where one can. Packages have the path written into them when they are linked."""
    if len(path.encode("utf-8", "surrogateescape")) > LONGEST:
        return f"the path is longer than the {LONGEST} bytes that programs of conda packages have room for"
    if re.search(r"['\"\\\r\n]", path):
        return "a conda environment's path can hold no quotes, backslashes and line ends: Python has it in its own files, between quotes"
    return ""


def places(reader: Reader, request: Request, default: Sequence[str]) -> Places:
    """Read them; ``default`` are the profile's channels, for who has configured none.

    Raises ``InputError`` for a configuration that cannot be read, ``UsageError`` for a channel that an administrator has forbidden.
    """
    tools = conda_facts.probe(reader, full=False).value or ()
    config = read_config(reader, tools, request.env)
    asked = tuple(_named(reader, channel, request) for channel in request.channels)
    names = asked or config.channels or tuple(default)
    if not names:
        raise UsageError("no conda channel is configured", place="--channel", hint="name one, such as --channel conda-forge")
    refused = refused_channels(config, names)
    if refused:
        hint = "conda's configuration (allowlist_channels, denylist_channels) says which may be used"
        raise UsageError(f"the channel {shown_url(config, refused[0])} is forbidden on this machine", place="--channel", hint=hint)
    urls = channel_urls(config, names)
    caches = config.pkgs_dirs or (posixpath.join(rattler.cache_folder(reader), "pkgs"),)
    bundle = config.ssl_verify if is_absolute(config.ssl_verify) else ""
    channels = rattler.Channels(
        names=urls,
        priority=config.channel_priority if config.files or config.origins else "strict",
        config=settings(config),
        mirrors=mirror_urls(config),
        caches=caches,
        variables={"SSL_CERT_FILE": bundle} if bundle else {},
    )
    cache = next((path for path in caches if _writable(reader, path)), caches[0])
    return Places(channels=channels, shown=tuple(shown_url(config, url) for url in urls), cache=cache, config=config, tools=tools)


def _named(reader: Reader, channel: str, request: Request) -> str:
    """A channel that is a folder is made absolute; everything else is a name or an address, which may name variables (``engines.allowed``).

    Raises ``UsageError`` for what is none of them.
    """
    if re.fullmatch(_CHANNEL, channel) is None:
        hint = "give a name (conda-forge), an address, or a folder (./channel)"
        raise UsageError(f"`{mask(channel)}` is no conda channel", place="--channel", hint=hint)
    if channel.startswith(("./", "../", "~")) or channel in {".", ".."}:
        origin = request.origins.get("channel", "option")
        return absolute(channel, reader, "--channel" if origin == "option" else origin)
    return expand(channel, reader)


def _writable(reader: Reader, path: str) -> bool:
    try:
        path, _ = ground(reader, path)
    except FileNotFoundError:
        return False
    return reader.entry(reader.real(path)).kind == "directory" and reader.writable(path)


def settings(config: CondaConfig) -> str:
    """Return conda's configuration of the network as rattler's own, in TOML (pixi's documentation, "Global configuration"); without mirrors."""
    lines = [f"tls-no-verify = {'true' if config.ssl_verify == 'false' else 'false'}"]
    if config.ssl_verify == "truststore" or is_absolute(config.ssl_verify):
        lines.append('tls-root-certs = "system"')
    # conda knows proxies for single hosts, too; rattler one for each scheme.
    proxies = {scheme: url for scheme, url in config.proxies.items() if scheme in {"http", "https"}}
    if proxies:
        lines += ["[proxy-config]", *(f"{scheme} = {_quoted(url)}" for scheme, url in proxies.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A JSON text is a basic string of TOML."""
    return json.dumps(text)
