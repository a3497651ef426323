"""One condarc as data: its keys, values and flags (``#!final``, ``#!top``, ``#!bottom``), or every fault with its line. Pure.

Format: conda's documentation, "Using the .condarc conda configuration file" and "Configuration"; the flags are described in conda's
``conda/common/configuration.py`` (``ParameterFlag``). Values are text here whatever they look like; what they mean is decided by key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from provisioner.model.record import record

Shape = Literal["text", "list", "map", "lists"]
Flag = Literal["", "final", "top", "bottom"]
Items = tuple[tuple[str, Flag], ...]

# Every key that is honoured, with its shape, and what else conda and mamba call it (``aliases`` in conda's base/context.py).
SHAPES: dict[str, Shape] = {
    "channels": "list",
    "channel_alias": "text",
    "default_channels": "list",
    "custom_channels": "map",
    "custom_multichannels": "lists",
    "mirrored_channels": "lists",
    "allowlist_channels": "list",
    "denylist_channels": "list",
    "channel_priority": "text",
    "proxy_servers": "map",
    "ssl_verify": "text",
    "offline": "text",
    "pkgs_dirs": "list",
    "envs_dirs": "list",
    "register_envs": "text",
}
ALIASES = {"channel": "channels", "whitelist_channels": "allowlist_channels", "verify_ssl": "ssl_verify", "envs_path": "envs_dirs"}

# Room for any real file (a few kB) and none for one that is made to fill the memory, by aliases too.
VALUES = 10_000
DEPTH = 32
_WORDS: dict[Shape, str] = {
    "text": "one value",
    "list": "a list of texts",
    "map": "names with a text each",
    "lists": "names with a list of texts each",
}
# conda takes the comment less its leading and trailing ! and #.
_FLAG = r"\s#[!#]*(final|top|bottom)[!#]*\s*$"
_NULLS = {"", "~", "null", "Null", "NULL"}


@record
class Setting:
    """A value as one file or variable gives it; ``source`` names that, ``line`` (from 1) tells where in a file.

    ``value`` is a text, items with their flags, or a dict of either with a flag each. ``flag`` is that of the key.
    """

    key: str
    source: str
    value: Any
    line: int = 0
    flag: Flag = ""

    @property
    def place(self) -> str:
        """Where a person finds it in its source."""
        return f"line {self.line}: {self.key}" if self.line else self.key


def parse_condarc(text: str, source: str) -> tuple[tuple[Setting, ...], tuple[str, ...]]:
    """Return the settings of a file, and its faults as ``place: what was expected``; keys that are not honoured are passed over."""
    import yaml  # noqa: PLC0415 - only where a file is there

    text = text.removeprefix("\ufeff")
    try:
        fault = _hostile(yaml, text)
        if fault:
            return (), (fault,)
        node = yaml.compose(text, Loader=_loader(yaml))
    except yaml.MarkedYAMLError as error:
        return (), (f"{_place(error.problem_mark)}: {error.problem}",)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        return (), ("document: not text that YAML allows: " + str(error).replace("\n", " "),)
    if node is None or _is_null(node):
        return (), ()
    if not isinstance(node, yaml.MappingNode):
        return (), (f"{_place(node.start_mark)}: expected keys with values, as `channels: [conda-forge]`",)
    reading = _Reading(yaml, text, source)
    settings = tuple(setting for key, value in node.value if (setting := reading.setting(key, value)) is not None)
    return settings, tuple(reading.faults)


def _loader(yaml: Any) -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else "document"


def _hostile(yaml: Any, text: str) -> str:
    """Say what no configuration holds, before anything is built from the text: types of its own, depth, several documents."""
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=_loader(yaml))):
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        # A plain `!` only says "text".
        if getattr(event, "tag", None) not in {None, "!"}:
            return f"{_place(event.start_mark)}: tags are not allowed"
        if depth > DEPTH:
            return f"{_place(event.start_mark)}: nested too deeply"
        if documents > 1:
            return f"{_place(event.start_mark)}: expected one document"
        if count > 8 * VALUES:
            return f"{_place(event.start_mark)}: more than a configuration holds"
    return ""


def _is_null(node: Any) -> bool:
    return isinstance(node.value, str) and node.style is None and node.value in _NULLS


class _Reading:
    """Takes the nodes of one file apart; each value counts, so that aliases cannot make few lines stand for millions."""

    def __init__(self, yaml: Any, text: str, source: str) -> None:
        self.yaml = yaml
        self.text = text
        self.source = source
        self.faults: list[str] = []
        self.seen: dict[str, str] = {}
        self.left = VALUES

    def setting(self, key: Any, node: Any) -> Setting | None:
        if not isinstance(key, self.yaml.ScalarNode):
            self.faults.append(f"{_place(key.start_mark)}: expected a plain text as key")
            return None
        name = ALIASES.get(key.value, key.value)
        place = _place(key.start_mark)
        if name in SHAPES and name in self.seen:
            same = f"`{key.value}` is there twice" if self.seen[name] == key.value else f"`{key.value}` means `{self.seen[name]}`: keep one"
            self.faults.append(f"{place}: {same}")
            return None
        if name not in SHAPES or _is_null(node):
            return None
        self.seen[name] = key.value
        before = len(self.faults)
        shape = SHAPES[name]
        value = self._read(shape, node, key.value)
        if len(self.faults) > before:
            return None
        return Setting(key=name, source=self.source, value=value, line=key.start_mark.line + 1, flag=self._line_flag(key))

    def _read(self, shape: Shape, node: Any, name: str) -> Any:
        readers: dict[Shape, Callable[[Any, str], Any]] = {
            "text": self._text,
            "list": self._list,
            "map": lambda found, place: self._map(found, place, "map", self._text),
            "lists": lambda found, place: self._map(found, place, "lists", self._list),
        }
        return readers[shape](node, name)

    def _expected(self, node: Any, name: str, words: str) -> None:
        self.faults.append(f"{_place(node.start_mark)}: {name}: expected {words}")

    def _text(self, node: Any, name: str) -> str:
        self.left -= 1
        if self.left == 0:
            self._expected(node, name, f"less than {VALUES} values in all")
        if not isinstance(node, self.yaml.ScalarNode):
            self._expected(node, name, _WORDS["text"])
            return ""
        # Control characters cannot be part of an address or a path, and would end a line where it is shown.
        if re.search(r"[\x00-\x1f\x7f]", node.value):
            self._expected(node, name, "one line of text")
        return str(node.value)

    def _list(self, node: Any, name: str) -> Items:
        if _is_null(node):
            return ()
        if not isinstance(node, self.yaml.SequenceNode):
            self._expected(node, name, _WORDS["list"])
            return ()
        found: list[tuple[str, Flag]] = []
        for item in node.value:
            if self.left <= 0:
                break
            found.append((self._text(item, name), self._item_flag(item)))
        return tuple(found)

    def _map(self, node: Any, name: str, shape: Shape, read: Callable[[Any, str], Any]) -> dict[str, tuple[Any, Flag]]:
        if not isinstance(node, self.yaml.MappingNode):
            self._expected(node, name, _WORDS[shape])
            return {}
        found: dict[str, tuple[Any, Flag]] = {}
        for key, value in node.value:
            if self.left <= 0:
                break
            label = self._text(key, name)
            if label in found:
                self._expected(key, name, f"`{label[:40]}` once")
            # What is set to nothing is not set.
            if not _is_null(value):
                flag = self._item_flag(value) if isinstance(value, self.yaml.ScalarNode) else self._line_flag(key)
                found[label] = (read(value, f"{name}.{label[:40]}"), flag)
        return found

    def _line_flag(self, key: Any) -> Flag:
        """Return the flag at the end of the line on which a key stands."""
        return _flag(re.search(_FLAG, self._rest(key)))

    def _item_flag(self, node: Any) -> Flag:
        """Return the flag that directly follows a value."""
        return _flag(re.match(r"\s*" + _FLAG, self._rest(node))) if isinstance(node, self.yaml.ScalarNode) else ""

    def _rest(self, node: Any) -> str:
        return self.text[node.end_mark.index :].split("\n", 1)[0]


def _flag(match: re.Match[str] | None) -> Flag:
    words: dict[str, Flag] = {"final": "final", "top": "top", "bottom": "bottom"}
    return words[match[1]] if match else ""
