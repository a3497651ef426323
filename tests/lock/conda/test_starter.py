"""A first declaration from a conda environment."""

from __future__ import annotations

import json

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.declared.declaration import read_declaration
from provisioner.environment.read import read_site
from provisioner.host.local import LocalHost
from provisioner.lock.starter import from_environment
from provisioner.lock.starter_text import text_of
from tests.choose.values import machine
from tests.facts.fake_reader import FakeReader

SITE = "lib/python3.11/site-packages"
HOST = "https://packages.example.com"


def environment(packages: dict[str, tuple[str, str, str]], wheels: dict[str, str], channel: str = f"{HOST}/conda-forge") -> FakeReader:
    """A conda environment: ``packages`` are name -> version, build, distribution ("" for none); ``wheels`` distribution -> version."""
    files = {"/env/conda-meta/history": "", "/env/bin/python": "", "/env/bin/python3.11": ""}
    for name, (version, build, distribution) in packages.items():
        own = f"{SITE}/{distribution.replace('-', '_')}-{version}.dist-info/METADATA"
        record = {
            "name": name, "version": version, "build": build, "build_number": 0, "channel": channel, "subdir": "linux-64",
            "url": f"{channel}/linux-64/{name}-{version}-{build}.conda", "sha256": "a" * 64, "files": [own] if distribution else [],
            "depends": [], "constrains": [],
        }  # fmt: skip
        files[f"/env/conda-meta/{name}-{version}-{build}.json"] = json.dumps(record)
        if distribution:
            files[f"/env/{own}"] = f"Name: {distribution}\nVersion: {version}\n"
    for distribution, version in wheels.items():
        files[f"/env/{SITE}/{distribution.replace('-', '_')}-{version}.dist-info/METADATA"] = f"Name: {distribution}\nVersion: {version}\n"
    return FakeReader(files)


@pytest.mark.parametrize(
    ("packages", "wheels", "said"),
    [
        (
            {"python": ("3.11.7", "h0_0_cpython", ""), "pip": ("25.0", "0", "pip"), "ruamel": ("1.0", "0", "ruamel")},
            {"tensorflow-cpu": "2.20.0", "pandas": "2.0"},
            ("linux-x86_64-cpu-conda", "cpu", "wheels", "2.20.0", ("pandas==2.0",)),
        ),
        (
            {
                "python": ("3.11.7", "h0_0_cpython", ""),
                "tensorflow": ("2.19.1", "cuda128py311h0_200", "tensorflow"),
                "msgpack-python": ("1.1", "0", "msgpack"),
            },
            {"late": "1.0"},
            ("linux-x86_64-cuda-conda", "cuda", "conda", "2.19.1", ("msgpack-python==1.1",)),
        ),
    ],
)
def test_what_it_is_made_of(packages: dict[str, tuple[str, str, str]], wheels: dict[str, str], said: tuple[object, ...]) -> None:
    reader = environment(packages, wheels)
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    first = from_environment(reader, read_site(reader, "/env"), machine(), "linux-x86_64", catalogue, file="/team/tfsetup.yaml")
    (target,) = first.targets
    assert (target.name, target.device, target.source, first.tensorflow, first.requirements) == said
    assert (target.kind, first.channels) == ("conda", ())
    declaration = read_declaration(FakeReader({"/team/tfsetup.yaml": text_of(first, "a test")}), "/team")
    assert declaration.targets == first.targets


def test_channels_that_are_not_the_profile_s_are_written() -> None:
    python = {"python": ("3.11.7", "h0_0_cpython", "")}
    reader = environment(python, {"tensorflow-cpu": "2.20.0"}, channel=f"{HOST}/t/s3cret/own")
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    first = from_environment(reader, read_site(reader, "/env"), machine(), "linux-x86_64", catalogue, file="/team/tfsetup.yaml")
    assert "s3cret" not in text_of(first, "a test")
    assert first.channels == (f"{HOST}/own",)
