"""The Pythons that uv can fetch: its own list, and real archives from a mirror on loopback."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.engines import uv_pythons
from provisioner.errors import OperationError
from provisioner.host.local import LocalHost
from provisioner.model.facts import PythonDownload
from tests.channel.python import needs
from tests.channel.serve import Server
from tests.pythons import Mirror

VERSION = "3.12"
pytestmark = needs(VERSION)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    return Mirror(tmp_path_factory.mktemp("pythons"), VERSION)


@pytest.fixture
def server(mirror: Mirror) -> Iterator[Server]:
    with Server(mirror.folder) as served:
        yield served


@pytest.fixture
def at_mirror(mirror: Mirror, server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """uv's own variables name the mirror; it does not try again for ten seconds what fails."""
    for name, value in {**mirror.variables(f"http://{server.host}"), "UV_HTTP_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)
    return server


def offered(folder: Path, *, offline: bool = False) -> tuple[PythonDownload, ...]:
    return uv_pythons.downloads(LocalHost(), str(folder), offline=offline).value or ()


def why_none(folder: str = "/pythons", *, offline: bool = False) -> str:
    fact = uv_pythons.downloads(LocalHost(), folder, offline=offline)
    assert fact.status == "absent"
    return fact.why


def test_the_list_that_uv_brings_has_the_newest_patch_of_each_minor(tmp_path: Path) -> None:
    found = {item.minor: item for item in offered(tmp_path)}
    assert {"3.8", "3.9", "3.10", "3.11", "3.12", "3.13"} <= set(found)
    assert found["3.8"].version == "3.8.20"
    assert found["3.8"].path == f"{tmp_path}/cpython-3.8.20-linux-x86_64-gnu/bin/python3.8"
    assert all(item.version.replace(".", "").isdecimal() for item in found.values())


def test_what_forbids_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "HOME" in why_none("")
    assert "--offline" in why_none(offline=True)
    with monkeypatch.context() as patch:
        patch.setenv("UV_PYTHON_DOWNLOADS", "never")
        assert "UV_PYTHON_DOWNLOADS=never" in why_none()
    monkeypatch.setenv("UV_PYTHON_PREFERENCE", "only-system")
    assert "UV_PYTHON_PREFERENCE" in why_none()


def test_a_list_of_ones_own_counts(at_mirror: Server, mirror: Mirror, tmp_path: Path) -> None:
    (found,) = offered(tmp_path)
    assert (found.version, found.source) == (mirror.releases[VERSION], "127.0.0.1")


def test_a_list_that_the_network_gives_is_not_asked_for_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", "http://127.0.0.1:9/pythons.json")
    found = {item.minor: item for item in offered(tmp_path)}
    assert found["3.12"].version == "3.12"
    assert found["3.12"].path == f"{tmp_path}/cpython-3.12-linux-x86_64-gnu/bin/python3.12"


def test_a_mirror_that_is_a_folder_needs_no_network(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in mirror.variables().items():
        monkeypatch.setenv(name, value)
    (found,) = offered(tmp_path / "kept", offline=True)
    uv_pythons.fetch(LocalHost(), found, str(tmp_path / "scratch"))
    assert Path(found.path).exists()


def test_it_is_fetched_and_runs(at_mirror: Server, mirror: Mirror, tmp_path: Path) -> None:
    (found,) = offered(tmp_path / "kept")
    for download in (found, replace(found, key=found.key.replace(found.version, VERSION), version=VERSION)):
        uv_pythons.fetch(LocalHost(), download, str(tmp_path / "scratch"))
        said = subprocess.run(
            [download.path, "-c", "import ssl, platform; print(platform.python_version())"], check=False, capture_output=True, text=True
        )
        assert said.stdout.strip() == mirror.releases[VERSION], said.stderr
    home = Path(LocalHost().env["HOME"])
    assert not (home / ".local").exists(), "no command is made for it"


@pytest.mark.parametrize(("told", "message"), [("0" * 64, "SHA-256 differs"), (None, "gives no SHA-256")])
def test_nothing_is_kept_that_no_hash_vouches_for(told, message, mirror: Mirror, at_mirror: Server, tmp_path: Path, monkeypatch) -> None:
    other = json.loads(mirror.list.read_text())
    for entry in other.values():
        entry["sha256"] = told
    (tmp_path / "other.json").write_text(json.dumps(other))
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", str(tmp_path / "other.json"))
    (found,) = offered(tmp_path / "kept")
    with pytest.raises(OperationError) as caught:
        uv_pythons.fetch(LocalHost(), found, str(tmp_path / "scratch"))
    assert message in caught.value.message
    assert not Path(found.path).exists()
    assert not (tmp_path / "kept").exists()


def test_where_it_cannot_be_had_the_settings_of_a_mirror_are_named(at_mirror: Server, tmp_path: Path) -> None:
    (found,) = offered(tmp_path / "kept")
    at_mirror.status[""] = 404
    with pytest.raises(OperationError) as missing:
        uv_pythons.fetch(LocalHost(), found, str(tmp_path / "scratch"))
    at_mirror.stop()
    with pytest.raises(OperationError) as refused:
        uv_pythons.fetch(LocalHost(), found, str(tmp_path / "scratch"))
    for caught in (missing, refused):
        assert caught.value.cause == "download-failed"
        assert "127.0.0.1" in caught.value.message
        assert all(name in caught.value.hint for name in ("UV_PYTHON_INSTALL_MIRROR", "UV_PYTHON_DOWNLOADS_JSON_URL", "HTTPS_PROXY"))
