"""Where no message is known: the exception at the end of a traceback, and whose file raised it."""

from __future__ import annotations

import re
from dataclasses import replace

from provisioner.causes import Message
from provisioner.causes.grades import GUESSES, PROVES
from provisioner.explain.matches import Hit
from provisioner.explain.verdict import Case, Verdict

_EXCEPTION = re.compile(r"^(?:\[[^\]\n]{1,60}\] |E |[^\w\n]{1,4}_?)?(?:[\w.]+\.)?([A-Za-z]\w*(?:Error|Exception))\b:? ?(.*)$", re.MULTILINE)
_FRAME = re.compile(r"File \"([^\"\n]+)\"|^[~/][^\n]*?(?=:\d+| in )", re.MULTILINE)
_PACKAGE = re.compile(r"(?:site|dist)-packages[\\/]([\w.-]+)(?:[\\/](\w+))?")
# A name that is missing says that two packages do not fit; other exceptions that Python itself raises are about data.
_OF_NAMES = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError"})
_OF_DATA = frozenset(
    {"ValueError", "TypeError", "IndexError", "KeyError", "NameError", "AssertionError", "ZeroDivisionError", "FileNotFoundError"}
)
# A script that was started by its name alone: what it misses is most often a part of the same program.
_RELATIVE = re.compile(r"File \"(?![/\\~]|[A-Za-z]:)[^\"\n]+\.py\"")
# Whose package the innermost frame is in, and what that most often means.
_OWNERS = (
    (re.compile(r"keras|tf_keras|tensorflow_estimator"), "keras-incompatible"),
    (re.compile(r"numpy"), "numpy-incompatible"),
    (re.compile(r"google|protobuf"), "protobuf-incompatible"),
    (re.compile(r"tensorflow_\w+|tfx|tf_agents|tf_slim"), "extension-abi-mismatch"),
    (re.compile(r"tensorflow"), "install-corrupt"),
)
_REMARK = re.compile(r"(^|: )[WIE]\d{0,4} .{0,60}\.cc:\d+\]")
_NOT_KNOWN = "the exception is not among the known messages; the innermost file says whose it is"


def beside_gpu(case: Case) -> Verdict | None:
    """Return what the last exception allows to suppose where all that is known are TensorFlow's remarks about the GPU before it.

    They are of level W or I, and TensorFlow goes on without a GPU; a name that is missing has another reason. An exception about data may come
    from an empty list of GPUs, so it is left alone.
    """
    found = list(_EXCEPTION.finditer(case.log.text))
    if not found or found[-1][1] not in _OF_NAMES or re.search(r"gpu|cuda", found[-1][2], re.IGNORECASE):
        return None
    index = case.log.index_at(found[-1].start())
    line = case.log.numbers[index]
    remarks = [hit for hit in case.hits if hit.message.kind == "fault"]
    if not remarks or not all(hit.message.about == "gpu" and hit.line < line and _REMARK.search(hit.seen) for hit in remarks):
        return None
    guess = innermost(case)
    return replace(guess, grade=PROVES) if guess else None


def innermost(case: Case) -> Verdict | None:
    """Return what the last exception allows to suppose, or None where there is no exception of Python."""
    found = list(_EXCEPTION.finditer(case.log.text))
    if not found:
        return None
    last = found[-1]
    name = last[1]
    if name not in _OF_NAMES | _OF_DATA:
        return None
    frames = [item[0] for item in _FRAME.finditer(case.log.text, 0, last.start())]
    package = _PACKAGE.search(frames[-1]) if frames else None
    own_module = name == "ModuleNotFoundError" and bool(frames) and _RELATIVE.match(frames[-1]) is not None
    cause = "user-code"
    if name in _OF_NAMES and package is not None:
        owner = package[2] if package[1].startswith("tensorflow") and package[2] == "keras" else package[1]
        cause = next((code for pattern, code in _OWNERS if pattern.fullmatch(owner or "")), "dependency-incompatible")
    elif name in _OF_NAMES and not own_module and "object has no attribute" not in last[2]:
        cause = "dependency-incompatible"
    index = case.log.index_at(last.start())
    message = Message(
        id="innermost", speaker="python", pattern="", kind="fault", cause=cause, explanation=_NOT_KNOWN, reference="CPython, the traceback"
    )
    hit = Hit(message=message, offset=last.start(), line=case.log.numbers[index], seen=case.log.line(index)[:300], groups={})
    return Verdict(cause=cause, hit=hit, confidence="possible", grade=GUESSES)
