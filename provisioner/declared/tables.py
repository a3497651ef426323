"""The tables of Poetry, pipenv, PDM, Hatch and uv, in the words of PEP 508 and PEP 735, and of pip's for what these cannot say. Pure.

Sources: Poetry's documentation, "Dependency specification" and "Managing dependencies"; pipenv's, "Pipfile"; PDM's, "Manage dependencies"; Hatch's,
"Environment configuration"; uv's, "Managing dependencies".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from provisioner.base.names import normalise
from provisioner.declared.direct import ARCHIVES

_REVISIONS = ("rev", "tag", "branch", "ref")
_PLATFORMS = {"windows": "win32"}


def table(data: Any, *keys: str) -> Mapping[str, Any]:
    """Return a table of a document, empty where there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def texts(value: Any) -> list[str]:
    """Return the texts of a list, none where it is no list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def lines(entries: Mapping[str, Any], *, caret: bool, optional: bool = False) -> Iterator[str]:
    """Yield a table of names and versions (Poetry, pipenv) as lines of a requirements file; ``caret``: a bare version is exact, ``^`` is known.

    The optional ones are yielded with ``optional`` alone; Python itself is none of them.
    """
    for name, said in entries.items():
        for value in said if isinstance(said, list) else [said]:
            item = value if isinstance(value, dict) else {"version": value}
            if normalise(name) != "python" and (item.get("optional") is True) == optional:
                yield _line(name, item, caret=caret)


def _line(name: str, item: Mapping[str, Any], *, caret: bool) -> str:
    extras = texts(item.get("extras"))
    full = f"{name}[{','.join(extras)}]" if extras else name
    marker = _marker(item)
    path = item.get("path") or item.get("file")
    if isinstance(item.get("git"), str):
        line = f"{full} @ {_git(item)}"
    elif isinstance(item.get("url"), str) or (isinstance(path, str) and "://" in path):
        line = f"{full} @ {item.get('url') or path}"
    elif isinstance(path, str) and path.lower().endswith(ARCHIVES):
        line = f"{full} @ file:{quote(path)}"
    elif isinstance(path, str):
        editable = item.get("develop") is True or item.get("editable") is True
        plain = path if path.startswith((".", "/", "~")) else f"./{path}"
        return f"{'-e ' if editable else ''}{plain}{full.removeprefix(name)}"
    else:
        version = item.get("version", "*")
        line = f"{full}{specifier(version, caret=caret) if isinstance(version, str) else ''}"
    return f"{line} ; {marker}" if marker else line


def _git(item: Mapping[str, Any]) -> str:
    """Return the address of a repository as pip writes it; of ``git@host:path`` the form with ssh://."""
    url = str(item["git"])
    short = re.fullmatch(r"(?:ssh://)?([\w.-]+@[\w.-]+):(?![0-9]+/)(\S+)", url)
    url = f"ssh://{short[1]}/{short[2]}" if short else url
    revision = next((item[key] for key in _REVISIONS if isinstance(item.get(key), str)), "")
    folder = item.get("subdirectory")
    return f"git+{url.removeprefix('git+')}{f'@{revision}' if revision else ''}{f'#subdirectory={folder}' if folder else ''}"


def _marker(item: Mapping[str, Any]) -> str:
    """Return the marker that a table's keys stand for: ``markers``, Poetry's ``python`` and ``platform``."""
    python, platform = item.get("python"), item.get("platform")
    found = [f"({item['markers']})"] if isinstance(item.get("markers"), str) else []
    if isinstance(python, str):
        clauses = re.findall(r"([<>=!~]=?=?)\s*([0-9][0-9.]*(?:\.\*)?)", specifier(python, caret=True))
        found += [f"python_version {operator} '{version}'" for operator, version in clauses]
    if isinstance(platform, str):
        found.append(f"sys_platform == '{_PLATFORMS.get(platform, platform)}'")
    return found[0][1:-1] if len(found) == 1 and found[0].startswith("(") else " and ".join(found)


