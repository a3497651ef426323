"""rattler: solves, downloads, checks and links conda packages, with no conda on the machine; in a process of its own, which may crash."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from importlib.util import find_spec
from typing import Any

from provisioner.base.paths import joined
from provisioner.engines.rattler_failures import INSTALL_HINT, answer_of, checked, no_solution
from provisioner.errors import OperationError, UsageError
from provisioner.host import Completed, Host, Reader, user_folders
from provisioner.model import codec
from provisioner.model.conda_package import CondaPackage
from provisioner.model.record import record

SOLVE_TIMEOUT_SECONDS = 600.0
INSTALL_TIMEOUT_SECONDS = 3600.0


@record
class Channels:
    """Where packages come from, and how they are fetched.

    ``names`` are channels in order of priority: names, addresses or folders. ``priority``: ``strict``, ``flexible``, ``disabled`` (conda's
    documentation, "Managing channels"). ``config`` is rattler's own configuration as TOML (proxies, certificates). ``caches`` are folders of
    packages, the first that can be written is added to. ``variables`` are set for rattler (the certificates to trust). ``newer``: nothing that was
    built after this ISO date ("" for any). ``mirrors``: channel, by name or address, to the addresses that are asked in its place.
    """

    names: tuple[str, ...]
    priority: str = "strict"
    config: str = ""
    caches: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    newer: str = ""
    mirrors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def cache_folder(reader: Reader) -> str:
    """Return rattler's cache folder, which pixi shares (RATTLER_CACHE_DIR, else ``rattler/cache`` in the system's cache folder)."""
    given = reader.env.get("RATTLER_CACHE_DIR")
    if given:
        return joined(reader.cwd, given)
    return posixpath.join(user_folders.cache(reader), "rattler", "cache")


def solve(  # noqa: PLR0913 - each is one part of the same question
    host: Host,
    channels: Channels,
    *,
    subdir: str,
    specs: Sequence[str],
    virtual: Sequence[str],
    repodata: str,
    locked: Iterable[CondaPackage] = (),
    constraints: Sequence[str] = (),
    offline: bool = False,
    watch: Callable[[int], None] | None = None,
) -> tuple[CondaPackage, ...]:
    """Return the packages that together meet ``specs`` on a machine with the ``virtual`` packages, by name.

    ``repodata`` is the folder that the channels' lists are kept in; ``locked`` are preferred where they fit. Raises ``NoProfileError`` with the
    solver's explanation where nothing fits (cause ``resolver-conflict``), ``UsageError`` where py-rattler is missing, ``OperationError``, with its
    cause, where a channel fails.
    """
    request: dict[str, Any] = {
        "do": "solve",
        "channels": list(channels.names),
        "platform": subdir,
        "specs": list(specs),
        "virtual": list(virtual),
        "locked": [codec.to_data(package) for package in locked],
        "constraints": list(constraints),
        "priority": channels.priority,
        "repodata": repodata,
        "offline": offline,
        "config": channels.config,
        "mirrors": dict(channels.mirrors),
        "newer": channels.newer,
    }
    answer = _solved(host, channels, request, watch)
    found = tuple(codec.from_data(CondaPackage, item, file="rattler") for item in answer["packages"])
    _check_hashes(found)
    return tuple(sorted(found, key=lambda package: package.name))


def _solved(host: Host, channels: Channels, request: dict[str, Any], watch: Callable[[int], None] | None) -> dict[str, Any]:
    done = _run(host, channels, request, SOLVE_TIMEOUT_SECONDS, watch)
    if _unsolvable(done) and channels.priority == "flexible":
        # conda's "flexible" looks into channels of lower priority where those of higher priority do not do; rattler calls that "disabled".
        done = _run(host, channels, {**request, "priority": "disabled"}, SOLVE_TIMEOUT_SECONDS, watch)
    if _unsolvable(done):
        raise no_solution(channels.names, request["platform"], answer_of(done))
    return checked(done, "the conda packages could not be chosen")


def _unsolvable(done: Completed) -> bool:
    return bool(answer_of(done).get("error") == "SolverError")


def _check_hashes(packages: Iterable[CondaPackage]) -> None:
    """Refuse what could not be checked: never an install without a hash."""
    bare = [package.filename for package in packages if not re.fullmatch(r"[0-9a-f]{64}", package.sha256)]
    if bare:
        hint = "nothing is installed that cannot be checked; use a channel whose repodata has hashes"
        raise OperationError(f"the channel gives no SHA-256 for {', '.join(bare)}", hint=hint, cause="download-failed")


def install(  # noqa: PLR0913 - each is one part of the same request
    host: Host,
    channels: Channels,
    packages: Sequence[CondaPackage],
    *,
    prefix: str,
    target: str,
    subdir: str,
    specs: Sequence[str],
    beside: str = "",
    wary: bool = False,
    watch: Callable[[int], None] | None = None,
) -> tuple[str, ...]:
    """Download, check by hash and link exactly ``packages`` into the folder ``prefix``, as an environment that will stand at ``target``.

    No script of a package is run; the packages that have one for this moment are returned, as ``name-version-build``. ``specs`` are noted as
    what was asked for. ``beside`` is conda's record of a Python that is there and stays, for the pure packages of which only it says where they
    belong. ``wary``: what is in the cache is hashed, too, since the files of an environment are links to it, and whoever wrote into one has
    changed both.
    """
    request: dict[str, Any] = {
        "do": "install",
        "packages": [{**codec.to_data(package), "fetch": with_credentials(package.url, channels.names)} for package in packages],
        "prefix": prefix,
        "target": target,
        "platform": subdir,
        "specs": list(specs),
        "beside": beside,
        "wary": wary,
        "caches": list(channels.caches),
        "config": channels.config,
        "mirrors": dict(channels.mirrors),
    }
    done = _run(host, channels, request, INSTALL_TIMEOUT_SECONDS, watch)
    if not wary and re.search(r"failed to link.{0,4000}?No such file", str(answer_of(done).get("text")), re.DOTALL):
        # Somebody has taken files out of the cache; looking for that every time takes as long as a tenth of linking.
        done = _run(host, channels, {**request, "wary": True}, INSTALL_TIMEOUT_SECONDS, watch)
    return tuple(checked(done, "the conda packages could not be installed")["scripts"])


def addresses(host: Host, channels: Channels) -> tuple[str, ...]:
    """Return the address of each channel; where a bare name is, only the engine knows."""
    done = _run(host, channels, {"do": "addresses", "channels": list(channels.names)}, SOLVE_TIMEOUT_SECONDS)
    return tuple(checked(done, "the conda channels could not be named")["addresses"])


def look(host: Host, channels: Channels, packages: Sequence[CondaPackage], *, subdir: str, repodata: str) -> dict[str, str]:
    """Ask whether each package file is still in its channel, with the same hash; return the names of those that are not, and why not.

    Of a channel that is a folder the file itself is hashed; a server is asked for the file's first bytes, and the channel's list for its hash.
    Raises ``OperationError`` where a channel cannot be reached.
    """
    request: dict[str, Any] = {
        "do": "look",
        "channels": list(channels.names),
        "platform": subdir,
        "packages": [{**codec.to_data(package), "fetch": with_credentials(package.url, channels.names)} for package in packages],
        "repodata": repodata,
        "config": channels.config,
        "mirrors": dict(channels.mirrors),
    }
    answer = checked(_run(host, channels, request, SOLVE_TIMEOUT_SECONDS), "the channels could not be asked")
    return {str(name): str(why) for name, why in answer["missing"].items()}


def bare(url: str) -> str:
    """Return an address without user, password and token (conda's ``/t/<token>/``), as conda notes it in an environment, too."""
    if re.match(r"(?i)[a-z0-9+]+://", url) is None or url.startswith("file:"):
        return url
    return re.sub(r"/t/[^/]+(?=/|$)", "", re.sub(r"(?<=://)[^/]*@", "", url), count=1)


def with_credentials(url: str, channels: Iterable[str]) -> str:
    """Return a package's address with the credentials, or the variables for them, of its channel's; "" where that adds nothing."""
    for name in channels:
        plain = bare(f"{name.rstrip('/')}/")
        if plain != f"{name.rstrip('/')}/" and url.startswith(plain):
            return f"{name.rstrip('/')}/{url[len(plain) :]}"
    return ""


def check_installed() -> None:
    """Raise ``UsageError`` where py-rattler is missing; asked before anything else is done."""
    if find_spec("rattler") is None:
        raise UsageError("conda environments need the package py-rattler, which is not installed", place="--kind conda", hint=INSTALL_HINT)


def _run(
    host: Host,
    channels: Channels,
    request: dict[str, Any],
    timeout: float,
    watch: Callable[[int], None] | None = None,
) -> Completed:
    check_installed()
    env = {**host.env, **channels.variables, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}
    argv = [host.python, "-W", "ignore", "-m", "provisioner.engines._rattler"]
    return host.ask(argv, json.dumps(request), env=env, timeout=timeout, watch=watch)
