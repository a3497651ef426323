"""Which messages occur in a log, and where; on one line the most specific message speaks."""

from __future__ import annotations

from provisioner.causes import Message, Messages
from provisioner.causes.patterns import compiled
from provisioner.diagnose.log.reading import Log
from provisioner.model.record import record

# A message that occurs more often says nothing new.
MOST_OF_ONE = 30
# On a line that is longer, a message speaks for what stands so near to it.
NEAR = 300


@record
class Hit:
    """One occurrence: ``line`` is the number of its line in the log, ``seen`` the line; ``groups`` what the pattern took out of it."""

    message: Message
    offset: int
    line: int
    seen: str
    groups: dict[str, str]

    def group(self, *names: str) -> str:
        """The first of these groups that took part in the match; a name also stands for name2, name3, …"""
        return next((value for key, value in self.groups.items() if key.rstrip("0123456789") in names and value), "")


def recognise(log: Log, messages: Messages) -> tuple[Hit, ...]:
    """Return the occurrences of all messages, in the order of the log."""
    hits: list[Hit] = []
    spoken: list[tuple[int, int]] = []
    for message in messages.possible(log.text):
        count = 0
        claimed: list[tuple[int, int]] = []
        for found in compiled(message.pattern).finditer(log.text):
            first, last = log.index_at(found.start()), log.index_at(max(found.start(), found.end() - 1))
            begin = max(log.starts[first], found.start() - NEAR)
            end = min(log.starts[last] + len(log.line(last)), found.end() + NEAR)
            if any(begin < other_end and other_begin < end for other_begin, other_end in spoken):
                if message.kind != "context":
                    continue
            elif message.kind != "context":
                claimed.append((begin, end))
            seen = log.text[log.starts[first] : log.starts[last] + len(log.line(last))].replace("\n", " ")
            hits.append(
                Hit(
                    message=message,
                    offset=found.start(),
                    line=log.numbers[first],
                    seen=_shortened(seen, found.start() - log.starts[first]),
                    groups={key: value for key, value in found.groupdict().items() if value},
                )
            )
            count += 1
            if count >= MOST_OF_ONE:
                break
        spoken.extend(claimed)
    return tuple(sorted(hits, key=lambda hit: (hit.offset, -hit.message.specific)))


def _shortened(line: str, place: int) -> str:
    if len(line) <= NEAR:
        return line
    start = max(0, min(place - NEAR // 3, len(line) - NEAR))
    return ("…" if start else "") + line[start : start + NEAR] + ("…" if start + NEAR < len(line) else "")
