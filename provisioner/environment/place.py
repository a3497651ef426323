"""Whether an environment can be made at a place."""

from __future__ import annotations

from provisioner.base.paths import parent, spelt
from provisioner.errors import InputError
from provisioner.host import Host, files
from provisioner.model.plan import EnvState


def check_place(host: Host, state: EnvState) -> tuple[str, ...]:
    """Return the folders that must be made above the environment; raises ``InputError`` when files cannot be put there."""
    try:
        folder, missing = files.ground(host, parent(state.path))
    except FileNotFoundError as error:
        hint = "choose another folder with --env"
        raise InputError(f"this machine finds no {spelt(str(error.filename))}", place=state.path, hint=hint) from None
    if host.entry(host.real(folder)).kind != "directory":
        raise InputError("it is a file, so no environment can be made in it", place=folder, hint="choose another folder with --env")
    inside = state.path if state.exists or stays(state) else folder
    if not host.writable(inside):
        raise InputError("this user may not write there", place=inside, hint="choose another folder with --env")
    return tuple(reversed(missing))


def stays(state: EnvState) -> bool:
    """Whether a new environment is built in the folder that is there, and not beside it: an empty one stays the one it is.

    Its mode and owner are somebody's choice, something may be mounted on it (a volume of a container), and a shell may stand in it.
    """
    return state.kind == "empty"
