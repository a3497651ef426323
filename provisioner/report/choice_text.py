"""A choice, or why there is none, as lines for people."""

from __future__ import annotations

from provisioner.errors import NoProfileError
from provisioner.model.plan import Choice, GpuJudgement, GpuVerdict, Refusal

_DEVICES = {"cpu": "CPU", "cuda": "CUDA"}
_VERDICTS: dict[GpuVerdict, str] = {
    "native": "native code",
    "ptx": "PTX only",
    "too old": "too old",
    "too new": "too new",
    "unknown": "could not tell",
}


def choice_lines(choice: Choice, *, verbose: bool) -> tuple[str, ...]:
    """Return what was chosen, warnings first, then why, each GPU, and why nothing newer; with ``verbose`` the remedies too."""
    where = f" ({choice.interpreter.path})" if choice.interpreter is not None else ""
    lines = [f"TensorFlow {choice.release} for {_DEVICES[choice.device]} on Python {choice.python}{where}"]
    lines += [f"  warning: {warning}" for warning in choice.warnings]
    lines += [f"  why: {reason}" for reason in choice.reasons]
    lines += _gpus(choice.gpus)
    for refusal in choice.refusals:
        lines += _refusal(refusal, verbose=verbose)
    return tuple(lines)


def _gpus(gpus: tuple[GpuJudgement, ...]) -> list[str]:
    """Give GPUs that are the same one line."""
    same: dict[str, list[str]] = {}
    for gpu in gpus:
        same.setdefault(f"{gpu.name}: {_VERDICTS[gpu.verdict]}; {gpu.why}", []).append(str(gpu.index))
    return [f"  GPU {', '.join(indexes)}: {text}" for text, indexes in same.items()]


def _refusal(refusal: Refusal, *, verbose: bool) -> list[str]:
    lines = [f"  why not {refusal.candidate}: {refusal.why}{f' [{refusal.code}]' if refusal.code else ''}"]
    if verbose and refusal.remedy:
        lines.append(f"    to change that: {refusal.remedy}")
    return lines


def refusal_lines(error: NoProfileError) -> tuple[str, ...]:
    """Return what cannot be met, why each candidate is out, what to do, and the nearest requests that can be met."""
    lines = [f"{error.message[:1].upper()}{error.message[1:]}"]
    lines += [f"  {refusal}" for refusal in error.refusals]
    if error.hint:
        lines.append(f"  what to do: {error.hint}")
    lines += [f"  this would work: tfsetup plan {near}" for near in error.nearest]
    return tuple(lines)
