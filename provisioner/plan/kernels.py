"""A notebook kernel as part of a plan: ipykernel beside the set, and what registers the kernel for this user."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from provisioner.base.names import normalise
from provisioner.base.requirement import name_of
from provisioner.environment import kernels
from provisioner.environment.read import Site
from provisioner.errors import UsageError
from provisioner.host import Reader
from provisioner.model.conda import Outside
from provisioner.model.plan import Choice
from provisioner.model.record import record
from provisioner.model.request import Request

PACKAGE = "ipykernel"


@record
class Wish:
    """The kernel that is asked for: its name and what a menu shows, each "" for one made from the environment."""

    name: str = ""
    label: str = ""


def with_package(request: Request, site: Site) -> Request:
    """Return the request with ipykernel, where neither the environment nor the request has it; any version of it that is there will do."""
    there = {item.name for item in site.distributions}
    if PACKAGE in there or any(normalise(name_of(text)) == PACKAGE for text in request.extra):
        return request
    if request.kind == "conda" and request.source == "conda":
        hint = "conda's own ipykernel: `conda install ipykernel`; then run the same command again"
        raise UsageError("the whole environment comes from the channel, and has no ipykernel", place="--source conda", hint=hint)
    return replace(request, extra=(*request.extra, PACKAGE))


def to_register(reader: Reader, wish: Wish, site: Site, choice: Choice) -> tuple[Outside, ...]:
    """Return the registration, () where the kernel is there as it would be written; raises ``InputError`` for a name that cannot be."""
    root = site.state.path
    name = wish.name or kernels.default_name(root)
    label = wish.label or f"{posixpath.basename(root)} (TensorFlow {choice.release}, Python {choice.python})"
    item = kernels.registration(reader, root, name, label)
    return () if kernels.is_registered(reader, item) else (item,)
