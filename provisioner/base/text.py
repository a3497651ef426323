"""Small words that several parts share: sizes, times, and text as it may be shown."""

from __future__ import annotations

from provisioner.base.called import as_typed
from provisioner.base.numbers import HUGE
from provisioner.base.secrets import MASK, mask

__all__ = ["MASK", "mask", "seconds_words", "shown", "size_words", "visible"]

# U+0080 to U+009F steer some terminals as the control characters of ASCII do; the others turn the order of what is read around, or end a line.
_STEERING = (
    *range(0x20),
    *range(0x7F, 0xA0),
    0x61C,
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    *range(0xFFF9, 0xFFFC),
)
_SPELT = {number: f"\\x{number:02x}" if number <= 0xFF else f"\\u{number:04x}" for number in _STEERING if chr(number) not in "\n\t"}  # noqa: PLR2004 - what two digits can say


def visible(text: str) -> str:
    """Return ``text`` with control characters and overrides of direction spelt out, but for line ends and tabs.

    A name out of a file must not steer a terminal, nor look like another.
    """
    return text.translate(_SPELT)


def shown(text: str, *, script: bool = False) -> str:
    """Return ``text`` as it may be printed: everything that goes to a terminal or a stream of words goes through here, and what a shell reads."""
    return visible(mask(as_typed(text, script=script)))


def size_words(count: int) -> str:
    """Return a number of bytes for a person: ``812 kB``, ``1.4 GB`` (powers of ten, as disks are sold)."""
    value = float(min(count, HUGE))
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
