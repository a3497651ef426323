"""From what came back to checks and findings: pure, root cause first."""

from __future__ import annotations

import re

from provisioner.base.names import RELEASED
from provisioner.causes.findings import Findings, Wording
from provisioner.causes.messages import Message, Messages, Seen, classify
from provisioner.model.finding import Check, CheckStatus, Evidence, Severity, Verification
from provisioner.verify import judge_gpu, judge_packages
from provisioner.verify.raw import Child, Expected, Ran, Raw, checks_of, ending

# The checks of the probe on the CPU, in its order: what is not reached is still listed.
ORDER = ("import", "versions", "devices", "matmul", "convolution", "function", "xla", "keras-fit", "save-load", "saved-model")
BAD = frozenset({"failed", "crashed", "timed out"})
EVIDENCE_LINES = 20


def judge(raw: Raw, expected: Expected, *, env: str, python: str, require_gpu: bool, wording: Wording) -> Verification:
    """Judge one run. Pure: the same raw results give the same verification."""
    findings = Findings(wording)
    ran = checks_of(raw.probe)
    failing = not raw.probe.done or any(item.status in BAD for item in ran)
    checks = [*_probe_checks(raw.probe, ran), *judge_packages.checks(raw, expected, findings, failing=failing)]
    wanted = require_gpu or expected.device == "cuda" or bool(raw.around.gpus or raw.around.driver)
    unknown: dict[str, list[Ran]] = {}
    for item in ran:
        if item.status in BAD and not _failed(item, raw, findings):
            unknown.setdefault((item.detail.splitlines() or [item.status])[0][:160], []).append(item)
    for words, items in unknown.items():
        _of_no_known_cause(words, items, findings)
    if not ran or (not raw.probe.done and not any(item.status in {"crashed", "timed out"} for item in ran)):
        _ended_outside_checks(raw.probe, findings)
    gpu_checks, libraries = judge_gpu.judge(raw, expected, findings, env=env, require_gpu=require_gpu)
    checks.extend(gpu_checks)
    _messages(classify(_before_stacks(raw.probe.err), wording.messages), findings, gpu_wanted=wanted, failing=failing)
    return Verification(
        env=env,
        python=python,
        tensorflow=_tensorflow(raw),
        device="cuda" if raw.cuda_build else "cpu" if raw.cuda_build is False else "",
        checks=tuple(checks),
        libraries=libraries,
        findings=findings.ordered(),
    )


def _tensorflow(raw: Raw) -> str:
    versions = raw.ran("versions")
    told = str(versions.data.get("tensorflow", "")) if versions else ""
    owners = [item.version for item in raw.integrity.distributions if item.name in RELEASED]
    return told or (owners[0] if owners else "")


def _probe_checks(child: Child, ran: tuple[Ran, ...]) -> list[Check]:
    checks = [Check(name=item.name, status=item.status, detail=item.detail, seconds=item.seconds, device=item.device) for item in ran]
    reached = {item.name for item in ran}
    last = next((item for item in ran if item.status in BAD and item.name == "import"), ran[-1] if ran else None)
    why = "the import failed" if last and last.name == "import" and last.status == "failed" else ending(child)
    missing: CheckStatus = "skipped"
    checks.extend(Check(name=name, status=missing, detail=f"not run: {why}") for name in ORDER if name not in reached)
    return checks


def _place(item: Ran) -> str:
    return f"check {item.name}" + (f" on {item.device}" if item.device else "")


def _failed(item: Ran, raw: Raw, findings: Findings) -> bool:
    """A check that failed, crashed or hung: its own words first, then what the process said last; False where it failed for no known cause."""
    where = _place(item)
    if item.status == "crashed":
        _crashed(item, raw, findings, where)
        return True
    if item.status == "timed out":
        stack = _tail(raw.probe.err)
        title = f"TensorFlow did not answer: {where} was still running after {raw.probe.limit:.0f} s"
        findings.add("unknown", "error", "possible", Evidence(seen=item.detail, where=where), *_stack(stack), title=title)
        return True
    traceback = str(item.data.get("traceback", item.detail))
    evidence = (Evidence(seen=item.detail, where=where), *_last_frame(traceback))
    message = findings.messages.fault_in(traceback, gpu=bool(item.device) or item.name == "import")
    if message is not None:
        findings.add(message.cause, "error", message.confidence, *evidence, Evidence(seen=message.explanation, where=message.id))
    return message is not None


