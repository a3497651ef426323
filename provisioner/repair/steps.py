"""The steps of a repair plan, each with its reason. Pure."""

from __future__ import annotations

from collections.abc import Sized

from provisioner.model.plan import Plan, Step


def steps_of(plan: Plan) -> tuple[Step, ...]:
    """Return the steps of a repair plan in the order in which they are done; what need not be done is left out but for the proof."""
    anew = plan.kind == "rebuild"
    conda = plan.conda if plan.conda is not None and plan.conda.changes else None
    linked = conda.packages if conda is not None else ()
    out = (
        [item for item in conda.removals if item.identity not in {one.identity for one in linked}] if conda is not None and not anew else []
    )
    made = Step(
        kind="create",
        title=f"Make the environment anew with Python {plan.choice.python}",
        reason="nothing smaller mends it" if plan.env.python_version else "its Python is gone",
        needed=anew,
    )
    installed = Step(
        kind="install",
        title=f"Install {_count(plan.packages, 'package')}, each checked by its hash",
        reason=_installed(plan),
        needed=bool(plan.packages),
    )
    steps = (
        made,
        Step(
            kind="conda",
            title=f"Link {_count(linked, 'conda package')}, each checked by its hash"
            + (f", and move {_count(out, 'other')} out" if out else ""),
            reason=conda.removals[0].reason if conda is not None and conda.removals else "they make up the environment",
            needed=conda is not None,
        ),
        Step(
            kind="remove",
            title="Move the old environment out" if anew else f"Move {_count(plan.removals, 'item')} out",
            reason="undo brings back what was moved out",
            needed=bool(plan.removals),
        ),
        installed,
        Step(
            kind="write",
            title=f"Write {_count(plan.edits, 'file or link', 'files and links')} of the environment",
            reason=plan.edits[0].reason if plan.edits else "",
            needed=bool(plan.edits),
        ),
        Step(
            kind="link",
            title=f"Link {_count(plan.links, 'library', 'libraries')} inside the environment",
            reason=plan.links[0].reason if plan.links else "",
            needed=bool(plan.links),
        ),
        Step(
            kind="move",
            title=f"Rename {_count(plan.moves, 'entry', 'entries')} of your own",
            reason=plan.moves[0].reason if plan.moves else "",
            needed=bool(plan.moves),
        ),
        Step(
            kind="verify",
            title="Verify: import TensorFlow and compute with it",
            reason="a repair is good when it has run here; otherwise the old state comes back",
            needed=True,
        ),
        Step(kind="receipt", title="Write the receipt", reason="it is what `verify` and `undo` go by", needed=True),
    )
    return tuple(step for step in steps if step.needed)


def _installed(plan: Plan) -> str:
    if plan.kind == "rebuild":
        return "they make up the known-good set, and what else you had installed"
    if plan.kind == "set":
        return "they make up the known-good set; what else is installed stays"
    return "they are what is damaged, missing or of a version that does not fit"


def _count(items: Sized, one: str, many: str = "") -> str:
    return f"1 {one}" if len(items) == 1 else f"{len(items)} {many or one + 's'}"
