"""The environments of a person as text: in full, or one a line."""

from __future__ import annotations

import shlex

from provisioner.base.text import size_words
from provisioner.errors import AT_WORK
from provisioner.model.status import EnvironmentStatus, Status

SCHEMA = "tfsetup/status/1"
NONE = "No environment is here, and tfsetup has made none on this machine\nMake one: tfsetup apply"
DRIFT_SHOWN = 4


def status_text(status: Status, *, verbose: bool) -> str:
    """Return each environment in a few lines."""
    return "\n\n".join("\n".join(_lines(item, verbose=verbose)) for item in status.environments) or NONE


def list_text(status: Status) -> str:
    """Return one line for each environment, in columns."""
    if not status.environments:
        return NONE
    rows = [("environment", "TensorFlow", "Python", "device", "state")]
    rows += [(item.path, item.tensorflow or "none", item.python or "?", item.device or "-", _state(item)) for item in status.environments]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _state(item: EnvironmentStatus) -> str:
    """Return what a person should know of it first, in a word or two."""
    if item.at_work:
        return "another tfsetup is at work"
    if item.interrupted:
        return "interrupted"
    if item.trouble:
        return "damaged"
    if not item.tensorflow:
        return "no TensorFlow"
    if item.drift:
        return f"changed since ({len(item.drift)})"
    return "verified" if item.verified else "not verified by tfsetup"


def _lines(item: EnvironmentStatus, *, verbose: bool) -> list[str]:
    where = shlex.quote(item.path)
    lines = [f"{item.path} ({item.why})"]
    if item.at_work:
        return [*lines, f"  {AT_WORK}"]
    if item.trouble:
        lines.append(f"  damaged: {item.trouble}; what to do: tfsetup doctor --env {where}")
    elif item.tensorflow:
        name = f" ({item.package})" if item.package != "tensorflow" else ""
        lines.append(f"  TensorFlow {item.tensorflow}{name} on Python {item.python}, for {item.device}; {_kind(item)}")
    else:
        lines.append(f"  no TensorFlow; Python {item.python or 'none'}; {_kind(item)}")
    if item.verified:
        lines.append(f"  verified: {item.checks} checks passed, {item.verified[:16].replace('T', ' ')} UTC")
    elif item.tensorflow:
        lines.append(f"  not verified by tfsetup: tfsetup verify --env {where}")
    if item.drift:
        lines.append(f"  changed since: {_some(item.drift, verbose=verbose)}")
    if item.interrupted:
        lines.append(f"  interrupted: {item.interrupted}")
    if item.kernels:
        lines.append(f"  notebook kernel{'s' if len(item.kernels) > 1 else ''}: {', '.join(item.kernels)}")
    if item.size >= 0:
        kept = f", of which {size_words(item.kept)} are kept for undo" if item.kept > 0 else ""
        lines.append(f"  on disk: {size_words(item.size)}{kept}")
    if item.undo:
        lines.append(f"  undo: `tfsetup undo --env {where}` {item.undo}")
    return lines


def _kind(item: EnvironmentStatus) -> str:
    return "a conda environment" if item.kind == "conda" else "a virtual environment"


def _some(drift: tuple[str, ...], *, verbose: bool) -> str:
    shown = drift if verbose or len(drift) <= DRIFT_SHOWN else drift[:DRIFT_SHOWN]
    more = f", and {len(drift) - len(shown)} more (-v)" if len(shown) < len(drift) else ""
    return ", ".join(shown) + more
