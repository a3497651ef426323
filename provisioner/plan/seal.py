"""A plan put together out of its two halves and sealed, and the digest of the facts that it rests on. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from provisioner.model import codec
from provisioner.model.facts import Facts, Interpreter, PythonDownload
from provisioner.model.mark import Mark
from provisioner.model.plan import Interrupted, Moved, Plan
from provisioner.model.preflight import Preflight
from provisioner.plan.parts import Change, PlanInputs
from provisioner.plan.steps import fetch_words, steps_of

SCHEMA = "tfsetup/plan/1"
# How much larger conda packages are unpacked: the index does not tell (conda-forge's Python, cudatoolkit and cuDNN: 1.6 to 3.6 times).
CONDA_GROWTH = 3


def digest(data: Any) -> str:
    """Return the SHA-256 of JSON data in its canonical text (keys sorted, no blanks)."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def facts_digest(facts: Facts, interpreter: Interpreter | None) -> str:
    """Return the digest of the facts that a decision rests on.

    System, C library, processor features, GPUs, driver and the chosen interpreter; not disk space, other interpreters or variables, which
    change by the hour.
    """
    system = facts.system
    return digest(
        codec.to_data(
            (
                system.os.value,
                system.architecture.value,
                system.libc.value,
                facts.cpu.features.value,
                tuple((gpu.name, gpu.compute_capability.value) for gpu in facts.gpus.value or ()),
                facts.driver.release.value,
                interpreter,
            )
        )
    )


def seal(plan: Plan) -> str:
    """Return the seal that belongs on ``plan``."""
    return digest(codec.to_data(replace(plan, seal="")))


def with_seen(plan: Plan, preflight: Preflight, interrupted: Interrupted | None, unmended: tuple[Mark, ...] = ()) -> Plan:
    """Return the plan with what was seen when it was made, sealed; whoever executes it looks anew."""
    seen = replace(plan, preflight=preflight, interrupted=interrupted, unmended=unmended)
    return replace(seen, seal=seal(seen))


def moved_words(moved: Sequence[Moved]) -> str:
    """Say that a set of which packages moved was not run as it is, as the end of what was run of it; "" where none moved."""
    others = ", ".join(f"{item.name} {item.version} in place of {item.pin}" for item in moved)
    return f"; this very set was not run: it has {others}" if moved else ""


def sealed(inputs: PlanInputs, change: Change) -> Plan:
    """Return the plan that does ``change``: with its steps, its sizes in bytes, what it changes outside the environment, and its seal."""
    by_conda = sum(item.size for item in change.conda.packages) if change.conda is not None else 0
    fetched = _fetched(inputs, change)
    plan = Plan(
        tool=inputs.tool,
        made=inputs.made,
        machine=inputs.machine,
        request=inputs.request,
        facts=facts_digest(inputs.facts, inputs.choice.interpreter),
        catalogue=inputs.catalogue,
        env=inputs.site.state,
        choice=inputs.choice,
        lock=inputs.lock.digest if inputs.lock is not None else "",
        proof=inputs.proof + moved_words(inputs.moved),
        steps=steps_of(inputs.site.state, inputs.choice, change),
        packages=change.packages,
        unchanged=change.unchanged,
        removals=change.removals,
        links=change.links,
        download=by_conda + sum(item.size for item in change.packages) + (fetched.size if fetched else 0),
        disk=CONDA_GROWTH * by_conda + sum(item.unpacked for item in change.packages) + (fetched.unpacked if fetched else 0),
        outside=_outside(inputs, change),
        warnings=inputs.warnings,
        builders=change.builders,
        checkouts=change.checkouts,
        kind=change.kind,
        repairs=change.repairs,
        moves=change.moves,
        edits=change.edits,
        base=change.base,
        conflicts=change.conflicts,
        neighbours=change.neighbours,
        moved=inputs.moved,
        ways=inputs.ways,
        indexes=inputs.indexes,
        conda=change.conda,
        kernels=change.kernels,
    )
    return replace(plan, seal=seal(plan))


def _fetched(inputs: PlanInputs, change: Change) -> PythonDownload | None:
    """Return the Python that is fetched, as the plan will say it."""
    return inputs.choice.download if not inputs.site.state.exists or change.kind == "rebuild" else None


def _outside(inputs: PlanInputs, change: Change) -> tuple[str, ...]:
    fetched = _fetched(inputs, change)
    caches = [f"{fetch_words(fetched)} (undo leaves it there)"] if fetched is not None else []
    caches += (
        [f"downloads are kept in uv's cache{f', {inputs.cache}' if inputs.cache else ''}"] if change.packages or change.checkouts else []
    )
    if change.conda is not None and change.conda.packages:
        caches.append(f"conda packages are kept in {change.conda.cache}")
    return (*change.outside, *caches, *change.registered)
