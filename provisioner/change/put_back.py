"""What a project's tool would put back after a change: told before anybody is asked. Reads only."""

from __future__ import annotations

from provisioner.base.names import is_rival
from provisioner.environment.keepers import keeper_of
from provisioner.host import Reader
from provisioner.model.keeper import Keeper
from provisioner.model.plan import Plan
from provisioner.remedies.kept import NAMES, installs

# Of many packages the first are named; the command has TensorFlow's then.
_NAMED = 3


def look(reader: Reader, plan: Plan) -> tuple[str, ...]:
    """Say which of the changes the environment's keeper takes back, and what makes them stay; nothing where its lock says what the plan brings."""
    keeper = keeper_of(reader, plan.env.path) if plan.env.exists else None
    if keeper is None:
        return ()
    comes = {item.name: item.version for item in plan.packages}
    other = [name for name, version in comes.items() if version not in keeper.locked.get(name, ())]
    gone = [item.name for item in plan.removals if item.name not in comes and item.name in keeper.locked]
    names = sorted(dict.fromkeys((*other, *gone)), key=lambda name: not is_rival(name))
    if not names:
        return ()
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    told = f"{keeper.program} keeps this environment by {keeper.lock}, and {NAMES[keeper.program]} put back what that says"
    told += f" of {', '.join(names[:_NAMED])}{more}"
    stays = _stays(keeper, comes, other, windows=reader.platform == "win32")
    return (f"{told}; for the change to stay, write it there: `{stays}`",) if stays else (told,)


def _stays(keeper: Keeper, comes: dict[str, str], other: list[str], *, windows: bool) -> str:
    named = other if len(other) <= _NAMED else [name for name in other if is_rival(name)]
    return installs(keeper, tuple(f"{name}=={comes[name]}" for name in named), windows=windows) if named else ""
