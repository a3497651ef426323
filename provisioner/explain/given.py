"""What people hand over in place of a plain log: a notebook's file, a text whose line ends were escaped, lines with the stamp of who carried them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from provisioner.model.json_text import read_json

# Line ends as a program escapes them (JSON, repr), where a line of a log can begin after them; a folder of Windows (C:\\new) is none.
_ESCAPED = re.compile(r"(?<=[\w\])}'\".:;,^~ ])(?:\\{1,2}r)?\\{1,2}n(?=\s|[A-Z\d\[(\"'<>-]|\\|File|$)")
_FEWEST = 3
# GitHub Actions; Docker's steps; R's reprex; Compose; Kubernetes; journald; the rank of a task (srun --label).
_STAMP = re.compile(
    r"^(?:\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d) (?:std(?:err|out) [FP] )?|#\d+ \d+\.\d+ (?=\S)|#> ?"
    r"|[\w.-]{1,40}[-_]\d{1,3} +\| |[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,60} [\w.@-]{1,60}\[\d+\]: |\d{1,4}: (?=\S| {2}))"
)
# No notebook that a person hands over has more cells that say something.
_MOST_CELLS = 5_000


def read_given(text: str) -> str:
    """Return the lines of a log that a text holds: of a notebook those of the last cell that failed, else the text with real line ends."""
    start = text[:200].lstrip()
    if start.startswith("{") and '"cells"' in text:
        said = "\n".join(_of_notebook(text))
        if said.strip():
            return said
    escaped = len(_ESCAPED.findall(text[:200_000]))
    if escaped >= _FEWEST and escaped > 2 * text.count("\n", 0, 200_000):
        return _ESCAPED.sub("\n", text).replace('\\"', '"').replace("\\t", " ")
    return text


def without_stamp(line: str) -> str:
    """Return a line without what a carrier put before it; the time that TensorFlow prints itself stays."""
    return _STAMP.sub("", line)


def _of_notebook(text: str) -> Iterator[str]:
    """The output of the last cell that failed; of all cells where none says so. Nothing where it is no notebook."""
    try:
        data = read_json(text)
    except ValueError:
        return
    cells = data.get("cells") if isinstance(data, dict) else None
    outputs = [_list(cell.get("outputs")) for cell in _list(cells)[:_MOST_CELLS] if isinstance(cell, dict)]
    failed = [item for item in outputs if any(isinstance(output, dict) and output.get("output_type") == "error" for output in item)]
    for item in failed[-1:] or outputs:
        for output in item:
            if isinstance(output, dict):
                yield from _said(output)


def _said(output: dict[str, Any]) -> Iterator[str]:
    if output.get("output_type") == "error":
        trace = [item for item in _list(output.get("traceback")) if isinstance(item, str)]
        yield from trace or [f"{output.get('ename')}: {output.get('evalue')}"]
        return
    said = output.get("text")
    if said is None and isinstance(output.get("data"), dict):
        said = output["data"].get("text/plain")
    yield from (item.rstrip("\n") for item in ([said] if isinstance(said, str) else _list(said)) if isinstance(item, str))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
