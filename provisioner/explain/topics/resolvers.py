"""What resolvers and build tools say when nothing fits: uv, Poetry, conda, pip's list of conflicts, a source distribution that is built."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.causes.grades import ALLOWS, GUESSES, HINTS, PROVES, TELLS
from provisioner.explain.context import Version, numbers
from provisioner.explain.matches import Hit
from provisioner.explain.verdict import Case, Verdict, plain, says
from provisioner.explain.words import dotted, has_wheels_for, is_tensorflow
from provisioner.remedies.names import GCS, LAST_GCS_OF_WINDOWS


def built(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A source distribution is built where no wheel fits; for TensorFlow's dependencies that means a Python without wheels."""
    names = {hit.group("built").lower() for hit in hits}
    hit = hits[0]
    if "tensorflow-gpu" in names:
        yield says(hit, "deprecated-package", grade=PROVES)
    if case.knowledge.python_too_new(case.circumstances.python) or case.circumstances.python > (3, 9):
        yield says(hit, "python-unsupported", grade=ALLOWS, why="what has no wheel for this Python is built from its source")
    else:
        yield plain(hit)
    yield says(hit, "dependency-incompatible", "possible", grade=GUESSES)


def uv_platform(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Uv names the tag: a tag of a Python is the Python's fault."""
    for hit in hits:
        following = case.log.text[hit.offset : hit.offset + 500]
        if GCS in following and case.circumstances.native_windows:
            yield says(
                hit, "addon-without-build", "likely", grade=PROVES, why=f"{GCS} has no wheel for Windows after {LAST_GCS_OF_WINDOWS}"
            )
        elif re.search(r"tags?:? \(?(e\.g\.,? )?`?cp\d+", following) and "platform" not in hit.seen.lower():
            yield says(hit, "python-unsupported", grade=PROVES)
        else:
            yield says(hit, "platform-unsupported", grade=PROVES)
            yield says(hit, "python-unsupported", "possible", grade=ALLOWS)


def candidates(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Poetry does not say which part of the tag does not fit."""
    now, known = case.circumstances, case.knowledge
    package = re.search(r"candidates for ([\w.-]+) \(([\w.]+)\)", case.log.text)
    version = package[2] if package and is_tensorflow(package[1]) else ""
    pythons = known.pythons(version, "") if version else frozenset()
    if now.python and pythons and version:
        fits = now.python in pythons
        why = "" if fits else has_wheels_for(version, pythons, now.python)
        yield says(hits[0], "platform-unsupported" if fits else "python-unsupported", grade=PROVES, why=why)
        return
    if package and not version:
        yield says(hits[0], "addon-without-build", grade=TELLS, why=f"{package[1]} {package[2]} is not TensorFlow: the wheels are its own")
    python_first = known.python_too_new(now.python) or "cp3" in case.log.text
    first, second = ("python-unsupported", "platform-unsupported") if python_first else ("platform-unsupported", "python-unsupported")
    yield says(hits[0], first, grade=HINTS)
    yield says(hits[0], second, "possible", grade=ALLOWS)


def no_version(hits: tuple[Hit, ...], _case: Case) -> Iterator[Verdict]:
    """The registry has no such version: for this Python, or at all."""
    yield says(hits[0], "resolver-conflict", "possible")
    yield says(hits[0], "python-unsupported", "possible", grade=ALLOWS)


def conflict(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A conflict of which every way out is closed by the Python is the Python's fault, which the resolver says beside it."""
    hit = hits[0]
    nothing = re.search(r"from versions?:? none", case.log.text)
    if (
        hit.message.id == "conflict"
        and nothing
        and "ResolutionImpossible" not in case.log.text
        and "conflict is caused" not in case.log.text
    ):
        return
    yield plain(hit)


def requires_python(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A package refuses this Python; where the one that runs is in the range that it names, it is not the Python."""
    python = case.circumstances.python
    for hit in hits:
        after = case.log.text[hit.offset : hit.offset + 160].replace("\n", " ")
        named = re.search(r"requires Python ?(['\"]?(?:[<>=!~]=? ?\d[\d.*]*,? ?){1,8})", after)
        if named and python and "different" not in after[:60] and _allows(named[1], python):
            why = f"Python {dotted(python)} is in the range that the package names"
            yield says(hit, "resolver-conflict", "likely", grade=TELLS, why=why)
            yield says(hit, "python-unsupported", "possible", grade=ALLOWS)
        else:
            yield plain(hit)


def _allows(ranges: str, python: Version) -> bool:
    """Whether a Python is in a range of PEP 440, of which no more is read than ``Requires-Python`` uses."""
    for operator, text in re.findall(r"([<>=!~]=?) ?(\d[\d.]*)", ranges):
        bound = numbers(text)[:2]
        out = {"<": python >= bound, "<=": python > bound, ">": python < bound, ">=": python < bound, "!=": python == bound}
        if out.get(operator, False):
            return False
    return True


def installed(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Pip's list of what does not fit after an install; the package that is held names the second cause."""
    for hit in hits:
        yield plain(hit)
        lowered = hit.seen.lower()
        for word, cause in (("protobuf", "protobuf-incompatible"), ("numpy", "numpy-incompatible"), ("keras", "keras-incompatible")):
            if re.search(rf"(requires|requirement) {word}\b", lowered):
                yield says(hit, cause, "likely", grade=ALLOWS)
                break
        else:
            yield says(hit, "dependency-incompatible", "possible", grade=ALLOWS)
    del case


def conda(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A channel without the package: most often the version, then the platform, then the Python."""
    now = case.circumstances
    hit = hits[0]
    if now.bits == 32:  # noqa: PLR2004 - bits
        yield says(hit, "python-32bit", "certain", grade=PROVES, why="the Python is a 32-bit one")
    if re.search(r"(win|linux)-32|osx-arm64|linux-aarch64|linux-armv7l", case.log.text) or now.arch not in {"", "x86_64"}:
        yield says(hit, "platform-unsupported", grade=TELLS)
        yield says(hit, "resolver-conflict", "possible", grade=ALLOWS)
    elif re.search(r"python(=|==|_abi| )", case.log.text):
        yield says(hit, "resolver-conflict", grade=HINTS)
        yield says(hit, "python-unsupported", "possible", grade=ALLOWS)
    else:
        yield says(hit, "platform-unsupported", "possible", grade=ALLOWS)
        yield says(hit, "resolver-conflict", "possible", grade=ALLOWS)
        yield says(hit, "python-unsupported", "possible", grade=GUESSES)


def conda_conflict(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Specifications that exclude each other; where the Python is one side of it, it is named second."""
    asked = re.search(r"^[-│└├─ ]{0,16}python ?(=|==|~=|>=)? ?\d\.\d", case.log.text, re.MULTILINE)
    if asked and "tensorflow" in case.log.text:
        yield says(hits[0], "python-unsupported", grade=TELLS, why="the Python that is asked for is one of the two that exclude each other")
    yield plain(hits[0])
    if not asked and "python" in case.log.text.lower():
        yield says(hits[0], "python-unsupported", "possible", grade=ALLOWS)


JUDGEMENTS = {
    "built": built,
    "uvplatform": uv_platform,
    "candidates": candidates,
    "noversion": no_version,
    "conflict": conflict,
    "requirespython": requires_python,
    "installed": installed,
    "conda": conda,
    "condaconflict": conda_conflict,
}
