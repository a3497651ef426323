"""Files that people and programs hand over: whatever they hold, words and a code of the contract; nothing hangs, nothing changes."""

from __future__ import annotations

import copy
import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.model import codec
from provisioner.model.facts import Facts
from provisioner.model.plan import Plan
from provisioner.plan.seal import SCHEMA, facts_digest, seal
from provisioner.session import FACTS_SCHEMA, Session
from tests.cli.support import Ended, Inside, Tool
from tests.support import PYTHON

HOSTS = Path(__file__).parents[1] / "hosts"
GOOD = json.loads((HOSTS / "bases" / "linux-x86_64.json").read_text())

FILES = {
    "empty": (b"", "not valid JSON"),
    "truncated": (json.dumps(GOOD).encode()[:-40], "not valid JSON"),
    "binary": (bytes(range(256)), "is not text"),
    "nul": (b'{"schema": "tfsetup/facts/1\x00"}', "not valid JSON"),
    "deep list": (b"[" * 200_000, "nested too deeply"),
    "deep object": (b'{"a":' * 200_000, "nested too deeply"),
    "list": (b"[]", "not a `tfsetup/facts/1` document"),
    "no schema": (b"{}", "found none"),
    "another schema": (b'{"schema": "tfsetup/plan/1"}', 'found "tfsetup/plan/1"'),
    "a newer schema": (b'{"schema": "tfsetup/facts/2"}', 'found "tfsetup/facts/2"'),
    "schema is a list": (b'{"schema": [[[]]]}', "found [[[]]]"),
    "huge number": (b'{"schema": "tfsetup/facts/1", "cpu": ' + b"1" * 5000 + b"}", "a number of 5000 digits"),
    "not a number": (b'{"schema": "tfsetup/facts/1", "cpu": NaN}', "NaN is not a number in JSON"),
    "infinite": (b'{"schema": "tfsetup/facts/1", "cpu": 1e999}', "a number too large to count with"),
    "another encoding": ('{"schema": "größe"}'.encode("utf-16"), "is not text"),
}


def refused(ended: Ended, file: str) -> None:
    assert (ended.code, ended.out) == (2, "")
    assert file in ended.err
    assert "Traceback" not in ended.err
    assert "bug" not in ended.err


@pytest.mark.parametrize("name", FILES)
def test_facts_that_are_none(inside: Inside, tiny, work: Path, name: str) -> None:
    content, told = FILES[name]
    (work / "facts.json").write_bytes(content)
    ended = inside("plan", "--facts", "facts.json", **tiny)
    refused(ended, "facts.json")
    assert told in ended.err


@pytest.mark.parametrize("name", [name for name in FILES if "schema" not in name and name != "list"])
def test_a_plan_that_is_none(inside: Inside, tiny, work: Path, name: str) -> None:
    (work / "plan.json").write_bytes(FILES[name][0].replace(b"tfsetup/facts/1", b"tfsetup/plan/1"))
    refused(inside("apply", "plan.json", "--yes", **tiny), "plan.json")


@pytest.mark.parametrize("command", [("plan", "--facts"), ("apply", "--yes")])
def test_what_is_no_file_does_not_hang(tool: Tool, tiny, work: Path, command: tuple[str, ...]) -> None:
    os.mkfifo(work / "pipe")
    (work / "folder").mkdir()
    (work / "loop").symlink_to("loop")
    for name in ("pipe", "folder", "loop", "missing"):
        refused(tool(*command, name, **tiny, timeout=20), name)


