"""The steps of a plan, each with its reason, or why it is not needed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sized

from provisioner.base.text import mask, size_words
from provisioner.choose.obstacles import listed
from provisioner.model.conda_package import CondaPart
from provisioner.model.facts import PythonDownload
from provisioner.model.plan import Choice, EnvState, Step, StepKind
from provisioner.plan.parts import Change

# The order in which the steps are told.
_APPLY: tuple[StepKind, ...] = ("fetch", "create", "conda", "remove", "install", "link", "write", "kernel", "verify", "receipt")
_REPAIR: tuple[StepKind, ...] = ("fetch", "create", "conda", "remove", "install", "write", "link", "move", "verify", "receipt")


def steps_of(env: EnvState, choice: Choice, change: Change) -> tuple[Step, ...]:
    """Return the steps in order: all of an apply, where one that is not needed says why not; of a repair those that are needed."""
    applied = change.kind == "apply"
    titles = _titles(choice, change)
    needed = _needed(env, choice, change)
    reasons = _apply_reasons(env, choice, change, changes=needed["verify"]) if applied else _repair_reasons(env, change)
    kinds = [kind for kind in _APPLY if _is_told(kind, choice, change)] if applied else _REPAIR
    steps = (Step(kind=kind, title=titles[kind], reason=reasons[kind], needed=needed[kind]) for kind in kinds)
    return tuple(step for step in steps if applied or step.needed)


def _is_told(kind: StepKind, choice: Choice, change: Change) -> bool:
    """Most plans are not about conda or notebooks, and need no Python fetched."""
    if kind in {"fetch", "kernel"}:
        return bool(choice.download if kind == "fetch" else change.kernels)
    return change.conda is not None or kind not in {"conda", "write"}


def _needed(env: EnvState, choice: Choice, change: Change) -> Mapping[StepKind, bool]:
    applied = change.kind == "apply"
    needed: dict[StepKind, bool] = {
        "fetch": choice.download is not None and (change.kind == "rebuild" or (applied and not env.exists)),
        "create": not env.exists if applied else change.kind == "rebuild",
        "conda": change.conda is not None and change.conda.changes,
        "remove": bool(change.removals),
        "install": bool(change.packages or change.checkouts),
        "link": bool(change.links),
        "write": bool(change.edits),
        "move": bool(change.moves),
        "kernel": bool(change.kernels),
    }
    # A repair is proven whatever it does.
    changes = not applied or any(needed.values())
    return {**needed, "verify": changes, "receipt": changes}


def _titles(choice: Choice, change: Change) -> Mapping[StepKind, str]:
    applied, anew = change.kind == "apply", change.kind == "rebuild"
    made = "the environment anew" if not applied else "a virtual environment" if change.conda is None else "a conda environment"
    removed = "the old environment" if anew else _count(change.removals, "item")
    written = _count(change.edits, "activation file") if applied else _count(change.edits, "file or link", "files and links")
    return {
        "fetch": f"Fetch {fetch_words(choice.download)}" if choice.download is not None else "",
        "create": f"Make {made} with Python {choice.python}",
        "conda": _conda_title(change.conda, change) if change.conda is not None else "",
        "remove": f"Move {removed} out",
        "install": _install_title(change),
        "link": _link_title(change),
        "write": f"Write {written}" if applied else f"Write {written} of the environment",
        "move": f"Rename {_count(change.moves, 'entry', 'entries')} of your own",
        "kernel": f"Register the notebook kernel {', '.join(item.label for item in change.kernels)}",
        "verify": "Verify: import TensorFlow and compute with it",
        "receipt": "Write the receipt",
    }


def _link_title(change: Change) -> str:
    if change.links and all(link.text for link in change.links):
        return f"Write {_count(change.links, 'small file')} by which the libraries inside the environment are found"
    return f"Link {_count(change.links, 'library', 'libraries')} inside the environment"


def _install_title(change: Change) -> str:
    packages = f"Install {_count(change.packages, 'package')}, each checked by its hash" if change.packages else ""
    places = listed([f"{item.name} ({mask(item.place)})" for item in change.checkouts])
    return f"{packages or 'Install'}{', and ' if packages else ' '}{places}" if places else packages


def fetch_words(download: PythonDownload) -> str:
    """Say what is fetched, from where, how much is downloaded, and where it is kept."""
    return f"CPython {download.version} by uv from {download.source}, about {size_words(download.size)}, kept in {download.folder}"


def _conda_title(conda: CondaPart, change: Change) -> str:
    # What a repair links anew leaves, too, and is not told twice.
    linked = frozenset[str]() if change.kind == "apply" else {item.identity for item in conda.packages}
    others = [item for item in conda.removals if change.kind != "rebuild" and item.identity not in linked]
    out = f", and move {_count(others, 'other')} out" if others else ""
    return f"Link {_count(conda.packages, 'conda package')}, each checked by its hash{out}"


def _apply_reasons(env: EnvState, choice: Choice, change: Change, *, changes: bool) -> Mapping[StepKind, str]:
    conda, links, edits = change.conda, change.links, change.edits
    specs = f"they meet {', '.join(conda.specs)}" if conda is not None else ""
    found = "the loader finds every library by itself" if choice.device == "cuda" else "a CPU build opens none"
    return {
        "fetch": "no Python that is here fits",
        "create": f"the environment is there, with Python {env.python_version}" if env.exists else "there is none at that place",
        "conda": specs if conda is not None and conda.changes else "every conda package of the set is there already",
        "remove": "they conflict with the set, or are replaced; undo brings them back" if change.removals else "nothing there conflicts",
        "install": _apply_installs(choice, change),
        "link": links[0].reason if links else found,
        "write": edits[0].reason if edits else "they are there",
        "kernel": "Jupyter and VS Code start the environment's own Python by it",
        "verify": "a set is good when it has run here; otherwise the old state comes back"
        if changes
        else "it was verified when it was made; `tfsetup verify` does it again",
        "receipt": "it is what `verify` and `undo` go by" if changes else "it is there",
    }


def _apply_installs(choice: Choice, change: Change) -> str:
    if not change.packages and change.checkouts:
        return "the lock names them, and they are not there in this form"
    if not change.packages:
        return "the conda packages are the whole set" if choice.road == "conda" else "every package of the set is there already"
    sources = [package.name for package in change.packages if package.source]
    built = f"; built from source, because there is no wheel that would do: {', '.join(sources)}" if sources else ""
    return f"they make up the known-good set{built}"


_REPAIR_INSTALLS = {
    "repair": "they are what is damaged, missing or of a version that does not fit",
    "set": "they make up the known-good set; what else is installed stays",
    "rebuild": "they make up the known-good set, and what else you had installed",
}


def _repair_reasons(env: EnvState, change: Change) -> Mapping[StepKind, str]:
    conda = change.conda
    return {
        "fetch": "no Python that is here fits",
        "create": "nothing smaller mends it" if env.python_version else "its Python is gone",
        "conda": conda.removals[0].reason if conda is not None and conda.removals else "they make up the environment",
        "remove": "undo brings back what was moved out",
        "install": _REPAIR_INSTALLS[change.kind],
        "write": change.edits[0].reason if change.edits else "",
        "link": change.links[0].reason if change.links else "",
        "move": change.moves[0].reason if change.moves else "",
        "verify": "a repair is good when it has run here; otherwise the old state comes back",
        "receipt": "it is what `verify` and `undo` go by",
    }


def _count(items: Sized, one: str, many: str = "") -> str:
    return f"1 {one}" if len(items) == 1 else f"{len(items)} {many or one + 's'}"
