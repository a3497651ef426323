"""Start-up messages and their meaning, as data: which are harmless, which are faults, and of what."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from provisioner.errors import InputError
from provisioner.model.codec import from_data
from provisioner.model.finding import Confidence, Remedy
from provisioner.model.record import record

SCHEMA = "tfsetup/messages/1"
# Dates, process ids and addresses differ in each run; without them equal messages are counted together.
_VARYING = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: |^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ |^[IWEF]0000 00:00:\d+\.\d+ +\d+ |0x[0-9a-f]{6,}"
)


@record
class Message:
    """``pattern`` is a regular expression; with ``about`` ``gpu`` it is a fault only where a GPU is wanted or present."""

    id: str
    pattern: str
    kind: Literal["harmless", "fault"]
    explanation: str
    reference: str
    cause: str = "harmless-message"
    about: Literal["", "gpu"] = ""
    confidence: Confidence = "certain"


@record
class CauseText:
    """What is said about a cause: ``steps`` are command lines in which ``{env}`` and ``{python}`` stand for those paths."""

    title: str
    remedy: str
    steps: tuple[str, ...] = ()


@record
class Messages:
    """The file ``profiles/messages.yaml``: known messages in the order in which they are tried, the words and the rank of each cause."""

    messages: tuple[Message, ...]
    causes: dict[str, CauseText]
    ranking: tuple[str, ...]

    def rank(self, cause: str) -> int:
        """The place of a cause in the ranking: a cause comes before its symptoms; one that is not in it stands before ``unknown``."""
        return self.ranking.index(cause) if cause in self.ranking else max(0, len(self.ranking) - 2)

    def remedy(self, cause: str, *, env: str, python: str) -> Remedy:
        """The remedy of a cause for one environment."""
        text = self.causes[cause]
        steps = tuple(step.replace("{env}", _quoted(env)).replace("{python}", _quoted(python)) for step in text.steps)
        return Remedy(words=text.remedy, steps=steps)

    def match(self, text: str) -> Message | None:
        """The first known message that occurs in ``text``."""
        return next((message for message in self.messages if re.search(message.pattern, text, re.MULTILINE)), None)


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


def _quoted(path: str) -> str:
    import shlex  # noqa: PLC0415 - only when a remedy is written

    return shlex.quote(path)


def read_messages(data: Any, *, file: str) -> Messages:
    """Build ``Messages`` from the parsed YAML.

    Raises ``InputError`` that lists every fault: fields, patterns that are no regular expression, causes without words or rank, double ids.
    """
    messages = from_data(Messages, data, file=file, schema=SCHEMA)
    faults: list[str] = []
    ids: set[str] = set()
    for number, message in enumerate(messages.messages):
        place = f"messages[{number}]"
        try:
            re.compile(message.pattern)
        except re.error as error:
            faults.append(f"{place}.pattern: not a regular expression: {error}")
        if message.id in ids:
            faults.append(f"{place}.id: used twice: {message.id}")
        ids.add(message.id)
        if message.cause not in messages.causes:
            faults.append(f"{place}.cause: no words in causes for {message.cause}")
        if message.kind == "fault" and message.cause == "harmless-message":
            faults.append(f"{place}.cause: a fault needs the code of its cause")
    faults.extend(f"causes.{cause}: is not in ranking" for cause in messages.causes if cause not in messages.ranking)
    faults.extend(f"ranking: no words in causes for {cause}" for cause in messages.ranking if cause not in messages.causes)
    if faults:
        raise InputError("cannot be read", place=file, faults=tuple(faults))
    return messages


def load_messages(text: str, *, file: str) -> Messages:
    """Parse the text of ``profiles/messages.yaml``; raises ``InputError``."""
    import yaml  # noqa: PLC0415 - 20 ms that only verify pays

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader, the C one where there is one
    except yaml.YAMLError as error:
        raise InputError("not valid YAML", place=file, faults=(" ".join(str(error).split()),)) from None
    return read_messages(data, file=file)


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
