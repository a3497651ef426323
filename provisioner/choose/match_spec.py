"""conda's match specs about virtual packages, held against those of a machine. Pure, and only as much of the language as such specs use.

Source: CEP 29 (match specs): ``name version build``, or ``name version[build="^(a|b)$"]`` with a pattern; ``,`` binds stronger than ``|``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SPEC = re.compile(r"(?P<name>__[a-z0-9_]+)\s*(?P<rest>[^\[]*)(?P<more>\[.*\])?")
_PART = re.compile(r"(?P<sign>>=|<=|==|!=|>|<|=|~=)?\s*(?P<version>[0-9][0-9A-Za-z.]*?)(?P<star>\.?\*)?")


def virtual_name(spec: str) -> str:
    """Return the virtual package that a match spec is about, or "" where it is about a real one."""
    match = _SPEC.match(spec.strip())
    return match["name"] if match else ""


def meets(spec: str, virtual: Iterable[str]) -> bool:
    """True where a machine's virtual packages (``__cuda=12.4=0``) meet a spec; one that cannot be read counts as met."""
    match = _SPEC.fullmatch(spec.strip())
    if match is None:
        return True
    own = next((item.split("=") for item in virtual if item.split("=")[0] == match["name"]), None)
    if own is None:
        return False
    _, version, build = own
    given = (match["rest"] or "").split()
    more = dict(re.findall(r"(version|build)\s*=\s*[\"']([^\"']*)[\"']", match["more"] or ""))
    wanted_version = more.get("version", given[0] if given else "*")
    wanted_build = more.get("build", given[1] if len(given) > 1 else "*")
    return any(_all(part, version) for part in wanted_version.strip("()").split("|")) and _build(wanted_build, build)


def least(spec: str) -> str:
    """Return the lowest version that a spec admits (``__glibc >=2.17,<3.0.a0`` -> ``2.17``), or "" where it names none."""
    match = re.search(r">=\s*([0-9]+(?:\.[0-9]+)*)", spec)
    return match[1] if match else ""


def _all(text: str, version: str) -> bool:
    return all(_one(part.strip(), version) for part in text.split(","))


def _one(text: str, version: str) -> bool:
    if text in {"", "*"}:
        return True
    match = _PART.fullmatch(text)
    if match is None:
        return True
    sign, wanted, star = match["sign"] or "", _numbers(match["version"]), bool(match["star"])
    own = _numbers(version)
    if star or sign in {"=", "~="}:
        begins = own[: len(wanted)] == wanted
        return not begins if sign == "!=" else own >= wanted if sign == ">=" else begins
    order = (own > wanted) - (own < wanted)
    return {"": order == 0, "==": order == 0, "!=": order != 0, ">=": order >= 0, "<=": order <= 0, ">": order > 0, "<": order < 0}[sign]


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers at the start, without zeros at the end: ``3.0.a0`` is as good as 3.0 to say what is older."""
    match = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    found = [int(part) for part in match[0].split(".")] if match else []
    while found and found[-1] == 0:
        found.pop()
    return tuple(found)


def _build(wanted: str, build: str) -> bool:
    if wanted.startswith("^") and wanted.endswith("$"):
        try:
            return re.fullmatch(wanted, build) is not None
        except re.error:
            return True
    return re.fullmatch(re.escape(wanted).replace(r"\*", ".*"), build) is not None
