"""The nearest request that would work on this machine, for what no change of the environment can mend."""

from __future__ import annotations

import shlex

from provisioner.choose.choosing import choose
from provisioner.choose.versions import minor
from provisioner.diagnose.case import Case
from provisioner.errors import NoProfileError, TfsetupError
from provisioner.model.finding import Remedy
from provisioner.model.plan import EnvState
from provisioner.model.request import Request


def working(case: Case, device: str) -> tuple[str, ...]:
    """Return the command that makes an environment beside this one which works here, or none where there is none."""
    path = f"{case.env or 'tf-env'}-new"
    place = EnvState(path=path, kind="absent", digest="")
    request = Request(env=path, device=device, origins={"env": "option"})  # type: ignore[arg-type]
    try:
        choice = choose(case.facts, request, case.catalogue, place)
    except NoProfileError as error:
        return (f"tfsetup apply {error.nearest[0]}",) if error.nearest else ()
    except TfsetupError:
        return ()
    return (f"tfsetup apply --tensorflow {minor(choice.release)} --device {choice.device} --env {shlex.quote(path)}",)


def remedy(words: str, *steps: str) -> Remedy:
    """Return words that begin as a sentence does, with the commands after them."""
    return Remedy(words=words[:1].upper() + words[1:], steps=steps)
