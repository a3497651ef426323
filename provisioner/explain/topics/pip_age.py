"""Whether pip is too old to know the tag of a wheel."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.causes.grades import ALLOWS, HINTS, PROVES, TELLS
from provisioner.explain.context import Version, numbers
from provisioner.explain.matches import Hit
from provisioner.explain.verdict import Case, Verdict, says
from provisioner.explain.words import dotted

# pip learnt manylinux2010 with 19.0, manylinux2014 with 19.3 (PEP 571, PEP 599); macOS 11 and manylinux_x_y with 20.3 (PEP 600).
PIP_OF_TODAY = (20, 3)
_PIP_OF_MANYLINUX1 = (8, 1)
# manylinux1, 2010 and 2014 are wheels for glibc 2.5, 2.12 and 2.17; what is newer is manylinux_x_y.
_PIP_OF_GLIBC: tuple[tuple[Version, Version], ...] = (
    ((2, 5), _PIP_OF_MANYLINUX1),
    ((2, 12), (19, 0)),
    ((2, 17), (19, 3)),
    ((99,), PIP_OF_TODAY),
)


def old_pip(hit: Hit, case: Case, *, wanted: str = "", grade: int = 0) -> Iterator[Verdict]:
    """Say that pip is too old where its version shows it; where that is not known, that it may be, on Linux."""
    now = case.circumstances
    # Without a version pip takes the newest that it sees: none for Python 3.8 and later was manylinux1.
    first = (2, 12) if now.python >= (3, 8) else (2, 5)
    needed = _pip_for(glibc_of(case.knowledge, wanted) if wanted else first) if now.os in {"", "linux"} else (1, 4)
    if now.pip:
        if now.pip < needed:
            why = f"pip {dotted(now.pip)} does not know the tag of the wheel, pip {dotted(needed)} is the first that does"
            yield says(hit, "pip-too-old", grade=PROVES, why=why)
        return
    for notice in case.of("old-pip"):
        if numbers(notice.group("pip")) and numbers(notice.group("pip")) < needed:
            yield says(hit, "pip-too-old", grade=TELLS, why=f"pip {notice.group('pip')} does not know the tags of today's wheels")
            return
    if now.os == "linux":
        yield says(hit, "pip-too-old", "possible", grade=grade or (HINTS if needed > _PIP_OF_MANYLINUX1 else ALLOWS))


def _pip_for(glibc: Version) -> Version:
    """The first pip that knows the manylinux tag of a wheel for this C library."""
    return next(pip for most, pip in _PIP_OF_GLIBC if glibc <= most)


def glibc_of(known: object, version: str) -> Version:
    """Return the C library that a release needs; () where nobody knows."""
    build = known.build(version, "linux-x86_64") if version else None  # type: ignore[attr-defined]
    return numbers(build.glibc) if build else ()