def groups(data: Mapping[str, Any]) -> Any:
    """Return the dependency groups of a ``pyproject.toml`` under PEP 735's rules: its own, and those that tools keep in tables of theirs.

    Where its own are no table, they are returned as they are, to be refused.
    """
    own = data.get("dependency-groups", {})
    if not isinstance(own, dict):
        return own
    tool = table(data, "tool")
    found: dict[str, Any] = {}
    for name, group in table(tool, "poetry", "group").items():
        found[name] = list(lines(table(group, "dependencies"), caret=True))
    old = table(tool, "poetry", "dev-dependencies")
    found |= {"dev": list(lines(old, caret=True))} if old else {}
    found |= {name: texts(value) for name, value in table(tool, "pdm", "dev-dependencies").items()}
    for name, env in table(tool, "hatch", "envs").items():
        listed = texts(table({"env": env}, "env").get("dependencies")) + texts(table({"env": env}, "env").get("extra-dependencies"))
        found |= {name: listed} if listed else {}
    dev = texts(table(tool, "uv").get("dev-dependencies"))
    found |= {"dev": [*found.get("dev", []), *dev]} if dev else {}
    return found | own


def poetry_project(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return Poetry's own table as the ``[project]`` table (PEP 621) that says the same, {} where there is none."""
    poetry = table(data, "tool", "poetry")
    if not poetry:
        return {}
    entries = table(poetry, "dependencies")
    optional: dict[str, list[str]] = {}
    for name, said in entries.items():
        optional.setdefault(normalise(name), []).extend(lines({name: said}, caret=True, optional=True))
    extras = {
        extra: [line for name in texts(names) for line in optional.get(normalise(name), ())]
        for extra, names in table(poetry, "extras").items()
    }
    python = next((said for name, said in entries.items() if normalise(name) == "python"), "")
    return {
        "name": poetry.get("name", ""),
        "version": poetry.get("version", ""),
        "dependencies": list(lines(entries, caret=True)),
        "optional-dependencies": extras,
        "requires-python": specifier(python, caret=True) if isinstance(python, str) else "",
    }


def flat_indexes(uv: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the folders and pages in which uv's ``[tool.uv]`` finds files (``find-links``, and indexes of the ``flat`` format)."""
    indexes = uv.get("index")
    flat = (
        [item.get("url") for item in indexes if isinstance(item, dict) and item.get("format") == "flat"]
        if isinstance(indexes, list)
        else []
    )
    return tuple(dict.fromkeys([*texts(uv.get("find-links")), *texts(flat)]))


def with_sources(line: str, name: str, extras: tuple[str, ...], marker: str, sources: Mapping[str, Any]) -> str:
    """Return a requirement as uv's ``[tool.uv.sources]`` redirect it: to a repository, an address, a folder; else as it is."""
    found = next((value for key, value in sources.items() if normalise(key) == name), None)
    options = found if isinstance(found, list) else [found]
    item = next((value for value in options if isinstance(value, dict) and {"git", "url", "path"} & set(value)), None)
    if item is None or " @ " in line:
        return line
    own = {**item, "extras": list(extras), **({"markers": marker} if marker else {})}
    own.pop("marker", None)
    return _line(name, own, caret=False)


def specifier(text: str, *, caret: bool) -> str:
    """Turn Poetry's and pipenv's words for versions into PEP 440's: ``^1.2`` is ``>=1.2,<2``, ``~1.2`` is ``>=1.2,<1.3``, ``*`` is nothing."""
    return ",".join(filter(None, (_clause(part.strip(), caret=caret) for part in text.split(","))))


def _clause(text: str, *, caret: bool) -> str:
    if text in {"", "*"}:
        return ""
    found = re.fullmatch(r"(\^|~(?!=))?\s*(\d+(?:\.\d+)*)(\S*)", text)
    if found is None or (found[1] is None and not caret):
        return text if re.match(r"[=<>!~]", text) else f"=={text}"
    if found[1] is None:
        return f"=={text}"
    numbers = [int(part[:9]) for part in found[2].split(".")]
    place = (
        next((index for index, number in enumerate(numbers) if number), len(numbers) - 1) if found[1] == "^" else min(1, len(numbers) - 1)
    )
    upper = [*numbers[:place], numbers[place] + 1]
    return f">={found[2]}{found[3]},<{'.'.join(map(str, upper))}"
