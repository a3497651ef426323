"""Interpreters: real ones asked by the real script, and machines that are broken in every usual way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.facts import interpreters
from provisioner.facts.store import FactStore
from provisioner.host import Completed
from provisioner.host.local import LocalHost
from provisioner.model.facts import Fact, Interpreter
from tests.facts.fake_reader import FakeReader

REAL = Path(os.path.realpath(sys.executable))
PYENV = sorted(Path(os.environ.get("PYENV_ROOT", "/nonexistent")).glob("versions/*/bin/python?.*[0-9]"))
ANSWER = (
    f'{interpreters.MARK}{{"version": "3.11.7", "level": "", "bits": 64, "machine": "x86_64", "implementation": "CPython",'
    f' "stdlib": "/usr/lib/python3.11", "prefix": "/usr", "base_prefix": "/usr", "free_threaded": false}}{interpreters.MARK}'
)


class Machine(LocalHost):
    """This machine with only the given folders on PATH; counts the processes it starts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
        monkeypatch.setenv("PATH", ":".join(map(str, folders)))
        for name in ("PYENV_ROOT", "CONDA_PREFIX", "CONDA_EXE", "UV_PYTHON_INSTALL_DIR", "XDG_DATA_HOME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(interpreters, "OTHER_FOLDERS", ())
        self.started: list[Sequence[str]] = []

    def glob(self, pattern: str) -> tuple[str, ...]:
        return () if pattern.startswith("/opt/") else super().glob(pattern)

    def run(self, argv: Sequence[str], **options: object) -> Completed:
        self.started.append(argv)
        return super().run(argv, **options)  # type: ignore[arg-type]


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def venv(folder: Path) -> Path:
    subprocess.run([REAL, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin"


def values(fact: Fact[tuple[Interpreter, ...]]) -> tuple[Interpreter, ...]:
    assert fact.value is not None, fact.why
    return fact.value


def test_a_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = values(interpreters.probe(Machine(monkeypatch, REAL.parent), None))
    own = next(item for item in found if os.path.realpath(item.path) == str(REAL))
    assert own.version == ".".join(map(str, sys.version_info[:3]))
    assert (own.bits, own.architecture, own.implementation, own.virtual) == (64, os.uname().machine, "cpython", False)


@pytest.mark.skipif(not PYENV, reason="pyenv has no Python here")
def test_every_python_of_pyenv(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Machine(monkeypatch)
    root = PYENV[0].parents[3]
    monkeypatch.setenv("PYENV_ROOT", str(root))
    monkeypatch.setenv("PATH", f"{root}/shims")
    found = values(interpreters.probe(host, None))
    assert {(item.version, item.origin) for item in found} == {(path.parents[1].name, "pyenv") for path in PYENV}
    assert not any("shims" in item.path for item in found)


def test_a_virtual_environment_is_another_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = venv(tmp_path / "ünï cödé env")
    found = values(interpreters.probe(Machine(monkeypatch, folder, REAL.parent), None))
    assert [item.virtual for item in found[:2]] == [True, False]
    assert sum(item.path.startswith(str(folder)) for item in found) == 1, "python, python3 and python3.N are one"


def test_externally_managed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The marker of PEP 668 in the standard library's folder, of a Python copied to look like a system's."""
    folder = tmp_path / "bin"
    answer = ANSWER.replace("/usr/lib/python3.11", str(tmp_path / "lib"))
    script(folder / "python3", f"#!/bin/sh\ncat <<'X'\n{answer}\nX\n")
    host = Machine(monkeypatch, folder, Path("/usr/bin"), Path("/bin"))
    pick = str(folder / "python3")
    assert [item.managed for item in values(interpreters.probe(host, None)) if item.path == pick] == [False]
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/EXTERNALLY-MANAGED").touch()
    assert [item.managed for item in values(interpreters.probe(host, None)) if item.path == pick] == [True]


def test_the_marker_does_not_count_inside_a_virtual_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "env/bin/python3", f"#!/bin/sh\necho '{ANSWER.replace('/usr/lib/python3.11', str(tmp_path))}'\n")
    (tmp_path / "env/pyvenv.cfg").touch()
    (tmp_path / "EXTERNALLY-MANAGED").touch()
    host = Machine(monkeypatch, tmp_path / "env/bin", Path("/bin"))
    found = next(item for item in values(interpreters.probe(host, None)) if item.path.startswith(str(tmp_path)))
    assert (found.virtual, found.managed) == (True, False)


def test_modules_beside_the_script_are_not_imported(tmp_path: Path) -> None:
    folder = tmp_path / "provisioner/facts"
    folder.mkdir(parents=True)
    copy = Path(shutil.copy(interpreters.SCRIPT, folder))
    (folder / "json.py").write_text("raise SystemExit('shadowed')")
    done = subprocess.run([REAL, "-E", "-s", copy], capture_output=True, text=True, check=False)
    assert interpreters.parse_answer(done.stdout), done.stderr


def test_noise_and_variables_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = venv(tmp_path / "env")
    site = next((tmp_path / "env/lib").glob("python*/site-packages"))
    (site / "sitecustomize.py").write_text("print('{\"noise\": <<tfsetup')\nimport sys\nsys.stderr.write('more noise')")
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")
    (found,) = values(interpreters.probe(Machine(monkeypatch, folder), None))
    assert found.virtual


def test_what_it_lacks_of_its_own_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = venv(tmp_path / "env")
    site = next((tmp_path / "env/lib").glob("python*/site-packages"))
    (site / "built.pth").write_text("import sys; sys.modules.update(_ctypes=None, _lzma=None)\n")
    (found,) = values(interpreters.probe(Machine(monkeypatch, folder), None))
    assert (found.lacks, found.carries) == (("_ctypes", "_lzma"), False)
    assert interpreters.lacking(Machine(monkeypatch, folder), found.path).keys() == {"_ctypes", "_lzma"}


@pytest.mark.slow
def test_a_python_that_hangs_is_left_out_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = venv(tmp_path / "good"), venv(tmp_path / "bad")
    site = next((tmp_path / "bad/lib").glob("python*/site-packages"))
    # Not sitecustomize: Debian's Python has one of its own, which stands before an environment's.
    (site / "hang.pth").write_text("import time; time.sleep(600)\n")
    monkeypatch.setattr(interpreters, "SECONDS", 4.0)
    host = Machine(monkeypatch, bad, good)
    store = FactStore(host, str(tmp_path / "store"))
    fact = interpreters.probe(host, store)
    assert [item.path.startswith(str(good)) for item in values(fact)] == [True]
    assert "did not answer within 4 seconds" in fact.why
    again = Machine(monkeypatch, bad, good)
    assert interpreters.probe(again, store) == fact
    assert again.started == [], "it does not hold up the next run either"


def test_one_that_is_slow_beside_others_is_asked_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, asked = tmp_path / "bin", tmp_path / "asked"
    script(folder / "python3.9", f"#!/bin/sh\nif ! test -e {asked}; then touch {asked}; sleep 600; fi\necho '{ANSWER}'\n")
    script(folder / "python3.8", f"#!/bin/sh\necho '{ANSWER}'\n")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(interpreters, "SECONDS", 1.0)
    fact = interpreters.probe(Machine(monkeypatch, folder), None)
    assert len(values(fact)) == 2
    assert fact.why == ""


def test_broken_ones_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    script(folder / "python3.9", "#!/bin/sh\nkill -SEGV $$\n")
    script(folder / "python3.8", "#!/bin/sh\necho no libpython >&2; exit 127\n")
    # An ELF header of another machine: the kernel refuses to start it.
    other = b"\x7fELF\2\1\1" + bytes(9) + (2).to_bytes(2, "little") + (0x1234).to_bytes(2, "little") + bytes(44)
    script(folder / "python3.7", "").write_bytes(other)
    script(folder / "python3.6", "#!/usr/bin/env bash\nexec pyenv exec python3.6\n")
    script(folder / "python3.5", "")
    (folder / "python3").symlink_to(folder / "gone")
    (folder / "python3.4").mkdir()
    (folder / "python3-config").touch()
    fact = interpreters.probe(Machine(monkeypatch, folder, tmp_path / "nowhere", Path("relative")), None)
    assert fact.status == "absent"
    for name, why in (("3.9", "ended by signal 11"), ("3.8", "no libpython"), ("3.7", "exec format error"), ("3.4", "cannot be started")):
        assert f"python{name} was left out: it" in fact.why
        assert why in fact.why
    assert "3.6" not in fact.why
    assert "config" not in fact.why


def test_answers_are_kept_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    path = script(folder / "python3", f"#!/bin/sh\necho '{ANSWER}'\n")
    monkeypatch.setenv("PATH", "")
    host = Machine(monkeypatch, folder)
    store = FactStore(host, str(tmp_path / "store"))
    first = interpreters.probe(host, store)
    assert interpreters.probe(host, store) == first
    assert len(host.started) == 1
    script(path, f"#!/bin/sh\necho '{ANSWER.replace('3.11.7', '3.11.8')}'\n")
    assert values(interpreters.probe(host, store))[0].version == "3.11.8"
    assert len(host.started) == 2


def test_the_script_parses_on_python_2() -> None:
    old = next((path for path in PYENV if path.name.startswith("python2")), None)
    if old is None:
        pytest.skip("there is no Python 2 here")
    done = subprocess.run([old, "-E", "-s", interpreters.SCRIPT], capture_output=True, text=True, check=True)
    answer = interpreters.parse_answer(done.stdout)
    assert answer
    assert answer["version"].startswith("2.7.")


def test_windows_launcher() -> None:
    text = (
        " -V:3.12 *        C:\\Users\\me\\AppData\\Local\\Programs\\Python\\Python312\\python.exe\n"
        " -V:3.11-32       C:\\Program Files (x86)\\Python311-32\\python.exe\n"
        " -3.9-64          C:\\Python39\\python.exe *\nNo suitable runtime\n"
    )
    assert interpreters.parse_launcher(text) == (
        "C:\\Users\\me\\AppData\\Local\\Programs\\Python\\Python312\\python.exe",
        "C:\\Program Files (x86)\\Python311-32\\python.exe",
        "C:\\Python39\\python.exe",
    )


def test_origins() -> None:
    home = "/home/me"
    paths = {
        "/usr/bin/python3.10": "system",
        f"{home}/.pyenv/versions/3.9.1/bin/python3.9": "pyenv",
        f"{home}/.local/share/uv/python/cpython-3.12.1-linux/bin/python3.12": "uv",
        f"{home}/miniconda3/bin/python3.11": "conda",
        f"{home}/miniconda3/envs/a/bin/python3.8": "conda",
        "/opt/mine/bin/python3.7": "path",
    }
    files: dict[str, str | bytes | Exception | None] = {path: f"\x7fELF {path}" for path in paths}
    files |= {f"{home}/miniconda3/conda-meta/history": "", f"{home}/miniconda3/envs/a/conda-meta/history": ""}
    machine = FakeReader(files, env={"HOME": home, "PATH": "/usr/bin"})
    assert {item.path: item.origin for item in interpreters.find(machine)} == paths


@given(st.text())
def test_parsers_never_crash(text: str) -> None:
    interpreters.parse_answer(text)
    interpreters.parse_answer(interpreters.MARK + text + interpreters.MARK)
    interpreters.parse_launcher(text)


def test_a_named_interpreter_is_found_under_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it is, and although the same Python is on PATH under another name."""
    named = tmp_path / "my python"
    named.symlink_to(REAL)
    found = values(interpreters.probe(Machine(monkeypatch, REAL.parent), None, str(named)))
    assert found[0].path == str(named)
    assert [item.path for item in found if item.version == found[0].version] == [str(named)]
