"""The one place that takes secrets out of a text, in time linear in it; all that prints, stores or reports uses it.

An address is read as people write it, not as RFC 3986 has it: a password may hold a slash, a quote or an @. What cannot be told apart is hidden.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

Span = tuple[int, int]
MASK = "***"
# What ends an address: blanks that nothing makes visible later. Python's other blanks (U+0085) may stand in a password.
_SPACE = re.compile(r"[ \t\n]")
_AUTHORITY_END = re.compile(r"[ \t\n/?#]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}\Z")
# Who writes an address in quotes ends it by the same quote, and something that closes; elsewhere a quote is part of a password.
_CLOSED = {quote: re.compile(rf"{quote}(?=[ \t\n,;:)\]}}>]|\Z)") for quote in "'\"`"}
# Where a conda channel's token stands (``split_anaconda_token`` in conda's common/url.py): ``/t/TOKEN``. The mark of an address comes first.
_CONDA = re.compile(r"(?P<other>[ \t\n?#])|(?P<scheme>(?:https?|ftp|s3|oci)://)|(?P<token>(?<=/t/)[^ \t\n`'\"/?#]+)", re.IGNORECASE)
_NAME = re.compile(r"[?&#]([^=& \t\n?#]*)=")
_AMPERSAND = re.compile(r"[& \t\n]")
_SECRET_NAME = re.compile(r"token|key|secret|passw|passphrase|pwd|auth|sig|credential", re.IGNORECASE)
# What a version system is asked for (pip's "VCS Support"): ``git+https://HOST/PATH@REF``. Only what nothing can be read as a login: a whole host, no
# colon, and one @ alone.
_VERSION_SYSTEMS = ("git+", "hg+", "svn+", "bzr+")
_REPOSITORY = re.compile(r"(?:(?:[A-Za-z0-9-]{1,63}\.){1,9}[A-Za-z0-9-]{1,63}|localhost)/[A-Za-z0-9_./~+-]*")
_VARIABLES = re.compile(r"\$\{\w+\}(:\$\{\w+\})?")
# What services give out as keys: a known prefix, then a long run (GitHub, GitLab, PyPI, AWS, OpenAI, Hugging Face, Slack).
KEYS = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|pypi-[\w-]{20,}|AKIA[0-9A-Z]{16}|sk-[\w-]{20,}|hf_\w{20,}|xox[abp]-[\w-]{10,})"
)


def mask(text: str) -> str:
    """Hide what a text carries in secret: user and password of addresses, conda tokens, secrets of queries, keys of services.

    A login that only names variables (``${USER}:${PASSWORD}``) stays.

    >>> mask("https://me:pw@example.invalid/simple?token=abc&x=1")
    'https://***@example.invalid/simple?token=***&x=1'
    """
    found = [*_keys(text)]
    if "://" in text:
        found += [*_logins(text), *_tokens(text)]
    if "=" in text:
        found += _queries(text)
    parts: list[str] = []
    kept = 0
    # All are looked for in the text as it was: one that is hidden must not part another, as ``?token=a@b`` reads as a login, too.
    for start, end in sorted(found):
        if start >= kept:
            parts += [text[kept:start], MASK]
        kept = max(kept, end)
    return "".join([*parts, text[kept:]]) if parts else text


def mask_value(text: str) -> str:
    """As ``mask``, for a value that is an address, whose scheme may lack: ``me:pw@proxy.invalid:3128``."""
    if "://" not in text and "@" in text:
        return f"{MASK}@{text.rpartition('@')[2]}"
    return mask(text)


def _keys(text: str) -> Iterator[Span]:
    return (found.span() for found in KEYS.finditer(text))


def _logins(text: str) -> Iterator[Span]:
    ats = [found.start() for found in re.finditer("@", text)]
    ends = {"space": _Next(text, _SPACE), "authority": _Next(text, _AUTHORITY_END), **{q: _Next(text, own) for q, own in _CLOSED.items()}}
    at = 0
    while ats and (found := text.find("://", at)) >= 0:
        start = at = found + 3
        scheme = _SCHEME.search(text, max(0, found - 21), found)
        quote = text[scheme.start() - 1] if scheme and scheme.start() else ""
        end = min(ends["space"].at(start), ends[quote].at(start)) if quote in _CLOSED else ends["space"].at(start)
        first, last = bisect_left(ats, start), bisect_left(ats, max(end, ends["authority"].at(start))) - 1
        asked = first == last and scheme is not None and scheme[0].lower().startswith(_VERSION_SYSTEMS)
        if asked and _REPOSITORY.fullmatch(text, start, ats[last]):
            at = ats[last]
        elif first <= last and not _VARIABLES.fullmatch(text, start, ats[last]):
            yield start, ats[last]
            at = ats[last]


class _Next:
    """Where a pattern is found next: asked for places that only grow, it reads a text once."""

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        self._text, self._pattern, self._found = text, pattern, -1

    def at(self, place: int) -> int:
        """Return where the pattern begins at or after ``place``, or the end of the text."""
        if self._found < place:
            found = self._pattern.search(self._text, place)
            self._found = found.start() if found else len(self._text)
        return self._found


def _tokens(text: str) -> Iterator[Span]:
    of_address = False
    for found in _CONDA.finditer(text) if "/t/" in text.lower() else ():
        if found["token"] is None:
            of_address = found["scheme"] is not None
        elif of_address and not _VARIABLES.fullmatch(found[0]):
            yield found.span()


def _queries(text: str) -> Iterator[Span]:
    at = 0
    while found := _NAME.search(text, at):
        at = found.end()
        if _SECRET_NAME.search(_plain(found[1])):
            end = _AMPERSAND.search(text, at)
            at = end.start() if end else len(text)
            if at > found.end():
                yield found.end(), at


def _plain(name: str) -> str:
    if "%" not in name:
        return name
    from urllib.parse import unquote  # noqa: PLC0415 - rarely, and it costs a start 5 ms

    return unquote(name)
