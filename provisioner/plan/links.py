"""The links and small files that a set needs so that every library is found, inside site-packages. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.model.catalogue import Link
from provisioner.model.facts import Facts
from provisioner.model.plan import Choice

if TYPE_CHECKING:
    from provisioner.catalogue import Catalogue


def links_of(catalogue: Catalogue, choice: Choice, facts: Facts) -> tuple[Link, ...]:
    """Return the links that a set needs so that every library is found, of CUDA and of what the machine lacks."""
    found = _of_cuda(catalogue, choice)
    if choice.platform.startswith("windows"):
        from provisioner.plan.runtime import files_of  # noqa: PLC0415 - only there

        found += tuple(item for item in files_of(catalogue, facts, choice) if item.path not in {link.path for link in found})
    return found


def _of_cuda(catalogue: Catalogue, choice: Choice) -> tuple[Link, ...]:
    release = catalogue.release(choice.release)
    build = release.build(choice.platform) if release else None
    if choice.device != "cuda" or build is None or build.cuda is None or choice.road == "conda":
        return ()
    if choice.road == "libraries":
        from provisioner.plan.conda_files import library_links  # noqa: PLC0415 - only for conda environments

        return library_links(catalogue, build.cuda)
    found = build.cuda.links
    if choice.platform.startswith("windows"):
        from provisioner.plan.dll_files import CUDA, dll_files  # noqa: PLC0415 - only there

        found += dll_files(CUDA)
    if build.cuda.finds_tools:
        return found
    from provisioner.plan.xla_tools import xla_files  # noqa: PLC0415 - only for old releases

    return (*found, *xla_files())
