"""``tfsetup doctor`` as a person and as a program use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provisioner.report.schemas import schema_of
from tests.diagnose.test_doctor import GOOD
from tests.verify.support import fake_tensorflow, make_env


@pytest.fixture
def env(work: Path) -> Path:
    made = make_env(work / "tf-env")
    fake_tensorflow(made, GOOD)
    return made


def test_healthy(inside, env):
    done = inside("doctor", "--no-import")
    assert done.code == 0, done.out
    assert "tf-env in the working directory" in done.out
    assert "Result: nothing is wrong" in done.out


def test_findings_end_with_11_and_name_the_cause_first(inside, env, work):
    (work / "random.py").write_text("")
    done = inside("doctor", "--no-import")
    assert done.code == 11
    assert "[module-shadowed]" in done.out
    assert "tfsetup fix" in done.out


def test_json_is_one_document_of_its_schema(inside, env, work):
    (work / "random.py").write_text("")
    done = inside("doctor", "--no-import", "--json")
    assert done.json["schema"] == "tfsetup/examination/1"
    assert done.json["healthy"] is False
    assert done.json["findings"][0]["repairs"][0]["own"] is True
    assert set(schema_of("examination")["required"]) <= set(done.json)


def test_the_active_environment_is_taken(inside, env, tmp_path):
    other = make_env(tmp_path / "other")
    done = inside("doctor", "--no-import", VIRTUAL_ENV=str(other))
    assert f"{other} (the active one (VIRTUAL_ENV))" in done.out
    assert done.code == 11


def test_checks_are_listed_and_chosen(inside, env):
    names = [line.split()[0] for line in inside("doctor", "--list").out.splitlines()]
    assert {"interpreter", "records", "shadows", "import"} <= set(names)
    done = inside("doctor", "--no-import", "--check", "records", "--check", "python", "--json")
    assert {item["name"] for item in done.json["checks"]} == {"records", "python"}


@pytest.mark.parametrize(
    "argv",
    [
        ("--check", "nothing"),
        ("--env", "nowhere"),
        ("--python", "/nowhere/python"),
        ("--compare", "nowhere.json"),
        ("--timeout", "0"),
        ("--env", "."),
    ],
)
def test_bad_input_ends_with_2(inside, work, argv):
    assert inside("doctor", "--no-import", *argv).code == 2


def test_nothing_that_could_be_told_ends_with_16(inside, env):
    (env / "bin/python").unlink()
    (env / "bin/python").symlink_to("/nowhere/python3")
    assert inside("doctor", "--no-import", "--check", "shadows").code == 16


def test_what_changed_since(inside, env, work):
    (work / "old.json").write_text(inside("doctor", "--no-import", "--json").out)
    (work / "random.py").write_text("")
    done = inside("doctor", "--no-import", "--compare", "old.json", "--json")
    assert [item["name"] for item in done.json["changes"]["new"]] == ["module-shadowed"]
    assert "New: module-shadowed" in inside("doctor", "--no-import", "--compare", "old.json").out
    (work / "old.json").write_text(done.out)
    assert "nothing has changed" in inside("doctor", "--no-import", "--compare", "old.json").out


def test_a_document_of_another_kind_is_refused(inside, env, work):
    (work / "old.json").write_text(json.dumps({"schema": "tfsetup/facts/1"}))
    assert inside("doctor", "--no-import", "--compare", "old.json").code == 2


def test_a_report_without_private_data(inside, env, work):
    done = inside(
        "doctor", "--no-import", "--report", "report.md", USER="jane.roe", PIP_INDEX_URL="https://jane:secret@example.invalid/simple"
    )
    text = (work / "report.md").read_text()
    assert "secret" not in text
    assert str(work.parent / "own home") not in text
    assert "Taken out of this report" in text
    assert "taken out:" in done.err


def test_without_an_environment_the_first_line_says_what_is_looked_at(inside, work):
    """Named was an environment that is not there, and examined the Python on PATH."""
    ended = inside("doctor", "--no-import", "--check", "interpreter")
    assert ended.err.splitlines()[0] == "Environment: none is named or active, and here is no tf-env; the Python on PATH is looked at"
    assert "(1 check" in ended.out
    (work / "tf-env").mkdir()
    assert inside("doctor", "--no-import").err.splitlines()[0] == f"Environment: {work}/tf-env (no other is named or active)"
