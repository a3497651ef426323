"""The verdict rests on what ended the run: what that allows to suppose where no message explains it, and notes above it that say nothing of it."""

from __future__ import annotations

import re
from dataclasses import replace

from provisioner.causes import Message
from provisioner.causes.grades import ENDED, GUESSES
from provisioner.explain.ending import Ending
from provisioner.explain.matches import Hit
from provisioner.explain.verdict import Case, Verdict
from provisioner.remedies.names import misspelt

_FRAME = re.compile(r"File \"([^\"\n]+)\"(?:, line \d+, in (?P<function>[^\n]{1,80}))?|^[~/][^\n]*?(?=:\d+| in )", re.MULTILINE)
_PACKAGE = re.compile(r"(?:site|dist)-?packages[\\/]([\w.-]+)(?:[\\/](\w+))?")
# A name that is missing says that two packages do not fit; other exceptions that Python itself raises are about data.
_OF_NAMES = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError"})
_OF_DATA = frozenset(
    {"ValueError", "TypeError", "IndexError", "KeyError", "NameError", "AssertionError", "ZeroDivisionError", "FileNotFoundError"}
)
# A script that was started by its name alone: what it misses is most often a part of the same program.
_RELATIVE = re.compile(r"File \"(?![/\\~]|[A-Za-z]:)[^\"\n]+\.py\"")
# Whose package the innermost frame is in, and what a missing name there most often means.
_OWNERS = (
    (re.compile(r"keras|tf_keras|tensorflow_estimator"), "keras-incompatible"),
    (re.compile(r"numpy"), "numpy-incompatible"),
    (re.compile(r"google|protobuf"), "protobuf-incompatible"),
    (re.compile(r"tensorflow_\w+|tfx|tf_agents|tf_slim"), "extension-abi-mismatch"),
    (re.compile(r"tensorflow"), "install-corrupt"),
)
# A line that a program logs of itself with its level: I and W are remarks, and after an E about the GPU TensorFlow goes on without one.
_REMARK = re.compile(r"(?:^|: |\] |\d )[WIE]\d{0,4} [^\n]{0,60}\.(?:cc|h):\d+\]")
_MERE = re.compile(
    r"(?:^|: |\] |\d )[WI]\d{0,4} [^\n]{0,60}\.(?:cc|h):\d+\]|^\W{0,4}(?:WARNING(?!! \W{1,4}HDF5)|DEPRECATION|NOTICE|INFO)\b|^\[notice\]",
    re.IGNORECASE,
)
# Words of an exception that may come of a GPU that is not used, and exceptions that an empty list of GPUs raises.
_OF_GPU = re.compile(r"gpu|cuda|cudnn|cublas|device|nccl|ptx|xla|driver", re.IGNORECASE)
_OF_NO_GPU = frozenset({"IndexError", "AssertionError", "RuntimeError"})
# What ends a process is told by another line than the remark of a library that TensorFlow went on without.
_OF_PROCESS = frozenset({"signal", "abort", "kernel"})
# TensorFlow and another package with C++ libraries of its own, imported in one process.
_BOTH = re.compile(
    r"import (torch\w*|pyarrow|cv2|open3d|ray|tink|jax|onnx\w*|paddle|mxnet)\b[^\n]{0,80}[;\n,][^\n]{0,80}(import )?tensorflow|import"
    r" tensorflow[^\n]{0,80}[;\n,]"
    r"[^\n]{0,80}(import )?(torch\w*|pyarrow|cv2|open3d|ray|tink|jax|onnx\w*|paddle|mxnet)\b"
)
# Remarks that explain no end: the work goes on without these.
_NEVER_THE_END = frozenset({"cuda-toolkit-incomplete", "tensorrt-missing", "harmless-message", "install-corrupt", "pip-too-old"})
# What harmless lines are said to be.
_QUIET = frozenset({"tensorrt-missing", "harmless-message"})
# Folders of a program's own, as most programs call them; whoever publishes a package of such a name is nobody that is meant.
_OF_A_PROGRAM = re.compile(
    r"No module named '?(utils?|helpers?|models?|dataset|data|data_utils|libs?|src|common|configs?|core|modules|networks?|nets|losses|trainers?"
    r"|tools|app)\b"
)
_NOT_KNOWN = "the exception is not among the known messages; the innermost file says whose it is"
_NOTHING_BEFORE = "this line ended the run, and no line says why"
_NO_END = "no line says that something failed, and none of them is known"
# An end and what it says may stand on lines beside each other.
_BESIDE = 3


def of_the_end(case: Case, verdicts: list[Verdict]) -> Verdict | None:
    """Return what the end allows to suppose where all that is known are remarks before it that do not explain it, else None."""
    end = case.ending
    faults = [verdict.hit for verdict in verdicts if verdict.hit.message.kind == "fault"]
    if not faults and case.ending.failed and all(verdict.cause in _QUIET for verdict in verdicts):
        guess = innermost(case)
        return replace(guess, grade=ENDED) if guess else None
    if not faults or any(_at_end(hit, case) for verdict in verdicts for hit in _spoken(verdict, case)):
        return None
    if end.kind == "exception":
        if end.name in _OF_NO_GPU or _OF_GPU.search(end.seen):
            return None
        # A name that is missing has nothing to do with a GPU, however gravely that is spoken of.
        remark = _REMARK if end.name in _OF_NAMES else _MERE
        if not all(remark.search(hit.seen) and hit.line < end.line and (remark is _MERE or hit.message.about == "gpu") for hit in faults):
            return None
    elif end.kind not in _OF_PROCESS or not all(_MERE.search(hit.seen) and hit.line < end.line for hit in faults):
        return None
    guess = innermost(case) or unexplained(case)
    return replace(guess, grade=ENDED)


