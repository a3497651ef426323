"""Where no line says anything: what was told of the machine may exclude itself."""

from __future__ import annotations

from provisioner.causes import Message
from provisioner.causes.grades import GUESSES
from provisioner.explain.matches import Hit
from provisioner.explain.topics.gpu import after_windows_gpu, why_newer, why_older
from provisioner.explain.verdict import Case, Verdict
from provisioner.explain.words import has_wheels_for

_TOLD = "no line is known; what is told of the machine does not fit together"


def of_circumstances(case: Case) -> Verdict | None:
    """Return what the versions that were told allow to suppose, or None where they fit, or too little was told."""
    cause, why = _cause(case)
    if not cause or not case.log.starts:
        return None
    message = Message(id="told", speaker="", pattern="", kind="fault", cause=cause, explanation=_TOLD, reference="the catalogue")
    hit = Hit(message=message, offset=0, line=case.log.numbers[-1], seen=case.log.line(len(case.log.starts) - 1)[:300], groups={})
    return Verdict(cause=cause, hit=hit, confidence="possible", grade=GUESSES, why=why)


def _cause(case: Case) -> tuple[str, str]:
    now, known = case.circumstances, case.knowledge
    if not now.tensorflow:
        return "", ""
    if now.native_windows and now.gpu_present and after_windows_gpu(case):
        return "windows-gpu-unsupported", f"TensorFlow {now.tensorflow} on Windows itself uses no GPU: 2.10 was the last that did"
    pythons = known.pythons(now.tensorflow, "")
    if now.wanted and now.python and pythons and now.python not in pythons:
        return "python-unsupported", has_wheels_for(now.tensorflow, pythons, now.python)
    if why_newer(case):
        return "gpu-too-new", why_newer(case)
    if why_older(case):
        return "gpu-too-old", why_older(case)
    return "", ""
