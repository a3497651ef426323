"""The words of the causes: the shipped data is whole and true to the command line, and faulty data is refused with every fault."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from provisioner.catalogue import find_profiles
from provisioner.catalogue.yaml_text import parse_yaml
from provisioner.causes.pages import Causes, Place, codes, load_cause, load_causes, load_order, read_cause, read_order
from provisioner.cli import SUMMARIES, make_app
from provisioner.errors import InputError
from provisioner.host.local import LocalHost
from provisioner.report.cause_text import cause_text

FOLDER = f"{find_profiles()}/causes"
LISTED = yaml.safe_load((Path(__file__).parent / "causes.yaml").read_text(encoding="utf-8"))
# The contract has these; each is checked against the command line itself as soon as that knows it.
CONTRACT = {"doctor", "explain", "fix", "lock", "bundle", "fleet"}
OPTIONS = {"--env", "--python", "--cwd", "--facts", "--context", "--report", "--deep", "--json", "--yes", "--help", "-v"}
SYSTEMS = ("", "Linux", "macOS", "Windows")


@pytest.fixture(scope="module")
def causes():
    return load_causes(LocalHost(), FOLDER)


@pytest.fixture(scope="module")
def order():
    return load_order(LocalHost(), FOLDER)


def commands_of(cause):
    """Every line that calls tfsetup, without what it is piped from or to."""
    measures = (*cause.prove, *cause.by_hand, *cause.with_tool, *cause.undo)
    lines = [*cause.steps, *(line for item in measures for line in item.run)]
    parts = (part.strip() for line in lines for part in re.split(r" [|>] ", line))
    return [part for part in parts if part.startswith("tfsetup ")]


def test_each_code_of_the_table_has_its_file(causes):
    assert set(causes) == set(LISTED)


def test_order_reads_and_is_complete(causes, order):
    assert sorted(order.ranking) == sorted(causes)
    assert order.rank("driver-missing") < order.rank("gpu-init-failed")
    assert order.is_symptom("dependency-incompatible", of="install-corrupt")
    assert not order.is_symptom("install-corrupt", of="dependency-incompatible")
    assert not order.is_symptom("numpy-incompatible", of="environment-leak")
    assert "tf-not-installed" in order.effects("wrong-environment")


@pytest.mark.parametrize("code", LISTED)
def test_page_is_of_use(code, causes):
    cause = causes[code]
    assert len(cause.title) <= 90
    assert all(sign.text.strip() and not sign.says.endswith((".", ":")) for sign in cause.looks_like)
    assert any("tfsetup " in line for item in cause.with_tool for line in item.run)
    # Somebody on Linux always finds something to run; on every system something to do.
    for system in SYSTEMS:
        text = cause_text(cause, load_order(LocalHost(), FOLDER), place=Place(), system=system)
        assert "{env}" not in text
        assert "{python}" not in text
        assert "HOW TO MEND IT BY HAND" in text
    # A change that mends must be one that can be taken back.
    assert cause.undo
    if cause.mends == "environment":
        assert any(line.startswith("tfsetup undo") for item in cause.undo for line in item.run) or code in {"pip-too-old", "python-32bit"}


@pytest.mark.parametrize("code", LISTED)
def test_sources_are_named_and_no_index_is(code, causes):
    cause = causes[code]
    text = (Path(FOLDER) / f"{code}.yaml").read_text(encoding="utf-8")
    assert all(len(item) > 5 for item in cause.references)
    assert not re.search(
        r"pypi\.o" + r"rg|python" + r"hosted|nvcr\.i" + r"o|/simple/|conda\.ana" + r"conda|--index-url|--extra-index", text
    )
    for item in cause.references:
        assert all(re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", word.strip(",;")) for word in item.split() if "#" in word and "/" in word)


@pytest.mark.parametrize("code", LISTED)
def test_commands_of_tfsetup_are_real(code, causes):
    import typer

    for line in commands_of(causes[code]):
        _, name, *arguments = shlex.split(Place().fill(line).split(" # ")[0])
        if name not in SUMMARIES:
            assert name in CONTRACT, line
            assert {word for word in arguments if word.startswith("-") and word != "-"} <= OPTIONS, line
            continue
        assert hasattr(import_module(f"provisioner.cli.{name}"), name)
        command = typer.main.get_command(make_app(name)).commands[name]
        context = command.make_context(name, [word for word in arguments if word != "--help"])
        assert context.info_name == name


@pytest.mark.parametrize("code", LISTED)
def test_shell_lines_can_be_split(code, causes):
    cause = causes[code]
    for item in (*cause.prove, *cause.by_hand, *cause.with_tool, *cause.undo):
        if item.on == "Windows":
            continue
        for line in item.run:
            assert shlex.split(Place().fill(line), comments=True), line


@pytest.mark.parametrize("code", LISTED)
def test_no_comma_splits_a_command(code):
    # In a YAML list in brackets a comma ends a command, unless the command is quoted.
    for line in (Path(FOLDER) / f"{code}.yaml").read_text(encoding="utf-8").splitlines():
        if "run: [" in line:
            bare = re.sub(r"\"(?:\\.|[^\"])*\"|'(?:''|[^'])*'", "", line)
            assert not re.search(r",\S", bare), line


def test_one_cause_reads_one_file():
    class Counting(LocalHost):
        read: list[str] = []  # noqa: RUF012 - one test

        def read_text(self, path, limit=1 << 20):
            self.read.append(path)
            return super().read_text(path, limit)

    host = Counting()
    found = Causes(host, FOLDER)
    assert found["disk-full"] is found["disk-full"]
    assert host.read == [f"{FOLDER}/disk-full.yaml"]
    assert len(found) == len(LISTED)
    assert "no-such-code" not in found
    assert "../causes/disk-full" not in found


@pytest.mark.parametrize("code", ["gpu-to-old", "order", "../messages", "", "GPU-TOO-OLD", "/etc/passwd"])
def test_unknown_code_is_refused(code):
    with pytest.raises(InputError, match="is not the code of a cause") as caught:
        load_cause(LocalHost(), FOLDER, code)
    assert caught.value.hint
    if code == "gpu-to-old":
        assert "gpu-too-old" in caught.value.hint


def test_every_fault_of_a_cause_is_listed():
    data = {
        "schema": "tfsetup/cause/1",
        "code": "other",
        "title": "It ends with a full stop.",
        "summary": "s",
        "looks_like": [{"text": "", "says": "pip"}],
        "why": "",
        "prove": [{"run": ["tfsetup {envv}"], "means": "m"}],
        "by_hand": [{"do": "", "run": ["echo ${HOME}"]}],
        "with_tool": [{"do": "d", "run": [""]}],
        "remedy": "r",
        "undo": [{"do": "d"}],
        "not_this": {"other": "itself"},
        "mends": "user",
        "references": ["r"],
    }
    with pytest.raises(InputError) as caught:
        read_cause(data, code="disk-full", file="f")
    assert caught.value.faults == (
        "code: expected disk-full, as the file is called, found other",
        "why: expected something, found nothing",
        "looks_like[0]: expected lines and who says them",
        "title, remedy: expected no full stop at the end",
        "not_this.other: is the cause itself",
        "by_hand[0].do: expected something, found nothing",
        "with_tool[0].run: expected something, found nothing",
        "prove[0].run: {envv} is not known; known are {env} and {python}",
    )


def test_every_fault_of_the_order_is_listed():
    data = {
        "schema": "tfsetup/causes-order/1",
        "groups": [{"title": "t", "codes": ["a", "b", "b"]}],
        "ranking": ["a", "b", "d"],
        "follows": {"a": {"b": "r", "x": "r"}, "b": {"a": ""}, "y": {"a": "r"}},
    }
    with pytest.raises(InputError) as caught:
        read_order(data, known=("a", "b", "c"), file="f")
    assert caught.value.faults == (
        "ranking: c is missing",
        "ranking: there is no file for d",
        "groups: b is there 2 times",
        "groups: c is missing",
        "follows.a.b: expected b before a in the ranking",
        "follows.a.x: there is no such cause",
        "follows.b.a: expected a reason, found nothing",
        "follows.y: there is no such cause",
    )


def test_faults_of_all_files_at_once(tmp_path):
    good = (Path(FOLDER) / "disk-full.yaml").read_text(encoding="utf-8")
    (tmp_path / "disk-full.yaml").write_text(good, encoding="utf-8")
    (tmp_path / "one.yaml").write_text("schema: tfsetup/cause/2\n", encoding="utf-8")
    (tmp_path / "two.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "README.md").write_text("not read", encoding="utf-8")
    assert codes(LocalHost(), str(tmp_path)) == ("disk-full", "one", "two")
    with pytest.raises(InputError) as caught:
        load_causes(LocalHost(), str(tmp_path))
    text = "\n".join(caught.value.faults)
    assert "one.yaml: schema: expected" in text
    assert "two.yaml: document: " in text
    assert "disk-full.yaml: not_this.permission-denied: there is no such cause" in text
    with pytest.raises(InputError, match="cannot be read"):
        load_order(LocalHost(), str(tmp_path))


def test_traits_and_results_of_cuda(causes):
    order = load_order(LocalHost(), FOLDER, causes)
    assert order.has("driver-too-old", "by-command")
    assert not order.has("cpu-no-avx", "by-command")
    assert order.has("unknown", "in-packages")
    assert (order.of_cuda_result(35), order.of_cuda_result(2), order.of_cuda_result(999)) == ("driver-too-old", "gpu-memory", "")
    with pytest.raises(KeyError):
        load_order(LocalHost(), FOLDER).has("driver-too-old", "by-command")


def test_a_trait_that_there_is_not_is_a_fault():
    data = parse_yaml((Path(FOLDER) / "disk-full.yaml").read_text(encoding="utf-8"), file="f")
    with pytest.raises(InputError) as caught:
        read_cause({**data, "traits": ["by-magic"]}, code="disk-full", file="f")
    (fault,) = caught.value.faults
    assert fault.startswith("traits[0]: expected one of 'by-command'")


def test_traits_stand_in_the_files_of_the_causes_alone():
    data = {"schema": "tfsetup/causes-order/1", "groups": [], "ranking": [], "follows": {}, "traits": {"by-command": ["a"]}}
    with pytest.raises(InputError) as caught:
        read_order(data, known=(), file="f")
    assert caught.value.faults == ("traits: stands in the causes' own files",)


def test_two_causes_cannot_name_the_same_result(causes):
    twice = {code: replace(causes[code], cuda_results=("35",)) for code in ("driver-missing", "driver-too-old")}
    with pytest.raises(InputError) as caught:
        load_order(LocalHost(), FOLDER, {**causes, **twice})
    assert caught.value.faults == ("driver-too-old.yaml: cuda_results: 35 is in driver-missing.yaml, too",)
