"""``tfsetup lock`` as a command: from a declaration on disk to the files, its words, its document and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from provisioner.report.schemas import schema_of
from tests.cli.support import Inside, make_profiles
from tests.lock.index import Index
from tests.support import PYTHON

DECLARATION = """\
tensorflow: 2.20
pythons: ["{python}"]
targets:
  - {{name: ci, platform: linux-x86_64, device: cpu}}
requirements: [pandas]
indexes:
  - url: {url}
formats: [requirements, pylock]
"""


@pytest.fixture
def inside(capsys, monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(capsys, monkeypatch)


@pytest.fixture
def project(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = (index.add("tensorflow-cpu", "2.20.0", "numpy"), index.add("numpy", "1.26"))
    index.add("pandas", "2.0", "numpy")
    monkeypatch.setenv("TFSETUP_PROFILES", str(make_profiles(tmp_path / "profiles", tuple(sorted(files, key=lambda file: file.filename)))))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "tfsetup.yaml").write_text(DECLARATION.format(python=PYTHON, url=index.url))
    monkeypatch.chdir(folder)
    yield folder
    monkeypatch.undo()


def test_a_lock_is_written_and_told(inside: Inside, project: Path) -> None:
    ended = inside("lock", "--cutoff", "2026-06-01")
    assert (ended.code, ended.err.splitlines()[1]) == (0, "Resolving 1 target with uv ...")
    assert "3 packages, 1 of them beside the known-good set" in ended.out
    assert "wrote    requirements.ci.txt" in ended.out
    assert sorted(path.name for path in project.iterdir()) == ["pylock.ci.toml", "requirements.ci.txt", "tfsetup.lock.json", "tfsetup.yaml"]
    assert "Nothing has changed" in inside("lock").out


def test_documents_are_valid_by_their_schemas(inside: Inside, project: Path) -> None:
    ended = inside("lock", "--json", "--cutoff", "2026-06-01T00:00:00Z")
    assert ended.code == 0
    jsonschema.validate(ended.json, schema_of("lock"), cls=jsonschema.Draft202012Validator)
    assert ended.json["changed"] == ["pylock.ci.toml", "requirements.ci.txt", "tfsetup.lock.json"]
    sidecar = json.loads((project / "tfsetup.lock.json").read_text())
    jsonschema.validate(sidecar, schema_of("team-lock"), cls=jsonschema.Draft202012Validator)
    assert sidecar["cutoff"] == "2026-06-01T00:00:00Z"
    assert [item["name"] for item in sidecar["written"]] == ["pylock.ci.toml", "requirements.ci.txt"]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--engine", "poetry"), "`poetry` is not one of uv, pip-tools"),
        (("pandas",), "packages are named only to upgrade them"),
        (("--cutoff", "yesterday"), "`yesterday` is not a date"),
        (("--project", "nowhere"), "nowhere"),
    ],
)
def test_wrong_options_are_refused(inside: Inside, project: Path, args: tuple[str, ...], told: str) -> None:
    ended = inside("lock", *args)
    assert ended.code == 2
    assert told in ended.err
    assert sorted(path.name for path in project.iterdir()) == ["tfsetup.yaml"]


@pytest.mark.slow
def test_without_the_network_the_cache_must_have_all(inside: Inside, project: Path) -> None:
    ended = inside("lock", "--offline")
    assert ended.code == 1
    assert "--offline" in ended.err
    inside("lock", "--cutoff", "2026-06-01")
    for path in project.iterdir():
        if path.name != "tfsetup.yaml":
            path.unlink()
    assert inside("lock", "--offline", "--cutoff", "2026-06-01").code == 0


def test_a_clash_is_told_as_a_document_too(inside: Inside, project: Path) -> None:
    path = project / "tfsetup.yaml"
    path.write_text(path.read_text().replace("[pandas]", "['numpy>=2']"))
    ended = inside("lock", "--json", "--cutoff", "2026-06-01")
    assert ended.code == 1
    assert ended.json["error"]["cause"] == "resolver-conflict"
    assert "`numpy>=2`" in ended.json["error"]["message"]


@pytest.mark.slow
def test_an_interrupt_ends_the_resolvers_and_changes_nothing(project: Path, index: Index) -> None:
    """A slow index: Ctrl-C must not wait for it."""
    index.delay = 60.0
    env = {**os.environ, "UV_HTTP_TIMEOUT": "120", "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-m", "provisioner", "lock"], env=env, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while not index.seen and time.monotonic() < deadline:
            time.sleep(0.05)
        assert index.seen
        process.send_signal(signal.SIGINT)
        # It would wait for longer than this does.
        _, said = process.communicate(timeout=50)
    assert process.returncode == 130
    assert "interrupted" in said
    assert [path.name for path in project.iterdir()] == ["tfsetup.yaml"]
    assert list((project.parent / "cache" / "lock").glob("run-*")) == []
