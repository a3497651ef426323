"""Asking before something is changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection

from provisioner.base.text import shown
from provisioner.change.recovery import Undoable
from provisioner.choose.nearest import break_options
from provisioner.choose.obstacles import listed
from provisioner.cli.output import say
from provisioner.errors import ConsentError, DeclinedError
from provisioner.model.plan import Plan
from provisioner.report.apply_text import undo_text
from provisioner.report.plan_text import plan_text
from provisioner.verify.neighbours import ALL


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
    if not answer:
        # Ctrl-D leaves the cursor behind the question.
        sys.stderr.write("\n")
    if answer.strip().lower() not in {"y", "yes"}:
        raise DeclinedError("nothing was changed")


def agree_to_plan(*, silent: bool, agreed: bool, broken: Collection[str], verbose: bool) -> Callable[[Plan], None]:
    """Return what shows a plan and asks for it: nobody is asked about what was not shown, however ``silent`` (--json, --quiet) the run is."""

    def agree(made: Plan) -> None:
        if not (silent and agreed):
            say(plan_text(made, interrupted=None, verbose=verbose) + "\n")
        ask_for_plan(made, agreed=agreed, broken=broken)

    return agree


def ask_for_plan(made: Plan, *, agreed: bool, broken: Collection[str]) -> None:
    """Ask for a plan, by name for what of the user's own stops working; raises ``ConsentError`` as ``ask``.

    What was ``agreed`` to in advance does not cover that: ``broken`` names it, or ALL.
    """
    left = () if ALL in broken else tuple(name for name in made.breaking if name not in broken)
    if not left:
        ask("Do this?", agreed=agreed)
        return
    if agreed:
        ways = "; or instead: " + "; or ".join(way.command for way in made.ways) if made.ways else ""
        raise ConsentError(
            f"{listed(left)} would stop working, which --yes does not cover; nothing was changed",
            hint=f"to agree, run the same command again with {break_options(left)} (or TFSETUP_BREAK='{' '.join(left)}'){ways}",
        )
    ask(f"Do this, though {listed(left)} will stop working?", agreed=False)


def agree_to_back(*, silent: bool, agreed: bool) -> Callable[[Undoable], None]:
    """Return what asks whether that which an interrupted run left is taken back, after saying what that is."""

    def agree(found: Undoable) -> None:
        if not (silent and agreed):
            say(undo_text(found))
        ask("Take it back first?", agreed=agreed)

    return agree
