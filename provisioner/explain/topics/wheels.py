"""pip, uv, Poetry and conda find nothing to install: is it the Python, its bits, the platform, the age of pip, or the request?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.causes.grades import ALLOWS, GUESSES, HINTS, PROVES, TELLS
from provisioner.explain.context import Version, numbers
from provisioner.explain.matches import Hit
from provisioner.explain.topics.pip_age import PIP_OF_TODAY, glibc_of, old_pip
from provisioner.explain.verdict import Case, Verdict, says
from provisioner.explain.words import dotted, has_wheels_for, is_tensorflow
from provisioner.remedies.names import GCS, LAST_GCS_OF_WINDOWS

# The last release for Intel Macs (PyPI).
LAST_OF_INTEL_MACS = "2.16"
_FINAL = re.compile(r"\d+(\.\d+)+$")
_NO_SYSTEM = re.compile(r"\b(free|open|net)bsd|solaris|\baix\b|android|termux|cygwin|msys2?|mingw|haiku|\bios\b")
_NO_PYTHON = re.compile(r"\bpypy|graalpy|jython|free.?threaded|\b3\.1[3-9]t\b")
# After this one the name tensorflow-gpu has no release; of itself it is a notice.
_LAST_OF_GPU = (2, 12)
_WORDS_OF_OTHER_SYSTEMS = ("metal", "macos", "text", "io-gcs-filesystem", "io", "directml", "rocm")


def wheel(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """``from versions``: the list that pip gives, or ``none``, against the request and the catalogue."""
    best = min(hits, key=lambda hit: (not hit.group("versions"), hit.offset))
    request = next((hit.group("req").strip() for hit in hits if hit.group("req")), "")
    name = re.split(r"[\s<>=!~\[;(]", request, maxsplit=1)[0].lower().replace("_", "-")
    told = case.circumstances.tensorflow if case.circumstances.wanted or not request else ""
    wanted = next((found[1] for found in re.finditer(r"==\s?v?([\w.]+)", " ".join(hit.group("req") for hit in hits))), told)
    # A terminal that wraps cuts versions apart; the commas hold.
    offered = tuple(item for item in re.sub(r"\s+", "", best.group("versions")).split(",") if re.match(r"\d+\.", item))
    broken = [hit for hit in case.of("transfer") if hit.line <= best.line] if not offered else []
    if broken:
        yield says(
            broken[0], "download-failed", grade=PROVES, why="every try to reach the index failed, so that it was not asked what it has"
        )
        return
    if name and not is_tensorflow(name):
        yield from _other(best, name, case)
        return
    if name == "tensorflow-intel" and not case.circumstances.native_windows and "(from tensorflow" not in case.log.text:
        yield says(
            best, "platform-unsupported", "likely", grade=PROVES, why="tensorflow-intel is what TensorFlow is called on Windows alone"
        )
        yield says(best, "python-unsupported", "possible", grade=ALLOWS, why="on Windows, a Python that it has no wheels for")
        return
    impossible = tuple(_impossible(best, case))
    if impossible and not offered:
        yield from impossible
        return
    if name.endswith("-gpu") and (numbers(wanted)[:2] > _LAST_OF_GPU or ("2.12.0" in offered and wanted and wanted not in offered)):
        why = f"tensorflow-gpu ended with {'2.10' if case.circumstances.native_windows else '2.11'}; its 2.12.0 is only a notice"
        yield says(best, "deprecated-package", "certain" if wanted in {"2.12", "2.12.0"} else "likely", grade=PROVES, why=why)
        return
    yield from _of_list(best, wanted, offered, case) if offered else _of_none(best, name, wanted, case)


def _impossible(hit: Hit, case: Case) -> Iterator[Verdict]:
    """What no release has a wheel for, whatever the Python."""
    now = case.circumstances
    other = _NO_SYSTEM.search(now.told)
    if now.arch == "armv7l" or other or (now.os == "windows" and now.arch == "aarch64"):
        yield says(
            hit, "platform-unsupported", grade=PROVES, why=f"there is no wheel for {other[0] if other else f'{now.os} {now.arch}'.strip()}"
        )
        yield says(hit, "python-unsupported", "possible", grade=GUESSES)
    elif _NO_PYTHON.search(now.told):
        yield says(hit, "python-unsupported", grade=PROVES, why="wheels are for CPython with the global lock only")
    elif now.bits == 32 or (now.arch == "i686" and now.bits == 0):  # noqa: PLR2004 - bits
        # People write x86 for any processor of Intel's; of a 32-bit Python they say the number.
        sure = "32" in now.told or "32 bit" in case.log.text
        why = "the Python is a 32-bit one, for which there is no wheel"
        yield says(hit, "python-32bit", "certain" if sure and now.os == "windows" else "likely", grade=PROVES, why=why)
        yield says(hit, "platform-unsupported", "possible", grade=GUESSES)
    elif now.musl:
        yield says(hit, "platform-unsupported", "certain", grade=PROVES, why="there is no wheel for musl, the C library of Alpine Linux")
        yield says(hit, "python-unsupported", "possible", grade=GUESSES)
    elif now.arch not in {"", "x86_64", "aarch64"}:
        yield says(hit, "platform-unsupported", grade=PROVES, why=f"there is no wheel for {now.arch}")
        yield says(hit, "python-unsupported", "possible", grade=GUESSES)


def _other(hit: Hit, name: str, case: Case) -> Iterator[Verdict]:
    """Another package than TensorFlow: only the general rules hold."""
    if name == GCS and case.circumstances.native_windows:
        yield says(hit, "addon-without-build", "likely", grade=PROVES, why=f"{name} has no wheel for Windows after {LAST_GCS_OF_WINDOWS}")
        return
    if name.endswith(_WORDS_OF_OTHER_SYSTEMS) or case.circumstances.musl:
        now, why = case.circumstances, f"{name} has wheels for some systems and Pythons only"
        # What goes with TensorFlow comes some months after it for a new Python, and for Linux on Intel before all others.
        order = ("platform-unsupported", "python-unsupported")
        first, second = reversed(order) if now.platform in {"", "linux-x86_64"} and now.python >= (3, 12) else order
        yield says(hit, first, "possible", grade=ALLOWS, why=why)
        yield says(hit, "addon-without-build", "possible", grade=ALLOWS, why=why)
        yield says(hit, second, "possible", grade=ALLOWS)
        return
    if name.startswith(("tensorrt-", "nvidia-")):
        # Pinned exactly by the extra, so that no other version serves.
        yield says(
            hit, "resolver-conflict", "likely", grade=ALLOWS, why=f"the extra [and-cuda] asks for a version of {name} that is not there"
        )
        yield says(hit, "addon-without-build", "possible", grade=ALLOWS)
        return
    why = f"{name} is another package than TensorFlow, with wheels of its own"
    yield says(hit, "addon-without-build", "likely", grade=ALLOWS, why=why)
    yield says(hit, "python-unsupported", "possible", grade=ALLOWS)
    yield says(hit, "platform-unsupported", "possible", grade=GUESSES)
    yield says(hit, "resolver-conflict", "possible", grade=GUESSES)


def _of_none(hit: Hit, name: str, wanted: str, case: Case) -> Iterator[Verdict]:
    now, known = case.circumstances, case.knowledge
    python = now.python
    build = known.build(wanted, now.platform) if wanted else None
    if build and now.glibc and numbers(build.glibc) > now.glibc and (not python or python in known.pythons(wanted, now.platform)):
        why = f"TensorFlow {wanted} has wheels for glibc {build.glibc} and later, this system has {dotted(now.glibc)}"
        yield says(hit, "glibc-too-old", grade=PROVES, why=why)
        return
    if name.endswith("-macos") and now.os not in {"", "macos"}:
        yield says(hit, "platform-unsupported", "certain", grade=PROVES, why="tensorflow-macos has wheels for macOS only")
        return
    if name.endswith("-macos") and not wanted:
        yield says(
            hit,
            "deprecated-package",
            "likely",
            grade=HINTS,
            why="since 2.13 it is called tensorflow on a Mac, too; the name ended with 2.16",
        )
    if name.endswith("-gpu") and (not wanted or numbers(wanted)[:2] >= (2, 12)):
        # A Python of that time had a wheel of it, so it is not the name that is at fault.
        ended = bool(wanted) or python >= (3, 11) or not python
        yield says(
            hit,
            "deprecated-package",
            "likely" if ended else "possible",
            grade=HINTS if ended else ALLOWS,
            why="tensorflow-gpu ended with 2.11",
        )
    if wanted and python:
        anywhere, here = known.pythons(wanted, ""), known.pythons(wanted, now.platform)
        if anywhere and python not in anywhere:
            yield says(hit, "python-unsupported", grade=PROVES, why=has_wheels_for(wanted, anywhere, python))
            yield says(hit, "python-32bit", "possible", grade=GUESSES)
            return
        if anywhere and now.platform and not _named_so(name, wanted, case):
            yield says(hit, "platform-unsupported", grade=PROVES, why=f"TensorFlow {wanted} has no wheel of that name for {now.platform}")
            yield says(hit, "python-unsupported", "possible", grade=ALLOWS)
            return
        if here and python in here:
            yield from _fits(hit, wanted, case)
            return
    if python and known.python_too_new(python):
        yield says(hit, "python-unsupported", grade=PROVES, why=f"no release has wheels for Python {dotted(python)}")
        yield says(hit, "python-32bit", "possible", grade=GUESSES)
        return
    other = (now.os == "macos" and now.apple_silicon) or (now.os == "linux" and now.arch == "aarch64")
    if python and not other and known.python_too_old(python):
        yield says(hit, "python-unsupported", grade=TELLS, why=f"Python {dotted(python)} is older than the wheels that are left")
        return
    yield from _undecided(hit, name, wanted, case)


def _fits(hit: Hit, wanted: str, case: Case) -> Iterator[Verdict]:
    """There is a wheel for this Python and system that pip does not take: an old pip on Linux, a 32-bit Python on Windows."""
    now = case.circumstances
    old = tuple(old_pip(hit, case, wanted=wanted))
    yield from old
    why = f"TensorFlow {wanted} has wheels for Python {dotted(now.python)}, but 64-bit ones only"
    if now.os == "windows" or not old:
        yield says(hit, "python-32bit", "possible" if now.os == "macos" else "likely", grade=HINTS, why=why)
    else:
        yield says(hit, "python-32bit", "possible", grade=ALLOWS, why=why)
    yield says(hit, "platform-unsupported", "possible", grade=HINTS if now.os == "macos" else GUESSES)
    yield says(hit, "python-unsupported", "possible", grade=GUESSES)


def _undecided(hit: Hit, name: str, wanted: str, case: Case) -> Iterator[Verdict]:
    """Nothing settles it: a Python that has had wheels as long as the catalogue goes back is not the reason; a newer one once was too new."""
    now, known = case.circumstances, case.knowledge
    if now.os == "macos" and (now.apple_silicon or now.arch == "aarch64") and not name.endswith("-macos") and now.python < (3, 12):
        yield says(hit, "platform-unsupported", grade=HINTS, why="before 2.13 there was no wheel called tensorflow for arm64 macOS")
        yield says(hit, "python-unsupported", "possible", grade=ALLOWS)
        return
    if now.arch == "aarch64" and now.os == "linux":
        yield says(hit, "platform-unsupported", grade=HINTS, why="before 2.10 there was no wheel for aarch64 Linux")
        yield says(hit, "python-unsupported", "possible", grade=ALLOWS)
        return
    since_begin = bool(now.python) and known.python_known_since_begin(now.python, now.platform)
    if since_begin:
        # A 32-bit Python is common on Windows alone.
        few = now.os in {"linux", "macos"}
        why = f"there are wheels for Python {dotted(now.python)}, but 64-bit ones only"
        yield says(hit, "python-32bit", "possible", grade=ALLOWS if few else HINTS, why=why)
        yield says(hit, "python-unsupported", "possible", grade=HINTS if few else ALLOWS)
        yield from old_pip(hit, case, grade=ALLOWS)
    else:
        yield from old_pip(hit, case, wanted=wanted, grade=GUESSES)
        yield says(hit, "python-unsupported", "possible" if not now.python else "likely", grade=HINTS)
        yield says(hit, "python-32bit", "possible", grade=ALLOWS)
    yield says(hit, "platform-unsupported", "possible", grade=GUESSES)


def _of_list(hit: Hit, wanted: str, offered: tuple[str, ...], case: Case) -> Iterator[Verdict]:
    """Versions are offered, but not the one that is wanted."""
    now, known = case.circumstances, case.knowledge
    final = [numbers(item) for item in offered if _FINAL.match(item)] or [numbers(item) for item in offered]
    lowest, highest, want = min(final), max(final), numbers(wanted)
    span = f"offered are {dotted(lowest)} to {dotted(highest)}"
    pythons = known.pythons(wanted, "") if wanted else frozenset()
    if now.python and pythons and now.python not in pythons:
        yield says(hit, "python-unsupported", grade=PROVES, why=has_wheels_for(wanted, pythons, now.python))
        return
    if not want or want < lowest:
        yield says(hit, "python-unsupported", grade=PROVES, why=f"{span}: what is older has no wheel for this Python")
        yield says(hit, "platform-unsupported", "possible", grade=ALLOWS)
        return
    if want > highest:
        yield from _above(hit, wanted, highest, span, case)
        return
    if pythons:
        yield says(hit, "python-unsupported", grade=HINTS, why=f"{span}, without {wanted}")
    else:
        yield says(hit, "resolver-conflict", grade=HINTS, why=f"there is no TensorFlow {wanted}")
        yield says(hit, "python-unsupported", "possible", grade=ALLOWS)


def _above(hit: Hit, wanted: str, highest: Version, span: str, case: Case) -> Iterator[Verdict]:
    """The newest that is offered is older than what is wanted: the last for this Python, or the last that this pip can see."""
    now, known = case.circumstances, case.knowledge
    newest = dotted(highest)
    here = known.pythons(wanted, now.platform)
    follower = next((item for item in reversed(known.known_versions()) if numbers(item) > highest and _FINAL.match(item)), "")
    glibc, glibc_next = (glibc_of(known, item) for item in (newest, follower))
    platform_ends = glibc_next > glibc or (known.release(newest) is None and known.old(newest) is not None)
    pythons_end = bool(follower) and known.pythons(newest, "") - known.pythons(follower, "")
    if now.python and now.python in here and now.os == "macos":
        yield from _above_on_macos(hit, wanted, span, case)
        return
    if now.os == "macos" and not here and known.pythons(wanted, "macos-aarch64") and numbers(LAST_OF_INTEL_MACS)[:2] == highest[:2]:
        why = f"{span}, as for Intel: after {LAST_OF_INTEL_MACS} TensorFlow has wheels for Macs with Apple silicon alone"
        yield says(hit, "platform-unsupported", grade=PROVES, why=why)
        yield says(hit, "wrong-arch-binary", "possible", grade=TELLS, why="on such a Mac this Python runs translated")
        return
    if now.python and now.python in here:
        yield says(
            hit,
            "pip-too-old",
            grade=PROVES,
            why=f"{span}; {wanted} has wheels for Python {dotted(now.python)}, with a tag that an old pip does not know",
        )
        yield says(hit, "platform-unsupported", "possible", grade=ALLOWS)
        return
    if now.python and here:
        yield says(hit, "python-unsupported", grade=PROVES, why=has_wheels_for(wanted, here, now.python))
        return
    if not known.pythons(wanted, ""):
        yield says(hit, "python-unsupported", "possible", grade=ALLOWS, why=f"{span}; {wanted} is not known here")
        yield says(hit, "resolver-conflict", "possible", grade=ALLOWS)
        yield says(hit, "pip-too-old", "possible", grade=GUESSES)
        return
    old_pip = platform_ends and (not pythons_end or known.release(newest) is None)
    first, second = ("pip-too-old", "python-unsupported") if old_pip else ("python-unsupported", "pip-too-old")
    yield says(hit, first, grade=TELLS, why=span)
    yield says(hit, second, "possible", grade=ALLOWS)
    yield says(hit, "platform-unsupported", "possible", grade=ALLOWS)


def _above_on_macos(hit: Hit, wanted: str, span: str, case: Case) -> Iterator[Verdict]:
    """The newer wheels are for a newer macOS, or for the other processor: a Python for Intel on an Apple processor sees those for Intel."""
    now = case.circumstances
    build = case.knowledge.build(wanted, now.platform)
    floor = numbers(build.macos) if build else ()
    if now.macos and floor and now.macos[:2] < floor[:2]:
        why = f"{span}; {wanted} is for macOS {dotted(floor)} and later, this is {dotted(now.macos)}"
        yield says(hit, "macos-too-old", "likely", grade=PROVES, why=why)
        return
    if now.arch == "aarch64" or now.apple_silicon:
        why = f"{span}, as for Intel: this Python runs translated on an Apple processor"
        yield says(hit, "wrong-arch-binary", "possible", grade=TELLS, why=why)
    if not now.pip or now.pip < PIP_OF_TODAY:
        yield says(hit, "pip-too-old", "possible", grade=HINTS, why=span)
    yield says(hit, "platform-unsupported", "possible", grade=HINTS)


def _named_so(name: str, wanted: str, case: Case) -> bool:
    build = case.knowledge.build(wanted, case.circumstances.platform)
    if build is None:
        return case.knowledge.release(wanted) is None
    return not name or name.startswith("tf") or name == "tensorflow-gpu" or name in build.packages.values() or "macos" not in build.platform


JUDGEMENTS = {"wheel": wheel}
