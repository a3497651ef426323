"""The driver of uv: its command lines, and what its failures mean; the texts are those of real runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.engines import uv
from provisioner.errors import OperationError
from provisioner.host import Completed
from provisioner.host.local import LocalHost
from provisioner.model.plan import Package
from tests.support import FixedHost, make_wheel


def package(name: str, **changes: object) -> Package:
    return Package(name=name, version="1.0", filename=f"{name}.whl", sha256="a" * 64, size=1, unpacked=1, **changes)


class Recording(LocalHost):
    """Keeps what would be run."""

    def __init__(self, *, code: int = 0, err: str = "", timed_out: bool = False) -> None:
        self.argv: list[str] = []
        self._done = {"code": code, "err": err, "timed_out": timed_out}

    def run(self, argv, **options):
        self.argv = list(argv)
        self.options = options
        return Completed(argv=tuple(argv), out="", seconds=3.0, **self._done)


def test_each_package_has_one_hash() -> None:
    text = uv.requirements_text([package("a"), package("b")])
    assert text.splitlines() == [f"a==1.0 --hash=sha256:{'a' * 64}", f"b==1.0 --hash=sha256:{'a' * 64}"]


def test_an_install_resolves_nothing_and_checks_every_hash() -> None:
    host = Recording()
    uv.install(
        host, python="/e/bin/python", requirements="/r", packages=[package("a"), package("b", source=True)], prefix="/p", offline=True
    )
    line = " ".join(host.argv)
    for part in (
        "--no-deps",
        "--require-hashes",
        "--only-binary :all:",
        "--no-binary b",
        "--prefix /p",
        "--offline",
        "--python /e/bin/python",
    ):
        assert part in line
    assert "--no-binary a" not in line
    assert host.options["cwd"] == "/", "no project's configuration is picked up"


def test_an_environment_can_be_moved() -> None:
    host = Recording()
    uv.create_environment(host, path="/e", python="/usr/bin/python3", prompt="env")
    assert "--relocatable" in host.argv


@pytest.mark.parametrize(
    ("said", "cause", "words"),
    [
        ("error: failed to write: No space left on device (os error 28)", "disk-full", "no space"),
        ("error: Hash mismatch for `six==1.0`", "download-failed", "SHA-256 differs"),
        (
            "hint: Packages were unavailable because the network was disabled; Network connectivity is disabled",
            "download-failed",
            "forbidden",
        ),
        ("invalid peer certificate: UnknownIssuer", "download-failed", "certificate"),
        ("HTTP status client error (403 Forbidden)", "download-failed", "refused"),
        ("error: Request failed after 3 retries\n  Caused by: dns error", "download-failed", "could not be reached"),
        ("error: failed to create directory: Permission denied (os error 13)", "permission-denied", "may not be written"),
        ("error: something new", "", "uv says: error: something new"),
    ],
)
def test_what_its_failures_mean(said: str, cause: str, words: str) -> None:
    with pytest.raises(OperationError) as caught:
        uv.create_environment(Recording(code=2, err=said), path="/e", python="p", prompt="e")
    assert caught.value.cause == cause
    assert words in caught.value.message
    assert caught.value.hint


def test_a_password_in_its_words_is_masked() -> None:
    said = "error: Failed to fetch: `https://ada:secret@host/simple/six/`"
    with pytest.raises(OperationError) as caught:
        uv.create_environment(Recording(code=2, err=said), path="/e", python="p", prompt="e")
    assert "secret" not in str(caught.value)
    assert "***@host" in str(caught.value)


def test_a_time_limit_is_told() -> None:
    with pytest.raises(OperationError, match="did not finish in 3 s"):
        uv.create_environment(Recording(code=-15, timed_out=True), path="/e", python="p", prompt="e")


def test_the_cache_folder_is_uvs_own() -> None:
    for env in ({"HOME": "/h"}, {"HOME": "/h", "XDG_CACHE_HOME": "/x"}, {"HOME": "/h", "UV_CACHE_DIR": "/c"}):
        done = subprocess.run([uv.find_uv(LocalHost()), "cache", "dir"], env=env, capture_output=True, text=True, check=True)
        assert uv.cache_folder(FixedHost(env)) == done.stdout.strip()


def test_a_real_environment_with_a_real_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_wheel(tmp_path / "wheels", "six", "1.0", {"six.py": ""})
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    host = LocalHost()
    env = tmp_path / "ein Umgebung ü"
    uv.create_environment(host, path=str(env), python=sys.executable, prompt="e")
    item = Package(name="six", version="1.0", filename=made.filename, sha256=made.sha256, size=1, unpacked=1)
    host.write(str(tmp_path / "r.txt"), uv.requirements_text([item]))
    uv.install(host, python=str(env / "bin/python"), requirements=str(tmp_path / "r.txt"), packages=[item], offline=True)
    assert host.run([str(env / "bin/python"), "-c", "import six"]).ok
    with pytest.raises(OperationError, match="could not be made"):
        uv.create_environment(host, path=str(tmp_path / "no"), python="/no/such/python", prompt="e")


def test_what_the_cache_lacks_offline_is_no_clash() -> None:
    """uv tells both as "No solution found"; real words of uv 0.13."""
    said = """error: No solution found when resolving dependencies
  cause: Because pandas needs to be downloaded from a registry and you require pandas, we can conclude that your requirements are unsatisfiable.
hint: Packages were unavailable because the network was disabled. When the network is disabled, registry packages may only be read from the cache.
"""
    done = Completed(argv=("uv",), code=1, out="", err=said, seconds=0.1)
    with pytest.raises(OperationError) as caught:
        uv._resolved(LocalHost(), done, offline=True)
    assert caught.value.cause == "download-failed"
    assert "not in the cache" in str(caught.value)
    assert caught.value.hint == "run once without --offline to fill the cache"
