"""The links that a set needs so that every library is found, inside site-packages. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.model.catalogue import Link
from provisioner.model.plan import Choice

if TYPE_CHECKING:
    from provisioner.catalogue import Catalogue


def links_of(catalogue: Catalogue, choice: Choice) -> tuple[Link, ...]:
    """Return the links that a set needs so that every library is found."""
    release = catalogue.release(choice.release)
    build = release.build(choice.platform) if release else None
    if choice.device != "cuda" or build is None or build.cuda is None or choice.road == "conda":
        return ()
    if choice.road == "libraries":
        from provisioner.plan.conda_files import library_links  # noqa: PLC0415 - only for conda environments

        return library_links(catalogue, build.cuda)
    if build.cuda.finds_tools:
        return build.cuda.links
    from provisioner.plan.xla_tools import xla_files  # noqa: PLC0415 - only for old releases

    return (*build.cuda.links, *xla_files())
