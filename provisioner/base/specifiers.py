"""PEP 440 version specifiers: the two simple forms at once, everything else by ``packaging``, whose import costs 10 ms of a plan's 100."""

from __future__ import annotations

import re

from provisioner.base.numbers import whole

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
