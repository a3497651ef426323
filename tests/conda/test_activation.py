"""The activation files in real shells: what they set, and that deactivating brings back exactly what was there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from provisioner.conda.activation import SCRIPTS, edits
from provisioner.model.plan import Choice

LIBRARIES = "lib/python3.11/site-packages/tensorflow"
SHELLS = ["bash", "dash", "zsh"]
# What a shell keeps for itself.
OWN = re.compile(r"(_|SHLVL|PWD|OLDPWD|BASH.*|FUNCNAME|LINENO|PIPESTATUS|RANDOM|SECONDS|EPOCH.*|SRANDOM|OPTIND|status|_comp.*)=")


def environment(root: Path, *, device: str = "cuda", road: str = "libraries") -> Path:
    choice = Choice(
        release="2.4.1", python="3.11", interpreter=None, device=device, platform="linux-x86_64", road=road,
        reasons=(), refusals=(), warnings=(), gpus=(),
    )  # fmt: skip
    for edit in edits(choice, str(root), libraries=LIBRARIES if (device, road) == ("cuda", "libraries") else ""):
        path = root / edit.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(edit.text)
    (root / "bin/tool").write_text("#!/bin/sh\necho 'the tool'\n")
    (root / "bin/tool").chmod(0o755)
    return root


def run(shell: str, program: str, **env: str) -> list[str]:
    """Run a program in a shell that stops at the first fault and at the first variable that is not set."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not on this machine")
    argv = [shell, *(["-f"] if shell == "zsh" else ["--norc"] if shell == "bash" else [])]
    strict = "" if shell == "fish" else "set -eu\n"
    given = {"PATH": "/usr/bin:/bin", "HOME": "/nowhere", **env}
    done = subprocess.run([*argv, "-c", strict + program], env=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()


def script(root: Path, path: str = "bin/activate") -> str:
    return ". '" + f"{root}/{path}".replace("'", "'\\''") + "'"


STATE = "set | grep -v '^_tfsetup' ; export -p"
BEFORE = [
    {},
    {"PYTHONNOUSERSITE": "", "LD_LIBRARY_PATH": "/opt/cuda/lib64", "XLA_FLAGS": "--xla_a=1"},
    {"PYTHONNOUSERSITE": "yes", "LD_LIBRARY_PATH": "", "XLA_FLAGS": ""},
    {"CONDA_PREFIX": "/opt/conda", "PS1": "$ ", "LD_LIBRARY_PATH": "/a b:/c"},
    {"XLA_FLAGS": "--xla_gpu_cuda_data_dir=/usr/local/cuda"},
]


@pytest.mark.parametrize("before", BEFORE, ids=["nothing set", "all set", "set and empty", "in conda", "own folder"])
@pytest.mark.parametrize(("device", "road"), [("cuda", "libraries"), ("cuda", "conda"), ("cpu", "wheels")])
@pytest.mark.parametrize("shell", SHELLS)
def test_afterwards_everything_is_as_it_was(tmp_path: Path, shell: str, device: str, road: str, before: dict[str, str]) -> None:
    root = environment(tmp_path / "tf", device=device, road=road)
    (root / "nvvm/libdevice").mkdir(parents=True)
    said = run(shell, f"{STATE}; echo '#####'; {script(root)}; {STATE}; echo '#####'; deactivate; {STATE}", **before)
    states = "\n".join(said).split("#####\n")
    first, inside, last = ([line for line in state.splitlines() if not OWN.match(line)] for state in states)
    assert [line for line in first if line != "#####"] == [line for line in last if line != "#####"]
    assert first != inside


@pytest.mark.parametrize("shell", SHELLS)
class TestInside:
    def test_its_programs_come_first_and_it_says_where_it_is(self, tmp_path: Path, shell: str) -> None:
        root = environment(tmp_path / "tf")
        said = run(shell, f'PS1="$ "; {script(root)}; tool; echo "$CONDA_PREFIX"; echo "$PYTHONNOUSERSITE"; echo "$PS1"')
        assert said == ["the tool", str(root), "1", "(tf) $ "]

    def test_its_libraries_go_before_those_of_the_surroundings(self, tmp_path: Path, shell: str) -> None:
        root = environment(tmp_path / "tf")
        found = run(shell, f'{script(root)}; echo "$LD_LIBRARY_PATH"', LD_LIBRARY_PATH="/opt/cuda/lib64")
        assert found == [f"{root}/{LIBRARIES}:/opt/cuda/lib64"]
        assert run(shell, f'{script(root)}; echo "${{LD_LIBRARY_PATH-none}}"') == ["none"], "without a rival nothing is needed"

    @pytest.mark.parametrize("folder", ["nvvm/libdevice", "targets/x86_64-linux/nvvm/libdevice"])
    def test_xla_is_told_where_libdevice_is(self, tmp_path: Path, shell: str, folder: str) -> None:
        root = environment(tmp_path / "tf", road="conda")
        (root / folder).mkdir(parents=True)
        place = (root / folder).parent.parent
        ask = f'{script(root)}; echo "$XLA_FLAGS"'
        assert run(shell, ask) == [f"--xla_gpu_cuda_data_dir={place}"]
        assert run(shell, ask, XLA_FLAGS="--xla_a=1") == [f"--xla_a=1 --xla_gpu_cuda_data_dir={place}"]
        own = "--xla_gpu_cuda_data_dir=/mine --xla_a=1"
        assert run(shell, ask, XLA_FLAGS=own) == [own]

    def test_without_libdevice_xla_is_left_alone(self, tmp_path: Path, shell: str) -> None:
        assert run(shell, f'{script(environment(tmp_path / "tf", road="conda"))}; echo "${{XLA_FLAGS-none}}"') == ["none"]

    @pytest.mark.parametrize("name", ["a b", "it's", 'say "x"', "a$HOME`id`", "ü", "a;b", "a*b"])
    def test_strange_places(self, tmp_path: Path, shell: str, name: str) -> None:
        root = environment(tmp_path / name)
        said = run(shell, f'PS1="$ "; {script(root)}; tool; echo "$CONDA_PREFIX"; echo "$PS1"; deactivate; echo "$PATH"')
        assert said == ["the tool", str(root), f"({name}) $ ", "/usr/bin:/bin"]

    def test_one_after_another(self, tmp_path: Path, shell: str) -> None:
        """The second ends the first; after it the first one's surroundings are back."""
        one, two = environment(tmp_path / "one"), environment(tmp_path / "two")
        program = (
            f'{script(one)}; {script(two)}; echo "$CONDA_PREFIX"; echo "$PATH"; deactivate; echo "${{CONDA_PREFIX-none}}"; echo "$PATH"'
        )
        assert run(shell, program) == [str(two), f"{two}/bin:/usr/bin:/bin", "none", "/usr/bin:/bin"]

    def test_other_packages_scripts_are_run_too(self, tmp_path: Path, shell: str) -> None:
        root = environment(tmp_path / "tf")
        (root / "etc/conda/activate.d/other.sh").write_text("export OTHER=set\n")
        (root / "etc/conda/deactivate.d/other.sh").write_text("unset OTHER\n")
        assert run(shell, f'{script(root)}; echo "$OTHER"; deactivate; echo "${{OTHER-none}}"') == ["set", "none"]

    def test_deactivate_is_gone_afterwards(self, tmp_path: Path, shell: str) -> None:
        root = environment(tmp_path / "tf")
        assert run(shell, f"{script(root)}; deactivate; if command -v deactivate > /dev/null; then echo there; else echo gone; fi") == [
            "gone"
        ]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_conda_s_old_way_to_activate_another_one_is_handed_to_conda(tmp_path: Path, shell: str) -> None:
    """With this environment's ``bin`` in PATH, ``source activate NAME`` finds this file."""
    root = environment(tmp_path / "tf")
    said = run(shell, f'conda () {{ echo "conda $*"; }}; . "{root}/bin/activate" other; echo "${{CONDA_PREFIX-none}}"')
    assert said == ["conda activate other", "none"]


@pytest.mark.parametrize("before", BEFORE, ids=["nothing set", "all set", "set and empty", "in conda", "own folder"])
def test_as_conda_itself_runs_them(tmp_path: Path, before: dict[str, str]) -> None:
    """conda sets CONDA_PREFIX and PATH by itself, and sources the two scripts."""
    root = environment(tmp_path / "tf")
    on, off = (script(root, f"etc/conda/{name}.d/tfsetup.sh") for name in ("activate", "deactivate"))
    program = f"export CONDA_PREFIX='{root}'; {STATE}; echo '#####'; {on}; {off}; {STATE}"
    first, last = ("\n".join(run("bash", program, **before)) + "\n").split("#####\n")
    assert [line for line in first.splitlines() if not OWN.match(line)] == [line for line in last.splitlines() if not OWN.match(line)]


@pytest.mark.parametrize("before", BEFORE, ids=["nothing set", "all set", "set and empty", "in conda", "own folder"])
@pytest.mark.parametrize("road", ["libraries", "conda"])
def test_fish(tmp_path: Path, road: str, before: dict[str, str]) -> None:
    root = environment(tmp_path / "a b", road=road)
    (root / "nvvm/libdevice").mkdir(parents=True)
    on, off = (f"source '{root}/etc/conda/{name}.d/tfsetup.fish'" for name in ("activate", "deactivate"))
    program = f"set -gx CONDA_PREFIX '{root}'; env | sort; echo '#####'; {on}; env | sort; echo '#####'; {off}; env | sort"
    states = "\n".join(run("fish", program, **before)).split("#####\n")
    first, inside, last = ([line for line in state.splitlines() if not OWN.match(line)] for state in states)
    assert first == last
    assert "PYTHONNOUSERSITE=1" in inside


def test_every_script_is_plain_text_for_everybody(tmp_path: Path) -> None:
    root = environment(tmp_path / "tf")
    for path, _ in SCRIPTS:
        text = (root / path).read_text()
        assert "@" not in text.replace('"$@"', ""), "every placeholder is filled"
        assert text.endswith("\n")
