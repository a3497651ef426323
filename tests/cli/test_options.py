"""Options, variables and tfsetup.yaml: which wins, where a value came from, and what is wrong with it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from typer.main import get_command

from provisioner.cli import SUMMARIES, make_app
from provisioner.declared.keys import DECLARATION
from provisioner.model.request import SETTINGS
from tests.cli.support import Inside
from tests.support import PYTHON

SAID = {"tensorflow": "2.20", "python": PYTHON, "device": "cpu", "kind": "venv", "env": "./there", "with": "six", "offline": "1"}
FIELDS = {"with": "extra"}


@pytest.mark.parametrize("name", ["tensorflow", "python", "device", "kind", "env", "offline"])
def test_an_option_wins_over_its_variable_and_that_over_the_file(inside: Inside, tiny, work: Path, name: str) -> None:
    written = "true" if name == "offline" else SAID[name]
    variable = {f"TFSETUP_{name.upper()}": SAID[name]}
    option = ["--offline"] if name == "offline" else [f"--{name}", SAID[name]]

    def origin(*args: str, **env: str) -> str:
        ended = inside("plan", "--json", *args, **tiny, **env)
        assert ended.code == 0, ended.out
        request = ended.json["request"]
        if request["origins"][name] != "default":
            expected = {"offline": True, "env": str(work / "there")}.get(name, SAID[name])
            assert request[name] == expected
        return request["origins"][name]

    assert origin() == "default"
    (work / "tfsetup.yaml").write_text(f"{name}: {written}\n")
    assert origin() == "file tfsetup.yaml"
    assert origin(**variable) == f"variable TFSETUP_{name.upper()}"
    assert origin(**{f"TFSETUP_{name.upper()}": ""}) == "file tfsetup.yaml", "an empty variable is none"
    assert origin(*option, **variable) == "option"


def test_lists_come_from_all_three(work: Path) -> None:
    from provisioner.cli import settings
    from tests.support import FixedHost

    class Here(FixedHost):
        cwd = str(work)

    (work / "tfsetup.yaml").write_text("with: [six, 'pandas>=2']\n")
    assert settings.request({}, Here({})).extra == ("six", "pandas>=2")
    assert settings.request({}, Here({"TFSETUP_WITH": "keras  h5py"})).extra == ("keras", "h5py")
    assert settings.request({"with": ("a",)}, Here({"TFSETUP_WITH": "keras"})).extra == ("a",)


def test_a_version_in_the_file_needs_no_quotes(inside: Inside, tiny, work: Path) -> None:
    """2.20 is a number to YAML, and 2.2 by the time a program reads it."""
    (work / "tfsetup.yaml").write_text("tensorflow: 2.20\n")
    assert inside("plan", "--json", **tiny).json["request"]["tensorflow"] == "2.20"


def test_settings_may_stand_in_a_pyproject(inside: Inside, tiny, work: Path) -> None:
    (work / "pyproject.toml").write_text("[tool.tfsetup]\ntensorflow = 2.20\ndevice = 'cpu'\n")
    request = inside("plan", "--json", **tiny).json["request"]
    assert request["tensorflow"] == "2.20"
    assert request["origins"]["device"] == "file pyproject.toml"


def test_every_setting_is_a_key_of_the_file() -> None:
    assert {setting.key for setting in SETTINGS if not setting.once} <= set(DECLARATION.keys)


FAULTS = {
    "all at once": (
        "device: tpu\nkind: 1\nwith: six\noffline: maybe\ntensorflow: [a]\ncolour: red\n",
        [
            'tfsetup.yaml:1:9: device: expected one of auto, cpu, cuda, found "tpu"',
            'tfsetup.yaml:2:7: kind: expected one of venv, conda, found "1"',
            'tfsetup.yaml:3:7: with: expected a list, found "six"',
            'tfsetup.yaml:4:10: offline: expected true or false, found "maybe"',
            'tfsetup.yaml:5:13: tensorflow: expected a text, found ["a"]',
            f"tfsetup.yaml:6:1: colour: is not a key (there are {', '.join(DECLARATION.keys)})",
        ],
    ),
    "twice": ("device: cpu\ndevice: cuda\n", ["tfsetup.yaml:2:1: 'device' is there twice"]),
    "an anchor": ("with: &a [six]\n", ["tfsetup.yaml:1:7: anchors are not allowed"]),
    "not YAML": ("device: [cpu\n", None),
    "a tag": ("env: !!python/object/apply:os.system ['touch /tmp/owned']\n", None),
    "a list": ("- cpu\n", None),
    "deep": ("[" * 5000, None),
    "a control character": ("env: \x07\n", None),
    "bytes": (b"env: \xff\xfe\n", None),
    "a folder that cannot be": ('env: "a\\0b"\n', None),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_the_file(inside: Inside, tiny, work: Path, name: str) -> None:
    text, faults = FAULTS[name]
    (work / "tfsetup.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    ended = inside("plan", "--json", **tiny)
    assert ended.code == 2, ended.out
    error = ended.json["error"]
    assert "tfsetup.yaml" in error["place"]
    if faults is not None:
        assert error["faults"] == faults


def test_a_file_that_is_none(inside: Inside, tiny, work: Path) -> None:
    (work / "tfsetup.yaml").mkdir()
    ended = inside("plan", **tiny)
    assert ended.code == 2
    assert "Is a directory" in ended.err
    (work / "tfsetup.yaml").rmdir()
    os.mkfifo(work / "tfsetup.yaml")
    assert inside("plan", **tiny).code == 0, "a pipe that nobody writes to reads as empty"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("TFSETUP_DEVICE", "tpu", "`tpu` is not one of"),
        ("TFSETUP_OFFLINE", "perhaps", "neither yes nor no"),
        ("TFSETUP_ENV", "/", "root of the file system"),
        ("TFSETUP_JSON", "perhaps", "perhaps"),
        ("TFSETUP_FACTS", "no-such", "no-such"),
        ("TFSETUP_PROFILES", "no-such", "no profiles are there"),
        ("TFSETUP_TENSORFLOW", "newest", "newest"),
    ],
)
def test_a_wrong_variable_is_named(inside: Inside, tiny, variable: str, value: str, told: str) -> None:
    ended = inside("plan", **{**tiny, variable: value})
    assert ended.code == 2
    assert told in ended.err
    if variable in {"TFSETUP_DEVICE", "TFSETUP_OFFLINE", "TFSETUP_ENV", "TFSETUP_JSON"}:
        assert variable in ended.err


def test_consent_by_variable_and_its_refusal(inside: Inside, tiny) -> None:
    ended = inside("apply", **tiny, TFSETUP_YES="0")
    assert ended.code == 15
    assert "add --yes" in ended.err
    ended = inside("apply", **tiny, TFSETUP_YES="sure")
    assert ended.code == 2
    assert "TFSETUP_YES" in ended.err


@pytest.mark.parametrize("command", SUMMARIES)
def test_every_option_of_every_command_has_a_variable_and_names_it(inside: Inside, command: str) -> None:
    params = get_command(make_app(command)).commands[command].params
    for option in (param for param in params if param.opts[0].startswith("-")):
        named = option.envvar or re.findall(r"\[(TFSETUP_[A-Z_]+)\]", option.help)
        assert named, f"{command} {option.opts[0]}"
    words = " ".join(inside(command, "--help").out.split())
    assert words.count("TFSETUP_") >= sum(1 for param in params if param.opts[0].startswith("-"))


def test_one_variable_means_one_thing(inside: Inside) -> None:
    """Set for a whole session, a variable reaches every command: it must not mean a list for one and a flag for the other."""
    kinds: dict[str, set[tuple]] = {}
    for command in SUMMARIES:
        for param in get_command(make_app(command)).commands[command].params:
            if param.envvar:
                kinds.setdefault(param.envvar, set()).add((param.opts[0], param.type.name, param.multiple))
    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}
    # Those of a request are read from elsewhere.
    assert not set(kinds) & {setting.variable for setting in SETTINGS}


@pytest.mark.parametrize(("command", "more"), [("plan", ()), ("apply", ("--dry-run",))])
def test_a_device_is_said_in_one_word(inside: Inside, tiny, command: str, more: tuple[str, ...]) -> None:
    request = inside(command, "--cpu", *more, "--json", **tiny).json["request"]
    assert (request["device"], request["origins"]["device"]) == ("cpu", "option")
    ended = inside(command, "--gpu", *more, **tiny)
    assert (ended.code, "no CUDA build" in ended.err) == (12, True), ended.err
    assert inside(command, "--cpu", "--device", "cpu", *more, **tiny).code == 0
    ended = inside(command, "--cpu", "--gpu", *more, **tiny)
    assert (ended.code, "--gpu and --cpu cannot be asked for together" in ended.err) == (2, True)
    assert "--gpu, which is --device cuda" in inside(command, "--device", "gpu", *more, **tiny).err
