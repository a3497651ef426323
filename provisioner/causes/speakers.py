"""Reads the messages of each speaker, ``profiles/causes/messages/<speaker>.yaml``, and the history; every fault of a file at once."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from provisioner.causes.grades import NAMES
from provisioner.causes.history import History
from provisioner.causes.messages import Kind, Message
from provisioner.causes.patterns import compiled, fault, squeeze
from provisioner.errors import InputError
from provisioner.model.codec import from_data
from provisioner.model.finding import Confidence
from provisioner.model.record import record

SCHEMA = "tfsetup/messages/3"
HISTORY_SCHEMA = "tfsetup/history/1"


@record
class Entry:
    """One message in a file: as ``Message``, with ``means`` for the explanation, ``grade`` by its name, and ``example``, lines that it must match."""

    id: str
    pattern: str
    kind: Kind
    means: str
    reference: str
    example: str
    cause: str = "harmless-message"
    about: str = ""
    confidence: Confidence = "likely"
    grade: str = "allows"
    topic: str = ""


@record
class Speaker:
    """One file: ``about`` says who speaks and where the messages were read."""

    speaker: str
    about: str
    messages: tuple[Entry, ...]


def read_speaker(data: Any, *, file: str, name: str) -> Speaker:
    """Return the messages of one file, whose name without ending is ``name``; raises ``InputError`` with every fault."""
    speaker = from_data(Speaker, data, file=file, schema=SCHEMA)
    faults = [] if speaker.speaker == name else [f"speaker: expected {name}, the name of the file"]
    ids: set[str] = set()
    for number, entry in enumerate(speaker.messages):
        place = f"messages[{number}]"
        if entry.id in ids:
            faults.append(f"{place}.id: used twice: {entry.id}")
        ids.add(entry.id)
        wrong = fault(entry.pattern)
        if wrong:
            faults.append(f"{place}.pattern: {wrong}")
        elif compiled(entry.pattern).search(squeeze(entry.example)) is None:
            faults.append(f"{place}.example: its own pattern does not match it")
        if entry.kind == "fault" and entry.cause == "harmless-message":
            faults.append(f"{place}.cause: a fault needs the code of its cause")
        if entry.kind != "fault" and entry.cause != "harmless-message":
            faults.append(f"{place}.cause: only a fault has one")
        if entry.about not in {"", "gpu"}:
            faults.append(f"{place}.about: expected gpu or nothing")
        if entry.grade not in NAMES:
            faults.append(f"{place}.grade: expected one of {', '.join(NAMES)}")
        faults.extend(f"{place}.{field}: is empty" for field in ("means", "reference") if not getattr(entry, field))
    _refuse(faults, file)
    return speaker


def read_history(data: Any, *, file: str) -> History:
    """Return what is known of the time before the catalogue; raises ``InputError``."""
    history = from_data(History, data, file=file, schema=HISTORY_SCHEMA)
    faults: list[str] = []
    for field in ("gpus", "systems", "libraries"):
        for number, item in enumerate(getattr(history, field)):
            wrong = _expression_fault(item.pattern)
            faults.extend([f"{field}[{number}].pattern: {wrong}"] if wrong else [])
    _refuse(faults, file)
    return history


def _expression_fault(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        return f"not a regular expression: {error}"
    return ""


def messages_of(speakers: tuple[Speaker, ...], codes: Collection[str], *, file: str) -> tuple[Message, ...]:
    """Return all messages in the order in which they are tried, the highest grade first; raises ``InputError`` for what the files disagree on.

    Of one grade a fault comes first, then what stands first in its file: there the narrower pattern stands before the wider.
    """
    found: list[Message] = []
    faults: list[str] = []
    ids: dict[str, str] = {}
    for speaker in speakers:
        for entry in speaker.messages:
            if entry.id in ids:
                faults.append(f"{speaker.speaker}.yaml: {entry.id} is in {ids[entry.id]}.yaml, too")
            ids[entry.id] = speaker.speaker
            if entry.cause not in codes:
                faults.append(f"{speaker.speaker}.yaml: {entry.id}: no words for {entry.cause}")
            found.append(_message(speaker.speaker, entry))
    _refuse(faults, file)
    return tuple(sorted(found, key=lambda message: (-message.grade, message.kind != "fault")))


def _message(speaker: str, entry: Entry) -> Message:
    return Message(
        id=entry.id,
        speaker=speaker,
        pattern=entry.pattern,
        kind=entry.kind,
        explanation=entry.means,
        reference=entry.reference,
        cause=entry.cause,
        about="gpu" if entry.about else "",
        confidence=entry.confidence,
        grade=NAMES[entry.grade],
        topic=entry.topic,
    )


def _refuse(faults: list[str], file: str) -> None:
    if faults:
        raise InputError("cannot be read", place=file, faults=tuple(faults))
