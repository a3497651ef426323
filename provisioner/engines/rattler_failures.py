"""What rattler says when it fails, as errors with cause and hint."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from provisioner.base.text import mask
from provisioner.engines.said import Meaning, about, failures_before, in_between, network_failures
from provisioner.errors import InputError, NoProfileError, OperationError, TfsetupError, UsageError
from provisioner.host import Completed
from provisioner.model.json_text import read_json

# The exit status of ``_rattler`` without py-rattler.
NOT_INSTALLED = 3
INSTALL_HINT = "install tfsetup again: py-rattler comes with it"

# What rattler says, and what it means: the first that matches wins. (Texts of py-rattler 0.28.)
FAILURES: tuple[Meaning, ...] = (
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
        r"would write outside the environment|unpack outside of destination",
        "download-failed",
        "a package of the channel names paths outside the environment, which no honest package does",
        "nothing of it was installed; ask who runs the channel",
    ),
    (
        r"(?i)longer than the placeholder",
        "",
        "the environment's path is longer than programs of the packages have room for",
        "choose another folder with --env",
    ),
    (
        r"(?i)invalid zip archive|bzip2: |zstd|not a conda package|unsupported package archive|invalid gzip",
        "download-failed",
        "a downloaded package is no conda package, or a broken one",
        "nothing of it was installed; try again, or ask who runs the channel",
    ),
    (
        r"(?s)failed to link.*No such file",
        "download-failed",
        "a package lacks a file that it lists",
        "nothing of it was installed; try again, or ask who runs the channel",
    ),
    (
        r"(?i)no usable repodata cache|force-cache-only",
        "download-failed",
        "the channel's packages are not in the cache, and the network was forbidden (--offline)",
        "run once without --offline to fill the cache",
    ),
    (
        r"(?i)EOF while parsing|expected value at line|trailing characters|failed to parse|invalid (json|type)|not valid json|missing field",
        "download-failed",
        "the channel's list of packages (repodata) is broken off, or is none (the login page of a network, an error of a proxy?)",
        in_between("channel"),
    ),
    *failures_before("channel"),
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
        r"(?i)\b404\b|not found|could not find subdir",
        "download-failed",
        "the channel, or a package of it, is not there",
        "check the channel's name (--channel, or `channels` in .condarc)",
    ),
    *network_failures("channel"),
    (
        r"(?i)error (sending|decoding)|dns error|connect|timed out|timeout|\b50\d\b|failed to (fetch|download)|broken pipe|reset by peer",
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


def no_solution(channels: Sequence[str], subdir: str, answer: Mapping[str, Any]) -> TfsetupError:
    """Say why there is no solution; channels that have nothing for the platform are looked at first, for that is how a misspelt name shows."""
    empty = [mask(name) for name in answer.get("empty", ())]
    if len(empty) == len(channels):
        return OperationError(
            f"{' and '.join(empty)} has nothing for {subdir}",
            hint="check the channel's name (--channel, or `channels` in .condarc)",
            cause="download-failed",
        )
    lines = [f"{name} has nothing for {subdir}" for name in empty]
    lines += [line for line in mask(answer["text"]).splitlines() if line.strip()]
    names = ", ".join(mask(name) for name in channels)
    hint = "ask for another release or Python, or name another channel with --channel"
    return NoProfileError(
        f"the conda packages that are needed do not go together, or are not in {names}",
        hint=hint,
        cause="resolver-conflict",
        refusals=tuple(lines),
    )


def answer_of(done: Completed) -> dict[str, Any]:
    """Return what a run printed; nothing where it ended before it could."""
    try:
        answer = read_json(done.out)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def checked(done: Completed, what: str) -> dict[str, Any]:
    """Return the answer of a run; raises ``OperationError`` with cause and hint, or ``InputError`` for a spec that is none."""
    answer = answer_of(done)
    if done.ok and answer and "error" not in answer:
        return answer
    if done.code == NOT_INSTALLED:
        raise UsageError(f"{what}: py-rattler cannot be loaded ({' '.join(done.err.split())})", hint=INSTALL_HINT)
    if done.timed_out:
        raise OperationError(f"{what}: rattler did not finish in {done.seconds:.0f} s", hint="run the same command again")
    text = mask(str(answer.get("text") or done.err))
    detail = " | ".join(line.strip() for line in text.splitlines() if line.strip())[-600:]
    if answer.get("error") in {"InvalidMatchSpecError", "InvalidChannelError", "InvalidUrlError"}:
        raise InputError(f"{what}: {detail}", hint="a channel is a name, an address or a folder; a package a name with versions")
    for pattern, cause, words, hint in FAILURES:
        if re.search(pattern, text):
            where = about(text).words() if cause == "download-failed" else ""
            raise OperationError(f"{what}: {words}{where} (rattler says: {detail})", hint=hint, cause=cause)
    raise OperationError(
        f"{what} (rattler says: {detail or f'it ended with status {done.code}'})", hint="run the same command again with `-v`"
    )
