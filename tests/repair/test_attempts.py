"""The attempts in order on real environments of tiny wheels, with findings made by hand; what only TensorFlow can prove is proven by an import."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from provisioner.base.progress import SILENT
from provisioner.commands.fix import attempt
from provisioner.commands.undo import undo
from provisioner.diagnose.judgement import Judgement
from provisioner.errors import InputError, NoProfileError
from provisioner.host.local import LocalHost
from provisioner.model.diagnosis import Examination, Examined
from provisioner.model.finding import Finding, Repair
from provisioner.model.plan import Plan
from provisioner.model.request import Request
from provisioner.repair import attempts
from provisioner.repair.attempts import Examine
from provisioner.report.apply_text import undo_document, undo_text, undone_text
from provisioner.report.fix_text import findings_text, fixed_document, fixed_text
from provisioner.report.plan_text import plan_text
from provisioner.session import Session
from tests.cli.support import VERSION, make_profiles
from tests.fixing import finding
from tests.support import SITE, make_wheel, prove_by_import, snapshot

HOST = LocalHost()
OWN = {"tensorflow/__init__.py": "import six\nGOOD = six.VERSION == 2\n"}


def by_import(root: str) -> Judgement:
    verification = prove_by_import(root)
    return Judgement(verification=verification, computes=verification.passed)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheels, a catalogue of one set, and what was found out about this machine."""
    root = tmp_path_factory.mktemp("fixing")
    files = (
        make_wheel(root / "wheels", "six", "2.0", {"six.py": "VERSION = 2\n"}),
        make_wheel(root / "wheels", "tensorflow-cpu", VERSION, OWN, requires=["six==2.0"]),
    )
    make_profiles(root / "profiles", files)
    make_wheel(root / "wheels", "six", "1.0", {"six.py": "VERSION = 1\n"})
    make_wheel(root / "wheels", "my-own", "3.0", {"my_own.py": "V = 3\n"}, requires=["six"])
    make_wheel(root / "wheels", "old-only", "1.0", {"old_only.py": ""}, requires=["six<2"])
    return root


@pytest.fixture(autouse=True)
def _machine(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "TFSETUP_PROFILES": "profiles", "TFSETUP_CACHE_DIR": "cache", "UV_CACHE_DIR": "uv", "UV_FIND_LINKS": "wheels",
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, str(shared / value))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_LINK_MODE", "copy")
    monkeypatch.setattr(attempts, "judge_plan", lambda session, root, plan, progress: by_import(root))


@pytest.fixture
def env(tmp_path: Path) -> Path:
    env = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(env)], check=True)
    pip(env, f"tensorflow-cpu=={VERSION}", "six==2.0", "my-own")
    return env


def pip(env: Path, *names: str) -> None:
    subprocess.run([sys.executable, "-m", "uv", "pip", "install", "-q", "--no-deps", "--python", f"{env}/bin/python", *names], check=True)


def examination(env: Path, *findings: Finding, python: str = "3.11.7") -> Examination:
    check = Examined(name="import", title="it can be imported", result="error" if findings else "healthy")
    return Examination(
        env=str(env), python=f"{env}/bin/python", python_version=python, cwd="/", tensorflow=VERSION, machine="", checks=(check,),
        findings=findings,
    )  # fmt: skip


@dataclass
class Told:
    """What a person would have seen: each plan, and how each attempt ended."""

    plans: list[Plan] = field(default_factory=list)
    kept: list[bool] = field(default_factory=list)


def fix(
    env: Path,
    *findings: Finding,
    after: tuple[Finding, ...] = (),
    agree: bool = True,
    python: str = "3.11.7",
    told: Told | None = None,
    examine: Examine | None = None,
):
    said = told or Told()

    def show(plan: Plan) -> bool:
        assert plan_text(plan, interrupted=None, verbose=True)
        said.plans.append(plan)
        return agree

    return attempt(
        Session(HOST),
        examination(env, *findings, python=python),
        Request(env=str(env)),
        agree=show,
        told=lambda tried: said.kept.append(tried.executed.kept),
        examine=examine or (lambda: examination(env, *after)),
        progress=SILENT,
        wait=0,
    )


