"""What changed between two locks: as text, as a document, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from provisioner.lock.difference import Change, LockDiff

SCHEMA = "tfsetup/lock-diff/1"
_TITLES = (
    ("targets", "Targets"),
    ("releases", "TensorFlow"),
    ("needs", "What machines need"),
    ("packages", "Packages"),
    ("settings", "Lock"),
)


def diff_text(diff: LockDiff) -> str:
    """Return the text for a terminal."""
    if diff.empty:
        return "The two locks say the same"
    lines: list[str] = []
    for field, title in _TITLES:
        changes: Sequence[Change] = getattr(diff, field)
        if changes:
            lines += ["", title, *(f"  {_mark(change)} {_words(change)}" for change in changes)]
    return "\n".join(lines[1:])


def _mark(change: Change) -> str:
    return "+" if not change.old else "-" if not change.new else "~"


def _words(change: Change) -> str:
    if change.old and change.new:
        versions = "changed" if change.old == change.new == "changed" else f"{change.old} -> {change.new}"
    else:
        versions = change.old or change.new
    where = f" [{', '.join(change.targets)}]" if change.targets and change.targets != (change.name,) else ""
    return f"{change.name} {versions}{where}{f' ({change.why})' if change.why else ''}"


def diff_markdown(diff: LockDiff) -> str:
    """Return Markdown (GitHub's tables) for a pull request."""
    if diff.empty:
        return "The lock is unchanged."
    lines: list[str] = []
    for field, title in _TITLES:
        changes: Sequence[Change] = getattr(diff, field)
        if changes:
            lines += ["", f"### {title}", "", "| | old | new | targets | |", "| --- | --- | --- | --- | --- |"]
            lines += [
                f"| {' | '.join(_cell(text) for text in (item.name, item.old, item.new, ', '.join(item.targets), item.why))} |"
                for item in changes
            ]
    return "\n".join(lines[1:])


def _cell(text: str) -> str:
    """Return a cell's text; names of packages and versions cannot end a table, texts of a person could."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
