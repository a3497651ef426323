"""Completion: what a line that is being typed can go on with, and the shells that ask for it."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from provisioner.cli import SUMMARIES, completion
from provisioner.cli.completing import complete
from provisioner.host.local import LocalHost
from tests.cli.made import good_environment
from tests.cli.support import VERSION, Inside


@pytest.fixture
def offered(tiny, monkeypatch: pytest.MonkeyPatch):
    for name, value in tiny.items():
        monkeypatch.setenv(name, value)

    def ask(*words: str) -> tuple[str, list[str]]:
        answer = complete(words, LocalHost())
        return answer.kind, [word for word, _ in answer.words]

    return ask


def test_commands_and_what_stands_for_none(offered) -> None:
    assert offered("") == ("words", [*SUMMARIES, "--help", "--version"])
    assert offered() == offered("")
    assert offered("pl") == ("words", ["plan"])
    assert offered("help", "un") == ("words", ["undo"])
    assert offered("nonsense", "") == ("words", [])


def test_options_that_are_not_given_yet(offered) -> None:
    kind, words = offered("plan", "--")
    assert kind == "words"
    assert {"--tensorflow", "--gpu", "--help"} <= set(words)
    assert "--tensorflow" not in offered("plan", "--tensorflow", "2.20", "--")[1]
    assert "--tensorflow" not in offered("plan", "-t", "2.20", "--")[1]
    # One that can be repeated is offered again.
    assert "--with" in offered("plan", "--with", "pandas", "--")[1]
    assert offered("plan", "--ten") == ("words", ["--tensorflow"])


@pytest.mark.parametrize(
    ("words", "kind", "expected"),
    [
        (("plan", "--tensorflow", ""), "words", [VERSION]),
        (("plan", "-t", "2."), "words", [VERSION]),
        (("plan", "--device", ""), "words", ["auto", "cpu", "cuda"]),
        (("plan", "--device=c"), "words", ["--device=cpu", "--device=cuda"]),
        # As bash takes it apart.
        (("plan", "--device", "="), "words", ["auto", "cpu", "cuda"]),
        (("plan", "--device", "=", "c"), "words", ["cpu", "cuda"]),
        (("lock", "--engine", ""), "words", ["uv", "pip-tools", "conda-lock"]),
        (("verify", "--require", ""), "words", ["gpu"]),
        (("plan", "--facts", ""), "files", []),
        (("plan", "--output", ""), "files", []),
        (("verify", "--python", ""), "files", []),
        (("apply", ""), "files", []),
        (("doctor", "--compare", ""), "files", []),
        (("init", "--project", ""), "folders", []),
        (("fix", "--cwd", ""), "folders", []),
        (("profiles", "--platform", ""), "words", ["linux-x86_64"]),
        (("completion", ""), "words", list(completion.SHELLS)),
        # A flag takes no value.
        (("explain", "--json", "cudnn-m"), "files", ["cudnn-missing"]),
        (("schema", "facts"), "words", ["facts"]),
        (("doctor", "--check", "gpus"), "words", ["gpus"]),
    ],
)
def test_values(offered, words: tuple[str, ...], kind: str, expected: list[str]) -> None:
    found = offered(*words)
    assert found[0] == kind
    assert [word for word in found[1] if not word.startswith("cudnn-missing-")] == expected


def test_environments_that_are_here(offered, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch, inside: Inside) -> None:
    good_environment(shared, work / "my env", monkeypatch)
    assert offered("verify", "--env", "") == ("folders", ["my env"])
    said = inside("completion", "bash", "--", "undo", "-e", "my").out
    assert said == f"folders\nmy env\tTensorFlow {VERSION}\n"


def test_every_option_with_a_value_says_what_it_takes(offered) -> None:
    """None is forgotten: what has neither values nor files nor folders is a word of its own, and is named here."""
    free = {"SPEC", "CHANNEL", "REQUIREMENT", "SECONDS", "DATE", "NAME", "KEY=VALUE", "TEXT", "X.Y"}
    from typer.main import get_command

    from provisioner.cli import make_app

    for command in SUMMARIES:
        for param in get_command(make_app(command)).commands[command].params:
            if param.opts[0].startswith("-") and not param.is_flag:
                kind, words = offered(command, param.opts[0], "")
                assert words or kind != "words" or param.metavar in free, f"{command} {param.opts[0]}"


def typed(shell: list[str], setup: str, line: str, sign: str, *, cwd: Path, env: dict[str, str]) -> None:
    """Type a line into an interactive shell on a terminal of its own, and wait until it shows ``sign``."""
    child, leader = pty.fork()
    if child == 0:  # pragma: no cover - the shell
        os.chdir(cwd)
        os.execve(shell[0], shell, env)
    try:
        os.write(leader, f"{setup}; echo re''ady\n".encode())
        heard(leader, b"ready\r\n")
        os.write(leader, line.encode())
        heard(leader, sign.encode())
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(leader)


def heard(leader: int, sign: bytes, seconds: float = 30) -> None:
    said = b""
    end = time.monotonic() + seconds
    while sign not in said and time.monotonic() < end:
        if select.select([leader], [], [], 0.2)[0]:
            said += os.read(leader, 4096)
    assert sign in said, said.decode(errors="replace")


@pytest.fixture
def path(tmp_path: Path, variables, tiny) -> dict[str, str]:
    """Variables of a shell in which tfsetup is a command."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "tfsetup"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(Path(__file__).parents[2])!r})\nfrom provisioner.__main__ import main\nmain()\n"
    )
    script.chmod(0o755)
    return {**variables, **tiny, "PATH": f"{tmp_path / 'bin'}:{variables['PATH']}", "TERM": "xterm", "PS1": "$ "}


SETUPS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(tfsetup completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -U compinit; compinit -u; eval "$(tfsetup completion zsh)"'),
    "fish": (["fish", "--no-config", "-i"], "tfsetup completion fish | source"),
}


@pytest.mark.parametrize("shell", SETUPS)
def test_a_shell_completes_a_line(path: dict[str, str], work: Path, shell: str) -> None:
    command, setup = SETUPS[shell]
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"there is no {shell} here")
    (work / "cause.log").write_text("")
    for line, sign in (("plan --ten\t", "--tensorflow"), ("explain cudnn-mis\t", "cudnn-missing"), ("explain cause.l\t", "cause.log")):
        typed([program, *command[1:]], setup, f"tfsetup {line}", sign, cwd=work, env=path)


def test_another_shell_is_refused(inside: Inside) -> None:
    ended = inside("completion", "tcsh")
    assert (ended.code, ended.out) == (2, "")
    for shell in completion.SHELLS:
        assert "completion" in inside("completion", shell).out
