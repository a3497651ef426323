"""rattler: solves, downloads, checks and links conda packages, with no conda on the machine. Each run is a process of its own."""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

from provisioner.engines._rattler import NOT_INSTALLED
from provisioner.errors import InputError, NoProfileError, OperationError, UsageError
from provisioner.host import Completed, Host, Reader
from provisioner.model import codec
from provisioner.model.conda_package import CondaPackage
from provisioner.model.record import record
from provisioner.words import mask

SOLVE_TIMEOUT_SECONDS = 600.0
INSTALL_TIMEOUT_SECONDS = 3600.0
INSTALL_HINT = "install it with `pip install 'tfsetup[conda]'`"

# What rattler says, and what it means: the first that matches wins. (Texts of py-rattler 0.28.)
_FAILURES: tuple[tuple[str, str, str, str], ...] = (
    (
        r"(?i)no space left on device|os error 28",
        "disk-full",
        "no space is left on the disk",
        "free some space, then run the same command again",
    ),
    (
        r"(?i)hash mismatch|sha256|checksum|md5",
        "download-failed",
        "a downloaded package is not the one that the channel's repodata describes (its hash differs)",
        "the channel or a proxy serves another file under this name; nothing of it was installed. Try again, or ask who runs the channel",
    ),
    (
        r"would write outside the environment",
        "download-failed",
        "a package of the channel names paths outside the environment, which no honest package does",
        "nothing of it was installed; ask who runs the channel",
    ),
    (
        r"(?i)force-cache-only|cache is not available|no cache available|NoCacheAvailable|not found in the cache",
        "download-failed",
        "the channel's packages are not in the cache, and the network was forbidden (--offline)",
        "run once without --offline to fill the cache",
    ),
    (
        r"(?i)EOF while parsing|expected value at line|trailing characters|failed to parse|invalid (json|type)|not valid json|missing field",
        "download-failed",
        "the channel's list of packages (repodata) is broken off, or is none",
        "try again; if it stays so, ask who runs the channel or the proxy before it",
    ),
    (
        r"(?i)certificate|UnknownIssuer",
        "download-failed",
        "the channel's certificate is not trusted",
        "set SSL_CERT_FILE, or `ssl_verify` in .condarc, to your organisation's certificate file",
    ),
    (
        r"(?i)\b(401|403)\b|unauthorized|forbidden",
        "download-failed",
        "the channel refused the request",
        "check the user, password or token of the channel",
    ),
    (
        r"(?i)\b404\b|not found",
        "download-failed",
        "the channel, or a package of it, is not there",
        "check the channel's name (--channel, or `channels` in .condarc)",
    ),
    (
        r"(?i)error sending request|dns error|connect|timed out|timeout|\b50\d\b|failed to (fetch|download)|broken pipe|reset by peer",
        "download-failed",
        "the channel could not be reached, or the download broke off",
        "check the network (proxy: HTTPS_PROXY, or `proxy_servers` in .condarc), then run the same command again",
    ),
    (
        r"(?i)permission denied|os error 13|read-only file system",
        "permission-denied",
        "a folder may not be written",
        "check who owns it",
    ),
)


@record
class Channels:
    """Where packages come from, and how they are fetched.

    ``names`` are channels in order of priority: names, addresses or folders. ``priority``: ``strict``, ``flexible``, ``disabled`` (conda's
    documentation, "Managing channels"). ``config`` is rattler's own configuration as TOML (mirrors, proxies, certificates). ``caches`` are
    folders of packages, the first that can be written is added to. ``variables`` are set for rattler (the certificates to trust). ``newer``:
    nothing that was built after this ISO date ("" for any).
    """

    names: tuple[str, ...]
    priority: str = "strict"
    config: str = ""
    caches: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    newer: str = ""


def cache_folder(reader: Reader) -> str:
    """Return rattler's cache folder, which pixi shares (RATTLER_CACHE_DIR, else ``rattler/cache`` in the system's cache folder)."""
    given = reader.env.get("RATTLER_CACHE_DIR")
    if given:
        return posixpath.join(reader.cwd, given)
    home = reader.env.get("HOME") or "/"
    return posixpath.join(reader.env.get("XDG_CACHE_HOME") or posixpath.join(home, ".cache"), "rattler", "cache")


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
        "newer": channels.newer,
    }
    done = _run(host, channels, request, SOLVE_TIMEOUT_SECONDS)
    if _unsolvable(done) and channels.priority == "flexible":
        # conda's "flexible" looks into channels of lower priority where those of higher priority do not do; rattler calls that "disabled".
        done = _run(host, channels, {**request, "priority": "disabled"}, SOLVE_TIMEOUT_SECONDS)
    if _unsolvable(done):
        raise _no_solution(channels, _answer(done)["text"])
    answer = _checked(done, "the conda packages could not be chosen")
    found = tuple(codec.from_data(CondaPackage, item, file="rattler") for item in answer["packages"])
    _check_hashes(found)
    return tuple(sorted(found, key=lambda package: package.name))


