"""Environments of others, and those that only the folder has: their Python is not started without a word, and with ``--static`` never."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.support import Ended, Tool
from tests.hostile.conftest import Plant
from tests.support import PYTHON

OTHER, UNPRIVILEGED = 65533, 65534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")


@pytest.fixture
def env(work: Path, plant: Plant) -> Path:
    """An environment that somebody planted: its Python, its start-up files and the Python that it says it was made from leave a mark."""
    root = work / "planted"
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(root)], check=True)
    (root / "bin" / "python").unlink()
    plant(root / "bin" / "python")
    home = plant(work.parent / "base" / f"python{PYTHON}").parent
    plant(root / "bin" / "nvidia-smi")
    plant(root / "bin" / "conda")
    config = (root / "pyvenv.cfg").read_text().splitlines()
    (root / "pyvenv.cfg").write_text("\n".join(f"home = {home}" if line.startswith("home") else line for line in config) + "\n")
    return root


@pytest.mark.parametrize("active", [False, True])
def test_static_starts_nothing_of_the_environment(
    tool: Tool, tiny: dict[str, str], env: Path, mark: Path, work: Path, active: bool
) -> None:
    """Not as an interpreter of the machine either, nor by a link elsewhere that leads into it."""
    (work.parent / "links").mkdir()
    (work.parent / "links" / "python3").symlink_to(env / "bin" / "python")
    variables = {**tiny, "TFSETUP_CACHE_DIR": str(work / "cache")}
    if active:
        variables |= {"VIRTUAL_ENV": str(env), "PATH": f"{env}/bin:{work.parent}/links:{tool.env['PATH']}", "CONDA_PREFIX": str(env)}
    for args in (("--env", str(env)), ("--python", str(env / "bin" / "python")), *([()] if active else [])):
        ended = tool("doctor", "--static", *args, **variables)
        assert ended.code in {0, 11, 16}, ended.err
        assert not mark.exists(), mark.read_text()
        assert "it was not started (--static)" in tool("doctor", "--static", "--verbose", *args, **variables).out
    (env / "bin" / "python").unlink()
    (env / "bin" / "python").symlink_to("/gone/python")
    tool("doctor", "--static", "--env", str(env), **variables)
    assert not mark.exists(), mark.read_text()


def carried(work: Path, env: Path) -> None:
    """The default place, brought by a repository."""
    env.rename(work / "tf-env")
    subprocess.run(["git", "init", "-q"], cwd=work, check=True)
    (work / "tf-env" / ".gitignore").unlink(missing_ok=True)
    subprocess.run(["git", "add", "-f", "."], cwd=work, check=True)


def named(work: Path, env: Path) -> None:
    """A place that the folder's file names."""
    (work / "tfsetup.yaml").write_text(f"env: ./{env.name}\n")


COMMANDS = (
    ("verify",), ("fix", "--yes"), ("fix", "--dry-run"), ("apply", "--yes"), ("apply",), ("plan",), ("doctor",), ("doctor", "--no-import"),
    ("doctor", "--json"), ("init",), ("undo", "--yes"), ("detect",),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("place", [named, carried])
def test_an_environment_that_only_the_folder_has_is_not_started(
    tool: Tool, tiny: dict[str, str], env: Path, work: Path, mark: Path, place, command: tuple[str, ...]
) -> None:
    place(work, env)
    ended = tool(*command, **tiny)
    assert not mark.exists(), mark.read_text()
    said = ended.out + ended.err
    if command[0] in {"verify", "fix", "apply"}:
        assert (ended.code, "--trust" in said) == (15, True), said
    if command[0] == "doctor":
        assert ended.code in {11, 16}, said
        assert "nothing of it was started: --trust agrees" in said


@pytest.mark.parametrize("word", [("--trust",), ("--env", "planted")])
def test_with_a_word_it_is(tool: Tool, tiny: dict[str, str], env: Path, work: Path, mark: Path, word: tuple[str, ...]) -> None:
    named(work, env)
    for command in ("verify", "doctor"):
        mark.unlink(missing_ok=True)
        tool(command, *word, **tiny)
        assert mark.exists(), command


def test_one_that_was_made_here_needs_no_word(tool: Tool, work: Path, prepared: dict[str, str]) -> None:
    """The honest file, in CI: made, looked at, mended; and another folder in its place is not taken for it."""
    (work / "tfsetup.yaml").write_text("env: ./own\n")
    assert tool("apply", "--yes", **prepared).code == 0
    for command in (("doctor", "--no-import"), ("verify",), ("apply", "--yes"), ("fix", "--yes")):
        ended = tool(*command, **prepared)
        assert "--trust" not in ended.out + ended.err, command
        assert ended.code != 15
    shutil.copytree(work / "own", work / "copy", symlinks=True)
    shutil.rmtree(work / "own")
    (work / "copy").rename(work / "own")
    assert tool("verify", **prepared).code == 15


@pytest.fixture
def prepared(tool: Tool, tiny: dict[str, str], work: Path) -> dict[str, str]:
    """Variables with which the tiny set is installed; it cannot compute, so what is kept is noted as if it had passed."""
    from provisioner.commands.named import remember_environment
    from provisioner.host.local import LocalHost
    from provisioner.session import Session

    class Passing(Tool):
        def __call__(self, *args: str, timeout: float = 60, **env: str) -> Ended:
            ended = super().__call__(*args, timeout=timeout, **env)
            if args[0] == "apply" and ended.code == 14 and not (work / "own").exists():
                subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(work / "own")], check=True)
                session = Session(LocalHost())
                session.cache = env["TFSETUP_CACHE_DIR"]
                remember_environment(session, str(work / "own"))
                return Ended(0, ended.out, ended.err)
            return ended

    tool.__class__ = Passing
    return {**tiny, "TFSETUP_CACHE_DIR": str(work.parent / "cache")}


