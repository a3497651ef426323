"""Which secrets may go where: this person's own configuration, and the spellings of addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.engines.allowed import config_file, expand, fill_in, host_of, read_allowed
from provisioner.errors import InputError, UsageError
from tests.support import FixedHost

ALLOWED = "credentials: {i.example: [USER, TOKEN], 'http://plain.example:8080': [TOKEN]}\n"


def host(tmp_path: Path, text: str = ALLOWED, **env: str) -> FixedHost:
    (tmp_path / "config.yaml").write_text(text)
    return FixedHost({"TFSETUP_CONFIG": str(tmp_path / "config.yaml"), "USER": "me", "TOKEN": "p@ss/w", **env})


def test_values_stay_where_they_are_put(tmp_path: Path) -> None:
    assert expand("https://${USER}:${TOKEN}@i.example/s", host(tmp_path)) == "https://me:p%40ss%2Fw@i.example/s"
    assert expand("http://${TOKEN}@plain.example:8080/s", host(tmp_path)) == "http://p%40ss%2Fw@plain.example:8080/s"
    assert fill_in("https://${TOKEN}@i.example", {"TOKEN": "p%40ss"}, place="--channel") == "https://p%40ss@i.example"


def test_one_that_is_not_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the variable TOKEN is not set"):
        expand("https://${TOKEN}@i.example/s", host(tmp_path, TOKEN=""))


@pytest.mark.parametrize(
    "url",
    [
        "http://${TOKEN}@i.example/s",
        "https://${TOKEN}@i.example:444/s",
        "https://${TOKEN}@sub.i.example/s",
        "https://${TOKEN}@other.example@i.example/s",
        "https://${TOKEN}@other.example\\@i.example/s",
        "https://${OTHER}@i.example/s",
        "https://i.example/${TOKEN}/s",
        "https://i.example/s?x=${TOKEN}",
        "https://${TOKEN}.i.example/s",
        "file://${TOKEN}/s",
        "${TOKEN}",
    ],
)
def test_no_other_host_and_no_other_place(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError):
        expand(url, host(tmp_path, OTHER="x"))


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://I.Example/s", "i.example"),
        ("https://u:p@i.example:8443", "i.example:8443"),
        ("http://i.example/s", "http://i.example"),
        ("http://127.0.0.1:80/s", "127.0.0.1:80"),
        ("http://[::1]:80/s", "[::1]:80"),
        ("file:///s", ""),
        ("https://a@b@i.example/s", ""),
        ("https://i.example\\@b/s", ""),
    ],
)
def test_the_host_of_an_address(url: str, found: str) -> None:
    assert host_of(url) == found


def test_where_the_configuration_is() -> None:
    assert config_file(FixedHost({"HOME": "/home/me"})) == "/home/me/.config/tfsetup/config.yaml"
    assert config_file(FixedHost({"HOME": "/home/me", "XDG_CONFIG_HOME": "/x"})) == "/x/tfsetup/config.yaml"
    # A relative one would mean the working folder.
    assert config_file(FixedHost({"HOME": "/home/me", "XDG_CONFIG_HOME": "x"})) == "/home/me/.config/tfsetup/config.yaml"


def test_a_file_that_others_may_write_allows_nothing(tmp_path: Path) -> None:
    found = host(tmp_path)
    (tmp_path / "config.yaml").chmod(0o666)
    with pytest.raises(InputError, match="others may write it"):
        read_allowed(found)