def below_the_end(case: Case, verdicts: list[Verdict]) -> list[Verdict]:
    """Return the verdicts, those of remarks above the end below the one that the end itself is known for."""
    end = case.ending
    if not end.failed or end.kind == "status":
        return verdicts
    if end.kind in _OF_PROCESS and all(item.cause in {*_QUIET, "unknown"} for item in verdicts):
        return [replace(item, grade=GUESSES, confidence="possible") if item.cause in _QUIET else item for item in verdicts]
    known = [
        item
        for item in verdicts
        if item.cause not in {"unknown", "harmless-message"}
        and any(_at_end(hit, case) and not _is_mere(hit) for hit in _spoken(item, case))
    ]
    if not known:
        return verdicts
    return [replace(item, grade=GUESSES, confidence="possible") if _says_nothing(item, known, end) else item for item in verdicts]


def _spoken(verdict: Verdict, case: Case) -> list[Hit]:
    """Every line that a verdict may rest on: it names the first, and the same message may stand at the end as well."""
    same = [hit for hit in case.hits if hit.message.id == verdict.hit.message.id and hit.message.kind == "fault"]
    return same or [verdict.hit]


def _says_nothing(item: Verdict, known: list[Verdict], end: Ending) -> bool:
    """Whether a verdict rests on a remark above an end that is known for another reason; of the same GPU it may be what led to it."""
    if item in known or not _is_mere(item.hit) or item.hit.line >= end.line:
        return False
    if item.cause in _NEVER_THE_END:
        return True
    led = item.hit.message.about == "gpu" and any(other.hit.message.about == "gpu" or "lib" in other.hit.seen for other in known)
    return not led and any(other.confidence != "possible" for other in known)


def innermost(case: Case) -> Verdict | None:
    """Return what the last exception allows to suppose by whose file raised it, or None where Python raised none of those that say something.

    An exception about data that left the program by a call is the program's, as a rule; one that an installed package raises while it is
    imported is not, and one of which no file of the program is seen cannot be told.
    """
    end = case.ending
    if end.kind in _OF_PROCESS and _BOTH.search(case.log.text):
        return _guess(case, "native-library-clash")
    if end.kind != "exception" or end.name not in _OF_NAMES | _OF_DATA:
        return None
    found = list(_FRAME.finditer(case.log.text, 0, case.log.starts[end.index]))
    frames = [item[0] for item in found]
    package = _PACKAGE.search(frames[-1]) if frames else None
    if end.name in _OF_NAMES:
        # Windows does not say which library it lacks; where even the line that says so is cut off, it is the same as where it is not.
        cut = case.circumstances.native_windows and end.name == "ImportError" and "pywrap_tensorflow" in case.log.text
        return _guess(case, "msvc-redist-missing" if cut else _of_name(end, frames, package))
    if package is None:
        return _guess(case, "user-code")
    own = [item for item in found if not _PACKAGE.search(item[0])]
    importing = len(found) > 1 and all((item["function"] or "").startswith("<module>") for item in found)
    if importing:
        return _guess(case, "dependency-incompatible")
    return _guess(case, "user-code") if own else None


def unexplained(case: Case) -> Verdict:
    """Return that the evidence tells no cause, with the line that ended the run; the last line where none says that it failed."""
    end = case.ending
    if not end.failed and not case.log.starts:
        end = Ending()
    elif not end.failed:
        last = len(case.log.starts) - 1
        end = replace(end, index=last, line=case.log.numbers[last], seen=case.log.line(last)[:300])
    return _verdict(case, "unknown", end, _NOTHING_BEFORE if case.ending.failed else _NO_END, "error" if case.ending.failed else "warning")


def _of_name(end: Ending, frames: list[str], package: re.Match[str] | None) -> str:
    if package is not None:
        owner = package[2] if package[1].startswith("tensorflow") and package[2] == "keras" else package[1]
        return next((code for pattern, code in _OWNERS if pattern.fullmatch(owner or "")), "dependency-incompatible")
    own_module = end.name == "ModuleNotFoundError" and bool(frames) and _RELATIVE.match(frames[-1]) is not None
    own_module = own_module or (end.name == "ModuleNotFoundError" and _OF_A_PROGRAM.search(end.seen) is not None)
    if own_module or "object has no attribute" in end.seen or misspelt(end.seen)[1]:
        return "user-code"
    return "dependency-incompatible"


def _guess(case: Case, cause: str) -> Verdict:
    return _verdict(case, cause, case.ending, _NOT_KNOWN, "error")


def _verdict(case: Case, cause: str, end: Ending, means: str, severity: str) -> Verdict:
    message = Message(id="ending", speaker="python", pattern="", kind="fault", cause=cause, explanation=means, reference="how the log ends")
    offset = case.log.starts[end.index] if case.log.starts else 0
    hit = Hit(message=message, offset=offset, line=end.line, seen=end.seen, groups={})
    return Verdict(cause=cause, hit=hit, confidence="possible", grade=GUESSES, severity="warning" if severity == "warning" else "error")


def _at_end(hit: Hit, case: Case) -> bool:
    """Whether a message is of the end: on its line, or close above it and no mere remark (an error has several lines)."""
    return hit.line >= case.ending.line - (0 if _is_mere(hit) else _BESIDE)


def _is_mere(hit: Hit) -> bool:
    return _MERE.search(hit.seen) is not None