def _unsolvable(done: Completed) -> bool:
    return not done.ok and _answer(done).get("error") == "SolverError"


def _no_solution(channels: Channels, text: str) -> NoProfileError:
    lines = tuple(line for line in mask(text).splitlines() if line.strip())
    names = ", ".join(mask(name) for name in channels.names)
    hint = "ask for another release or Python, or name another channel with --channel"
    return NoProfileError(
        f"the conda packages that are needed do not go together, or are not in {names}",
        hint=hint,
        cause="resolver-conflict",
        refusals=lines,
    )


def _check_hashes(packages: Iterable[CondaPackage]) -> None:
    """Refuse what could not be checked: never an install without a hash."""
    bare = [package.filename for package in packages if not re.fullmatch(r"[0-9a-f]{64}", package.sha256)]
    if bare:
        raise OperationError(f"the channel gives no SHA-256 for {', '.join(bare)}", hint="use a channel whose repodata has hashes")


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
) -> None:
    """Download, check by hash and link exactly ``packages`` into the folder ``prefix``, as an environment that will stand at ``target``.

    No script of a package is run. ``specs`` are noted as what was asked for. ``beside`` is conda's record of a Python that is there and stays,
    for the pure packages of which only it says where they belong. ``wary``: what is in the cache is hashed, too, since the files of an
    environment are links to it, and whoever wrote into one has changed both.
    """
    request: dict[str, Any] = {
        "do": "install",
        "packages": [{**codec.to_data(package), "fetch": _with_credentials(package.url, channels)} for package in packages],
        "prefix": prefix,
        "target": target,
        "platform": subdir,
        "specs": list(specs),
        "beside": beside,
        "wary": wary,
        "caches": list(channels.caches),
        "config": channels.config,
    }
    done = _run(host, channels, request, INSTALL_TIMEOUT_SECONDS, watch)
    _checked(done, "the conda packages could not be installed")


def bare(url: str) -> str:
    """Return an address without user, password and token (conda's ``/t/<token>/``), as conda notes it in an environment, too."""
    return re.sub(r"/t/[^/]+/", "/", re.sub(r"(?<=://)[^/@]*@", "", url), count=1)


def _with_credentials(url: str, channels: Channels) -> str:
    """Return a package's address with what its channel is configured with; "" where that adds nothing."""
    for name in channels.names:
        plain = bare(f"{name.rstrip('/')}/")
        if plain != f"{name.rstrip('/')}/" and url.startswith(plain):
            return f"{name.rstrip('/')}/{url[len(plain) :]}"
    return ""


def check_installed() -> None:
    """Raise ``UsageError`` where py-rattler is missing; asked before anything else is done."""
    from importlib.util import find_spec  # noqa: PLC0415 - only for conda environments

    if find_spec("rattler") is None:
        raise UsageError("conda environments need the package py-rattler, which is not installed", place="--kind conda", hint=INSTALL_HINT)


def _run(host: Host, channels: Channels, request: dict[str, Any], timeout: float, watch: Callable[[int], None] | None = None) -> Completed:
    check_installed()
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_rattler.py")
    env = {**host.env, **channels.variables, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}
    return host.run([host.python, "-W", "ignore", script], env=env, cwd="/", stdin=json.dumps(request), timeout=timeout, watch=watch)


def _answer(done: Completed) -> dict[str, Any]:
    try:
        answer = json.loads(done.out)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _checked(done: Completed, what: str) -> dict[str, Any]:
    """Return the answer of a run; raises ``OperationError`` with cause and hint, or ``InputError`` for a spec that is none."""
    answer = _answer(done)
    if done.ok and "error" not in answer:
        return answer
    if done.code == NOT_INSTALLED:
        raise UsageError(f"{what}: py-rattler cannot be loaded ({' '.join(done.err.split())})", hint=INSTALL_HINT)
    if done.timed_out:
        raise OperationError(f"{what}: rattler did not finish in {done.seconds:.0f} s", hint="run the same command again")
    text = mask(str(answer.get("text") or done.err))
    detail = " | ".join(line.strip() for line in text.splitlines() if line.strip())[-600:]
    if answer.get("error") in {"InvalidMatchSpecError", "InvalidChannelError", "InvalidUrlError"}:
        raise InputError(f"{what}: {detail}", hint="a channel is a name, an address or a folder; a package a name with versions")
    for pattern, cause, words, hint in _FAILURES:
        if re.search(pattern, text):
            raise OperationError(f"{what}: {words} (rattler says: {detail})", hint=hint, cause=cause)
    raise OperationError(
        f"{what} (rattler says: {detail or f'it ended with status {done.code}'})", hint="run the same command again with `-v`"
    )
