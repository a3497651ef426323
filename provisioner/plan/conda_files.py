"""What a conda environment is given beside its packages: links to the CUDA libraries, and activation files."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from provisioner.catalogue import conda_tables
from provisioner.conda import activation
from provisioner.conda import links as conda_links
from provisioner.environment.layout import layout
from provisioner.host import Reader, files
from provisioner.model.catalogue import CudaBuild, Link
from provisioner.model.plan import Choice, Edit

if TYPE_CHECKING:
    from provisioner.catalogue import Catalogue
from provisioner.plan.xla_tools import xla_files


def edits(choice: Choice, root: str, links: tuple[Link, ...]) -> tuple[Edit, ...]:
    """Return the activation files of the environment at ``root``; ``links`` say where its CUDA libraries are found."""
    folder = next((posixpath.dirname(link.path) for link in links if link.target and choice.road == "libraries"), "")
    libraries = f"{layout(choice.platform).site_packages(choice.python)}/{folder}" if folder else ""
    return activation.edits(choice, root, libraries=libraries)


def written(reader: Reader, root: str, wanted: tuple[Edit, ...]) -> frozenset[str]:
    """Return the paths of those files that are there as they should be."""
    return frozenset(edit.path for edit in wanted if files.read(reader, posixpath.join(root, edit.path), 1 << 20).text == edit.text)


def library_links(catalogue: Catalogue, cuda: CudaBuild) -> tuple[Link, ...]:
    """Return the links by which TensorFlow's own wheel finds the CUDA libraries that conda brings."""
    table = catalogue.conda()
    links = conda_links.links(cuda, conda_tables.sonames(table, cuda.conda))
    return (*links, *conda_links.tool_links(conda_tables.tools(table, cuda.conda)), *xla_files())