def test_facts_may_come_through_a_pipe(tool: Tool, tiny) -> None:
    # The recorded machine has one Python; here it is the one that the tests' set is for.
    facts = f"sed 's/3\\.10/{PYTHON}/g' {HOSTS}/bases/linux-x86_64.json"
    command = f"{tool.argv[0]} -m provisioner plan --json --facts <(sleep 0.3; {facts})"
    with_bash = Tool(tool.cwd, {**tool.env, **tiny})
    import subprocess

    done = subprocess.run(["/bin/bash", "-c", command], cwd=with_bash.cwd, env=with_bash.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["choice"]["python"] == PYTHON


def test_all_faults_of_the_facts_are_told_at_once(inside: Inside, tiny, work: Path) -> None:
    bad = copy.deepcopy(GOOD)
    bad["cpu"]["cores"]["value"] = "two"
    bad["gpus"] = 3
    bad["disk"]["environment"]["status"] = "maybe"
    bad["misspelt"] = True
    (work / "facts.json").write_text(json.dumps(bad))
    error = inside("plan", "--facts", "facts.json", "--json", **tiny).json["error"]
    assert error["place"] == "facts.json"
    assert error["faults"] == [
        'cpu.cores.value: expected a whole number, found "two"',
        "gpus: expected an object, found 3",
        "disk.environment.status: expected one of 'known', 'absent', 'unknown', found \"maybe\"",
        "misspelt: is not a known field",
    ]


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all values that are no containers."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from leaves(value, (*path, number))
    else:
        yield path


def with_gpu() -> dict[str, Any]:
    """The facts of a machine with everything that can be hostile."""
    facts = codec.to_data(codec.from_data(Facts, GOOD, schema=FACTS_SCHEMA))
    host = json.loads((HOSTS / "rtx-3090.json").read_text())
    for key, value in host["facts"].items():
        facts[key] = {**facts[key], **value} if isinstance(facts.get(key), dict) and "status" not in value else value
    return {"schema": FACTS_SCHEMA, **facts}


HOSTILE = ("x", "9" * 5000, "1.2.3.4.5.6" * 30, "\0", "²", -1)


@pytest.mark.parametrize("hostile", ["", 10**400, None, *(pytest.param(value, marks=pytest.mark.slow) for value in HOSTILE)])
def test_hostile_values_in_facts_never_end_in_a_bug(work: Path, tiny, inside: Inside, hostile: Any) -> None:
    """Put one value into every place of its type, one place at a time; the choice itself is called, the command once for all."""
    from provisioner.commands import plan as flow
    from provisioner.errors import TfsetupError
    from provisioner.host.local import LocalHost
    from provisioner.model.request import Request

    good = with_gpu()
    host = LocalHost()
    tried = 0
    for place in leaves(good):
        bad = copy.deepcopy(good)
        node = bad
        for key in place[:-1]:
            node = node[key]
        if hostile is not None and type(node[place[-1]]) is not type(hostile):
            continue
        node[place[-1]] = hostile
        (work / "facts.json").write_text(json.dumps(bad))
        try:
            session = Session(host)
            flow.plan(session, Request(env="/home/ada/env"), there=flow.elsewhere(session, str(work / "facts.json")))
        except TfsetupError:
            pass
        except Exception as error:
            raise AssertionError(f"{place} = {hostile!r}"[:200]) from error
        tried += 1
    assert tried > 5
    assert inside("plan", "--facts", "facts.json").code in {0, 2, 12, 16}


def saved(inside: Inside, tiny, work: Path, **changes: Any) -> Path:
    """Save a plan, and change it as a stranger would who seals it anew."""
    assert inside("plan", "-o", "plan.json", **tiny).code == 0
    data = json.loads((work / "plan.json").read_text())
    for place, value in changes.items():
        node = data
        *folders, last = [int(part) if part.isdigit() else part for part in place.split("__")]
        for part in folders:
            node = node[part]
        node[last] = value
    if changes:
        data.pop("schema")
        data["seal"] = ""
        plan = codec.from_data(Plan, data)
        data = {"schema": SCHEMA, **data, "seal": seal(plan)}
        (work / "plan.json").write_text(json.dumps(data))
    return work / "plan.json"


def test_an_altered_plan_is_refused_with_13(inside: Inside, tiny, work: Path) -> None:
    file = saved(inside, tiny, work)
    file.write_text(file.read_text().replace("six", "sox"))
    ended = inside("apply", "plan.json", "--yes", **tiny)
    assert ended.code == 13
    assert "does not match its seal" in ended.err


@pytest.mark.parametrize("schema", ["tfsetup/plan/0", "tfsetup/plan/2"])
def test_a_plan_of_another_generation_is_refused_with_13(inside: Inside, tiny, work: Path, schema: str) -> None:
    (work / "plan.json").write_text(json.dumps({"schema": schema}))
    assert inside("apply", "plan.json", "--yes", **tiny).code == 13


STALE = {
    "another machine": ({"facts": "0" * 64}, "made for another machine"),
    "another tool": ({"tool": "0.0.1"}, "made by tfsetup 0.0.1"),
    "another catalogue": ({"lock": "0" * 64}, "catalogue has changed"),
    "another release": ({"choice__release": "2.19.0"}, "catalogue has changed"),
    "another environment": ({"env__digest": "0" * 64}, "not what it was"),
    "a package that the lock lacks": ({"packages__0__name": "evil"}, "not what the environment needs"),
    "another file": ({"packages__0__sha256": "0" * 64}, "not what the environment needs"),
    "nothing to install": ({"packages": []}, "not what the environment needs"),
    "a removal": ({"removals": [{"name": "x", "version": "", "reason": "", "paths": ["bin"]}]}, "not what the environment needs"),
    "a link": ({"links": [{"path": "a", "target": "b", "reason": ""}]}, "catalogue has changed"),
}


@pytest.mark.parametrize("name", STALE)
def test_a_plan_that_does_not_belong_here_is_refused_with_13(inside: Inside, tiny, work: Path, name: str) -> None:
    changes, told = STALE[name]
    saved(inside, tiny, work, **changes)
    ended = inside("apply", "plan.json", "--yes", **tiny)
    assert ended.code == 13, ended.err
    assert told in ended.err
    assert not (work / "tf-env").exists()


def test_a_plan_whose_python_is_gone_is_refused_with_13(inside: Inside, tiny, work: Path) -> None:
    file = saved(inside, tiny, work)
    interpreter = {**json.loads(file.read_text())["choice"]["interpreter"], "path": "/opt/gone/python3"}
    data = json.loads(file.read_text())
    data.pop("schema")
    data["choice"]["interpreter"] = interpreter
    plan = codec.from_data(Plan, data)
    facts = codec.from_data(Facts, inside("detect", "--json", **tiny).json, schema=FACTS_SCHEMA)
    saved(inside, tiny, work, choice__interpreter=interpreter, facts=facts_digest(facts, plan.choice.interpreter))
    ended = inside("apply", "plan.json", "--yes", **tiny)
    assert ended.code == 13
    assert "not there any more" in ended.err


def test_a_plan_for_another_machine_cannot_be_applied(inside: Inside, tiny, work: Path) -> None:
    ended = inside("plan", "--facts", str(HOSTS / "bases" / "linux-x86_64.json"), "-o", "plan.json", TFSETUP_PROFILES="")
    assert "for another machine" in ended.out
    assert inside("apply", "plan.json", "--yes").code == 13


OUTSIDE = {
    "env.path": {"env__path": "relative"},
    "env.path ": {"env__path": "/"},
    "env.path  ": {"env__path": "/a/../b"},
    "env.path   ": {"env__path": "/a\0b"},
    "env.site_packages": {"env__site_packages": "../../usr/lib/python3/dist-packages"},
    "choice.python": {"choice__python": "3.11/../../.."},
    "packages[0].name": {"packages__0__name": "six\n--index-url=x"},
    "packages[0].version": {"packages__0__version": "1 --hash"},
    "packages[0].filename": {"packages__0__filename": "../six.whl"},
    "packages[0].sha256": {"packages__0__sha256": "abc"},
    "removals[0].paths": {"removals": [{"name": "x", "version": "", "reason": "", "paths": ["../../home"]}]},
    "links[0].path": {"links": [{"path": "/etc/ld.so.preload", "target": "b", "reason": ""}]},
}


@pytest.mark.parametrize("place", OUTSIDE)
def test_a_sealed_plan_that_reaches_outside_is_refused_with_its_faults(inside: Inside, tiny, work: Path, place: str) -> None:
    saved(inside, tiny, work, **OUTSIDE[place])
    ended = inside("apply", "plan.json", "--yes", **tiny)
    refused(ended, "plan.json")
    assert f"  - {place.strip()}: " in ended.err


def test_what_would_work_on_another_machine_is_printed_with_its_facts(inside: Inside) -> None:
    """Typed without them, it would be planned for this machine."""
    facts = str(HOSTS / "bases" / "linux-x86_64.json")
    asked = ("plan", "--facts", facts, "--tensorflow", "2.15", "--python", "3.13")
    told = inside(*asked, TFSETUP_PROFILES="")
    assert told.code == 12
    lines = [line for line in told.err.splitlines() if "this would work" in line]
    assert lines
    for line in lines:
        assert f" plan --facts {facts} " in line
        if "--kind conda" not in line:
            assert inside(*shlex.split(line.partition(": tfsetup ")[2]), TFSETUP_PROFILES="").code == 0, line
