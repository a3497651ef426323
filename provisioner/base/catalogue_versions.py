"""The order of release versions as PEP 440 has it, for the plain forms that TensorFlow uses; ``packaging`` costs 15 ms to import."""

from __future__ import annotations

import re

from provisioner.base.numbers import whole

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
