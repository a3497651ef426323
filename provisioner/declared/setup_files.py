"""``setup.cfg`` and ``setup.py`` as the ``[project]`` table (PEP 621) that says the same; ``setup.py`` is parsed and never run. Pure.

Source: setuptools' documentation, "Configuring setuptools using setup.cfg files" and "Keywords". What a ``setup.py`` computes is told, not guessed.
"""

from __future__ import annotations

import ast
import configparser
import warnings
from collections.abc import Mapping
from typing import Any

from provisioner.errors import InputError

# Keywords of setup(), and the keys of [project] that say the same.
_KEYWORDS = {
    "name": "name",
    "version": "version",
    "install_requires": "dependencies",
    "extras_require": "optional-dependencies",
    "python_requires": "requires-python",
}
_FILE = "file:"


def parse_setup_cfg(text: str, name: str) -> dict[str, Any]:
    """Read ``[metadata]`` and ``[options]``; requirements from a file stand as ``-r FILE``. Raises ``InputError`` for what is no such file."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise InputError(f"is no configuration file: {type(error).__name__}", place=name) from None
    version = parser.get("metadata", "version", fallback="").strip()
    found: dict[str, Any] = {
        "name": parser.get("metadata", "name", fallback="").strip(),
        "version": "" if version.startswith(("attr:", _FILE)) else version,
        "requires-python": parser.get("options", "python_requires", fallback="").strip(),
    }
    if parser.has_option("options", "install_requires"):
        found["dependencies"] = _listed(parser.get("options", "install_requires"))
    if parser.has_section("options.extras_require"):
        found["optional-dependencies"] = {extra: _listed(value) for extra, value in parser.items("options.extras_require")}
    return found


def _listed(value: str) -> list[str]:
    if value.strip().startswith(_FILE):
        return [f"-r {part.strip()}" for part in value.strip().removeprefix(_FILE).split(",")]
    # setuptools parts one line at its semicolons, and several at their ends.
    lines = [line.split(" #")[0].strip() for line in (value.strip().splitlines() if "\n" in value else value.split(";"))]
    return [line for line in lines if line and not line.startswith("#")]


def parse_setup_py(text: str, name: str) -> dict[str, Any]:
    """Read what the call of ``setup()`` says in words of its own, or by names that the file gives plain values.

    Raises ``InputError`` for what cannot be parsed. A key that is computed is missing, and named under ``dynamic`` as in PEP 621.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"is no Python that can be read: {type(error).__name__}", place=name) from None
    known = _values(tree)
    call = next((node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_setup(node.func)), None)
    found: dict[str, Any] = {}
    dynamic: list[str] = []
    for keyword in call.keywords if call is not None else ():
        key = _KEYWORDS.get(keyword.arg or "")
        if keyword.arg is None:
            dynamic.append("dependencies")
        elif key:
            value = _value(keyword.value, known)
            if value is _UNKNOWN:
                dynamic.append(key)
            else:
                found[key] = _in_form(key, value)
    return {**found, "dynamic": dynamic} if dynamic else found


def _is_setup(function: ast.expr) -> bool:
    return (isinstance(function, ast.Name) and function.id == "setup") or (isinstance(function, ast.Attribute) and function.attr == "setup")


_UNKNOWN = object()


def _values(tree: ast.Module) -> dict[str, Any]:
    """Return the names to which the file's top gives plain values; one that is given two is none."""
    found: dict[str, Any] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []
        for target in targets:
            if isinstance(target, ast.Name):
                value = getattr(node, "value", None)
                twice = isinstance(node, ast.AugAssign) or target.id in found
                found[target.id] = _UNKNOWN if twice or value is None else _value(value, found)
    return found


def _value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    """Return a plain value: literals, names of them, lists, tuples, dicts, and lists or texts that are added."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return known.get(node.id, _UNKNOWN)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        items = [_value(item, known) for item in node.elts]
        return _UNKNOWN if any(item is _UNKNOWN for item in items) else items
    if isinstance(node, ast.Dict):
        keys = [_value(key, known) if key is not None else _UNKNOWN for key in node.keys]
        values = [_value(value, known) for value in node.values]
        plain = all(isinstance(key, str) for key in keys) and all(value is not _UNKNOWN for value in values)
        return dict(zip(keys, values, strict=True)) if plain else _UNKNOWN
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _value(node.left, known), _value(node.right, known)
        both = isinstance(left, str | list) and type(left) is type(right)
        return left + right if both else _UNKNOWN
    return _UNKNOWN


def _in_form(key: str, value: Any) -> Any:
    """Give a value the form that PEP 621 has for it: a text stands for a list of lines."""
    if key == "dependencies":
        return _lines(value)
    if key == "optional-dependencies":
        return {str(extra): _lines(items) for extra, items in value.items()} if isinstance(value, dict) else {}
    return value if isinstance(value, str) else ""


def _lines(value: Any) -> list[str]:
    texts = value.splitlines() if isinstance(value, str) else value if isinstance(value, list) else []
    return [text.strip() for text in texts if isinstance(text, str) and text.strip() and not text.strip().startswith("#")]
