"""What would do where a lock was refused, as a change of the declaration: written into tfsetup.yaml around what stands there.

Only the lines that are added differ: comments, order and quotes of the file stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from provisioner.base.text import mask
from provisioner.catalogue.yaml_text import compose_yaml, parse_yaml
from provisioner.errors import InputError, OperationError
from provisioner.model.record import record
from provisioner.model.team import Index


@record
class Proposal:
    """A change: requirements by what is taken ``instead`` (of, take), packages whose source may be built, a release for all targets, indexes."""

    instead: tuple[tuple[str, str], ...] = ()
    builds: tuple[str, ...] = ()
    tensorflow: str = ""
    indexes: tuple[Index, ...] = ()

    @property
    def empty(self) -> bool:
        """True where it changes nothing."""
        return self == Proposal()


class RefusedError(OperationError):
    """A lock that was refused (code 1), with what would do."""

    proposal = Proposal()


def accepted(text: str, proposal: Proposal, *, file: str, why: str) -> str:
    """Return the text of a tfsetup.yaml with a proposal in it, and ``why`` (a sentence) as a comment before each addition.

    Raises ``InputError`` where the file is written in a way that nothing can be added to.
    """
    comment = f"# {' '.join(mask(why).split())}"
    items = [f"{{of: {json.dumps(of)}, take: {json.dumps(take)}}}" for of, take in proposal.instead]
    text = _with_items(text, ("instead",), items, comment, file) if items else text
    text = _with_items(text, ("policy", "source_builds"), proposal.builds, comment, file) if proposal.builds else text
    text = _with_items(text, ("indexes",), list(map(index_text, proposal.indexes)), comment, file) if proposal.indexes else text
    if proposal.tensorflow:
        text = _with_value(text, "tensorflow", json.dumps(proposal.tensorflow), comment)
    parse_yaml(text, file=file)
    return text


def index_text(index: Index) -> str:
    """Return an index as an item of the declaration's list."""
    said = {"url": json.dumps(index.url), **({"name": index.name} if index.name else {})}
    said |= {"packages": f"[{', '.join(index.packages)}]"} if index.packages else {}
    return f"{{{', '.join(f'{key}: {value}' for key, value in said.items())}}}"


def _with_items(text: str, path: tuple[str, ...], items: Sequence[str], comment: str, file: str) -> str:
    """Add items to the list at a path of keys, and the keys that are not there yet."""
    node, missing = _deepest(compose_yaml(text), path)
    if missing == path:
        return f"{text.rstrip()}\n\n{comment}\n{_block(missing, items)}\n"
    start, flow, column = node.start_mark.index, f"{', '.join(items)}", " " * node.start_mark.column
    if missing:
        if node.flow_style:
            return f"{text[: start + 1]}{missing[0]}: [{flow}]{', ' if node.value else ''}{text[start + 1 :]}"
        return f"{text[:start]}{comment}\n{column}{missing[0]}: [{flow}]\n{column}{text[start:]}"
    if not isinstance(node.value, list):
        words = f"`{'.'.join(path)}` is a single value, to which nothing can be added"
        raise InputError(words, place=file, hint=f"write a list there: [{flow}]")
    if node.flow_style:
        end = node.end_mark.index - 1
        return f"{text[:end].rstrip()}{', ' if node.value else ''}{flow}{text[end:]}"
    after = text.find("\n", len(text[: node.value[-1].end_mark.index].rstrip()))
    after = len(text) if after < 0 else after
    return f"{text[:after]}\n{column}{comment}" + "".join(f"\n{column}- {item}" for item in items) + text[after:]


def _with_value(text: str, key: str, value: str, comment: str) -> str:
    """Give a key at the top another value, or write it there."""
    node, missing = _deepest(compose_yaml(text), (key,))
    if missing:
        return f"{comment}\n{key}: {value}\n{text}"
    line = text.rfind("\n", 0, node.start_mark.index) + 1
    return f"{text[:line]}{comment}\n{text[line : node.start_mark.index]}{value}{text[node.end_mark.index :]}"


def _deepest(node: Any, path: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    """Return the node that lies furthest down a path of keys, and the keys that are not there."""
    for place, name in enumerate(path):
        below = next((value for key, value in getattr(node, "value", ()) or () if key.value == name), None)
        if below is None:
            return node, path[place:]
        node = below
    return node, ()


def _block(keys: tuple[str, ...], items: Sequence[str]) -> str:
    lines = [f"{'  ' * depth}{key}:" for depth, key in enumerate(keys)]
    return "\n".join([*lines, *(f"{'  ' * len(keys)}- {item}" for item in items)])
