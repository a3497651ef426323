"""Channels to addresses where conda's own code cannot be asked: what nothing is configured for, mirrors, and what may be shown."""

from __future__ import annotations

import json

import pytest

from provisioner.base.text import mask
from provisioner.conda.channels import channel_urls, mirror_urls, refused_channels, shown, shown_url
from provisioner.conda.config.read import read_config
from provisioner.model import codec
from provisioner.model.conda import CondaConfig
from tests.facts.fake_reader import FakeReader

NOTHING = CondaConfig()


@pytest.mark.parametrize(
    ("name", "urls"),
    [
        ("conda-forge", ("conda-forge",)),
        ("conda-forge/label/x", ("conda-forge/label/x",)),
        ("conda-forge/noarch", ("conda-forge",)),
        ("defaults", ("main", "r")),
        ("https://x.invalid/y/linux-64/", ("https://x.invalid/y",)),
        ("/srv/a b", ("file:///srv/a%20b",)),
        ("file:///srv/ch", ("file:///srv/ch",)),
        ("local", ("local",)),
    ],
)
def test_without_a_configuration_a_name_stays_a_name(name: str, urls: tuple[str, ...]) -> None:
    assert channel_urls(NOTHING, [name]) == urls


def test_each_once_and_in_order() -> None:
    config = CondaConfig(custom_multichannels={"all": ("a", "b"), "local": ()}, channel_alias="https://x.invalid")
    assert channel_urls(config, ["b", "all", "local"]) == ("https://x.invalid/b", "https://x.invalid/a")


def test_a_base_that_names_the_channel_already_is_taken_as_it_is() -> None:
    config = CondaConfig(custom_channels={"conda-forge": "https://x.invalid/conda-forge/"})
    assert channel_urls(config, ["conda-forge", "conda-forge/label/y"]) == (
        "https://x.invalid/conda-forge",
        "https://x.invalid/conda-forge/label/y",
    )


def test_mirrors_by_the_address_of_their_channel() -> None:
    mirrors = {"conda-forge": ("https://m.invalid/cf",), "https://x.invalid/z": ("https://n.invalid",), "none": ()}
    assert mirror_urls(CondaConfig(mirrors=mirrors)) == {
        "conda-forge": ("https://m.invalid/cf",),
        "https://x.invalid/z": ("https://n.invalid",),
    }
    config = CondaConfig(mirrors=mirrors, channel_alias="https://a.invalid")
    assert "https://a.invalid/conda-forge" in mirror_urls(config)


def test_lists_of_what_may_be_used() -> None:
    assert refused_channels(NOTHING, ["a", "b"]) == ()
    assert refused_channels(CondaConfig(allowlist=("a",)), ["a", "b"]) == ("b",)
    assert refused_channels(CondaConfig(denylist=("a",)), ["a", "b", "a/label/x"]) == ("a",)
    assert refused_channels(CondaConfig(allowlist=("defaults",), default_channels=("https://x.invalid/m",)), ["https://x.invalid/m"]) == ()


def test_nothing_secret_is_in_what_is_shown() -> None:
    text = """
channel_alias: https://${LOGIN}@alias.invalid/${TOKEN}/x
channels: [one, 'https://host.invalid/t/tk-4711/ch', '${WHOLE}']
default_channels: ['https://u:p4ss@d.invalid/m']
custom_channels: {mine: 'https://u:p4ss@c.invalid'}
custom_multichannels: {m: ['https://u:p4ss@c.invalid/z']}
mirrored_channels: {one: ['https://u:p4ss@m.invalid']}
proxy_servers: {https: 'http://u:p4ss@proxy.invalid:1'}
pkgs_dirs: [$HOME/pkgs]
"""
    env = {"HOME": "/home/me", "LOGIN": "me:s3cret", "TOKEN": "0123abc", "WHOLE": "https://w.invalid/x/wh0le"}
    config = read_config(FakeReader({"/home/me/.condarc": text}, env=env), ())
    assert channel_urls(config, ["one"]) == ("https://me:s3cret@alias.invalid/0123abc/x/one",)
    assert shown_url(config, channel_urls(config, ["one"])[0]) == "https://***@alias.invalid/***/x/one"
    written = json.dumps(codec.to_data(shown(config)))
    assert not [secret for secret in ("s3cret", "0123abc", "p4ss", "tk-4711", "wh0le") if secret in written]
    # Paths stay readable.
    assert "/home/me/pkgs" in written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://host.invalid/conda/t/tk-1-2/ch/linux-64/x.conda", "https://host.invalid/conda/t/***/ch/linux-64/x.conda"),
        ("file:///tmp/t/x", "file:///tmp/t/x"),
        ("https://host.invalid/t/", "https://host.invalid/t/"),
    ],
)
def test_a_condas_token_is_masked(text: str, expected: str) -> None:
    assert mask(text) == expected
