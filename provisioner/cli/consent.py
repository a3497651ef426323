"""Asking before something is changed."""

from __future__ import annotations

import sys

from provisioner.base.text import shown
from provisioner.errors import ConsentError


def ask(question: str, *, agreed: bool) -> None:
    """Return when the person agrees.

    Raises ``ConsentError`` (code 15) when the answer is no, or when there is no terminal to ask on and consent was not given in advance.
    """
    if agreed:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConsentError("consent is needed, and there is no terminal to ask on", hint="look at the plan, then add --yes")
    sys.stderr.write(f"{shown(question)} [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if answer.strip().lower() not in {"y", "yes"}:
        raise ConsentError("nothing was changed, as you wished")
