"""What a repair writes into the environment, and what it renames beside itself. Pure."""

from __future__ import annotations

import posixpath

from provisioner.base.paths import spelt
from provisioner.environment.layout import CONFIG, POSIX
from provisioner.model.finding import Repair
from provisioner.model.plan import Edit, Move
from provisioner.repair.model import RepairInputs


def moves_of(inputs: RepairInputs, repairs: tuple[Repair, ...]) -> tuple[Move, ...]:
    """Entries of the user's own, and those outside the environment, are renamed beside themselves, where their owner finds them."""
    paths = {
        repair.path: repair.reason for repair in repairs if repair.kind == "move away" and (repair.own or not inputs.inside(repair.path))
    }
    return tuple(Move(path=path, target=inputs.asides[path], reason=reason) for path, reason in paths.items())


def edits_of(inputs: RepairInputs, repairs: tuple[Repair, ...]) -> tuple[Edit, ...]:
    """Return the files and links that the repairs write; of two at one path the later."""
    edits: dict[str, Edit] = {}
    for repair in repairs:
        path = inputs.inside(repair.path)
        if repair.kind == "interpreter":
            edits.update((edit.path, edit) for edit in python_edits(inputs, repair.reason))
        elif repair.kind == "write":
            edits[path] = Edit(path=path, reason=repair.reason, text=repair.target)
        elif repair.kind == "link":
            edits[path] = Edit(path=path, reason=repair.reason, target=repair.target)
    return tuple(edits.values())


def python_edits(inputs: RepairInputs, reason: str) -> tuple[Edit, ...]:
    """Return what lets the environment use the interpreter of the choice: its links and the lines of ``pyvenv.cfg`` (PEP 405) that name it."""
    base = inputs.choice.interpreter
    if base is None:
        return ()
    home, short = posixpath.dirname(base.path), ".".join(base.version.split(".")[:2])
    # On Windows python.exe lies at the top of its installation, and the environment's own is a program that starts the one that `home` names.
    windows = base.path.lower().endswith(".exe")
    prefix = home if windows else posixpath.dirname(home)
    values = {
        "home": home,
        "version": base.version,
        "version_info": base.version,
        "executable": base.path,
        "base-executable": base.path,
        "base-prefix": prefix,
        "base-exec-prefix": prefix,
    }
    lines = inputs.config.splitlines()
    keys = [line.partition("=")[0].strip().lower() for line in lines]
    values = {key: spelt(value) for key, value in values.items()}
    new = [f"{key} = {values[key]}" if key in values else line for key, line in zip(keys, lines, strict=True)]
    new += [f"{key} = {value}" for key, value in (("home", values["home"]), ("include-system-site-packages", "false")) if key not in keys]
    new += [] if {"version", "version_info"} & set(keys) else [f"version = {base.version}"]
    config = Edit(path=CONFIG, reason=reason, text="\n".join(new) + "\n")
    if windows:
        return (config,)
    return (
        Edit(path=POSIX.python, reason=reason, target=base.path),
        *(
            Edit(path=path, reason=reason, target=posixpath.basename(POSIX.python))
            for path in (*POSIX.pythons[1:], f"{POSIX.python}{short}")
        ),
        config,
    )
