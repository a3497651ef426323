"""What is known of conda on a machine: its configuration, the packages of an environment, and what is registered outside one."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from provisioner.model.record import record

Priority = Literal["strict", "flexible", "disabled"]


@record
class CondaConfig:
    """The configuration of conda and mamba, all its files and variables merged. Nothing of it is there where nobody uses them.

    ``root`` is the root prefix (empty where no tool is there). ``channels`` are names, addresses and ``file://`` folders in order, ``()`` where
    nobody configured any; so for ``default_channels``. ``custom_channels``: name -> the address above it. ``custom_multichannels``: name ->
    channels. ``mirrors``: channel as it was configured (``mirrored_channels``) -> addresses. ``proxies``: scheme or ``scheme://host`` -> address.
    ``ssl_verify``: ``true``, ``false``, ``truststore`` or the path of certificates. ``allowlist`` and ``denylist`` name the channels that
    may, and may not, be used. ``pkgs_dirs`` and ``envs_dirs`` are absolute, in order; ``writable_envs_dirs`` are those of the latter in which an
    environment can be put. ``environments`` is the file in which environments are listed; ``register`` is false where that is turned off.
    ``origins``: key -> the files and variables that it came from, the one that counts most first. ``files`` were read.

    Addresses may hold passwords. ``secrets`` are the texts that came into addresses from environment variables. What is shown or written
    goes through ``channels.shown``.
    """

    root: str = ""
    channels: tuple[str, ...] = ()
    channel_alias: str = ""
    default_channels: tuple[str, ...] = ()
    custom_channels: dict[str, str] = field(default_factory=dict)
    custom_multichannels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    mirrors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    allowlist: tuple[str, ...] = ()
    denylist: tuple[str, ...] = ()
    channel_priority: Priority = "flexible"
    proxies: dict[str, str] = field(default_factory=dict)
    ssl_verify: str = "true"
    offline: bool = False
    pkgs_dirs: tuple[str, ...] = ()
    envs_dirs: tuple[str, ...] = ()
    writable_envs_dirs: tuple[str, ...] = ()
    environments: str = ""
    register: bool = True
    origins: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


@record
class Outside:
    """One thing outside an environment that makes it known to conda and mamba, or to Jupyter; ``text`` is the environment's own path.

    ``line``: a line with ``text`` in the file ``path``. ``link``: a symbolic link at ``path`` that leads to ``text``. ``kernel``: the file ``path``
    (``kernels/NAME/kernel.json``), shown as ``label``. ``made`` are the file and the folders that are created for it, and go again when nothing else
    has come into them.
    """

    kind: Literal["line", "link", "kernel"]
    path: str
    text: str
    made: tuple[str, ...] = ()
    label: str = ""


@record
class CondaFile:
    """A file of a package as its record lists it; ``path`` is relative to the environment.

    ``sha256`` is that of the content as it was linked (of the package's, where linking changes nothing), empty where the record tells none; ``size``
    in bytes is the one in the package, -1 where it tells none. ``kind`` is ``hardlink``, ``softlink``, ``directory``, ``pyc_file``,
    ``unix_python_entry_point``, … ``mode`` and ``placeholder``: how the prefix was put in (``text``, ``binary``), and for what.
    """

    path: str
    kind: str = "hardlink"
    sha256: str = ""
    size: int = -1
    mode: Literal["", "text", "binary"] = ""
    placeholder: str = ""

    @property
    def rewritten(self) -> bool:
        """True when linking put the prefix into the content, so that its size may differ from the package's."""
        return bool(self.placeholder)


@record
class CondaRecord:
    """A package in an environment; ``meta`` is its record's path relative to the environment (``conda-meta/NAME-VERSION-BUILD.json``).

    ``problem`` says why the record cannot be read or what in it was left out; then name, version and build come from the file's name.
    ``requested`` are the specifications that a person asked for. ``noarch`` is empty, ``python`` or ``generic``. ``size`` in bytes, 0 where it is
    not told.
    """

    name: str
    version: str
    build: str
    meta: str
    channel: str = ""
    url: str = ""
    subdir: str = ""
    sha256: str = ""
    md5: str = ""
    size: int = 0
    noarch: str = ""
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    requested: tuple[str, ...] = ()
    files: tuple[CondaFile, ...] = ()
    problem: str = ""
