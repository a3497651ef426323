"""What engines say when a download fails, as far as it is the same of all: which host and file it is about, and what the network did.

uv and rattler fetch by the same library (reqwest), and their words for what it met are the same.
"""

from __future__ import annotations

import re

from provisioner.base.text import mask
from provisioner.model.record import record

# A pattern of what is printed; the code of the cause; what it means; what to do.
Meaning = tuple[str, str, str, str]
AGAIN = "run the same command again: what was downloaded is kept"
_ADDRESS = re.compile(r"https?://(?:[^/@\s]*@)?(?P<host>[^/\s`'\"()?#]+)")
_FILE = re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+!-]*\.(?:whl|tar\.gz|tar\.bz2|zip|conda)(?![\w.])")
_PACKAGE = re.compile(r"[Ff]ailed to (?:download|build|fetch)(?: and build)? `(?P<name>[^`]+)`")


@record
class About:
    """``host`` as it stands in an address, without credentials; ``file`` is a file, or a package; each "" where nothing is named."""

    host: str
    file: str

    def words(self, host: str = "") -> str:
        """Say it after what happened: `` (six-2.0-py3-none-any.whl, from pypi.example.com)``; ``host`` is who was asked where no other is named."""
        source = self.host or host
        parts = [*([self.file] if self.file else []), *([f"from {source}"] if source else [])]
        return f" ({', '.join(parts)})" if parts else ""


def about(text: str) -> About:
    """Find host and file in what an engine said."""
    text = mask(text)
    address, file, package = _ADDRESS.search(text), _FILE.search(text), _PACKAGE.search(text)
    return About(host=address["host"] if address else "", file=file[0] if file else package["name"] if package else "")


def hosts_of(addresses: list[str]) -> str:
    """Name the hosts of indexes for a person, without credentials; PyPI where none is configured."""
    found = [address["host"] for address in map(_ADDRESS.match, addresses) if address]
    return " or ".join(dict.fromkeys(found)) if addresses else "PyPI"


def in_between(source: str) -> str:
    """Say what to do where something else answers in the place of a ``source`` (index, channel)."""
    return f"open the address in a browser: where a network or a proxy asks for a login, log in; else ask who runs the {source}, or name another"


def failures_before(source: str) -> tuple[Meaning, ...]:
    """What a server answers that is no answer of an index or a channel, and an encryption that fails."""
    return (
        (
            r"InvalidContentType|corrupt message|HandshakeFailure|handshake|peer is incompatible|received fatal alert",
            "download-failed",
            "no encrypted connection could be made: whoever answers does not speak TLS, or not the same",
            f"check the address of the {source} (https:// or http://) and the proxy (HTTPS_PROXY)",
        ),
        (
            r"407 Proxy Authentication",
            "download-failed",
            "the proxy asks for a user and a password",
            "put them into HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT)",
        ),
        (
            r"429 Too Many",
            "download-failed",
            f"the {source} was asked too often",
            f"wait some minutes, then {AGAIN}",
        ),
        (
            r"\b50\d (Internal|Not Implemented|Bad Gateway|Service|Gateway|HTTP)|HTTP status server error",
            "download-failed",
            f"the {source}, or a proxy before it, has a fault of its own",
            f"wait some minutes, then {AGAIN}",
        ),
    )


def network_failures(source: str) -> tuple[Meaning, ...]:
    """What happens on the way to a server."""
    network = f"check the network (proxy: HTTPS_PROXY), then {AGAIN}"
    return (
        (
            r"dns error|failed to lookup address|error resolving DNS",
            "download-failed",
            f"the {source} could not be reached: the name of its host is not known (the network is down, or the name is wrong)",
            network,
        ),
        (
            r"timed out|network timeout",
            "download-failed",
            f"the {source} did not answer in time",
            network,
        ),
        (
            r"Connection refused",
            "download-failed",
            f"the {source} could not be reached: nobody answers there",
            network,
        ),
    )
