"""What uv says when it fails, as errors with cause and hint: what was wrong, with which file, from whom, and what to do."""

from __future__ import annotations

import re

from provisioner.base.text import mask
from provisioner.engines.said import AGAIN, Meaning, about, failures_before, in_between, network_failures
from provisioner.errors import OperationError
from provisioner.host import Completed

_NETWORK = f"check the network (proxy: HTTPS_PROXY), then {AGAIN}"
_WHO = in_between("index")

# What is said where the network is forbidden and the cache lacks something; then nobody knows whether there is such a thing.
FORBIDDEN = "a file is not in the cache, and the network was forbidden (--offline)"
# What uv prints, and what it means: the first that matches wins. (Texts of uv 0.9 to 0.13.)
_FAILURES: tuple[Meaning, ...] = (
    (
        r"No space left on device|os error 28",
        "disk-full",
        "no space is left on the disk",
        "free some space, then run the same command again",
    ),
    (
        r"Failed to (?:download and )?build `|[Bb]uild backend returned an error",
        "platform-unsupported",
        "a package that is there as source alone could not be built",
        "leave it out, or take a version of it that has a wheel; its own documentation says what its build needs",
    ),
    (
        r"Hash mismatch",
        "download-failed",
        "a downloaded file is not the one that was locked (its SHA-256 differs)",
        "an index or proxy serves another file under this name; nothing of it was installed. Try again, or ask who runs the index",
    ),
    (
        r"Invalid zip file structure|unexpected header|[Nn]ot a zip|invalid Zip archive",
        "download-failed",
        "what came in place of a package is none: a web page (the login of a network, an error of a proxy), or anything else",
        _WHO,
    ),
    (
        r"Bad uncompressed size|Bad compressed size|Bad CRC|unexpected end of file|unexpected EOF|early eof",
        "download-failed",
        "a downloaded file is damaged, or has the wrong size",
        f"an index or proxy has cut or changed it; nothing of it was installed. Try again: {AGAIN}; else ask who runs it",
    ),
    (
        r"unexpected JSON|unexpected HTML|(Missing|Unsupported|[Uu]nexpected) `?[Cc]ontent-[Tt]ype",
        "download-failed",
        "the answer of the index is no list of packages",
        _WHO,
    ),
    (
        r"Network connectivity is disabled|network was disabled|not found in the cache",
        "download-failed",
        FORBIDDEN,
        "run once without --offline to fill the cache",
    ),
    (
        r"(?i)certificate|UnknownIssuer",
        "download-failed",
        "the index's certificate is not trusted",
        "set SSL_CERT_FILE to your organisation's certificate file",
    ),
    *failures_before("index"),
    (
        r"401 Unauthorized|403 Forbidden",
        "download-failed",
        "the index refused the request",
        "check the user and password of the index",
    ),
    (
        r"404 Not Found|410 Gone|was not found in the package registry",
        "download-failed",
        "the index does not have a package or a file that is needed",
        "check the address of the index, or name one that has it; a mirror may lag behind",
    ),
    (
        r"there is no version of|No solution found",
        "download-failed",
        "the index lists no such file: it lacks the version, or a web page (the login of a network, an error of a proxy) answers in its place",
        _WHO,
    ),
    *network_failures("index"),
    (
        r"error sending request|[Cc]onnection|Request failed|Failed to (fetch|download)|error decoding response|body error",
        "download-failed",
        "the package index could not be reached, or the download broke off",
        _NETWORK,
    ),
    (
        r"[Pp]ermission denied|os error 13|Read-only file system",
        "permission-denied",
        "a folder may not be written",
        "check who owns it",
    ),
)


def finds_nothing(error: OperationError) -> bool:
    """True where the resolver found nothing that fits: also where that may only be for want of a file that was not to be fetched."""
    return error.cause == "resolver-conflict" or FORBIDDEN in str(error)


def checked(done: Completed, what: str, who: str = "uv", *, index: str = "") -> None:
    """Raise ``OperationError``, with the cause and what to do, for a run that failed.

    ``what`` says what could not be done by ``who``; ``index`` are the hosts that were asked, for where no other is named.
    """
    if done.ok:
        return
    text = mask(done.err or done.out)
    detail = " | ".join(line.strip() for line in text.splitlines() if line.strip())[-600:]
    if done.timed_out:
        raise OperationError(
            f"{what}: {who} did not finish in {done.seconds:.0f} s", hint="run the same command again: what was downloaded is kept"
        )
    for pattern, cause, words, hint in _FAILURES:
        if re.search(pattern, text):
            where = about(text).words(index) if cause == "download-failed" else ""
            raise OperationError(f"{what}: {words}{where} ({who} says: {detail})", hint=hint, cause=cause)
    raise OperationError(f"{what} ({who} says: {detail})", hint=f"run again with `-v`, and look at what {who} says")
