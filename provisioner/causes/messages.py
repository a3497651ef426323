"""Messages and their meaning, as data: which are harmless, which are faults, and of what; and the title of each cause."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from provisioner.causes.grades import ALLOWS
from provisioner.causes.history import History
from provisioner.causes.patterns import branches, compiled, conditions, reach, squeeze
from provisioner.causes.places import Places, Window
from provisioner.model.cause import Order
from provisioner.model.finding import Confidence
from provisioner.model.record import record

# Dates, process ids and addresses differ in each run; without them equal messages are counted together.
_VARYING = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: |^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ |^[IWEF]0000 00:00:\d+\.\d+ +\d+ |0x[0-9a-f]{6,}"
)
# A message that occurs more often says nothing new.
MOST_OF_ONE = 30
Kind = Literal["fault", "harmless", "context"]


@record
class Message:
    """One message of one speaker (``pip``, ``loader``, ``cuda``): ``explanation`` is what it means, ``reference`` who says so.

    ``pattern`` is a regular expression (``causes.patterns.compiled``). ``kind``: a ``context`` message says something of the machine, or follows
    from another fault; by itself it proves nothing. ``grade`` is how much it says for the cause (``causes.grades``); of several messages on one
    line the one of the highest grade counts. ``confidence`` is how sure the cause is where nothing else
    is known. With ``about`` ``gpu`` it is a fault only where a GPU is wanted or present. ``topic`` names the judgement that looks at it
    together with what else is known (``provisioner.explain.topics``); without one, ``cause`` is the answer.
    """

    id: str
    speaker: str
    pattern: str
    kind: Kind
    explanation: str
    reference: str
    cause: str = "harmless-message"
    about: Literal["", "gpu"] = ""
    confidence: Confidence = "likely"
    grade: int = ALLOWS
    topic: str = ""


# A message as it is kept between runs: its fields in their order, then each alternative of its pattern with its reach and the lists of texts of
# which a match holds one each.
Row = list[Any]
_FIELDS = tuple(name for name, _, _ in Message.__record__)  # type: ignore[attr-defined]  # what ``record`` leaves on a class
_SPEAKER = _FIELDS.index("speaker")


def row_of(message: Message) -> Row:
    """Return the form in which a message is kept."""
    return [
        *(getattr(message, name) for name in _FIELDS),
        [[branch, *reach(branch), *conditions(branch)] for branch in branches(message.pattern)],
    ]


class Messages:
    """All messages, the highest grade first, the title and the rank of each cause, and what is known of the time before the catalogue.

    The messages stay rows until one is asked for: making all of them would cost more than reading most logs.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        *,
        titles: dict[str, str],
        order: Order,
        history: History,
    ) -> None:
        """Use ``provisioner.causes.open_messages``; ``rows`` are in the order in which they are tried."""
        self._rows = tuple(rows)
        self._made: dict[int, Message] = {}
        self.titles = titles
        self.order = order
        self.history = history

    def spoken_on(self, platform: str) -> Messages:
        """What can be said on a platform (``sys.platform``): Windows speaks only on Windows, while a pasted log may come from anywhere."""
        if platform == "win32":
            return self
        rows = (row for row in self._rows if row[_SPEAKER] != "windows")
        return Messages(rows, titles=self.titles, order=self.order, history=self.history)

    @property
    def messages(self) -> tuple[Message, ...]:
        """Every message."""
        return tuple(self._message(number) for number in range(len(self._rows)))

    def possible(self, text: str) -> Iterator[tuple[Message, tuple[re.Pattern[str], ...]]]:
        """The messages that could occur in ``text``, the highest grade first, with what to look for: the alternatives of which it holds a text."""
        lowered = text.lower()
        known: dict[str, bool] = {}
        for number, row in enumerate(self._rows):
            wanted = []
            for branch, _, _, needed, *_ in row[-1]:
                for literal in needed:
                    if literal not in known:
                        known[literal] = literal in lowered
                    if known[literal]:
                        wanted.append(branch)
                        break
            if wanted:
                yield self._message(number), tuple(map(compiled, wanted))

    def found(self, text: str) -> Iterator[tuple[Message, list[re.Match[str]]]]:
        """The messages that occur in a long ``text``, the most specific first, each with where: only beside the texts that it needs is looked."""
        places = Places(text)
        for number, row in enumerate(self._rows):
            matches: list[re.Match[str]] = []
            for branch, width, lines, *needed in row[-1]:
                windows = places.windows(needed, width, lines)
                matches.extend(islice(_matches(text, branch, windows), MOST_OF_ONE))
            if matches:
                matches.sort(key=lambda item: item.start())
                yield self._message(number), matches[:MOST_OF_ONE]

    def match(self, text: str) -> Message | None:
        """The known message of the highest grade that occurs in ``text``."""
        squeezed = squeeze(text)
        return next((message for message, patterns in self.possible(squeezed) if any(item.search(squeezed) for item in patterns)), None)

    def fault_in(self, text: str, *, gpu: bool) -> Message | None:
        """The message of a fault of the highest grade that occurs in ``text``; one about a GPU only with ``gpu``."""
        squeezed = squeeze(text)
        for message, patterns in self.possible(squeezed):
            if message.kind == "fault" and (gpu or message.about != "gpu") and any(item.search(squeezed) for item in patterns):
                return message
        return None

    def _message(self, number: int) -> Message:
        if number not in self._made:
            self._made[number] = Message(**dict(zip(_FIELDS, self._rows[number], strict=False)))
        return self._made[number]


def _matches(text: str, pattern: str, windows: Iterable[Window]) -> Iterator[re.Match[str]]:
    """Every match, in order: the windows are in order and apart."""
    for start, end in windows:
        yield from compiled(pattern).finditer(text, start, end)


@record
class Seen:
    """Lines of one run that say the same: ``message`` is None for one that is not known; ``line`` is the first of them."""

    message: Message | None
    line: str
    count: int


@dataclass(slots=True)
class _Tally:
    message: Message | None
    line: str
    count: int = field(default=0)


def without_varying(line: str) -> str:
    """Return a log line without date, process id and addresses."""
    return _VARYING.sub("", line).strip()


def classify(text: str, messages: Messages) -> tuple[Seen, ...]:
    """Sort the lines of a run's standard error: each known message once with its count, and every unknown line, in order of appearance."""
    tally: dict[str, _Tally] = {}
    for line in _lines(text):
        message = messages.match(line)
        shown = without_varying(line)
        key = f"known {message.id}" if message else f"line {shown}"
        tally.setdefault(key, _Tally(message, shown)).count += 1
    return tuple(Seen(message=item.message, line=item.line, count=item.count) for item in tally.values())


def _lines(text: str) -> Iterable[str]:
    return (line.rstrip() for line in text.splitlines() if line.strip())
