"""conda's packages against their records, in small environments on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.host.local import LocalHost
from provisioner.judge import conda_files
from provisioner.judge.integrity import check
from tests.conda_env import SITE, distribution, install, package

HOST = LocalHost()
BIG = "x" * (conda_files.SMALL + 1)


@pytest.fixture
def env(tmp_path: Path) -> Path:
    folder = tmp_path / "an env [1]"
    python = {"bin/python3.11": "program", "lib/python3.11/json/__init__.py": "a = 1\n", "include/python3.11/Python.h": "header"}
    package(
        folder, "python", "3.11.9", {**python, "bin/python": "-> python3.11", "lib/python3.11/old.pyc": "byte code"}, depends=["openssl"]
    )
    package(folder, "openssl", "3.0", {"lib/libssl.so.3": BIG, "share/man/ssl.1": "manual"})
    package(folder, "r-base", "4.0", {"lib/R/lib/libR.so": "library"})
    package(folder, "numpy", "1.26.4", distribution("numpy", "1.26.4", {"numpy/__init__.py": "V = 1\n", "numpy/core.py": "c\n"}))
    return folder


def faults(env: Path, **options):
    conda = check(HOST, str(env), **options).conda
    assert conda is not None
    return [(item.kind, Path(item.path).name, item.package, item.by) for item in conda.faults]


def state(env: Path):
    conda = check(HOST, str(env)).conda
    assert conda is not None
    return conda


def test_as_recorded(env: Path) -> None:
    found = check(HOST, str(env))
    assert found.conda is not None
    assert (found.faults, found.conda.faults, found.conda.over) == ((), (), ())
    assert found.files == 0, "conda's distributions are compared by conda's record alone"
    assert found.conda.files == 12, "byte code is not looked at"
    assert faults(env, deep=True) == faults(env, sizes_only=True) == []


def test_no_conda_environment(tmp_path: Path) -> None:
    assert check(HOST, str(tmp_path)).conda is None


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("lib/libssl.so.3", "short", "size"),
        ("lib/libssl.so.3", "y" * len(BIG), "content"),
        ("lib/python3.11/json/__init__.py", "a = 2\n", "content"),
        ("bin/python3.11", "", "size"),
    ],
)
def test_changed(env: Path, path: str, text: str, kind: str) -> None:
    (env / path).write_text(text)
    assert [item[:2] for item in faults(env)] == [(kind, Path(path).name)]


def test_missing_and_a_link_that_is_gone(env: Path) -> None:
    for path in ("bin/python", "lib/libssl.so.3", "lib/python3.11/old.pyc"):
        (env / path).unlink()
    assert sorted(item[:3] for item in faults(env)) == [
        ("missing", "libssl.so.3", "openssl-3.0-0"),
        ("missing", "python", "python-3.11.9-0"),
    ]


def test_libraries_beyond_the_budget_are_hashed_only_when_asked_for(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conda_files, "NATIVE_BUDGET", conda_files.SMALL)
    (env / "lib/libssl.so.3").write_text("y" * len(BIG))
    assert faults(env) == []
    assert [item[0] for item in faults(env, deep=True)] == ["content"]


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ({"prefix_placeholder": "/opt/x", "file_mode": "text"}, []),
        ({"prefix_placeholder": "/opt/x", "file_mode": "text", "sha256_in_prefix": "0" * 64}, ["content"]),
        ({"prefix_placeholder": "/opt/x", "file_mode": "binary", "size_in_bytes": 3}, ["size"]),
    ],
)
def test_files_that_the_prefix_was_written_into(tmp_path: Path, listed: dict[str, object], found: list[str]) -> None:
    package(tmp_path, "tool", "1", {"bin/tool": "#!/somewhere/else/bin/python\n"}, **listed)
    assert [item[0] for item in faults(tmp_path)] == found


def test_entry_points_are_written_by_whoever_links(tmp_path: Path) -> None:
    package(tmp_path, "tool", "1", {"bin/tool": "#!/x\n"}, path_type="unix_python_entry_point", sha256="0" * 64, size_in_bytes=1)
    assert faults(tmp_path) == []


def test_pip_over_a_package_of_another_version(env: Path) -> None:
    for path in ("METADATA", "INSTALLER", "RECORD"):
        (env / SITE / f"numpy-1.26.4.dist-info/{path}").unlink()
    (env / SITE / "numpy/core.py").unlink()
    install(env, distribution("numpy", "2.0", {"numpy/__init__.py": "V = 2\n"}, installer="pip"))
    over = state(env).over
    assert [(item.package, item.name, item.conda, item.version, item.both) for item in over] == [
        ("numpy-1.26.4-0", "numpy", "1.26.4", "2.0", False)
    ]
    assert {item[3] for item in faults(env)} == {"numpy"}, "what is gone with conda's numpy is pip's doing, too"


def test_pip_over_the_same_version(env: Path) -> None:
    install(env, distribution("numpy", "1.26.4", {"numpy/__init__.py": "V = 1\n"}, installer="uv"))
    assert [(item.version, item.both) for item in state(env).over] == [("1.26.4", False)]
    assert not state(env).own


def test_two_versions_side_by_side(env: Path) -> None:
    install(env, distribution("numpy", "2.0", {}, installer="pip"))
    assert [(item.version, item.both) for item in state(env).over] == [("2.0", True)]


def test_built_by_pip_and_packed_by_conda(tmp_path: Path) -> None:
    package(tmp_path, "six", "1.16", distribution("six", "1.16", {"six.py": "S = 1\n"}, installer="pip"))
    assert state(tmp_path).over == ()


def test_a_wheel_of_another_name_over_files_of_conda(env: Path) -> None:
    install(env, distribution("json", "1.0", {"../json/__init__.py": "mine = 1\n"}, installer="pip"))
    assert [item[3] for item in faults(env)] == ["json"]


def test_what_a_program_with_tensorflow_rests_on(env: Path) -> None:
    found = state(env)
    assert conda_files.needed(found) == {"python-3.11.9-0", "openssl-3.0-0", "numpy-1.26.4-0"}
    assert conda_files.needed(found, {"six"}) == {"python-3.11.9-0", "openssl-3.0-0"}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("lib/libcudart.so.11.0.221", True),
        ("lib/python3.11/json/decoder.py", True),
        ("bin/python3.11", True),
        ("lib/libdevice.10.bc", True),
        ("include/a.h", False),
        ("lib/python3.11/test/a.py", False),
        ("lib/python3.11/site-packages/a-1.dist-info/INSTALLER", False),
        ("share/doc/a.py", False),
        ("lib/python3.11/config-3.11/Makefile", False),
    ],
)
def test_what_is_code(path: str, code: bool) -> None:
    assert conda_files.is_code("/env", f"/env/{path}") is code