def restore(name: str) -> Repair:
    return Repair(kind="restore", name=name, reason=f"{name} does not fit")


def test_nothing_wrong_is_nothing_to_do(env: Path) -> None:
    before = snapshot(env)
    fixing = fix(env)
    assert fixing.outcome == "healthy"
    assert "is healthy" in fixed_text(fixing, verbose=False)
    assert snapshot(env) == before


def test_the_small_repair_is_enough(env: Path) -> None:
    pip(env, "six==1.0")
    told = Told()
    fixing = fix(env, finding(restore("six")), told=told)
    assert (fixing.outcome, told.kept) == ("mended", [True])
    assert [f"{item.name}=={item.version}" for item in told.plans[0].packages] == ["six==2.0"]
    document = fixed_document(fixing)
    assert (document["schema"], document["outcome"], document["state"]) == ("tfsetup/fix/1", "mended", "new")
    assert "Take it back: tfsetup undo" in fixed_text(fixing, verbose=False)


def test_a_larger_repair_follows_where_the_small_one_proves_nothing(env: Path) -> None:
    """The finding names the wrong package; the set mends it all the same."""
    pip(env, "six==1.0")
    told = Told()
    fixing = fix(env, finding(restore("tensorflow-cpu")), told=told)
    assert (fixing.outcome, told.kept) == ("mended", [False, True])
    assert [plan.kind for plan in told.plans] == ["repair", "set"]
    assert (env / SITE / "my_own.py").exists()


