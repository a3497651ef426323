"""Every regular expression of the package, and how it is used: found in the source, so that a new one cannot be forgotten."""

from __future__ import annotations

import ast
import functools
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = Path(__file__).parents[2] / "provisioner"
# From everywhere in a text, or from its start alone.
EVERYWHERE = {"search", "finditer", "findall", "sub", "subn", "split"}
ANCHORED = {"match", "fullmatch"}
# They run inside other interpreters, on what these say of themselves; nothing of them is in the process that reads what others wrote.
ELSEWHERE = {"in_process", "payload"}
# Given to a function that tries them on a whole value.
_WHOLE = {"fullmatch"}
HANDED_ON = {
    f"provisioner/catalogue/{name}": _WHOLE
    for name in (
        *(
            f"releases.py:{own}"
            for own in ("_LIBRARY", "_NUMBERS", "_MINOR", "_SPEC", "_PIN", "_FOLDER", "_CAPABILITY", "_DATE", "_CAUSE", "_ADDON")
        ),
    )
}


class Use(NamedTuple):
    """``where`` is the file with the line; ``anywhere`` is false where the expression is only tried at the start."""

    where: str
    pattern: str | bytes
    flags: int
    anywhere: bool


# What no other module may import here: programs of their own, and what only Windows has.
ALONE = {"__main__", "_conda_lock", "_rattler", "_rattler_fetch", "_rattler_look"}
WINDOWS = {("host", name) for name in ("windows", "jobs", "in_use")}


def modules() -> Iterator[tuple[Path, ast.Module, Any]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if ELSEWHERE.isdisjoint(parts) and parts[-1] not in ALONE and parts[-2:] not in WINDOWS:
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield path, ast.parse(path.read_text("utf-8")), importlib.import_module(name)


@functools.lru_cache(maxsize=1)
def uses() -> list[Use]:
    """Expressions in calls of ``re``, then those that were compiled, by the methods that any module calls on their name."""
    called: dict[tuple[str, str], set[str]] = {}
    compiled: list[tuple[str, str, re.Pattern[Any]]] = []
    found: list[Use] = []
    for path, tree, module in modules():
        place = str(path.relative_to(PACKAGE.parent))
        named = _at_module(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in EVERYWHERE | ANCHORED and isinstance(node.value, ast.Name):
                for of in (place, ""):
                    called.setdefault((of, node.value.id), set()).add(node.attr)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_re(node.func.value) and id(node) not in named:
                found.extend(_of_call(node, f"{place}:{node.lineno}", module))
        for name, value in vars(module).items():
            compiled.extend((f"{place}:{name}", name, own) for own in _patterns(value))
    for where, name, pattern in compiled:
        place = where.partition(":")[0]
        methods = HANDED_ON.get(where) or called.get((place, name)) or called.get(("", name), {"search"})
        found.append(Use(where=where, pattern=pattern.pattern, flags=pattern.flags, anywhere=not methods <= ANCHORED))
    return list({(use.pattern, use.flags & ~re.UNICODE, use.anywhere): use for use in found}.values())


def _at_module(tree: ast.Module) -> set[int]:
    """Calls that give a name of a module its value: that name tells how they are used."""
    assigned = [item for item in tree.body if isinstance(item, ast.Assign | ast.AnnAssign)]
    return {id(node) for item in assigned for node in ast.walk(item)}


def _is_re(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "re"


def _patterns(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _patterns(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _patterns(item)


def _of_call(node: ast.Call, where: str, module: Any) -> Iterator[Use]:
    assert isinstance(node.func, ast.Attribute)
    method = node.func.attr
    if method not in EVERYWHERE | ANCHORED | {"compile"} or not node.args:
        return
    flags = 0
    for word in ast.walk(node):
        if isinstance(word, ast.Attribute) and _is_re(word.value) and word.attr.isupper():
            flags |= getattr(re, word.attr)
    for text in _texts(node.args[0], module):
        yield Use(where=where, pattern=text, flags=flags, anywhere=method in EVERYWHERE | {"compile"})


def _texts(node: ast.expr, module: Any) -> Iterator[str | bytes]:
    """The texts that an expression can be; what is only known when it runs (an escaped name) is a word."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        text = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                text += str(part.value)
            else:
                assert isinstance(part, ast.FormattedValue)
                value = vars(module).get(part.value.id) if isinstance(part.value, ast.Name) else None
                text += value if isinstance(value, str) else "word"
        yield text
    elif isinstance(node, ast.BinOp):
        for left in _texts(node.left, module):
            for right in _texts(node.right, module):
                if isinstance(left, str) and isinstance(right, str):
                    yield left + right
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body, module)
        yield from _texts(node.orelse, module)
    elif isinstance(node, ast.Name) and isinstance(vars(module).get(node.id), str | bytes):
        yield vars(module)[node.id]