def give(path: Path, owner: int) -> None:
    for place in (path, *path.rglob("*")):
        os.chown(place, owner, owner, follow_symlinks=False)


@AS_ROOT
@pytest.mark.parametrize("theirs", ["", "bin/python", "bin", f"lib/python{PYTHON}/site-packages", "pyvenv.cfg"])
@pytest.mark.parametrize("command", [("verify",), ("fix", "--yes"), ("apply", "--yes"), ("doctor",)], ids=" ".join)
def test_root_starts_nothing_of_another_user_s_environment_without_a_word(
    tool: Tool, tiny: dict[str, str], env: Path, mark: Path, theirs: str, command: tuple[str, ...]
) -> None:
    if theirs:
        os.chown(env / theirs, OTHER, OTHER, follow_symlinks=False)
    else:
        give(env, OTHER)
    ended = tool(*command, "--env", str(env), **tiny)
    assert not mark.exists()
    assert "--trust" in ended.out + ended.err
    assert str(OTHER) in ended.out + ended.err
    assert ended.code == 15 or command == ("doctor",)
    tool(*command, "--env", str(env), "--trust", **tiny)
    assert mark.exists()


@AS_ROOT
@pytest.mark.parametrize(("owner", "code"), [(OTHER, 15), (0, 14), (UNPRIVILEGED, 14)], ids=["another user's", "root's", "its own"])
def test_an_unprivileged_user_starts_what_is_its_own_or_root_s(
    tool: Tool, tiny: dict[str, str], env: Path, mark: Path, work: Path, owner: int, code: int
) -> None:
    """The same the other way round: by a process that is another user, and may only read what root may (the tests' Python lies in its home)."""
    give(env, owner)
    home = work.parent / "demoted"
    home.mkdir()
    give(home, UNPRIVILEGED)
    mark.touch()
    mark.chmod(0o666)
    variables = {**tool.env, **tiny, "HOME": str(home), "TFSETUP_CACHE_DIR": str(home / "cache"), "UV_CACHE_DIR": str(home / "uv")}
    demoted = ["setpriv", f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups"]
    demoted += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    if subprocess.run([*demoted, sys.executable, "-c", ""], check=False, capture_output=True).returncode:
        pytest.skip("no process can be made of another user here")
    argv = [*demoted, *tool.argv, "verify", "--env", str(env)]
    done = subprocess.run(argv, cwd=work, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert ("--trust" in done.stderr, bool(mark.read_text())) == (code == 15, code != 15), done.stderr


def test_one_that_anybody_may_write_needs_a_word(tool: Tool, tiny: dict[str, str], env: Path, mark: Path) -> None:
    (env / "bin").chmod(0o777)
    assert tool("verify", "--env", str(env), **tiny).code == 15
    assert not mark.exists()


def test_help_says_what_is_started(tool: Tool) -> None:
    for command in ("doctor", "verify", "fix"):
        assert "starts the environment's own Python" in " ".join(tool(command, "--help").out.split()), command
