"""``doctor`` on real environments with tiny packages: broken the ways people break them, examined by the real tool."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import sysconfig
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.base.progress import SILENT
from provisioner.causes.findings import Findings
from provisioner.commands.doctor import doctor
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.diagnose.doctor import all_checks, run_one, wording_of
from provisioner.diagnose.gather import Options
from provisioner.host.local import LocalHost
from provisioner.model.diagnosis import Examination
from provisioner.model.finding import Evidence, Repair
from provisioner.report.doctor_text import examination_text
from provisioner.session import Session
from tests.diagnose.support import case, write
from tests.verify.support import SITE, fake_tensorflow, install, known_messages, make_env, tree

GOOD = """
    __version__ = '2.99.0'
    def constant(value): return value
    def executing_eagerly(): return True
    class config:
        @staticmethod
        def list_physical_devices(kind): return []
        class experimental: pass
    class test:
        @staticmethod
        def is_built_with_cuda(): return False
"""


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TFSETUP_CACHE_DIR", str(tmp_path.parent / "cache"))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def env(tmp_path: Path) -> Path:
    made = make_env(tmp_path / "env")
    fake_tensorflow(made, GOOD)
    install(made, "numpy", "2.2.6", {"numpy/__init__.py": "__version__ = '2.2.6'\n"})
    return made


def examine(env: Path, work: Path, *, importing: bool = False, deep: bool = False, python: str = "") -> Examination:
    options = Options(cwd=str(work), importing=importing, deep=deep, timeout=60.0)
    target = {"python": python} if python else {"env": str(env)}
    return doctor(Session(LocalHost()), **target, options=options, progress=SILENT).examination


def wrong(examination: Examination) -> list[tuple[str, str]]:
    assert [item.detail for item in examination.checks if item.result == "crashed"] == []
    return [(item.severity, item.cause) for item in examination.findings if item.severity != "info"]


def repairs(examination: Examination) -> list[tuple[str, str, bool]]:
    found = [item for finding in examination.findings for item in finding.repairs]
    return [(item.kind, item.name or Path(item.path or item.target).name, item.own) for item in found]


def test_a_healthy_environment(env, work):
    before = tree(env)
    examination = examine(env, work, importing=True)
    assert wrong(examination) == []
    assert examination.tensorflow == "2.99.0"
    assert next(item for item in examination.checks if item.name == "import").result == "healthy"
    assert tree(env) == before


def test_a_python_that_was_not_to_be_started_is_not_said_to_give_no_answer(env, work):
    options = Options(cwd=str(work), importing=False, static=True)
    examination = doctor(Session(LocalHost()), env=str(env), options=options, progress=SILENT).examination
    assert (wrong(examination), examination.static) == ([], True)
    assert examination.python_version == ".".join(map(str, sys.version_info[:2]))
    assert [item.name for item in examination.checks if "does not answer" in item.detail] == []
    assert "does not answer" not in examination_text(examination, None, verbose=True)
    assert "by its files: it was not started" in examination_text(examination, None, verbose=False)


def test_the_interpreter_is_gone(env, work):
    (env / "bin/python").unlink()
    (env / "bin/python").symlink_to("/nowhere/python3")
    examination = examine(env, work)
    assert wrong(examination)[0] == ("error", "install-corrupt")
    assert repairs(examination)[0][0] in {"interpreter", "rebuild"}


def test_an_interpreter_that_only_pyvenv_cfg_names_is_one_that_is_here(env, work, tmp_path, monkeypatch):
    """The environment's ``python`` was linked to another version, and its base lies where nobody looks for Pythons."""
    for name in ("PATH", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    home = tmp_path / "pythons" / "bin"
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for folder, text in ((env / "bin", "echo 9"), (home, f'exec {sys.executable} "$@"')):
        folder.mkdir(parents=True, exist_ok=True)
        for each in {"python", name} if folder == home else {"python"}:
            (folder / each).unlink(missing_ok=True)
            write(folder / each, f"#!/bin/sh\n{text}\n").chmod(0o755)
    (env / "pyvenv.cfg").write_text(f"home = {home}\nversion = 3\n")
    found = [item for finding in examine(env, work).findings for item in finding.repairs]
    assert [(item.kind, item.target) for item in found][:1] == [("interpreter", str(home / name))]


def test_pyvenv_cfg_is_gone(env, work):
    (env / "pyvenv.cfg").unlink()
    examination = examine(env, work)
    assert wrong(examination) == [("error", "install-corrupt")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_pyvenv_cfg_was_saved_in_another_encoding(env, work, encoding):
    """Notepad's "Unicode": Python ends at the byte order mark, or finds no ``home`` behind it."""
    text = (env / "pyvenv.cfg").read_text()
    (env / "pyvenv.cfg").write_text(text, encoding=encoding)
    examination = examine(env, work)
    assert wrong(examination) == [("error", "install-corrupt")]
    assert repairs(examination) == [("write", "pyvenv.cfg", False)]


@pytest.mark.parametrize("name", ["random.py", "queue.py", "secrets.py", "tensorflow/__init__.py", "six.py"])
def test_an_own_file_that_hides_a_module(env, work, name):
    write(work / name)
    examination = examine(env, work)
    assert wrong(examination) == [("error", "module-shadowed")]
    assert repairs(examination) == [("move away", name.split("/")[0], True)]


HOOK = "import sys; sys.path.insert(0, {!r})\n"


def test_a_pth_file_goes_away_and_not_the_folder_outside_that_it_brings_in(env, work, tmp_path):
    write(tmp_path / "libs/numpy/__init__.py")
    write(env / SITE / "zz_plugin.pth", HOOK.format(str(tmp_path / "libs")))
    examination = examine(env, work)
    assert wrong(examination) == [("error", "module-shadowed")]
    assert repairs(examination) == [("move away", "zz_plugin.pth", False)]


@pytest.mark.parametrize("name", ["__editable__.mine-1.pth", "easy-install.pth"])
def test_the_pth_file_of_an_editable_install_stays(env, work, tmp_path, name):
    write(tmp_path / "src/mine/__init__.py")
    if name != "easy-install.pth":
        install(env, "mine", "1", {name: f"{tmp_path}/src\n"})
    write(env / SITE / name, f"{tmp_path}/src\n")
    assert wrong(examine(env, work)) == []
    write(tmp_path / "src/numpy/__init__.py")
    shutil.rmtree(env / SITE / "numpy")
    assert name not in [path for _, path, _ in repairs(examine(env, work))]


@pytest.mark.parametrize("name", ["test.py", "train.py", "turtle.py", "data/__init__.py", "numpy_notes.py"])
def test_an_own_file_that_hides_nothing(env, work, name):
    write(work / name)
    assert wrong(examine(env, work)) == []


def test_an_own_file_that_breaks_the_import_is_certain(env, work):
    fake_again = env / SITE / "tensorflow/__init__.py"
    shutil.rmtree(env / SITE / "tensorflow-2.99.0.dist-info")
    fake_again.unlink()
    (env / SITE / "tensorflow/python/platform/build_info.py").unlink()
    fake_tensorflow(env, "import secrets\nsecrets.token_hex(4)\n" + GOOD.replace("\n    ", "\n"))
    write(work / "secrets.py", "KEY = 1\n")
    examination = examine(env, work, importing=True)
    assert wrong(examination)[0] == ("error", "module-shadowed")


def test_files_that_are_missing_or_cut(env, work):
    (env / SITE / "tensorflow/python/platform/build_info.py").unlink()
    examination = examine(env, work)
    assert wrong(examination) == [("error", "install-corrupt")]


def test_changed_content_is_seen(env, work):
    path = env / SITE / "tensorflow/__init__.py"
    path.write_text(path.read_text().replace("2.99.0", "2.98.0"))
    assert wrong(examine(env, work)) == [("warning", "install-corrupt")]


@pytest.mark.parametrize(
    ("owner", "path", "severity"),
    [("alpha", "shared/module.py", "warning"), ("tensorflow", "tensorflow/python/platform/build_info.py", "error")],
)
def test_two_packages_that_write_one_file(env, work, owner, path, severity):
    """Beside what TensorFlow rests on it is a warning; which of the two is meant, a person knows, and is told how to keep the one that is there."""
    if owner == "alpha":
        install(env, owner, "1.0", {path: "1\n"})
    install(env, "beta", "1.0", {path: "2\n"})
    examination = examine(env, work)
    assert wrong(examination) == [(severity, "install-corrupt")]
    finding = examination.findings[0]
    assert f"{owner} and beta both have this file" in finding.evidence[0].seen
    python = f"{env}/bin/python"
    # It has no pip, as uv makes them.
    steps = (f"uv pip uninstall --python {python} {owner}", f"uv pip install --python {python} --force-reinstall --no-deps beta==1.0")
    assert (finding.repairs, finding.remedy.steps) == ((), steps)


def test_files_that_no_import_needs_count_too(env, work):
    install(env, "demo", "1.0", {"demo/tests/test_one.py": "1\n", "demo/data.txt": "1\n"})
    (env / SITE / "demo/tests/test_one.py").unlink()
    assert wrong(examine(env, work)) == [("warning", "install-corrupt")]


def test_certificates_added_to_a_package_are_nobodys_fault(env, work):
    install(env, "certifi", "2024.1.1", {"certifi/__init__.py": "", "certifi/cacert.pem": "one"})
    (env / SITE / "certifi/cacert.pem").write_text("one and our own")
    assert wrong(examine(env, work)) == []


def test_what_an_interrupted_pip_left(env, work):
    (env / SITE / "tensorflow").rename(env / SITE / "~ensorflow")
    (env / SITE / "tensorflow-2.99.0.dist-info").rename(env / SITE / "~ensorflow-2.99.0.dist-info")
    assert wrong(examine(env, work)) == [("error", "install-corrupt")]


def test_it_is_not_installed(tmp_path, work):
    assert wrong(examine(make_env(tmp_path / "empty"), work)) == [("error", "tf-not-installed")]


def test_where_no_tensorflow_is_nothing_is_asked_of_it(tmp_path, work):
    examination = examine(make_env(tmp_path / "empty"), work, importing=True)
    assert [item.name for item in examination.checks if item.result == "could not tell"] == []
    assert {item.name for item in examination.checks if item.detail == "there is no TensorFlow"} >= {"import", "requirements", "addons"}


def test_it_is_installed_in_the_active_environment_and_another_one_runs(env, work, tmp_path, monkeypatch):
    monkeypatch.setenv("VIRTUAL_ENV", str(env))
    other = make_env(tmp_path / "other")
    assert wrong(examine(other, work, python=str(other / "bin/python")))[0] == ("error", "wrong-environment")


def test_of_what_fix_would_refuse_nothing_is_offered(env, work):
    (env / SITE / "numpy/__init__.py").unlink()
    examination = examine(env, work)
    repair = Repair(kind="rebuild", reason="")
    examination = replace(examination, findings=tuple(replace(item, repairs=(repair,)) for item in examination.findings))
    assert "Mend it: tfsetup fix --env" in examination_text(examination, None, verbose=False)
    kept = examination_text(examination, None, verbose=False, kept="it is conda's own environment (base)")
    assert "Mend it" not in kept
    assert "`tfsetup fix` would" not in kept
    assert kept.endswith("\n`tfsetup fix` leaves it as it is: it is conda's own environment (base)\n")


@pytest.mark.parametrize("name", [".venv", "tf-env", "my env"])
def test_it_is_installed_in_an_environment_that_lies_here(tmp_path, name):
    here = tmp_path / "project"
    has = make_env(here / name)
    install(has, "tensorflow", "2.99.0", {"tensorflow/__init__.py": ""})
    other = make_env(tmp_path / "other")
    found = examine(other, here, python=str(other / "bin/python")).findings[0]
    assert (found.severity, found.cause) == ("error", "wrong-environment")
    assert f"the environment {name} in the working directory" in found.evidence[1].seen
    assert found.remedy.steps == (f"tfsetup doctor --env {shlex.quote(str(has))}", f"tfsetup shell --env {shlex.quote(str(has))}")
    assert not any("pip --version" in step for way in found.remedy.others for step in way.steps)


def test_what_a_package_of_ones_own_asks_for_is_changed_where_it_came_from(env, work):
    """An index may have something else under the project's name."""
    info = install(env, "mine", "1.0", {"mine.py": ""}, requires=("tensorflow<2",))
    before = next(item for item in examine(env, work).findings if "mine" in str(item.evidence))
    assert any("mine" in step for step in before.remedy.steps)
    (info / "direct_url.json").write_text('{"url": "file:///home/me/mine", "dir_info": {"editable": true}}')
    found = next(item for item in examine(env, work).findings if "mine" in str(item.evidence))
    assert found.remedy.words.startswith("Change what mine asks for (tensorflow<2) where it came from")
    assert found.remedy.steps == ()
    assert not any("mine" in step for way in found.remedy.others for step in way.steps)


def test_a_moved_environment(env, work):
    write(env / "bin/pip", "#!/somewhere/else/bin/python3\n")
    assert wrong(examine(env, work)) == [("warning", "wrong-environment")]


def test_a_package_from_pythonpath_in_place_of_the_own_one(env, work, tmp_path, monkeypatch):
    outside = make_env(tmp_path / "libs")
    install(outside, "numpy", "2.4.0", {"numpy/__init__.py": ""})
    monkeypatch.setenv("PYTHONPATH", str(outside / SITE))
    shutil.rmtree(env / SITE / "tensorflow-2.99.0.dist-info")
    info = env / SITE / "tensorflow-2.99.0.dist-info"
    write(info / "METADATA", "Metadata-Version: 2.1\nName: tensorflow\nVersion: 2.99.0\nRequires-Dist: numpy<2.3\n")
    write(info / "RECORD", "tensorflow/__init__.py,,\n")
    assert ("error", "environment-leak") in wrong(examine(env, work))


def test_damaged_metadata_ends_in_an_answer(env, work):
    (env / SITE / "numpy-2.2.6.dist-info/METADATA").write_bytes(os.urandom(4000))
    (env / SITE / "numpy-2.2.6.dist-info/RECORD").write_bytes(b"\0\xff,../../../../etc/passwd,," + os.urandom(4000))
    examination = examine(env, work)
    assert "crashed" not in {item.result for item in examination.checks}
    assert examination.tensorflow == "2.99.0", "the others are still read"


@pytest.mark.skipif(
    Path(sysconfig.get_path("stdlib"), "sitecustomize.py").exists(),
    reason="the sitecustomize of this Python stands before an environment's",
)
def test_a_start_that_breaks_off(env, work):
    write(env / SITE / "sitecustomize.py", "import sys\nsys.exit('sitecustomize: no')\n")
    examination = examine(env, work)
    assert wrong(examination)[0] == ("error", "environment-leak")
    assert ("move away", "sitecustomize.py", True) in repairs(examination)


def spec(look, seconds=5.0) -> CheckSpec:
    return CheckSpec(name="one", title="one", look=look, seconds=seconds)


def run(look, seconds=5.0):
    return run_one(spec(look, seconds), case(), wording_of(case(), known_messages()))


def test_a_check_that_crashes_is_said_to_and_costs_nothing_else():
    def look(_case: Case, _findings: Findings) -> str:
        raise KeyError("gone")

    examined, findings = run(look)
    assert (examined.result, findings) == ("crashed", ())
    assert "KeyError" in examined.detail


def test_a_check_that_takes_too_long_is_left_behind():
    found = case()
    words = wording_of(found, known_messages())
    answered, ended = threading.Event(), threading.Event()

    def look(_case: Case, _findings: Findings) -> str:
        answered.wait(60)
        ended.set()
        return ""

    examined, _ = run_one(spec(look, 0.1), found, words)
    assert examined.result == "could not tell"
    # Nobody waited for it: it goes on until it is let.
    assert not ended.is_set()
    answered.set()


def test_a_check_can_say_nothing_or_not_apply():
    def nothing(_case: Case, _findings: Findings) -> str:
        raise CouldNotTell("no")

    def skip(_case: Case, _findings: Findings) -> str:
        raise Skipped("not here")

    assert run(nothing)[0].result == "could not tell"
    assert run(skip)[0].result == "skipped"


def test_the_gravest_finding_is_the_result():
    def look(_case: Case, findings: Findings) -> str:
        findings.add("disk-full", "info", "likely", Evidence(seen="a", where=""))
        findings.add("numpy-incompatible", "warning", "likely", Evidence(seen="b", where=""))
        return "looked"

    examined, _ = run(look)
    assert (examined.result, examined.causes) == ("warning", ("numpy-incompatible", "disk-full"))


def test_names_of_checks_are_different():
    names = [item.name for item in all_checks()]
    assert len(set(names)) == len(names)
