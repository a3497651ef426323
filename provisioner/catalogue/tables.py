"""The tables beside the releases: GPU architectures, CUDA toolkits, how to get a driver, and what was proven."""

from __future__ import annotations

import re
from typing import Any

from provisioner.base.versions import numbers
from provisioner.errors import InputError
from provisioner.model.catalogue import CudaToolkit, GpuArchitecture, Proof
from provisioner.model.codec import from_data, parse_json
from provisioner.model.record import record

GPUS_SCHEMA = "tfsetup/gpus/1"
CUDA_SCHEMA = "tfsetup/cuda/1"
DRIVERS_SCHEMA = "tfsetup/drivers/1"
PROOFS_SCHEMA = "tfsetup/proofs/1"

# One entry, in the form that tools/prove.py writes, and the digest of its lock.
_PROOF_LINE = re.compile(r'^  (\{"lock": "([0-9a-f]{64})", .*\}),?$', re.MULTILINE)
_CAPABILITY = re.compile(r"\d+\.\d+")


@record
class Gpus:
    """``gpus.yaml``: architectures, oldest first."""

    sources: tuple[str, ...]
    architectures: tuple[GpuArchitecture, ...]


@record
class Toolkits:
    """``cuda.yaml``: toolkits, oldest first."""

    sources: tuple[str, ...]
    toolkits: tuple[CudaToolkit, ...]


@record
class DriverRoute:
    """How a person gets a driver on one family of systems.

    ``ids`` are values of ID or ID_LIKE of os-release, ``wsl2`` and ``*`` (any other). ``commands`` may hold ``{branch}``, a packaged driver
    branch that is new enough (``535``), and ``{minimum}``, the oldest release that is (``525.60.13``). ``source`` says who recommends it.
    """

    ids: tuple[str, ...]
    commands: tuple[str, ...]
    source: str


@record
class Drivers:
    """``drivers.yaml``: routes, the first that matches counts; ``branches`` are those that distributions package, oldest first."""

    sources: tuple[str, ...]
    branches: tuple[str, ...]
    routes: tuple[DriverRoute, ...]


@record
class Proofs:
    """``proofs.json``: one proof for each lock that was run."""

    proofs: tuple[Proof, ...]


def read_gpus(data: Any, *, file: str) -> Gpus:
    """Return the table of GPU architectures; raises ``InputError``."""
    table = from_data(Gpus, data, file=file, schema=GPUS_SCHEMA)
    faults = [
        f"architectures[{number}]: expected capabilities such as 8.6 from first to last"
        for number, item in enumerate(table.architectures)
        if not (_CAPABILITY.fullmatch(item.first) and _CAPABILITY.fullmatch(item.last) and numbers(item.first) <= numbers(item.last))
    ]
    _refuse(faults, file)
    return table


def read_toolkits(data: Any, *, file: str) -> Toolkits:
    """Return the table of CUDA toolkits; raises ``InputError``."""
    table = from_data(Toolkits, data, file=file, schema=CUDA_SCHEMA)
    faults = [
        f"toolkits[{number}]: expected versions of numbers and dots"
        for number, item in enumerate(table.toolkits)
        for value in (item.version, item.driver, item.driver_minor or "0", item.driver_windows or "0")
        if re.fullmatch(r"\d+(\.\d+)*", value) is None
    ]
    _refuse(faults, file)
    return table


def read_drivers(data: Any, *, file: str) -> Drivers:
    """Return the table of routes to a driver; raises ``InputError``."""
    table = from_data(Drivers, data, file=file, schema=DRIVERS_SCHEMA)
    faults = [
        f"routes[{number}]: expected ids, commands and a source"
        for number, item in enumerate(table.routes)
        if not (item.ids and item.commands and item.source)
    ]
    if not table.branches or any(not branch.isdecimal() for branch in table.branches):
        faults.append("branches: expected driver branches such as 580")
    if not any("*" in route.ids for route in table.routes):
        faults.append("routes: expected one for any other system (*)")
    _refuse(faults, file)
    return table


def read_proofs(data: Any, *, file: str) -> dict[str, Proof]:
    """Return the proofs by the digest of their lock; raises ``InputError``."""
    proofs = from_data(Proofs, data, file=file, schema=PROOFS_SCHEMA).proofs
    found = {proof.lock: proof for proof in proofs}
    _refuse(["proofs: a lock is there twice"] if len(found) != len(proofs) else [], file)
    return found


class ProofTable:
    """The proofs of one file; an entry is checked when it is asked for, since all of them together would cost more than the rest of a plan.

    tools/prove.py writes one entry a line. A file of another form is read whole, and raises ``InputError`` where it cannot be read.
    """

    def __init__(self, text: str, *, file: str) -> None:
        """``text`` is the content of ``file``."""
        self._file = file
        self._lines: dict[str, str] = {digest: line for line, digest in _PROOF_LINE.findall(text)}
        plain = text.startswith(f'{{"schema": "{PROOFS_SCHEMA}", "proofs": [\n') and text.endswith("\n]}\n")
        self._by_line = plain and text.count("\n") == len(self._lines) + 2
        self._whole = {} if self._by_line else read_proofs(parse_json(text, file=file), file=file)

    def get(self, lock: str) -> Proof | None:
        """Return the proof of the lock with this digest, if there is one; raises ``InputError``."""
        if not self._by_line:
            return self._whole.get(lock)
        line = self._lines.get(lock)
        return from_data(Proof, parse_json(line, file=self._file), file=self._file) if line else None


def _refuse(faults: list[str], file: str) -> None:
    if faults:
        raise InputError("cannot be read", place=file, faults=tuple(faults))
