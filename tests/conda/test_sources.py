"""Where conda packages come from and go to: conda's own configuration, the request, and what of it rattler is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.conda.sources import places, settings, unfit
from provisioner.errors import UsageError
from provisioner.model.conda import CondaConfig
from provisioner.model.request import Request
from tests.support import FixedHost

SECRET = "s3cr3t"


@pytest.fixture
def host(tmp_path: Path) -> FixedHost:
    return FixedHost({"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "CONDARC": str(tmp_path / "condarc.yaml")})


def configured(tmp_path: Path, text: str) -> None:
    (tmp_path / "condarc.yaml").write_text(text)


def asked(*channels: str, **changes: object) -> Request:
    return replace(Request(env="/work/tf", kind="conda", channels=channels), **changes)


def test_the_profile_s_channels_where_nobody_has_configured_any(host: FixedHost, tmp_path: Path) -> None:
    found = places(host, asked(), ("conda-forge",))
    assert (found.channels.names, found.channels.priority, found.shown) == (("conda-forge",), "strict", ("conda-forge",))
    assert found.cache == str(tmp_path / "home/.cache/rattler/cache/pkgs")
    assert found.tools == ()


def test_conda_s_configuration_before_the_profile_and_the_request_before_both(host: FixedHost, tmp_path: Path) -> None:
    configured(tmp_path, f"channels: [https://packages.example/lab, bioconda]\nchannel_priority: flexible\npkgs_dirs: [{tmp_path}/pkgs]\n")
    found = places(host, asked(), ("conda-forge",))
    assert (found.channels.names, found.channels.priority) == (("https://packages.example/lab", "bioconda"), "flexible")
    assert (found.channels.caches, found.cache) == ((f"{tmp_path}/pkgs",), f"{tmp_path}/pkgs")
    assert places(host, asked("mine", "other"), ("conda-forge",)).channels.names == ("mine", "other")


@pytest.mark.parametrize(
    ("channel", "found"),
    [
        ("./channel", "file:///here/channel"),
        ("../channel", "file:///channel"),
        (".", "file:///here"),
        ("~/my channel", "file:///home/my%20channel"),
        ("/opt/kanal ü", "file:///opt/kanal%20%C3%BC"),
        ("file:///opt/channel", "file:///opt/channel"),
        ("https://packages.example/lab/", "https://packages.example/lab"),
        ("https://packages.example/lab/linux-64", "https://packages.example/lab"),
        ("conda-forge/label/dev", "conda-forge/label/dev"),
    ],
)
def test_folders_and_addresses(channel: str, found: str) -> None:
    class Here(FixedHost):
        cwd = "/here"

    assert places(Here({"HOME": "/home"}), asked(channel), ()).channels.names == (found,)


def test_mirrors_proxies_and_certificates_are_told_to_rattler(host: FixedHost, tmp_path: Path) -> None:
    rattler = pytest.importorskip("rattler")
    bundle = tmp_path / 'lab "ca".pem'
    bundle.write_text("")
    configured(
        tmp_path,
        f"""
channels: [conda-forge]
mirrored_channels: {{conda-forge: ["https://mirror.example/a", "https://other.example/b"]}}
proxy_servers: {{http: "http://ada:{SECRET}@proxy.example:3128", https: "http://proxy.example:3128"}}
ssl_verify: '{bundle}'
""",
    )
    found = places(host, asked(), ())
    assert rattler.Config.from_toml(found.channels.config)
    assert found.channels.mirrors == {"conda-forge": ("https://mirror.example/a", "https://other.example/b")}
    for part in (f"ada:{SECRET}@proxy.example", 'tls-root-certs = "system"'):
        assert part in found.channels.config
    assert found.channels.variables == {"SSL_CERT_FILE": str(bundle)}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (CondaConfig(), ["tls-no-verify = false"]),
        (CondaConfig(ssl_verify="false"), ["tls-no-verify = true"]),
        (CondaConfig(ssl_verify="truststore"), ["tls-no-verify = false", 'tls-root-certs = "system"']),
        (
            CondaConfig(proxies={"https://one.example": "http://p", "https": 'http://q"'}),
            ["tls-no-verify = false", "[proxy-config]", r'https = "http://q\""'],
        ),
    ],
)
def test_settings_are_what_rattler_reads(config: CondaConfig, expected: list[str]) -> None:
    rattler = pytest.importorskip("rattler")
    assert settings(config).splitlines() == expected
    assert rattler.Config.from_toml(settings(config))


@pytest.mark.parametrize("rule", ["denylist_channels: [https://packages.example/lab]", "allowlist_channels: [conda-forge]"])
def test_a_forbidden_channel_is_refused_without_its_secret(host: FixedHost, tmp_path: Path, rule: str) -> None:
    configured(tmp_path, f"{rule}\ncustom_channels: {{lab: 'https://ada:{SECRET}@packages.example'}}\n")
    for channel in ("https://packages.example/lab", f"https://packages.example/t/{SECRET}/x", "lab"):
        if channel.endswith("/x") and "deny" in rule:
            continue
        with pytest.raises(UsageError, match="is forbidden on this machine") as caught:
            places(host, asked(channel), ())
        assert SECRET not in str(caught.value)


def test_what_is_shown_holds_no_secret_and_what_is_fetched_with_does(host: FixedHost, tmp_path: Path) -> None:
    configured(tmp_path, f"channels: [lab]\ncustom_channels: {{lab: 'https://ada:{SECRET}@packages.example'}}\n")
    found = places(host, asked(), ())
    assert found.channels.names == (f"https://ada:{SECRET}@packages.example/lab",)
    assert SECRET not in " ".join(found.shown)


def test_packages_go_into_the_first_folder_that_can_be_written(host: FixedHost, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    configured(tmp_path, f"pkgs_dirs: [{tmp_path}/file/pkgs, {tmp_path}/new/pkgs]\n")
    found = places(host, asked(), ("conda-forge",))
    assert found.channels.caches == (f"{tmp_path}/file/pkgs", f"{tmp_path}/new/pkgs")
    assert found.cache == f"{tmp_path}/new/pkgs"


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ("/work/tf", True),
        ("/work/my tf (ü)", True),
        ("/" + "x" * 254, True),
        ("/" + "x" * 255, False),
        ("/" + "ü" * 128, False),
        ("/it's", False),
        ('/a"b', False),
        ("/a\\b", False),
        ("/a\nb", False),
        ("/a\rb", False),
    ],
)
def test_places_that_no_conda_environment_can_have(path: str, fits: bool) -> None:
    assert (unfit(path) == "") == fits