def test_what_the_first_fault_hid_joins_the_small_repair(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip(env, "six==1.0")
    (env / SITE / "my_own.py").unlink()
    told = Told()
    leak = env / SITE / "x.pth"
    leak.write_text("")
    first = finding(Repair(kind="move away", path=str(leak), reason="it leaks"))
    fixing = fix(env, first, after=(finding(restore("six"), cause="dependency-incompatible"),), told=told)
    # The examination never comes clean here, so all that counts is what was tried: the leak, then the leak and the version.
    assert [len(plan.repairs) for plan in told.plans[:2]] == [1, 2]
    assert fixing.outcome == "failed"


def test_when_nothing_helps_the_old_state_is_back(env: Path) -> None:
    (env / SITE / "six.py").write_text("broken")
    before = snapshot(env)
    told = Told()
    fixing = fix(env, finding(restore("six")), after=(finding(restore("six")),), told=told)
    assert (fixing.outcome, told.kept) == ("failed", [False, False, False])
    assert [plan.kind for plan in told.plans] == ["repair", "set", "rebuild"]
    assert {name: value for name, value in snapshot(env).items() if not name.startswith(".tfsetup")} == before
    assert fixed_document(fixing)["state"] == "old"


@pytest.mark.slow
def test_an_environment_made_anew_keeps_what_goes_with_the_set_and_names_the_rest(env: Path) -> None:
    pip(env, "old-only")
    (env / SITE / "my_module.py").write_text("")
    shutil.rmtree(env / SITE / "tensorflow")
    told = Told()
    fixing = fix(env, finding(Repair(kind="rebuild", reason="it is beyond repair")), told=told)
    assert fixing.outcome == "mended", fixed_text(fixing, verbose=True)
    assert (env / SITE / "my_own.py").exists()
    assert not (env / SITE / "old_only.py").exists()
    lost = "\n".join(told.plans[0].conflicts)
    assert "old-only 1.0 is left out" in lost
    assert "my_module.py" in lost


def test_a_name_that_is_not_in_the_set_is_had_from_the_index_at_its_own_version(env: Path) -> None:
    (env / SITE / "my_own.py").write_text("half")
    told = Told()
    fixing = fix(env, finding(restore("my-own")), told=told)
    assert fixing.outcome == "mended"
    assert [f"{item.name}=={item.version}" for item in told.plans[0].packages] == ["my-own==3.0"]
    assert (env / SITE / "my_own.py").read_text() == "V = 3\n"


def test_what_cannot_be_had_is_noted(env: Path) -> None:
    fixing = fix(env, finding(restore("no-such-package")), agree=False)
    assert any("no-such-package" in note for note in fixing.notes)


def test_shown_only_nothing_changes(env: Path) -> None:
    pip(env, "six==1.0")
    before = snapshot(env)
    fixing = fix(env, finding(restore("six")), agree=False)
    assert fixing.outcome == "planned"
    assert fixing.planned is not None
    assert snapshot(env) == before


def test_what_no_environment_mends_is_told_with_its_commands(env: Path) -> None:
    fixing = fix(env, finding(cause="driver-missing"))
    assert fixing.outcome == "unmendable"
    assert "do: mend it" in fixed_text(fixing, verbose=False)
    assert "driver-missing" in findings_text(fixing.before.findings)


def test_the_whole_set_is_not_put_in_again_and_again_for_what_it_does_not_mend(env: Path) -> None:
    """An error that only the whole set may mend, and that stays (what is at fault lies outside): taken back, and told."""
    before = snapshot(env)
    told = Told()
    fixing = fix(env, finding(cause="numpy-incompatible"), after=(finding(cause="numpy-incompatible"),), told=told)
    assert (fixing.outcome, told.kept) == ("failed", [False, False])
    assert {name: value for name, value in snapshot(env).items() if not name.startswith(".tfsetup")} == before


def test_what_was_done_is_said_in_three_lines(env: Path) -> None:
    pip(env, "six==1.0")
    text = fixed_text(fix(env, finding(restore("six"))), verbose=False)
    assert text.splitlines()[0] == f"Done in {env}: six 1.0 -> 2.0"
    assert text.splitlines()[1].startswith("Verified: ")
    assert text.splitlines()[2:] == [f"Take it back: tfsetup undo --env {env}"]


def test_what_was_done_in_steps_goes_back_by_one_undo(env: Path) -> None:
    """The first repair stands, and brings to light what the next one mends: one command, one undo."""
    (env / SITE / "my_own.py").unlink()
    leak = env / SITE / "x.pth"
    leak.write_text("")
    before = snapshot(env)
    brought = iter([(finding(restore("my-own"), severity="warning", cause="dependency-incompatible"),)] * 2)
    first = finding(Repair(kind="move away", path=str(leak), reason="it leaks"))
    fixing = fix(env, first, examine=lambda: examination(env, *next(brought, ())))
    assert [len(item.plan.repairs) for item in fixing.tried] == [1, 1]
    assert fixing.outcome == "mended"
    assert (env / SITE / "my_own.py").exists()
    assert [item["changes"] for item in fixed_document(fixing)["attempts"]] == [["x.pth taken out"], ["my-own 3.0 anew"]]
    text = fixed_text(fixing, verbose=False)
    assert text.splitlines()[-1] == f"Take it back: tfsetup undo --env {env}"
    shown: list[str] = []
    done = undo(Session(HOST), str(env), agree=lambda found: shown.append(undo_text(found)), wait=0, progress=SILENT)
    assert len(done) == 2
    assert "is taken back, in 2 steps" in shown[0]
    assert undo_document(done)["steps"] == 2
    assert "is as it was before" in undone_text(done)
    assert {name: value for name, value in snapshot(env).items() if not name.startswith(".tfsetup")} == before
    # The next fix is a command of its own.
    fix(env, first)
    assert len(undo(Session(HOST), str(env), agree=lambda _: None, wait=0, progress=SILENT)) == 1


def test_what_keeps_python_from_starting_is_moved_away_before_anything_is_made_anew(env: Path) -> None:
    broken = env / SITE / "sitecustomize.py"
    broken.write_text("import sys\nsys.exit('company_tracing is gone')\n")
    fixing = fix(env, finding(Repair(kind="move away", path=str(broken), reason="it ends every start")), python="")
    assert ([item.plan.kind for item in fixing.tried], fixing.outcome) == (["repair"], "mended")


def test_a_warning_that_no_repair_mends_is_told_and_all_is_done(env: Path) -> None:
    pip(env, "six==1.0")
    driver = finding(cause="driver-missing", severity="warning")
    fixing = fix(env, finding(restore("six")), driver, after=(driver,))
    assert (fixing.outcome, fixing.remaining, fixing.complete) == ("mended", (driver,), True)
    assert (fixed_document(fixing)["state"], fixed_document(fixing)["complete"]) == ("new", True)
    assert "do: mend it" in fixed_text(fixing, verbose=False)
    again = fix(env, driver)
    assert (again.tried, again.remaining, again.complete) == ((), (driver,), True)
    assert "no repair mends" in fixed_text(again, verbose=False)


def test_a_warning_whose_repair_cannot_be_made_is_told_and_all_is_done(env: Path) -> None:
    mine = finding(restore("not-to-be-had"), severity="warning")
    fixing = fix(env, mine)
    assert (fixing.remaining, fixing.complete) == ((mine,), True)
    assert any("not-to-be-had" in note for note in fixing.notes)


def test_an_error_that_no_repair_mends_is_not_done(env: Path) -> None:
    pip(env, "six==1.0")
    driver = finding(cause="driver-missing")
    fixing = fix(env, finding(restore("six")), driver, after=(driver,))
    assert (fixing.outcome, fixing.remaining, fixing.complete) == ("unmendable", (driver,), False)
    assert not fix(env, driver).complete


def test_a_warning_that_is_still_there_after_its_repair_is_not_done(env: Path) -> None:
    pip(env, "six==1.0")
    mine = finding(restore("my-own"), cause="dependency-incompatible", severity="warning")
    fixing = fix(env, finding(restore("six")), mine, after=(mine,))
    assert (fixing.outcome, fixing.complete) == ("unmendable", False)


def test_a_python_that_is_gone_is_replaced_by_another(env: Path) -> None:
    (env / "bin" / "python").unlink()
    (env / "bin" / "python").symlink_to("/gone/bin/python3")
    base = str(Path(sys.executable).resolve())
    fixing = fix(env, finding(Repair(kind="interpreter", target=base, reason="its Python is gone")), python="")
    assert fixing.outcome == "mended", fixed_text(fixing, verbose=True)
    assert (env / "bin" / "python").resolve() == Path(base)


def test_an_unknown_release_is_refused_with_what_would_work(env: Path, shared: Path) -> None:
    make_wheel(shared / "wheels", "tensorflow-cpu", "2.20.99", {"tensorflow/__init__.py": "GOOD = True\n"})
    pip(env, "tensorflow-cpu==2.20.99")
    with pytest.raises(NoProfileError) as caught:
        fix(env, finding(restore("six")))
    assert caught.value.nearest


def test_an_unknown_release_is_no_obstacle_where_nothing_is_restored(env: Path, shared: Path) -> None:
    make_wheel(shared / "wheels", "tensorflow-cpu", "2.20.99", {"tensorflow/__init__.py": "GOOD = True\n"})
    pip(env, "tensorflow-cpu==2.20.99")
    leak = env / SITE / "x.pth"
    leak.write_text("")
    skew = finding(restore("six"), severity="warning", cause="dependency-incompatible")
    fixing = fix(env, finding(Repair(kind="move away", path=str(leak), reason="it leaks"), cause="environment-leak"), skew)
    assert fixing.outcome == "mended"
    assert any("six" in note for note in fixing.notes), "what could not be done is told"


def test_where_there_is_no_tensorflow_the_best_set_for_its_python_comes(tmp_path: Path) -> None:
    env = tmp_path / "empty"
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(env)], check=True)
    told = Told()
    fixing = fix(env, finding(cause="tf-not-installed"), told=told)
    assert (fixing.outcome, told.plans[0].kind) == ("mended", "set")
    assert {item.name for item in told.plans[0].packages} == {"six", "tensorflow-cpu"}


def test_a_python_of_no_environment_is_never_changed(env: Path) -> None:
    found = Examination(
        env="",
        python=sys.executable,
        python_version="3.11.7",
        cwd="/",
        tensorflow="",
        machine="",
        checks=(),
        findings=(finding(restore("six")),),
    )
    with pytest.raises(InputError) as caught:
        attempts.begin_fix(Session(HOST), found, Request(env=""))
    assert "tfsetup apply --env" in caught.value.hint


def test_a_home_folder_and_what_holds_the_environment_are_never_renamed(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (str(env.parent), "/"):
        fixing = fix(env, finding(Repair(kind="move away", path=path, own=True, reason="it hides all")), agree=False)
        assert fixing.planned is not None, "what may be done is done"
        assert fixing.planned.moves == ()
        assert any("cannot be renamed" in note for note in fixing.notes)
