"""Which messages occur in a log, and where; on one line the most specific message speaks."""

from __future__ import annotations

import re

from provisioner.causes import Message, Messages
from provisioner.explain.reading import Log
from provisioner.model.record import record

# On a line that is longer, a message speaks for what stands so near to it.
NEAR = 300
_STRETCH = 1_000


@record
class Hit:
    """One occurrence: ``line`` is the number of its line in the log, ``seen`` the line; ``groups`` what the pattern took out of it."""

    message: Message
    offset: int
    line: int
    seen: str
    groups: dict[str, str]

    def group(self, *names: str) -> str:
        """The first of these groups that took part in the match; a name also stands for name2, name3 and so on."""
        return next((value for key, value in self.groups.items() if key.rstrip("0123456789") in names and value), "")


def recognise(log: Log, messages: Messages) -> tuple[Hit, ...]:
    """Return the occurrences of all messages, in the order of the log."""
    hits: list[Hit] = []
    spoken = _Spoken()
    for message, matches in messages.found(log.text):
        quiet = message.kind == "context"
        claimed: list[tuple[int, int]] = []
        for match in matches:
            hit, begin, end = _hit(log, message, match)
            if not quiet and spoken.touches(begin, end):
                continue
            hits.append(hit)
            if not quiet:
                claimed.append((begin, end))
        spoken.add(claimed)
    return tuple(sorted(hits, key=lambda hit: (hit.offset, -hit.message.grade)))


class _Spoken:
    """Parts of the text of which something was said, by the stretch in which they lie: of many only the near ones are compared."""

    def __init__(self) -> None:
        self._near: dict[int, list[tuple[int, int]]] = {}

    def add(self, parts: list[tuple[int, int]]) -> None:
        for begin, end in parts:
            for stretch in range(begin // _STRETCH, end // _STRETCH + 1):
                self._near.setdefault(stretch, []).append((begin, end))

    def touches(self, begin: int, end: int) -> bool:
        stretches = range(begin // _STRETCH, end // _STRETCH + 1)
        return any(begin < other_end and other < end for stretch in stretches for other, other_end in self._near.get(stretch, ()))


def _hit(log: Log, message: Message, match: re.Match[str]) -> tuple[Hit, int, int]:
    """Return the occurrence, and from where to where it speaks."""
    first, last = log.index_at(match.start()), log.index_at(max(match.start(), match.end() - 1))
    end = log.starts[last] + len(log.line(last))
    seen = log.text[log.starts[first] : end].replace("\n", " ")
    hit = Hit(
        message=message,
        offset=match.start(),
        line=log.numbers[first],
        seen=_shortened(seen, match.start() - log.starts[first]),
        groups={key: value for key, value in match.groupdict().items() if value},
    )
    return hit, max(log.starts[first], match.start() - NEAR), min(end, match.end() + NEAR)


def _shortened(line: str, place: int) -> str:
    if len(line) <= NEAR:
        return line
    start = max(0, min(place - NEAR // 3, len(line) - NEAR))
    return ("…" if start else "") + line[start : start + NEAR] + ("…" if start + NEAR < len(line) else "")