def _of_no_known_cause(words: str, items: list[Ran], findings: Findings) -> None:
    """Checks that failed with the same words are one finding."""
    what = _place(items[0]) if len(items) == 1 else f"{len(items)} checks"
    evidence = [Evidence(seen=item.detail, where=_place(item)) for item in items]
    frames = [frame for item in items for frame in _last_frame(str(item.data.get("traceback", item.detail)))]
    findings.add("unknown", "error", "possible", *evidence, *frames, title=f"{what} failed: {words}")


def _crashed(item: Ran, raw: Raw, findings: Findings, where: str) -> None:
    child = raw.probe
    evidence = (Evidence(seen=item.detail, where=where), *_stack(_tail(child.err)))
    message = _fault_in(child.err, findings.messages, gpu=bool(item.device))
    illegal, killed = -4, -9
    if message is not None:
        findings.add(message.cause, "error", message.confidence, *evidence, Evidence(seen=message.explanation, where=message.id))
    elif child.code == illegal:
        flags = raw.around.flags
        if flags and "avx" not in flags:
            findings.add("cpu-no-avx", "error", "certain", *evidence, Evidence(seen="avx is not among the flags", where="/proc/cpuinfo"))
        else:
            findings.add("cpu-no-avx", "error", "likely", *evidence)
    elif child.code == killed:
        title = f"The process was killed in {where}, most often by the system for lack of memory"
        findings.add("unknown", "error", "likely", *evidence, title=title)
    else:
        findings.add("unknown", "error", "possible", *evidence, title=f"{where} crashed: {item.detail}")


def _ended_outside_checks(child: Child, findings: Findings) -> None:
    message = _fault_in(child.err, findings.messages, gpu=False)
    evidence = (Evidence(seen=ending(child), where="the interpreter"), *_stack(_tail(child.err)))
    if message is not None:
        findings.add(message.cause, "error", message.confidence, *evidence, Evidence(seen=message.explanation, where=message.id))
    else:
        title = "The interpreter did not start" if not child.events else "The process ended before all checks were made"
        findings.add("unknown", "error", "possible", *evidence, title=f"{title}: {ending(child)}")


def _fault_in(text: str, messages: Messages, *, gpu: bool) -> Message | None:
    found = [item.message for item in classify(text, messages) if item.message is not None]
    return next((message for message in found if message.kind == "fault" and (gpu or message.about != "gpu")), None)


def _tail(text: str) -> str:
    """The stacks that faulthandler wrote, or else the last lines of standard error."""
    before = _before_stacks(text)
    lines = text[len(before) :].splitlines() or text.rstrip().splitlines()[-5:]
    return "\n".join(lines[:EVIDENCE_LINES])


def _before_stacks(text: str) -> str:
    """Standard error without the stacks that faulthandler writes last, at a crash and shortly before the time limit."""
    found = re.search(r"^(Fatal Python error|Timeout \()", text, re.MULTILINE)
    return text[: found.start()] if found else text


def _stack(text: str) -> tuple[Evidence, ...]:
    return (Evidence(seen=text, where="standard error of the process"),) if text else ()


def _last_frame(traceback: str) -> tuple[Evidence, ...]:
    frames = [line.strip() for line in traceback.splitlines() if line.lstrip().startswith('File "')]
    return (Evidence(seen=frames[-1], where="the innermost line of the traceback"),) if frames else ()


def _messages(seen: tuple[Seen, ...], findings: Findings, *, gpu_wanted: bool, failing: bool) -> None:
    """Put what was printed where it belongs: faults to their cause, noise together, and unknown lines in sight."""
    for item in seen:
        message = item.message
        if message is None or message.kind == "context":
            continue
        counted = Evidence(
            seen=f"{item.line} (x{item.count})" if item.count > 1 else item.line, where=f"{message.id}: {message.explanation}"
        )
        if message.kind == "fault" and (message.about != "gpu" or gpu_wanted):
            severity: Severity = "warning" if message.about == "gpu" or not failing else "error"
            findings.add(message.cause, severity, message.confidence, counted)
        else:
            findings.add("harmless-message", "info", "certain", counted)
    unknown = [item for item in seen if item.message is None]
    if unknown:
        shown = [Evidence(seen=item.line[:500], where=f"standard error, {item.count} times") for item in unknown[:EVIDENCE_LINES]]
        count = sum(item.count for item in unknown)
        title = f"{count} lines of output are not known to tfsetup" if count > 1 else "1 line of output is not known to tfsetup"
        findings.add("unknown", "info", "possible", *shown, title=title)
