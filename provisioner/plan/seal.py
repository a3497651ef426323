"""The seal of a plan, and the digest of the facts that it rests on. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from provisioner.model import codec
from provisioner.model.facts import Facts, Interpreter
from provisioner.model.plan import Plan


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


SCHEMA = "tfsetup/plan/1"
