"""Versions, in the three ways that they are compared: by their numbers, by PEP 440's order, and against PEP 440's specifiers.

glibc, drivers, CUDA and compute capabilities are numbers and dots. The plain forms that TensorFlow's releases and short requests use are judged here,
at once; everything else by ``packaging``, whose import costs 10 ms of a plan's 100.
"""

from __future__ import annotations

import re

from provisioner.base.numbers import runs, whole


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, for comparing: ``525.60.13`` is ``(525, 60, 13)``, and a text without any is ``()``."""
    return runs(version)


# https://peps.python.org/pep-0440/#appendix-b-parsing-version-strings-with-regular-expressions, less epochs, locals and dev releases.
_VERSION = re.compile(r"(?P<release>\d+(?:\.\d+)*)(?:(?P<pre>a|b|rc)(?P<pre_n>\d+))?(?:\.post(?P<post>\d+))?")

_FINAL = ("z", 0)


def is_version(text: str) -> bool:
    """True for a version that ``version_key`` can order: ``2.15.0``, ``2.15.0.post1``, ``2.22.0rc0``."""
    return _VERSION.fullmatch(text) is not None


def version_key(version: str) -> tuple[tuple[int, ...], tuple[str, int], int]:
    """Return a key that sorts as PEP 440 does: ``2.15.0rc1`` < ``2.15.0`` < ``2.15.0.post1`` < ``2.15.1``.

    Raises ``ValueError`` for a form that is not known here.
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        message = f"not a release version: {version!r}"
        raise ValueError(message)
    release = tuple(whole(part) for part in match["release"].split("."))
    pre = (match["pre"], whole(match["pre_n"])) if match["pre"] else _FINAL
    return release, pre, whole(match["post"]) if match["post"] else -1


def is_prerelease(version: str) -> bool:
    """True for ``2.22.0rc0``."""
    return version_key(version)[1] != _FINAL


def minor_of(version: str) -> str:
    """Return the minor that a version belongs to, which names its file: ``2.15`` of ``2.15.0.post1``."""
    return ".".join(str(part) for part in version_key(version)[0][:2])


# ``==2.15.*`` and ``==2.15.1``, which is what short requests (``2.15``, ``2.15.1``) become.
_SIMPLE = r"==\s*(\d+(?:\.\d+)*)(\.\*)?"

_PLAIN_VERSION = r"(\d+(?:\.\d+)*)((?:a|b|rc)\d+)?(\.post\d+)?"


def readable(spec: str) -> bool:
    """True when ``spec`` is a list of specifiers that PEP 440 allows."""
    if re.fullmatch(_SIMPLE, spec):
        return True
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - see above

    try:
        SpecifierSet(spec)
    except ValueError:
        # Not a specifier, or with a number of more digits than Python converts.
        return False
    return True


def contains(spec: str, version: str, *, prereleases: bool | None = None) -> bool:
    """True when ``version`` meets ``spec``; a version that PEP 440 cannot read meets none.

    ``prereleases``: whether a pre-release may meet it; None leaves that to the specifiers, as PEP 440 says. Raises
    ``packaging.specifiers.InvalidSpecifier`` for a ``spec`` that is not ``readable``.
    """
    simple = re.fullmatch(_SIMPLE, spec)
    plain = re.fullmatch(_PLAIN_VERSION, version)
    if simple and plain:
        return _simple_contains(simple, plain, prereleases=bool(prereleases))
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - see above

    try:
        return SpecifierSet(spec).contains(version, prereleases=prereleases)
    except InvalidSpecifier:
        raise
    except ValueError:
        return False


def _simple_contains(simple: re.Match[str], plain: re.Match[str], *, prereleases: bool) -> bool:
    wanted = [whole(part) for part in simple[1].split(".")]
    found = [whole(part) for part in plain[1].split(".")]
    found += [0] * (len(wanted) - len(found))
    if plain[2] and not prereleases:
        return False
    if simple[2]:
        return found[: len(wanted)] == wanted
    wanted += [0] * (len(found) - len(wanted))
    return found == wanted and not plain[2] and not plain[3]
