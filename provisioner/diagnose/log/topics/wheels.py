"""pip, uv, Poetry and conda find nothing to install: is it the Python, its bits, the platform, the age of pip, or the request?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.diagnose.log.circumstances import Version, numbers
from provisioner.diagnose.log.recognising import Hit
from provisioner.diagnose.log.verdict import Case, Verdict, says
from provisioner.diagnose.log.words import dotted, has_wheels_for

# Distributions that are TensorFlow itself, whose releases the catalogue knows.
_ITSELF = re.compile(r"(tensorflow|tf[-_]nightly)([-_](cpu|gpu|intel|macos|cpu[-_]aws))?$")
_FINAL = re.compile(r"\d+(\.\d+)+$")
# pip learnt manylinux2010 with 19.0, manylinux2014 with 19.3 (PEP 571, PEP 599); macOS 11 and manylinux_x_y with 20.3 (PEP 600).
_PIP_OF_TODAY = (20, 3)
_TAG = re.compile(r"(?:cp|py)(\d)(\d*)-(\w+?)-([\w.]+?)(?:\.whl)?$")
# The tag systems that a file name can name, as the catalogue calls them.
_SYSTEMS = (("win", "windows"), ("macosx", "macos"), ("manylinux", "linux"), ("musllinux", "linux"), ("linux", "linux"))
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
    if name and not _ITSELF.match(name):
        yield from _other(best, name, case)
        return
    impossible = tuple(_impossible(best, case))
    if impossible and not offered:
        yield from impossible
        return
    yield from _of_list(best, wanted, offered, case) if offered else _of_none(best, name, wanted, case)


def _impossible(hit: Hit, case: Case) -> Iterator[Verdict]:
    """What no release has a wheel for, whatever the Python."""
    now = case.circumstances
    if now.bits == 32 or (now.arch == "i686" and now.bits == 0):  # noqa: PLR2004 - bits
        yield says(hit, "python-32bit", "certain", specific=9, why="the Python is a 32-bit one, for which there is no wheel")
        yield says(hit, "platform-unsupported", "possible", specific=3)
    elif now.musl:
        yield says(hit, "platform-unsupported", "certain", specific=9, why="there is no wheel for musl, the C library of Alpine Linux")
        yield says(hit, "python-unsupported", "possible", specific=3)
    elif now.arch not in {"", "x86_64", "aarch64"}:
        yield says(hit, "platform-unsupported", specific=9, why=f"there is no wheel for {now.arch}")
        yield says(hit, "python-unsupported", "possible", specific=3)


def _other(hit: Hit, name: str, case: Case) -> Iterator[Verdict]:
    """Another package than TensorFlow: only the general rules hold."""
    if name.endswith(_WORDS_OF_OTHER_SYSTEMS) or case.circumstances.musl:
        why = f"{name} has wheels for some systems and Pythons only"
        yield says(hit, "platform-unsupported", "possible", specific=5, why=why)
        yield says(hit, "python-unsupported", "possible", specific=4)
        return
    yield says(hit, "python-unsupported", "possible", specific=5)
    yield says(hit, "platform-unsupported", "possible", specific=3)
    yield says(hit, "resolver-conflict", "possible", specific=2)


def _of_none(hit: Hit, name: str, wanted: str, case: Case) -> Iterator[Verdict]:
    now, known = case.circumstances, case.knowledge
    python = now.python
    if name.endswith("-macos") and now.os not in {"", "macos"}:
        yield says(hit, "platform-unsupported", "certain", specific=9, why="tensorflow-macos has wheels for macOS only")
        return
    if name.endswith("-gpu") and (not wanted or numbers(wanted)[:2] >= (2, 12)):
        yield says(hit, "deprecated-package", "likely", specific=6, why="tensorflow-gpu ended with 2.11")
    if wanted and python:
        anywhere, here = known.pythons(wanted, ""), known.pythons(wanted, now.platform)
        if anywhere and python not in anywhere:
            yield says(hit, "python-unsupported", specific=8, why=has_wheels_for(wanted, anywhere, python))
            yield says(hit, "python-32bit", "possible", specific=3)
            return
        if anywhere and now.platform and not _named_so(name, wanted, case):
            yield says(hit, "platform-unsupported", specific=8, why=f"TensorFlow {wanted} has no wheel of that name for {now.platform}")
            yield says(hit, "python-unsupported", "possible", specific=4)
            return
        if here and python in here:
            yield from _old_pip(hit, case, specific=4)
            yield says(
                hit, "python-32bit", specific=6, why=f"TensorFlow {wanted} has wheels for Python {dotted(python)}, but 64-bit ones only"
            )
            yield says(hit, "platform-unsupported", "possible", specific=4)
            yield says(hit, "python-unsupported", "possible", specific=3)
            return
    if python and known.python_too_new(python):
        yield says(hit, "python-unsupported", specific=8, why=f"no release has wheels for Python {dotted(python)}")
        yield says(hit, "python-32bit", "possible", specific=3)
        return
    if python and known.python_too_old(python):
        yield says(hit, "python-unsupported", specific=7, why=f"Python {dotted(python)} is older than the wheels that are left")
        return
    yield from _undecided(hit, name, case)


def _undecided(hit: Hit, name: str, case: Case) -> Iterator[Verdict]:
    """Nothing settles it: a Python that has had wheels as long as the catalogue goes back is not the reason; a newer one once was too new."""
    now, known = case.circumstances, case.knowledge
    if now.os == "macos" and (now.apple_silicon or now.arch == "aarch64") and not name.endswith("-macos") and now.python < (3, 12):
        yield says(hit, "platform-unsupported", specific=6, why="before 2.13 there was no wheel called tensorflow for arm64 macOS")
        yield says(hit, "python-unsupported", "possible", specific=5)
        return
    if now.arch == "aarch64" and now.os == "linux":
        yield says(hit, "platform-unsupported", specific=6, why="before 2.10 there was no wheel for aarch64 Linux")
        yield says(hit, "python-unsupported", "possible", specific=5)
        return
    since_begin = bool(now.python) and known.python_known_since_begin(now.python)
    if since_begin:
        yield says(
            hit, "python-32bit", "possible", specific=6, why=f"there are wheels for Python {dotted(now.python)}, but 64-bit ones only"
        )
        yield says(hit, "python-unsupported", "possible", specific=5)
        yield from _old_pip(hit, case, specific=4)
    else:
        yield says(hit, "python-unsupported", "possible" if not now.python else "likely", specific=6)
        yield says(hit, "python-32bit", "possible", specific=5)
    yield says(hit, "platform-unsupported", "possible", specific=4)


def _of_list(hit: Hit, wanted: str, offered: tuple[str, ...], case: Case) -> Iterator[Verdict]:
    """Versions are offered, but not the one that is wanted."""
    now, known = case.circumstances, case.knowledge
    final = [numbers(item) for item in offered if _FINAL.match(item)] or [numbers(item) for item in offered]
    lowest, highest, want = min(final), max(final), numbers(wanted)
    span = f"offered are {dotted(lowest)} to {dotted(highest)}"
    pythons = known.pythons(wanted, "") if wanted else frozenset()
    if now.python and pythons and now.python not in pythons:
        yield says(hit, "python-unsupported", specific=9, why=has_wheels_for(wanted, pythons, now.python))
        return
    if not want or want < lowest:
        yield says(hit, "python-unsupported", specific=8, why=f"{span}: what is older has no wheel for this Python")
        yield says(hit, "platform-unsupported", "possible", specific=4)
        return
    if want > highest:
        yield from _above(hit, wanted, highest, span, case)
        return
    if pythons:
        yield says(hit, "python-unsupported", specific=6, why=f"{span}, without {wanted}")
    else:
        yield says(hit, "resolver-conflict", specific=6, why=f"there is no TensorFlow {wanted}")
        yield says(hit, "python-unsupported", "possible", specific=5)


def _above(hit: Hit, wanted: str, highest: Version, span: str, case: Case) -> Iterator[Verdict]:
    """The newest that is offered is older than what is wanted: the last for this Python, or the last that this pip can see."""
    now, known = case.circumstances, case.knowledge
    newest = dotted(highest)
    here = known.pythons(wanted, now.platform)
    follower = next((item for item in reversed(known.known_versions()) if numbers(item) > highest and _FINAL.match(item)), "")
    glibc, glibc_next = (_glibc(known, item) for item in (newest, follower))
    platform_ends = glibc_next > glibc or (known.release(newest) is None and known.old(newest) is not None)
    pythons_end = bool(follower) and known.pythons(newest, "") - known.pythons(follower, "")
    if now.python and now.python in here:
        yield says(
            hit,
            "pip-too-old",
            specific=8,
            why=f"{span}; {wanted} has wheels for Python {dotted(now.python)}, with a tag that an old pip does not know",
        )
        yield says(hit, "platform-unsupported", "possible", specific=5)
        return
    if now.python and here:
        yield says(hit, "python-unsupported", specific=9, why=has_wheels_for(wanted, here, now.python))
        return
    if not known.pythons(wanted, ""):
        yield says(hit, "python-unsupported", "possible", specific=5, why=f"{span}; {wanted} is not known here")
        yield says(hit, "resolver-conflict", "possible", specific=4)
        yield says(hit, "pip-too-old", "possible", specific=3)
        return
    old_pip = platform_ends and (not pythons_end or known.release(newest) is None)
    first, second = ("pip-too-old", "python-unsupported") if old_pip else ("python-unsupported", "pip-too-old")
    yield says(hit, first, specific=7, why=span)
    yield says(hit, second, "possible", specific=5)
    yield says(hit, "platform-unsupported", "possible", specific=4)


def _old_pip(hit: Hit, case: Case, *, specific: int) -> Iterator[Verdict]:
    for notice in case.of("old-pip"):
        if numbers(notice.group("pip")) and numbers(notice.group("pip")) < _PIP_OF_TODAY:
            yield says(hit, "pip-too-old", specific=7, why=f"pip {notice.group('pip')} does not know the tags of today's wheels")
            return
    if case.circumstances.os == "linux":
        yield says(hit, "pip-too-old", "possible", specific=specific)


def _glibc(known: object, version: str) -> Version:
    build = known.build(version, "linux-x86_64") if version else None  # type: ignore[attr-defined]
    return numbers(build.glibc) if build else ()


def _named_so(name: str, wanted: str, case: Case) -> bool:
    build = case.knowledge.build(wanted, case.circumstances.platform)
    if build is None:
        return case.knowledge.release(wanted) is None
    return not name or name.startswith("tf") or name == "tensorflow-gpu" or name in build.packages.values() or "macos" not in build.platform


def tags(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """``is not a supported wheel on this platform``: what the file's name asks for, against this interpreter."""
    now = case.circumstances
    hit = max(hits, key=lambda item: len(item.group("wheel")))
    name = hit.group("wheel") or next((found[0] for found in re.finditer(r"[\w.+-]+\.whl", case.log.text)), "")
    found = _TAG.search(name)
    if not found:
        yield says(hit, "python-unsupported", "possible")
        yield says(hit, "platform-unsupported", "possible", specific=4)
        return
    system = next((value for key, value in _SYSTEMS if found[4].startswith(key)), "")
    arch = next(
        (value for key, value in (("arm64", "aarch64"), ("aarch64", "aarch64"), ("armv7l", "armv7l"), ("64", "x86_64")) if key in found[4]),
        "",
    )
    python: Version = (int(found[1]), int(found[2])) if found[2] else ()
    verdicts = []
    if (system and now.os and system != now.os) or (arch and now.arch and now.arch not in {arch, "i686"}):
        verdicts.append(says(hit, "platform-unsupported", specific=9, why=f"the wheel is for {system} {arch}, this is {now.platform}"))
    if now.musl and "manylinux" in found[4]:
        verdicts.append(says(hit, "platform-unsupported", specific=9, why="the wheel is for glibc, this is musl"))
    if python and now.python and python != now.python and "abi3" not in name:
        why = f"the wheel is for Python {dotted(python)}, this is {dotted(now.python)}"
        verdicts.append(says(hit, "python-unsupported", specific=9, why=why))
    if now.bits == 32:  # noqa: PLR2004 - bits
        verdicts.append(says(hit, "python-32bit", "certain", specific=9, why="the Python is a 32-bit one"))
    floor = re.match(r"macosx_(\d+)_(\d+)", found[4])
    if floor and now.macos and now.macos[:2] < (int(floor[1]), int(floor[2])):
        why = f"the wheel is for macOS {floor[1]}.{floor[2]} and later, this is {dotted(now.macos)}"
        verdicts.append(says(hit, "macos-too-old", specific=8, why=why))
    if verdicts:
        yield from verdicts
        return
    settled = bool(python and now.python)
    if settled and "manylinux" in found[4] and found[4] != "manylinux1_x86_64":
        yield says(hit, "pip-too-old", specific=7, why=f"the Python fits; an old pip does not know {found[4]}")
    yield says(hit, "python-unsupported", "possible" if settled else "likely", specific=4 if settled else 6)
    yield says(hit, "platform-unsupported", "possible", specific=5)
    yield says(hit, "python-32bit", "possible", specific=5 if settled else 3)


JUDGEMENTS = {"wheel": wheel, "wheeltag": tags}
