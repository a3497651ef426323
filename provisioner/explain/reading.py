"""From bytes to the lines of a log, whatever wrote them; bounded in memory and time.

Handled: UTF-8 with faults, UTF-16 (what ``>`` of PowerShell 5 writes), terminal escapes, progress bars that go back by carriage returns,
quote marks of mails and issues, typographic quotes, endless lines, lines that repeat; a notebook's file, escaped line ends and the stamps of
those who carry logs (``given``).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator

from provisioner.causes.messages import without_varying
from provisioner.errors import InputError
from provisioner.explain.given import read_given, without_stamp
from provisioner.model.record import record

# A line of pip that lists versions has some thousands of letters; nothing longer says more.
LINE_LIMIT = 12_000
# Letters that are kept: so many from the begin, then so many from the end.
HEAD_LIMIT, TAIL_LIMIT = 600_000, 300_000
# A line that says the same as an earlier one adds nothing after this often.
REPEATS = 2
_SAMPLE = 1 << 16
_TOO_MANY_CONTROLS = 0.3
_NULS_OF_UTF_16 = 0.3

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,300}(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u200b-\u200f\u2028\u2029\ufeff]")
_QUOTED = re.compile(r"^\s*(?:>(?!>)\s?)+")
_BLANKS = re.compile(r"[\s\u00a0]+")
_ENDS = re.compile(r"\r\n|\n|\r|\x85")
_PLAIN = (
    dict.fromkeys((0x2018, 0x2019, 0x201A, 0x201B, 0xB4), "'") | dict.fromkeys((0x201C, 0x201D, 0x201E), '"') | {0x2010: "-", 0x2011: "-"}
)
_ENTITIES = (("&gt;", ">"), ("&lt;", "<"), ("&quot;", '"'), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&"))


@record
class Log:
    """The lines that were kept, cleaned and joined: ``text``; where each begins in it; its number in the log; how many lines there were.

    ``left_out`` lines in the middle were not looked at.
    """

    text: str
    starts: tuple[int, ...]
    numbers: tuple[int, ...]
    lines: int
    left_out: int = 0

    def index_at(self, offset: int) -> int:
        """The kept line that holds the letter at ``offset`` of ``text``."""
        return max(0, bisect_right(self.starts, offset) - 1)

    def line(self, index: int) -> str:
        """The text of a kept line."""
        end = self.starts[index + 1] - 1 if index + 1 < len(self.starts) else len(self.text)
        return self.text[self.starts[index] : end]


def decode(content: bytes, *, file: str) -> str:
    """Return the text; raises ``InputError`` for what is no text in any way that logs are written."""
    sample = content[:_SAMPLE]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", "replace")
    elif sample[1::2].count(0) > _NULS_OF_UTF_16 * len(sample) / 2 + 1:
        text = content.decode("utf-16-le", "replace")
    elif sample[::2].count(0) > _NULS_OF_UTF_16 * len(sample) / 2 + 1:
        text = content.decode("utf-16-be", "replace")
    else:
        text = content.decode("utf-8-sig", "replace")
    start = _ESCAPE.sub("", text[:_SAMPLE])
    controls = len(_CONTROL.findall(start)) + start.count("\ufffd")
    if start and controls > _TOO_MANY_CONTROLS * len(start):
        raise InputError("is not text", place=file, hint="give the output that the failing command printed")
    return read_given(text)


def split(text: str) -> Iterator[str]:
    """Yield the lines of a text; what a progress bar wrote over is a line of its own."""
    start = 0
    for end in _ENDS.finditer(text):
        yield text[start : end.start()]
        start = end.end()
    if start < len(text):
        yield text[start:]


def clean(line: str) -> str:
    """Return a line without escapes, control characters, quote marks and surplus blanks, cut at ``LINE_LIMIT``."""
    if len(line) > LINE_LIMIT:
        line = line[:LINE_LIMIT]
    if "\x1b" in line:
        line = _ESCAPE.sub("", line)
    if not line.isascii():
        line = line.translate(_PLAIN)
    line = without_stamp(_CONTROL.sub("", _QUOTED.sub("", line)))
    if "&" in line:
        for entity, letter in _ENTITIES:
            line = line.replace(entity, letter)
    return _BLANKS.sub(" ", line.replace("**", "")).strip()


def read_lines(lines: Iterable[str]) -> Log:
    """Return the log that these lines are: the first and the last of them, where there are too many."""
    head: list[tuple[int, str]] = []
    tail: deque[tuple[int, str]] = deque()
    seen: dict[str, int] = {}
    size = tail_size = number = left_out = 0
    for number, raw in enumerate(lines, 1):
        line = clean(raw)
        if not line:
            continue
        key = without_varying(line)
        count = seen.get(key, 0)
        if count >= REPEATS:
            continue
        if len(key) < LINE_LIMIT and size < HEAD_LIMIT:
            seen[key] = count + 1
        if size < HEAD_LIMIT:
            head.append((number, line))
            size += len(line) + 1
            continue
        tail.append((number, line))
        tail_size += len(line) + 1
        while tail_size > TAIL_LIMIT:
            tail_size -= len(tail.popleft()[1]) + 1
            left_out += 1
    kept = [*head, *tail]
    starts, offset = [], 0
    for _, line in kept:
        starts.append(offset)
        offset += len(line) + 1
    return Log(
        text="\n".join(line for _, line in kept),
        starts=tuple(starts),
        numbers=tuple(item for item, _ in kept),
        lines=number,
        left_out=left_out,
    )
