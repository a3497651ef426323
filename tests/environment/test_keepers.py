"""Who keeps an environment, and what the lock says: by the files that uv, Poetry, PDM and pipenv write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provisioner.environment.keepers import keeper_of, parse, parse_pipfile
from provisioner.host.local import LocalHost
from tests.facts.fake_reader import FakeReader

# As Poetry 2.5 and uv 0.13 write them, shortened.
LOCK = """# This file is @generated.
version = 1

[[package]]
name = "Ruamel.yaml"
version = "0.18.6"
description = ""

[[package]]
name = "numpy"
version = "1.26.4"
source = { registry = "x" }

[[package]]
name = "numpy"
version = "2.1.0"

[[package]]
name = "project"
source = { virtual = "." }
dependencies = [{ name = "numpy" }]
"""
PIPFILE = json.dumps({"default": {"six": {"version": "==1.16.0"}, "own": {"path": "."}}, "develop": {"pytest": {"version": "==9.0"}}})


class Here(LocalHost):
    """The machine, with another working folder."""

    def __init__(self, cwd: Path) -> None:
        self._cwd = str(cwd)

    cwd = property(lambda self: self._cwd)


def test_versions_are_read_as_the_tools_write_them() -> None:
    assert parse(LOCK) == {"ruamel-yaml": ("0.18.6",), "numpy": ("1.26.4", "2.1.0"), "project": ()}
    assert parse(LOCK.replace("\n", "\r\n")) == parse(LOCK)
    assert parse_pipfile(PIPFILE) == {"six": ("1.16.0",), "own": ("",), "pytest": ("9.0",)}


@pytest.mark.parametrize("text", ["", "[[package]]", "{", "[]", '{"default": [1]}', "\0", '{"default": {"six": 1}}'])
def test_what_is_no_lock_says_nothing(text: str) -> None:
    assert parse(text) == {}
    assert parse_pipfile(text) == {}


@pytest.mark.parametrize(
    ("name", "program"), [("uv.lock", "uv"), ("poetry.lock", "poetry"), ("pdm.lock", "pdm"), ("Pipfile.lock", "pipenv")]
)
def test_an_environment_in_its_project(tmp_path: Path, name: str, program: str) -> None:
    (tmp_path / name).write_text(PIPFILE if program == "pipenv" else LOCK)
    keeper = keeper_of(LocalHost(), str(tmp_path / ".venv"))
    assert keeper is not None
    assert (keeper.program, keeper.project, keeper.lock) == (program, str(tmp_path), str(tmp_path / name))
    assert keeper.locked
    assert keeper_of(LocalHost(), str(tmp_path / "tf-env")) is None, "an environment of another name is no tool's"


def test_pipenvs_own_place_says_its_project(tmp_path: Path) -> None:
    env = tmp_path / "virtualenvs" / "project-2U74NQGF"
    env.mkdir(parents=True)
    (env / ".project").write_text(f"{tmp_path}")
    assert keeper_of(LocalHost(), str(env)) is None, "there is no lock yet"
    (tmp_path / "Pipfile.lock").write_text(PIPFILE)
    keeper = keeper_of(LocalHost(), str(env))
    assert keeper is not None
    assert (keeper.program, keeper.project) == ("pipenv", str(tmp_path))


def test_the_places_on_windows() -> None:
    """The mark is that of ``c:\\users\\me\\p``, which ``os.path.normcase`` makes of the folder."""
    pipenv, poetry = "C:/Users/me/.virtualenvs/p-2U74NQGF", "C:/Users/me/AppData/Local/pypoetry/Cache/virtualenvs/p-VMu1tk1Q-py3.11"
    reader = FakeReader(
        {f"{pipenv}/.project": "C:\\Users\\me\\q\r\n", "C:/Users/me/q/Pipfile.lock": PIPFILE, "C:/Users/me/p/poetry.lock": LOCK},
        platform="win32",
    )
    reader.cwd = "C:/Users/me/p"
    found = [keeper_of(reader, env) for env in (pipenv, poetry)]
    assert [(item.program, item.project) for item in found if item is not None] == [
        ("pipenv", "C:/Users/me/q"),
        ("poetry", "C:/Users/me/p"),
    ]


def test_poetrys_own_place_has_its_projects_mark(tmp_path: Path) -> None:
    """Poetry 2.5.1 called the environment of /tmp/try/tools/pp so."""
    env = "/root/.cache/pypoetry/virtualenvs/pp-nbbsSUNd-py3.11"
    (tmp_path / "poetry.lock").write_text(LOCK)
    assert keeper_of(Here(tmp_path), env) is None

    class Elsewhere(Here):
        """Where that project was: its lock is read in another place."""

        def stat(self, path: str):
            return super().stat(path.replace("/tmp/try/tools/pp", str(tmp_path)))

        def exists(self, path: str) -> bool:
            return super().exists(path.replace("/tmp/try/tools/pp", str(tmp_path)))

        def read_bytes(self, path: str, limit: int) -> bytes:
            return super().read_bytes(path.replace("/tmp/try/tools/pp", str(tmp_path)), limit)

        def real(self, path: str) -> str:
            return path

    keeper = keeper_of(Elsewhere(Path("/tmp/try/tools/pp/src")), env)
    assert keeper is not None
    assert (keeper.program, keeper.project) == ("poetry", "/tmp/try/tools/pp")
