"""The stages of planning a conda environment: what kind the place asks for, what it is to be made of, and the files beside the packages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.conda import registry
from provisioner.conda.sources import places, unfit
from provisioner.engines import rattler
from provisioner.environment.conda_records import protection
from provisioner.environment.read import Site
from provisioner.errors import InputError
from provisioner.host import Host, Reader
from provisioner.host.files import make_folders
from provisioner.model.catalogue import Lock
from provisioner.model.facts import Facts
from provisioner.model.plan import Plan
from provisioner.model.request import Request
from provisioner.plan import conda_solve
from provisioner.plan.make import Picked

if TYPE_CHECKING:
    from provisioner.catalogue import Catalogue


def fitting_request(reader: Reader, request: Request, site: Site) -> Request:
    """Return the request for the conda environment that is there: what was left open follows from it.

    Raises ``InputError`` where a virtual environment was asked for, or where it must never be changed.
    """
    why = protection(reader, site.state.path)
    if why:
        raise InputError(why, place=request.env, hint="choose another folder with --env")
    origins = dict(request.origins)
    if request.kind != "conda":
        if origins.get("kind", "default") != "default":
            hint = "leave --kind out, or choose another --env; a conda environment is never changed by `--kind venv`"
            raise InputError("it is a conda environment", place=request.env, hint=hint)
        request, origins["kind"] = replace(request, kind="conda"), "the environment"
    if origins.get("source", "default") == "default" and any(name.startswith("tensorflow-") for name in site.conda):
        request, origins["source"] = replace(request, source="conda"), "the environment"
    return replace(request, origins=origins)


def pick(host: Host, facts: Facts, request: Request, catalogue: Catalogue, site: Site, *, repodata: str) -> Picked:
    """Take what a conda environment is to be made of; a new one is registered where a conda is there to find it.

    ``repodata`` is the folder of the tool's own for the channels' lists.
    """
    _check_fit(site, request.env)
    make_folders(host, repodata)
    found = places(host, request, catalogue.conda().channels)
    choose = conda_solve.pick_channel if request.source == "conda" else conda_solve.pick_wheels
    picked = choose(host, facts, request, catalogue, site, found, repodata=repodata)
    if site.state.exists or picked.conda is None:
        return picked
    registered = registry.registration(host, found.config, found.tools, site.state.path)
    return replace(picked, conda=replace(picked.conda, registered=registered))


def check_saved(host: Host, saved: Plan, catalogue: Catalogue, site: Site, channels: tuple[str, ...]) -> tuple[Lock | None, frozenset[str]]:
    """Check the conda half of a saved plan; return the set of wheels, and the distributions of conda, that the rest is checked with."""
    _check_fit(site, saved.env.path)
    return conda_solve.check_saved(host, saved, catalogue, site, channels)


def _check_fit(site: Site, named: str) -> None:
    """Raise ``UsageError`` where the engine is missing, ``InputError`` for a place (as a person ``named`` it) that no conda environment can have."""
    rattler.check_installed()
    why = "" if site.state.exists else unfit(site.state.path)
    if why:
        raise InputError(why, place=named, hint="choose another folder with --env")
