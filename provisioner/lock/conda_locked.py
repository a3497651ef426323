"""The conda half of ``apply --locked``: what a lock has, compared with what is there; nothing is solved, and no channel asked."""

from __future__ import annotations

from dataclasses import replace

from provisioner.conda import registry
from provisioner.conda.compare import compare, leaving
from provisioner.conda.sources import places
from provisioner.engines import rattler
from provisioner.environment.conda_present import read_present
from provisioner.host import Host
from provisioner.model.conda_package import CondaPart, Present
from provisioner.model.plan import EnvState
from provisioner.model.request import Request
from provisioner.model.team import LockedTarget
from provisioner.plan.make import Picked


def with_conda(host: Host, picked: Picked, locked: LockedTarget, request: Request, env: EnvState) -> Picked:
    """Return what was picked with the conda packages of the lock, and the request that makes a conda environment of it.

    Raises ``UsageError`` where py-rattler is missing, a channel is forbidden on this machine, or a variable of its address is not set.
    """
    rattler.check_installed()
    conda = locked.conda
    if conda is None:
        return picked
    origins = {**request.origins, "kind": "the lock", "source": "the lock", "channel": "the lock"}
    asked = replace(request, kind="conda", source=locked.target.source, channels=conda.channels, origins=origins)
    found = places(host, asked, ())
    present = read_present(host, env.path) if env.kind == "conda" else Present()
    going = leaving(present, frozenset(file.name for file in picked.lock.files))
    packages, unchanged, removals = compare(conda.packages, present, going)
    part = CondaPart(
        specs=conda.specs,
        virtual=conda.virtual,
        channels=found.shown,
        packages=packages,
        unchanged=unchanged,
        removals=removals,
        cache=found.cache,
        registered=() if env.exists else registry.registration(host, found.config, found.tools, env.path),
    )
    return replace(picked, conda=part, owned=present.distributions, request=asked)
