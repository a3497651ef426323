"""Which address a conda channel's name stands for, by conda's configuration. Pure.

Rules: conda's documentation, "Managing channels" and "Mirroring channels"; ``Channel.from_value``, ``_get_channel_for_name`` and
``_read_channel_configuration`` in conda's models/channel.py. A name that nothing is configured for stays a name: the engine's own default says
where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import quote

from provisioner.base.text import MASK, mask
from provisioner.model.conda import CondaConfig

# What `defaults` is made of where `default_channels` does not say (``DEFAULT_CHANNELS_UNIX`` in conda's base/constants.py), by the names of
# those channels.
DEFAULTS = ("main", "r")
_SCHEME = re.compile(r"[a-z][a-z0-9]{0,11}://")
# ``PLATFORM_DIRECTORIES`` of conda's base/constants.py; the engine adds the target's own.
_PLATFORM = r"/(noarch|(linux|osx|win|freebsd|emscripten|wasi|zos)-[a-z0-9]+)$"
_LOGIN = r"(?P<scheme>[a-z0-9]+://)(?P<login>[^/@]*@)?(?P<rest>.*)"


def channel_urls(config: CondaConfig, names: Iterable[str]) -> tuple[str, ...]:
    """Return, in order and each once, the addresses of channels; a bare name is the engine's to resolve.

    Addresses hold the credentials that are configured for them; show them through ``shown_url``.
    """
    return tuple(dict.fromkeys(url for name in names for url in _resolve(config, name)))


def _resolve(config: CondaConfig, channel: str) -> Iterator[str]:
    channel = re.sub(_PLATFORM, "", channel.rstrip("/"))
    if _SCHEME.match(channel):
        yield _with_credentials(config, channel)
    elif channel.startswith("/"):
        yield "file://" + quote(channel.encode("utf-8", "surrogateescape"))
    # conda lets its own two names win over configured ones.
    elif channel == "defaults":
        yield from (_simple(config, name) for name in config.default_channels) if config.default_channels else DEFAULTS
    elif channel in config.custom_multichannels:
        yield from (_simple(config, name) for name in config.custom_multichannels[channel])
    else:
        yield _named(config, channel)


def _simple(config: CondaConfig, channel: str) -> str:
    """A member of a multichannel is an address, or is below the alias (``make_simple_channel``); custom channels may name it, too."""
    return _with_credentials(config, channel.rstrip("/")) if _SCHEME.match(channel) else _named(config, channel)


def _named(config: CondaConfig, name: str) -> str:
    """The longest leading part of the name that is a custom channel says where it is (``conda-forge/label/x`` is below conda-forge's)."""
    name = name.strip("/")
    parts = name.split("/")
    for end in range(len(parts), 0, -1):
        base = config.custom_channels.get("/".join(parts[:end]))
        if base:
            return "/".join([_custom(base, "/".join(parts[:end])), *parts[end:]])
    return f"{config.channel_alias}/{name}" if config.channel_alias else name


def _custom(base: str, name: str) -> str:
    """The address of a custom channel: the name below the base, unless that ends with it already, as mamba reads it."""
    base = base.rstrip("/")
    return base if base.endswith(f"/{name}") else f"{base}/{name}"


def _with_credentials(config: CondaConfig, url: str) -> str:
    """Give an address without credentials those that are configured for it or for what is above it."""
    parts = re.fullmatch(_LOGIN, url)
    if parts is None or parts["login"] or "/t/" in url:
        return url
    known = [_custom(base, name) for name, base in config.custom_channels.items()]
    for base in (*sorted(known, key=len, reverse=True), config.channel_alias):
        found = re.fullmatch(_LOGIN, base)
        if found is None:
            continue
        bare = re.sub(r"/t/[^/]+", "", found["rest"], count=1)
        if parts["rest"] == bare or parts["rest"].startswith(bare + "/"):
            return f"{parts['scheme']}{found['login'] or ''}{found['rest']}{parts['rest'][len(bare) :]}"
    return url


def mirror_urls(config: CondaConfig) -> dict[str, tuple[str, ...]]:
    """Return mirrors by the address (or bare name) that ``channel_urls`` gives for their channel."""
    return {url: mirrors for name, mirrors in config.mirrors.items() if mirrors for url in channel_urls(config, [name])[:1]}


def refused_channels(config: CondaConfig, names: Iterable[str]) -> tuple[str, ...]:
    """Return those of the channels that an administrator's allowlist leaves out or denylist names (conda's ``validate_channels``)."""
    allowed, denied = set(channel_urls(config, config.allowlist)), set(channel_urls(config, config.denylist))
    return tuple(
        name for name in names if any(url in denied or (config.allowlist and url not in allowed) for url in channel_urls(config, [name]))
    )


def shown_url(config: CondaConfig, text: str) -> str:
    """Return an address as it may be shown and written: without passwords, tokens, and what came into it from variables."""
    for secret in sorted(config.secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return mask(text)


def shown(config: CondaConfig) -> CondaConfig:
    """Return the configuration as it may be shown and written."""

    def hide(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(shown_url(config, text) if _SCHEME.match(text) else text for text in texts)

    def hide_names(found: dict[str, str]) -> dict[str, str]:
        return {name: shown_url(config, text) for name, text in found.items()}

    return replace(
        config,
        channels=hide(config.channels),
        channel_alias=shown_url(config, config.channel_alias),
        default_channels=hide(config.default_channels),
        custom_channels=hide_names(config.custom_channels),
        custom_multichannels={name: hide(texts) for name, texts in config.custom_multichannels.items()},
        mirrors={mask(name): hide(texts) for name, texts in config.mirrors.items()},
        allowlist=hide(config.allowlist),
        denylist=hide(config.denylist),
        proxies=hide_names(config.proxies),
        secrets=(),
    )
