"""Asking before something is changed."""

from __future__ import annotations

import sys
from collections.abc import Callable

from provisioner.base.text import shown
from provisioner.change.recovery import Undoable
from provisioner.cli.output import say
from provisioner.errors import ConsentError
from provisioner.model.plan import Plan
from provisioner.report.apply_text import undo_text
from provisioner.report.plan_text import plan_text


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


def agree_to_plan(*, silent: bool, agreed: bool, verbose: bool) -> Callable[[Plan], None]:
    """Return what shows a plan and asks for it: nobody is asked about what was not shown, however ``silent`` (--json, --quiet) the run is."""

    def agree(made: Plan) -> None:
        if not (silent and agreed):
            say(plan_text(made, interrupted=None, verbose=verbose) + "\n")
        ask("Do this?", agreed=agreed)

    return agree


def agree_to_back(*, silent: bool, agreed: bool) -> Callable[[Undoable], None]:
    """Return what asks whether that which an interrupted run left is taken back, after saying what that is."""

    def agree(found: Undoable) -> None:
        if not (silent and agreed):
            say(undo_text(found))
        ask("Take it back first?", agreed=agreed)

    return agree
