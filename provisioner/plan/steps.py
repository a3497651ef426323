"""The steps of a plan, each with its reason, or why it is not needed. Pure."""

from __future__ import annotations

from provisioner.model.catalogue import Link
from provisioner.model.conda_package import CondaPart
from provisioner.model.plan import Choice, Edit, EnvState, Package, Removal, Step


def steps_of(
    state: EnvState,
    choice: Choice,
    conda: CondaPart | None,
    removals: tuple[Removal, ...],
    packages: tuple[Package, ...],
    links: tuple[Link, ...],
    edits: tuple[Edit, ...],
) -> tuple[Step, ...]:
    """Return the steps in the order in which they are done; one that is not needed says why not."""
    exists = state.exists
    changes = bool(packages or removals or links or edits or not exists or (conda is not None and conda.changes))
    sources = [package.name for package in packages if package.source]
    built = f"; built from source, because no wheel was ever published: {', '.join(sources)}" if sources else ""
    return (
        Step(
            kind="create",
            title=f"Make a {'virtual' if conda is None else 'conda'} environment with Python {choice.python}",
            reason=f"the environment is there, with Python {state.python_version}" if exists else "there is none at that place",
            needed=not exists,
        ),
        *(() if conda is None else (_conda_step(conda),)),
        Step(
            kind="remove",
            title=f"Move {_count(removals, 'item')} out",
            reason="they conflict with the set, or are replaced; undo brings them back" if removals else "nothing there conflicts",
            needed=bool(removals),
        ),
        Step(
            kind="install",
            title=f"Install {_count(packages, 'package')}, each checked by its hash",
            reason=f"they make up the known-good set{built}"
            if packages
            else "the conda packages are the whole set"
            if choice.road == "conda"
            else "every package of the set is there already",
            needed=bool(packages),
        ),
        Step(
            kind="link",
            title=f"Link {len(links)} libraries inside the environment",
            reason=links[0].reason
            if links
            else "the loader finds every library by itself"
            if choice.device == "cuda"
            else "a CPU build opens none",
            needed=bool(links),
        ),
        *(() if conda is None else (_write_step(edits),)),
        Step(
            kind="verify",
            title="Verify: import TensorFlow and compute with it",
            reason="a set is good when it has run here; otherwise the old state comes back"
            if changes
            else "it was verified when it was made; `tfsetup verify` does it again",
            needed=changes,
        ),
        Step(
            kind="receipt",
            title="Write the receipt",
            reason="it is what `verify` and `undo` go by" if changes else "it is there",
            needed=changes,
        ),
    )


def _conda_step(conda: CondaPart) -> Step:
    out = f", and move {_count(conda.removals, 'other')} out" if conda.removals else ""
    return Step(
        kind="conda",
        title=f"Link {_count(conda.packages, 'conda package')}, each checked by its hash{out}",
        reason=f"they meet {', '.join(conda.specs)}" if conda.changes else "every conda package of the set is there already",
        needed=conda.changes,
    )


def _write_step(edits: tuple[Edit, ...]) -> Step:
    return Step(
        kind="write",
        title=f"Write {_count(edits, 'activation file')}",
        reason=edits[0].reason if edits else "they are there",
        needed=bool(edits),
    )


def _count(items: tuple[object, ...], noun: str) -> str:
    return f"1 {noun}" if len(items) == 1 else f"{len(items)} {noun}s"
