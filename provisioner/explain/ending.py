"""What ended the run that a log is of: the exception, the signal, the status, the installer's error, the kernel's death; and whose it was.

Recognised by the forms in which programs end, not by what they say: what a message means is the messages' own matter.
"""

from __future__ import annotations

import re
from typing import Literal

from provisioner.explain.reading import Log
from provisioner.model.record import record

# exception: an exception of Python. signal: the system ended the process. abort: the program ended itself (a failed check, terminate, LLVM).
# status: only the number is there. installer: pip, uv, Poetry, conda gave up. kernel: a notebook lost its process. container: none was started.
# cut: a traceback without its last line.
Kind = Literal["", "exception", "signal", "abort", "status", "installer", "kernel", "container", "cut"]

_PLACE = r"^(?:\[[^\]\n]{1,60}\] |E |[^\w\n]{1,4}_?)?"
_EXCEPTION: Kind = "exception"
_SIGNAL: Kind = "signal"
_ABORT: Kind = "abort"
_KERNEL: Kind = "kernel"
_CONTAINER: Kind = "container"
_INSTALLER: Kind = "installer"
_STATUS: Kind = "status"
_CUT: Kind = "cut"
_FORMS: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile("|".join(patterns), flags))
    for kind, flags, patterns in (
        (
            _EXCEPTION,
            0,
            (
                _PLACE + r"(?:[A-Za-z_][\w.]{0,80}\.)?(?P<exception>[A-Z]\w{0,60}(?:Error|Exception|Exit|Interrupt))\b(?=:| ?$)",
                r"^(?:#> )?Error(?: in \S[^\n]{0,80})?: (?:\w+\.)*(?P<other>\w{1,60}(?:Error|Exception))\b",
            ),
        ),
        (
            _SIGNAL,
            re.IGNORECASE,
            (
                r"segmentation fault|\bbus error\b|illegal (?:hardware )?instruction|\(core dumped\)",
                r"^(?:\S{1,200}: (?:line )?)?[\d: ]{0,40}(?:aborted|killed|abgebrochen|terminated)\b(?! by user)|: [\\/|-] killed$",
                r"^(?:zsh|bash|sh): (?:abort|killed|trace trap|floating point exception|segmentation|bus|illegal)|zsh: abort|fatal python error",
                r"\bsig(?:segv|abrt|ill|bus|kill|fpe|trap)\b|trace/breakpoint trap|floating point exception|access violation",
                r"exit(?:ed)?(?: with)? (?:code|status):?,? ?(?:13[2-9]|-?1073\d{6}|0xC0000\w{3}|322122\d{4}|-(?:4|5|6|7|8|9|11)\b)",
                r"\boom-?kill|out of memory: killed",
            ),
        ),
        (
            _ABORT,
            re.IGNORECASE,
            (
                r"check fail(?:ure|ed)|terminate called|libc\+\+abi|terminating (?:app )?due to uncaught|llvm error|^dyld\b",
                r"^(?:[\d\-: .]{0,30})F ?(?:0000|\d{4})? ?[^\n]{0,120}\.(?:cc|h|cpp):\d+\]",
                r"double free or corruption|malloc\(\): |free\(\): invalid|munmap_chunk|corrupted (?:size|unsorted)|stack smashing detected",
                r"forrtl: |mutex lock failed|\[mutex\.cc ?: ?\d+\]|pure virtual method called|fatal error:|omp: error|intel mkl fatal error",
                r"assertion .{1,200} failed",
            ),
        ),
        (
            _KERNEL,
            re.IGNORECASE,
            (
                r"kernel (?:has )?(?:crashed|died|appears to have died|restarting|dead)|the kernel .{0,40}(?:died|crashed)",
                r"your session crashed|kernel process exited|canceled future for execute_request",
            ),
        ),
        (
            _CONTAINER,
            re.IGNORECASE,
            (
                r"error response from daemon|nvidia-container-cli|oci runtime|runc create failed|failed to create (?:shim|containerd) task",
                r"no supported gpu\(s\) detected|could not select device driver",
            ),
        ),
        (
            _INSTALLER,
            0,
            (
                r"^(?:\S{0,40} )?(?:ERROR|CRITICAL|error|Error): (?!root|Process completed|The operation was)(?!.{0,40}\bloss\b)|^ ?\u00d7|^npm ERR!",
                r"\bSolverProblemError\b|UnsatisfiableError|PackagesNotFoundError|ResolvePackageNotFound|ResolutionFailure|ResolutionImpossible",
                r"No matching distribution found|is not a supported wheel|subprocess-exited-with-error|Failed building wheel",
                r"version solving failed|No solution found|THESE PACKAGES DO NOT MATCH|Could not install packages",
            ),
        ),
        (
            _STATUS,
            re.IGNORECASE,
            (
                r"exit(?:ed)?(?: with)?(?: exit)? (?:code|status):? ?-?[1-9]\d*|returned non-zero exit status|\bexit code:? [1-9]",
                r"process completed with exit code [1-9]|the operation was canceled|exited with code [1-9]|finished with exit code -?[1-9]",
                r"executor failed running|failed to solve|srun: error|slurmstepd: error",
            ),
        ),
        (_CUT, 0, (r"^Traceback \(most recent call last\):?|Failed to load the native TensorFlow runtime",)),
    )
)
# What merely repeats that something ended stands after what ended it.
_ECHO: frozenset[Kind] = frozenset({"status", "cut"})
# How a program is ended by hand, or ends as it means to.
_BY_HAND = frozenset({"KeyboardInterrupt", "SystemExit", "GeneratorExit"})
# A line without one of these is of no form: most lines are passed over by this alone.
_CHEAP = re.compile(
    r"err|exception|exit|fault|abort|abgebrochen|illegal|killed|dump|fatal|sig[a-z]{2,4}\b|trap|0xc0|oom|terminat|fail|\.(?:cc|h|cpp):\d|dyld"
    r"|corrupt|free\(|malloc|munmap|lock|pure virtual|violation|smashing|interrupt|assert|kernel|crash|canceled|daemon|nvidia-container|runc"
    r"|detected|device driver|\u00d7|conflict|notfound|impossible|no matching|supported wheel|no solution|packages|traceback",
    re.IGNORECASE,
)
# An end that lies further from the last line than this many lines was not the end.
_NEAR_THE_END = 4_000


@record
class Ending:
    """What ended a run; ``kind`` "" where nothing shows that it failed. ``name`` is the exception's. ``index`` is its line among the kept ones."""

    kind: Kind = ""
    name: str = ""
    index: int = 0
    line: int = 0
    seen: str = ""

    @property
    def failed(self) -> bool:
        """Whether the run failed."""
        return bool(self.kind)


def ending_of(log: Log) -> Ending:
    """Return the last thing in a log that ends a run; what only repeats that it ended counts where nothing else does."""
    echo: Ending | None = None
    last = len(log.starts) - 1
    for index in range(last, max(-1, last - _NEAR_THE_END), -1):
        line = log.line(index)[:2_000]
        if not _CHEAP.search(line):
            continue
        kind, name = _form(line)
        if not kind:
            continue
        found = Ending(kind=kind, name=name, index=index, line=log.numbers[index], seen=line[:300])
        if kind not in _ECHO:
            return found
        echo = echo or found
    return echo or Ending()


def _form(line: str) -> tuple[Kind, str]:
    for kind, pattern in _FORMS:
        found = pattern.search(line)
        if found is None:
            continue
        name = (found["exception"] or found["other"]) if kind == "exception" else ""
        if name not in _BY_HAND:
            return kind, name
    return "", ""
