"""The stages of ``tfsetup explain``: a log read and weighed, or the page of a cause."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, BinaryIO

from provisioner.base.paths import joined
from provisioner.errors import InputError
from provisioner.host import Host
from provisioner.model.diagnosis import Explanation
from provisioner.session import Session

if TYPE_CHECKING:
    from provisioner.model.cause import Cause, Order
    from provisioner.model.facts import Facts

# Of a longer log the first part and the last part are read: the earliest error is near the start, the final one at the end.
HEAD_BYTES, TAIL_BYTES = 8 << 20, 4 << 20
_BLOCK = 1 << 20
# No log is needed to say that these are wanted: what the findings would be surer with.
_SEND = {
    "context": "what is known of the machine: --context os=… --context python=… (also arch, tensorflow, gpu, driver, cuda, cudnn, install)",
    "log": "the whole output of the command that fails, from its first line; for a failed import that of: python3 -c 'import tensorflow'",
    "facts": "the machine's facts: run `tfsetup detect --json > facts.json` there, then add --facts facts.json",
    "crash": "the exit status of the process, and what `python3 -X faulthandler -c 'import tensorflow'` prints",
}


def as_text(host: Host, given: str) -> str:
    """Return an argument as a log where it is one and no file: words, a message, an exit status; "" where it is meant as a path.

    Raises ``InputError`` for a single word that is neither, with the causes that it may mean.
    """
    if host.exists(joined(host.cwd, given)) or given.startswith(("/", "./", "../", "~")) or given.endswith((".log", ".txt", ".ipynb")):
        return ""
    if re.search(r"\s|: |\w:$", given):
        return given
    if re.fullmatch(r"-?\d{1,10}|0x[0-9a-fA-F]{8}", given):
        return f"Process finished with exit code {given}"
    if re.search(r"[\\/.]|Error$|Exception$", given):
        return given if re.search(r"Error$|Exception$|\.so|\.dll|\.dylib", given) else ""
    near = [code for code in _codes(host) if given.lower() in code] or _alike(given.lower(), _codes(host))
    hint = f"did you mean {' or '.join(f'`tfsetup explain {code}`' for code in near[:3])}? " if near else ""
    raise InputError(f"there is no file and no cause `{given}`", hint=f"{hint}`tfsetup explain --list` lists the causes")


def _codes(host: Host) -> tuple[str, ...]:
    from provisioner.catalogue import find_profiles  # noqa: PLC0415 - not needed for a log
    from provisioner.causes.pages import codes  # noqa: PLC0415 - as above

    return codes(host, posixpath.join(find_profiles(), "causes"))


def _alike(given: str, known: tuple[str, ...]) -> list[str]:
    from difflib import get_close_matches  # noqa: PLC0415 - only for a misspelt word

    words = {word: code for code in known for word in (code, *code.split("-"))}
    return list(dict.fromkeys(words[word] for word in get_close_matches(given, words, n=3, cutoff=0.7)))


def read_log(host: Host, path: str) -> tuple[bytes, int]:
    """Return the first and the last part of a log file and how many bytes between them were left out; raises ``InputError``."""
    place = joined(host.cwd, path)
    try:
        size = host.entry(host.real(place)).size
        head = host.read_bytes(place, HEAD_BYTES)
        if size <= HEAD_BYTES + TAIL_BYTES:
            return (head if size <= HEAD_BYTES else head + host.read_bytes(place, TAIL_BYTES, HEAD_BYTES)), 0
        tail = host.read_bytes(place, TAIL_BYTES, size - TAIL_BYTES)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=path) from None
    return head + _cut(tail, head), size - HEAD_BYTES - TAIL_BYTES


def read_stream(stream: BinaryIO) -> tuple[bytes, int]:
    """As ``read_log``, for a pipe, which is read to its end in bounded memory."""
    head = stream.read(HEAD_BYTES)
    tail, left_out = b"", 0
    while block := stream.read(_BLOCK):
        tail += block
        if len(tail) > 2 * TAIL_BYTES:
            left_out += len(tail) - TAIL_BYTES
            tail = tail[-TAIL_BYTES:]
    extra = max(0, len(tail) - TAIL_BYTES)
    tail = tail[extra:]
    return (head + (_cut(tail, head) if left_out + extra else tail)), left_out + extra


def _cut(tail: bytes, head: bytes) -> bytes:
    """Begin the last part with a line of its own; a part of a letter of UTF-16 would turn all that follows into nonsense."""
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    start = tail.find(b"\n")
    tail = tail[start:] if start >= 0 else tail
    return tail[len(tail) % 2 :] if wide else tail


def explain(
    session: Session,
    content: bytes,
    *,
    source: str,
    left_out: int,
    context: Mapping[str, str],
    facts_file: str,
    env: str = "",
    python: str = "",
) -> Explanation:
    """Say what a log means; raises ``InputError`` for a log that is no text and for facts that cannot be read.

    ``env`` and ``python`` are the environment and the interpreter that it is of, where they are known better than the log tells.
    """
    from provisioner.explain.reading import decode, read_lines, split  # noqa: PLC0415 - start-up
    from provisioner.explain.weigh import KEYS, weigh_log  # noqa: PLC0415 - start-up
    from provisioner.remedies import Subject  # noqa: PLC0415 - start-up

    log = read_lines(split(decode(content, file=source)))
    if not log.starts:
        raise InputError("is empty", place=source, hint="give the output that the failing command printed")
    notices = [f"context key `{key}` is not known and was ignored; there are {', '.join(KEYS)}" for key in context if key not in KEYS]
    told = {key: value for key, value in context.items() if key in KEYS}
    if facts_file:
        # What a person says is of the machine where it failed; the facts fill the rest.
        told = {**context_of(session.read_facts(facts_file)), **told}
    if left_out or log.left_out:
        notices.append(
            "the log is very long: its first and last part were read"
            + (f", not {left_out} bytes between them; numbers of lines after those count only what was read" if left_out else "")
        )
    weighed = weigh_log(log, told, session.messages, session.catalogue, known=Subject(env=env, interpreter=python))
    return Explanation(
        source=source,
        lines=log.lines,
        known=weighed.known,
        context=told,
        findings=weighed.findings,
        notices=tuple(notices),
        send=tuple(_send(weighed.findings[0].cause, weighed.findings[0].confidence, told, facts=bool(facts_file))),
    )


def _send(cause: str, confidence: str, told: Mapping[str, str], *, facts: bool) -> Iterable[str]:
    if cause != "unknown" and confidence != "possible":
        return
    if cause == "unknown":
        yield _SEND["log"]
        yield _SEND["crash"]
    if not facts:
        yield _SEND["facts"]
    if not told:
        yield _SEND["context"]


def context_of(facts: Facts) -> dict[str, str]:
    """Return the facts of a machine in the words of ``--context``."""
    system, driver = facts.system, facts.driver
    distribution = system.distribution.value
    name = f"{distribution.name or distribution.id} {distribution.version}" if distribution else ""
    names = {"macos": "macOS", "windows": "Windows", "linux": "Linux"}
    libc = system.libc.value
    os = " ".join(
        part
        for part in (
            names.get(system.os.value or "", ""),
            name if distribution else system.version.value or "",
            f"WSL{system.wsl.value}" if system.wsl.value else "",
            system.container.value or "",
            libc.kind if libc and libc.kind == "musl" else "",
        )
        if part
    )
    gpus = facts.gpus.value
    described = {
        "os": os,
        "arch": system.architecture.value or "",
        "gpu": ", ".join(f"{gpu.name} (compute capability {gpu.compute_capability.value})" for gpu in gpus) if gpus else "",
        "driver": driver.release.value or "",
        "cuda": ", ".join(toolkit.version for toolkit in facts.toolkits.value or ()),
        "cudnn": next((item.version for item in facts.libraries.value or () if item.soname.startswith("libcudnn.")), ""),
    }
    if facts.gpus.status == "absent" or gpus == ():
        described["gpu"] = "none"
    return {key: value for key, value in described.items() if value}


def all_causes(host: Host) -> tuple[dict[str, Cause], Order]:
    """Return every cause and their order, for a list."""
    from provisioner.catalogue import find_profiles  # noqa: PLC0415 - not needed for a log
    from provisioner.causes.pages import load_causes, load_order  # noqa: PLC0415 - as above

    folder = posixpath.join(find_profiles(), "causes")
    return load_causes(host, folder), load_order(host, folder)


def cause_page(host: Host, code: str) -> tuple[Cause, Order]:
    """Return what is known of a cause and how it stands to others; raises ``InputError`` for a code that does not exist."""
    from provisioner.catalogue import find_profiles  # noqa: PLC0415 - not needed for a log
    from provisioner.causes.pages import load_cause, load_order  # noqa: PLC0415 - as above

    folder = posixpath.join(find_profiles(), "causes")
    return load_cause(host, folder, code), load_order(host, folder)
