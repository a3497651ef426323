"""Reads what a person writes for `--tensorflow` and `--python`, and compares versions.

The short forms are the contract's: ``2.15`` means ``==2.15.*``. Whatever has three parts is exact (``2.15.1``), and ``latest`` is no
restriction.
"""

from __future__ import annotations

import re

from provisioner.base.versions import contains, numbers, readable
from provisioner.errors import UsageError

_PREFIX = re.compile(r"\d+(\.\d+)?(\.\*)?|\d+(\.\d+)+\.\*", re.ASCII)
_EXACT = re.compile(r"\d+(\.\d+)+((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?", re.ASCII)
_PRERELEASE = re.compile(r"(?<![<!])(==|===|>=|<=|~=|>)\s*\d+(\.\d+)*\.?(a|b|rc|dev)\d+")


def minor(version: str) -> str:
    """Return ``3.11`` of ``3.11.7``."""
    return ".".join(version.split(".")[:2])


def specifier(text: str, option: str) -> str:
    """Return PEP 440 specifiers for what stands after ``option``, empty where there is no restriction.

    Raises ``UsageError`` when the text is neither a version nor a list of specifiers.
    """
    text = text.strip()
    if text in {"", "latest", "*"}:
        return ""
    if _PREFIX.fullmatch(text):
        return f"=={text.removesuffix('.*')}.*"
    if _EXACT.fullmatch(text):
        return f"=={text}"
    if not readable(text) or not any(character.isdigit() for character in text):
        example = "`3.11` or `>=3.10,<3.13`" if option == "--python" else "`2.15`, `2.15.1`, `>=2.16,<2.19` or `latest`"
        raise UsageError(f"`{option} {text}` is not a version", hint=f"give a version as {example}")
    return text


def names_prerelease(spec: str) -> bool:
    """Return whether specifiers name a pre-release (``>=2.22.0rc0``), which is the only way to get one."""
    return _PRERELEASE.search(spec) is not None


def matches(spec: str, version: str) -> bool:
    """Return whether a full version (``3.11.7``) meets specifiers that ``specifier`` returned."""
    return not spec or contains(spec, version, prereleases=True)


def some_patch_matches(spec: str, python: str) -> bool:
    """Return whether any patch release of a Python (``3.11``) meets the specifiers; CPython has never had 50 patch releases of one."""
    return not spec or any(matches(spec, f"{python}.{patch}") for patch in range(50))


def newest_first(versions: set[str]) -> list[str]:
    """Sort versions made of numbers."""
    return sorted(versions, key=numbers, reverse=True)
