"""``conda.yaml``: what is shipped, what a build's match specs name in it, and that what is wrong is refused."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.catalogue.conda_tables import CondaTable, brought, read_conda, sonames, tools
from provisioner.errors import InputError
from provisioner.host.local import LocalHost


def document(**changes: Any) -> dict[str, Any]:
    """A table of three packages."""
    libraries = [
        {"package": "cudatoolkit", "version": "10.1", "sonames": ["libcudart.so.10.1"], "tools": {"libdevice": "lib/libdevice.10.bc"}},
        {"package": "cudatoolkit", "version": "11.0", "sonames": ["libcudart.so.11.0"]},
        {"package": "cudnn", "version": "8", "sonames": ["libcudnn.so.8", "libcudnn_ops_infer.so.8"]},
    ]
    return {"schema": "tfsetup/conda/1", "sources": ["a"], "channels": ["conda-forge"], "libraries": libraries, **changes}


def table() -> CondaTable:
    return read_conda(document(), file="f")


def test_what_is_shipped_can_be_read_and_comes_from_conda_forge() -> None:
    shipped = Catalogue.open(LocalHost(), find_profiles()).conda()
    assert shipped.channels == ("conda-forge",)
    assert shipped.sources
    assert tools(shipped, ("cudatoolkit 11.2.*", "cudnn 8.1.0.*")) == {"libdevice": "lib/libdevice.10.bc"}


@pytest.mark.parametrize(
    ("spec", "versions"),
    [
        ("cudatoolkit 10.1.*", ["10.1"]),
        ("cudatoolkit 10.1.243.*", ["10.1"]),
        ("cudnn 8.1.0.*", ["8"]),
        ("cudnn 8.*", ["8"]),
        ("cudnn >=8.0.4,<9", ["8"]),
        ("cudatoolkit >=11.0.2,<11.1", ["11.0"]),
        # An entry is about some of these versions only, so nothing is said about what the others bring.
        ("cudatoolkit 11.*", []),
        ("cudatoolkit >=11.0,<11.2", []),
        ("cudnn >=7.6,<9", []),
        # 10.10 does not begin as 10.1 does.
        ("cudatoolkit 10.10.*", []),
        ("cudatoolkit 1.*", []),
        ("nccl 8.*", []),
    ],
)
def test_what_the_packages_of_a_spec_bring(spec: str, versions: list[str]) -> None:
    assert [item.version for item in brought(table(), (spec,))] == versions


def test_names_come_in_the_order_of_the_specs() -> None:
    specs = ("cudnn 8.1.0.*", "cudatoolkit 10.1.*")
    assert sonames(table(), specs) == ("libcudnn.so.8", "libcudnn_ops_infer.so.8", "libcudart.so.10.1")
    assert tools(table(), specs) == {"libdevice": "lib/libdevice.10.bc"}
    assert tools(table(), specs[:1]) == {}


def test_every_fault_is_named_at_once() -> None:
    wrong = {
        "package": "CUDA toolkit",
        "version": "new",
        "sonames": ["liba.so.1", "liba.so.1", "/lib/libb.so"],
        "tools": {"ptxas": "../bin/ptxas"},
    }
    again = {"package": "cudnn", "version": "8", "sonames": ["libcudnn.so.8"]}
    none = {"package": "cudnn", "version": "9", "sonames": []}
    with pytest.raises(InputError) as caught:
        read_conda(document(sources=[], channels=["https://x"], libraries=[wrong, again, again, none]), file="f")
    assert caught.value.place == "f"
    assert caught.value.faults == (
        "sources: expected where the facts come from",
        "channels: expected the names of channels, such as conda-forge",
        "libraries[0].package: expected the name of a conda package, found 'CUDA toolkit'",
        "libraries[0].version: expected numbers and dots, found 'new'",
        "libraries[0].sonames[1]: 'liba.so.1' is there twice",
        "libraries[0].sonames[2]: expected a library such as libcudart.so.11.0, found '/lib/libb.so'",
        "libraries[0].tools.ptxas: expected a path inside the environment, found '../bin/ptxas'",
        "libraries[2]: cudnn 8 is there twice",
        "libraries[3].sonames: expected at least one",
    )


def test_fields_that_are_not_known_are_refused() -> None:
    with pytest.raises(InputError, match="1 fault"):
        read_conda(document(channel="x"), file="f")
    with pytest.raises(InputError):
        read_conda(document(schema="tfsetup/conda/2"), file="f")
