"""The same answers on Windows as on Linux, byte for byte: what a log means, and what is planned for a machine that is not this one."""

from __future__ import annotations

import difflib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.choose.test_hosts import HOSTS, load
from tests.explain.test_reports import REPORTS
from tests.windows import machine

pytestmark = [pytest.mark.real, pytest.mark.slow]

TESTS = Path(__file__).parents[1]
MANY = Path(__file__).with_name("many.py")
# What a conda channel must be asked for.
ASK_A_CHANNEL = {"kind-conda"}


def asked_of_logs() -> list[dict[str, Any]]:
    """Every log that is labelled here or beside this checkout, and every page of a cause."""
    cases: list[dict[str, Any]] = []
    for name in ("explain/lines.yaml", "explain/pasted.yaml", "explain/outcomes.yaml"):
        cases += [case for case in yaml.safe_load((TESTS / name).read_text(encoding="utf-8")) if "log" in case]
    for name in ("reports.jsonl", "fresh.jsonl") if REPORTS is not None else ():
        cases += [json.loads(line) for line in REPORTS.with_name(name).read_text(encoding="utf-8").splitlines()]
    asked = []
    for case in cases:
        context = [word for key, value in (case.get("context") or {}).items() for word in ("--context", f"{key}={value}")]
        asked.append({"argv": ["explain", "-", "--json", *context], "stdin": case["log"]})
    codes = sorted(path.stem for path in (TESTS.parent / "profiles" / "causes").glob("*.yaml") if path.stem != "order")
    # A few as a person reads them: the words are made of the same document.
    shown = [{**one, "argv": [word for word in one["argv"] if word != "--json"]} for one in asked[::20]]
    return [*asked, *shown, *({"argv": ["explain", code, "--json"]} for code in codes)]


def asked_of_machines(folder: Path) -> list[dict[str, Any]]:
    """Every recorded machine, its facts written into ``folder``: an environment named as one does there, and one that nobody named."""
    asked = []
    for path in sorted(HOSTS.glob("*.json")):
        if path.stem in ASK_A_CHANNEL:
            continue
        _, data, _, request, _ = load(path)
        (folder / path.name).write_text(json.dumps({"schema": "tfsetup/facts/1", **data}), encoding="utf-8")
        place = "C:/envs/tf-env" if data["system"]["os"].get("value") == "windows" else "/srv/envs/tf env"
        named = {"tensorflow": request.tensorflow, "python": request.python, "device": request.device, "env": place}
        options = [word for name, value in named.items() if value for word in (f"--{name}", value)]
        asked.append({"argv": ["plan", "--facts", path.name, *options, "--json"]})
        asked.append({"argv": ["plan", "--facts", path.name, *options[:-2]]})
    return asked


def answers(asked: list[dict[str, Any]], work: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Ask both systems, in one process each; return Windows' answers and ours."""
    lines = "".join(json.dumps(one) + "\n" for one in asked)
    shutil.copy(MANY, work / MANY.name)
    there = machine.winpy(machine.PYTHON, MANY.name, cwd=work, stdin=lines)
    here = subprocess.run([sys.executable, MANY], cwd=work, input=lines.encode(), capture_output=True, check=True)
    assert there.code == 0, there.err
    return [json.loads(line) for line in there.out.splitlines()], [json.loads(line) for line in here.stdout.splitlines()]


def as_on_linux(found: dict[str, Any]) -> dict[str, Any]:
    """The answer with the quotes of POSIX shells in words for a person; a document has them as it is."""
    return found if found["out"].startswith("{") else {**found, **{name: found[name].replace('"', "'") for name in ("out", "err")}}


def check(asked: list[dict[str, Any]], work: Path) -> None:
    there, here = answers(asked, work)
    assert len(there) == len(here) == len(asked)
    both = zip(asked, map(as_on_linux, there), map(as_on_linux, here), strict=True)
    other = [(one["argv"], windows, linux) for one, windows, linux in both if windows != linux]
    for argv, windows, linux in other[:1]:
        texts = ([f"exit code {found['code']}", *found["out"].splitlines(), *found["err"].splitlines()] for found in (linux, windows))
        pytest.fail(f"{len(other)} of {len(asked)} differ, first {argv}:\n" + "\n".join(difflib.unified_diff(*texts, lineterm="", n=1)))
    assert {0, 11} & {answer["code"] for answer in here}, "nothing was answered"


def test_what_logs_and_causes_mean(work: Path) -> None:
    asked = asked_of_logs()
    assert len(asked) > 200
    check(asked, work)


def test_what_is_planned_for_recorded_machines(work: Path) -> None:
    asked = asked_of_machines(work)
    assert len(asked) > 150
    check(asked, work)
