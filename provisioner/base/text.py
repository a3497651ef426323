"""Small words that several parts share: sizes, times, a machine in one line, text without secrets."""

from __future__ import annotations

import re

MASK = "***"
# As far as the last @, for a password may hold one, and a slash, too; and where a quote ends that, all before the path.
_CREDENTIALS = (r"(?<=://)[^\s`'\"]*@", r"(?<=://)[^\s/?#]*@")
# Where a conda channel's token stands (``split_anaconda_token`` in conda's common/url.py): ``/t/TOKEN``.
_CONDA = r"((?:https?|ftp|s3|oci)://[^\s`'\"?#]*?/t/)[^\s`'\"/?#]+"
_SECRETS_OF_QUERIES = r"(?i)([?&][^=&\s]*(?:token|key|secret|password|auth|sig)[^=&\s]*=)[^&\s]+"


def mask(text: str) -> str:
    """Hide what addresses in a text carry in secret: user and password, a conda token, and what queries hold under a secret's name.

    >>> mask("https://me:pw@example.invalid/simple?token=abc&x=1")
    'https://***@example.invalid/simple?token=***&x=1'
    """
    for pattern in _CREDENTIALS:
        text = re.sub(pattern, f"{MASK}@", text)
    text = re.sub(_CONDA, rf"\1{MASK}", text)
    return re.sub(_SECRETS_OF_QUERIES, rf"\1{MASK}", text)


def size_words(count: int) -> str:
    """Return a number of bytes for a person: ``812 kB``, ``1.4 GB`` (powers of ten, as disks are sold)."""
    value = float(count)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:  # noqa: PLR2004 - the step from one unit to the next
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def seconds_words(seconds: float) -> str:
    """Return a time span for a person: ``4.2 s``, ``3 min 10 s``."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
